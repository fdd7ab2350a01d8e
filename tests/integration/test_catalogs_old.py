"""Workbooks that are no .xlsx: old ones, binary ones, web pages in disguise, and those with a password."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import xlwt

from catalog_imagegen.adapters.catalogs import Way, apart, read_catalog
from catalog_imagegen.adapters.catalogs.apart import grids_apart
from catalog_imagegen.adapters.catalogs.grid import Block, Grid, Grids, SheetNaming, Value
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import CatalogError
from tests.integration.catalogs_support import COLUMNS, HEADER, places, write_xlsx
from tests.integration.workbook_writers import (
    cells_of,
    encrypt,
    write_html,
    write_xls,
    write_xlsb,
    write_xml_2003,
    xml_2003_table,
)
from tests.workroom import until

ROWS = (HEADER, ("00123", "杯", "白", "1"), ("00124", "盘", "红", "2"))


def read(path: Path, **options: Any) -> Reading:
    """Read a catalog."""
    return read_catalog(str(path), columns=COLUMNS, way=Way(**options))


def refusal(path: Path, **options: Any) -> CatalogError:
    """Give the error that reading ends with."""
    with pytest.raises(CatalogError) as caught:
        read(path, **options)
    assert caught.value.message_zh != caught.value.message_en
    return caught.value


def skus(reading: Reading) -> list[str]:
    """The SKUs in their order."""
    return [product.sku for product in reading.products]


# --- .xls ----------------------------------------------------------------------------------------------------


def test_an_xls_shows_what_excel_shows(tmp_path: Path) -> None:
    """Number formats keep zeros, dates are dates, errors are errors; merged cells fill downwards only."""
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("商品")
    for column, text in enumerate(("货号", "商品名称", "颜色", "价格", "上架日期", "卖点")):
        sheet.write(0, column, text)
    sheet.write(1, 0, 123, xlwt.easyxf(num_format_str="00000000"))
    sheet.write(2, 0, 6901234567892)
    sheet.write(3, 0, 690123456789212345)
    sheet.write(4, 0, "00777")
    sheet.write_merge(1, 3, 1, 2, "保温杯")
    sheet.write(4, 1, "盘")
    for row in range(1, 5):
        sheet.write(row, 3, 59.9)
        sheet.write(row, 4, dt.datetime(2024, 5, row), xlwt.easyxf(num_format_str="yyyy-mm-dd"))  # noqa: DTZ001
    sheet.row(4).set_cell_error(5, 0x2A)  # #N/A
    sheet.row(2).hidden = True
    book.add_sheet("旧数据").write(0, 0, "货号")
    book.get_sheet(1).visibility = 1
    book.save(str(tmp_path / "a.xls"))

    reading = read(tmp_path / "a.xls")
    assert [(p.sku, p.name, p.color, p.price, p.date, p.where) for p in reading.products] == [
        ("00000123", "保温杯", "", "59.9", "2024-05-01", "商品!2"),
        ("6901234567892", "保温杯", "", "59.9", "2024-05-02", "商品!3"),
    ]
    assert places(reading, "precision_lost") == ["商品!A4"]
    assert places(reading, "error_cell") == ["商品!F5"]
    assert places(reading, "hidden_row") == ["商品!3"]
    assert places(reading, "hidden_sheet_skipped") == ["旧数据"]


def test_a_cut_off_xls_is_damaged(tmp_path: Path) -> None:
    """Wherever it ends, it is refused in words."""
    path = write_xls(tmp_path / "a.xls", 商品=[*ROWS, *((f"S{n}", "杯", "白", "1") for n in range(200))])
    whole = path.read_bytes()
    for size in (600, 2_000, len(whole) // 2):
        path.write_bytes(whole[:size])
        assert refusal(path).code in ("corrupt_file", "empty_catalog", "no_header_found")


def test_an_excel_95_workbook_calls_its_stream_book(tmp_path: Path) -> None:
    """It is no stranger for that."""
    path = write_xls(tmp_path / "a.xls", 商品=ROWS)
    entry, renamed = "Workbook".encode("utf-16-le"), "Book".encode("utf-16-le")
    data = bytearray(path.read_bytes())
    place = data.index(entry)
    data[place : place + len(entry)] = renamed.ljust(len(entry), b"\0")
    data[place + 64] = len(renamed) + 2  # bytes of the name, with the zero behind it
    path.write_bytes(data)
    assert skus(read(path)) == ["00123", "00124"]


# --- pages and XML -------------------------------------------------------------------------------------------


def test_a_page_is_read_as_a_browser_shows_it(tmp_path: Path) -> None:
    """Spans, nested tables, breaks, scripts and hidden rows."""
    path = tmp_path / "a.xls"
    path.write_text(
        """<html><head><meta charset="gb2312"><style>td {}</style></head><body><table>
        <caption>导出</caption>
        <thead><tr><th>货号</th><th>商品名称<!-- x --></th><th>颜色</th><th>卖点</th></tr></thead>
        <tbody>
        <tr><td>00123</td><td rowspan="2">保温<b>杯</b></td><td colspan="1">白</td><td>保温<br/>轻<script>x</script></td></tr>
        <tr style="display: none"><td>00124</td><td>红</td><td><p>便携</p><p>不漏</p></td></tr>
        <tr><td>00125</td><td>盘
            子</td><td><table><tr><td>青</td></tr></table></td><td>&nbsp;</td></tr>
        </tbody></table></body></html>""",
        encoding="gb18030",
    )
    reading = read(path)
    assert [(p.sku, p.name, p.color, p.features) for p in reading.products] == [
        ("00123", "保温杯", "白", ("保温", "轻")),
        ("00124", "保温杯", "红", ("便携", "不漏")),
        ("00125", "盘 子", "青", ()),
    ]
    assert places(reading, "hidden_row") == ["a.xls!3"]
    assert not places(reading, "format_mismatch")


@pytest.mark.parametrize("encoding", ["big5", "gb2312", "shift_jis"])
def test_a_page_says_its_encoding(encoding: str, tmp_path: Path) -> None:
    """However much style stands before its first word; it needs no guess then."""
    path = write_html(
        tmp_path / "a.html", [("SKU", "name", "color"), ("1", "青瓷碗", "白")], encoding=encoding
    )
    path.write_bytes(
        path.read_bytes().replace(b"</head>", b"<style>" + b"td {}" * 2_000 + b"</style></head>")
    )
    reading = read(path)
    assert [product.name for product in reading.products] == ["青瓷碗"]
    assert not places(reading, "encoding_guessed")


def test_a_page_that_says_nothing_is_guessed_by_its_words(tmp_path: Path) -> None:
    """They begin late, and between tags."""
    rows = [("貨號", "商品名稱", "顏色"), ("1", "保溫杯", "白色")]
    path = write_html(tmp_path / "a.html", rows, encoding="big5")
    page = path.read_bytes().replace(b"<meta charset=big5>", b"<style>" + b"td {}" * 2_000 + b"</style>")
    path.write_bytes(page)
    reading = read(path)
    assert [product.name for product in reading.products] == ["保溫杯"]
    assert places(reading, "encoding_guessed") == ["file"]


@pytest.mark.parametrize(("depth", "name"), [(1_500, "杯"), (3_000, "")])
def test_a_page_meant_to_harm_takes_no_time(depth: int, name: str, tmp_path: Path) -> None:
    """Tags thousands deep, spans with thousands of digits, blanks by the hundred thousand.

    The parser drops what stands deeper than 2,048 tags; the row is refused then, as one without a name.
    """
    path = tmp_path / "a.html"
    deep = "<span>" * depth + "杯" + "</span>" * depth
    rows = f"<tr><td rowspan={'9' * 5_000}>1</td><td>{deep}</td><td>{' ' * 300_000}白</td></tr>"
    path.write_text(f"<table><tr><td>货号<td>商品名称<td>颜色</tr>{rows}</table>", encoding="utf-8")
    began = time.monotonic()
    reading = read(path)
    assert time.monotonic() - began < 30
    assert [(p.name, p.color) for p in reading.products] == ([(name, "白")] if name else [])
    assert places(reading, "missing_name") == ([] if name else ["a.html!B2"])


def test_several_tables_of_a_page_are_several_sheets(tmp_path: Path) -> None:
    """Each can be named."""
    path = write_html(tmp_path / "a.html", ROWS)
    path.write_bytes(
        path.read_bytes() + "<table><tr><td>货号<td>商品名称<tr><td>X1<td>碗</table>".encode("gb18030")
    )
    assert skus(read(path)) == ["00123", "00124", "X1"]
    assert skus(read(path, table="a.html (2)")) == ["X1"]


def test_an_xml_workbook_of_2003(tmp_path: Path) -> None:
    """Its own places, merges, number formats, types and hidden rows and sheets."""
    cells = (
        "<Table><Row ss:Index='2'>"
        + "".join(
            f"<Cell><Data ss:Type='String'>{title}</Data></Cell>"
            for title in ("货号", "商品名称", "颜色", "日期")
        )
        + "</Row>"
        "<Row><Cell ss:StyleID='s8'><Data ss:Type='Number'>123</Data></Cell>"
        "<Cell ss:MergeDown='1'><Data ss:Type='String'>保温杯</Data></Cell>"
        "<Cell ss:Index='4'><Data ss:Type='DateTime'>2024-05-01T00:00:00.000</Data></Cell></Row>"
        "<Row ss:Hidden='1'><Cell ss:StyleID='plain'><Data ss:Type='Number'>1001</Data></Cell>"
        "<Cell ss:Index='3'><Data ss:Type='String'><B xmlns='x'>红</B>色</Data></Cell></Row>"
        "<Row><Cell><Data ss:Type='String'>E1</Data></Cell><Cell><Data ss:Type='Error'>#REF!</Data></Cell></Row>"
        "<Row><Cell><Data ss:Type='String'>E2</Data></Cell><Cell ss:Formula='=A1'></Cell></Row></Table>"
    )
    hidden = (
        f"{xml_2003_table(ROWS)}<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions>"
    )
    reading = read(write_xml_2003(tmp_path / "a.xml", 商品=cells, 旧=hidden))
    assert [(p.sku, p.name, p.color, p.date, p.where) for p in reading.products] == [
        ("00000123", "保温杯", "", "2024-05-01", "商品!3"),
        ("1001", "保温杯", "红色", "", "商品!4"),
    ]
    assert places(reading, "hidden_row") == ["商品!4"]
    assert places(reading, "error_cell") == ["商品!B5"]
    assert places(reading, "formula_not_calculated") == ["商品!B6"]
    assert places(reading, "hidden_sheet_skipped") == ["旧"]


def test_an_xml_workbook_that_is_not_of_its_types(tmp_path: Path) -> None:
    """Places before the first, dates and numbers that are none: shown as they stand."""
    row = (
        '<Row><Cell ss:Index="-5"><Data ss:Type="String">1</Data></Cell><Cell><Data ss:Type="String">杯</Data></Cell>'
        '<Cell><Data ss:Type="Number">many</Data></Cell><Cell><Data ss:Type="DateTime"/></Cell></Row>'
    )
    xml = xml_2003_table([HEADER]).replace("</Table>", f"{row}</Table>")
    (product,) = read(write_xml_2003(tmp_path / "a.xml", 商品=xml)).products
    assert (product.sku, product.name, product.color, product.price) == ("1", "杯", "many", "")


def test_an_xml_workbook_says_its_encoding(tmp_path: Path) -> None:
    """Also one that is not Chinese."""
    rows = [("SKU", "name", "color"), ("1", "café", "red")]
    path = write_xml_2003(tmp_path / "a.xml", encoding="iso-8859-1", Sheet1=xml_2003_table(rows))
    assert [product.name for product in read(path).products] == ["café"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_xml_workbook_with_entities_is_refused(encoding: str, tmp_path: Path) -> None:
    """They could read files, or grow without end."""
    path = write_xml_2003(tmp_path / "a.xml", 商品=xml_2003_table(ROWS))
    text = path.read_text(encoding="utf-8").replace("<Workbook", '<!DOCTYPE x [<!ENTITY a "b">]><Workbook')
    path.write_bytes(text.replace("utf-8", encoding).encode(encoding))
    assert refusal(path).code == "unsafe_xml"


# --- .xlsb and .ods ------------------------------------------------------------------------------------------


def test_numbers_and_several_sheets_of_a_binary_workbook(tmp_path: Path) -> None:
    """A number as SKU is written without a point; sheets can be chosen."""
    first: list[tuple[Any, ...]] = [HEADER, (6901234567892, "杯", "白", 39.5)]
    path = write_xlsb(tmp_path / "a.xlsb", {"一": cells_of(first), "二": cells_of(ROWS)})
    assert [(p.sku, p.price) for p in read(path, table="一").products] == [("6901234567892", "39.5")]
    assert skus(read(path)) == ["6901234567892", "00123", "00124"]
    assert refusal(path, table="三").code == "table_not_found"
    hidden = write_xlsb(tmp_path / "b.xlsb", {"一": cells_of(first), "二": cells_of(ROWS)}, hidden=["一"])
    assert skus(read(hidden)) == ["00123", "00124"]
    assert places(read(hidden), "hidden_sheet_skipped") == ["一"]


# --- passwords -----------------------------------------------------------------------------------------------


def test_a_password_is_asked_for_and_opens(tmp_path: Path) -> None:
    """Without it and with a wrong one the words differ."""
    path = encrypt(write_xlsx(tmp_path / "a.xlsx", 商品=ROWS), "春天2026")
    assert refusal(path).code == "password_protected"
    assert "--password" in refusal(path).message_zh
    assert refusal(path, password="summer").code == "password_wrong"
    reading = read(path, password="春天2026")
    assert skus(reading) == ["00123", "00124"]
    assert not reading.products[0].where.startswith("a.xlsx")
    assert not places(reading, "format_mismatch")


def test_a_damaged_encrypted_workbook_is_refused(tmp_path: Path) -> None:
    """Cut off while it was copied."""
    path = encrypt(write_xlsx(tmp_path / "a.xlsx", 商品=ROWS), "x")
    whole = path.read_bytes()
    for damaged in (whole[:1500], whole[: len(whole) // 2], whole.replace(b"<keyData", b"<keyDat<")):
        assert damaged != whole
        path.write_bytes(damaged)
        assert refusal(path, password="x").code in ("corrupt_file", "unknown_format", "password_wrong")


# --- arm's length --------------------------------------------------------------------------------------------


def _sleep(seconds: float) -> Grids:
    time.sleep(seconds)
    return Grids(())


def _fail(what: str) -> Grids:
    raise RuntimeError(what)


def _die(end: str) -> Grids:
    os._exit(3) if end == "_exit" else os.abort()
    return Grids(())


class Panic(BaseException):
    """Wants more than it keeps, so it cannot be unpickled."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one)
        self.other = other


def _panic() -> Grids:
    raise Panic("one", "other")


def _grid(*blocks: Block) -> Grids:
    return Grids((Grid(SheetNaming("表"), "表", blocks),))


def _one_text(size: int) -> Grids:
    return _grid(Block([1], {0: ["x" * size]}))


def _late_death() -> Grids:
    def blocks() -> Iterator[Block]:
        yield Block([1], {0: ["货号"]})
        os.abort()

    return Grids((Grid(SheetNaming("表"), "表", blocks()),))


def _tell_and_sleep(told: Path) -> Grids:
    told.write_text(str(os.getpid()))
    time.sleep(300)
    return Grids(())


def _reading(told: Path) -> None:
    apart_texts(_tell_and_sleep, told)


def _eat() -> Grids:
    return _one_text(apart.MEMORY_BYTES)


def _hears_ctrl_c() -> Grids:
    return _grid(Block([1], {0: [signal.getsignal(signal.SIGINT) != signal.SIG_IGN]}))


def apart_texts(read: Callable[..., Grids], *args: object) -> list[Value]:
    """All values that a reading in a process of its own gives."""
    with grids_apart(read, *args, name="a.xlsx") as grids:
        return [
            value
            for grid in grids.grids
            for block in grid.blocks
            for column in block.columns.values()
            for value in column
        ]


def apart_refusal(read: Callable[..., Grids], *args: object) -> str:
    """The code with which such a reading is refused."""
    with pytest.raises(CatalogError) as caught:
        apart_texts(read, *args)
    return caught.value.code


def test_a_reading_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time it is told, and its process is gone."""
    monkeypatch.setattr(apart, "TIMEOUT_S", 0.5)
    began = time.monotonic()
    assert apart_refusal(_sleep, 60) == "file_too_slow"
    assert time.monotonic() - began < 30


def test_ctrl_c_is_for_us_alone() -> None:
    """The other process would print where it was; and we still hear it afterwards."""
    assert apart_texts(_hears_ctrl_c) == [False]
    assert signal.getsignal(signal.SIGINT) != signal.SIG_IGN
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_memory_is_limited() -> None:
    """Where Python itself gets no memory, the words are the same as where a parser dies of it."""
    assert apart_refusal(_eat) == "file_too_large"


def test_a_bug_is_raised_with_where_it_was() -> None:
    """Its traceback travels along."""
    with pytest.raises(RuntimeError, match="broken") as caught:
        apart_texts(_fail, "broken")
    assert "in _fail" in str(caught.value)


@pytest.mark.parametrize(("end", "code"), [("_exit", "corrupt_file"), ("abort", "file_too_large")])
def test_a_parser_that_dies_is_told_by_how_it_died(end: str, code: str) -> None:
    """One that gets no memory aborts; any other end is the file's fault."""
    assert apart_refusal(_die, end) == code


def test_a_parser_that_dies_late_gives_nothing() -> None:
    """What came before is no catalog."""
    assert apart_refusal(_late_death) == "file_too_large"


def test_what_cannot_travel_is_told_all_the_same() -> None:
    """An error of a class that cannot be made again, such as the panic of a parser."""
    with pytest.raises(RuntimeError, match="Panic"):
        apart_texts(_panic)


def test_a_big_answer_arrives_whole() -> None:
    """Longer than any pipe holds."""
    assert apart_texts(_one_text, 5_000_000) == ["x" * 5_000_000]


def test_a_grid_that_nobody_reads_is_passed_over() -> None:
    """The next one begins where it begins."""
    with grids_apart(_two_grids, name="a.xlsx") as grids:
        assert [grid.name for grid in grids.grids] == ["一", "二"]


def _two_grids() -> Grids:
    block = Block([1], {0: ["x"]})
    return Grids([Grid(SheetNaming(name), name, (block, block)) for name in ("一", "二")])


def test_nobody_is_left_behind_by_a_killed_process(tmp_path: Path) -> None:
    """Its reading would go on for ever, with nobody to end it."""
    told = tmp_path / "pid"
    process = multiprocessing.get_context("spawn").Process(target=_reading, args=(told,))
    process.start()
    until(lambda: told.exists() and told.read_text())
    reader = int(told.read_text())
    assert Path(f"/proc/{reader}").exists()
    process.kill()
    process.join()
    until(lambda: not Path(f"/proc/{reader}").exists())
