"""Measures an encoded file: what a verdict is based on."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from PIL import Image, ImageChops, ImageCms

RATIO_TOLERANCE = 0.02
"""Whole pixels keep a small file's shape no better than this."""
BAND = 0.02
"""The border that must have the background's colour, as a share of the shorter side."""
COLOUR_TOLERANCE = 6
"""Of 255: what JPEG makes of an even colour."""
_PRODUCT_TOLERANCE = 12
"""Of 255: what differs more from the background is product; JPEG's ringing beside a product stays below."""
_LOOKED_AT = 512
"""Pixels of the longer side when the product is looked for."""
_FEW = 0.002
"""Share of a line's pixels that specks may fill without being product."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Measured:
    """An encoded file as it is."""

    image: Image.Image
    bytes: int

    @property
    def width(self) -> int:
        """Pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self.image.height

    @property
    def longest(self) -> int:
        """Pixels of the longer side."""
        return max(self.image.size)

    @cached_property
    def flat(self) -> Image.Image:
        """Its colours on white."""
        if not self._is_see_through:
            return self.image.convert("RGB")
        seen = self.image.convert("RGBA")
        white = Image.new("RGB", seen.size, (255, 255, 255))
        white.paste(seen, mask=seen.getchannel("A"))
        return white

    @property
    def _is_see_through(self) -> bool:
        return "A" in self.image.getbands() or "transparency" in self.image.info

    @cached_property
    def profile(self) -> str:
        """What its embedded colour profile calls itself; empty where there is none, which means sRGB."""
        data = self.image.info.get("icc_profile")
        if not data:
            return ""
        try:
            described = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(data)))
        except (ImageCms.PyCMSError, OSError):
            return "?"
        return described.strip() or "?"

    @property
    def is_srgb(self) -> bool:
        """Whether every program shows its colours alike."""
        return not self.profile or "srgb" in self.profile.casefold()

    def is_shaped(self, ratio: str) -> bool:
        """Whether width to height is as *ratio* (``3:4``) says."""
        across, _, down = ratio.partition(":")
        wanted = int(across) / int(down)
        return abs(self.width / self.height / wanted - 1) <= RATIO_TOLERANCE

    def stained(self, colour: tuple[int, int, int]) -> float:
        """The share of the border band that is not of this colour."""
        counts = [0] * 256
        for strip in self._border(self.flat):
            red, green, blue = ImageChops.difference(strip, Image.new("RGB", strip.size, colour)).split()
            worst = ImageChops.lighter(ImageChops.lighter(red, green), blue)
            counts = [a + b for a, b in zip(counts, worst.histogram(), strict=True)]
        return sum(counts[COLOUR_TOLERANCE + 1 :]) / sum(counts)

    def opaque(self) -> float:
        """The share of the border band that is not transparent."""
        if not self._is_see_through:
            return 1.0
        counts = [0] * 256
        for strip in self._border(self.image.convert("RGBA").getchannel("A")):
            counts = [a + b for a, b in zip(counts, strip.histogram(), strict=True)]
        return sum(counts[COLOUR_TOLERANCE + 1 :]) / sum(counts)

    def _border(self, image: Image.Image) -> Iterator[Image.Image]:
        """The band along the edges, in four strips that do not overlap."""
        width, height = self.image.size
        band = min(max(2, round(min(width, height) * BAND)), (width + 1) // 2, (height + 1) // 2)
        for box in (
            (0, 0, width, band),
            (0, max(band, height - band), width, height),
            (0, band, band, height - band),
            (max(band, width - band), band, width, height - band),
        ):
            if box[0] < box[2] and box[1] < box[3]:
                yield image.crop(box)

    @cached_property
    def product(self) -> Box | None:
        """Where the product is, in shares of the frame (left, top, right, bottom); None where it cannot be told.

        It can be told on an even background: what has another colour than the corners is product.
        """
        import numpy as np  # noqa: PLC0415 - it takes longer to load than most commands take

        small = self.flat.reduce(max(1, self.longest // _LOOKED_AT))
        last = small.width - 1, small.height - 1
        corners = np.array([small.getpixel((x, y)) for x in (0, last[0]) for y in (0, last[1])])
        if np.ptp(corners, axis=0).max() > COLOUR_TOLERANCE:
            return None
        differs = [
            abs(level - middle) > _PRODUCT_TOLERANCE
            for middle in np.median(corners, axis=0)
            for level in range(256)
        ]
        red, green, blue = small.point([255 * each for each in differs]).split()
        found = np.asarray(ImageChops.lighter(ImageChops.lighter(red, green), blue))
        across = np.flatnonzero(np.count_nonzero(found, axis=0) > _FEW * small.height)
        down = np.flatnonzero(np.count_nonzero(found, axis=1) > _FEW * small.width)
        if not across.size or not down.size:
            return None
        width, height = small.size
        return (
            across[0] / width,
            down[0] / height,
            min(1.0, (across[-1] + 1) / width),
            min(1.0, (down[-1] + 1) / height),
        )

    @property
    def fill(self) -> float | None:
        """The product's longer side as a share of the frame; None where the product cannot be told."""
        if self.product is None:
            return None
        left, top, right, bottom = self.product
        return max(right - left, bottom - top)

    @property
    def off_centre(self) -> float:
        """How far the product's centre is from the frame's, as a share of the frame."""
        if self.product is None:
            return 0.0
        left, top, right, bottom = self.product
        return max(abs(left + right - 1), abs(top + bottom - 1)) / 2
