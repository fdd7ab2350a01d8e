"""Pictures that were fetched, named by their bytes, and a note for each web address of what it gave."""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from catalog_imagegen.adapters.files import TEMPORARY
from catalog_imagegen.adapters.photos.content import BROKEN, VERSION, TooManyPixelsError, kind_of, prepared
from catalog_imagegen.adapters.reports.projection import write_soon
from catalog_imagegen.domain.fingerprint import digest
from catalog_imagegen.domain.imaging import Photo

FORMAT = 1
"""Of a note; one of another is not read."""
ABANDONED_S = 86_400.0
"""After so long a file that is being written is of a process that died."""
_NAME = re.compile(r"[0-9a-f]{64}\.[a-z]{3,4}")


@dataclass(frozen=True, slots=True)
class Marks:
    """What a server gave with a picture, for asking whether it is another."""

    answered_by: str
    """The address that gave it, to which the catalog's was redirected: its marks are nobody else's."""
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What an address gave when it was asked last."""

    url: str
    marks: Marks
    checked_at: float
    picture: str
    """File name: the sha-256 of the bytes as they came, and their extension."""
    size: int
    photo: Photo
    version: int = VERSION
    """Of what was made of the picture."""
    format: int = FORMAT


_NOTES = TypeAdapter(Note)


class Cache:
    """A folder that may be deleted at any time.

    Each address has a note of its own in ``index/``, so two processes that fetch at once lose nothing to each other,
    and whatever a kill leaves behind spoils one note: that picture is fetched again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_swept = False

    def note(self, url: str) -> Note | None:
        """What is known of an address, if the picture is there too."""
        with suppress(OSError, ValueError):
            note = _NOTES.validate_json(self._place(url).read_bytes())
            if (note.format, note.url) == (FORMAT, url) and _NAME.fullmatch(note.picture):
                is_whole = self.path(note).stat().st_size == note.size
                return self._current(note) if is_whole else None
        return None

    def keep(self, url: str, content: bytes, photo: Photo, marks: Marks, now: float) -> Note:
        """Keep a picture, then the note that names it. Raises StorageFull or ConfigError."""
        self._sweep()
        name = f"{digest(content)}.{kind_of(content)}"
        note = Note(url=url, marks=marks, checked_at=now, picture=name, size=len(content), photo=photo)
        path = self.path(note)
        if not path.is_file() or path.stat().st_size != note.size:
            write_soon(path, content)
        self.write(note)
        return note

    def write(self, note: Note) -> None:
        """Replace what is known of an address. Raises StorageFull or ConfigError."""
        write_soon(self._place(note.url), _NOTES.dump_json(note))

    def content(self, note: Note) -> bytes | None:
        """The picture's bytes; None when they are gone, or damaged: then they are dropped, to be fetched again."""
        path = self.path(note)
        with suppress(OSError):
            content = path.read_bytes()
            if digest(content) == path.stem:
                return content
            path.unlink(missing_ok=True)
        return None

    def path(self, note: Note) -> Path:
        """Where the picture is."""
        return self._folder / note.picture

    def _current(self, note: Note) -> Note | None:
        """The note with what this version makes of the picture."""
        if note.version == VERSION:
            return note
        with suppress(*BROKEN, TooManyPixelsError):
            if (content := self.content(note)) is not None:
                return replace(note, photo=prepared(content)[1], version=VERSION)
        return None

    def _place(self, url: str) -> Path:
        return self._folder / "index" / f"{hashlib.sha256(url.encode(errors='replace')).hexdigest()}.json"

    def _sweep(self) -> None:
        """Remove what processes left half-written that died long ago."""
        if self._is_swept:
            return
        self._is_swept = True
        for folder in (self._folder, self._folder / "index"):
            for path in folder.glob(f"{TEMPORARY}*"):
                with suppress(OSError):  # another process does the same
                    if time.time() - path.stat().st_mtime > ABANDONED_S:
                        path.unlink(missing_ok=True)
