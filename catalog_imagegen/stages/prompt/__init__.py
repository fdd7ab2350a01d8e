"""Turns a product and an item into prompt text with sandboxed Jinja templates."""

from catalog_imagegen.stages.prompt.book import DIVIDER, PromptBook, PromptError, Vocabulary, Written
from catalog_imagegen.stages.prompt.texts import MAX_CHARACTERS, drawn, sanitise

__all__ = [
    "DIVIDER",
    "MAX_CHARACTERS",
    "PromptBook",
    "PromptError",
    "Vocabulary",
    "Written",
    "drawn",
    "sanitise",
]
