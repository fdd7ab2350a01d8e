"""Says whether what was read in a picture is more than a role allows."""

from __future__ import annotations

from collections.abc import Sequence

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
