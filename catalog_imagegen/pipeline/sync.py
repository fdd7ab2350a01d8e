"""One run from a plan to listings: record, render, publish, count."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from catalog_imagegen.domain.catalog import Issue
from catalog_imagegen.domain.errors import BackendUnavailable
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.gates import held_back
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Wanted
from catalog_imagegen.domain.incident import Incident
from catalog_imagegen.domain.job import AttemptRecord
from catalog_imagegen.pipeline.album import photographed
from catalog_imagegen.pipeline.brakes import Brake, Forecast
from catalog_imagegen.pipeline.changes import setup_name
from catalog_imagegen.pipeline.making import making
from catalog_imagegen.pipeline.photos import keep_photos, with_photos
from catalog_imagegen.pipeline.ports import Progress, RenderBackend
from catalog_imagegen.pipeline.prepare import Prepared, Services
from catalog_imagegen.pipeline.produce import produce
from catalog_imagegen.pipeline.publish import open_publisher
from catalog_imagegen.pipeline.publishing import Publishing
from catalog_imagegen.pipeline.retake import retaking
from catalog_imagegen.pipeline.want import spu_subject
from catalog_imagegen.pipeline.workshop import Inspection, Made, Workshop, passing
from catalog_imagegen.stages.recipe import Base

MAX_FAILURES = 0.1
"""Above this share of failures a run ends with a warning."""
SLOW_S = 30.0
"""Above this mean execution time of a picture a run ends with a warning."""


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
    code: str = ""
    """Of a failure, or of a gate."""


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
    incidents: tuple[Incident, ...] = ()
    """What went wrong with servers, each told once."""
    timed: int = 0
    """Pictures of which a server said how long it worked on them."""
    timed_s: float = 0.0
    """Seconds they took together."""
    unchanged: int = 0
    """Products about whose pictures nothing was to be done."""
    retired: int = 0
    """Products that left their source."""
    held: int = 0
    """Pictures that wait for somebody's agreement; they are among the pending ones."""
    moved: int = 0
    """Products that only stand elsewhere in it."""
    restated: int = 0
    """Products of which the source says something else that no picture shows, such as a price."""
    forecasts: tuple[Forecast, ...] = ()
    """What was expected of each source, where somebody had to be asked."""
    brakes: tuple[Brake, ...] = ()
    """Why nothing was done about some source."""

    @property
    def success_rate(self) -> float | None:
        """The share of the pictures tried in this run that were made, 0 to 1; None if none was tried."""
        made, failed = self.pictures["rendered"], self.pictures["failed"]
        return made / (made + failed) if made + failed else None

    @property
    def is_idle(self) -> bool:
        """Whether nothing came of it that a report could show."""
        return not (self.pictures["planned"] or self.retired or self.issues or self.moved or self.restated)

    @property
    def mean_seconds(self) -> float | None:
        """Seconds a server works on a picture, on average."""
        return self.timed_s / self.timed if self.timed else None

    def warnings(self) -> list[tuple[str, str]]:
        """What somebody should look into before the next run, in English and Chinese."""
        found = []
        if self.success_rate is not None and 1 - self.success_rate > MAX_FAILURES:
            share = f"{1 - self.success_rate:.0%}"
            found.append(
                (
                    f"{share} of the pictures failed; see the reasons above, then: catalog-imagegen doctor",
                    f"{share} 的图片失败；请查看上面的原因，并运行 catalog-imagegen doctor 检查",
                )
            )
        if self.mean_seconds is not None and self.mean_seconds > SLOW_S:
            seconds = f"{self.mean_seconds:.0f}"
            en = f"a picture takes {seconds} s; lower the sizes in config/roles.toml or add a server to config/app.toml"
            zh = f"每张图片平均耗时 {seconds} 秒；可在 config/roles.toml 减小尺寸，或在 config/app.toml 增加服务器"
            found.append((en, zh))
        return found


def carry_out(
    prepared: Prepared,
    services: Services,
    *,
    source: str,
    command: str,
    backends: Callable[[Sequence[Wanted]], Sequence[RenderBackend]],
    progress: Progress,
    stop: threading.Event,
    is_urgent: bool = False,
) -> Report:
    """Record a plan, render what it lacks and publish the listings.

    With *is_urgent* the pictures overtake those of other commands. *backends* is asked for servers only if something must be rendered. Servers that cannot be reached,
    at the start or on the way, are named in the report; what they should have rendered stays planned.
    """
    began = time.monotonic()
    ledger = services.ledger
    token = ledger.keep_products(source, prepared.rows)
    overtaken = ledger.keep_plan(prepared.plan, leaving=prepared.leaving, chosen=prepared.chosen)
    to_render = tuple(w for w in prepared.to_render() if w.key not in overtaken)
    to_make = tuple(w for w in prepared.to_make() if w.key not in overtaken)
    photos = keep_photos((*to_render, *to_make), services)
    to_render, to_make = with_photos(to_render, photos), with_photos(to_make, photos)
    unavailable: list[BackendUnavailable] = []
    servers: Sequence[RenderBackend] = ()
    try:
        servers = backends(to_render) if to_render else ()
    except BackendUnavailable as error:
        unavailable.append(error)
    bases = _bases(to_render, services)
    run = ledger.begin_run(command, _materials(bases, photos, services))
    progress.start(len(to_render) + len(to_make))
    publisher = open_publisher(services)
    with Publishing(publisher, prepared.platforms, prepared.products, (*to_render, *to_make)) as publishing:

        def on_made(made: Made) -> None:
            is_failed = made.outcome in ("failed", "blocked")
            progress.done(f"{made.wanted.sku} {made.wanted.key.role}", failed=is_failed)
            publishing.one_less(made.wanted)

        shop = Workshop(
            ledger=ledger,
            blobs=services.blobs,
            backends=servers,
            run=run,
            is_placeholder=services.is_placeholder,
            attempts=services.attempts,
            patience_s=services.patience_s,
            group_wait_s=services.group_wait_s,
            is_urgent=is_urgent,
            speeds=ledger.speeds() if to_render else {},
            bases=bases,
            has_room=publishing.has_room,
            studio=services.studio,
            inspect=_inspecting(services) if to_render or to_make else passing,
            next_take=retaking(prepared.platforms, services),
            on_made=on_made,
            on_step=lambda wanted, step: progress.step(f"{wanted.sku} {wanted.key.role}", step),
            on_alert=progress.alert,
        )
        with making(to_make, shop, stop) as here:
            production = produce(to_render, shop, stop)
        production.made.extend(here)
    times = _times(ledger.attempts(run))
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
        incidents=production.incidents,
        timed=len(times),
        timed_s=round(sum(times), 3),
    )
    settled = _settled(prepared, production.made, overtaken, services)
    ledger.settle(token, settled, setup_name(services.setup, services.enabled))
    outcome = {"pictures": dict(report.pictures), "jobs_submitted": report.jobs_submitted}
    ledger.end_run(run, outcome | {"seconds": report.seconds, "renditions": report.renditions})
    return report


def _settled(
    prepared: Prepared, made: Sequence[Made], overtaken: Collection[ImageKey], services: Services
) -> set[str]:
    """The SKUs about which nothing is left to do: every picture of their families is there, and listed everywhere."""
    is_everywhere = {platform.name for platform in prepared.platforms}.issuperset(services.enabled)
    if not is_everywhere or not services.is_usual_output:
        return set()
    done = {m.wanted.key for m in made if m.outcome in ("rendered", "reused")}
    done |= {p.wanted.key for p in prepared.plan.pictures if p.action == "reuse"}
    left = {p.wanted.key.subject for p in prepared.plan.pictures if p.wanted.key not in done}
    near = photographed(services.setup.roles.values(), prepared.products, services.photos)
    left |= {f"sku:{sku}" for sku in near}  # a photo in a file may be another, or go
    left |= {blocked.key.subject for blocked in prepared.plan.blocked} | {key.subject for key in overtaken}
    return {
        product.sku
        for product in prepared.products
        if f"sku:{product.sku}" not in left and spu_subject(product) not in left
    }


def _bases(pictures: Sequence[Wanted], services: Services) -> Mapping[str, Base]:
    """The graphs that the recipes of these pictures refer to, all of them in the blob store."""
    graphs = {name: services.setup.workflows[name].graph for name in {p.workflow for p in pictures}}
    return {name: Base(services.blobs.put(_as_bytes(graph)), graph) for name, graph in graphs.items()}


def _as_bytes(graph: Mapping[str, Any]) -> bytes:
    """In the order of the file: a server writes the graph into the picture as it was sent."""
    return json.dumps(graph, ensure_ascii=False, separators=(",", ":")).encode()


def _materials(
    bases: Mapping[str, Base], photos: Mapping[str, Digest], services: Services
) -> Mapping[str, Digest]:
    """What the pictures are made of, all of it in the blob store; nothing where nothing is to be made."""
    if not bases and not photos:
        return {}
    texts = {name: services.blobs.put(text.encode()) for name, text in services.setup.sources.items()}
    graphs = {f"graphs/{name}": base.digest for name, base in bases.items()}
    return texts | graphs | {f"photos/{name}": digest for name, digest in photos.items()}


def _count(prepared: Prepared, made: Sequence[Made]) -> Mapping[str, int]:
    outcomes = Counter(m.outcome for m in made)
    actions = Counter(p.action for p in prepared.plan.pictures if p.wanted.key in prepared.chosen)
    return {
        "planned": len(prepared.chosen),
        "rendered": outcomes["rendered"],
        "reused": outcomes["reused"] + actions["reuse"],
        "failed": outcomes["failed"] + actions["failed"],
        "blocked": outcomes["blocked"]
        + actions["blocked"]
        + sum(b.key in prepared.chosen for b in prepared.plan.blocked),
        "pending": actions["render"] + actions["make"] - len(made),
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
            problem = _problem(planned.wanted, "failed", failure.reason_en, failure.reason_zh)
            en, zh = failure.remedy_en, failure.remedy_zh
            problem = replace(problem, code=failure.code, remedy_en=en, remedy_zh=zh)
            found.append((planned.wanted.order, problem))
    found.extend(_blocked(prepared))
    found.extend(_held_back(made))
    return tuple(problem for _, problem in sorted(found, key=lambda pair: pair[0]))


def blocked_in(prepared: Prepared) -> list[Problem]:
    """The chosen pictures that a person must unblock, in catalog order."""
    return [problem for _, problem in sorted(_blocked(prepared), key=lambda pair: pair[0])]


def _blocked(prepared: Prepared) -> Iterator[tuple[int, Problem]]:
    """Position in the catalog and problem of each: no prompt could be written, or it was rejected too often."""
    for picture in prepared.plan.pictures:
        if picture.action == "blocked" and picture.wanted.key in prepared.chosen:
            problem = _problem(picture.wanted, "blocked", picture.reason, picture.reason_zh)
            code = picture.stopped.gate if picture.stopped else ""
            yield picture.wanted.order, replace(problem, code=code)
    for blocked in prepared.plan.blocked:
        if blocked.key in prepared.chosen:
            yield blocked.order, _problem(blocked, "blocked", blocked.reason_en, blocked.reason_zh)


def _held_back(made: Sequence[Made]) -> Iterator[tuple[int, Problem]]:
    """The same of each picture none of whose takes passed the gates."""
    for each in made:
        if each.stopped is not None:
            picture = each.wanted
            said = held_back(each.stopped, sku=picture.sku, role=picture.key.role, slot=picture.slot)
            problem = _problem(picture, "blocked", *said)
            yield picture.order, replace(problem, code=each.stopped.gate)


def _inspecting(services: Services) -> Callable[[Wanted, Image.Image], Inspection]:
    """The gates of a run."""
    from catalog_imagegen.pipeline.inspection import Inspector  # noqa: PLC0415 - numpy is slow to import

    inspector = Inspector(
        services.gates,
        services.ledger,
        rerolls=services.rerolls,
        reader=services.reader,
        studio=services.studio,
        is_placeholder=services.is_placeholder,
    )
    return inspector.inspect


def _times(attempts: Iterable[AttemptRecord]) -> list[float]:
    """How long servers worked on the pictures they made, in seconds."""
    return [attempt.seconds for attempt in attempts if attempt.seconds is not None]


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


NOTHING = dict.fromkeys(("planned", "rendered", "reused", "failed", "blocked", "pending"), 0)


def merged(reports: Sequence[Report]) -> Report:
    """Several runs as one."""
    return Report(
        run=next((r.run for r in reversed(reports) if r.run), ""),
        skus=sum(r.skus for r in reports),
        pictures={name: sum(r.pictures[name] for r in reports) for name in reports[0].pictures},
        renditions=sum(r.renditions for r in reports),
        jobs_submitted=sum(r.jobs_submitted for r in reports),
        seconds=round(sum(r.seconds for r in reports), 3),
        issues=tuple(issue for r in reports for issue in r.issues),
        problems=tuple(problem for r in reports for problem in r.problems),
        unavailable=tuple(error for r in reports for error in r.unavailable),
        incidents=tuple(dict.fromkeys(incident for r in reports for incident in r.incidents)),
        timed=sum(r.timed for r in reports),
        timed_s=round(sum(r.timed_s for r in reports), 3),
        unchanged=sum(r.unchanged for r in reports),
        retired=sum(r.retired for r in reports),
        held=sum(r.held for r in reports),
        moved=sum(r.moved for r in reports),
        restated=sum(r.restated for r in reports),
        forecasts=tuple(told for r in reports for told in r.forecasts),
        brakes=tuple(brake for r in reports for brake in r.brakes),
    )
