"""Small copies of renders, kept in a folder that may be deleted at any time."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from catalog_imagegen.adapters.reports.projection import write_soon
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.pipeline.ports import BlobStore
from catalog_imagegen.stages.rendition import open_render

SIDES = (384, 288, 224, 176, 128)
"""The longer side of a thumbnail in pixels. The first is made of the render, the others of the first."""
QUALITY = 72
_HOLE = bytes(512)
"""What a power cut leaves of blocks that were not written; no compressed picture has so many zeros in a row."""


class Thumbnails:
    """WebP files ``ab/ab12…-384.webp``: a projection of the blobs, made when it is first needed."""

    def __init__(self, folder: Path, blobs: BlobStore) -> None:
        self._folder = folder
        self._blobs = blobs

    def keep(self, name: Digest, image: Image.Image) -> None:
        """Make the thumbnail of a render that is already decoded (upright, sRGB), if there is none."""
        if not self._path(name, SIDES[0]).is_file():
            self._write(name, SIDES[0], image)

    def get(self, name: Digest, side: int) -> bytes:
        """The thumbnail of a render, as WebP. Raises FileNotFoundError if the render is gone."""
        try:
            content = self._path(name, side).read_bytes()
        except FileNotFoundError:
            content = b""
        return content if is_whole(content) else self._write(name, side, self._source(name, side))

    def all(self, names: Iterable[Digest], side: int) -> Mapping[Digest, bytes]:
        """The thumbnails of these renders; those whose render is gone or unreadable are left out."""
        wanted = list(dict.fromkeys(names))
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            found = pool.map(lambda name: self._try(name, side), wanted)
            return {name: content for name, content in zip(wanted, found, strict=True) if content}

    def _try(self, name: Digest, side: int) -> bytes:
        try:
            return self.get(name, side)
        except (OSError, SyntaxError, ValueError):  # what Pillow raises for bytes that are no picture
            return b""

    def _source(self, name: Digest, side: int) -> Image.Image:
        """The largest thumbnail, if a smaller one is wanted and it can be read; else the render."""
        if side < SIDES[0]:
            try:
                with Image.open(io.BytesIO(self.get(name, SIDES[0]))) as image:
                    return image.convert("RGB")
            except (OSError, SyntaxError, ValueError):
                self._path(name, SIDES[0]).unlink(missing_ok=True)
        return open_render(self._blobs.get(name))

    def _write(self, name: Digest, side: int, image: Image.Image) -> bytes:
        content = encoded(image, side)
        write_soon(self._path(name, side), content)
        return content

    def _path(self, name: Digest, side: int) -> Path:
        return self._folder / name[:2] / f"{name}-{side}.webp"


def is_whole(webp: bytes) -> bool:
    """Whether a file has the length that it says, and no hole; much quicker than decoding it."""
    length = int.from_bytes(webp[4:8], "little") + 8
    return webp[:4] == b"RIFF" and webp[8:12] == b"WEBP" and len(webp) == length and _HOLE not in webp


def encoded(image: Image.Image, side: int) -> bytes:
    """A copy of an RGB image, its longer side at most *side* pixels, as WebP."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    small.info = {}
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=QUALITY, method=4)
    return buffer.getvalue()
