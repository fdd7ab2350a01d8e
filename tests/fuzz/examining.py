"""Runs cases by number and says which of them end as nothing may end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from catalog_imagegen.adapters.catalogs import apart
from tests.fuzz.cases import Case, case
from tests.fuzz.outcomes import Outcome, outcome
from tests.fuzz.watched import DIED, HUNG, MOST_S, Watched, WatchedReader


@dataclass(frozen=True, slots=True)
class Finding:
    """A file that ended as none may."""

    path: Path
    number: int
    outcome: Outcome

    def __str__(self) -> str:
        told = f"{self.outcome.code}\n{self.outcome.finding}"
        return f"{self.path} (python -m tests.fuzz {self.number}): {told}"

    @property
    def kind(self) -> str:
        """What it has in common with others: the last line of a traceback, or what was going on all the time."""
        lines = self.outcome.finding.strip().splitlines()
        if self.outcome.code == HUNG:
            return next((line for line in lines if line.startswith("  File")), "")
        return lines[-1][:160]


@dataclass
class Examined:
    """What came of many cases."""

    codes: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    """Seconds, and the file; the slowest first."""
    bytes_most: int = 0

    def __str__(self) -> str:
        """Of findings of one kind, only the first is told whole."""
        kinds: dict[str, list[Finding]] = {}
        for finding in self.findings:
            kinds.setdefault(finding.kind, []).append(finding)
        told = [f"{len(alike)} times: {alike[0]}" for alike in kinds.values()]
        took = f"slowest: {self.slowest}\n{self.bytes_most >> 20} MB at most"
        return "\n\n".join([f"{dict(self.codes.most_common())}\n{took}", *told])


def examined(numbers: Iterable[int], folder: Path) -> Examined:
    """Read these cases; files that end as they must not are left in *folder*."""
    told = Examined()
    with WatchedReader(folder) as reader:
        for number in numbers:
            made = case(number)
            path = written(made, folder)
            watched = reader.read(path)
            found = died(path) if watched.outcome.code == DIED else watched.outcome
            _note(told, made, watched, found)
            if found.finding:
                told.findings.append(Finding(path, number, found))
            else:
                path.unlink()
    return told


def _note(told: Examined, made: Case, watched: Watched, found: Outcome) -> None:
    told.codes[found.code] += 1
    told.slowest = sorted([*told.slowest, (round(watched.seconds, 2), made.name)], reverse=True)[:5]
    told.bytes_most = max(told.bytes_most, watched.bytes_most)


def died(path: Path) -> Outcome:
    """What the reading of such a file ends with where it has a process of its own, which may die."""
    began = time.monotonic()
    found = outcome(path)
    seconds = time.monotonic() - began
    if seconds > apart.TIMEOUT_S + MOST_S:
        return Outcome(found.code, f"it took {seconds:.0f} s")
    return found


def written(made: Case, folder: Path) -> Path:
    """The case as a file."""
    path = folder / made.name
    path.write_bytes(made.data)
    return path
