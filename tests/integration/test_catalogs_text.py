from __future__ import annotations

from pathlib import Path

import pytest

from catalog_imagegen.adapters.catalogs import Way, read_catalog
from catalog_imagegen.domain.catalog import CatalogPicture, Reading
from catalog_imagegen.domain.errors import CatalogError
from tests.integration.catalogs_support import COLUMNS, found, places


def read(folder: Path, text: str, *, name: str = "products.csv", encoding: str = "utf-8") -> Reading:
    """Write and read a text catalog."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return read_catalog(str(path), columns=COLUMNS)


def refusal(folder: Path, data: str | bytes, *, name: str = "products.csv") -> CatalogError:
    """Give the error that reading these bytes ends with."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with pytest.raises(CatalogError) as caught:
        read_catalog(str(path), columns=COLUMNS)
    assert caught.value.message_zh != caught.value.message_en
    return caught.value


def test_cells_are_named_as_a_spreadsheet_would(tmp_path: Path) -> None:
    """Row numbers count what a spreadsheet program shows: blank lines yes, line breaks in quotes no."""
    reading = read(tmp_path, '我的商品\n\n货号,商品名称,颜色\r\n1,"上\n下",红\n\n2,,蓝\n')
    assert reading.products[0].where == "products.csv!4"
    assert reading.products[0].name == "上\n下"
    assert places(reading, "missing_name") == ["products.csv!B6"]


def test_exports_that_protect_zeros_are_unwrapped(tmp_path: Path) -> None:
    """sep= is obeyed and ="00123" is 00123, with tabs behind numbers dropped."""
    reading = read(
        tmp_path,
        'sep=|\r\n货号|商品名称|颜色|备注,1;2\r\n="00123"|杯, 大; 小|红|\r\n6901234567892\t|盘|蓝|"=""7"""\r\n',
    )
    assert [product.sku for product in reading.products] == ["00123", "6901234567892"]
    assert reading.products[0].name == "杯, 大; 小"
    assert reading.products[1].extra == {"备注,1;2": "7"}
    assert reading.products[0].where == "products.csv!2"


def test_ragged_lines_are_padded_or_reported(tmp_path: Path) -> None:
    """A short line has blanks at its end; a long one has shifted and is refused, unless its surplus is blank."""
    reading = read(tmp_path, "货号,商品名称,颜色\n1,杯,红\n2,盘\n3,碗, 大,红\n4,锅,黑,,,\n")
    assert [product.sku for product in reading.products] == ["1", "2", "4"]
    assert places(reading, "too_many_cells") == ["products.csv!D4"]
    assert places(reading, "appearance_missing") == ["products.csv!3"]


@pytest.mark.parametrize("number", [1, 1999, 2000, 2001, 4000, 60_000])
def test_a_line_that_is_too_long_is_reported_wherever_it_is(tmp_path: Path, number: int) -> None:
    """Tables are split in parts: the first line of one is held to the same width as any other."""
    lines = ["货号,商品名称,颜色", *(f"A{line},杯子,白" for line in range(2, 70_001))]
    lines[number] += ",多"
    reading = read(tmp_path, "\n".join(lines))
    assert places(reading, "too_many_cells") == [f"products.csv!D{number + 1}"]
    assert len(reading.products) == len(lines) - 2


def test_text_is_data(tmp_path: Path) -> None:
    """Formulas, templates and markup in a CSV are kept as they are written."""
    reading = read(tmp_path, "SKU,商品名称,卖点\n1,=cmd|' /C calc'!A0,=1+1\n2,{{ x }}<b>,@SUM(1)\n")
    assert [product.name for product in reading.products] == ["=cmd|' /C calc'!A0", "{{ x }}<b>"]
    assert reading.products[1].features == ("@SUM(1)",)


def test_empty_signs_mean_empty_but_words_do_not(tmp_path: Path) -> None:
    """无 - / — alone are blanks with a note; NA, None and null are what somebody wrote."""
    reading = read(
        tmp_path,
        "货号,商品名称,品牌,颜色,材质,形状,尺寸,规格,备注\n1,无框镜,None,无,-,/,—,NA,无\n2,杯,null,,红-白,,,,\n",
    )
    first, second = reading.products
    assert (first.name, first.brand, first.spec) == ("无框镜", "None", "NA")
    assert (first.color, first.material, first.shape, first.size, first.extra["备注"]) == ("", "", "", "", "")
    assert (second.brand, second.material) == ("null", "红-白")
    assert places(reading, "na_like") == [f"products.csv!{letter}2" for letter in "DEFGI"]


def test_rows_that_are_no_products_are_skipped_with_a_note(tmp_path: Path) -> None:
    """Totals, remarks, a repeated header and a lone row number are no errors; a product called 合计 is read."""
    reading = read(
        tmp_path,
        "序号,货号,商品名称,颜色,价格\n1,A1,杯,红,1\n序号,货号,商品名称,颜色,价格\n2,A2,合计本,蓝,2\n3,,,,\n合计,,,,3\n,备注：含税,,,\n",
    )
    assert [product.sku for product in reading.products] == ["A1", "A2"]
    assert places(reading, "header_row_repeated") == ["products.csv!3"]
    assert places(reading, "row_without_fields") == ["products.csv!5"]
    assert places(reading, "footer_row_skipped") == ["products.csv!A6", "products.csv!B7"]
    assert {issue.severity for issue in reading.issues} == {"note"}


def test_bad_cells_refuse_their_row_and_say_where(tmp_path: Path) -> None:
    """Every error names the cell, in two languages, and good rows go on."""
    long = "x" * 65
    reading = read(
        tmp_path,
        f'货号,商品名称,颜色,价格\n,杯,红,1\n1,,红,1\n{long},杯,红,1\n"a\nb",杯,红,1\n1.23E+12,杯,红,1\n2,#N/A,红,1\n3,杯,红,面议\n4,杯,,1\n',
    )
    where = {issue.code: issue.where for issue in reading.issues}
    assert where == {
        "missing_sku": "products.csv!A2",
        "missing_name": "products.csv!B3",
        "sku_too_long": "products.csv!A4",
        "sku_control_character": "products.csv!A5",
        "scientific_text": "products.csv!A6",
        "error_cell": "products.csv!B7",
        "price_not_number": "products.csv!D8",
        "appearance_missing": "products.csv!9",
    }
    assert [(product.sku, product.price) for product in reading.products] == [("3", ""), ("4", "1")]
    for issue in reading.issues:
        assert "；" in issue.message_zh
        assert any(mark in issue.message_en for mark in (";", ","))
    assert found(reading, "price_not_number")[0].sku == "3"


def test_duplicates_collapse_or_refuse_each_other(tmp_path: Path) -> None:
    """Identical rows count once, whatever their row number; contradicting ones and case twins count not at all."""
    reading = read(
        tmp_path,
        "序号,货号,商品名称,颜色,备注\n1,A,杯,红,\n2,A,杯,红,\n3,B,盘,红,x\n4,B,盘,蓝,y\n5,B,盘,红,x\n6,c,碗,红,\n7,C,碗,红,\n",
    )
    assert [product.where for product in reading.products] == ["products.csv!2"]
    assert places(reading, "duplicate_identical") == ["products.csv!B3"]
    assert places(reading, "duplicate_sku_conflict") == [f"products.csv!B{row}" for row in (4, 5, 6)]
    assert places(reading, "duplicate_sku_case") == ["products.csv!B7", "products.csv!B8"]
    message = found(reading, "duplicate_sku_conflict")[0].message_en
    assert "products.csv!B5, products.csv!B6" in message
    assert "color, 备注" in message


def test_numbered_list_columns_become_one_list(tmp_path: Path) -> None:
    """卖点1 … 卖点3 are one list in their own order."""
    (product,) = read(tmp_path, "货号,商品名称,颜色,卖点2,卖点1,卖点3\n1,杯,红,乙,甲；甲二,甲\n").products
    assert product.features == ("甲", "甲二", "乙")


def test_unknown_columns_are_kept_under_their_own_header(tmp_path: Path) -> None:
    """A header is kept to the letter, a second one of the same name is told apart, a column without one is noted."""
    reading = read(
        tmp_path,
        "货号,商品名称,颜色, Care Label ,备注,备注,\n1,杯,红,30°,甲,乙,\n2,盘,红,,,,手记\n3,碗,红,,,,\n",
    )
    assert reading.products[0].extra == {"Care Label": "30°", "备注": "甲", "备注_2": "乙"}
    assert places(reading, "repeated_header") == ["products.csv!F1"]
    assert places(reading, "column_without_header") == ["products.csv!G3"]


def test_named_pictures_are_listed(tmp_path: Path) -> None:
    """URLs and paths are pictures of their cell; several picture columns are read together."""
    text = "货号,商品名称,颜色,主图,图片路径\n1,杯,红,https://x.cn/a.jpg?x=1；b.jpg,c.jpg\n"
    reading = read(tmp_path, text)
    assert tuple(reading.pictures) == (
        CatalogPicture("products.csv!D2", "url", reference="https://x.cn/a.jpg?x=1"),
        CatalogPicture("products.csv!D2", "path", reference="b.jpg"),
        CatalogPicture("products.csv!E2", "path", reference="c.jpg"),
    )
    assert reading.products[0].images == ("https://x.cn/a.jpg?x=1", "b.jpg", "c.jpg")


TAIWAN = "商品編號,商品名稱,顏色,賣點\n00123,保溫杯,白色,輕便；不漏水\n00124,純棉T恤,黑色,透氣\n"
MAINLAND = "商品编码,商品名称,颜色,卖点\n00123,保温杯,白色,轻便；不漏水\n00124,纯棉T恤,黑色,透气\n"


@pytest.mark.parametrize(
    ("text", "encoding", "guess"),
    [
        (MAINLAND, "gb18030", "GB18030"),
        (MAINLAND, "gbk", "GB18030"),
        (TAIWAN, "big5", "Big5"),
        (TAIWAN, "gb18030", "GB18030"),
        ("sku,name,color\n1,杯,白\n", "gb18030", "GB18030"),
        ("sku,name,color\n1,保溫杯,白\n", "big5", "Big5"),
    ],
)
def test_chinese_encodings_are_guessed_with_a_note(
    text: str, encoding: str, guess: str, tmp_path: Path
) -> None:
    """By the headers that come out, and by how common the characters are."""
    reading = read(tmp_path, text, encoding=encoding)
    assert [product.name for product in reading.products] == [
        line.split(",")[1] for line in text.splitlines()[1:]
    ]
    (told,) = found(reading, "encoding_guessed")
    assert guess in told.message_en
    assert "--encoding" in told.message_zh


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_what_is_certain_is_no_guess(encoding: str, tmp_path: Path) -> None:
    """And needs no note."""
    reading = read(tmp_path, MAINLAND, encoding=encoding)
    assert len(reading.products) == 2
    assert not found(reading, "encoding_guessed")


def test_an_encoding_can_be_named(tmp_path: Path) -> None:
    """What does not fit is refused with where, and a codec that there is not with its name."""
    path = tmp_path / "a.csv"
    path.write_bytes("SKU,name,color\n1,café,red\n".encode("cp1252"))
    reading = read_catalog(str(path), columns=COLUMNS, way=Way(encoding="cp1252"))
    assert reading.products[0].name == "café"
    assert not found(reading, "encoding_guessed")
    for encoding, words in (
        ("utf-8", "byte 20"),
        ("klingon", "no encoding is called so"),
        ("undefined", "no encoding"),
    ):
        with pytest.raises(CatalogError, match=words) as caught:
            read_catalog(str(path), columns=COLUMNS, way=Way(encoding=encoding))
        assert caught.value.code == "encoding_wrong"


def test_a_wrong_extension_is_read_with_a_note(tmp_path: Path) -> None:
    """What a file is called does not decide how it is read."""
    reading = read(tmp_path, "货号,商品名称,颜色\n00123,杯,红\n", name="products.xlsx", encoding="gb18030")
    assert [product.sku for product in reading.products] == ["00123"]
    assert places(reading, "format_mismatch") == ["file"]
    assert "csv" in found(reading, "format_mismatch")[0].message_en


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf \r\n\r\n", "empty_file"),
        (b",,,\n,,\n", "empty_catalog"),
        ("货号,商品名称\n", "empty_catalog"),
        ("甲,乙\n1,2\n", "no_header_found"),
        ("货号,颜色\n1,红\n", "required_column_missing"),
        ("货号,商品名称,价格,售价\n1,杯,1,2\n", "ambiguous_columns"),
        ("货号,商品名称,卖点,特点\n1,杯,1,2\n", "ambiguous_columns"),
        ('货号,商品名称\n1,"杯\n2,盘\n', "corrupt_file"),
        (bytes(range(256)) * 20, "unknown_format"),
        (b"\x00\x01\x02\x03" * 500, "unknown_format"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "corrupt_file"),
        ("<html><table><tr><td>货号</td></tr></table></html>", "required_column_missing"),
        ("<html><p>请先登录</p></html>", "corrupt_file"),
        ('<?xml version="1.0"?><a/>', "corrupt_file"),
        (b"%PDF-1.7\n", "unknown_format"),
        (b"PK\x03\x04 and no more", "corrupt_file"),
    ],
)
def test_what_cannot_be_read_is_refused_clearly(tmp_path: Path, data: str | bytes, code: str) -> None:
    """Each refusal has a code of its own and names the file or the header cell."""
    error = refusal(tmp_path, data)
    assert error.code == code
    assert "products.csv" in error.message_en
    assert error.exit_code == 2


def test_a_misspelt_header_is_suggested_never_mapped(tmp_path: Path) -> None:
    """The message names the cell, the likely header and both remedies."""
    error = refusal(tmp_path, "商品编马,产品名,单价\n1,杯,2\n")
    assert vars(error)["column"] == "sku"
    assert vars(error)["suggestion"] == "商品编马 -> 商品编码?"
    for text in (error.message_en, error.message_zh):
        assert "products.csv!A1" in text
        assert "config/columns.toml" in text


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    """A typo in the path, a missing folder, a folder, and a query to a file each get their own words."""
    (tmp_path / "products.csv").write_text("货号,商品名称\n1,杯\n", encoding="utf-8")
    codes = {}
    for location in ("prodcuts.csv", "no/where.csv", "."):
        with pytest.raises(CatalogError) as caught:
            read_catalog(str(tmp_path / location), columns=COLUMNS)
        codes[location] = (caught.value.code, "products.csv" in caught.value.message_en)
    assert codes == {
        "prodcuts.csv": ("file_not_found", True),
        "no/where.csv": ("file_not_found", False),
        ".": ("file_is_directory", False),
    }
    with pytest.raises(CatalogError, match="no database"):
        read_catalog(str(tmp_path / "products.csv"), columns=COLUMNS, way=Way(query="SELECT 1"))
