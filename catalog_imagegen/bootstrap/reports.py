"""Reports of a workspace: gathered from the ledger and the listings, written where somebody wants them."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from catalog_imagegen import __version__
from catalog_imagegen.adapters.files import make_folder, write_whole
from catalog_imagegen.adapters.reports import excel, html
from catalog_imagegen.adapters.reports.excel import ExcelReport
from catalog_imagegen.adapters.reports.heading import Heading
from catalog_imagegen.adapters.reports.html import HtmlReport
from catalog_imagegen.adapters.reports.stamps import Stamps
from catalog_imagegen.adapters.reports.standing import stamp_of, standing_listings
from catalog_imagegen.adapters.reports.thumbnails import Thumbnails
from catalog_imagegen.bootstrap.house import House
from catalog_imagegen.domain.errors import CatalogImagegenError, ConfigError
from catalog_imagegen.domain.fingerprint import fingerprint
from catalog_imagegen.domain.imaging import Platform
from catalog_imagegen.language import Language
from catalog_imagegen.pipeline import views
from catalog_imagegen.pipeline.publication import publications
from catalog_imagegen.pipeline.report import build
from catalog_imagegen.pipeline.status import overview
from catalog_imagegen.pipeline.views import ReportView
from catalog_imagegen.pipeline.want import spu_subject

NAMES = ("report.html", "report.xlsx")
HEAD_BYTES = 4_096
"""How much of a page must be read to find its state."""
MAX_SKUS_FOR_SMALL_CHANGES = 1_000
"""Of a larger shop a report takes seconds; a change of one picture leaves it to the next run."""


def write_reports(
    house: House,
    folder: Path,
    *,
    language: Language,
    skus: Collection[str] | None = None,
    platforms: Collection[str] = (),
) -> list[Path]:
    """Write a page and a workbook into a folder that listings lie in; returns those that changed.

    Trouble with one of them is raised after the other is written.
    """
    desk = _Desk(house, folder, language, skus, platforms)
    written: list[Path] = []
    troubles: list[Exception] = []
    for place in (folder / name for name in NAMES):
        try:
            if desk.write(place):
                written.append(place)
        except (CatalogImagegenError, OSError) as trouble:
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return written


def refresh_reports(house: House, *, language: Language, is_small_change: bool = False) -> bool:
    """Bring the reports in the workspace's output up to date.

    False where they were left as they are: after a small change in a shop so large that it would take
    longer than the change itself.
    """
    if is_small_change and house.services.ledger.sku_count() > MAX_SKUS_FOR_SMALL_CHANGES:
        return False
    write_reports(house, house.workspace.output, language=language)
    return True


def write_report(
    house: House,
    destination: Path,
    *,
    language: Language,
    skus: Collection[str] | None = None,
    platforms: Collection[str] = (),
    listings: Path | None = None,
) -> bool:
    """Write one report, a page or a workbook by its suffix; False where the same stands there already.

    It shows these SKUs, or all, and the listings of these platforms, or the enabled ones, below
    *listings*, or the workspace's output. Raises ConfigError for any other suffix.
    """
    check_destination(destination)
    return _Desk(house, listings or house.workspace.output, language, skus, platforms).write(destination)


def check_destination(destination: Path) -> None:
    """Raises ConfigError unless a report can be called so."""
    if destination.suffix.lower() not in (".html", ".xlsx") or destination.is_dir():
        raise ConfigError(
            f"{destination}: a report is a file that ends in .html (a page) or .xlsx (a workbook); "
            "write for example: catalog-imagegen report monday.html",
            zh=f"{destination}：报表文件名须以 .html（网页）或 .xlsx（表格）结尾；"
            "例如：catalog-imagegen report monday.html",
            code="wrong_report_name",
        )


def gather(
    house: House, listings: Path, *, skus: Collection[str] | None = None, platforms: Collection[str] = ()
) -> ReportView:
    """All that a report shows, read from the ledger and from what stands below *listings*.

    Anywhere but in the workspace's output these are listings that somebody handed on: what is not
    among them is not shown.
    """
    ledger, setup = house.services.ledger, house.services.setup
    products = ledger.products(skus=skus)
    relatives = products if skus is None else ledger.products(skus=(), spus={p.family for p in products})
    subjects = {f"sku:{p.sku}" for p in relatives} | {spu_subject(p) for p in relatives}
    pictures = ledger.pictures(None if skus is None else subjects)
    found = publications(_platforms(house, listings, platforms), relatives, pictures, setup.designer())
    return build(
        overview(products, pictures),
        found,
        ledger.attempts_at(None if skus is None else subjects),
        standing_listings(listings, [(p.platform.name, p.folder) for p in found]),
        roles=setup.roles,
        only_standing=listings.resolve() != house.workspace.output.resolve(),
    )


def _platforms(house: House, listings: Path, names: Collection[str]) -> list[Platform]:
    """The platforms of these names, else the enabled ones and those that something stands of."""
    setup, enabled = house.services.setup, house.services.enabled
    found = names or [name for name in setup.platforms if name in enabled or (listings / name).is_dir()]
    return [setup.platforms[name] for name in found]


@dataclass(frozen=True)  # without slots, so that each part is found once, and only if it is needed
class _Desk:
    """Writes reports of the same SKUs and listings; gathers nothing where nothing can have changed."""

    house: House
    folder: Path
    language: Language
    skus: Collection[str] | None
    platforms: Collection[str]

    @cached_property
    def report(self) -> ReportView:
        """All that is shown."""
        return gather(self.house, self.folder, skus=self.skus, platforms=self.platforms)

    @cached_property
    def facts(self) -> Sequence[object]:
        """Names all that a report is made of, but for the place it is written to."""
        house = self.house
        platforms = _platforms(house, self.folder, self.platforms)
        return (
            house.services.ledger.stamp(),
            stamp_of(self.folder, [p.name for p in platforms]),
            repr(platforms),
            [[name, role.stitch] for name, role in house.services.setup.roles.items()],
            None if self.skus is None else sorted(self.skus),
            self.language.code,
            house.workspace.root.resolve().name,
            [views.VERSION, html.VERSION, excel.VERSION, __version__, html.design()],
        )

    @property
    def is_of_workspace(self) -> bool:
        """Whether it is about what lies in the workspace's output, and not handed on."""
        return self.folder.resolve() == self.house.workspace.output.resolve()

    def write(self, destination: Path) -> bool:
        """Write one report; False where the same stands there already."""
        way = os.path.relpath(self.folder.resolve(), destination.resolve().parent)
        base = "" if way == "." else f"{way.replace(os.sep, '/')}/"
        if not self.is_of_workspace:
            return self._write(destination, base=base)
        stamps = Stamps(self.house.workspace.data / "reports.json")
        stamp = fingerprint("report stamp", 1, [base, *self.facts])
        if stamps.holds(destination, stamp):
            return False
        is_new = self._write(destination, base=base)
        stamps.keep(destination, stamp)
        return is_new

    def _write(self, destination: Path, *, base: str) -> bool:
        workspace = self.house.workspace
        heading = Heading(shop=workspace.root.resolve().name, made_at=datetime.now(UTC), base=base)
        is_page = destination.suffix.lower() == ".html"
        writer = (HtmlReport if is_page else ExcelReport)(self.report, heading, self.language)
        if _standing_state(destination, is_page=is_page) == writer.state:
            return False
        make_folder(destination.parent)
        thumbnails = Thumbnails(workspace.data / "thumbnails", self.house.services.blobs)
        write_whole(destination, writer.render(thumbnails))
        return True


def _standing_state(destination: Path, *, is_page: bool) -> str:
    """The state that the report shows which stands there, or ``""``."""
    try:
        with destination.open("rb") as file:
            return html.state_of(file.read(HEAD_BYTES)) if is_page else excel.state_of(file.read())
    except OSError:
        return ""
