"""Read a product catalog, whatever it is kept in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from catalog_imagegen.adapters.catalogs.apart import grids_apart
from catalog_imagegen.adapters.catalogs.archive import look_into
from catalog_imagegen.adapters.catalogs.columns import Columns
from catalog_imagegen.adapters.catalogs.decoding import decode
from catalog_imagegen.adapters.catalogs.files import (
    FileKind,
    existing_file,
    fitting_suffix,
    read_bytes,
    recognise,
)
from catalog_imagegen.adapters.catalogs.grid import Grids
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.mapping import TableMapping
    from catalog_imagegen.adapters.catalogs.reading import Look
    from catalog_imagegen.domain.catalog import Reading

__all__ = ["Columns", "Way", "map_catalog", "read_catalog", "split_location"]


@dataclass(frozen=True, slots=True)
class Way:
    """How a source is read, where it does not tell by itself."""

    table: str = ""
    """A database's table, or a workbook's sheet."""
    query: str = ""
    """A SELECT, for a database."""
    password: str = ""
    """Opens a workbook."""
    encoding: str = ""
    """Of a text."""
    header_row: int | None = None
    """The line of a file that has the header; without it the header is looked for."""
    pictures: Path | None = None
    """The folder in which pictures found inside a workbook are kept; without one they are only told."""


def read_catalog(location: str, *, columns: Columns, way: Way = Way(), look: Look | None = None) -> Reading:
    """Read the products at *location* and everything that is wrong with them.

    *location* is the path of a text table (CSV, TSV), of a workbook (.xlsx, .xlsm, .xlsb, .xls, .et, .ods, a table or
    XML under one of these names) or of a SQLite file, or a SQLAlchemy URL, each with ``#table`` behind it.
    *look* is called with the first rows of every table before it is read, and may raise to end the reading.
    Raises CatalogError when nothing can be read; single bad rows become issues.
    """
    from catalog_imagegen.adapters.catalogs.reading import read_grids  # noqa: PLC0415  # not where workbooks are parsed

    with opened(location, columns=columns, way=way) as grids:
        return read_grids(grids, columns, header_row=way.header_row, look=look)


def map_catalog(
    location: str, *, columns: Columns, way: Way = Way(), look: Look | None = None
) -> tuple[TableMapping, ...]:
    """What each header of each table means, and what those may mean that are not known. Raises CatalogError."""
    from catalog_imagegen.adapters.catalogs.mapping import map_grids  # noqa: PLC0415  # only here

    with opened(location, columns=columns, way=way) as grids:
        return map_grids(grids, columns, header_row=way.header_row, look=look)


@contextmanager
def opened(location: str, *, columns: Columns, way: Way) -> Iterator[Grids]:
    """The tables at *location*, which are read as they are asked for. Raises CatalogError."""
    if "://" in location:
        from catalog_imagegen.adapters.catalogs.database import read_database  # noqa: PLC0415  # slow to import

        yield read_database(location, table=way.table, query=way.query, columns=columns)
        return
    path, table = split_location(location, way.table)
    file = _File(existing_file(path), columns, replace(way, table=table))
    data = read_bytes(file.path)
    if recognise(data, file.name) in ("csv", "sqlite"):
        yield file.grids(data)
        return
    with grids_apart(_File.grids, file, name=file.name) as grids:
        yield grids


def split_location(location: str, table: str = "") -> tuple[Path, str]:
    """Take ``#table`` off a path, unless a file is really called so."""
    path = Path(location).expanduser()
    head, mark, tail = location.rpartition("#")
    if mark and not path.exists() and Path(head).expanduser().exists():
        return Path(head).expanduser(), table or tail
    return path, table


@dataclass(frozen=True, slots=True)
class _File:
    """A file and how it is to be read. Its readers are imported where they are needed: they take longer than most catalogs."""

    path: Path
    columns: Columns
    way: Way

    def grids(self, data: bytes | None = None) -> Grids:
        """Its grids, by what it holds (*data*, if that was read already) and not by what it is called."""
        data = read_bytes(self.path) if data is None else data
        kind = recognise(data, self.name)
        if kind == "ole2":
            from catalog_imagegen.adapters.catalogs.encrypted import decrypted  # noqa: PLC0415  # slow to import

            data = decrypted(data, name=self.name, password=self.way.password)
            kind = recognise(data, self.name)
            kind = "xls" if kind == "ole2" else kind
        kind = look_into(data, self.name) if kind == "xlsx" else kind
        if kind == "xlsx":
            from catalog_imagegen.adapters.answers.removal import without_answer  # noqa: PLC0415  # slow to import

            data = without_answer(data)  # what we added to an answer that is dropped again is not the shop's
        grids = self._grids(data, kind)
        if fitting_suffix(kind, self.path.suffix):
            return grids
        mismatch = issue("format_mismatch", "file", kind=kind, suffix=self.path.suffix)
        return grids.noting(mismatch)

    @property
    def name(self) -> str:
        """As messages call it."""
        return self.path.name

    def _grids(self, data: bytes, kind: FileKind) -> Grids:
        way = self.way
        if kind == "sqlite":
            from catalog_imagegen.adapters.catalogs.database import read_sqlite_file  # noqa: PLC0415  # slow to import

            return read_sqlite_file(self.path, table=way.table, query=way.query, columns=self.columns)
        if way.query or (way.table and kind == "csv"):
            self._refuse_no_database()
        return self._texts(data, kind) if kind in ("csv", "html", "xml") else self._sheets(data, kind)

    def _texts(self, data: bytes, kind: FileKind) -> Grids:
        decoded = decode(data, name=self.name, columns=self.columns, encoding=self.way.encoding)
        if kind == "csv":
            from catalog_imagegen.adapters.catalogs.csv_file import read_text_table  # noqa: PLC0415  # slow to import

            grids = read_text_table(decoded.text, name=self.name, columns=self.columns)
        elif kind == "xml":
            from catalog_imagegen.adapters.catalogs.xml_2003 import read_xml_2003  # noqa: PLC0415  # slow to import

            grids = read_xml_2003(decoded.text, name=self.name, sheet=self.way.table)
        else:
            from catalog_imagegen.adapters.catalogs.html_table import read_html  # noqa: PLC0415  # slow to import

            grids = read_html(decoded.text, name=self.name, sheet=self.way.table)
        return grids.noting(*decoded.issues)

    def _sheets(self, data: bytes, kind: FileKind) -> Grids:
        from catalog_imagegen.adapters.catalogs.embedded import PictureShelf  # noqa: PLC0415  # slow to import

        sheet, shelf = self.way.table, PictureShelf(self.way.pictures)
        if kind == "xlsx":
            from catalog_imagegen.adapters.catalogs.workbook import read_workbook  # noqa: PLC0415  # slow to import

            return read_workbook(data, name=self.name, sheet=sheet, shelf=shelf)
        if kind == "xls":
            from catalog_imagegen.adapters.catalogs.xls import read_xls  # noqa: PLC0415  # slow to import

            return read_xls(data, name=self.name, sheet=sheet, shelf=shelf)
        if kind == "xlsb":
            from catalog_imagegen.adapters.catalogs.binary_workbook import read_binary_workbook  # noqa: PLC0415  # slow

            return read_binary_workbook(data, name=self.name, sheet=sheet)
        from catalog_imagegen.adapters.catalogs.open_document import read_open_document  # noqa: PLC0415  # slow

        return read_open_document(data, name=self.name, sheet=sheet, shelf=shelf)

    def _refuse_no_database(self) -> NoReturn:
        what, what_zh = ("query", "查询语句") if self.way.query else ("table", "表名")
        raise CatalogError(
            f"{self.name} is no database, so it has no {what}; leave that out",
            zh=f"{self.name} 不是数据库，不能使用{what_zh}；请去掉",
            code="not_a_database",
        )
