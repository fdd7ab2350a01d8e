"""Reports of a workspace: gathered from the ledger and the listings, written where somebody wants them."""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from catalog_imagegen.adapters.files import make_folder, write_whole
from catalog_imagegen.adapters.reports import excel, html
from catalog_imagegen.adapters.reports.excel import ExcelReport
from catalog_imagegen.adapters.reports.heading import Heading
from catalog_imagegen.adapters.reports.html import HtmlReport
from catalog_imagegen.adapters.reports.standing import standing_listings
from catalog_imagegen.adapters.reports.thumbnails import Thumbnails
from catalog_imagegen.bootstrap.house import House
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.language import Language
from catalog_imagegen.pipeline.publish import publications
from catalog_imagegen.pipeline.report import build
from catalog_imagegen.pipeline.status import overview
from catalog_imagegen.pipeline.views import ReportView
from catalog_imagegen.pipeline.want import spu_subject

NAMES = ("report.html", "report.xlsx")
HEAD_BYTES = 4_096
"""How much of a page must be read to find its state."""


def write_reports(
    house: House,
    folder: Path,
    *,
    language: Language,
    skus: Collection[str] | None = None,
    platforms: Collection[str] = (),
) -> list[Path]:
    """Write a page and a workbook into a folder that listings lie in; returns those that changed."""
    report = gather(house, folder, skus=skus, platforms=platforms)
    places = [folder / name for name in NAMES]
    return [place for place in places if _write(report, house, place, folder, language)]


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
    folder = listings or house.workspace.output
    report = gather(house, folder, skus=skus, platforms=platforms)
    return _write(report, house, destination, folder, language)


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
    enabled = house.services.enabled
    names = platforms or [name for name in setup.platforms if name in enabled or (listings / name).is_dir()]
    found = publications([setup.platforms[name] for name in names], relatives, pictures)
    return build(
        overview(products, pictures),
        found,
        ledger.attempts(),
        standing_listings(listings, [(p.platform.name, p.folder) for p in found]),
        roles=list(setup.roles),
        only_standing=listings.resolve() != house.workspace.output.resolve(),
    )


def _write(report: ReportView, house: House, destination: Path, folder: Path, language: Language) -> bool:
    workspace = house.workspace
    way = os.path.relpath(folder.resolve(), destination.resolve().parent)
    heading = Heading(
        shop=workspace.root.resolve().name,
        made_at=datetime.now(UTC),
        base="" if way == "." else f"{way.replace(os.sep, '/')}/",
    )
    is_page = destination.suffix.lower() == ".html"
    writer = (HtmlReport if is_page else ExcelReport)(report, heading, language)
    if _standing_state(destination, is_page=is_page) == writer.state:
        return False
    make_folder(destination.parent)
    write_whole(destination, writer.render(Thumbnails(workspace.data / "thumbnails", house.services.blobs)))
    return True


def _standing_state(destination: Path, *, is_page: bool) -> str:
    """The state that the report shows which stands there, or ``""``."""
    try:
        with destination.open("rb") as file:
            return html.state_of(file.read(HEAD_BYTES)) if is_page else excel.state_of(file.read())
    except OSError:
        return ""
