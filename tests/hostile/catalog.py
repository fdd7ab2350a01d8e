"""What a hostile catalog is called, how it is made and what must be read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Fields = Mapping[str, Any]
"""The fields of a product that are not empty, and ``where`` it stands; everything else must be empty."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error with which a whole file is refused."""

    code: str
    words: str = ""
    """Stand somewhere in its Chinese message."""
    column: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that a cell shows or names."""

    where: str
    kind: str
    what: str
    """The SHA-1 of its bytes; where only its address or path is known, that, which is then among the images of its row."""


@dataclass(frozen=True, slots=True)
class HostileCatalog:
    """One file. Its rows, issues and pictures are complete: nothing else may be read from it or said of it."""

    name: str
    make: Callable[[], bytes]
    why: str
    rows: Sequence[Fields] = ()
    issues: Sequence[tuple[str, str]] = ()
    """Where, and the code; in any order."""
    refusal: Refusal | None = None
    pictures: Sequence[Shown] = field(default=())
    """In any order of cells; in one cell the main picture comes first."""


def row(where: str, sku: str, name: str, **fields: Any) -> Fields:
    """The fields of one row that must be read."""
    return {"where": where, "sku": sku, "name": name, **fields}
