"""Says whether what was read in a picture is more than a role allows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from catalog_imagegen.domain.gates import Gates, Stopped
from catalog_imagegen.domain.imaging import TextFound

SURE = 0.8
"""Confidence below which strokes may have been taken for letters."""


def stopped_by_text(found: Sequence[TextFound], gates: Gates) -> Stopped | None:
    """The gate ``text``: more letters and digits than are allowed, as far as they were read surely."""
    if gates.max_letters < 0:
        return None
    texts = [each.text for each in found if each.confidence >= SURE]
    letters = sum(character.isalnum() for text in texts for character in text)
    return Stopped("text", f"{' '.join(texts):.40}") if letters > gates.max_letters else None


def stopped_by_wrong_text(found: Iterable[TextFound], asked: Iterable[str]) -> Stopped | None:
    """The gate ``wrong_text``: one of these texts was not read; however surely, and whatever else was."""
    read = _letters("".join(each.text for each in found))
    missing = [text for text in asked if _letters(text) not in read]
    return Stopped("wrong_text", f"{' '.join(missing):.40}") if missing else None


def _letters(text: str) -> str:
    """Letters and digits alone, whatever their width and case: a line may be read in parts."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
