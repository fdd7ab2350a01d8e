"""Pictures found inside a workbook: kept by their content, and given to the rows that they belong to."""

from __future__ import annotations

import hashlib
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from catalog_imagegen.adapters.catalogs.grid import SheetNaming
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.adapters.catalogs.pictures.found import UNREADABLE
from catalog_imagegen.adapters.reports.projection import write_soon
from catalog_imagegen.domain.catalog import CatalogPicture, Issue

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.layout import Area, Place
    from catalog_imagegen.adapters.catalogs.pictures.found import SheetPicture, SheetPictures
    from catalog_imagegen.adapters.catalogs.sheets import Sheet

FOLDER = "data/pictures"
"""Of the workspace."""
_KEPT_AS_THEY_ARE = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "DIB")
_MAX_PIXELS = 40_000_000
_MOST_REPEATED = 50
"""Pictures of a merged cell that also its other rows have."""


@dataclass(frozen=True, slots=True)
class PictureShelf:
    """Where pictures are kept; without a folder they only get their names."""

    folder: Path | None = None

    def keep(self, content: bytes) -> str | None:
        """What a product's photo is called from now on; None for bytes that are no picture we can use."""
        usable = _usable(content)
        if usable is None:
            return None
        kept, extension = usable
        name = f"{hashlib.sha256(kept).hexdigest()}.{extension}"
        if self.folder is not None and not _is_there(self.folder / name, len(kept)):
            write_soon(self.folder / name, kept)
        return f"{FOLDER}/{name}"


def _is_there(path: Path, size: int) -> bool:
    """Whether a file was kept whole: a power cut leaves shorter ones."""
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _usable(content: bytes) -> tuple[bytes, str] | None:
    """The bytes and their extension, as PNG where no server reads the format; None where nobody here does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.init()  # or formats are unknown that were not needed yet
            image = Image.open(BytesIO(content), formats=_FORMATS)
            if image.width * image.height > _MAX_PIXELS:
                return None
            if extension := _KEPT_AS_THEY_ARE.get(image.format or ""):
                return content, extension
            made = BytesIO()
            image.convert("RGBA" if image.has_transparency_data else "RGB").save(made, "PNG")
            return made.getvalue(), "png"
    except (SyntaxError, Image.DecompressionBombError, *UNREADABLE):
        return None


@dataclass(frozen=True, slots=True)
class _Tall:
    """A merged cell, whose pictures all of its rows have. There may be a million: they are not written out."""

    top: int
    column: int
    bottom: int
    pictures: tuple[CatalogPicture, ...]


class PlacedPictures:
    """The pictures of one sheet by the rows they belong to; each row is asked for once."""

    def __init__(
        self,
        found: SheetPictures,
        *,
        title: str,
        merged: Sequence[Area],
        shelf: PictureShelf,
        values: Mapping[Place, str] | None = None,
    ) -> None:
        self._naming = SheetNaming(title)
        self._shelf = shelf
        self._values = values or {}
        self._known: dict[int, tuple[str, str] | None] = {}
        self.issues: list[Issue] = [self._told(code, place) for code, place in found.troubles]
        self._rows: dict[int, dict[int, list[CatalogPicture]]] = {}
        self._reaching: dict[int, _Tall] = {}
        """Column → the merged cell that the last row asked for is part of."""
        self._told_cells = {place for _, place in found.troubles if place is not None}
        for picture in found.pictures:
            self._place(picture)
        self._tall = list(self._reaching_down(merged))
        self._tall_in: dict[int, list[_Tall]] = {}
        for tall in self._tall:
            self._tall_in.setdefault(tall.column, []).append(tall)

    @property
    def has_more(self) -> bool:
        """Whether any row still to be asked for has pictures."""
        return bool(self._rows or self._tall or self._reaching)

    def explains(self, place: Place) -> bool:
        """Whether it is known what picture a cell shows, or why not."""
        row, column = place
        if place in self._told_cells or column in self._rows.get(row, {}):
            return True
        talls = self._tall_in.get(column, ())
        at = bisect_left(talls, -row, key=lambda tall: -tall.top)
        return at < len(talls) and row <= talls[at].bottom

    def take(self, row: int) -> Mapping[int, tuple[CatalogPicture, ...]]:
        """Column → the pictures of this row, which is below those that were asked for before."""
        found = {column: tuple(pictures) for column, pictures in self._rows.pop(row, {}).items()}
        while self._tall and self._tall[-1].top < row:
            reaching = self._tall.pop()
            self._reaching[reaching.column] = reaching
        for column, reaching in list(self._reaching.items()):
            if row > reaching.bottom:
                del self._reaching[column]
            else:
                found[column] = (*reaching.pictures, *found.get(column, ()))
        return found

    def left_over(self) -> Iterable[Issue]:
        """An issue for each picture that lies where no row is."""
        for row, columns in sorted(self._rows.items()):
            for column, pictures in columns.items():
                if any(picture.kind != "url" for picture in pictures):
                    yield issue("picture_outside_table", self._naming.cell(row, column))

    def _told(self, code: str, place: Place | None) -> Issue:
        return issue(code, self._naming.cell(*place) if place is not None else self._naming.sheet)

    def _reaching_down(self, merged: Sequence[Area]) -> Iterator[_Tall]:
        """The merged cells with pictures, the lowest one first."""
        found = {
            (area.top, area.left): area.bottom
            for area in merged
            if area.bottom > area.top and area.left in self._rows.get(area.top, {})
        }
        for (top, column), bottom in sorted(found.items(), reverse=True):
            yield _Tall(top, column, bottom, tuple(self._rows[top][column][:_MOST_REPEATED]))

    def _place(self, picture: SheetPicture) -> None:
        if picture.place is None:
            return
        row, column = picture.place
        where = self._naming.cell(row, column)
        address = self._values.get(picture.cell, "").strip() if picture.cell is not None else picture.address
        if picture.content:
            kept = self._kept(picture.content)
            if kept is None:
                self.issues.append(issue("image_format_unknown", where))
                self._told_cells.add(picture.place)
                return
            made = CatalogPicture(where, picture.kind, kept[1], kept[0])
        elif address:
            made = CatalogPicture(where, picture.kind, "", address)
        else:
            self.issues.append(issue("image_formula_not_literal", where))
            self._told_cells.add(picture.place)
            return
        self._rows.setdefault(row, {}).setdefault(column, []).append(made)

    def _kept(self, content: bytes) -> tuple[str, str] | None:
        """The reference and the sha-1 of a picture; many cells may show the same bytes."""
        if id(content) not in self._known:
            reference = self._shelf.keep(content)
            sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            self._known[id(content)] = (reference, sha1) if reference is not None else None
        return self._known[id(content)]


def with_pictures(sheet: Sheet, found: SheetPictures | None, shelf: PictureShelf) -> Sheet:
    """A sheet with what was found in it."""
    if found is None:
        return sheet
    texts = {place: text for place, (text, _) in sheet.cells.items()}
    placed = PlacedPictures(found, title=sheet.title, merged=sheet.merged, shelf=shelf, values=texts)
    return replace(sheet, pictures=placed)
