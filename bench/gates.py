"""The case about gates: what looking at a picture costs before anybody has to."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from bench.clients import Timing
from bench.pictures import SIZE, new_pictures
from bench.report import Figure, Report, Tell, seconds
from catalog_imagegen.config import Workspace, defaults, load_gates
from catalog_imagegen.pipeline.inspection import Inspector
from catalog_imagegen.simulator.stock import photo

SHOP = 50_000
"""Pictures of the same role that each is compared with."""
COUNT = 50


class Looks:
    """As much of a ledger as an inspector asks: many pictures, none like another."""

    def looks(self, role: str) -> list[tuple[str, str, str]]:  # noqa: ARG002 - the port has it
        """The same for every role."""
        rng = random.Random(1)
        return [(rng.randbytes(19).hex(), f"F{number}", f"P{number}") for number in range(SHOP)]


def gates(about: str, repeats: int, tell: Tell) -> Report:
    """All gates but text, of a raw picture that is decoded already."""
    image, pictures = photo(SIZE, SIZE), new_pictures(COUNT)
    packaged = load_gates(Workspace(defaults()), ())["lifestyle"]
    inspector = Inspector({"main": replace(packaged, min_product=0.3)}, Looks())  # type: ignore[arg-type]  # enough of one
    inspector.inspect(pictures[0], image)  # reads what stands in the ledger
    runs: list[Timing] = []
    for repeat in range(repeats):
        began = time.process_time()
        for picture in pictures:
            inspector.inspect(picture, image)
        runs.append(Timing(time.process_time() - began, ""))
        tell(f"  {repeat + 1}/{repeats} {runs[-1].wall_s / COUNT * 1000:6.2f} ms a picture")
    figure = Figure("processor time a picture", seconds(runs) / COUNT * 1000, 8, unit="ms")
    about_what = f"a decoded picture of {SIZE}², among {SHOP:,} others; letters are not read"
    return Report(
        about, about_what, is_simulated=False, pictures=COUNT, runs={"ours": runs}, figures=[figure]
    )
