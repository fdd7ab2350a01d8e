"""Remembers of which facts the reports were made that stand; forgetting costs nothing but time."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from catalog_imagegen.adapters.reports.projection import write_soon
from catalog_imagegen.domain.errors import CatalogImagegenError


class Stamps:
    """A file of one entry per report: its stamp, and its size and time, by which a foreign hand is seen."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def holds(self, report: Path, stamp: str) -> bool:
        """Whether the report that stands there was made of these facts and nobody touched it since."""
        found = self._read().get(str(report.resolve()))
        return found is not None and found == [stamp, *_look(report)]

    def keep(self, report: Path, stamp: str) -> None:
        """Remember what a report that stands was made of; reports that are gone are forgotten."""
        kept = {path: found for path, found in self._read().items() if Path(path).exists()}
        kept[str(report.resolve())] = [stamp, *_look(report)]
        with suppress(
            OSError, CatalogImagegenError
        ):  # the report stands; the next one is made without being asked for
            write_soon(self._file, json.dumps(kept, indent=1, sort_keys=True).encode())

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _look(report: Path) -> tuple[int, int]:
    try:
        found = report.stat()
    except OSError:
        return (-1, -1)
    return (found.st_size, found.st_mtime_ns)
