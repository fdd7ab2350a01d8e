"""Photos inside zips: listed and read by name, never unpacked to the disk."""

from __future__ import annotations

import logging
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from catalog_imagegen.adapters.photos.content import BROKEN, MAX_BYTES

log = logging.getLogger(__name__)

MAX_MEMBERS = 50_000
MAX_UNPACKED = 20_000_000_000
MAX_RATIO = 100
"""Photos are packed already; a zip that shrank this much holds something else."""
_ENCODINGS = ("utf-8", "gb18030", "cp437")
"""Of names without the mark for UTF-8, as macOS, Chinese Windows and old programs write them."""


@dataclass(slots=True)
class Packed:
    """The zips that were looked into, each opened once."""

    _open: dict[Path, zipfile.ZipFile] = field(default_factory=dict)

    def members(self, path: Path) -> dict[str, int]:
        """Name → size of the files in a zip; none, with a warning, where it is damaged or unsafe."""
        try:
            archive = self._archive(path)
        except (*BROKEN, NotImplementedError) as error:
            log.warning("%s is no zip that can be read (%s); pack the photos again", path, error)
            return {}
        files = [member for member in archive.infolist() if not member.is_dir()]
        unpacked = sum(member.file_size for member in files)
        if (
            len(files) > MAX_MEMBERS
            or unpacked > MAX_UNPACKED
            or unpacked > MAX_RATIO * path.stat().st_size + 1_000_000  # a few tiny files shrink well
        ):
            log.warning(
                "%s is not looked into (%d files, %.0f MB unpacked); unpack it yourself into the folder",
                path,
                len(files),
                unpacked / 1e6,
            )
            return {}
        return {member.filename: member.file_size for member in files}

    def read(self, path: Path, member: str) -> bytes:
        """The bytes of a photo in a zip, or the beginning of one that is too large. Raises one of BROKEN."""
        try:
            with self._archive(path).open(member) as file:
                return file.read(MAX_BYTES + 1)
        except KeyError as error:
            raise FileNotFoundError(member) from error

    def close(self) -> None:
        """Let go of the files."""
        for archive in self._open.values():
            archive.close()
        self._open.clear()

    def _archive(self, path: Path) -> zipfile.ZipFile:
        if path not in self._open:
            for encoding in _ENCODINGS:
                with suppress(UnicodeDecodeError):
                    self._open[path] = zipfile.ZipFile(path, metadata_encoding=encoding)
                    break
        return self._open[path]
