"""What a photo's bytes are, made upright and plain where servers would see them otherwise."""

from __future__ import annotations

import io
import lzma
import struct
import warnings
import zipfile
import zlib
from typing import Literal

from PIL import Image

from catalog_imagegen.domain.fingerprint import digest
from catalog_imagegen.domain.imaging import Photo
from catalog_imagegen.stages.rendition import TURNS

MAX_PIXELS = 40_000_000
MAX_BYTES = 100_000_000
"""What a ComfyUI takes at most (``--max-upload-size``)."""
VERSION = 2
"""Of what is made of a photo; raise it when the same file gives other bytes."""

BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    Image.DecompressionBombError,
    Warning,
)
"""What is raised for files that are no sound pictures, or that a damaged zip holds."""

_AS_THEY_ARE: dict[str, Literal["jpg", "png", "webp"]] = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "WEBP": "webp",
}
"""The formats that every server reads."""
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_EXTENSIONS = {**_AS_THEY_ARE, "GIF": "gif", "BMP": "bmp"}
_ORIENTATION = 0x0112


class TooManyPixelsError(Exception):
    """A picture that would take too much memory."""


class NoPictureError(Exception):
    """Bytes that begin as no picture does."""


def kind_of(content: bytes) -> str:
    """The extension that belongs to a picture's bytes. Raises NoPictureError."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            return _EXTENSIONS[image.format or ""]
    except BROKEN as error:
        raise NoPictureError from error


def prepared(content: bytes) -> tuple[bytes, Photo]:
    """A photo's bytes as servers get them, with what they are.

    They are the file's own bytes, unless people see the photo turned, or in colours (CMYK, a palette, transparency)
    that a server would read otherwise: then they are an upright RGB PNG, transparent parts white.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of notes of the camera that it cannot read
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise TooManyPixelsError(f"{image.width} × {image.height}")
            image.verify()  # a PNG that lacks its last bytes loads without an error
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            image.load()
            extension = _AS_THEY_ARE.get(image.format or "")
            if extension is not None and _is_plain(image):
                name = digest(content)
                return content, Photo(name, extension, image.width, image.height, name)
            upright = _upright(image)
    file = io.BytesIO()
    upright.save(file, "PNG", compress_level=1)
    made = file.getvalue()
    return made, Photo(digest(made), "png", upright.width, upright.height, digest(content))


def _is_plain(image: Image.Image) -> bool:
    """Whether a server sees the photo as people do."""
    is_animated = image.format != "MPO" and getattr(image, "n_frames", 1) > 1
    return (
        image.mode in ("RGB", "L")
        and not image.has_transparency_data
        and not is_animated
        and _orientation(image) == 1
    )


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except (*BROKEN, TypeError, AttributeError):  # notes of the camera that cannot be read turn nothing
        return 1


def _upright(image: Image.Image) -> Image.Image:
    turned = image.transpose(turn) if (turn := TURNS.get(_orientation(image))) is not None else image.copy()
    if turned.mode.startswith("I"):  # 16 bits of grey
        turned = turned.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if turned.has_transparency_data:
        layer = turned.convert("RGBA")
        turned = Image.new("RGB", layer.size, "white")
        turned.paste(layer, mask=layer.getchannel("A"))
    plain = turned.convert("RGB")
    plain.info.clear()  # profiles and notes of the camera: the pixels are what counts
    return plain
