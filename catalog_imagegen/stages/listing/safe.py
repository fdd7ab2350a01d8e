"""Makes any text a file name that every disk keeps as it is."""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_NAME_BYTES = 150
"""Of a SKU, or of another text in a file's name."""
_PLAIN = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_ESCAPED = re.compile("(?:%[0-9A-F]{2})+")


def path_safe(text: str) -> str:
    """A file name for any SKU: reversible and free of collisions on every disk.

    Characters that some disk refuses or folds are percent-encoded. Disks that ignore case would merge
    ``ab`` and ``AB``, so a name with small letters ends in ``~`` and a hexadecimal map of them. Only
    names beyond MAX_NAME_BYTES are cut, and end in a digest instead.
    """
    name = "".join(c if c in _PLAIN or _is_steady(c) else _percent(c) for c in text)
    if _RESERVED.match(name) or name.startswith("."):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if name.endswith("."):
        name = f"{name[:-1]}%2E"
    small = [c.islower() for c in text if c in _PLAIN and c.isalpha()]
    if any(small):
        name += f"~{sum(1 << i for i, is_small in enumerate(small) if is_small):x}"
    return within(MAX_NAME_BYTES, name, of=text)


def within(limit_bytes: int, name: str, *, of: str) -> str:
    """A name, cut if it is too long; then the digest of what it is *of* tells it from others."""
    if len(name.encode()) <= limit_bytes:
        return name
    cut = name.encode()[: limit_bytes - 18].decode(errors="ignore")
    return f"{cut}~~{hashlib.sha256(of.encode()).hexdigest()[:16]}"


def from_path_safe(name: str) -> str:
    """The SKU that ``path_safe`` made *name* of, unless it was cut."""
    return _ESCAPED.sub(lambda m: bytes.fromhex(m[0].replace("%", "")).decode(), name.partition("~")[0])


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())


def _is_steady(character: str) -> bool:
    """Whether every disk keeps this character as it is: a letter without case or composition."""
    return (
        unicodedata.category(character) == "Lo"
        and unicodedata.normalize("NFD", character) == character
        and unicodedata.normalize("NFKC", character) == character
    )
