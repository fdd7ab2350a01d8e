"""What is measured, and what each figure is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.catalogs import text_tables, workbooks
from bench.clients import Client, OurClient, PlainClient, Timing
from bench.gates import gates
from bench.nights import first_plan, nothing_new
from bench.pictures import BASE, TURBO
from bench.products import photos
from bench.publishing import a_thousand
from bench.renditions import small_costs, ten_files
from bench.report import Figure, Report, Tell, seconds
from bench.servers import Site, comfyui, simulators, with_idle

OURS = OurClient()
TWO, THREE = PlainClient(2), PlainClient(3)
IN_ORDER = PlainClient(2, poll_s=0.1)
"""As many in flight as ours. It looks ten times a second, so that nothing but the order tells it from ours."""


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: ``run(repeats, tell)``."""

    about: str
    run: Callable[[str, int, Tell], Report]

    def __call__(self, repeats: int, tell: Tell) -> Report:
        """Measure; *tell* hears of each run."""
        return self.run(self.about, repeats, tell)


def _feeding(
    about: str,
    repeats: int,
    tell: Tell,
    *,
    pictures: int,
    seconds_each: float,
    idle: float,
    against: Mapping[Client, float],
) -> Report:
    """One server, always with the same models."""
    with comfyui(seconds=seconds_each) as site:
        runs = _turns(
            site, [*against, OURS], pictures=pictures, repeats=repeats, tell=tell, is_idle_measured=True
        )
    ours = runs[OURS.name]
    figures = [
        Figure(f"seconds, ours / {client.name}", seconds(ours) / seconds(runs[client.name]), most)
        for client, most in against.items()
    ]
    for claim, shares in (
        ("nothing executing", [timing.idle for timing in ours]),
        ("nothing to execute either", [timing.unfed for timing in ours]),
    ):
        figures.append(Figure(f"ours: {claim}", median(filter(None, shares)), idle, unit="%"))
    return Report(about, site.label, site.is_simulated, pictures, runs, figures)


def _grouping(about: str, repeats: int, tell: Tell, *, pictures: int, most: float) -> Report:
    """One server, two models: the catalog changes between them with every picture."""
    with comfyui(seconds=0.05, load_seconds=1.0) as site:
        runs = _turns(
            site, [IN_ORDER, OURS], pictures=pictures, repeats=repeats, tell=tell, workflows=(TURBO, BASE)
        )
    ratio = seconds(runs[OURS.name]) / seconds(runs[IN_ORDER.name])
    figures = [Figure("seconds, ours / in catalog order", ratio, most)]
    return Report(about, site.label, site.is_simulated, pictures, runs, figures)


@dataclass(frozen=True, slots=True)
class Farm:
    """Simulated servers that share the work."""

    servers: int
    seconds_each: float
    pictures: int
    speeds: tuple[float, ...] = (1.0,)
    of_ideal: float | None = 0.95
    """At least; the other limits are at most. None: not held to anything."""
    peak_mb: float | None = None
    cpu_ms: float | None = None

    @property
    def ideal_s(self) -> float:
        """If no server ever waited."""
        speed = sum(self.speeds[number % len(self.speeds)] for number in range(self.servers))
        return self.pictures * self.seconds_each / speed

    def __call__(self, about: str, repeats: int, tell: Tell) -> Report:
        """Measure what came of the servers' time, and what it cost us."""
        with simulators(self.servers, seconds=self.seconds_each, speeds=self.speeds) as site:
            runs = _turns(site, [OURS], pictures=self.pictures, repeats=repeats, tell=tell)
        ours = runs[OURS.name]
        figures: list[Figure] = []
        if self.of_ideal is not None:
            share = self.ideal_s / seconds(ours)
            figures.append(Figure("ideal seconds / seconds", share, self.of_ideal, is_floor=True))
        spent = [timing.spent for timing in ours if timing.spent]
        if self.peak_mb is not None:
            peak = median(each.peak_mb for each in spent)
            figures.append(Figure("peak memory of our process", peak, self.peak_mb, unit="MB"))
        if self.cpu_ms is not None:
            ms = [1000 * (each.cpu_s - each.decoding_s) / self.pictures for each in spent]
            figures.append(
                Figure("processor time a picture, not decoding", median(ms), self.cpu_ms, unit="ms")
            )
        return Report(about, site.label, site.is_simulated, self.pictures, runs, figures)


def _turns(
    site: Site,
    clients: Sequence[Client],
    *,
    pictures: int,
    repeats: int,
    tell: Tell,
    workflows: Sequence[str] = (TURBO,),
    is_idle_measured: bool = False,
) -> dict[str, list[Timing]]:
    """Let the clients take turns, so that whatever else the machine does hits all of them."""
    runs: dict[str, list[Timing]] = {client.name: [] for client in clients}
    TWO.run(site.urls[:1], pictures=2)  # the first pictures load and paint what the others find done
    for repeat in range(repeats):
        for client in clients:
            timing = client.run(site.urls, pictures=pictures, workflows=workflows)
            if is_idle_measured:
                timing = with_idle(timing, site, pictures)
            runs[client.name].append(timing)
            idle = "" if timing.idle is None else f", idle {timing.idle:.1%}"
            tell(f"  {repeat + 1}/{repeats} {client.name:<18} {timing.wall_s:6.2f} s{idle}")
    return runs


CASES: Mapping[str, Case] = {
    "short": Case(
        "30 pictures of 0.5 s on one server",
        partial(_feeding, pictures=30, seconds_each=0.5, idle=0.03, against={TWO: 0.82, THREE: 1.0}),
    ),
    "long": Case(
        "12 pictures of 2 s on one server",
        partial(_feeding, pictures=12, seconds_each=2.0, idle=0.015, against={}),
    ),
    "models": Case(
        "40 pictures on one server, the catalog alternates between two models",
        partial(_grouping, pictures=40, most=0.40),
    ),
    "equal": Case("8 servers of 1 s", Farm(8, 1.0, 120)),
    "unequal": Case("2 servers, one three times as fast", Farm(2, 1.0, 60, speeds=(3.0, 1.0))),
    "many": Case("32 servers of 2.5 s", Farm(32, 2.5, 384, peak_mb=400)),
    "workbook": Case("a workbook of 100,000 rows, to products", workbooks),
    "csv": Case("a CSV file of 100,000 rows, to products", text_tables),
    "night": Case("a sync of 100,000 SKUs of which nothing is new", nothing_new),
    "plan": Case("the first plan of 100,000 SKUs", first_plan),
    "white": Case("photos on pure white, centred at 800 × 800, and cut out", photos),
    "files": Case(
        "ten files of each render, 1024 × 1024",
        partial(
            ten_files,
            side=1024,
            ratios={("naive", "ours"): 5.0, ("pyvips", "ours"): 3.0, ("mogrify", "ours"): 10.0},
        ),
    ),
    "files2048": Case(
        "ten files of each render, 2048 × 2048",
        partial(
            ten_files, side=2048, ratios={("naive", "ours"): 9.0, ("naive", "ours, Pillow decodes"): 6.5}
        ),
    ),
    "mixed": Case(
        "eight JPEGs, a WebP and an AVIF of each render, 1024 × 1024",
        partial(ten_files, side=1024, mix="mixed", ratios={("naive", "ours"): 2.0, ("pyvips", "ours"): 1.5}),
    ),
    "small": Case("what else is done for a file", small_costs),
    "thousand": Case("1,000 renders with ten files each", a_thousand),
    "gates": Case("the gates of a picture of 1024²", gates),
    "cost": Case("what a picture costs us, at 16 a second", Farm(8, 0.5, 200, of_ideal=None, cpu_ms=12)),
}
