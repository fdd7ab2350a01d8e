"""Remembers of which photos a product can be cut out: finding out takes as long as doing it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.reports.projection import write_soon
from catalog_imagegen.domain.errors import CatalogImagegenError, PhotoError
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.pipeline.studio import VERSION, Segment, cut

if TYPE_CHECKING:
    from catalog_imagegen.stages.product import Refusal


class Cuttings:
    """What was found out, by the photo's bytes, beyond this process in *memory*, which may be deleted.

    *by* names what finds products where no plain background tells: another one may succeed where this did not.
    """

    def __init__(self, memory: Path, segment: Segment | None = None, *, by: str = "") -> None:
        self._memory = memory
        self._segment = segment
        self._by = by if segment is not None else ""
        self._known: dict[Digest, str] | None = None
        self._is_changed = False

    def objection(self, name: Digest, content: Callable[[], bytes | None]) -> Refusal | None:
        """What stands against cutting the product out of a photo; None where nothing does.

        Raises PhotoError where it cannot be read now, which is not remembered.
        """
        from catalog_imagegen.stages.product import Refusal  # noqa: PLC0415 - slow to load

        known = self._remembered()
        if name not in known:
            photo = content()
            if photo is None:
                raise PhotoError(
                    "the photo was changed just now, or is gone; run again",
                    zh="照片刚刚被修改或已不在；请重新运行",
                    code="photo_gone",
                )
            found = cut(photo, self._segment)
            known[name] = found.reason if isinstance(found, Refusal) else ""
            self._is_changed = True
        return Refusal(known[name]) if known[name] else None  # type: ignore[arg-type]  # as it was written down

    def close(self) -> None:
        """Write down what was found out."""
        if self._known is not None and self._is_changed:
            with suppress(OSError, CatalogImagegenError):  # the next process finds it out again
                write_soon(self._memory, json.dumps({**self._head(), "photos": self._known}).encode())

    def _head(self) -> dict[str, object]:
        return {"version": VERSION, "by": self._by}

    def _remembered(self) -> dict[Digest, str]:
        if self._known is None:
            self._known = {}
            with suppress(OSError, ValueError, TypeError, KeyError):
                document = json.loads(self._memory.read_bytes())
                if {name: document[name] for name in self._head()} == self._head():
                    self._known |= document["photos"]
        return self._known
