"""A case about real products: photos on pure white, reframed, and cut out; in one process like those that make files.

``python -m bench.products REPEATS`` measures, and writes the processor seconds of each run as JSON.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from bench.clients import Timing
from bench.report import Figure, Report, Tell, seconds
from catalog_imagegen.adapters.darkroom import keep_freed_memory
from catalog_imagegen.simulator.silhouettes import product
from catalog_imagegen.stages.product import (
    Refusal,
    White,
    cut_out,
    plan_reframing,
    product_box,
    reframe,
    whiten,
)

SIDE, PHOTOS = 1024, 6
COLOURS = ((176, 60, 48), (48, 84, 140), (60, 60, 66), (206, 170, 110), (92, 148, 108), (222, 214, 200))


def photo(colour: tuple[int, int, int]) -> Image.Image:
    """A mug on grey paper, with a vignette, a soft shadow, grain and the marks of a JPEG."""
    x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
    shadow = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(shadow).ellipse((300, 760, 820, 850), 110)
    dark = np.asarray(shadow.filter(ImageFilter.GaussianBlur(20)), np.float64) / 255
    grain = np.random.default_rng(1).normal(0, 1.5, (SIDE, SIDE))
    paper = 226 * (1 - 0.16 * (x * x + y * y) / 2) * (1 - dark)
    picture = Image.fromarray(np.clip(paper + grain, 0, 255).astype(np.uint8)).convert("RGB")
    mug = product("cup", colour, 700)
    picture.paste(mug, (170, 200), mug)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92)
    return Image.open(buffer).convert("RGB")


def on_white(picture: Image.Image) -> None:
    """What a white placement needs of a photo: the background white, the product centred, its box measured."""
    made = whiten(picture)
    if not isinstance(made, White):
        raise TypeError(made)
    product_box(reframe(made.image, plan_reframing(made.box, (800, 800), fill=0.85)))


def cut(picture: Image.Image) -> None:
    """What a composite needs of a photo."""
    if isinstance(cut_out(picture), Refusal):
        raise TypeError


def measured(repeats: int) -> Mapping[str, list[float]]:
    """Processor seconds that all photos take, run by run; the process has begun as one of those that make files."""
    keep_freed_memory()
    pictures = [photo(colour) for colour in COLOURS]
    runs: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(repeats):
        for name, way in WAYS.items():
            began = time.process_time()
            for picture in pictures:
                way(picture)
            runs[name].append(time.process_time() - began)
    return runs


def photos(about: str, repeats: int, tell: Tell) -> Report:
    """Milliseconds of the processor a photo of 1024 × 1024."""
    line = [sys.executable, "-m", "bench.products", str(repeats)]
    told = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    runs = {name: [Timing(took, "") for took in told[name]] for name in WAYS}
    for name in WAYS:
        tell(f"  {name:<18} {', '.join(f'{1000 * took / PHOTOS:.1f}' for took in told[name])} ms a photo")
    limits = {"on white": 25.0, "cut out": 60.0}
    figures = [
        Figure(
            f"{name}, processor time a photo of 1024 × 1024",
            1000 * seconds(runs[name]) / PHOTOS,
            most,
            unit="ms",
        )
        for name, most in limits.items()
    ]
    where = "in a process of its own"
    return Report(about, where, is_simulated=False, pictures=PHOTOS, runs=runs, figures=figures)


WAYS: Mapping[str, Callable[[Image.Image], None]] = {"on white": on_white, "cut out": cut}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(int(sys.argv[1]))))
