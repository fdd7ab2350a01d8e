"""Finds for every character a font that has it, and measures it."""

from __future__ import annotations

import io
import math
import threading
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.lettering import SHIPPED_FONT, Weight
from catalog_imagegen.stages.lettering.errors import LetteringError

FontFile = str | bytes
"""Where a font file lies, or what is in it."""

SHIPPED = SHIPPED_FONT
_COLLECTION = ("manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc")
_SPARE = (
    ("NotoEmoji[wght].ttf", 0.8, 0.1),  # its glyphs are 1.27 em wide, and lower than Chinese
    ("NotoSansSymbols[wght].ttf", 1.0, 0.0),
    ("NotoSans[wght].ttf", 1.0, 0.0),
)
"""File, scale and lift of the fonts that have what the Chinese one lacks; all are under the OFL, like it."""
_AXIS: Mapping[Weight, int] = {"regular": 400, "medium": 500, "bold": 700, "black": 900}
_THICKENED: Mapping[Weight, float] = {"regular": 0, "medium": 0.01, "bold": 0.022, "black": 0.035}
"""Ems by which the outline of a font that has one weight grows to look heavier."""
_PROBE = 200
"""Pixels per em where glyphs are measured: to half a hundredth of an em."""
_NOWHERE = "\U0010ffff"  # never a character, so every font shows its sign for missing ones
_OPENED = 8
"""Open fonts that a thread keeps; each is 1.3 MB."""


class Ink(NamedTuple):
    """Where a glyph has ink, in ems right of its start and below its baseline: above it is negative."""

    left: float
    top: float
    right: float
    bottom: float


NO_INK = Ink(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a font file."""

    source: FontFile
    index: int = 0
    scale: float = 1.0
    lift: float = 0.0
    """Ems by which its glyphs are raised."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character in the face that has it; lengths in ems."""

    character: str
    face: Face
    weight: Weight
    advance: float
    ink: Ink
    thickened: float = 0.0

    def font(self, size: float) -> ImageFont.FreeTypeFont:
        """Its font, open at a size in pixels; of this thread only."""
        return _opened(self.face, round(size * self.face.scale, 2), self.weight)


@dataclass(frozen=True, slots=True)
class Fonts:
    """The shipped fonts, and those passed in by name."""

    files: Mapping[str, FontFile] = field(default_factory=lambda: MappingProxyType({}))

    def faces(self, name: str = "") -> tuple[Face, ...]:
        """A font by its name (empty: the shipped one), then those that are asked for what it lacks."""
        if not name or name == SHIPPED:
            return _shipped()
        if name not in self.files:
            known = "、".join(sorted({SHIPPED, *self.files}))
            raise ConfigError(
                f"there is no font {name!r}; name one of {known}, or add its file to the configured fonts",
                zh=f"没有名为“{name}”的字体；请改用 {known} 之一，或在配置中添加该字体文件",
                code="font_unknown",
            )
        return (_own_face(name, self.files[name]), *_shipped())

    def glyph(self, character: str, name: str = "", weight: Weight = "regular") -> Glyph:
        """A character in the first face that has it; ``LetteringError`` if it cannot be drawn."""
        found = self._found(character, name, weight)
        if found is None:
            self.check(character, name)
            raise AssertionError(character)  # what cannot be found does not pass the check
        return found

    def check(self, text: str, name: str = "", *, where: str = "") -> None:
        """Raise ``LetteringError`` with every character that no font has, or that cannot stand alone (Arabic, joined emoji).

        Newlines are not drawn, so they pass. *where* says in the message whose text it is.
        """
        characters = [each for each in dict.fromkeys(text) if each != "\n"]
        joined = [each for each in characters if not _stands_alone(each)]
        missing = [each for each in characters if self._found(each, name, "regular") is None]
        place, place_zh = (f"{where}: ", f"{where}：") if where else ("", "")
        if joined:
            told = ", ".join(map(_named, joined))
            raise LetteringError(
                f"{place}{told} only shows right joined to its neighbours, which text on pictures is not; write it otherwise",
                zh=f"{place_zh}字符 {told} 必须与相邻字符连写，图片文字不支持；请改用其他写法",
                code="glyph_joined",
            )
        if missing:
            told = ", ".join(map(_named, missing))
            raise LetteringError(
                f"{place}no font has the character {told}; write it otherwise, or name a font that has it",
                zh=f"{place_zh}所有字体都没有字符 {told}；请改用其他写法，或指定含有该字的字体",
                code="glyph_missing",
            )

    def _found(self, character: str, name: str, weight: Weight) -> Glyph | None:
        if not _stands_alone(character):
            return None
        glyphs = (_measured(face, character, weight) for face in self.faces(name))
        return next((glyph for glyph in glyphs if glyph is not None), None)


def _named(character: str) -> str:
    """A character, its code point and its name: one that cannot be shown cannot be told by its looks."""
    name = unicodedata.name(character, "")
    return f"{character} (U+{ord(character):04X}{' ' if name else ''}{name})"


def _stands_alone(character: str) -> bool:
    """Whether a glyph per character shows it right, without an engine that shapes text.

    Pillow has such an engine only where FriBiDi is installed, and a picture must not depend on that.
    """
    point = ord(character)
    return not (
        unicodedata.category(character) in {"Mn", "Mc", "Me"}
        or unicodedata.bidirectional(character) in {"R", "AL", "AN"}
        or point == 0x200D  # noqa: PLR2004 - the joiner of emoji
        or 0x1F1E6 <= point <= 0x1F1FF  # noqa: PLR2004 - flags are pairs of these
        or 0x0900 <= point <= 0x109F  # noqa: PLR2004 - the scripts of India, Thai, Lao, Tibetan, Myanmar
        or 0x1780 <= point <= 0x17FF  # noqa: PLR2004 - Khmer
    )


@lru_cache(maxsize=1)
def _shipped() -> tuple[Face, ...]:
    collection = str(files(_COLLECTION[0]) / _COLLECTION[1])
    index = _face_index(collection, lambda family: family == SHIPPED)
    if index is None:
        raise ConfigError(
            f"{collection} lacks the face {SHIPPED}; install the package {_COLLECTION[0]} again",
            zh=f"{collection} 中没有 {SHIPPED} 字形；请重新安装 {_COLLECTION[0]}",
            code="font_broken",
        )
    spare = files("manimgx_fonts")
    return (
        Face(collection, index),
        *(Face(str(spare / name), 0, scale, lift) for name, scale, lift in _SPARE),
    )


def _own_face(name: str, source: FontFile) -> Face:
    """Of a collection the Simplified Chinese face, else the first."""
    try:
        index = _face_index(source, lambda family: family.endswith((" SC", " CN")))
        return Face(source, index or 0)
    except OSError as error:
        raise ConfigError(
            f"the font {name!r} cannot be read; replace its file by a TrueType or OpenType font",
            zh=f"无法读取字体“{name}”；请换成 TrueType 或 OpenType 字体文件",
            code="font_broken",
        ) from error


@lru_cache(maxsize=32)
def _families(source: FontFile) -> tuple[str, ...]:
    """What the faces of a font file are called."""
    families = [_truetype(source, 0).getname()[0] or ""]
    while True:
        try:
            families.append(_truetype(source, len(families)).getname()[0] or "")
        except OSError:  # past the last face
            return tuple(families)


def _face_index(source: FontFile, is_wanted: Callable[[str], bool]) -> int | None:
    return next((index for index, family in enumerate(_families(source)) if is_wanted(family)), None)


def _truetype(source: FontFile, index: int, size: float = _PROBE) -> ImageFont.FreeTypeFont:
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    return ImageFont.truetype(file, size, index=index, layout_engine=ImageFont.Layout.BASIC)


_of_thread = threading.local()


def _opened(face: Face, size: float, weight: Weight) -> ImageFont.FreeTypeFont:
    """A font, from those this thread has open: FreeType forbids to share one."""
    if not hasattr(_of_thread, "open"):
        _of_thread.open = lru_cache(maxsize=_OPENED)(_open)
    font: ImageFont.FreeTypeFont = _of_thread.open(face, size, weight)
    return font


def _open(face: Face, size: float, weight: Weight) -> ImageFont.FreeTypeFont:
    font = _truetype(face.source, face.index, size)
    axes = _axes(face)
    if _weight_axis(axes) is not None:
        font.set_variation_by_axes([_along(axis, weight) for axis in axes])
    return font


def _along(axis: Mapping[str, Any], weight: Weight) -> float:
    if not _is_weight(axis):
        return float(axis["default"])
    return float(min(max(_AXIS[weight], axis["minimum"]), axis["maximum"]))


@lru_cache(maxsize=64)
def _axes(face: Face) -> tuple[Mapping[str, Any], ...]:
    """What varies in a variable font; nothing in others."""
    try:
        return tuple(_truetype(face.source, face.index).get_variation_axes())
    except OSError:
        return ()


def _is_weight(axis: Mapping[str, Any]) -> bool:
    return bytes(axis["name"] or b"").lower() == b"weight"


def _weight_axis(axes: tuple[Mapping[str, Any], ...]) -> Mapping[str, Any] | None:
    return next((axis for axis in axes if _is_weight(axis)), None)


class _Shown(NamedTuple):
    """What a face shows of a character, in pixels from the start of its baseline."""

    ink: tuple[int, int, int, int] | None
    pixels: bytes


@lru_cache(maxsize=64)
def _missing(face: Face, weight: Weight) -> _Shown:
    """What a face shows for a character it lacks."""
    return _shown(face, _NOWHERE, weight)


def _shown(face: Face, character: str, weight: Weight) -> _Shown:
    font = _opened(face, _PROBE, weight)
    left, top, right, bottom = font.getbbox(character, anchor="ls")
    x, y = 1 - math.floor(min(left, 0)), 1 - math.floor(min(top, 0))
    canvas = Image.new("L", (x + math.ceil(max(right, 0)) + 1, y + math.ceil(max(bottom, 0)) + 1))
    ImageDraw.Draw(canvas).text((x, y), character, 255, font, anchor="ls")
    box = canvas.getbbox()
    if box is None:
        return _Shown(None, b"")
    return _Shown((box[0] - x, box[1] - y, box[2] - x, box[3] - y), canvas.crop(box).tobytes())


@lru_cache(maxsize=20_000)
def _measured(face: Face, character: str, weight: Weight) -> Glyph | None:
    """A character as a face has it; nothing if it shows its sign for missing ones."""
    shown = _shown(face, character, weight)
    if not character.isspace() and shown == _missing(face, weight):
        return None
    unit = face.scale / _PROBE
    advance = _opened(face, _PROBE, weight).getlength(character) * unit
    thickened = 0.0 if _weight_axis(_axes(face)) else _THICKENED[weight]
    ink = NO_INK
    if shown.ink is not None:
        left, top, right, bottom = (length * unit for length in shown.ink)
        ink = Ink(
            left - thickened,
            top - thickened - face.lift,
            right + thickened,
            bottom + thickened - face.lift,
        )
    return Glyph(character, face, weight, advance, ink, thickened)
