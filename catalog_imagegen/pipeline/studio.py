"""Shows the product's own photo: cut out on white or standing in a scene; and compares pictures with it."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from catalog_imagegen.domain.errors import PhotoError
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import FromPhoto, Wanted
from catalog_imagegen.pipeline.ports import BlobStore
from catalog_imagegen.stages.label import packet, read_labels
from catalog_imagegen.stages.rendition import open_photo

if TYPE_CHECKING:
    from catalog_imagegen.stages.product import Box, Cutout, Refusal

VERSION = 1
"""Of what is made of a photo: raise it when the same photo gives another picture. No scene is rendered again for that."""
FILL = 0.85
"""Share of the frame that a cut-out's longer side takes; marketplaces ask for 80 to 90 %."""
LONGEST = 4096
"""Pixels of a photo's longer side, and of a cut-out's, at most; below that no pixel of the product is changed."""
LEAST = 96
"""Pixels of a product's longer side at least: what is smaller is a thumbnail."""

Segment = Callable[[Image.Image], Image.Image]
"""Finds the product of an RGB picture: a mask, 255 where it is."""


def cut(content: bytes, segment: Segment | None = None) -> Cutout | Refusal:
    """Cut the product out of the photo in a file."""
    from catalog_imagegen.stages.product import Refusal, cut_out  # noqa: PLC0415 - slow to load

    with _at_once:
        found = cut_out(_opened(content), segment=segment)
    if not isinstance(found, Refusal) and max(found.box.width, found.box.height) < LEAST:
        return Refusal("small")
    return found


def _opened(content: bytes) -> Image.Image:
    photo = open_photo(content)
    photo.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return photo


_at_once = threading.Lock()
"""A photo of 16 megapixels takes 600 MB while it is cut out: one at a time."""


@dataclass(frozen=True, slots=True)
class Studio:
    """Works on photos that are in the blob store; threads share it."""

    blobs: BlobStore
    segment: Segment | None = None
    """Finds products where no plain background tells, if that is installed."""

    def on_white(self, picture: Wanted) -> tuple[bytes, tuple[int, int]]:
        """The product on pure white, its pixels those of the photo: a PNG, and its size. Raises PhotoError."""
        content = self._photo(_how(picture).photo)
        with _at_once:
            image, box = _whitened(content, self.segment, picture)
        framed = _framed(image, box, (picture.width, picture.height))
        return _png(framed, content), framed.size

    def in_scene(self, picture: Wanted, scene: Image.Image) -> tuple[Image.Image, bytes]:
        """The product in a scene (mode ``RGB``): its pixels, and the same as PNG. Raises PhotoError."""
        from catalog_imagegen.stages.product import Refusal, compose  # noqa: PLC0415 - slow to load

        how = _how(picture)
        content = self._photo(how.photo)
        found = cut(content, self.segment)
        if isinstance(found, Refusal):
            raise refused(picture.sku, found)
        made = compose(scene, found, how.room).image
        return made, _png(made, content)

    def likeness(self, photo: Digest, result: Image.Image) -> float | None:
        """How like the product in a result is to that of the photo, 0 to 1; None where one of them cannot be told."""
        from catalog_imagegen.stages.product import Refusal, fidelity_of  # noqa: PLC0415 - slow to load

        found = cut(self._photo(photo), self.segment)
        if isinstance(found, Refusal):
            return None
        measured = fidelity_of(found, result, segment=self.segment)
        return None if isinstance(measured, Refusal) else round(measured.score, 4)

    def _photo(self, name: Digest) -> bytes:
        try:
            return self.blobs.get(name)
        except FileNotFoundError as error:
            raise PhotoError(
                "the photo is gone from data/blobs; run again to have it read anew",
                zh="照片已不在 data/blobs 中；请重新运行以再次读取",
                code="photo_gone",
            ) from error


def refused(whose: str, refusal: Refusal) -> PhotoError:
    """A photo that the product cannot be cut out of."""
    return PhotoError(
        f"{whose}: {refusal.message_en}",
        zh=f"{whose}：{refusal.message_zh}",
        code=f"photo_{refusal.reason}",
    )


def _how(picture: Wanted) -> FromPhoto:
    assert picture.from_photo is not None  # noqa: S101 - only such pictures come here
    return picture.from_photo


def _whitened(content: bytes, segment: Segment | None, picture: Wanted) -> tuple[Image.Image, Box]:
    """A photo with nothing but white behind its product, its soft shadow where one can be told, and the box of both."""
    from catalog_imagegen.stages.product import Refusal, cut_out, product_box, whiten  # noqa: PLC0415 - slow to load

    photo = _opened(content)
    if photo.mode == "RGB":
        white = whiten(photo, shadow="keep", exposure="as_taken")
        if not isinstance(white, Refusal):
            return white.image, product_box(white.image) or white.box
    found = cut_out(photo, segment=segment)
    if isinstance(found, Refusal):
        raise refused(picture.sku, found)
    image = Image.new("RGB", photo.size, (255, 255, 255))
    image.paste(found.image, mask=found.mask)
    return image, found.box


def _framed(image: Image.Image, box: Box, shape: tuple[int, int]) -> Image.Image:
    """The product in the middle of a white frame of this shape, as large as it is in its photo."""
    by = max(box.width / shape[0], box.height / shape[1]) / FILL
    size = round(shape[0] * by), round(shape[1] * by)
    framed = Image.new("RGB", size, (255, 255, 255))
    at = round((size[0] - box.width) / 2) - box.left, round((size[1] - box.height) / 2) - box.top
    framed.paste(image, at)
    framed.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return framed


def _png(image: Image.Image, photo: bytes) -> bytes:
    """A picture as it is kept, with the labels that its photo came with."""
    info = PngInfo()
    if xmp := _labels(photo):
        info.add_itxt("XML:com.adobe.xmp", xmp)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1, pnginfo=info)
    return file.getvalue()


def _labels(photo: bytes) -> str:
    found = read_labels(photo)
    aigc = next((label.text for label in found.aigc), "")
    source = next(iter(found.source_types), "")
    return packet(aigc, source).decode() if aigc or source else ""
