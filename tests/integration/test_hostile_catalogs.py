"""Hostile catalogs, each read whole: its rows, what is said of it, its pictures, or why it is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.adapters.catalogs import read_catalog
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.errors import CatalogError
from tests.hostile import more_binaries, more_packages, more_pictures, more_texts, more_workbooks
from tests.hostile.catalog import HostileCatalog, Refusal, Shown
from tests.hostile.catalogs import GIVEN
from tests.integration.catalogs_support import COLUMNS

EVERY = (
    *GIVEN,
    *more_texts.VARIATIONS,
    *more_workbooks.VARIATIONS,
    *more_packages.VARIATIONS,
    *more_binaries.VARIATIONS,
    *more_pictures.VARIATIONS,
)

UNCOUNTED = frozenset({"appearance_missing", "encoding_guessed", "sku_cleaned"})
"""Remarks of ours about rows that are read all the same; other tests count them."""

Read = Callable[[HostileCatalog], Reading]


def cases(catalogs: Iterable[HostileCatalog], *aspects: str) -> list[Any]:
    """Each aspect of each catalog."""
    return [
        pytest.param(catalog, aspect, id=f"{catalog.name}-{aspect}")
        for catalog in catalogs
        for aspect in aspects
    ]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Write a catalog under its own name and read it, once for all its tests."""
    outcomes: dict[str, Reading | CatalogError] = {}
    folder = tmp_path_factory.mktemp("hostile")

    def reading(catalog: HostileCatalog) -> Reading:
        if catalog.name not in outcomes:
            outcomes[catalog.name] = outcome(written(catalog, folder))
        found = outcomes[catalog.name]
        if isinstance(found, CatalogError):
            raise found
        return found

    return reading


def outcome(path: Path) -> Reading | CatalogError:
    """What is read, or why nothing is."""
    try:
        return read_catalog(str(path), columns=COLUMNS)
    except CatalogError as error:
        return error


def written(catalog: HostileCatalog, folder: Path) -> Path:
    """The catalog as a file."""
    path = folder / catalog.name
    path.write_bytes(catalog.make())
    return path


def filled(product: Product, kept: Collection[str]) -> dict[str, Any]:
    """Its fields that are not empty, and where it stands; of its images those that are not *kept* from the catalog itself."""
    ignored = {"cells", "extra", "known_digest"}
    values = {field.name: getattr(product, field.name) for field in fields(product)}
    values["images"] = tuple(image for image in product.images if image not in kept)
    return {name: value for name, value in values.items() if value and name not in ignored}


def by_cell(pictures: Iterable[Shown]) -> dict[str, list[tuple[str, str]]]:
    """What each cell shows, the main picture first."""
    cells: dict[str, list[tuple[str, str]]] = {}
    for picture in pictures:
        cells.setdefault(picture.where, []).append((picture.kind, picture.what))
    return cells


def compared(catalog: HostileCatalog, reading: Reading, aspect: str) -> tuple[Any, Any]:
    """What is there of one aspect, and what must be."""
    if aspect == "rows":
        kept = {picture.reference for picture in reading.pictures if picture.sha1}
        return [filled(product, kept) for product in reading.products], [dict(row) for row in catalog.rows]
    if aspect == "pictures":
        found = (Shown(each.where, each.kind, each.sha1 or each.reference) for each in reading.pictures)
        return by_cell(found), by_cell(catalog.pictures)
    issues = ((issue.where, issue.code) for issue in reading.issues if issue.code not in UNCOUNTED)
    return Counter(issues), Counter(catalog.issues)


ACCEPTED = [catalog for catalog in EVERY if catalog.refusal is None]
REFUSED = [catalog for catalog in EVERY if catalog.refusal is not None]


def test_every_catalog_has_a_name_of_its_own() -> None:
    """Two under one name would be one test."""
    names = [catalog.name for catalog in EVERY]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("catalog", "aspect"), cases(ACCEPTED, "rows", "issues", "pictures"))
def test_all_of_it_is_read_and_nothing_else(catalog: HostileCatalog, aspect: str, read: Read) -> None:
    """Every good row with exactly its fields, every issue at its cell, every picture in its cell byte by byte."""
    found, expected = compared(catalog, read(catalog), aspect)
    assert found == expected


@pytest.mark.parametrize("catalog", REFUSED, ids=lambda catalog: catalog.name)
def test_what_must_not_be_read_is_refused(catalog: HostileCatalog, tmp_path: Path) -> None:
    """For its own reason, in two languages, with a suggestion where there is one."""
    refused = outcome(written(catalog, tmp_path))
    assert isinstance(refused, CatalogError)
    assert refused.message_zh != refused.message_en
    words = catalog.refusal.words if catalog.refusal else ""
    told = [getattr(refused, name, "") for name in ("code", "column", "suggestion")]
    assert catalog.refusal == Refusal(told[0], words, *told[1:])
    assert words in refused.message_zh
