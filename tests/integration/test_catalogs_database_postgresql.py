"""A real PostgreSQL as a catalog; that its products equal those of other sources is in test_catalogs_equal.py."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction
from sqlalchemy.exc import InternalError

from catalog_imagegen.adapters.catalogs import Way, database_access, read_catalog
from catalog_imagegen.adapters.catalogs.database_access import open_server, parsed, reading
from tests.integration.catalogs_support import COLUMNS
from tests.integration.database_support import BIG_ROWS, advice, cut, growth_bytes, refusal
from tests.servers import postgresql


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a real PostgreSQL and give the URL of its database."""
    with postgresql(tmp_path_factory.mktemp("postgres")) as url:
        yield url


def execute(url: str, *statements: str) -> None:
    """As its administrator."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement))


def test_values_keep_their_digits(postgres: str) -> None:
    """Numbers in JSON, days without an end, and midnights: all as the server writes them."""
    execute(
        postgres,
        "CREATE TABLE exact (sku text, name text, price numeric(30,15), date timestamp, promo_start date,"
        " promo_end date, seen timestamptz, tags jsonb, facts json, features jsonb, paused interval, big numeric)",
        "INSERT INTO exact VALUES ('1', '杯😀𠮷', 0.100000000000000, '2026-01-02', '2026-01-03', 'infinity',"
        """ '2026-01-02 03:04:05.120+00', '{"w": 1.10, "n": 12345678901234567890}', '{"a":  1.0}',"""
        """ '["透气", 1.50]', '26:00:00', 1e25)""",
    )
    (product,) = read_catalog(f"{postgres}#exact", columns=COLUMNS).products
    assert (product.name, product.price, product.date) == ("杯😀𠮷", "0.100000000000000", "2026-01-02")
    assert (product.promo_start, product.promo_end) == ("2026-01-03", "infinity")
    assert product.features == ("透气", "1.50")
    assert product.extra["tags"] == '{"n": 12345678901234567890, "w": 1.10}'
    assert product.extra["facts"] == '{"a":  1.0}'
    assert product.extra["big"] == "10000000000000000000000000"
    assert product.extra["seen"].startswith("2026-01-0")
    assert ":05.12+" in product.extra["seen"].replace("-", "+")


def test_the_dates_of_a_server_with_other_habits(postgres: str) -> None:
    """DateStyle and backslashes are those of the session, whatever the server's settings are."""
    execute(
        postgres,
        "CREATE DATABASE habits",
        "ALTER DATABASE habits SET DateStyle = 'SQL, DMY'",
        "ALTER DATABASE habits SET standard_conforming_strings = off",
    )
    query = r"SELECT 'a\' AS sku, 'b\n' AS name, DATE '2026-12-31' AS date"
    url = parsed(postgres).set(database="habits").render_as_string(hide_password=False)
    (product,) = read_catalog(url, columns=COLUMNS, way=Way(query=query)).products
    assert (product.sku, product.name, product.date) == ("a\\", "b\\n", "2026-12-31")


def test_rows_are_not_all_held_by_the_driver(postgres: str) -> None:
    """200 MB of rows pass through a buffer of 5,000 rows."""
    query = f"SELECT i AS sku, repeat('x', 2000) AS name FROM generate_series(1, {BIG_ROWS}) AS i"
    assert growth_bytes(postgres, query) < 60e6


def test_a_view_that_takes_too_long_is_stopped(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server stops; who waits for it is told what to do."""
    execute(postgres, "CREATE VIEW slow AS SELECT pg_sleep(60)::text AS sku, '杯' AS name")
    monkeypatch.setattr(database_access, "TIMEOUT_S", 0.2)
    error = refusal(f"{postgres}#slow")
    assert error.code == "database_too_slow"
    assert "0.2 s" in error.message_en


def test_nothing_is_written_whatever_is_sent(postgres: str) -> None:
    """The transaction is read-only by itself, without the look at the query."""
    execute(postgres, "CREATE TABLE left_alone (sku text, name text)")
    with reading(open_server(parsed(postgres))) as connection:
        connection.execution_options(stream_results=False)
        with pytest.raises(InternalError, match="read-only"):
            connection.exec_driver_sql("INSERT INTO left_alone VALUES ('1', 'x')")
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT count(*) FROM left_alone").fetchone() == (0,)


def test_a_connection_that_is_cut_can_be_tried_again(postgres: str) -> None:
    """A server that restarts while it is read is a matter of time, not of the query."""
    error = cut(
        postgres,
        own="SELECT pg_backend_pid()",
        query=f"SELECT generate_series(1, {BIG_ROWS})",
        kill=lambda own: execute(postgres, f"SELECT pg_terminate_backend({own}, 10000)"),
    )
    assert error.code == "database_unreachable"


def test_the_advised_account_reads_and_nothing_else(postgres: str) -> None:
    """The statements of docs/catalogs.md, word by word."""
    execute(postgres, "CREATE DATABASE erp")
    erp = parsed(postgres).set(database="erp")
    admin = erp.set(drivername="postgresql").render_as_string(hide_password=False)
    execute(admin, "CREATE TABLE products (sku text, name text)", "INSERT INTO products VALUES ('1', '杯')")
    execute(admin, *advice("PostgreSQL"))
    reader = erp.set(drivername="postgresql", username="reader", password="choose-a-password")
    url = reader.render_as_string(hide_password=False)
    assert [p.sku for p in read_catalog(f"{url}#products", columns=COLUMNS).products] == ["1"]
    with pytest.raises(ReadOnlySqlTransaction):
        execute(url, "INSERT INTO products VALUES ('2', '盘')")
    with pytest.raises(InsufficientPrivilege):
        execute(url, "SET default_transaction_read_only = off", "DELETE FROM products")


def test_odd_names_are_quoted(postgres: str) -> None:
    """Per cent signs, quotes and colons in names are nobody's parameters."""
    execute(
        postgres,
        'CREATE TABLE "50%s :off" ("货号" text, "商品名称" text, "折扣%(x)s :y" text)',
        """INSERT INTO "50%s :off" VALUES ('1', '杯', 'z')""",
    )
    (product,) = read_catalog(postgres, columns=COLUMNS, way=Way(table="50%s :off")).products
    assert dict(product.extra) == {"折扣%(x)s :y": "z"}
