"""What is wrong with one picture's text."""

from __future__ import annotations

from catalog_imagegen.domain.errors import ItemError


class LetteringError(ItemError):
    """A text cannot be drawn as its box asks; says box, text and what to change."""
