"""Adapts a render to one placement: size, background around it, bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

from PIL import Image, ImageFilter

from catalog_imagegen.domain.design import PLAIN, Design
from catalog_imagegen.domain.fingerprint import Fingerprint, fingerprint
from catalog_imagegen.domain.imaging import Placement, Render, Verdict
from catalog_imagegen.stages.rendition import resizing
from catalog_imagegen.stages.rendition.encoding import Marks, encode, has_fine_colour
from catalog_imagegen.stages.rendition.geometry import Frame, frame_for, subject_at
from catalog_imagegen.stages.rendition.opening import WHITE
from catalog_imagegen.stages.rendition.resizing import Levels

VERSION = 4
_BLUR = 0.04
"""Radius of what extends a picture, as a share of the longer side."""
_LISTING_ONLY = frozenset({"name", "roles", "count", "file_name", "title", "figures"})
_NO_MARKS = Marks()


@dataclass(frozen=True)
class Rendition:
    """A file for one placement, and what is wrong with it."""

    content: bytes
    width: int
    height: int
    verdicts: tuple[Verdict, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """The digest of the content, reckoned once: whoever gets it from another process has it with the rest."""
        return hashlib.sha256(self.content).hexdigest()


class Negative:
    """A picture from which files are made: one decoding, and one of each thing that several files need."""

    def __init__(self, image: Image.Image) -> None:
        self.levels = Levels(image)
        self._has_fine_colour: bool | None = None

    @property
    def image(self) -> Image.Image:
        """Upright, sRGB; ``RGB``, or ``RGBA`` where it is cut out."""
        return self.levels.image

    @property
    def has_fine_colour(self) -> bool:
        """Whether its colours must be kept in full resolution."""
        if self._has_fine_colour is None:
            self._has_fine_colour = has_fine_colour(self.image)
        return self._has_fine_colour

    def frame(self, placement: Placement) -> Frame:
        """How it fills this placement."""
        frame = frame_for(self.image.size, placement)
        is_cropped = placement.fit == "cover" and placement.crop == "subject"
        if not is_cropped or frame.box == (0, 0, *self.image.size):
            return frame
        return frame_for(self.image.size, placement, at=subject_at(self.image, frame))


def rendition_key(
    render: Render,
    placement: Placement,
    *,
    design: Design = PLAIN,
    maker: Sequence[str] = (),
    also: Sequence[int] = (),
) -> Fingerprint:
    """Name a rendition by its render and the file its placement asks for, not by where it is listed.

    Of the platform's figures those count that can change its verdicts. *maker* is who is named in it and who signs it,
    *also* are the versions of other steps that have a hand in it.
    """
    wants = {f.name: getattr(placement, f.name) for f in fields(placement) if f.name not in _LISTING_ONLY}
    judged = [
        [f.about, f.value, f.confidence == "official"]
        for f in placement.figures
        if f.is_judged or (design.words and f.about == "forbidden")
    ]
    return fingerprint(
        "rendition",
        VERSION,
        {
            "also": list(also),
            "render": render.digest,
            "placement": wants,
            "judged": judged,
            "placeholder": render.placeholder,
            "label": [render.render_key, *maker],
            "resizer": resizing.RESIZER,
            **({} if design == PLAIN else {"design": design.named()}),
        },
    )


def file_shape(placement: Placement) -> Placement:
    """A placement as far as it shapes the bytes of a file: of one render, two alike get the same file."""
    return replace(
        placement,
        name="",
        roles=(),
        count=1,
        file_name="",
        title="",
        figures=(),
        min_width=0,
        min_height=0,
    )


def adapt(
    negative: Negative,
    placement: Placement,
    *,
    marks: Marks = _NO_MARKS,
    frame: Frame | None = None,
    finish: Callable[[Image.Image], Image.Image] | None = None,
) -> Rendition:
    """Fit a picture to a placement and encode it under the placement's cap.

    *frame* is where it goes if not where the placement's fit says; *finish* draws on it in its final size.
    """
    frame = frame or negative.frame(placement)
    fitted = negative.levels.resized(frame)
    if placement.sharpen:
        fitted = fitted.filter(ImageFilter.UnsharpMask(radius=0.8, percent=placement.sharpen, threshold=2))
    fitted = _on_canvas(fitted, frame, placement)
    if finish is not None:
        fitted = finish(fitted)
    has_fine_colour = placement.format == "JPEG" and (finish is not None or negative.has_fine_colour)
    content = encode(fitted, placement, marks, has_fine_colour=has_fine_colour)
    return Rendition(content, *fitted.size)


def _on_canvas(fitted: Image.Image, frame: Frame, placement: Placement) -> Image.Image:
    """In the middle of the output; what it leaves free is white, transparent, or the picture itself, blurred."""
    if frame.canvas == frame.size:
        return fitted
    if fitted.mode == "RGBA":
        canvas = Image.new("RGBA", frame.canvas, (*WHITE, 0))
    elif placement.background == "blur":
        canvas = _extension(fitted, frame.canvas)
    elif placement.background.startswith("#"):
        canvas = Image.new("RGB", frame.canvas, placement.background)
    else:
        canvas = Image.new("RGB", frame.canvas, WHITE)
    left, top = (frame.canvas[0] - frame.size[0]) // 2, (frame.canvas[1] - frame.size[1]) // 2
    canvas.paste(fitted, (left, top))
    return canvas


def _extension(fitted: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture, enlarged to fill an output and blurred past recognition."""
    scale = max(size[0] / fitted.width, size[1] / fitted.height)
    seen = size[0] / scale, size[1] / scale
    left, top = (fitted.width - seen[0]) / 2, (fitted.height - seen[1]) / 2
    small = (
        max(1, size[0] // 8),
        max(1, size[1] // 8),
    )  # blurred it looks the same, in a hundredth of the time
    copy = fitted.resize(
        small, Image.Resampling.BOX, box=(left, top, left + seen[0], top + seen[1]), reducing_gap=2.0
    )
    return copy.filter(ImageFilter.GaussianBlur(max(small) * _BLUR)).resize(size, Image.Resampling.BICUBIC)
