"""Tables that are no .xlsx come back as a new workbook, and every reading has its answers."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from catalog_imagegen.adapters.answers.annotate import annotate, answer
from catalog_imagegen.adapters.answers.content import CellAnswer, Link, RowAnswer, titles
from catalog_imagegen.adapters.answers.removal import without_answer
from catalog_imagegen.adapters.answers.standing import answers_of
from catalog_imagegen.adapters.answers.stylesheet import FILLS
from catalog_imagegen.adapters.catalogs import Way, read_catalog
from catalog_imagegen.adapters.reports.wording import wording
from catalog_imagegen.domain.catalog import Issue, Product, Reading
from catalog_imagegen.domain.errors import CatalogError
from catalog_imagegen.language import language
from catalog_imagegen.pipeline.views import ListingView, PictureView, SkuView
from tests.integration.answer_workbooks import check, members
from tests.integration.catalogs_support import COLUMNS, write_xlsx
from tests.integration.picture_workbooks import RED, frame, ods, ods_rows
from tests.integration.workbook_writers import (
    cells_of,
    encrypt,
    ods_table,
    write_html,
    write_ods,
    write_xls,
    write_xlsb,
    write_xml_2003,
    xml_2003_table,
)
from tests.unit.builders import picture_status

ZH = language("zh")
ROWS = (("货号", "商品名称", "颜色"), ("=1+1", "红杯子", "红"), ("00123", "绿杯子", "绿"))


def _csv(path: Path) -> Path:
    path.write_bytes("\r\n".join(",".join(row) for row in ROWS).encode("gb18030"))
    return path


MADE: dict[str, Callable[[Path], Path]] = {
    "商品.csv": _csv,
    "商品.xls": lambda path: write_xls(path, 商品=ROWS),
    "商品.et": lambda path: write_xls(path, 商品=ROWS),
    "商品.ods": lambda path: write_ods(path, 商品=ods_table(ROWS)),
    "商品.xlsb": lambda path: write_xlsb(path, {"商品": cells_of(ROWS)}),
    "网页.xls": lambda path: write_html(path, ROWS),
    "商品.xml": lambda path: write_xml_2003(path, 商品=xml_2003_table(ROWS)),
    "加密.xlsx": lambda path: encrypt(write_xlsx(path, with_formulas=False, 商品=ROWS), "secret"),
}


@pytest.mark.parametrize("name", MADE)
def test_any_table_comes_back_as_a_workbook(name: str, tmp_path: Path) -> None:
    """All texts as they were read, in their rows, with the same columns, colours and comments as any answer."""
    path = MADE[name](tmp_path / name)
    way = Way(password="secret" if name.startswith("加密") else "")
    before = read_catalog(str(path), columns=COLUMNS, way=way)
    rows = [
        RowAnswer(each.where, "已完成", "good", ("很好",), (Link("淘宝", "o/x"),), RED)
        for each in before.products
    ]
    sheet_name = rows[0].where.rpartition("!")[0]
    cells = [CellAnswer(f"{sheet_name}!C3", "太绿", "error")]
    data = path.read_bytes()
    made = annotate(
        data,
        name=name,
        rows=rows,
        cells=cells,
        words=titles(ZH),
        header_rows={sheet_name: 1},
        columns=COLUMNS,
        way=way,
    )
    check(made)
    sheet: Any = load_workbook(BytesIO(made)).worksheets[0]
    assert [[cell.value for cell in row] for row in sheet["A1:E3"]] == [
        [*ROWS[0], "出图状态", "说明与处理"],
        [*ROWS[1], "已完成", "很好"],
        [*ROWS[2], "已完成", "很好"],
    ]
    assert {cell.data_type for row in sheet["A1:E3"] for cell in row} == {"s"}
    assert sheet["C3"].fill.fgColor.rgb == FILLS["error"]
    assert sheet["C3"].comment is not None
    assert len(sheet._images) == 2
    again = tmp_path / "again.xlsx"
    again.write_bytes(without_answer(made))
    after = read_catalog(str(again), columns=COLUMNS)
    assert [(each.sku, each.name, each.color, each.images) for each in after.products] == [
        (each.sku, each.name, each.color, each.images) for each in before.products
    ]


def test_pictures_of_the_table_come_with_it(tmp_path: Path) -> None:
    """They are the same photos when the answer is read as a catalog."""
    text = "<text:p>{}</text:p>".format
    cells = [
        [text("货号"), text("商品名称"), text("图片")],
        [text("A-1"), text("杯子"), frame("Pictures/1.png")],
    ]
    path = tmp_path / "商品.ods"
    path.write_bytes(ods(f'<table:table table:name="商品">{ods_rows(*cells)}</table:table>'))
    before = read_catalog(str(path), columns=COLUMNS)
    made = annotate(
        path.read_bytes(),
        name="商品.ods",
        rows=[RowAnswer("商品!2", "x", "none")],
        cells=[],
        words=titles(ZH),
        columns=COLUMNS,
    )
    again = tmp_path / "again.xlsx"
    again.write_bytes(without_answer(made))
    after = read_catalog(str(again), columns=COLUMNS)
    assert [each.images for each in after.products] == [each.images for each in before.products] != [()]


def test_titles_that_no_workbook_may_have(tmp_path: Path) -> None:
    """A file of a long or forbidden name is a sheet all the same, and its answers find it."""
    name = "2024年[春季]:新品*资料？表/最终版-最终版-最终版-再也不改.csv".replace("/", "_")
    path = _csv(tmp_path / name)
    made = answer(
        path.read_bytes(),
        name=name,
        rows=[RowAnswer(f"{name}!2", "好", "good")],
        cells=[],
        words=titles(ZH),
        columns=COLUMNS,
    )
    assert made.troubles == ()
    check(made.content)
    assert load_workbook(BytesIO(made.content)).worksheets[0]["D2"].value == "好"


def test_an_xlsm_stays_one(tmp_path: Path) -> None:
    """Its macros are a part like any other."""
    path = write_xlsx(tmp_path / "a.xlsx", 商品=ROWS)
    made = annotate(
        path.read_bytes(), name="a.xlsm", rows=[RowAnswer("商品!2", "好", "good")], cells=[], words=titles(ZH)
    )
    types = members(path.read_bytes())["[Content_Types].xml"]
    assert (
        members(made)["[Content_Types].xml"].count(b"sheet.main+xml") == types.count(b"sheet.main+xml") == 1
    )


def test_what_cannot_be_answered_says_so() -> None:
    """Databases have no cells; a damaged workbook is refused as its reader would."""
    for data, code in ((b"SQLite format 3\0", "unknown_format"), (b"PK\x03\x04 x", "corrupt_file")):
        with pytest.raises(CatalogError) as refused:
            answer(data, name="x", rows=[], cells=[], words=titles(ZH), columns=COLUMNS)
        assert refused.value.code == code


def _issue(where: str, code: str = "price_not_number", severity: str = "warning") -> Issue:
    return Issue(where, code, severity, f"{code} 请改", f"{code}: change it", "")  # type: ignore[arg-type]


def test_what_is_said_of_a_reading() -> None:
    """Products have the status of their SKU, refused rows say why; titles and totals are not spoken of."""
    first, second = Product("A-1", "杯子", where="商品!3"), Product("A-2", "壶", where="商品!4")
    issues = (
        _issue("商品!D3"),
        _issue("商品!4", "appearance_missing"),
        _issue("商品!A5", "missing_sku", "error"),
        _issue("商品!6", "duplicate_identical", "note"),
        _issue("商品!A7", "footer_row_skipped", "note"),
        _issue("file", "format_mismatch", "note"),
        _issue("封面", "no_header_found", "note"),
    )
    listing = ListingView("taobao", "淘宝", "taobao/A-1", ("A-1",), 1, ())
    view = SkuView(first, "review", "a", (PictureView(picture_status("draft"), (), ()),), (listing,))
    rows, cells = answers_of(
        Reading((first, second), issues), [view], ZH, base="output/", thumbnails={"A-1": b"x"}
    )
    said = {row.where: (row.status, row.tone) for row in rows}
    assert said == {
        "商品!3": (wording(ZH).statuses["review"], "waiting"),
        "商品!4": ("尚未出图", "none"),
        "商品!5": ("未采用", "bad"),
        "商品!6": ("未采用", "none"),
    }
    assert rows[0].thumbnail == b"x"
    assert rows[0].reasons[0] == "D3：price_not_number 请改"
    assert len(rows[0].reasons) == 2  # and that it waits for review
    assert rows[1].reasons == ("appearance_missing 请改",)
    assert [(cell.where, cell.severity) for cell in cells] == [("商品!D3", "warning"), ("商品!A5", "error")]
    english, _ = answers_of(Reading((), issues), [], language("en"))
    assert (english[-2].status, english[-2].reasons) == ("Not taken", ("A5: missing_sku: change it",))
