"""The case about a thousand renders: what ledger and disk take from the making of their files."""

from __future__ import annotations

import csv
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import psutil

from bench.clients import Timing
from bench.makers import RAWS, places, raw
from bench.nights import a_house, plan_all, take_for_made
from bench.report import Figure, Report, Tell
from catalog_imagegen.adapters.darkroom import SOON, ProcessDarkroom
from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.bootstrap import init_workspace
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import Platform, Render
from catalog_imagegen.pipeline.develop import DarkroomHere, Order
from catalog_imagegen.pipeline.publish import open_publisher

COUNT, TURN = 1000, 25
"""Renders that are published, and how many of them before as many are only made."""
PLATFORM = Platform("bench", "Bench", "sku", tuple(places()))


def a_thousand(about: str, repeats: int, tell: Tell) -> Report:
    """1,000 renders of ten files each, published as in a run, and in turns with that made and thrown away.

    What publishing takes beyond making is what ledger, composing and disk take from it: what is done while the processes
    that make files have enough to do takes nothing but its share of the processors. So both are compared, seconds and
    processor time (medians of all pairs): where others share the machine, the processor is taken from them.
    """
    del repeats
    runs: dict[str, list[Timing]] = {"made and published": [], "only made": []}
    cpu_s: dict[str, list[float]] = {way: [] for way in runs}
    peaks: dict[int, list[float]] = {}
    with tempfile.TemporaryDirectory(dir="build") as folder:
        root = Path(folder) / "shop"
        skus = _new_shop(root)
        with a_house(root) as house:
            plan_all(house)
            names = [house.services.blobs.put(raw(1024, number).read_bytes()) for number in range(RAWS)]
            take_for_made(house, names, side=1024, is_placeholder=False)
            room = ProcessDarkroom(DarkroomHere(house.services.blobs))
            services = replace(house.services, darkroom=room)
            publisher = open_publisher(services, FolderListings(root / "listings"))
            _only_make(room, names, SOON + 2 * room.ahead)  # so that its processes are there
            ways: dict[str, Callable[[Sequence[str]], int]] = {
                "made and published": lambda some: publisher.publish([PLATFORM], some, siblings=False),
                "only made": lambda some: _only_make(room, names, len(some)),
            }
            for start in range(0, COUNT, TURN):
                for way in list(ways)[:: -1 if start % (2 * TURN) else 1]:
                    began, cpu_began = time.perf_counter(), _cpu_s(room)
                    count = ways[way](skus[start : start + TURN])
                    runs[way].append(Timing(time.perf_counter() - began, ""))
                    cpu_s[way].append(_cpu_s(room) - cpu_began)
                    if count != TURN * len(PLATFORM.placements):
                        raise AssertionError(count)
                if start % 100 == 0:
                    _look(room, peaks)
                    tell(f"  {start}: " + ", ".join(f"{way} {runs[way][-1].wall_s:.2f} s" for way in ways))
            room.close()
    for pid, seen in peaks.items():
        tell(f"  worker {pid}: {[round(mb) for mb in seen]} MB")
    for way, spent in cpu_s.items():
        tell(f"  {way}: {1000 * sum(spent) / COUNT:.1f} ms of processor time a render")
    walls = {way: [timing.wall_s for timing in timings] for way, timings in runs.items()}
    grown = max(seen[-1] - seen[len(seen) // 3] for seen in peaks.values())
    figures = [
        Figure("most memory of a worker", max(max(seen) for seen in peaks.values()), 250, unit="MB"),
        Figure("what a worker grew by in the last two thirds", grown, 10, unit="MB"),
        Figure("seconds that ledger and disk take", _taken(walls), 0.10, unit="%"),
        Figure("processor time that ledger and disk take", _taken(cpu_s), 0.10, unit="%"),
    ]
    where = f"1,000 renders of 1024 × 1024, 10 JPEGs each, judged and written as listings; runs of {TURN}"
    return Report(about, where, is_simulated=False, pictures=TURN, runs=runs, figures=figures)


def _taken(spent: Mapping[str, Sequence[float]]) -> float:
    """The share of publishing that making does not explain; of neighbouring turns, as the machine's speed changes."""
    pairs = zip(spent["made and published"], spent["only made"], strict=True)
    return median(1 - only / both for both, only in pairs)


def _new_shop(root: Path) -> list[str]:
    """A workspace with a catalog of so many SKUs that are no variants; gives their names."""
    init_workspace(root)
    skus = [f"SK{number:04}" for number in range(COUNT)]
    catalog = root / "catalog.csv"
    with catalog.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("货号", "商品名称", "颜色"), *((sku, f"杯子{sku}", "白色") for sku in skus)]
        )
    settings = root / "config" / "app.toml"
    source = f'\n[[source]]\nname = "shop"\npath = "{catalog.resolve()}"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + source, encoding="utf-8")
    return skus


def _only_make(room: ProcessDarkroom, names: Sequence[Digest], count: int) -> int:
    """Make the files of so many renders, as a publisher orders them, and keep none; says how many files."""
    waiting: deque[Callable[[], Sequence[object] | None]] = deque()
    made = 0
    for number in range(count):
        name = names[number % len(names)]
        waiting.append(
            room.begin(Order(Render(Fingerprint(name), name, 1024, 1024), PLATFORM.placements, "0011"))
        )
        if len(waiting) > room.ahead:
            made += len(waiting.popleft()() or ())
    return made + sum(len(begun() or ()) for begun in waiting)


def _cpu_s(room: ProcessDarkroom) -> float:
    """What this process and those that make files have taken of the processors."""
    spent = [psutil.Process(pid).cpu_times() for pid in room._pool._processes or {}]  # noqa: SLF001
    return time.process_time() + float(sum(each.user + each.system for each in spent))


def _look(room: ProcessDarkroom, peaks: dict[int, list[float]]) -> None:
    for pid in room._pool._processes or {}:  # noqa: SLF001
        peaks.setdefault(pid, []).append(psutil.Process(pid).memory_info().rss / 2**20)
