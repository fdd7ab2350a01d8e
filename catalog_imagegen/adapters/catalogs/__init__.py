"""Read a product catalog, whatever it is kept in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.columns import Columns
from catalog_imagegen.adapters.catalogs.files import existing_file, fitting_suffix, read_bytes, recognise
from catalog_imagegen.adapters.catalogs.grid import Grids
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.adapters.catalogs.rows import read_grids
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.domain.catalog import Reading

__all__ = ["Columns", "read_catalog"]


def read_catalog(location: str, *, columns: Columns, table: str = "", query: str = "") -> Reading:
    """Read the products at *location* and everything that is wrong with them.

    *location* is the path of a CSV, TSV, XLSX, XLSM or SQLite file or a SQLAlchemy URL, either with ``#table``
    behind it; *table* names a database's table or a workbook's sheet, *query* is a SELECT for a database.
    Raises CatalogError when nothing can be read; single bad rows become issues.
    """
    if "://" in location:
        from catalog_imagegen.adapters.catalogs.database import read_database  # noqa: PLC0415  # slow to import

        return read_grids(read_database(location, table=table, query=query, columns=columns), columns)
    path, table = _split(location, table)
    return read_grids(_read_file(existing_file(path), columns=columns, table=table, query=query), columns)


def _split(location: str, table: str) -> tuple[Path, str]:
    """Take ``#table`` off a path, unless a file is really called so."""
    path = Path(location).expanduser()
    head, mark, tail = location.rpartition("#")
    if mark and not path.exists() and Path(head).expanduser().exists():
        return Path(head).expanduser(), table or tail
    return path, table


def _read_file(path: Path, *, columns: Columns, table: str, query: str) -> Grids:
    data = read_bytes(path)
    kind = recognise(data, path.name)
    # The readers are imported where they are needed: pandas and openpyxl take longer than most catalogs.
    if kind == "sqlite":
        from catalog_imagegen.adapters.catalogs.database import read_sqlite_file  # noqa: PLC0415  # slow to import

        grids = read_sqlite_file(path, table=table, query=query, columns=columns)
    elif query or (table and kind == "csv"):
        raise CatalogError(
            f"{path.name} is no database, so it has no {'query' if query else 'table'}; leave that out",
            zh=f"{path.name} 不是数据库，不能使用{'查询语句' if query else '表名'}；请去掉",
            code="not_a_database",
        )
    elif kind == "xlsx":
        from catalog_imagegen.adapters.catalogs.workbook import read_workbook  # noqa: PLC0415  # slow to import

        grids = read_workbook(data, name=path.name, sheet=table)
    else:
        from catalog_imagegen.adapters.catalogs.csv_file import read_text_table  # noqa: PLC0415  # slow to import

        grids = read_text_table(data, name=path.name, columns=columns)
    if fitting_suffix(kind, path.suffix):
        return grids
    mismatch = issue("format_mismatch", "file", kind=kind, suffix=path.suffix)
    return Grids(grids.grids, (mismatch, *grids.issues))
