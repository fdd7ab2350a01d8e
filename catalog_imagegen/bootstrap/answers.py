"""The answer to a catalog: the merchandiser's own table again, with what became of each row."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

from xlsxwriter import Workbook

from catalog_imagegen.adapters.answers.annotate import annotate
from catalog_imagegen.adapters.answers.content import titles
from catalog_imagegen.adapters.answers.standing import answers_of
from catalog_imagegen.adapters.catalogs import Columns, Way
from catalog_imagegen.adapters.reports.thumbnails import Thumbnails
from catalog_imagegen.bootstrap.house import House
from catalog_imagegen.bootstrap.reports import gather
from catalog_imagegen.config import load_columns
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import CatalogError
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.language import Language

_LONGEST_NAME = 200
"""In bytes; file systems take 255."""
_SIDE = 176
"""Of a thumbnail in pixels; it floats in one cell."""


def answer_name(name: str, words: Language) -> str:
    """What the answer to a catalog is called, always a workbook: after its whole name, for others differ in the extension only."""
    path = Path(name)
    suffix = ".xlsm" if path.suffix.lower() == ".xlsm" else ".xlsx"
    stem = path.name.encode(errors="replace")[:_LONGEST_NAME].decode(errors="ignore")
    return f"{stem}.{words.pick('answer', '结果')}{suffix}"


def refusal(error: CatalogError) -> bytes:
    """The answer to a file that could not be read: a workbook with the reason in both languages."""
    made = BytesIO()
    with Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("结果")
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet.set_column(0, 0, 90)
        for row, text in enumerate((error.message_zh, error.message_en, error.code)):
            sheet.write_string(row, 0, text, wrapped)
    return made.getvalue()


def answer(
    house: House, reading: Reading, content: bytes, *, name: str, place: Path, words: Language
) -> bytes:
    """A catalog's own *content*, annotated from how its products stand now; *place* is where the answer will lie."""
    output = house.workspace.output
    view = gather(house, output, skus={product.sku for product in reading.products})
    shown = {
        sku.product.sku: next((file.render for listing in sku.listings for file in listing.files), None)
        for sku in view.skus
    }
    names = {Digest(name) for name in shown.values() if name is not None}
    small = Thumbnails(house.workspace.data / "thumbnails", house.services.blobs).all(names, _SIDE)
    way = os.path.relpath(output.resolve(), place.resolve().parent).replace(os.sep, "/")
    rows, cells = answers_of(
        reading,
        view.skus,
        words,
        base=f"{way}/",
        thumbnails={sku: small[name] for sku, name in shown.items() if name is not None and name in small},
    )
    return annotate(
        content,
        name=name,
        rows=rows,
        cells=cells,
        words=titles(words),
        header_rows=reading.header_rows,
        columns=Columns.from_toml(load_columns(house.workspace)),
        way=Way(),
    )
