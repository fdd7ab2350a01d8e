"""Plans how a source fills an output: what is cropped, how it is scaled, where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from catalog_imagegen.domain.imaging import Placement

MAX_ENLARGEMENT = 1.25
"""Above this a resize invents pixels: the output stays smaller."""
CENTRE = (0.5, 0.5)
_LOOKED_AT = 96
"""Pixels of the longer side when it is asked where most is to be seen."""
_WORTH_MOVING = 0.01
"""Share of all there is to be seen that a crop must save to leave the middle."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How a source fills an output: crop *box* of the source, resize to *size*, centre on *canvas*."""

    box: tuple[float, float, float, float]
    size: tuple[int, int]
    canvas: tuple[int, int]


def enlargement(source: tuple[int, int], placement: Placement) -> float:
    """How many times larger a source must become to fill a placement as that asks; sizes in pixels."""
    across, down = placement.width / source[0], placement.height / source[1]
    return {"cover": max(across, down), "width": across}.get(placement.fit, min(across, down))


def frame_for(source: tuple[int, int], placement: Placement, *, at: tuple[float, float] = CENTRE) -> Frame:
    """Plan the geometry; sizes in pixels. Nothing is enlarged more than MAX_ENLARGEMENT.

    What is cropped comes off both sides, or where *at* says: 0 keeps the left and top, 1 the right and bottom.
    """
    width, height = source
    scale = enlargement(source, placement)
    shrink = min(1.0, MAX_ENLARGEMENT / scale)
    scale *= shrink
    room = (_pixels(placement.width * shrink), _pixels(placement.height * shrink))
    if placement.fit == "cover":
        size = canvas = room
    else:
        size = (min(room[0], _pixels(width * scale)), min(room[1], _pixels(height * scale)))
        canvas = room if placement.fit == "pad" else size
    seen = (min(width, size[0] / scale), min(height, size[1] / scale))
    left, top = (width - seen[0]) * at[0], (height - seen[1]) * at[1]
    return Frame(box=(left, top, left + seen[0], top + seen[1]), size=size, canvas=canvas)


def subject_at(image: Image.Image, frame: Frame) -> tuple[float, float]:
    """Where a crop of this size keeps most of what is to be seen; the middle, unless that costs something.

    Seen are edges: a bare wall has none, a product many.
    """
    import numpy as np  # noqa: PLC0415 - it takes longer to load than most commands take

    seen = frame.box[2] - frame.box[0], frame.box[3] - frame.box[1]
    factor = max(1, max(image.size) // _LOOKED_AT)
    luma = np.asarray(image.reduce(factor).convert("L"), np.float32)
    edges = np.zeros_like(luma)
    edges[:, 1:] += np.abs(np.diff(luma, axis=1))
    edges[1:] += np.abs(np.diff(luma, axis=0))
    return (
        _best_start(edges.sum(axis=0), seen[0] / image.width),
        _best_start(edges.sum(axis=1), seen[1] / image.height),
    )


def _best_start(seen: Any, share: float) -> float:
    """The start of the window over this *share* of an array, as a share of the room there is to move it."""
    import numpy as np  # noqa: PLC0415

    size = round(len(seen) * share)
    room, total = len(seen) - size, float(seen.sum())
    if room <= 0 or total == 0:
        return CENTRE[0]
    until = np.concatenate(([0.0], np.cumsum(seen, dtype=np.float64)))
    kept = (until[size:] - until[:-size]) / total
    if kept.max() - kept[room // 2] < _WORTH_MOVING:
        return CENTRE[0]
    best = np.flatnonzero(kept >= kept.max() - 1e-6)
    nearest = best[np.argmin(np.abs(best - room / 2))]
    return float(nearest / room)


def _pixels(length: float) -> int:
    return max(1, round(length))
