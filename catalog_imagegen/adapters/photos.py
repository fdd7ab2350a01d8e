"""The products' own photos: files of the shop, made upright and plain where servers would see them otherwise."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import time
import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageOps

from catalog_imagegen.adapters.catalogs.values import is_url
from catalog_imagegen.adapters.reports.projection import write_soon
from catalog_imagegen.domain.errors import CatalogImagegenError, PhotoError
from catalog_imagegen.domain.fingerprint import Digest, digest
from catalog_imagegen.domain.imaging import Photo

FOLDER = "photos"
"""Of the workspace: where photos lie that the catalog names by file name alone."""
MAX_PIXELS = 40_000_000
MAX_BYTES = 100_000_000
"""What a ComfyUI takes at most (``--max-upload-size``)."""
VERSION = 1
"""Of what is made of a photo; raise it when the same file gives other bytes."""
SETTLED_NS = 2_000_000_000
"""A file that changed this recently may change again without another size or time; some disks count in seconds."""

_EXTENSIONS: dict[str, Literal["jpg", "png", "webp"]] = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "WEBP": "webp",
}
_ORIENTATION = 0x0112
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,
)
"""What Pillow raises for files that are no sound pictures."""

Sign = tuple[int, int]
"""Size in bytes and time of change: a file with the same ones is taken for the same."""


class FolderPhotos:
    """Photos in files: absolute paths, or relative to the workspace or its folder ``photos``.

    What was found out is remembered by path, size and time, beyond this process in *memory*, which may be deleted.
    """

    def __init__(self, root: Path, memory: Path) -> None:
        self._root = root
        self._memory = memory
        self._known: dict[tuple[str, Sign], Photo | PhotoError] | None = None
        self._places: dict[Digest, Path] = {}
        self._is_changed = False

    def look(self, location: str) -> Photo:
        """The photo that a catalog names. Raises PhotoError, which says what to do."""
        if is_url(location):
            raise _is_web_address(location)
        for path in self._candidates(location):
            try:
                descriptor = os.open(
                    path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
                )  # no pipe makes us wait
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, ValueError) as error:
                raise _unreadable(location, error) from error
            try:
                return self._look(location, path, descriptor)
            finally:
                os.close(descriptor)
        raise _not_found(location)

    def read(self, name: Digest) -> bytes | None:
        """The bytes of a photo that was looked at; None when they are others since, or gone."""
        if (path := self._places.get(name)) is None:
            return None
        try:
            content = path.read_bytes()
            if digest(content) != name:
                content, _ = prepared(content)
        except _BROKEN:
            return None
        return content if digest(content) == name else None

    def close(self) -> None:
        """Remember what was found out."""
        if self._known is None or not self._is_changed:
            return
        settled = time.time_ns() - SETTLED_NS
        kept = [
            [path, *sign, photo.digest, photo.extension, photo.width, photo.height]
            for (path, sign), photo in self._known.items()
            if isinstance(photo, Photo) and sign[1] < settled
        ]
        with suppress(OSError, CatalogImagegenError):  # the next process finds it out again
            write_soon(self._memory, json.dumps({"version": VERSION, "photos": kept}).encode())

    def _candidates(self, location: str) -> list[Path]:
        """Where a photo may lie. Raises PhotoError for a relative path that leaves the workspace."""
        path = Path(location.replace("\\", "/"))
        if path.is_absolute():
            return [path]
        if os.path.normpath(path).startswith(".."):
            raise _leads_out(location)
        return [self._root / path, self._root / FOLDER / path]

    def _look(self, location: str, path: Path, descriptor: int) -> Photo:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _no_file(location)
        if found.st_size > MAX_BYTES:
            raise _too_large(location, f"{found.st_size / 1e6:.0f} MB", f"{MAX_BYTES / 1e6:.0f} MB")
        known = self._remembered()
        key = (str(path), (found.st_size, found.st_mtime_ns))
        if key not in known:
            known[key] = _examined(location, descriptor)
            self._is_changed = True
        photo = known[key]
        if isinstance(photo, PhotoError):
            raise photo
        self._places[photo.digest] = path
        return photo

    def _remembered(self) -> dict[tuple[str, Sign], Photo | PhotoError]:
        if self._known is None:
            self._known = {}
            with suppress(OSError, ValueError, TypeError, KeyError):
                document = json.loads(self._memory.read_bytes())
                if document["version"] == VERSION:
                    self._known |= dict(map(_entry, document["photos"]))
        return self._known


def _entry(row: list[Any]) -> tuple[tuple[str, Sign], Photo]:
    path, size, changed, name, extension, width, height = row
    return (path, (size, changed)), Photo(Digest(name), extension, width, height)


def _examined(location: str, descriptor: int) -> Photo | PhotoError:
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return prepared(file.read())[1]
    except _TooManyPixelsError as error:
        return _too_large(location, str(error), f"{MAX_PIXELS / 1e6:.0f} MP")
    except _BROKEN:
        return _damaged(location)


class _TooManyPixelsError(Exception):
    """A picture that would take too much memory."""


def prepared(content: bytes) -> tuple[bytes, Photo]:
    """A photo's bytes as servers get them, with what they are.

    They are the file's own bytes, unless people see the photo turned, or in colours (CMYK, a palette, transparency)
    that a server would read otherwise: then they are an upright RGB PNG, transparent parts white.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of notes of the camera that it cannot read
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _TooManyPixelsError(f"{image.width} × {image.height}")
            image.verify()  # a PNG that lacks its last bytes loads without an error
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            image.load()
            extension = _EXTENSIONS[image.format or ""]
            if _is_plain(image):
                return content, Photo(digest(content), extension, image.width, image.height)
            upright = _upright(image)
    file = io.BytesIO()
    upright.save(file, "PNG", compress_level=1)
    made = file.getvalue()
    return made, Photo(digest(made), "png", upright.width, upright.height)


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
    except (*_BROKEN, TypeError):  # notes of the camera that cannot be read turn nothing
        return 1


def _upright(image: Image.Image) -> Image.Image:
    turned = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image.copy()
    if turned.mode.startswith("I"):  # 16 bits of grey
        turned = turned.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if turned.has_transparency_data:
        layer = turned.convert("RGBA")
        turned = Image.new("RGB", layer.size, "white")
        turned.paste(layer, mask=layer.getchannel("A"))
    plain = turned.convert("RGB")
    plain.info.clear()  # profiles and notes of the camera: the pixels are what counts
    return plain


def _is_web_address(location: str) -> PhotoError:
    return PhotoError(
        f"{location} is a web address, and photos are read from files only; download it into the folder {FOLDER}/ of the "
        "workspace and write its file name into the catalog",
        zh=f"{location} 是网址，目前只能读取本地照片；请下载到工作区的 {FOLDER} 文件夹，并在商品表中填写文件名",
        code="photo_is_url",
    )


def _not_found(location: str) -> PhotoError:
    return PhotoError(
        f"there is no photo {location}; put it into the folder {FOLDER}/ of the workspace, or write its full path into "
        "the catalog",
        zh=f"找不到照片 {location}；请把它放入工作区的 {FOLDER} 文件夹，或在商品表中填写完整路径",
        code="photo_not_found",
    )


def _leads_out(location: str) -> PhotoError:
    return PhotoError(
        f"{location} leads out of the workspace; put the photo into its folder {FOLDER}/, or write the full path into "
        "the catalog",
        zh=f"{location} 指向工作区之外；请把照片放入工作区的 {FOLDER} 文件夹，或在商品表中填写完整路径",
        code="photo_outside",
    )


def _no_file(location: str) -> PhotoError:
    return PhotoError(
        f"{location} is no file with a photo; write the path of a JPEG, PNG or WebP file into the catalog",
        zh=f"{location} 不是照片文件；请在商品表中填写 JPEG、PNG 或 WebP 文件的路径",
        code="photo_no_file",
    )


def _unreadable(location: str, error: Exception) -> PhotoError:
    reason = getattr(error, "strerror", None) or str(error)
    return PhotoError(
        f"the photo {location} cannot be read ({reason}); check the file and its permissions",
        zh=f"无法读取照片 {location}（{reason}）；请检查该文件及其权限",
        code="photo_unreadable",
    )


def _damaged(location: str) -> PhotoError:
    return PhotoError(
        f"{location} is damaged, or no JPEG, PNG or WebP photo; open it in an image program and save it as JPEG",
        zh=f"{location} 已损坏，或不是 JPEG、PNG、WebP 照片；请用图片软件打开并另存为 JPEG",
        code="photo_damaged",
    )


def _too_large(location: str, has: str, allowed: str) -> PhotoError:
    return PhotoError(
        f"the photo {location} is too large ({has}; at most {allowed}); save it smaller",
        zh=f"照片 {location} 太大（{has}，最大 {allowed}）；请缩小后保存",
        code="photo_too_large",
    )
