"""Adapts a render to one placement: orientation, colour, size and bytes."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass, fields, replace

from PIL import Image, ImageCms, ImageFile, ImageOps
from PIL.PngImagePlugin import PngInfo

from catalog_imagegen.domain.fingerprint import Digest, Fingerprint, fingerprint
from catalog_imagegen.domain.imaging import Placement, Verdict

try:
    from cykooz_resizer import CropBox, FilterType, ResizeAlg, ResizeOptions, Resizer
except ImportError:  # there is none for this platform
    RESIZER = "Pillow"
else:
    RESIZER = "cykooz-resizer"
    _LANCZOS = ResizeAlg.convolution(FilterType.lanczos3)

VERSION = 4
MAX_ENLARGEMENT = 1.25
"""Above this a resize invents pixels: the output stays smaller."""
MIN_QUALITY = 40
PLACEHOLDER_COMMENT = b"catalog-imagegen placeholder: not a generated picture"
_WHITE = (255, 255, 255)
# Pillow's optimize needs the whole JPEG in one buffer and gives it a byte per pixel; grain takes up to three.
ImageFile.MAXBLOCK = 2**24

_LISTING_ONLY = frozenset({"name", "roles", "count", "file_name", "title", "figures"})


@dataclass(frozen=True, slots=True)
class Rendition:
    """A file for one placement, and what is wrong with it."""

    content: bytes
    width: int
    height: int
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """How a source fills an output: crop *box* of the source, resize to *size*, centre on *canvas*."""

    box: tuple[float, float, float, float]
    size: tuple[int, int]
    canvas: tuple[int, int]


def rendition_key(render: Digest, placement: Placement, *, placeholder: bool = False) -> Fingerprint:
    """Name a rendition by its render and the file its placement asks for, not by where it is listed.

    Of the platform's figures those count that can change its verdicts.
    """
    wants = {f.name: getattr(placement, f.name) for f in fields(placement) if f.name not in _LISTING_ONLY}
    judged = [[f.about, f.value, f.confidence == "official"] for f in placement.figures if f.is_judged]
    return fingerprint(
        "rendition",
        VERSION,
        {
            "render": render,
            "placement": wants,
            "judged": judged,
            "placeholder": placeholder,
            "resizer": RESIZER,
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


def open_render(content: bytes) -> Image.Image:
    """Decode a render upright, in sRGB and flattened on white (mode ``RGB``)."""
    with Image.open(io.BytesIO(content)) as opened:
        image: Image.Image = ImageOps.exif_transpose(opened)
        image.load()
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value / 257).convert("L")  # 65535 → 255; no clipping
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
    return _to_srgb(_flatten(image))


def adapt(image: Image.Image, placement: Placement, *, placeholder: bool = False) -> Rendition:
    """Fit an upright sRGB image to a placement and encode it under the placement's cap."""
    frame = frame_for(image.size, placement)
    fitted = _resized(image, frame)
    if frame.canvas != frame.size:
        canvas = Image.new("RGB", frame.canvas, _WHITE)
        canvas.paste(
            fitted,
            ((frame.canvas[0] - frame.size[0]) // 2, (frame.canvas[1] - frame.size[1]) // 2),
        )
        fitted = canvas
    content = _encode(fitted, placement, placeholder=placeholder)
    return Rendition(content, *fitted.size)


def frame_for(source: tuple[int, int], placement: Placement) -> Frame:
    """Plan the geometry; sizes in pixels. Nothing is enlarged more than MAX_ENLARGEMENT."""
    width, height = source
    across, down = placement.width / width, placement.height / height
    scale = {"cover": max(across, down), "width": across}.get(placement.fit, min(across, down))
    shrink = min(1.0, MAX_ENLARGEMENT / scale)
    scale *= shrink
    room = (_pixels(placement.width * shrink), _pixels(placement.height * shrink))
    if placement.fit == "cover":
        size = canvas = room
    else:
        size = (min(room[0], _pixels(width * scale)), min(room[1], _pixels(height * scale)))
        canvas = room if placement.fit == "pad" else size
    seen = (min(width, size[0] / scale), min(height, size[1] / scale))
    left, top = (width - seen[0]) / 2, (height - seen[1]) / 2
    return Frame(box=(left, top, left + seen[0], top + seen[1]), size=size, canvas=canvas)


def _resized(image: Image.Image, frame: Frame) -> Image.Image:
    """By Lanczos; what the two engines make differs by a level or two, and cykooz-resizer takes an eighth of the time."""
    if RESIZER == "Pillow":
        return image.resize(frame.size, Image.Resampling.LANCZOS, box=frame.box, reducing_gap=3.0)
    left, top, right, bottom = frame.box
    crop = CropBox(left, top, min(right, image.width) - left, min(bottom, image.height) - top)
    made = Image.new("RGB", frame.size)
    _resizer().resize_pil(image, made, ResizeOptions(resize_alg=_LANCZOS, crop_box=crop))
    return made


_of_thread = threading.local()


def _resizer() -> Resizer:
    """Threads that share one wait for each other."""
    if not hasattr(_of_thread, "resizer"):
        _of_thread.resizer = Resizer()
    its: Resizer = _of_thread.resizer
    return its


def _pixels(length: float) -> int:
    return max(1, round(length))


def _flatten(image: Image.Image) -> Image.Image:
    """Paste on white through the alpha channel; ``convert("RGB")`` alone would keep hidden colours."""
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, _WHITE)
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


def _encode(image: Image.Image, placement: Placement, *, placeholder: bool) -> bytes:
    """Encode at the wanted quality, or the highest below it whose bytes, metadata included, fit the cap."""
    if placement.format == "PNG":
        return _save(image, placement, quality=0, placeholder=placeholder)
    best = _save(image, placement, quality=placement.quality, placeholder=placeholder)
    if len(best) <= placement.max_bytes:
        return best
    low, high = MIN_QUALITY, placement.quality
    best = _save(image, placement, quality=low, placeholder=placeholder)
    while high - low > 1:
        middle = (low + high) // 2
        content = _save(image, placement, quality=middle, placeholder=placeholder)
        if len(content) <= placement.max_bytes:
            best, low = content, middle
        else:
            high = middle
    return best


def _save(image: Image.Image, placement: Placement, *, quality: int, placeholder: bool) -> bytes:
    image.info = {}  # nothing of the source's metadata leaks into the file
    buffer = io.BytesIO()
    if placement.format == "JPEG":
        comment = {"comment": PLACEHOLDER_COMMENT} if placeholder else {}
        image.save(buffer, "JPEG", quality=quality, subsampling="4:4:4", optimize=True, **comment)
    else:
        info = PngInfo()
        if placeholder:
            info.add_text("Comment", PLACEHOLDER_COMMENT.decode())
        image.save(buffer, "PNG", optimize=True, pnginfo=info)
    return buffer.getvalue()
