"""Says whether what was read in a picture is more than a role allows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from catalog_imagegen.domain.gates import Gates, Stopped
from catalog_imagegen.domain.imaging import TextFound

SURE = 0.8
"""Confidence below which strokes may have been taken for letters."""
LEAST = 2
"""Letters and digits of a text: a ring is read as O (0.97), the handle of a mug as D (0.90)."""


def surely_read(found: Iterable[TextFound]) -> list[str]:
    """The texts among what was read in a picture, without shapes that were taken for a letter."""
    return [each.text for each in found if each.confidence >= SURE and letters_of(each.text) >= LEAST]


def letters_of(text: str) -> int:
    """How many letters and digits there are in a text."""
    return sum(character.isalnum() for character in text)


def stopped_by_text(found: Sequence[TextFound], gates: Gates) -> Stopped | None:
    """The gate ``text``: more letters and digits than are allowed, as far as they were read surely."""
    if gates.max_letters < 0:
        return None
    texts = surely_read(found)
    letters = sum(letters_of(text) for text in texts)
    return Stopped("text", f"{' '.join(texts):.40}") if letters > gates.max_letters else None


def stopped_by_wrong_text(found: Iterable[TextFound], asked: Iterable[str]) -> Stopped | None:
    """The gate ``wrong_text``: one of these texts was not read; however surely, and whatever else was."""
    read = _letters("".join(each.text for each in found))
    missing = [text for text in asked if _letters(text) not in read]
    return Stopped("wrong_text", f"{' '.join(missing):.40}") if missing else None


def _letters(text: str) -> str:
    """Letters and digits alone, whatever their width and case: a line may be read in parts."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
