"""Sets the characters of one line beside each other."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from catalog_imagegen.domain.lettering import Weight
from catalog_imagegen.stages.lettering.fonts import Fonts, Glyph

AUTOSPACE = 0.125
"""Ems between Chinese and Latin letters or digits written without a space: what CSS calls ``text-autospace``."""
_HALF = 0.5
"""Ems of nothing that a full-width punctuation mark can lose (W3C CLREQ 3.1.6: at the ends of lines and beside another mark)."""
_BLANK = 0.45
"""Ems without ink that a mark has beside it where it can lose them."""
_BEARING = 0.06
"""Ems that stay: as much as Chinese characters have beside them, so that the edge of a text is straight."""
_LATIN_SIGNS = frozenset("¥$€£%‰+")
_IDEOGRAPHIC = (
    "CJK UNIFIED",
    "CJK COMPATIBILITY IDEOGRAPH",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "IDEOGRAPHIC ITERATION",
)
_IGNORED = re.compile("[\ufeff\u200b\u2060\u00ad\ufe00-\ufe0f\U000e0100-\U000e01ef\U0001f3fb-\U0001f3ff]")
"""Marks without a look of their own: of widths, of variants, and skin colours, which one-colour emoji lack."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A glyph and where it starts, in ems from the left edge of its line."""

    glyph: Glyph
    x: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is set; lengths in ems, heights from the baseline."""

    text: str
    placed: tuple[Placed, ...]
    width: float
    top: float = 0.0
    bottom: float = 0.0


@dataclass(frozen=True, slots=True)
class Ruler:
    """Sets lines in a font and weight."""

    fonts: Fonts
    font: str = ""
    weight: Weight = "regular"

    def line(self, text: str) -> Line:
        """Set a line; nothing of it has ink outside of its width.

        Raises ``LetteringError`` for a character that no font has.
        """
        glyphs = [self.fonts.glyph(character, self.font, self.weight) for character in text]
        if not glyphs:
            return Line(text, (), 0.0)
        starts, x = [], -_lost_at_start(glyphs[0])
        for glyph, following in zip(glyphs, (*glyphs[1:], None), strict=True):
            starts.append(x)
            x += glyph.advance + (_between(glyph, following) if following else -_lost_at_end(glyph))
        left = min(0.0, *(start + glyph.ink.left for start, glyph in zip(starts, glyphs, strict=True)))
        right = max(x, *(start + glyph.ink.right for start, glyph in zip(starts, glyphs, strict=True)))
        placed = tuple(Placed(glyph, start - left) for start, glyph in zip(starts, glyphs, strict=True))
        return Line(
            text,
            placed,
            right - left,
            min(glyph.ink.top for glyph in glyphs),
            max(glyph.ink.bottom for glyph in glyphs),
        )

    def width(self, text: str) -> float:
        """How wide a line is, in ems."""
        return self.line(text).width


def prepared(text: str) -> str:
    """A text as it is drawn: composed, its white space newlines and spaces, marks without looks left out."""
    text = _IGNORED.sub("", unicodedata.normalize("NFC", text))
    text = re.sub("\r\n|[\r\x0b\x0c\x85\u2028\u2029]", "\n", text)
    spaced = (
        " " if unicodedata.category(each) in {"Cc", "Zs"} and each not in "\n\u3000" else each
        for each in text
    )
    return "\n".join(line.strip(" \u3000") for line in "".join(spaced).split("\n")).strip("\n")


def _between(one: Glyph, other: Glyph) -> float:
    """What is added between two characters of a line, or taken away."""
    if _is_mark(one.character) and _is_mark(other.character):
        return -max(_lost_at_end(one), _lost_at_start(other))
    pair = (_script(one.character), _script(other.character))
    return AUTOSPACE if pair in {("han", "latin"), ("latin", "han")} else 0.0


def _lost_at_start(glyph: Glyph) -> float:
    blank = glyph.ink.left
    return min(_HALF, blank - _BEARING) if _is_mark(glyph.character) and blank >= _BLANK else 0.0


def _lost_at_end(glyph: Glyph) -> float:
    blank = glyph.advance - glyph.ink.right
    return min(_HALF, blank - _BEARING) if _is_mark(glyph.character) and blank >= _BLANK else 0.0


@lru_cache(maxsize=20_000)
def _is_mark(character: str) -> bool:
    """Whether it is a punctuation mark that can be as wide as a Chinese character."""
    return unicodedata.category(character).startswith("P") and (
        unicodedata.east_asian_width(character) in "WF" or character in "“”‘’"
    )


@lru_cache(maxsize=20_000)
def _script(character: str) -> str:
    if character in _LATIN_SIGNS:
        return "latin"
    if unicodedata.name(character, "").startswith(_IDEOGRAPHIC):
        return "han"
    is_narrow = unicodedata.east_asian_width(character) not in "WF"
    return "latin" if character.isalnum() and is_narrow else ""
