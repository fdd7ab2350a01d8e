"""What is taken for a query that only reads."""

from __future__ import annotations

import pytest

from catalog_imagegen.adapters.catalogs.select_only import only_select
from catalog_imagegen.domain.errors import CatalogError

EVERY = ("sqlite", "postgresql", "mysql")


def refusal(query: str, database: str) -> CatalogError:
    """Give the error that looking at *query* ends with."""
    with pytest.raises(CatalogError) as caught:
        only_select(query, database=database)
    assert caught.value.code == "query_not_select"
    assert "view" in caught.value.message_en
    assert "视图" in caught.value.message_zh
    return caught.value


@pytest.mark.parametrize("database", EVERY)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT sku, name FROM products",
        "select p.sku, (SELECT max(price) FROM prices) AS price FROM products p JOIN a ON a.id = p.id WHERE x IN (1, 2)",
        "WITH a AS (SELECT 1 AS sku), b AS (SELECT * FROM a) SELECT * FROM b",
        "(SELECT 1 AS sku) UNION ALL (SELECT 2) ORDER BY 1 LIMIT 5",
        "SELECT 'DELETE FROM t; -- INTO' AS sku, ';' AS name, '/*!' AS color",
        'SELECT "insert" AS "into" FROM products',
        "SELECT row_number() OVER (PARTITION BY spu ORDER BY sku) AS n, coalesce(a, 'x') AS b FROM products",
        "SELECT count(*) AS n, upper(name) AS name FROM products GROUP BY name HAVING count(*) > 1",
    ],
)
def test_what_only_reads_is_left_as_it_is(query: str, database: str) -> None:
    """Not a character is changed: no other query than the one in the config is sent."""
    assert only_select(query, database=database) == query


def test_comments_and_semicolons_are_blanked() -> None:
    """All else stays where it was, so that places in the database's messages are right."""
    query = "-- all\nSELECT sku, -- 号\n '--' AS name /* a /* b */ */ FROM t;\n-- end"
    text = only_select(query, database="postgresql")
    assert text.split() == ["SELECT", "sku,", "'--'", "AS", "name", "FROM", "t"]
    assert text.index("FROM") == query.index("FROM")


@pytest.mark.parametrize(
    ("database", "query", "found"),
    [
        *((d, "DELETE FROM t", "DELETE") for d in EVERY),
        *((d, "INSERT INTO t VALUES (1)", "INSERT") for d in EVERY),
        *((d, "UPDATE t SET a = 1", "UPDATE") for d in EVERY),
        *((d, "DROP TABLE t", "DROP") for d in EVERY),
        *((d, "VALUES (1)", "VALUES") for d in EVERY),
        *((d, "WITH x AS (SELECT 1) DELETE FROM t", "DELETE") for d in EVERY),
        *((d, "SELECT 1; DELETE FROM t", "2 statements") for d in EVERY),
        *((d, "SELECT 1; SELECT 2", "2 statements") for d in EVERY),
        *((d, "-- nothing\n;", "0 statements") for d in EVERY),
        ("postgresql", "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "DELETE"),
        ("postgresql", "SELECT * FROM (WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x) y", "INSERT"),
        ("postgresql", "SELECT * INTO copied FROM t", "INTO"),
        ("postgresql", "SELECT * FROM t FOR UPDATE", "FOR UPDATE"),
        ("postgresql", "SELECT * FROM (SELECT * FROM t FOR KEY SHARE NOWAIT) x", "FOR SHARE"),
        ("postgresql", "COPY t TO '/tmp/x'", "COPY"),
        ("postgresql", "EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN"),
        ("postgresql", "CALL spoil()", "CALL"),
        ("postgresql", "SET TRANSACTION READ WRITE", "SET"),
        ("postgresql", "SELECT pg_sleep(9)", "pg_sleep()"),
        ("postgresql", 'SELECT pg_catalog."pg_sleep"(9)', "pg_sleep()"),
        ("postgresql", "SELECT PG_Sleep_For('9 min')", "PG_Sleep_For()"),
        ("postgresql", "SELECT pg_sleep /* */ (9)", "pg_sleep()"),
        ("postgresql", 'SELECT U&"\\0070g_sleep"(9)', "\\0070g_sleep"),
        ("postgresql", "SELECT * FROM pg_ls_dir('.')", "pg_ls_dir()"),
        ("postgresql", "SELECT * FROM t, LATERAL dblink_exec('x', 'y') z", "dblink_exec()"),
        ("postgresql", "SELECT 1 WHERE pg_read_file('x') > ''", "pg_read_file()"),
        ("postgresql", "SELECT 1 ORDER BY nextval('s')", "nextval()"),
        ("postgresql", "SELECT set_config('a', 'b', false), pg_advisory_lock(1)", "set_config()"),
        ("postgresql", "SELECT query_to_xml('SELECT pg_sleep(9)', true, true, '')", "query_to_xml()"),
        ("mysql", "SELECT 1 INTO OUTFILE '/tmp/x'", "INTO"),
        ("mysql", "SELECT a FROM t LIMIT 1 INTO DUMPFILE '/tmp/x'", "INTO"),
        ("mysql", "SELECT 1 INTO @a", "INTO"),
        ("mysql", "SELECT * FROM t LOCK IN SHARE MODE", "FOR SHARE"),
        ("mysql", "SELECT 1 /*! INTO OUTFILE '/tmp/x' */", "/*! INTO OUTFILE"),
        ("mysql", "SELECT 1 /*M!100000 INTO OUTFILE '/tmp/x' */", "/*M!100000"),
        ("mysql", "SELECT 5--1 INTO OUTFILE '/tmp/x'\n", "INTO"),
        ("mysql", "SELECT `sleep`(9)", "sleep()"),
        ("mysql", "SELECT BENCHMARK(9, 1), LOAD_FILE('/x')", "BENCHMARK()"),
        ("mysql", "SELECT /*+ MAX_EXECUTION_TIME(0) */ 1", "MAX_EXECUTION_TIME()"),
        ("mysql", "SHOW TABLES", "SHOW"),
        ("mysql", "REPLACE INTO t VALUES (1)", "REPLACE"),
        ("sqlite", "SELECT load_extension('x')", "load_extension()"),
        ("sqlite", "SELECT [writefile]('x', 'y')", "writefile()"),
        ("sqlite", "ATTACH 'x' AS y", "ATTACH"),
        ("sqlite", "PRAGMA user_version = 1", "PRAGMA"),
        ("sqlite", "VACUUM INTO 'x'", "VACUUM"),
    ],
)  # fmt: skip
def test_what_does_more_is_named(database: str, query: str, found: str) -> None:
    """Both languages say what was found; nothing was sent."""
    error = refusal(query, database)
    assert found in error.message_en
    assert found.removesuffix(" statements") in error.message_zh


@pytest.mark.parametrize(
    ("query", "place", "place_zh"),
    [
        ("SELECT a,\n b FROM\n t WHERE (a =", "line 3, column 13, near '='", "第 3 行第 13 列“=”"),
        ("SELECT a FROM t LIMIT 1 ELEPHANT", "line 1, column 25, near 'ELEPHANT'", "第 1 行第 25 列"),
        ("SELECT 'a", "Missing ' from 1:7", "Missing ' from 1:7"),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "too deep a nesting", "过深的嵌套"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(query: str, place: str, place_zh: str) -> None:
    """Nobody knows what such a query does, and its author wants to know where to look."""
    error = refusal(query, "postgresql")
    assert place in error.message_en
    assert place_zh in error.message_zh


def test_two_dashes_are_no_comment_in_mysql() -> None:
    """Without a blank behind them they are minus minus, there alone."""
    assert only_select("SELECT 5--1 AS sku", database="mysql").split() == ["SELECT", "5--1", "AS", "sku"]
    assert only_select("SELECT 5--1 AS sku", database="postgresql").split() == ["SELECT", "5"]


def test_a_refused_statement_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The parser's own warning would show the query beside our message."""
    refusal("CALL spoil('secret')", "mysql")
    assert caplog.text == ""
