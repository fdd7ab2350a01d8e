"""The CLI with a ledger in a real PostgreSQL, whose password is in the environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from tests.e2e.cli import Ran, assert_explains, called, wait_for
from tests.e2e.shop import Shop, executions, simulator_process, start
from tests.e2e.test_kill import VARIANTS, await_executions
from tests.servers import postgresql, postgresql_stopped

SECRET = "s3cret-word"


class SharedShop(Shop):
    """A shop whose catalog is a source, and whose ledger is in a PostgreSQL."""

    def __init__(self, root: Path, server: str, *, comfyui: str = "", schema: str = "") -> None:
        super().__init__(root, comfyui=comfyui)
        self.schema = schema or f"shop_{uuid4().hex[:12]}"
        self.server = server
        named = make_url(server).set(password="PASSWORD").render_as_string(hide_password=False)
        url = named.replace("PASSWORD", "${LEDGER_PASSWORD}")
        settings = root / "config" / "app.toml"
        table = f'\n[ledger]\nurl = "{url}"\nschema_name = "{self.schema}"\n'
        source = f'\n[[source]]\nname = "shop"\npath = "{self.catalog.name}"\n'
        settings.write_text(settings.read_text(encoding="utf-8") + table + source, encoding="utf-8")

    def ran(self, *words: str, simulate: bool = True) -> Ran:
        """A command in this workspace."""
        where = ["--workspace", str(self.root), *(["--simulate"] if simulate else [])]
        ran = called(*words, *where, env={"LEDGER_PASSWORD": SECRET})
        assert SECRET not in ran.out + ran.err
        return ran

    def findings(self) -> list[dict[str, Any]]:
        """What the doctor says of ledgers."""
        ran = called(
            "doctor", "--json", "--workspace", str(self.root), env={"LEDGER_PASSWORD": SECRET}
        )  # ends with 1: there is no server
        assert SECRET not in ran.out + ran.err
        return [found for found in ran.json["findings"] if found["check"] == "ledger"]

    def rows_or_none(self, schema: str, table: str) -> int | None:
        """The same; None before there is such a table."""
        with suppress(psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return self.rows(schema, table)
        return None

    def rows(self, schema: str, table: str) -> int:
        """How many there are."""
        with psycopg.connect(self.server) as connection:
            name = sql.Identifier(schema, table)
            found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
        assert found is not None
        return int(found[0])


@pytest.fixture
def shop(tmp_path: Path, postgres: str) -> SharedShop:
    """A workspace with a ledger in PostgreSQL; nothing is there yet."""
    return SharedShop(tmp_path / "shop", postgres)


def test_run_sync_and_status(shop: SharedShop) -> None:
    """What was made is made once, whichever command asks; placeholders have a schema of their own."""
    (told,) = shop.findings()
    assert (told["status"], told["standing"]) == ("ok", "none")
    ran = shop.ran("run", str(shop.catalog), "--json")
    assert ran.code == 0, ran.err
    assert ran.json["pictures"]["rendered"] == ran.json["pictures"]["planned"] > 0
    for words in (("run", str(shop.catalog), "--json"), ("sync", "--json"), ("sync", "--json")):
        again = shop.ran(*words)
        assert again.code == 0, again.err
        assert again.json["jobs_submitted"] == 0
    skus = json.loads(shop.ran("status", "--json").out)["skus"]
    assert len(skus) == 2
    assert not list(shop.root.rglob("ledger.sqlite"))
    assert shop.rows(f"{shop.schema}_simulated", "product") == 2
    assert json.loads(shop.ran("status", "--json", simulate=False).out)["skus"] == []
    assert shop.rows(shop.schema, "product") == 0

    real, simulated = shop.findings()
    assert real["what"] == f"postgresql://postgres:***@/postgres ({shop.schema})"
    assert simulated["what"] == f"postgresql://postgres:***@/postgres ({shop.schema}_simulated)"
    assert {(f["status"], f["standing"], f["revision"] > "") for f in (real, simulated)} == {
        ("ok", "current", True)
    }
    blobs = (shop.root / "data" / "simulated" / "blobs").glob("??/*")
    next(path for path in blobs if path.read_bytes().startswith(b"\x89PNG")).unlink()
    (*_, lost) = shop.findings()
    assert (lost["status"], lost["missing"]) == ("error", 1)


def test_a_newer_ledger_and_one_that_cannot_be_reached(shop: SharedShop) -> None:
    """The doctor names the ledger and says what to do, once; so does every command."""
    assert shop.ran("status").code == 0
    with psycopg.connect(shop.server) as connection:
        name = sql.Identifier(f"{shop.schema}_simulated", "alembic_version")
        connection.execute(sql.SQL("UPDATE {} SET version_num = '9999'").format(name))
    assert_explains(shop.ran("status"), 2, "newer", "9999", "restore a backup")
    (_, told) = shop.findings()
    assert (told["status"], told["standing"], told["revision"]) == ("error", "newer", "9999")

    settings = shop.root / "config" / "app.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("/postgres?", "/nono?"), encoding="utf-8")
    assert_explains(shop.ran("status"), 2, "there is no database nono", "create it")
    (told,) = shop.findings()
    assert (told["status"], told["code"]) == ("error", "ledger_database_missing")
    assert "create it" in told["remedy_en"]
    settings.write_text(text.replace("?host=", "?host=/nowhere"), encoding="utf-8")
    assert_explains(shop.ran("status"), 75, "cannot be reached", "start that server")
    (told,) = shop.findings()
    assert (told["status"], told["code"]) == ("error", "ledger_unreachable")
    assert_explains(called("status", "-w", shop.root), 2, "LEDGER_PASSWORD is not set")


def test_a_workspace_takes_its_ledger_along(tmp_path: Path, postgres: str) -> None:
    """The first command with the new setting copies what there is: nothing is made again, and reviews go on."""
    plain = Shop(tmp_path / "shop")
    plain.run("--role", "main")
    sku = plain.status()[0]["sku"]
    approve = ("review", "approve", sku, "--role", "main")
    assert called(*approve, "--workspace", str(plain.root), "--simulate").code == 0
    before = plain.status()
    shop = SharedShop(plain.root, postgres)
    ran = shop.ran("run", str(shop.catalog), "--role", "main", "--json")
    assert (ran.code, ran.json["jobs_submitted"]) == (0, 0), ran.err
    assert json.loads(shop.ran("status", "--json").out)["skus"] == before
    data = shop.root / "data" / "simulated"
    assert [path.name for path in data.glob("ledger*.sqlite")] == ["ledger.moved.sqlite"]
    assert shop.ran("review", "reject", sku, "--role", "main").code == 0
    assert shop.rows(f"{shop.schema}_simulated", "review") == 2

    (data / "ledger.moved.sqlite").rename(data / "ledger.sqlite")
    assert_explains(shop.ran("status"), 2, "both", "ledger.sqlite", "move away the file")
    (data / "ledger.sqlite").unlink()
    assert shop.ran("status").code == 0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A PostgreSQL of the test's own; its folder and its URL."""
    folder = tmp_path / "server"
    folder.mkdir()
    with postgresql(folder) as url:
        yield folder, url


def test_a_server_that_goes_away_in_a_run(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends with 75; the next one takes over what was sent, and no picture is executed twice."""
    folder, address = server
    monkeypatch.setenv("LEDGER_PASSWORD", SECRET)
    with simulator_process(seconds=0.1) as url:
        shop = SharedShop(tmp_path / "shop", address, comfyui=url)
        shop.write(VARIANTS)
        process = start(shop)
        await_executions(url, more=3)
        with postgresql_stopped(folder):
            out, err = process.communicate(timeout=60)
            assert process.returncode == 75, (out, err)
            assert "Traceback" not in err
            assert SECRET not in out + err
            assert_explains(shop.ran("status"), 75, "cannot be reached", "start that server")
        ran = called(*shop.run_words(), env={"LEDGER_PASSWORD": SECRET})
        assert ran.code == 0, ran.err
        counts = ran.json["pictures"]
        assert counts["rendered"] + counts["reused"] == counts["planned"] == len(executions(url))
        assert set(executions(url).values()) == {1}


def test_a_watcher_whose_server_was_restarted(
    server: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have lost the folder to another: it ends with 75 instead of taking the next file."""
    folder, address = server
    monkeypatch.setenv("LEDGER_PASSWORD", SECRET)
    shop = SharedShop(tmp_path / "shop", address)
    drop = tmp_path / "drop"
    drop.mkdir()
    line = ("watch", str(drop), "--simulate", "--settle", "0", "--interval", "0.1", "-w", str(shop.root))
    process = start(shop, *line)
    wait_for(lambda: shop.rows_or_none(f"{shop.schema}_simulated", "lease"))
    with postgresql_stopped(folder):
        pass
    shop.catalog.rename(drop / "new.xlsx")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 75, (out, err)
    assert_explains(Ran(process.returncode, out, err), 75, "nothing is lost", "run again")
    assert (drop / "new.xlsx").exists()
