"""Drop folders, for the command that watches them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from catalog_imagegen.adapters.drop_folder import DropFolder, Dropped, Outcome
from catalog_imagegen.adapters.ledger.catalog import UNOWNED
from catalog_imagegen.bootstrap.house import House, write_file
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import CatalogError

__all__ = [
    "UNOWNED",
    "DropFolder",
    "Dropped",
    "Outcome",
    "read_dropped",
    "shown_name",
    "shown_path",
    "snapshot",
    "stands",
    "unexpected",
    "unreadable",
    "write_file",
]


def shown_name(path: Path) -> str:
    """A file's name as text; one that was unpacked in another encoding has bytes that are none."""
    return path.name.encode(errors="replace").decode()


def shown_path(path: Path) -> str:
    """The same of a whole path."""
    return str(path).encode(errors="replace").decode()


def read_dropped(dropped: Dropped) -> bytes | None:
    """The content that was seen, or None where the file is gone or holds another by now."""
    with suppress(OSError):
        content = dropped.path.read_bytes()
        if hashlib.sha256(content).hexdigest() == dropped.digest:
            return content
    return None


@contextmanager
def snapshot(house: House, dropped: Dropped, content: bytes) -> Iterator[Path]:
    """A copy of a dropped file under its own name, which nobody edits while it is imported."""
    folder = house.workspace.data / "dropped" / dropped.digest
    path = folder / shown_name(dropped.path)
    write_file(path, content)
    try:
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stands(house: House, reading: Reading) -> bool:
    """Whether every row of a catalog is what the ledger knows of it already."""
    known = house.services.ledger.standings()
    rows = ((known.get(product.sku), product) for product in reading.products)
    return all(row is not None and not row.is_retired and row.digest == p.digest for row, p in rows)


def unreadable(path: Path) -> CatalogError:
    """A file that we may not read."""
    return CatalogError(
        f"{path} cannot be read; check its permissions",
        zh=f"无法读取 {path}；请检查文件权限",
        code="file_unreadable",
    )


def unexpected(name: str, error: Exception) -> CatalogError:
    """A fault of ours that one file shows."""
    return CatalogError(
        f"{name!r} showed a fault of the program ({type(error).__name__}); please report it with the log",
        zh=f"处理 {name!r} 时程序出错（{type(error).__name__}）；请连同日志一起反馈",
        code="bug",
    )
