"""Names for headers, by which a catalog is known again whatever its file is called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.columns import plain
from catalog_imagegen.domain.fingerprint import fingerprint

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.grid import Row

VERSION = 1


def header_fingerprint(texts: Iterable[str]) -> str:
    """Name a set of headers, in whatever order, width, case and dressing: 16 hex digits."""
    names = {plain(text).encode(errors="replace").decode() for text in texts if text.strip()}
    return fingerprint("catalog headers", VERSION, sorted(names))[:16]


def fingerprint_of(row: Row) -> str:
    """That of a row, as if it were a header."""
    return header_fingerprint(cell.text for cell in row.cells.values())


def fingerprints(rows: Sequence[Row]) -> frozenset[str]:
    """Those of all rows in which a header may be."""
    return frozenset(map(fingerprint_of, rows))
