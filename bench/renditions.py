"""Cases about making files: ours beside what others do, at the same quality."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PIL import Image

from bench.clients import Timing
from bench.makers import MARKS, RAWS, Mix, places, raw
from bench.report import Figure, Report, Tell, seconds
from catalog_imagegen.adapters.files import place, stage
from catalog_imagegen.stages.rendition import Negative, adapt, encoding, open_render

COUNT = 24
"""Renders a run; times of more or fewer are brought to as many."""
_COUNTS: Mapping[str, int] = {"mogrify": 4, "ours": 3 * COUNT, "ours, Pillow decodes": 3 * COUNT}
"""Renders of makers that are quick or slow: in a run of two seconds a moment in which the machine is busy would decide."""
_TEN: Mapping[Mix, str] = {"jpeg": "10 JPEGs", "mixed": "8 JPEGs, a WebP and an AVIF"}
SIMILAR = 0.998
"""SSIM of our sizes with those of a reference in floating point, at least."""


def in_process(maker: str, side: int, count: int, mix: Mix) -> Mapping[str, Any]:
    """What one maker needs, in processes of its own."""
    line = [sys.executable, "-m", "bench.makers", maker, str(side), str(count), mix]
    told: Mapping[str, Any] = json.loads(
        subprocess.run(line, check=True, capture_output=True, text=True).stdout
    )
    return told


def ten_files(
    about: str,
    repeats: int,
    tell: Tell,
    *,
    side: int,
    ratios: Mapping[tuple[str, str], float],
    mix: Mix = "jpeg",
) -> Report:
    """Ten files of each render, in turns with the peers; *ratios*: (peer, ours) → how many times faster at least."""
    if not shutil.which("mogrify"):
        if any("mogrify" in pair for pair in ratios):
            tell("  mogrify is not installed and is left out (Debian: apt-get install imagemagick)")
        ratios = {pair: least for pair, least in ratios.items() if "mogrify" not in pair}
    makers = list(dict.fromkeys(name for pair in ratios for name in pair))
    runs: dict[str, list[Timing]] = {maker: [] for maker in makers}
    cpu: dict[str, list[float]] = {maker: [] for maker in makers}
    for repeat in range(repeats):
        for maker in makers:
            count = _COUNTS.get(maker, COUNT)
            told = in_process(maker, side, count, mix)
            runs[maker].append(Timing(told["seconds"] * COUNT / count, ""))
            cpu[maker].append(told["cpu_s"] / count)
            tell(
                f"  {repeat + 1}/{repeats} {maker:<20} {count / told['seconds']:5.1f} a second  {told['peak_mb']:.0f} MB"
            )
    figures = []
    for (peer, mine), least in ratios.items():
        if peer == "mogrify":
            ratio = statistics.median(cpu[peer]) / statistics.median(cpu[mine])
            figures.append(Figure("processor time, mogrify / ours", ratio, least, is_floor=True))
        else:
            ratio = seconds(runs[peer]) / seconds(runs[mine])
            figures.append(Figure(f"seconds, {peer} / {mine}", ratio, least, is_floor=True))
    figures.append(
        Figure("least SSIM with Lanczos in floating point", least_similar(side), SIMILAR, is_floor=True)
    )
    where = f"{COUNT} renders of {side} × {side}, 2 processes, {_TEN[mix]} each"
    return Report(about, where, is_simulated=False, pictures=COUNT, runs=runs, figures=figures)


def least_similar(side: int) -> float:
    """The least SSIM of our ten sizes with the same by Lanczos in floating point."""
    image = open_render(raw(side, 0).read_bytes())
    negative = Negative(image)
    found = []
    for where in places():
        frame = negative.frame(where)
        made = np.asarray(negative.levels.resized(frame).convert("L"), np.float64)
        wide = [
            np.asarray(
                channel.convert("F").resize(frame.size, Image.Resampling.LANCZOS, box=frame.box), np.float64
            )
            for channel in image.split()
        ]
        reference = np.dot(np.stack(wide, axis=-1), (0.299, 0.587, 0.114))
        found.append(ssim(made, reference))
    return min(found)


def ssim(one: np.ndarray, other: np.ndarray, window: int = 8) -> float:
    """The mean structural similarity of two pictures of luma, 0 to 255, in windows of 8 × 8 (Wang et al. 2004)."""

    def means(values: np.ndarray) -> np.ndarray:
        total = np.cumsum(np.cumsum(np.pad(values, ((1, 0), (1, 0))), axis=0), axis=1)
        inside = (
            total[window:, window:]
            - total[:-window, window:]
            - total[window:, :-window]
            + total[:-window, :-window]
        )
        return np.asarray(inside / window**2)

    a, b = means(one), means(other)
    spread = means(one**2) - a**2, means(other**2) - b**2
    shared = means(one * other) - a * b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    found = (2 * a * b + c1) * (2 * shared + c2) / ((a**2 + b**2 + c1) * (spread[0] + spread[1] + c2))
    return float(found.mean())


def small_costs(about: str, repeats: int, tell: Tell) -> Report:
    """What else is done for a file: fitting it under a cap, bringing it to the disk."""
    negatives = [Negative(open_render(raw(1024, number).read_bytes())) for number in range(RAWS)]
    encodings = [_encodings(negative, share) for negative in negatives for share in (0.9, 0.75, 0.6, 0.45)]
    tell(f"  encodings: {encodings}")
    files = [adapt(negatives[0], where, marks=MARKS).content for where in places()]
    writes = [_write_s(files) for _ in range(max(9, repeats))]
    tell(f"  ten files on disk: {[round(1000 * each, 1) for each in writes]} ms")
    figures = [
        Figure("encodings of a file over its cap, on average", statistics.mean(encodings), 3.0),
        Figure("ten files, atomically on disk", 1000 * statistics.median(writes), 8.0, unit="ms"),
    ]
    runs = {"ours": [Timing(statistics.median(writes), "")]}
    return Report(about, "in this process", is_simulated=False, pictures=1, runs=runs, figures=figures)


def _encodings(negative: Negative, share: float) -> int:
    """How often a file is encoded whose cap is this share of what it would take."""
    where = places()[0]
    size = len(adapt(negative, where, marks=MARKS).content)
    capped = replace(where, max_bytes=int(size * share))
    with mock.patch.object(encoding, "_save", wraps=encoding._save) as save:  # noqa: SLF001
        made = adapt(negative, capped, marks=MARKS)
    if len(made.content) > capped.max_bytes:
        raise AssertionError(len(made.content))
    return save.call_count


def _write_s(files: Sequence[bytes]) -> float:
    with tempfile.TemporaryDirectory(dir="build") as folder:
        began = time.perf_counter()
        place(stage([(Path(folder) / f"{number}.jpg", content) for number, content in enumerate(files)]))
        return time.perf_counter() - began
