"""What came of reading a file, in one process: a reading, an error with words, or something that must not be."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast
from unittest import mock

from catalog_imagegen.adapters import catalogs
from catalog_imagegen.adapters.catalogs import apart, read_catalog
from catalog_imagegen.adapters.catalogs.grid import Grids
from catalog_imagegen.domain.catalog import Issue, Reading
from catalog_imagegen.domain.errors import CatalogError
from tests.integration.catalogs_support import COLUMNS

READ = "read"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reading ended."""

    code: str
    """READ, or the code of the error."""
    finding: str = ""
    """Why it must not end so."""


def outcome(path: Path) -> Outcome:
    """Read a file as anybody would, and look at all that is read."""
    try:
        return Outcome(READ, _wrong_with(read_catalog(str(path), columns=COLUMNS)))
    except CatalogError as error:
        return Outcome(error.code, _wrong_with_words(error))
    except BaseException as error:  # noqa: BLE001 - exactly these are looked for
        return Outcome(type(error).__name__, traceback.format_exc())


def outcome_here(path: Path) -> Outcome:
    """The same without a process of its own, which takes ten times as long as most files; what is told is packed all the same."""
    with mock.patch.object(catalogs, "grids_apart", _grids_here):
        return outcome(path)


@contextmanager
def _grids_here(read: Callable[..., Grids], *args: Any, name: str) -> Iterator[Grids]:
    answers = apart._Answers(cast("Any", None), cast("Any", _Told(apart._told(read, args))), name)
    yield answers.grids()


class _Told:
    """The end of a pipe that is none."""

    def __init__(self, answers: Iterator[bytes]) -> None:
        self._answers = answers

    def poll(self, _timeout: float) -> bool:
        """Whether there is anything; it comes when it is asked for."""
        return True

    def recv_bytes(self) -> bytes:
        """The next answer."""
        return next(self._answers)


def _wrong_with(reading: Reading) -> str:
    """Every text must be one that can be written down, every place must have a name, every issue its words."""
    for product in reading.products:
        _write(*(getattr(product, field.name) for field in fields(product)), dict(product.cells))
        if not (product.sku and product.name and product.where):
            return f"a product without a SKU, a name or a place: {product}"
    for picture in reading.pictures:
        _write(picture.where, picture.kind, picture.reference)
        if not picture.where or not (picture.sha1 or picture.reference):
            return f"a picture without a place or a content: {picture}"
    return next((f"no words: {said}" for said in reading.issues if not _is_told(said)), "")


def _is_told(said: Issue) -> bool:
    _write(said.message_en, said.message_zh, said.where, said.sku)
    return bool(said.code and said.message_en and said.message_zh and said.where)


def _wrong_with_words(error: CatalogError) -> str:
    _write(error.message_en, error.message_zh)
    is_labelled = error.code.islower() and error.message_zh != error.message_en and error.message_en
    return "" if is_labelled else f"an error without a code or words: {error!r}"


def _write(*values: Any) -> None:
    """Raises UnicodeEncodeError for halves of characters, which neither a file nor a database takes."""
    json.dumps(values, ensure_ascii=False, default=dict).encode()
