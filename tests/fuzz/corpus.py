"""The catalogs that are mutated: one of every kind that the test suite can write, the same bytes at any time."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from PIL import Image

from tests.hostile import (
    catalogs,
    more_binaries,
    more_packages,
    more_pictures,
    more_texts,
    more_workbooks,
    opc,
)
from tests.integration import picture_workbooks as new
from tests.integration import picture_workbooks_xls as old
from tests.integration.catalogs_support import csv_text, write_xlsx
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

_MOST_BYTES = 20_000
"""Of a catalog: in a large one most mutations hit what nobody reads."""
_LOCKED = "old_locked.xls"
"""Is refused, but only once its password was tried."""
_TIMES = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ?")
_DEFAULT_PASSWORD = "VelvetSweatshop"
_ROWS = (
    ("货号", "款号", "商品名称", "颜色", "价格", "卖点", "图片", "上架日期", "备注"),
    ("00123", "K1", "保温杯", "白", "59.90", "1、保温；2、一键开盖", "a.jpg；b.jpg", "2026.1.2", ""),
    ("1E5", "K1", '杯子 "大"', "蓝", "1,299元", "透气\n不烫手", "https://x.cn/a.jpg?x=1,2", "", "NA"),
    ("12345678901234567890", "", "𠮷祥", "无", "面议", "不粘、省油", "", "2026-01-02", "{{ name }}"),
    ("ab-1", "", "碗, 盘; 碟 | 勺", "#N/A", "8", "", "", "45413", "行一\n行二"),
    ("合计", "", "", "", "1374.9", "", "", "", ""),
)


@dataclass(frozen=True, slots=True)
class Seed:
    """A catalog that can be read."""

    name: str
    data: bytes

    @property
    def family(self) -> str:
        """Which mutations fit it: *zip*, *ole2* or *text*."""
        if self.data.startswith(b"PK"):
            return "zip"
        return "ole2" if self.data.startswith(b"\xd0\xcf\x11\xe0") else "text"


@cache
def seeds() -> tuple[Seed, ...]:
    """All of them, in an order that never changes."""
    found = {**dict(_hostile()), **dict(_plain()), **dict(_pictured())}
    return tuple(Seed(name, data) for name, data in sorted(found.items()))


def _hostile() -> Iterator[tuple[str, bytes]]:
    """The hostile catalogs, as far as they are read, or nearly, and small."""
    for each in (
        *catalogs.GIVEN,
        *more_texts.VARIATIONS,
        *more_workbooks.VARIATIONS,
        *more_packages.VARIATIONS,
        *more_binaries.VARIATIONS,
        *more_pictures.VARIATIONS,
    ):
        is_telling = each.refusal is None or each.name == _LOCKED
        if is_telling and len(data := each.make()) <= _MOST_BYTES:
            yield each.name, _timeless(data)


def _plain() -> Iterator[tuple[str, bytes]]:
    """One table in every format, as each writer has it."""
    text = csv_text(_ROWS)
    yield "plain.csv", text.encode()
    yield "plain_marked.csv", text.encode("utf-8-sig")
    yield "plain_gb18030.csv", text.encode("gb18030")
    yield "plain.tsv", csv_text(_ROWS, separator="\t").encode("utf-16")
    yield "semicolons_bare.txt", csv_text(_ROWS, separator=";").encode("utf-16-le")
    writers: dict[str, Callable[[Path], Path]] = {
        "plain.xlsx": lambda path: write_xlsx(path, with_formulas=True, 商品=_ROWS, 女装=_ROWS),
        "plain.xls": lambda path: write_xls(path, 商品=_ROWS),
        "plain.xlsb": lambda path: write_xlsb(path, {"商品": cells_of(_ROWS)}),
        "plain.ods": lambda path: write_ods(path, 商品=ods_table(_ROWS)),
        "page_gb18030.xls": lambda path: write_html(path, _ROWS),
        "page_utf_16.html": lambda path: write_html(path, _ROWS, encoding="utf-16"),
        "xml_gb18030.xml": lambda path: write_xml_2003(path, encoding="gb18030", 商品=xml_2003_table(_ROWS)),
        "locked_by_default.xlsx": lambda path: encrypt(
            write_xlsx(path, 商品=_ROWS, 长=_ROWS * 20), _DEFAULT_PASSWORD
        ),
    }
    with TemporaryDirectory() as folder, mock.patch("secrets.token_bytes", bytes):
        for name, write in writers.items():
            yield name, _timeless(write(Path(folder) / name).read_bytes())


def _pictured() -> Iterator[tuple[str, bytes]]:
    """Pictures in every form, and in formats that are converted."""
    table = "".join(new.inline(f"{column}1", text) for column, text in zip("ABC", _ROWS[0], strict=False))
    rows = "".join(new.inline(f"A{row}", f"S{row}") + new.inline(f"C{row}", "杯") for row in (2, 3))
    group = new.group(new.pic("rId1", y=1, height=2), new.pic("rId2", y=3, height=2), y=0, height=9)
    targets = [f"../media/1.{extension}" for extension in ("gif", "bmp", "tiff", "webp")]
    media = {f"xl/media/1.{each}": _image(each) for each in ("gif", "bmp", "tiff", "webp")}
    pins = "".join(new.one_cell(number, new.pic(f"rId{number + 1}")) for number in range(4))
    yield "grouped.xlsx", _timeless(new.drawn(new.one_cell(1, group), targets[0], targets[1], cells=table))
    yield "formats.xlsx", _with_parts(new.drawn(pins, *targets, cells=table + rows), media)
    yield "wps.xlsx", _timeless(new.wps(table + new.inline("C2", '=DISPIMG("ID_1",1)')))
    heads = new.ods_rows([f"<text:p>{text}</text:p>" for text in _ROWS[0]])
    frames = new.ods_rows([new.frame("Pictures/1.png", attributes='svg:y="1in" svg:height="1in"')] * 2)
    yield "framed.ods", _timeless(new.ods(f'<table:table table:name="商品">{heads}{frames}</table:table>'))
    content = old.drawing(*(old.shape(1 + row % 2, old.Anchor(row).art()) for row in range(6)))
    drawn = old.sheet(old.as_one(content), merged=[(1, 2, 1, 2)], rows=old.row_height(2, 90))
    yield "drawn.xls", old.xls({"商品": drawn}, old.png_entry(new.RED), old.emf_entry(new.BLUE))


def _image(extension: str) -> bytes:
    saved = BytesIO()
    Image.new("P" if extension == "gif" else "RGB", (9, 9)).save(saved, extension)
    return saved.getvalue()


def _with_parts(data: bytes, parts: dict[str, bytes]) -> bytes:
    return opc.zip_of([opc.honest(name, part) for name, part in {**members(data), **parts}.items()])


def members(data: bytes) -> dict[str, bytes]:
    """What a zip holds, by name."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _timeless(data: bytes) -> bytes:
    """A zip without the moment it was made; anything else as it is."""
    if not data.startswith(b"PK"):
        return data
    found = {name: _TIMES.sub(b"2026-01-02T03:04:05Z", part) for name, part in members(data).items()}
    return opc.zip_of([opc.honest(name, part) for name, part in found.items()])
