"""One run from rows to listings: read, want, plan, render, publish."""

from __future__ import annotations

import difflib
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog_imagegen.domain.catalog import Issue, Product, Reading
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Platform, Render, Wanted
from catalog_imagegen.domain.job import Plan
from catalog_imagegen.pipeline.plan import plan
from catalog_imagegen.pipeline.ports import BlobStore, Ledger, Listings, Progress, RenderBackend
from catalog_imagegen.pipeline.produce import Made, Workshop, produce
from catalog_imagegen.pipeline.publish import Publisher, Publishing
from catalog_imagegen.pipeline.want import Setup, spu_subject, want


@dataclass(frozen=True, slots=True)
class Selection:
    """The part of a catalog that a command is about; empty means all."""

    platforms: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    limit: int | None = None
    keys: frozenset[ImageKey] | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a run works with."""

    setup: Setup
    enabled: tuple[str, ...]
    """The platforms that listings are made for unless a command names others."""
    ledger: Ledger
    blobs: BlobStore
    listings: Listings
    is_placeholder: bool
    attempts: int = 2
    sources: frozenset[str] = frozenset()
    """The configured sources; a SKU of one that is configured no longer is free for others."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run would do, before anything is recorded or rendered."""

    plan: Plan
    """Everything the enabled platforms want of the chosen products."""
    chosen: frozenset[ImageKey]
    """The pictures this command is about."""
    products: tuple[Product, ...]
    platforms: tuple[Platform, ...]
    leaving: frozenset[ImageKey]
    rows: tuple[tuple[int, Product], ...] = ()
    """Rows to record, with their positions in the catalog."""
    issues: tuple[Issue, ...] = ()

    def to_render(self) -> tuple[Wanted, ...]:
        """The chosen pictures that need a server."""
        return tuple(w for w in self.plan.to_render() if w.key in self.chosen)


@dataclass(frozen=True, slots=True)
class Problem:
    """A picture without a result, for the list at the end of a run."""

    sku: str
    role: str
    slot: int
    item_text: str
    state: str
    reason_en: str
    reason_zh: str
    remedy_en: str = ""
    remedy_zh: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did; planned = rendered + reused + failed + blocked + pending."""

    run: str
    skus: int
    pictures: Mapping[str, int]
    renditions: int
    jobs_submitted: int
    seconds: float
    issues: tuple[Issue, ...]
    problems: tuple[Problem, ...]
    unavailable: tuple[BackendUnavailable, ...]


def choose(reading: Reading, source: str, selection: Selection, services: Services) -> Prepared:
    """Plan the selected part of a catalog. Records and renders nothing."""
    foreign = services.ledger.foreign(source, reading.products, services.sources)
    refused = {issue.sku for issue in foreign}
    rows = [(i, p) for i, p in enumerate(reading.products) if p.sku not in refused]
    _check_names("SKU", selection.skus, [p.sku for _, p in rows])
    chosen = [p for _, p in rows if not selection.skus or p.sku in selection.skus][: selection.limit]
    prepared = _prepare(rows, chosen, selection, services)
    # With a variant its whole family is recorded: any of them may speak for it.
    families = {p.family for p in chosen}
    recorded = tuple(row for row in rows if row[1].family in families)
    return replace(prepared, rows=recorded, issues=(*reading.issues, *foreign))


def from_ledger(selection: Selection, services: Services) -> Prepared:
    """Plan pictures of recorded products, from their last rows."""
    recorded = services.ledger.rows()
    _check_names("SKU", selection.skus, [p.sku for _, p in recorded])
    chosen = [p for _, p in recorded if not selection.skus or p.sku in selection.skus]
    return _prepare(recorded, chosen, selection, services)


def regenerate(
    sku: str, *, role: str, slot: int | None, seed: int | None, note: str, services: Services
) -> Prepared:
    """Ask for new takes of pictures of one SKU and plan them. Raises ConfigError if there are none."""
    keys = frozenset(pictures_of(sku, role=role, slot=slot, services=services))
    selection = Selection(skus=(sku,), keys=keys)
    if missing := keys - from_ledger(selection, services).chosen:
        names = ", ".join(sorted({key.role for key in missing}))
        raise ConfigError(
            f"no enabled platform takes {names} of {sku} now; enable one in config/app.toml (platforms), "
            "or name another --role",
            zh=f"当前启用的平台都不需要 {sku} 的 {names} 图；请在 config/app.toml 的 platforms 中启用，"
            "或用 --role 指定其他图片",
            code="picture_not_wanted",
        )
    for key in keys:
        services.ledger.add_take(key, seed=seed, note=note)
    return from_ledger(selection, services)


def recorded_products(sku: str, services: Services) -> list[Product]:
    """The recorded products, or the one called *sku*. Raises ConfigError if there is none."""
    recorded = services.ledger.products()
    if not sku:
        return recorded
    _check_names("SKU", [sku], [p.sku for p in recorded])
    return [p for p in recorded if p.sku == sku]


def pictures_of(sku: str, *, role: str, slot: int | None, services: Services) -> list[ImageKey]:
    """The recorded pictures of a SKU, its own and those it shares. Raises ConfigError if there is none."""
    (product,) = recorded_products(sku, services)
    pictures = services.ledger.pictures({f"sku:{sku}", spu_subject(product)})
    if role:
        _check_names("role", [role], services.setup.roles)
    found = [p.key for p in pictures if role in ("", p.key.role) and slot in (None, p.slot)]
    if not found:
        has = ", ".join(f"{p.key.role} {p.slot} ({p.item_text})" for p in pictures) or "none"
        raise ConfigError(
            f"{sku} has no picture {role or 'of any role'} {slot or ''}; it has: {has}",
            zh=f"{sku} 没有这张图片（{role} {slot or ''}）；现有：{has}",
            code="no_such_picture",
        )
    return found


def _prepare(
    catalog: Sequence[tuple[int, Product]],
    chosen: Sequence[Product],
    selection: Selection,
    services: Services,
) -> Prepared:
    setup, ledger = services.setup, services.ledger
    names = selection.platforms or services.enabled
    _check_names("platform", names, setup.platforms)
    _check_names("role", selection.roles, setup.roles)
    subjects = {f"sku:{p.sku}" for p in chosen} | {spu_subject(p) for p in chosen}
    present = {p.sku for _, p in catalog}
    variants = ledger.products(skus=(), spus={p.family for p in chosen})
    wanted, blocked = want(
        catalog,
        setup,
        platforms=dict.fromkeys([*services.enabled, *names]),
        takes=ledger.takes(),
        subjects=subjects,
        relatives=[p for p in variants if p.sku not in present],
    )
    pictures: list[Wanted | Blocked] = [*wanted, *blocked]
    return Prepared(
        plan=plan(wanted, ledger.records({w.key for w in wanted}), _made(wanted, services), blocked),
        chosen=frozenset(p.key for p in pictures if _is_selected(p, selection, names)),
        products=tuple(chosen),
        platforms=tuple(setup.platforms[name] for name in names),
        leaving=frozenset()
        if selection.keys is not None
        else frozenset(ledger.wanted_keys(subjects) - {p.key for p in pictures}),
    )


def _made(wanted: Iterable[Wanted], services: Services) -> Mapping[Fingerprint, Render]:
    """The renders that exist, bytes and all."""
    renders = services.ledger.renders({w.render_key for w in wanted})
    return {key: render for key, render in renders.items() if services.blobs.has(render.digest)}


def _is_selected(picture: Wanted | Blocked, selection: Selection, platforms: Collection[str]) -> bool:
    return (
        (not selection.roles or picture.key.role in selection.roles)
        and not picture.platforms.isdisjoint(platforms)
        and (selection.keys is None or picture.key in selection.keys)
    )


def _check_names(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raises ConfigError for a name that is not there, with those that are near it."""
    existing = list(known)
    for name in names:
        if name in existing:
            continue
        if not existing:
            raise ConfigError(
                f"there is no {kind} yet; start with: catalog-imagegen run CATALOG",
                zh=f"还没有任何 {kind}；请先运行 catalog-imagegen run CATALOG",
                code=f"unknown_{kind.lower()}",
            )
        by_folded = {other.casefold(): other for other in existing}
        near = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)
        names = [by_folded[folded] for folded in near]
        there = ", ".join(existing[:8]) + (", …" if len(existing) > 8 else "")  # noqa: PLR2004 - a line's worth
        raise ConfigError(
            f"there is no {kind} {name!r}; "
            + (f"did you mean {' or '.join(names)}?" if names else f"there are {there}"),
            zh=f"没有名为 {name} 的 {kind}；"
            + (f"您是否想写：{'、'.join(names)}？" if names else f"现有：{there}"),
            code=f"unknown_{kind.lower()}",
        )


def carry_out(
    prepared: Prepared,
    services: Services,
    *,
    source: str,
    command: str,
    backends: Callable[[Sequence[Wanted]], Sequence[RenderBackend]],
    progress: Progress,
    stop: threading.Event,
) -> Report:
    """Record a plan, render what it lacks and publish the listings.

    *backends* is asked for servers only if something must be rendered. Servers that cannot be reached,
    at the start or on the way, are named in the report; what they should have rendered stays planned.
    """
    began = time.monotonic()
    ledger = services.ledger
    to_render = prepared.to_render()
    ledger.keep_products(source, prepared.rows)
    ledger.keep_plan(prepared.plan, leaving=prepared.leaving)
    unavailable: list[BackendUnavailable] = []
    servers: Sequence[RenderBackend] = ()
    try:
        servers = backends(to_render) if to_render else ()
    except BackendUnavailable as error:
        unavailable.append(error)
    run = ledger.begin_run(command)
    progress.start(len(to_render))
    publisher = Publisher(ledger, services.blobs, services.listings)
    with Publishing(publisher, prepared.platforms, prepared.products, to_render) as publishing:

        def on_made(made: Made) -> None:
            progress.done(f"{made.wanted.sku} {made.wanted.key.role}", failed=made.outcome == "failed")
            publishing.one_less(made.wanted)

        shop = Workshop(
            ledger=ledger,
            blobs=services.blobs,
            backends=servers,
            run=run,
            is_placeholder=services.is_placeholder,
            attempts=services.attempts,
            on_made=on_made,
        )
        production = produce(to_render, shop, stop)
    report = Report(
        run=run,
        skus=len(prepared.products),
        pictures=_count(prepared, production.made),
        renditions=publishing.renditions,
        jobs_submitted=production.jobs_submitted,
        seconds=round(time.monotonic() - began, 3),
        issues=prepared.issues,
        problems=_problems(prepared, production.made),
        unavailable=(*unavailable, *production.unavailable),
    )
    outcome = {"pictures": dict(report.pictures), "jobs_submitted": report.jobs_submitted}
    ledger.end_run(run, outcome | {"seconds": report.seconds, "renditions": report.renditions})
    return report


def _count(prepared: Prepared, made: Sequence[Made]) -> Mapping[str, int]:
    outcomes = Counter(m.outcome for m in made)
    actions = Counter(p.action for p in prepared.plan.pictures if p.wanted.key in prepared.chosen)
    return {
        "planned": len(prepared.chosen),
        "rendered": outcomes["rendered"],
        "reused": outcomes["reused"] + actions["reuse"],
        "failed": outcomes["failed"] + actions["failed"],
        "blocked": sum(b.key in prepared.chosen for b in prepared.plan.blocked),
        "pending": actions["render"] - len(made),
    }


def _problems(prepared: Prepared, made: Sequence[Made]) -> tuple[Problem, ...]:
    """Failed and blocked pictures, in catalog order."""
    failures = {p.wanted.key: p.failure for p in prepared.plan.pictures} | {
        m.wanted.key: m.failure for m in made
    }
    found: list[tuple[int, Problem]] = []
    for planned in prepared.plan.pictures:
        failure = failures[planned.wanted.key]
        if failure is not None and planned.wanted.key in prepared.chosen:
            problem = _problem(planned.wanted, "failed", f"{failure}", f"{failure}")
            problem = replace(problem, remedy_en=failure.remedy_en, remedy_zh=failure.remedy_zh)
            found.append((planned.wanted.order, problem))
    found.extend(
        (blocked.order, _problem(blocked, "blocked", blocked.reason_en, blocked.reason_zh))
        for blocked in prepared.plan.blocked
        if blocked.key in prepared.chosen
    )
    return tuple(problem for _, problem in sorted(found, key=lambda pair: pair[0]))


def _problem(picture: Wanted | Blocked, state: str, reason_en: str, reason_zh: str) -> Problem:
    return Problem(
        sku=picture.sku,
        role=picture.key.role,
        slot=picture.slot,
        item_text=picture.item_text,
        state=state,
        reason_en=reason_en,
        reason_zh=reason_zh,
    )


def merged(reports: Sequence[Report], further: Iterable[Issue] = ()) -> Report:
    """Several runs as one, with *further* issues of what could not be read at all."""
    return Report(
        run=reports[-1].run,
        skus=sum(r.skus for r in reports),
        pictures={name: sum(r.pictures[name] for r in reports) for name in reports[0].pictures},
        renditions=sum(r.renditions for r in reports),
        jobs_submitted=sum(r.jobs_submitted for r in reports),
        seconds=round(sum(r.seconds for r in reports), 3),
        issues=(*(issue for r in reports for issue in r.issues), *further),
        problems=tuple(problem for r in reports for problem in r.problems),
        unavailable=tuple(error for r in reports for error in r.unavailable),
    )
