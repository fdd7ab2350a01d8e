"""Writes files that can be made again at any time: seen whole, but not brought to the disk at once."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path

from catalog_imagegen.adapters.files import TEMPORARY, explain


def write_soon(path: Path, content: bytes) -> None:
    """Replace a file; after a power cut it may be damaged, which its reader must notice.

    Raises StorageFull or ConfigError.
    """
    temporary = path.parent / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):  # a read-only disk refuses this too
            temporary.unlink(missing_ok=True)
        raise explain(error, path) from error
