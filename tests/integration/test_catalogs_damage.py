"""Damaged and hostile catalogs that the fuzzer of ``tests/fuzz`` has found a way through, one by one."""

from __future__ import annotations

import os
import pickle
import re
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.adapters.catalogs import apart
from catalog_imagegen.adapters.catalogs import reading as reading_module
from catalog_imagegen.adapters.catalogs.apart import _told, _up_to, grids_apart
from catalog_imagegen.adapters.catalogs.grid import Block, Grid, Grids, SheetNaming
from catalog_imagegen.adapters.catalogs.reading import read_grids
from catalog_imagegen.adapters.catalogs.values import date, price
from catalog_imagegen.domain.errors import CatalogError
from tests.fuzz.corpus import members
from tests.hostile.opc import honest, zip_of
from tests.integration import picture_workbooks as new
from tests.integration import picture_workbooks_xls as old
from tests.integration.catalogs_support import COLUMNS, found, inline_row, kept, places, read_file
from tests.integration.workbook_writers import write_ods

pytestmark = pytest.mark.timeout(60)
"""What is quick now took minutes or all memory: that it ends is what most of these tests are about."""

HEADER = inline_row(1, "货号", "商品名称", "颜色")
MARKS = "̧̀" * 100_000
"""Accents that a normal form has in another order, which Python sorts one by one."""


def refusal(path: Path) -> str:
    """The code with which it is refused."""
    with pytest.raises(CatalogError) as caught:
        read_file(path)
    assert caught.value.message_zh != caught.value.message_en
    return caught.value.code


# --- the process apart -----------------------------------------------------------------------------------------------

Panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})


def _panic() -> Grids:
    raise Panic("index out of bounds")


def _print() -> Grids:
    os.write(2, b"stack backtrace")
    return Grids(())


def test_the_panic_of_a_parser_is_the_files_fault() -> None:
    """Parsers in Rust end so where a number leads nowhere."""
    with pytest.raises(CatalogError) as caught, grids_apart(_panic, name="a.xlsx") as grids:
        list(grids.grids)
    assert caught.value.code == "corrupt_file"


def test_what_parsers_print_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """The person who imports a catalog has no use for the stack of a Rust program."""
    with grids_apart(_print, name="a.xlsx") as grids:
        assert list(grids.grids) == []
    assert capfd.readouterr().err == ""


def test_a_process_may_not_tell_more_than_can_be_kept() -> None:
    """One text in a million cells is a small file, and as many texts here."""
    *told, last = _up_to(25, iter([b"x" * 10] * 9))
    assert told == [b"x" * 10] * 2
    assert last == pickle.dumps(MemoryError())
    assert list(_up_to(25, iter([b"x" * 10] * 2))) == [b"x" * 10] * 2


def _tell_for_ever() -> Grids:
    return Grids((Grid(SheetNaming("表"), "表", (Block([1], {0: ["x"]}) for _ in count())),))


def test_a_process_that_never_stops_telling_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """There was always another answer, so it was never asked what time it was."""
    monkeypatch.setattr(apart, "TIMEOUT_S", 3.0)
    with pytest.raises(CatalogError) as caught, grids_apart(_tell_for_ever, name="a.xlsx") as grids:
        deque(block for grid in grids.grids for block in grid.blocks)
    assert caught.value.code == "file_too_slow"


def test_more_rows_than_can_be_kept_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of XML packs into a byte; as a product it takes a thousand."""
    monkeypatch.setattr(apart, "MOST_ROWS", 1000)
    *_, last = _told(_tell_for_ever, ())
    assert last == pickle.dumps(MemoryError())


# --- containers ------------------------------------------------------------------------------------------------------


def test_the_kind_of_an_ods_is_found_however_it_is_spelled(tmp_path: Path) -> None:
    """Its name was compared without case, and then asked for with it."""
    rows = new.ods_rows(
        ["<text:p>货号</text:p>", "<text:p>商品名称</text:p>"], ["<text:p>A</text:p>", "<text:p>杯</text:p>"]
    )
    parts = members(
        write_ods(tmp_path / "a.ods", 商品=rows.replace(' table:style-name="tall"', "")).read_bytes()
    )
    parts["/MIMETYPE"] = parts.pop("mimetype")
    reading = read_file(
        kept(tmp_path / "b.ods", zip_of([honest(name, part) for name, part in parts.items()]))
    )
    assert [product.sku for product in reading.products] == ["A"]


def test_a_row_of_an_ods_is_not_a_million_products(tmp_path: Path) -> None:
    """A kilobyte said so, and each was told to be the same as the first."""
    cells = "<table:table-cell><text:p>A</text:p></table:table-cell>" * 2
    row = f'<table:table-row table:number-rows-repeated="1048570">{cells}</table:table-row>'
    assert refusal(write_ods(tmp_path / "a.ods", 商品=row)) == "file_too_large"


def test_xlrd_may_miss_a_variable(tmp_path: Path) -> None:
    """It asks for the object of a text box that comes before all objects."""
    pieces = old.object_by_object(old.drawing(old.shape(1, old.Anchor(1).art())), 20)
    assert refusal(kept(tmp_path / "a.xls", old.xls({"商品": old.sheet(pieces)}))) == "corrupt_file"


@pytest.mark.parametrize("encoding", ["rot13", "zlib", "hidden"])
def test_xml_may_say_to_be_in_no_encoding(tmp_path: Path, encoding: str) -> None:
    """Python finds a codec of that name that gives no texts, or none."""
    parts = members(new.book(HEADER))
    parts["xl/workbook.xml"] = (
        f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + parts["xl/workbook.xml"]
    )
    assert refusal(kept(tmp_path / "a.xlsx", new.zipped(parts))) == "corrupt_file"


def test_a_duration_may_be_longer_than_python_knows(tmp_path: Path) -> None:
    """Calamine raises only when its row is asked for, which nobody minded."""
    styles = '<styleSheet><cellXfs><xf/><xf numFmtId="46"/></cellXfs></styleSheet>'
    rows = inline_row(1, "货号", "商品名称") + '<row r="2"><c r="A2" s="1"><v>99999999999</v></c></row>'
    relations = {"s": (f"{new.OFFICE}/styles", "styles.xml")}
    data = new.book(rows, workbook=relations, parts={"xl/styles.xml": styles})
    assert refusal(kept(tmp_path / "a.xlsx", data)) == "corrupt_file"


def test_a_part_is_one_sheet_however_often_it_is_named(tmp_path: Path) -> None:
    """Each of ten thousand names would have it read again."""
    parts = members(new.book(HEADER + inline_row(2, "A", "杯")))
    sheet = re.search(b"<sheet [^>]*>", parts["xl/workbook.xml"])
    assert sheet is not None
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(sheet[0], sheet[0] * 10_000)
    reading = read_file(kept(tmp_path / "a.xlsx", new.zipped(parts)))
    assert [product.sku for product in reading.products] == ["A"]


# --- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", ["，", "𠮷", '"', "\r"])
def test_a_separator_that_is_none_is_not_taken(tmp_path: Path, separator: str) -> None:
    """Other ones are refused by pandas than by csv."""
    path = kept(tmp_path / "a.csv", f"sep={separator}\n货号,商品名称\nA,杯\n")
    assert [product.sku for product in read_file(path).products] == ["A"]


def test_one_line_of_a_hundred_thousand_cells(tmp_path: Path) -> None:
    """Room was made for as many in each of the others: this file took thirty gigabytes."""
    short = "".join(f"S{number},杯\n" for number in range(40_000))
    reading = read_file(kept(tmp_path / "a.csv", f"货号,商品名称\n{short}{',' * 100_000}\nZ,碗\n"))
    assert len(reading.products) == 40_001
    assert reading.products[-1].cells["sku"] == "a.csv!A40003"


def test_a_header_of_twenty_thousand_cells(tmp_path: Path) -> None:
    """Every product would have as many extra columns."""
    header = ",".join(f"列{number}" for number in range(20_000))
    short = "".join(f"S{number},杯\n" for number in range(1000))
    assert refusal(kept(tmp_path / "a.csv", f"货号,商品名称,{header}\n{short}")) == "file_too_large"


def test_sixteen_thousand_columns_of_one_name(tmp_path: Path) -> None:
    """A name for each was looked for from the first, among all that were given."""
    reading = read_file(kept(tmp_path / "a.csv", f"货号,商品名称{',备注' * 16_000}\nA,杯\n"))
    assert list(reading.products[0].extra)[-1] == "备注_16000"


def test_a_suggestion_is_looked_for_among_the_first_headers(tmp_path: Path) -> None:
    """Letter by letter a hundred thousand of them take minutes."""
    header = ",".join(f"商品编马{number}" for number in range(50_000))
    assert refusal(kept(tmp_path / "a.csv", f"商品名称,颜色,{header}\n杯,白\n")) == "required_column_missing"


def test_a_cell_of_accents_is_not_sorted(tmp_path: Path) -> None:
    """Their normal form takes time with the square of their number: minutes."""
    assert price(MARKS) is None
    assert date(MARKS) == MARKS
    row = ",".join([f"A{MARKS}", MARKS, MARKS, MARKS])
    reading = read_file(
        kept(tmp_path / "a.csv", f"货号,商品名称,价格,上架日期\n{row}\n合计{MARKS},,,\nA,杯,,\n")
    )
    assert [product.sku for product in reading.products] == ["A"]


def test_half_a_character_is_no_text(tmp_path: Path) -> None:
    """A page may say to be in an encoding of Python's that gives such; nothing that we write takes them."""
    page = b"<meta charset=unicode_escape><table><tr><td>\\ud800\xff</table>"
    reading = refusal(kept(tmp_path / "a.csv", b"x" + page))
    assert reading in {"unknown_format", "no_header_found"}


def test_cells_of_a_page_may_cover_each_other(tmp_path: Path) -> None:
    """Each of a thousand cells covered a million, which were written down one by one."""
    head = "<tr><td>货号<td>商品名称<td>颜色"
    rows = "".join(f"<tr><td>S{number}<td>杯" for number in range(900))
    path = kept(
        tmp_path / "a.xls",
        f"<table>{head}<tr><td>A<td>杯{'<td rowspan=1000 colspan=1000>白' * 1000}{rows}</table>",
    )
    reading = read_file(path)
    assert len(reading.products) == 901
    assert reading.products[-1].color == "白"


# --- rows ------------------------------------------------------------------------------------------------------------


def test_rows_with_the_same_sku_do_not_name_each_other_one_by_one(tmp_path: Path) -> None:
    """In a column that says the same everywhere each row had all others in its message: gigabytes."""
    rows = "".join(f"同款,杯{number},白\n" for number in range(5000))
    reading = read_file(kept(tmp_path / "a.csv", f"货号,商品名称,颜色\n{rows}"))
    told = found(reading, "duplicate_sku_conflict")
    assert len(told) == 5000
    assert max(len(said.message_en) for said in told) < 1000
    assert "… (+4989)" in told[0].message_en


def test_words_about_a_cell_do_not_repeat_all_of_it(tmp_path: Path) -> None:
    """It may hold a book, in each row another one."""
    reading = read_file(kept(tmp_path / "a.csv", f"货号,商品名称,价格\nA,杯,{'面议' * 5000}\n"))
    assert [len(said.message_zh) < 700 for said in found(reading, "price_not_number")] == [True]


def test_a_sheet_may_be_called_like_a_book() -> None:
    """Each row has the title in its place."""
    assert SheetNaming("表" * 70_000).cell(2, 0) == f"{'表' * 200}…!A2"


def test_a_sheet_without_a_title_has_a_place(tmp_path: Path) -> None:
    """What was said of it was said of nothing."""
    parts = members(new.book(inline_row(1, "说明")))
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        'name="商品"'.encode(), b'name="" state="hidden"'
    )
    path = kept(tmp_path / "a.xlsx", new.zipped(parts))
    assert refusal(path) == "empty_catalog"
    assert SheetNaming("").row(2) == "?!2"


def test_too_many_remarks_are_a_file_that_is_too_large(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of sixteen million rows each would have some."""
    monkeypatch.setattr(reading_module, "_MOST_ISSUES", 1000)
    rows = "".join(f"S{number},杯,无\n" for number in range(5000))
    assert refusal(kept(tmp_path / "a.csv", f"货号,商品名称,颜色\n{rows}")) == "file_too_large"


class Counted(dict[Any, Any]):
    """Counts how often it is gone through."""

    times = 0

    def __iter__(self) -> Iterator[Any]:
        self.times += 1
        return super().__iter__()

    def items(self) -> Any:
        """Its keys and values."""
        self.times += 1
        return super().items()


def test_rows_that_are_looked_at_closely_do_not_look_at_each_other() -> None:
    """Each went through all that is special in its block."""
    rows = 500
    columns: dict[int, Any] = {0: ["货号"], 1: ["商品名称"]}
    columns[0] += [f"S{number}" for number in range(rows)]
    columns[1] += ["杯"] * rows
    special = Counted({(row, 2): ("2026-01-02", "date") for row in range(1, rows + 1)})
    block = Block(range(1, rows + 2), columns, special, range(1, rows + 1))
    reading = read_grids(Grids((Grid(SheetNaming("表"), "表", (block,)),)), COLUMNS)
    assert len(places(reading, "hidden_row")) == rows
    assert special.times < 20
