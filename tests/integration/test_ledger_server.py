"""What is said when the PostgreSQL of a ledger is not as it should be, or not there: a real one, in every such state."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from catalog_imagegen.adapters.ledger import postgresql
from catalog_imagegen.adapters.ledger.examine import examine_postgresql
from catalog_imagegen.adapters.ledger.postgresql import open_postgresql, placed
from catalog_imagegen.adapters.ledger.postgresql_errors import while_working
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import CatalogImagegenError, LedgerUnreachable
from tests.integration.ledgers_support import SECRET, execute, new_home, told, with_password
from tests.servers import postgresql as serving
from tests.servers import postgresql_stopped


def test_a_server_that_restarts_is_waited_for_by_the_next_command(tmp_path: Path) -> None:
    """While it is away each call says so, with 75 and without the password; afterwards everything is there."""
    folder = tmp_path / "server"
    folder.mkdir()
    with serving(folder) as url:
        home = new_home(tmp_path, with_password(url))
        with home.opened() as (ledger, _):
            ledger.keep_products("run", [(0, Product("A", "x"))])
            with postgresql_stopped(folder):
                with pytest.raises(LedgerUnreachable) as away:
                    ledger.sku_count()
                told(away.value, "run again later")
                for look in (home.engine, partial(examine_postgresql, placed(home.url, home.schema))):
                    with pytest.raises(LedgerUnreachable) as away:
                        look()
                    told(away.value, "start that server")
            with pytest.raises(LedgerUnreachable) as away:
                ledger.lease("render:x")
            told(away.value, "run again")
        with home.opened() as (ledger, _):
            assert [p.sku for p in ledger.products()] == ["A"]
            assert ledger.lease("render:x")


def refusal(url: str, schema: str = "catalog_imagegen") -> CatalogImagegenError:
    """What opening a ledger ends with."""
    with pytest.raises(CatalogImagegenError) as refused:
        open_postgresql(placed(url, schema)).dispose()
    return refused.value


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        f"mysql://user:{SECRET}@host/shop",
        f"postgresql://user:{SECRET}@host",
        "",
        f"x{SECRET}:/",
        f"postgresql://user:a@{SECRET}@host/shop",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    """The password in it is not repeated."""
    error = refusal(url)
    told(error, "postgresql://user:${PASSWORD}@host/database")
    assert error.code == "ledger_url_invalid"


def test_an_option_that_nobody_knows(postgres: str) -> None:
    """Behind the question mark stand options of libpq."""
    error = refusal(f"{postgres}&shop=a")
    told(error, "shop")
    assert error.code == "ledger_url_invalid"


def test_nobody_listens() -> None:
    """A port where nothing is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = refusal(f"postgresql://shop:{SECRET}@127.0.0.1:{free.getsockname()[1]}/shop")
    told(error, "127.0.0.1", "cannot be reached", "start that server")
    assert error.code == "ledger_unreachable"


def test_there_is_no_such_database(postgres: str) -> None:
    """Which the same account can see in the server's own."""
    error = refusal(
        make_url(with_password(postgres)).set(database="nono").render_as_string(hide_password=False)
    )
    told(error, "there is no database nono", "create it")
    assert error.code == "ledger_database_missing"


def test_a_database_without_chinese(postgres: str) -> None:
    """It would take a ledger, and lose the first product."""
    execute(
        postgres,
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    error = refusal(
        make_url(with_password(postgres)).set(database="ascii").render_as_string(hide_password=False)
    )
    told(error, "SQL_ASCII", "make one with ENCODING 'UTF8'")
    assert error.code == "ledger_encoding"


def test_a_server_that_is_too_old(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is at hand: ours counts as one."""
    monkeypatch.setattr(postgresql, "_OLDEST", (99,))
    error = refusal(with_password(postgres), "too_old")
    told(error, "use 99 or newer")
    assert error.code == "ledger_server_old"


@pytest.fixture
def guarded(postgres: str) -> Iterator[str]:
    """A server that asks two accounts for passwords; the URL of the one that knows it."""
    execute(postgres, f"CREATE ROLE guarded LOGIN PASSWORD '{SECRET}'")
    hba = Path(execute(postgres, "SHOW hba_file")[0][0])
    before = hba.read_text(encoding="utf-8")
    hba.write_text(f"local all guarded scram-sha-256\n{before}", encoding="utf-8")
    execute(postgres, "SELECT pg_reload_conf()", "SELECT pg_sleep(0.1)")
    yield with_password(postgres, "guarded")
    hba.write_text(before, encoding="utf-8")
    execute(postgres, "SELECT pg_reload_conf()", "DROP OWNED BY guarded", "DROP ROLE guarded")


def test_a_wrong_password_and_an_account_without_rights(guarded: str, postgres: str) -> None:
    """Neither is told as the other; given its schema, the account can work there."""
    wrong = make_url(guarded).set(password="wr0ng-pass")
    error = refusal(wrong.render_as_string(hide_password=False))
    told(error, "refuses this user or password", "correct them")
    assert "wr0ng" not in str(error)
    assert error.code == "ledger_login_refused"
    error = refusal(make_url(guarded).set(database="nono").render_as_string(hide_password=False))
    assert error.code == "ledger_database_missing"
    error = refusal(guarded, "of_guarded")
    told(error, "CREATE SCHEMA of_guarded AUTHORIZATION")
    assert error.code == "ledger_permission"
    execute(postgres, "CREATE SCHEMA of_guarded AUTHORIZATION guarded")
    open_postgresql(placed(guarded, "of_guarded")).dispose()


def test_an_account_with_too_many_connections(postgres: str) -> None:
    """It is for the server's keeper, and a matter of time."""
    execute(postgres, "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    error = refusal(with_password(postgres, "crowded"))
    told(error, "refuses the connection", "free connections")
    assert error.code == "ledger_refused"


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (psycopg.errors.DiskFull("could not extend file"), "disk_full", 75),
        (psycopg.errors.AdminShutdown("terminating connection"), "ledger_unreachable", 75),
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), "ledger_permission", 2),
        (psycopg.errors.DataCorrupted("invalid page"), "ledger_damaged", 2),
    ],
)
def test_what_cannot_be_shown_here(error: psycopg.Error, code: str, exit_code: int) -> None:
    """A full disk, a standby, a bad page: by PostgreSQL's codes."""
    place = placed(f"postgresql://shop:{SECRET}@host/shop", "catalog_imagegen")
    explained = while_working(error, place, is_lost=False)
    assert explained is not None
    told(explained, "postgresql://shop:***@host/shop")
    assert (explained.code, explained.exit_code) == (code, exit_code)
