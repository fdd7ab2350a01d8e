from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from catalog_imagegen.adapters.catalogs import Way, database_access, read_catalog
from catalog_imagegen.adapters.catalogs.database_access import open_file, reading
from catalog_imagegen.domain.errors import CatalogError
from tests.integration.catalogs_support import COLUMNS, places


def make(path: Path, *statements: str) -> Path:
    """Make a SQLite file."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def refusal(location: str, *, query: str = "") -> CatalogError:
    """Give the error that reading ends with."""
    with pytest.raises(CatalogError) as caught:
        read_catalog(location, columns=COLUMNS, way=Way(query=query))
    assert caught.value.message_zh != caught.value.message_en
    return caught.value


SCHEMES = (
    *("postgresql+psycopg", "postgresql", "postgres", "postgresql+psycopg2"),
    *("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql", "mysql+mysqldb"),
)
PRODUCTS = (
    "CREATE TABLE products (sku TEXT, name TEXT, color TEXT)",
    "INSERT INTO products VALUES ('EB-001','杯','白')",
)


def test_no_type_is_ever_inferred_for_a_sku(tmp_path: Path) -> None:
    """Integers beside a NULL stay integers, 18 digits stay exact, text keeps its zeros."""
    path = make(
        tmp_path / "a.db",
        "CREATE TABLE p (sku, name TEXT, price, color TEXT)",
        "INSERT INTO p VALUES (1001,'甲',199.0,'红'), (NULL,'乙',1,'红'), (123456789012345678,'丙',199.9,'红'),"
        " ('00123','丁','9.90','红'), (1001.5,'戊',1,'红'), (X'00ff','己',1,'红')",
    )
    reading = read_catalog(str(path), columns=COLUMNS)
    assert {product.sku: product.price for product in reading.products} == {
        "1001": "199",
        "123456789012345678": "199.9",
        "00123": "9.90",
    }
    assert places(reading, "sku_not_integer") == ["p[sku=1001.5].sku"]
    assert places(reading, "binary_value") == ["p[#6].sku"]
    assert len(places(reading, "missing_sku")) == 2


def test_cells_are_named_by_table_and_sku(tmp_path: Path) -> None:
    """A person finds a database's cell by its row's SKU."""
    (product,) = read_catalog(str(make(tmp_path / "a.db", *PRODUCTS)), columns=COLUMNS).products
    assert product.where == "products[sku=EB-001]"
    assert product.cells["name"] == "products[sku=EB-001].name"


def test_a_file_is_opened_read_only_and_never_made(tmp_path: Path) -> None:
    """A misspelt path makes no empty database, and reading leaves the bytes as they were."""
    path = make(tmp_path / "shop.db", *PRODUCTS)
    before = path.read_bytes()
    error = refusal(f"sqlite:///{tmp_path / 'shpo.db'}")
    assert (error.code, "shop.db" in error.message_en) == ("file_not_found", True)
    with (
        reading(open_file(path)) as connection,
        pytest.raises(OperationalError, match="readonly"),
    ):
        connection.exec_driver_sql("DELETE FROM products")
    read_catalog(str(path), columns=COLUMNS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["shop.db"]
    assert path.read_bytes() == before


def test_the_only_table_with_sku_and_name_is_chosen(tmp_path: Path) -> None:
    """Other tables do not matter; a name that SQL must quote does not either."""
    path = make(
        tmp_path / "a b%20#1.sqlite",
        "CREATE TABLE orders (id INTEGER, sku TEXT)",
        'CREATE TABLE "my ""products" ("商家编码" TEXT, "标题" TEXT, "order" TEXT)',
        "INSERT INTO \"my \"\"products\" VALUES ('1','杯','x')",
    )
    (product,) = read_catalog(str(path), columns=COLUMNS).products
    assert (product.sku, product.name, dict(product.extra)) == ("1", "杯", {"order": "x"})


def test_several_candidates_must_be_told_apart(tmp_path: Path) -> None:
    """Two catalogs in one database: both are named, and '#table' or table= chooses; views count too."""
    path = make(tmp_path / "a.db", *PRODUCTS, "CREATE VIEW sale AS SELECT 'S1' AS sku, '盘' AS name")
    error = refusal(str(path))
    assert error.code == "ambiguous_table"
    assert "products, sale" in error.message_en
    assert [p.sku for p in read_catalog(f"{path}#sale", columns=COLUMNS).products] == ["S1"]
    assert [p.sku for p in read_catalog(f"sqlite:///{path}#sale", columns=COLUMNS).products] == ["S1"]
    assert [p.sku for p in read_catalog(str(path), columns=COLUMNS, way=Way("products")).products] == [
        "EB-001"
    ]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    """An unknown table, a database without a catalog, an empty table and a column that is missing."""
    path = make(tmp_path / "a.db", "CREATE TABLE orders (id, sku)", "CREATE TABLE parts (sku, name)")
    assert refusal(f"{path}#prducts").code == "table_not_found"
    assert "orders, parts" in refusal(f"{path}#prducts").message_en
    assert refusal(f"{path}#orders").code == "required_column_missing"
    assert refusal(str(path)).code == "empty_catalog"
    assert refusal(str(make(tmp_path / "b.db", "CREATE TABLE orders (id, sku)"))).code == "table_not_found"


def test_queries_only_read(tmp_path: Path) -> None:
    """A query replaces the table; what is no SELECT is refused before it is sent."""
    path = make(tmp_path / "a.db", *PRODUCTS)
    query = "-- all of them\nSELECT sku, name || '!' AS title FROM products WHERE name <> ':x%s'"
    (product,) = read_catalog(str(path), columns=COLUMNS, way=Way(query=query)).products
    assert (product.name, product.where) == ("杯!", "query[sku=EB-001]")
    assert refusal(str(path), query="DELETE FROM products").code == "query_not_select"
    assert refusal(str(path), query="SELECT nothing FROM nowhere").code == "database_query_failed"


def test_an_unreachable_server_is_named_without_its_password() -> None:
    """The address is shown, the password never is, in neither language."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for scheme in SCHEMES:
            error = refusal(f"{scheme}://shop:s3cr%40t@127.0.0.1:{port}/goods?password=s3cr%40t#products")
            assert error.code == "database_unreachable"
            assert f"127.0.0.1:{port}/goods" in error.message_en
            for text in (error.message_en, error.message_zh):
                assert "s3cr" not in text


@pytest.mark.parametrize(
    "url", ["nosuch://user:s3cret@host/db", "postgresql://user:s3cret@host:port/db", "oracle://u:s3cret@h/d"]
)
def test_a_url_that_names_no_driver_is_refused(url: str) -> None:
    """The message shows how a URL is written, and keeps the password to itself."""
    error = refusal(url)
    assert error.code == "database_url_invalid"
    assert "s3cret" not in str(error)


def test_a_damaged_database_is_a_clear_error(tmp_path: Path) -> None:
    """A file that only begins like SQLite is refused, not a traceback."""
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\0" + b"\1" * 5000)
    assert refusal(str(path)).code == "database_query_failed"


def test_a_query_without_an_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite has no timeout of its own; it is asked again and again whether time is up."""
    monkeypatch.setattr(database_access, "TIMEOUT_S", 0.1)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS sku FROM n"
    error = refusal(str(make(tmp_path / "a.db", *PRODUCTS)), query=endless)
    assert error.code == "database_too_slow"
    assert "0.1 s" in error.message_en


def test_options_of_another_program_are_refused() -> None:
    """What a Java program has behind its URL says nothing to this driver."""
    error = refusal("mysql://shop:s3cret@127.0.0.1/goods?useUnicode=true")
    assert error.code == "database_url_invalid"
    assert "question mark" in error.message_en
    assert "s3cret" not in str(error)
