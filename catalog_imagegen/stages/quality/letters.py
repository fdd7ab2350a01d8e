"""Says whether what was read in a picture is more than a role allows."""

from __future__ import annotations

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
