"""Texts on their way into a prompt and out of a template."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAX_CHARACTERS = 120
"""Longest catalog value that reaches a prompt; Z-Image reads best between 150 and 350 in all."""
REMEMBERED = 20_000
"""Results kept of what is asked again and again: every picture of a product reads the same columns."""

# Straight and curly double quotes and book-title marks ask Z-Image to draw the text between them.
_QUOTES = re.compile('["“”„‟＂「」『』《》〈〉【】<>`]')
_DRAWN = re.compile('"([^"]*)"|“([^”]*)”|「([^」]*)」|『([^』]*)』|《([^》]*)》|【([^】]*)】')
# ComfyUI reads an embedding's file name after white space or at the start, in any case.
_EMBEDDING = re.compile(r"embedding\s*[:：]", re.IGNORECASE)


@lru_cache(maxsize=REMEMBERED)
def sanitise(text: str, *, limit: int = MAX_CHARACTERS) -> str:
    """Catalog text made harmless inside a prompt: one line, no drawing quotes, no embeddings, capped."""
    plain = "".join(
        "" if kind == "Cf" else " " if kind in {"Cc", "Zl", "Zp"} else c
        for c in text
        for kind in [unicodedata.category(c)]
    )
    plain, found = _QUOTES.sub("", plain), 1
    while found:  # removing one may put another together
        plain, found = _EMBEDDING.subn("", plain)
    return " ".join(plain.split())[:limit].strip()


def one_line(text: str) -> str:
    """Templates are laid out for reading; the model gets one line. Chinese needs no joining spaces."""
    joined = "".join(map(str.strip, text.split("\n")))
    return re.sub(r"[ \t]+", " ", joined) if "  " in joined or "\t" in joined else joined


def drawn(prompt: str) -> list[str]:
    """The texts that a prompt asks the model to draw: those in quotation marks, which no catalog value has."""
    return ["".join(filter(None, found)) for found in _DRAWN.findall(prompt)]
