"""``python -m bench.makers MAKER SIDE COUNT MIX``: ten files of each of COUNT renders by two processes; writes what it took."""

from __future__ import annotations

import io
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyvips
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from catalog_imagegen.adapters.darkroom import keep_freed_memory
from catalog_imagegen.domain.imaging import FileFormat, Placement
from catalog_imagegen.stages.label import TRAINED, aigc_text, packet
from catalog_imagegen.stages.rendition import Marks, Negative, adapt, open_render, plain_png
from catalog_imagegen.stages.rendition.encoding import AVIF_SPEED, WEBP_METHOD

FOLDER = Path("build/bench")
PROCESSES = 2
QUALITY = 88
SIZES = (
    (800, 800),
    (750, 1000),
    (1242, 1660),
    (2000, 2000),
    (480, 480),
    (1080, 1080),
    (1200, 1200),
    (640, 640),
    (600, 800),
    (1500, 1500),
)
"""Pixels of the ten files: what marketplaces take."""
Mix = Literal["jpeg", "mixed"]
"""Ten JPEGs; or eight, a WebP and an AVIF, for which all use the same effort."""
_MIXED: Mapping[int, FileFormat] = {8: "WEBP", 9: "AVIF"}
RAWS = 4
"""Different renders; more are the same again."""
MARKS = Marks(packet(aigc_text(producer="0011", produce_id="00"), TRAINED))


def raw(side: int, number: int) -> Path:
    """A render of so many pixels across and down, as a server saves it: soft shapes with grain, like a photograph."""
    path = FOLDER / f"render-{side}-{number}.png"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        chance = np.random.default_rng(number)
        coarse = chance.normal(128, 60, (side // 8, side // 8, 3)).clip(0, 255).astype(np.uint8)
        soft = np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC), np.float32)
        grain = chance.normal(0, 2.5, (side, side, 1))
        texts = PngInfo()
        texts.add_text("prompt", json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": number}}}))
        texts.add_text("job", json.dumps({"sku": f"SKU{number}"}))
        Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).save(path, "PNG", pnginfo=texts)
    return path


def formats(mix: Mix) -> list[FileFormat]:
    """Of the ten files."""
    return [_MIXED.get(number, "JPEG") if mix == "mixed" else "JPEG" for number in range(len(SIZES))]


def places(mix: Mix = "jpeg") -> list[Placement]:
    """The same ten files as placements; enlarged as far as ours goes."""
    return [
        Placement(f"{w}x{h}", ("main",), w, h, quality=QUALITY, crop="centre", max_bytes=10**9, format=kind)
        for (w, h), kind in zip(SIZES, formats(mix), strict=True)
    ]


def naive(path: Path, mix: Mix) -> int:
    """What examples on the web do: open, fit and save, for each file."""
    total = 0
    effort: Mapping[FileFormat, Mapping[str, int]] = {
        "WEBP": {"method": WEBP_METHOD},
        "AVIF": {"speed": AVIF_SPEED, "max_threads": 1},
    }
    for size, kind in zip(SIZES, formats(mix), strict=True):
        with Image.open(path) as image:
            fitted = ImageOps.fit(image.convert("RGB"), size, Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        fitted.save(buffer, kind, quality=QUALITY, **effort.get(kind, {}))
        total += buffer.tell()
    return total


def by_vips(path: Path, mix: Mix) -> int:
    """The fastest library there is, used as its pages say."""
    total = 0
    for (width, height), kind in zip(SIZES, formats(mix), strict=True):
        made = pyvips.Image.thumbnail(str(path), width, height=height, crop="centre")
        save = {
            "JPEG": made.jpegsave_buffer,
            "WEBP": partial(made.webpsave_buffer, effort=WEBP_METHOD),
            "AVIF": partial(made.heifsave_buffer, compression="av1", effort=9 - AVIF_SPEED),
        }[kind]
        total += len(save(Q=QUALITY))
    return total


def ours(path: Path, mix: Mix) -> int:
    """Ten files with their labels."""
    negative = Negative(open_render(path.read_bytes()))
    return sum(len(adapt(negative, place, marks=MARKS).content) for place in places(mix))


def mogrify(path: Path, _mix: Mix) -> int:
    """The command line, JPEG only."""
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            size = f"{width}x{height}"
            subprocess.run(
                ["mogrify", "-path", folder, "-filter", "Lanczos", "-resize", f"{size}^", "-gravity", "center", "-extent",
                 size, "-quality", str(QUALITY), "-format", "jpg", str(path)],
                check=True,
            )  # fmt: skip
    return 1


MAKERS: Mapping[str, Callable[[Path, Mix], int]] = {
    "naive": naive,
    "pyvips": by_vips,
    "ours": ours,
    "ours, Pillow decodes": ours,
    "mogrify": mogrify,
}


def _begin(maker: str) -> None:
    pyvips.cache_set_max(0)  # a render comes once
    if maker.startswith("ours"):
        keep_freed_memory()
    if maker == "ours, Pillow decodes":  # as where there is no kornia-rs
        setattr(plain_png, "decode_image_png_u8", None)  # noqa: B010


def _make(maker: str, path: Path, mix: Mix) -> tuple[float, float]:
    """Processor seconds, with those of commands that are called; and the most memory so far in MB."""
    began = _cpu_s()
    MAKERS[maker](path, mix)
    return _cpu_s() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cpu_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(each.ru_utime + each.ru_stime for each in spent)


def measured(maker: str, side: int, count: int, mix: Mix) -> Mapping[str, Any]:
    """Wall and processor seconds of *count* renders, and the largest worker's memory in MB."""
    paths = [raw(side, number % RAWS) for number in range(count)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES, _begin, (maker,)) as pool:
        pool.starmap(_make, [(maker, path, mix) for path in paths[: 2 * PROCESSES]], chunksize=1)
        began = time.perf_counter()
        told = pool.starmap(_make, [(maker, path, mix) for path in paths], chunksize=1)
        wall = time.perf_counter() - began
        pool.close()
        pool.join()
    return {
        "seconds": wall,
        "cpu_s": sum(cpu_s for cpu_s, _ in told),
        "peak_mb": max(peak for _, peak in told),
    }


def main(words: Sequence[str]) -> None:
    """Measure and write JSON."""
    maker, side, count, mix = words
    sys.stdout.write(
        json.dumps(measured(maker, int(side), int(count), "mixed" if mix == "mixed" else "jpeg"))
    )


if __name__ == "__main__":
    main(sys.argv[1:])
