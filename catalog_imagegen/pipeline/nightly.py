"""A sync of one source: see what is other, say what it costs, retire what is gone, make what is new."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from catalog_imagegen.domain.catalog import Issue, Product, Reading, differences
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.album import photographed, takes_photos
from catalog_imagegen.pipeline.brakes import Brake, Forecast, Limits, brakes
from catalog_imagegen.pipeline.changes import Changes, changes, setup_name, with_families
from catalog_imagegen.pipeline.prepare import Asked, Prepared, Selection, Services, ask, planned
from catalog_imagegen.pipeline.publish import open_publisher
from catalog_imagegen.pipeline.speeds import Speeds
from catalog_imagegen.pipeline.sync import NOTHING, Report, merged
from catalog_imagegen.pipeline.want import Pictures, Planner, PlannerHere, deciding_columns, most_pictures
from catalog_imagegen.stages.listing import is_in_names, path_safe

BATCH_SKUS = 2000
"""Planned and rendered at a time: a plan of a whole large catalog would not fit into memory."""
LARGE = 4 * BATCH_SKUS
"""So many products are worth the second in which other processes start."""


@dataclass(frozen=True, slots=True)
class Night:
    """A source as it was read and what is to be done about it; nothing is done yet."""

    source: str
    skus: int
    """Products in the source."""
    changes: Changes
    issues: tuple[Issue, ...]
    vacated: frozenset[str] = frozenset()
    """Families that nobody is left of, because all are gone or of another family now."""
    _rows: Sequence[tuple[int, Product]] = field(default=(), repr=False)

    @property
    def unchanged(self) -> int:
        """Products about whose pictures nothing is to be done."""
        return self.skus - len(self.changes.todo)


def look(
    reading: Reading, source: str, services: Services, *, is_whole: bool = True, is_thorough: bool = False
) -> Night:
    """Compare a source with the ledger.

    Without *is_whole* (a file of it could not be read) nothing is taken for gone; *is_thorough* looks at every row as if
    it were new, which renders nothing twice and writes listings that somebody deleted. Rows with photos are always
    looked at: a photo may be another although the row is the same.
    """
    ledger = services.ledger
    again = _photographed(services, reading.products)
    settling = None if is_thorough else (source, setup_name(services.setup, services.enabled))
    settled = ledger.settled(*settling) if settling else {}
    standings = ledger.standings(but=settling)
    elsewhere = [p for p in reading.products if (row := standings.get(p.sku)) and row.source != source]
    foreign = ledger.foreign(source, elsewhere, services.sources) if elsewhere else []
    refused = {issue.sku for issue in foreign}
    rows = [(place, p) for place, p in enumerate(reading.products) if p.sku not in refused]
    found = changes(
        rows,
        settled,
        standings,
        source=source,
        unread={issue.sku for issue in reading.issues if issue.sku} | refused,
        again=again,
        is_whole=is_whole,
    )
    found, doubts = _surely_gone(found, reading, services)
    families = {sku: settled[sku][3] for sku in found.named if sku in settled}
    families |= {sku: standings[sku].family for sku in found.named if sku in standings}
    moved_on = {families[p.sku] for _, p in found.todo if families.get(p.sku, p.family) != p.family}
    deserted = frozenset(moved_on | {families[sku] for sku in found.gone})
    if deserted:
        found = replace(found, todo=tuple(with_families(found.todo, rows, deserted)))
    found = _without_restated(found, settled.keys() - again, deserted, services)
    issues = (*reading.issues, *foreign, *doubts)
    return Night(source, len(rows), found, issues, _vacated(deserted, found, rows, services), rows)


def _without_restated(
    found: Changes, settled: Collection[str], deserted: Collection[str], services: Services
) -> Changes:
    """Set apart the rows in which only a price is new, say: no prompt need be written to see that no picture is."""
    other = {p.sku for _, p in found.todo if p.sku in settled and p.family not in deserted}
    if not other or (deciding := deciding_columns(services.setup)) is None:
        return found
    known = {p.sku: p for p in services.ledger.products(skus=other)}
    matters = functools.cache(lambda column: column in deciding or _names_files(column, services))
    restated = {
        p.sku for _, p in found.todo if p.sku in known and not any(map(matters, differences(known[p.sku], p)))
    }
    return replace(
        found,
        todo=tuple(row for row in found.todo if row[1].sku not in restated),
        restated=tuple(row for row in found.todo if row[1].sku in restated),
    )


def _names_files(column: str, services: Services) -> bool:
    """Whether another value there means other names of files."""
    platforms = [services.setup.platforms[name] for name in services.enabled]
    return any(
        is_in_names(column, placement.file_name, platform.columns)
        for platform in platforms
        for placement in platform.placements
    )


def _photographed(services: Services, products: Iterable[Product]) -> frozenset[str]:
    return photographed(services.setup.roles.values(), products, services.photos)


def _surely_gone(found: Changes, reading: Reading, services: Services) -> tuple[Changes, list[Issue]]:
    """What is gone beyond doubt: not what may be in a sheet that was not read, or in a row whose SKU is not to be read."""
    if not found.gone:
        return found, []
    unread_sheets = {
        issue.where.partition("!")[0] for issue in reading.issues if issue.code in _SHEET_NOT_READ
    }
    products = services.ledger.products(skus=found.gone)
    hidden = {p.sku for p in products if p.where.rpartition("!")[0] in unread_sheets}
    nameless = [i for i in reading.issues if i.severity == "error" and (not i.sku or i.code in _SKU_DAMAGED)]
    nameless = [issue for issue in nameless if issue.code not in _SHEET_NOT_READ]
    staying = found.gone if nameless else found.gone & hidden
    if not staying:
        return found, []
    return replace(found, gone=found.gone - staying), [_in_doubt(len(staying), nameless)]


def _in_doubt(count: int, nameless: Sequence[Issue]) -> Issue:
    """Say that products are missing and stay all the same."""
    en, zh = (
        ("a sheet that had them was not read", "原来所在的工作表没有读取")
        if not nameless
        else (f"{len(nameless)} rows have no readable SKU", f"有 {len(nameless)} 行的货号无法读取")
    )
    return Issue(
        where=nameless[0].where if nameless else "file",
        code="gone_in_doubt",
        severity="warning",
        message_zh=f"少了 {count} 个货号，但{zh}，因此没有下架任何商品；请先修正",
        message_en=f"{count} SKUs are missing, but {en}, so none was retired; mend that first",
    )


def _vacated(
    families: frozenset[str], found: Changes, rows: Sequence[tuple[int, Product]], services: Services
) -> frozenset[str]:
    """Those of these families that nobody is left of, in this source or another."""
    if not families:
        return families
    leaving = found.gone | {product.sku for _, product in found.todo}
    staying = {product.family for _, product in rows}
    staying |= {p.family for p in services.ledger.products(skus=(), spus=families) if p.sku not in leaving}
    return families - staying


_SHEET_NOT_READ = frozenset(
    {
        "hidden_sheet_skipped",
        "no_header_found",
        "required_column_missing",
        "header_row_blank",
        "sheet_without_rows",
    }
)
_SKU_DAMAGED = frozenset(
    {
        "precision_lost",
        "scientific_text",
        "sku_not_integer",
        "sku_is_date",
        "missing_sku",
        "sku_control_character",
    }
)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A batch whose prompts are being written."""

    rows: tuple[tuple[int, Product], ...]
    asked: Asked
    pictures: Callable[[], Pictures]

    def prepared(self, services: Services) -> Prepared:
        return replace(planned(self.asked, self.pictures(), services), rows=self.rows)


def batches(night: Night, services: Services) -> Iterator[Prepared]:
    """The plans of what is to be done, family by family, so many products at a time."""
    is_large = len(night.changes.todo) >= LARGE
    todo = [product for _, product in night.changes.todo] if is_large else []
    is_large = is_large and not takes_photos(services.setup.roles.values(), todo, services.photos)
    here = PlannerHere(services.setup, services.photos)
    planner: Planner = services.planner if is_large and services.planner is not None else here
    begun: deque[_Begun] = deque()
    read = frozenset(product.sku for _, product in night._rows)  # noqa: SLF001 - a night is only made here
    for rows, context in _groups(night):
        asked = ask(context, [product for _, product in rows], Selection(), services, read=read)
        begun.append(_Begun(rows, asked, planner.begin(asked.wish)))
        if len(begun) > planner.ahead:
            yield begun.popleft().prepared(services)
    for each in begun:
        yield each.prepared(services)


def _groups(night: Night) -> Iterator[tuple[tuple[tuple[int, Product], ...], list[tuple[int, Product]]]]:
    """Rows of whole families that are planned together, and all rows of these families; both in catalog order."""
    by_family: dict[str, list[tuple[int, Product]]] = {}
    for row in night.changes.todo:
        by_family.setdefault(row[1].family, []).append(row)
    relatives: dict[str, list[tuple[int, Product]]] = {family: [] for family in by_family}
    for row in night._rows:  # noqa: SLF001 - a night is only made here
        if row[1].family in relatives:
            relatives[row[1].family].append(row)
    rows: list[tuple[int, Product]] = []
    context: list[tuple[int, Product]] = []
    for family, its in by_family.items():
        rows += its
        context += relatives[family]
        if len(rows) >= BATCH_SKUS:
            yield _in_order(rows), list(_in_order(context))
            rows, context = [], []
    if rows:
        yield _in_order(rows), list(_in_order(context))


def _in_order(rows: Iterable[tuple[int, Product]]) -> tuple[tuple[int, Product], ...]:
    return tuple(sorted(rows, key=itemgetter(0)))


def forecast(night: Night, services: Services, limits: Limits, *, servers: int, is_agreed: bool) -> Forecast:
    """What it would cost. Every picture is planned for that only where it could be too much and nobody *is_agreed*."""
    told = Forecast(
        source=night.source, retired=len(night.changes.gone), had=night.changes.had, servers=servers
    )
    if is_agreed or not night.changes.todo:
        return told
    told = replace(told, wanted_before=services.ledger.wanted_count(night.source))
    at_most = len(night.changes.todo) * most_pictures(services.setup, services.enabled)
    if not brakes(replace(told, new_renders=at_most), limits):
        return told
    speeds = Speeds(services.ledger.speeds())
    for prepared in batches(night, services):
        renders = [p for p in prepared.plan.pictures if p.action == "render"]
        told = replace(
            told,
            renders=told.renders + len(renders),
            new_renders=told.new_renders + sum(not p.is_expected for p in renders),
            gpu_seconds=told.gpu_seconds + sum(expected_seconds(p.wanted, speeds) for p in renders),
        )
    return told


def expected(prepared: Prepared, services: Services, *, servers: int) -> Forecast:
    """What it costs to carry out a plan."""
    speeds, renders = Speeds(services.ledger.speeds()), prepared.to_render()
    seconds = sum(expected_seconds(picture, speeds) for picture in renders)
    return Forecast("", renders=len(renders), gpu_seconds=seconds, servers=servers)


def expected_seconds(picture: Wanted, speeds: Speeds) -> float:
    """How long a server of middling speed needs for a picture."""
    return speeds.seconds("", picture)


def retire(night: Night, services: Services) -> None:
    """Take what is gone out of the listings and out of what is wanted; nothing is deleted but files made of renders.

    Listings go first: whoever dies in between finds the products still there and goes on. What is left of a family is
    listed anew without those that are gone.
    """
    gone = services.ledger.products(skus=night.changes.gone) if night.changes.gone else []
    if not gone and not night.vacated:
        return
    listed = {"sku": [product.sku for product in gone], "spu": list(night.vacated)}
    for name, platform in services.setup.platforms.items():
        for folder in map(path_safe, listed[platform.listing_per]):
            if services.listings.exists(name, folder):
                services.listings.remove(name, folder)
    services.ledger.retire(night.changes.gone, night.vacated)
    families = {product.family for product in gone} - night.vacated
    left = [product.sku for product in services.ledger.products(skus=(), spus=families)] if families else []
    publisher = open_publisher(services)
    publisher.publish([services.setup.platforms[name] for name in services.enabled], left)


def nothing_done(*issues: Issue) -> Report:
    """The report of a source that could not be read."""
    return Report(
        run="",
        skus=0,
        pictures=NOTHING,
        renditions=0,
        jobs_submitted=0,
        seconds=0.0,
        issues=issues,
        problems=(),
        unavailable=(),
    )


def held_back(night: Night, told: Forecast, why: Sequence[Brake]) -> Report:
    """The report of a source about which nothing was done, because it would have been too much."""
    pictures = {**NOTHING, "planned": told.renders, "pending": told.renders}
    return replace(
        nothing_done(*night.issues),
        skus=night.skus,
        pictures=pictures,
        unchanged=night.unchanged,
        held=told.renders,
        forecasts=(told,),
        brakes=tuple(why),
    )


def whole_night(night: Night, told: Forecast, reports: Sequence[Report]) -> Report:
    """The report of a source, all its batches together."""
    whole = merged(reports) if reports else nothing_done()
    return replace(
        whole,
        skus=night.skus,
        issues=(*night.issues, *whole.issues),
        unchanged=night.unchanged,
        retired=len(night.changes.gone),
        moved=len(night.changes.moved),
        restated=len(night.changes.restated),
        forecasts=(told,) if told.renders else (),
    )
