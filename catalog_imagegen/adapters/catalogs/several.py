"""Several files that make up one source, read as one catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs.duplicates import without_duplicates
from catalog_imagegen.adapters.catalogs.files import catalog_suffixes
from catalog_imagegen.domain.catalog import Issue, Reading
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns

_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Joined:
    """What the files of a source say together."""

    reading: Reading
    is_whole: bool
    """Whether every file could be read."""


def files_of(path: Path) -> list[Path] | None:
    """The catalogs in a folder or under a pattern such as ``drop/*.xlsx``, by name; None for the path of one file.

    Raises CatalogError (``source_empty``) where there is none: an empty folder must not empty a shop.
    """
    if path.is_dir():
        found = [file for file in path.iterdir() if file.suffix.lower() in catalog_suffixes()]
    elif _PATTERN & set(str(path)) and not path.exists():
        parts = path.parts
        first = next(place for place, part in enumerate(parts) if _PATTERN & set(part))
        found = list(Path(*parts[:first]).glob(str(Path(*parts[first:]))))
    else:
        return None
    files = sorted(file for file in found if file.is_file() and not file.name.startswith(("~$", ".")))
    if not files:
        raise CatalogError(
            f"there is no catalog in {path}; put one there, or correct the path of the source in config/app.toml",
            zh=f"{path} 中没有商品资料文件；请放入文件，或在 config/app.toml 中更正该数据源的路径",
            code="source_empty",
        )
    return files


def joined(read: Mapping[str, Reading | CatalogError], columns: Columns) -> Joined:
    """Put the readings of files together, by name; places begin with the file's name.

    A file that cannot be read is an issue, unless none can: then the first one's error is raised. Where two files
    contradict each other the earlier one holds, as with sheets.
    """
    good = {name: reading for name, reading in read.items() if isinstance(reading, Reading)}
    bad = {name: error for name, error in read.items() if isinstance(error, CatalogError)}
    if not good:
        raise next(iter(bad.values()))
    products = [
        product.standing_at(f"{name}:{product.where}")
        for name, reading in good.items()
        for product in reading.products
    ]
    kept, more = without_duplicates(products, is_row_number=columns.is_row_number)
    issues = [
        replace(issue, where=f"{name}:{issue.where}")
        for name, reading in good.items()
        for issue in reading.issues
    ]
    issues += [Issue(name, e.code, "error", e.message_zh, e.message_en) for name, e in bad.items()]
    pictures = tuple(chain.from_iterable(reading.pictures for reading in good.values()))
    return Joined(Reading(kept, (*issues, *more), pictures), is_whole=not bad)
