"""Decodes pictures upright, in sRGB and without transparency."""

from __future__ import annotations

import io

from PIL import ExifTags, Image, ImageCms

from catalog_imagegen.stages.rendition import plain_png

WHITE = (255, 255, 255)


def open_render(content: bytes) -> Image.Image:
    """Decode a render upright, in sRGB and flattened on white (mode ``RGB``)."""
    return plain_png.decoded(content) or _to_srgb(_flatten(upright(content)))


def open_photo(content: bytes) -> Image.Image:
    """Decode a photo upright and in sRGB; one with transparency keeps it (mode ``RGBA``), others are ``RGB``."""
    image = upright(content)
    if image.mode != "RGBA" or image.getchannel("A").getextrema() == (255, 255):
        return _to_srgb(_flatten(image))
    colours = image.convert("RGB")
    colours.info = image.info
    made = _to_srgb(colours).copy()
    made.putalpha(image.getchannel("A"))
    return made


def upright(content: bytes) -> Image.Image:
    """Decode a picture as it is to be looked at, in 8 bits; transparent ones as ``RGBA``."""
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        turn = TURNS.get(_orientation(opened))
        image: Image.Image = opened.copy() if turn is None else opened.transpose(turn)
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value / 257).convert("L")  # 65535 → 255; no clipping
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
    return image


TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientation → how pixels are turned for it. Pillow's own way writes all of EXIF again, which fails for odd notes."""


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - notes of a camera that cannot be read turn nothing
        return 1


def _flatten(image: Image.Image) -> Image.Image:
    """Paste on white through the alpha channel; ``convert("RGB")`` alone would keep hidden colours."""
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, WHITE)
    white.paste(image, mask=image.getchannel("A"))
    white.info = image.info
    return white


_SRGB = ImageCms.createProfile("sRGB")


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode == "P":  # its colours are RGB, and so is its profile
        image = image.convert("RGB")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), _SRGB, outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):  # a broken or mismatched profile: the pixels as they are
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")
