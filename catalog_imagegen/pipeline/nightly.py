"""A sync of one source: see what is other, say what it costs, retire what is gone, make what is new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from catalog_imagegen.domain.catalog import Issue, Product, Reading
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.brakes import Brake, Forecast, Limits, brakes
from catalog_imagegen.pipeline.changes import Changes, changes, setup_name, with_families
from catalog_imagegen.pipeline.prepare import Prepared, Selection, Services, prepare
from catalog_imagegen.pipeline.speeds import Speeds
from catalog_imagegen.pipeline.sync import NOTHING, Report, merged
from catalog_imagegen.pipeline.want import most_pictures, spu_subject
from catalog_imagegen.stages.listing import path_safe

BATCH_SKUS = 2000
"""Planned and rendered at a time: a plan of a whole large catalog would not fit into memory."""


@dataclass(frozen=True, slots=True)
class Night:
    """A source as it was read and what is to be done about it; nothing is done yet."""

    source: str
    skus: int
    """Products in the source."""
    changes: Changes
    issues: tuple[Issue, ...]
    _rows: Sequence[tuple[int, Product]] = field(repr=False)
    _families: frozenset[str] = field(repr=False)
    """Families of which a member is to be planned, or gone."""

    @property
    def unchanged(self) -> int:
        """Products about which nothing is to be done."""
        return self.skus - len(self.changes.todo)


def look(
    reading: Reading, source: str, services: Services, *, is_whole: bool = True, is_thorough: bool = False
) -> Night:
    """Compare a source with the ledger.

    Without *is_whole* (a file of it could not be read) nothing is taken for gone; *is_thorough* looks at every row as if
    it were new, which renders nothing twice and writes listings that somebody deleted.
    """
    standings = services.ledger.standings()
    elsewhere = [
        product
        for product in reading.products
        if (standing := standings.get(product.sku)) is not None and standing.source != source
    ]
    foreign = services.ledger.foreign(source, elsewhere, services.sources) if elsewhere else []
    refused = {issue.sku for issue in foreign}
    rows = [(place, p) for place, p in enumerate(reading.products) if p.sku not in refused]
    found = changes(
        rows,
        standings,
        source=source,
        setup="" if is_thorough else setup_name(services.setup, services.enabled),
        unread={issue.sku for issue in reading.issues if issue.sku} | refused,
        is_whole=is_whole,
    )
    families = frozenset(product.family for _, product in found.todo)
    if found.gone:
        families |= {product.family for product in services.ledger.products(skus=found.gone)}
        todo = with_families(found.todo, rows, families & _families_of_gone(found, services))
        found = replace(found, todo=tuple(todo))
    issues = (*reading.issues, *foreign)
    return Night(source, len(rows), found, issues, rows, families)


def _families_of_gone(found: Changes, services: Services) -> frozenset[str]:
    return frozenset(product.family for product in services.ledger.products(skus=found.gone))


def batches(night: Night, services: Services) -> Iterator[Prepared]:
    """The plans of what is to be done, family by family, so many products at a time."""
    by_family: dict[str, list[tuple[int, Product]]] = {}
    for row in night.changes.todo:
        by_family.setdefault(row[1].family, []).append(row)
    relatives: dict[str, list[tuple[int, Product]]] = {family: [] for family in by_family}
    for row in night._rows:  # noqa: SLF001 - a night is only made here
        if row[1].family in relatives:
            relatives[row[1].family].append(row)
    batch: list[str] = []
    size = 0
    for family, rows in by_family.items():
        batch.append(family)
        size += len(rows)
        if size >= BATCH_SKUS:
            yield _planned(batch, by_family, relatives, services)
            batch, size = [], 0
    if batch:
        yield _planned(batch, by_family, relatives, services)


def _planned(
    families: Sequence[str],
    todo: dict[str, list[tuple[int, Product]]],
    relatives: dict[str, list[tuple[int, Product]]],
    services: Services,
) -> Prepared:
    rows = sorted((row for family in families for row in todo[family]), key=lambda row: row[0])
    context = sorted((row for family in families for row in relatives[family]), key=lambda row: row[0])
    prepared = prepare(context, [product for _, product in rows], Selection(), services)
    return replace(prepared, rows=tuple(rows))


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

    Listings go first: whoever dies in between finds the products still there and goes on.
    """
    gone = services.ledger.products(skus=night.changes.gone)
    staying = {product.family for _, product in night._rows}  # noqa: SLF001 - a night is only made here
    for product in gone:
        subjects = [f"sku:{product.sku}"]
        if product.family not in staying:
            subjects.append(spu_subject(product))
        for platform in services.setup.platforms:
            for subject in subjects:
                folder = path_safe(subject.partition(":")[2])
                if services.listings.exists(platform, folder):
                    services.listings.remove(platform, folder)
    services.ledger.retire(night.changes.gone)


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
        forecasts=(told,),
        brakes=tuple(why),
    )


def whole_night(night: Night, told: Forecast, reports: Sequence[Report]) -> Report:
    """The report of a source, all its batches together."""
    whole = merged(reports) if reports else nothing_done()
    return replace(
        whole,
        skus=night.skus,
        issues=night.issues,
        unchanged=night.unchanged,
        retired=len(night.changes.gone),
        moved=len(night.changes.moved),
        forecasts=(told,) if told.renders else (),
    )
