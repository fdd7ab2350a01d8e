"""A real MariaDB as a catalog (``make test-mariadb``)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pymysql
import pytest
from sqlalchemy.exc import DatabaseError

from catalog_imagegen.adapters.catalogs import Way, database_access, read_catalog
from catalog_imagegen.adapters.catalogs.database_access import open_server, parsed, reading
from tests.integration.catalogs_support import COLUMNS, places
from tests.integration.database_support import BIG_ROWS, advice, cut, growth_bytes, refusal
from tests.servers import mariadb

pytestmark = pytest.mark.mariadb


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a real MariaDB and give the URL of its database."""
    with mariadb(tmp_path_factory.mktemp("mariadb")) as port:
        url = f"mysql://root@127.0.0.1:{port}/"
        nobody = "DELETE FROM mysql.global_priv WHERE User = ''"  # stands before everybody from localhost
        execute(url, nobody, "FLUSH PRIVILEGES", "CREATE DATABASE shop CHARACTER SET utf8mb4")
        yield f"{url}shop"


def execute(url: str, *statements: str) -> tuple[tuple[object, ...], ...]:
    """As the URL's user; the rows of the last statement."""
    to = parsed(url)
    password = (to.password or "").encode()
    connection = pymysql.connect(
        host=to.host, port=to.port or 0, user=to.username, password=password, database=to.database or None
    )
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()
        return tuple(cursor.fetchall())


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql", "mysql+mysqldb"])
def test_values_are_as_the_server_writes_them(server: str, scheme: str) -> None:
    """Zeros, digits, durations, JSON, bits and characters beyond the first 65,536."""
    execute(
        server,
        "CREATE OR REPLACE TABLE typed (sku INT(8) ZEROFILL, name VARCHAR(50), price DECIMAL(30,15),"
        " list_price DECIMAL(10,2), date DATE, promo_start DATETIME, promo_end TIMESTAMP(3) NULL,"
        " fragile TINYINT(1), weight DOUBLE, stock BIGINT UNSIGNED, facts JSON, flags BIT(4), lasts TIME,"
        " born YEAR, kind ENUM('甲','乙'), tags SET('a','b'), note TEXT CHARACTER SET gbk, padded DECIMAL(8,2) ZEROFILL)",
        "INSERT INTO typed VALUES (42, '杯😀𠮷', 0.1, 199.90, '2026-01-02', '2026-01-03', '2026-01-04 05:06:07.120',"
        """ 1, 0.1, 18446744073709551615, '{"w":  1.10}', b'0101', '26:00:00', 2026, '乙', 'a,b', '陶瓷', 7.5),"""
        " (7, '盘', NULL, NULL, NULL, '2026-01-03 04:05:06', NULL, 0, 3, 1, NULL, NULL, NULL, NULL, NULL, '', '', 0)",
    )
    url = f"{scheme}{server.removeprefix('mysql')}#typed"
    other, cup = read_catalog(url, columns=COLUMNS).products
    assert (cup.sku, cup.name, cup.price, cup.list_price) == (
        "00000042",
        "杯😀𠮷",
        "0.100000000000000",
        "199.90",
    )
    assert (cup.date, cup.promo_start) == ("2026-01-02", "2026-01-03")
    assert cup.promo_end == "2026-01-04 05:06:07.120"
    assert cup.extra == {
        "fragile": "1",
        "weight": "0.1",
        "stock": "18446744073709551615",
        "facts": '{"w":  1.10}',
        "flags": "5",
        "lasts": "26:00:00",
        "born": "2026",
        "kind": "乙",
        "tags": "a,b",
        "note": "陶瓷",
        "padded": "000007.50",
    }
    assert (other.sku, other.price, other.promo_start) == ("00000007", "", "2026-01-03 04:05:06")
    assert (other.extra["fragile"], other.extra["weight"], other.extra["born"]) == ("0", "3", "")


def test_what_no_sku_can_be_is_told(server: str) -> None:
    """Floating point has lost its digits, bytes are no text; NULL is nothing."""
    execute(
        server,
        "CREATE TABLE damaged (sku DOUBLE, name VARCHAR(50), picture BLOB)",
        "INSERT INTO damaged VALUES (1.5, '杯', x'00ff'), (NULL, '盘', NULL)",
        "CREATE TABLE bytes (sku VARBINARY(8), name VARCHAR(50))",
        "INSERT INTO bytes VALUES ('A1', '杯')",
    )
    reading_ = read_catalog(f"{server}#damaged", columns=COLUMNS)
    assert places(reading_, "sku_not_integer") == ["damaged[sku=1.5].sku"]
    assert places(reading_, "binary_value") == ["damaged[sku=1.5].picture"]
    assert places(reading_, "missing_sku") == ["damaged[#1].sku"]
    assert places(read_catalog(f"{server}#bytes", columns=COLUMNS), "binary_value") == ["bytes[#1].sku"]


def test_tables_views_and_other_databases_are_named(server: str) -> None:
    """``#schema.table`` reads another database; what is not there is refused with what is."""
    execute(
        server,
        "CREATE DATABASE other CHARACTER SET gbk",
        "CREATE TABLE other.`50%s :off` (`货号` INT, `商品名称` TEXT, `折扣%(x)s :y` TEXT)",
        "INSERT INTO other.`50%s :off` VALUES (1, '杯', 'z')",
        "CREATE VIEW other.listed AS SELECT '01' AS sku, '杯' AS name",
    )
    (product,) = read_catalog(f"{server}#other.listed", columns=COLUMNS).products
    assert (product.sku, product.name) == ("01", "杯")
    way = Way(table="other.50%s :off")
    (product,) = read_catalog(server, columns=COLUMNS, way=way).products
    assert (product.sku, dict(product.extra)) == ("1", {"折扣%(x)s :y": "z"})
    error = refusal(f"{server.removesuffix('shop')}other#nothing")
    assert error.code == "table_not_found"
    assert "listed" in error.message_en


def test_queries_are_sent_as_written(server: str) -> None:
    """Neither : nor % is a parameter, quotes mean what they are taken for, and what writes is not sent."""
    query = r"SELECT '00:30' AS sku, '50%s\'' AS name, 1.50 AS price /* , 2 AS x */ FROM dual -- end"
    (product,) = read_catalog(server, columns=COLUMNS, way=Way(query=query)).products
    assert (product.sku, product.name, product.price) == ("00:30", "50%s'", "1.50")
    error = refusal(server, query="SELECT 1 AS sku, 'x' AS name INTO OUTFILE '/tmp/never'")
    assert (error.code, "INTO" in error.message_en) == ("query_not_select", True)
    assert refusal(server, query="SELECT nothing FROM nowhere").code == "database_query_failed"


def test_quotes_of_a_server_with_other_habits(server: str) -> None:
    """A backslash before a quote would end the text there, and what follows would be SQL."""
    before = execute(server, "SELECT @@GLOBAL.sql_mode")[0][0]
    execute(server, "SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")
    try:
        query = r"""SELECT '1' AS sku, '\' AS name, ' AS name, "白" AS color"""
        (product,) = read_catalog(server, columns=COLUMNS, way=Way(query=query)).products
    finally:
        execute(server, f"SET GLOBAL sql_mode = '{before}'")
    assert (product.name, product.color) == ("' AS name,", "白")


def test_nothing_is_written_whatever_is_sent(server: str) -> None:
    """Even a SELECT that would write is refused by the transaction, with the database's reason."""
    execute(
        server,
        "CREATE TABLE kept (sku TEXT, name TEXT)",
        "INSERT INTO kept VALUES ('1', '杯')",
        "CREATE FUNCTION spoil() RETURNS TEXT MODIFIES SQL DATA BEGIN DELETE FROM kept; RETURN 'x'; END",
    )
    error = refusal(server, query="SELECT spoil() AS sku, 'x' AS name")
    assert error.code == "database_query_failed"
    assert "READ ONLY" in error.message_en
    with (
        reading(open_server(parsed(server))) as connection,
        pytest.raises(DatabaseError, match="READ ONLY"),
    ):
        connection.exec_driver_sql("DELETE FROM kept")
    assert execute(server, "SELECT count(*) FROM kept") == ((1,),)


def test_rows_are_not_all_held_by_the_driver(server: str) -> None:
    """200 MB of rows pass through a buffer of 5,000 rows."""
    query = f"SELECT seq AS sku, repeat('x', 2000) AS name FROM seq_1_to_{BIG_ROWS}"
    assert growth_bytes(server, query) < 60e6


def test_a_view_that_takes_too_long_is_stopped(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server stops; who waits for it is told what to do."""
    execute(
        server,
        "CREATE VIEW slow AS SELECT sum(a.seq * b.seq) AS sku, '杯' AS name FROM seq_1_to_100000 a, seq_1_to_100000 b",
    )
    monkeypatch.setattr(database_access, "TIMEOUT_S", 0.2)
    error = refusal(f"{server}#slow")
    assert error.code == "database_too_slow"
    assert "0.2 s" in error.message_en


def test_a_connection_that_is_cut_can_be_tried_again(server: str) -> None:
    """A server that restarts while it is read is a matter of time, not of the query."""
    query = f"SELECT seq, repeat('x', 2000) FROM seq_1_to_{BIG_ROWS}"
    error = cut(
        server, own="SELECT connection_id()", query=query, kill=lambda own: execute(server, f"KILL {own}")
    )
    assert error.code == "database_unreachable"


def test_passwords_are_sent_and_never_shown(server: str) -> None:
    """Chinese ones too; a wrong one is not repeated in the message."""
    execute(
        server,
        "CREATE TABLE IF NOT EXISTS listed (sku TEXT, name TEXT)",
        "INSERT INTO listed VALUES ('1', '杯')",
        "SET NAMES utf8mb4",
        "CREATE USER 'chinese'@'%' IDENTIFIED BY '密码@1'",
        "GRANT SELECT ON shop.* TO 'chinese'@'%'",
    )
    place = server.removeprefix("mysql://root@")
    url = f"mariadb://chinese:{quote('密码@1')}@{place}#listed"
    assert [p.sku for p in read_catalog(url, columns=COLUMNS).products] == ["1"]
    error = refusal(f"mariadb://chinese:{quote('错误@s3cr')}@{place}#listed")
    assert error.code == "database_unreachable"
    assert "Access denied" in error.message_en
    assert "s3cr" not in str(error)


def test_the_advised_account_reads_and_nothing_else(server: str) -> None:
    """The statements of docs/catalogs.md, word by word."""
    execute(
        server,
        "CREATE DATABASE erp CHARACTER SET utf8mb4",
        "CREATE TABLE erp.goods (sku TEXT, name TEXT)",
        "INSERT INTO erp.goods VALUES ('1', '杯')",
        "CREATE VIEW erp.products AS SELECT sku, name FROM erp.goods",
        *advice("MariaDB"),
    )
    url = f"{server.replace('root', 'reader:choose-a-password').removesuffix('shop')}erp"
    assert [p.sku for p in read_catalog(url, columns=COLUMNS).products] == ["1"]
    with pytest.raises(pymysql.err.OperationalError, match="denied"):
        execute(url, "INSERT INTO products VALUES ('2', '盘')")
