"""Cases about reading catalogs: ours beside what does less."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.clients import Timing
from bench.report import Figure, Report, Tell, seconds
from bench.tables import text_table, workbook

ROWS = 100_000
_SLOW = "pandas + openpyxl"
"""Half a minute; once is enough for a claim of four times."""


def read_in_process(reader: str, path: Path) -> Mapping[str, Any]:
    """What one reader needs, in a process of its own."""
    line = [sys.executable, "-m", "bench.reading", reader, str(path)]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    told: Mapping[str, Any] = json.loads(done.stdout)
    if told["rows"] != ROWS:
        raise AssertionError(told)
    return told


def _turns(
    readers: Sequence[str], path: Path, repeats: int, tell: Tell
) -> tuple[dict[str, list[Timing]], list[float]]:
    """Runs of the readers in turns, and the memory of ours."""
    runs: dict[str, list[Timing]] = {reader: [] for reader in readers}
    extra: list[float] = []
    for repeat in range(repeats):
        for reader in readers:
            if reader == _SLOW and repeat:
                continue
            told = read_in_process(reader, path)
            runs[reader].append(Timing(told["seconds"], ""))
            extra += [told["extra_mb"]] if reader == "ours" else []
            tell(f"  {repeat + 1}/{repeats} {reader:<18} {told['seconds']:6.2f} s  {told['extra_mb']:.0f} MB")
    return runs, extra


def workbooks(about: str, repeats: int, tell: Tell) -> Report:
    """100,000 × 20 as .xlsx."""
    runs, extra = _turns(["calamine", "ours", _SLOW], workbook(ROWS), repeats, tell)
    figures = [
        Figure(
            "seconds, ours / bare values by calamine", seconds(runs["ours"]) / seconds(runs["calamine"]), 2.5
        ),
        Figure(
            "seconds, pandas + openpyxl / ours",
            seconds(runs[_SLOW]) / seconds(runs["ours"]),
            4.0,
            is_floor=True,
        ),
        Figure("extra memory, child process included", median(extra), 500, unit="MB"),
    ]
    return Report(
        about,
        "a workbook of 100,000 rows and 20 columns, to validated products",
        is_simulated=False,
        pictures=ROWS,
        runs=runs,
        figures=figures,
    )


def text_tables(about: str, repeats: int, tell: Tell) -> Report:
    """100,000 × 20 as CSV."""
    runs, _ = _turns(["pandas csv", "ours"], text_table(ROWS), repeats, tell)
    ratio = seconds(runs["ours"]) / seconds(runs["pandas csv"])
    figures = [Figure("seconds, ours / pandas.read_csv (C, all texts)", ratio, 4.0)]
    return Report(
        about,
        "a CSV file of 100,000 rows and 20 columns, to validated products",
        is_simulated=False,
        pictures=ROWS,
        runs=runs,
        figures=figures,
    )
