"""What came out: figures beside their targets, as a table and as JSON."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.clients import Timing
from bench.producing import Spent

console = Console(highlight=False, soft_wrap=True)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and what it is held to."""

    claim: str
    value: float
    limit: float
    is_floor: bool = False
    """At least the limit, instead of at most."""
    unit: str = ""
    """Empty for a ratio; ``%`` for a share, which is kept as a fraction."""

    @property
    def is_met(self) -> bool:
        """Whether the target is reached."""
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def shown(self, value: float) -> str:
        """As people read it."""
        if self.unit == "%":
            return f"{value:.1%}"
        return f"{value:.3f}" if not self.unit else f"{value:.1f} {self.unit}"

    @property
    def target(self) -> str:
        """The limit, as people read it."""
        return f"{'≥' if self.is_floor else '≤'} {self.shown(self.limit)}"


@dataclass(frozen=True, slots=True)
class Report:
    """One case."""

    about: str
    server: str
    is_simulated: bool
    pictures: int
    runs: Mapping[str, Sequence[Timing]]
    """Client → its runs."""
    figures: Sequence[Figure]


def seconds(timings: Sequence[Timing]) -> float:
    """The median of what runs took."""
    return median(timing.wall_s for timing in timings)


def _cpu(spent: Sequence[Spent]) -> tuple[list[float], list[float]]:
    """Processor seconds of runs: what is not decoding, and decoding."""
    return [each.cpu_s - each.decoding_s for each in spent], [each.decoding_s for each in spent]


def show(report: Report) -> None:
    """What was measured, and what that means."""
    style = "bold yellow" if report.is_simulated else "bold"
    console.print(f"\n{report.about}\n{report.server}", style=style, markup=False)
    for client, timings in report.runs.items():
        took = " ".join(f"{timing.wall_s:.2f}" for timing in timings)
        rate = report.pictures / seconds(timings)
        console.print(f"  {client:<18} {seconds(timings):6.2f} s   {rate:5.2f} a second   (runs: {took})")
        if spent := [timing.spent for timing in timings if timing.spent]:
            rest, decoding = (1000 * median(each) / report.pictures for each in _cpu(spent))
            peak = median(each.peak_mb for each in spent)
            told = f"{decoding:.1f} ms of processor time decoding and {rest:.1f} ms else, peak {peak:.0f} MB"
            console.print(f"  {'':<18} a picture: {told}")
    table = Table(box=None)
    for name in ("", "figure", "target", "met"):
        table.add_column(name, justify="right" if name else "left")
    for figure in report.figures:
        met = "[green]yes[/]" if figure.is_met else "[red]no[/]"
        table.add_row(figure.claim, figure.shown(figure.value), figure.target, met)
    console.print(table)


def document(reports: Mapping[str, Report], *, repeats: int) -> dict[str, Any]:
    """Everything as JSON."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "load_average": [round(load, 2) for load in os.getloadavg()]},
        "repeats": repeats,
        "cases": {name: _case(report) for name, report in reports.items()},
        "targets": [
            {
                "case": name,
                "claim": figure.claim,
                "figure": round(figure.value, 4),
                "at_least" if figure.is_floor else "at_most": figure.limit,
                "unit": figure.unit,
                "met": figure.is_met,
            }
            for name, report in reports.items()
            for figure in report.figures
        ],
    }


def _case(report: Report) -> dict[str, Any]:
    return {
        "about": report.about,
        "server": report.server,
        "is_simulated": report.is_simulated,
        "pictures": report.pictures,
        "runs": {client: [asdict(timing) for timing in timings] for client, timings in report.runs.items()},
    }
