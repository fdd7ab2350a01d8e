"""The ledger on a real SQLite file and a real PostgreSQL, and who may do what where it is shared."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import literal, select
from sqlmodel import SQLModel

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.files import TEMPORARY
from catalog_imagegen.adapters.ledger import database
from catalog_imagegen.adapters.ledger.database import READ_ONLY, open_sqlite
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.ledger.tables import PICTURE, REVISION, wants
from catalog_imagegen.bootstrap import recover
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Prompt, Render, Take, Wanted, item_id
from catalog_imagegen.domain.job import Attempt, Claim, Finished, Plan, PlannedPicture
from tests.integration.ledgers_support import Home, new_home

KEY = ImageKey("sku:A/1", "detail", item_id("触控面板"))
FIRST, SECOND = Fingerprint("1" * 64), Fingerprint("2" * 64)


def wanted(render_key: Fingerprint = FIRST, *, name: str = "耳机") -> Wanted:
    """A wanted picture that differs only in its render."""
    return Wanted(
        key=KEY,
        item_text="触控面板",
        slot=1,
        order=0,
        sku="A/1",
        name=name,
        take=Take(),
        prompt=Prompt("正面", "反面"),
        graph={},
        prefix_at=("9", "filename_prefix"),
        render_key=render_key,
        width=1024,
        height=1024,
        workflow="z_image_turbo",
        seed=2**64 - 1,
        made_of={"column:name": name},
    )


def attempt(prompt_id: str, render_key: Fingerprint = FIRST) -> Attempt:
    """An attempt at the wanted picture."""
    return Attempt(prompt_id, render_key, KEY, "http://server")


def render(render_key: Fingerprint = FIRST) -> Render:
    """A render with bytes of its own."""
    return Render(render_key, Digest(render_key), 1024, 1024)


@pytest.fixture
def ledger(home: Home) -> Iterator[SqlLedger]:
    """A new ledger, of either kind."""
    with home.opened() as (ledger, _presence):
        yield ledger


def plan_of(picture: Wanted, *, reuse: bool = False) -> Plan:
    """A plan of one picture."""
    return Plan((PlannedPicture(picture, "reuse" if reuse else "render", ""),))


# Both about the index that the next test looks at.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection:sqlalchemy.exc.SAWarning")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified:UserWarning")
def test_migrations_make_exactly_the_tables_of_the_models(home: Home) -> None:
    """A change of a table without a migration is noticed here."""
    engine = home.engine()
    with engine.connect().execution_options(**READ_ONLY) as connection:
        difference = compare_metadata(MigrationContext.configure(connection), SQLModel.metadata)
        at = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    assert difference == []
    assert at == REVISION


def test_pictures_of_a_render_are_found_by_their_index(home: Home) -> None:
    """It holds the beginning of the key only; a query that asks otherwise would look at every picture."""
    engine = home.engine()
    question = select(PICTURE.c.key).where(wants(literal("0123456789abcdef")))
    with engine.connect() as db:
        if engine.dialect.name == "postgresql":
            db.exec_driver_sql("SET enable_seqscan = off")  # it would look at all of no pictures
        asked = question.compile(engine, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        answer = " ".join(map(str, db.exec_driver_sql(f"{explain}{asked}")))
    engine.dispose()
    assert "ix_picture_render" in answer


def test_a_ledger_of_a_newer_version_is_refused(home: Home) -> None:
    """Its revision is not ours: the message says to install the newer version."""
    engine = home.engine()
    with engine.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(ConfigError, match="newer") as refused:
        home.engine()
    assert refused.value.code == "ledger_newer"


def test_a_network_drive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's locks cannot be trusted there. No network drive can be mounted in a test."""
    monkeypatch.setattr(database, "_drive_type", lambda _folder: "nfs4")
    with pytest.raises(ConfigError, match="network drive"):
        open_sqlite(tmp_path / "ledger.sqlite")


def test_commits_are_synced_to_the_disk(tmp_path: Path) -> None:
    """WAL with synchronous=FULL: a commit survives a power cut."""
    with (
        new_home(tmp_path).opened() as (ledger, _),
        ledger._engine.connect().execution_options(**READ_ONLY) as db,
    ):
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_any_number_of_skus_is_looked_up_at_once(ledger: SqlLedger) -> None:
    """More than a statement takes values, and texts that are hard to write in it."""
    skus = ["a'b", 'c"d', "反\\\\斜", "[]", *(f"S{number}" for number in range(40_000))]
    ledger.keep_products("shop", [(place, Product(sku, "杯")) for place, sku in enumerate(skus)])
    assert {p.sku for p in ledger.products(skus=["none", *skus])} == set(skus)
    assert ledger.products(skus=[]) == []


def test_a_nul_in_a_family_is_found_again(ledger: SqlLedger) -> None:
    """PostgreSQL has none in texts, SQLite none in JSON."""
    ledger.keep_products("shop", [(0, Product("A", "杯", spu="x\0y")), (1, Product("B", "杯", spu="xy"))])
    assert [p.sku for p in ledger.products(skus=(), spus=["x\0y"])] == ["A"]


def test_products_come_back_as_they_were(ledger: SqlLedger) -> None:
    """Lists, extra columns and cells survive; a later row replaces an earlier one."""
    product = Product(
        "00123",
        "杯",
        spu="S",
        features=("a", "b"),
        extra={"容量": "1L"},
        where="表!2",
        cells={"sku": "表!A2"},
    )
    ledger.keep_products("run", [(3, Product("00123", "旧")), (1, Product("9", "x"))])
    ledger.keep_products("run", [(0, product)])
    assert ledger.products() == [product, Product("9", "x")]
    assert ledger.products(skus=["00123"])[0].cells == {"sku": "表!A2"}
    assert [p.sku for p in ledger.products(skus=[], spus=["S"])] == ["00123"]


def test_a_sku_belongs_to_its_source(ledger: SqlLedger) -> None:
    """Another source's row is an issue; a source may claim what only runs have read."""
    ledger.keep_products("run", [(0, Product("A", "x"))])
    assert ledger.foreign("erp", [Product("A", "x")], ["erp", "shop"]) == []
    ledger.keep_products("erp", [(0, Product("A", "x"))])
    (issue,) = ledger.foreign("shop", [Product("A", "y", where="表!7"), Product("B", "z")], ["erp", "shop"])
    assert (issue.code, issue.where, issue.sku) == ("owned_by", "表!7", "A")
    assert ledger.foreign("shop", [Product("A", "y")], ["shop"]) == [], "a source that is gone owns nothing"


def test_takes_count_up_and_the_last_is_current(ledger: SqlLedger) -> None:
    """The first take needs no row; seeds of 64 bits survive."""
    assert ledger.takes() == {}
    assert ledger.add_take(KEY, seed=None, note="亮一点") == Take(2, None, "亮一点")
    assert ledger.add_take(KEY, seed=2**64 - 1, note="") == Take(3, 2**64 - 1, "")
    assert ledger.takes() == {KEY: Take(3, 2**64 - 1, "")}


def test_life_of_a_picture(ledger: SqlLedger) -> None:
    """Planned, rendering, draft; a new prompt makes it planned again while the old picture is shown."""
    ledger.keep_plan(plan_of(wanted()))
    assert ledger.pictures()[0].state == "planned"
    assert ledger.lease(f"render:{FIRST}")
    assert ledger.pictures()[0].state == "rendering"
    ledger.begin_attempt(attempt("p1"))
    assert ledger.open_attempt(FIRST) == attempt("p1")
    ledger.rename_attempt("p1", "p2")
    ledger.keep_render(attempt("p2"), render(), Finished({}, 1000, 3000))
    (status,) = ledger.pictures(["sku:A/1"])
    assert (status.state, status.render, status.is_current) == ("draft", render(), True)
    assert status.seed == 2**64 - 1
    assert ledger.open_attempt(FIRST) is None

    ledger.keep_plan(plan_of(wanted(SECOND)))
    (status,) = ledger.pictures()
    assert (status.state, status.render, status.is_current) == ("planned", render(), False)

    ledger.keep_plan(plan_of(wanted(), reuse=True))
    assert ledger.pictures()[0].state == "draft"


def test_a_failure_belongs_to_its_render(ledger: SqlLedger) -> None:
    """A failed picture is failed until it is forgiven or something about it changes."""
    ledger.keep_plan(plan_of(wanted()))
    ledger.begin_attempt(attempt("p1"))
    failure = Failure("bad_picture", "black")
    ledger.fail_attempt("p1", failure)
    ledger.give_up(KEY, FIRST, failure)
    assert [(f.outcome, f.error) for f in ledger.failed_attempts(FIRST)] == [(failure.code, failure.message)]
    assert ledger.pictures()[0].failure == failure
    assert ledger.records([KEY.subject])[KEY].failed_key == FIRST

    ledger.keep_plan(plan_of(wanted(SECOND)))
    assert ledger.pictures()[0].state == "planned"
    ledger.keep_plan(plan_of(wanted()))
    assert ledger.pictures()[0].state == "failed"

    assert ledger.forgive([KEY]) == 1
    assert ledger.failed_attempts(FIRST) == ()
    assert ledger.pictures()[0].state == "planned"


def test_a_blocked_picture_says_why_and_forgets_nothing(ledger: SqlLedger) -> None:
    """Blocking keeps what was recorded, so that the next plan knows what changed."""
    ledger.keep_plan(plan_of(wanted()))
    block = Blocked(KEY, "触控面板", 1, 0, "A/1", "耳机", "no column", "缺少列")
    ledger.keep_plan(Plan((), (block,)))
    (status,) = ledger.pictures()
    assert (status.state, status.reason_en, status.reason_zh) == ("blocked", "no column", "缺少列")
    assert ledger.records([KEY.subject])[KEY].render_key == FIRST
    assert ledger.records([KEY.subject])[KEY].made_of == {"column:name": "耳机"}


def test_what_leaves_is_kept_but_not_wanted(ledger: SqlLedger) -> None:
    """A picture that is wanted no longer disappears from view; its render stays."""
    ledger.keep_plan(plan_of(wanted()))
    ledger.begin_attempt(attempt("p1"))
    ledger.keep_render(attempt("p1"), render(), Finished({}))
    assert ledger.wanted_keys(["sku:A/1"]) == {KEY}
    ledger.keep_plan(Plan(()), leaving=[KEY])
    assert ledger.pictures() == []
    assert ledger.renders([FIRST]) == {FIRST: render()}


def _hold(home: Home, ready: object, die: bool) -> None:
    with home.opened() as (ledger, _presence):
        assert ledger.lease("render:x")
        (home.root / f"{TEMPORARY}half").write_bytes(b"half a picture")
        FolderBlobs(home.root / "blobs").put(b"bytes that no row names")
        ready.set()  # type: ignore[attr-defined]  # an Event has no public type
        if die:
            os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()


@pytest.mark.parametrize("die", [False, True])
def test_a_lease_lasts_as_long_as_its_process(die: bool, home: Home) -> None:
    """A living process keeps its lease and its files; those of a killed one are free at once, and swept."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold, args=(home, ready, die))
    with home.opened() as (ledger, presence):
        process.start()
        assert ready.wait(30)
        if die:
            process.join(30)
        blobs = FolderBlobs(home.root / "blobs")
        recover(presence, ledger, blobs, [home.root])
        assert ledger.lease("render:x") is die
        assert len(list(blobs.names())) == (0 if die else 1)
        assert (home.root / f"{TEMPORARY}half").exists() is not die
        process.kill()
        process.join(30)


def test_a_lease_is_exclusive_even_to_its_own_process(ledger: SqlLedger) -> None:
    """Two threads of one process must not make the same picture."""
    assert ledger.lease("a")
    assert not ledger.lease("a")
    ledger.release("a")
    assert ledger.lease("a")


def test_those_leases_are_taken_that_nobody_holds(ledger: SqlLedger) -> None:
    """In the order they were asked for; the others stay whose they are."""
    assert ledger.lease("b")
    assert ledger.lease_free(["c", "b", "a"]) == ["c", "a"]
    assert ledger.lease_free(["a", "b", "c"]) == []
    ledger.release("c", "a")
    assert not ledger.lease("b")
    assert ledger.lease_free({"a": 1, "b": 2}) == ["a"]
    assert ledger.lease_free([]) == []


def test_a_claim_takes_a_picture_and_a_place_or_neither(ledger: SqlLedger) -> None:
    """What is new is written down; what is known is told, and left to the caller."""
    ledger.keep_plan(plan_of(wanted()))
    new = ledger.claim("render:1", attempt("p1"), places=["place:0", "place:1"])
    assert new == Claim(place="place:0", is_begun=True)
    assert [record.prompt_id for record in ledger.standing()] == ["p1"]
    assert ledger.claim("render:1", attempt("p2"), places=["place:1"]) == Claim(is_busy=True)
    assert ledger.claim("render:2", attempt("p2", SECOND), places=["place:0"]) == Claim()
    assert ledger.lease("place:1")
    assert ledger.lease("render:2")
    ledger.release("render:1", "place:1")
    known = ledger.claim("render:1", attempt("p2"), places=["place:0", "place:1"])
    assert (known.place, known.is_begun, known.open) == ("place:1", False, attempt("p1"))
    ledger.fail_attempt("p1", Failure("black", "all of it"))
    ledger.release("render:1", "place:1")
    failed = ledger.claim("render:1", attempt("p2"), places=["place:1"])
    assert [record.outcome for record in failed.failed] == ["black"]
    assert (failed.is_begun, failed.open) == (False, None)
    assert ledger.standing() == []


def test_an_attempt_that_does_not_count_leaves_a_picture_new(ledger: SqlLedger) -> None:
    """It was taken back: the next one is written down at once."""
    ledger.keep_plan(plan_of(wanted()))
    ledger.begin_attempt(attempt("p1"))
    ledger.fail_attempt("p1", Failure("recalled", "another server makes it sooner"))
    assert ledger.claim("render:1", attempt("p2"), places=["place:0"]).is_begun
    assert [record.prompt_id for record in ledger.standing()] == ["p2"]


@pytest.mark.parametrize("is_busy", [False, True])
def test_places_that_are_left_are_given_back_whatever_comes_of_a_claim(
    is_busy: bool, ledger: SqlLedger
) -> None:
    """They can be taken over by the same claim, and by others if it comes to nothing."""
    ledger.keep_plan(plan_of(wanted()))
    assert ledger.lease("place:0")
    assert ledger.lease("place:1")
    assert not is_busy or ledger.lease("render:1")
    claim = ledger.claim("render:1", attempt("p1"), places=["place:0"], leaving=["place:0", "place:1"])
    assert (claim.place, claim.is_busy) == ("" if is_busy else "place:0", is_busy)
    assert ledger.lease("place:0") is is_busy
    assert ledger.lease("place:1")


def _open(home: Home) -> None:
    home.engine().dispose()


def test_processes_may_open_a_new_ledger_at_once(home: Home) -> None:
    """The first makes the tables, the others wait; none fails."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_open, args=(home,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]


def test_only_what_stands_can_be_cancelled(ledger: SqlLedger) -> None:
    """A run may have brought the job home since somebody looked; and a cancelled one may have ended all the same."""
    ledger.keep_plan(plan_of(wanted()))
    ledger.begin_attempt(attempt("p1"))
    assert ledger.cancel_attempt("p1", "jobs cancel")
    assert ledger.standing() == []
    ledger.reopen_attempt("p1")
    ledger.keep_render(attempt("p1"), render(), Finished({}))
    assert not ledger.cancel_attempt("p1", "jobs cancel")
    assert [record.outcome for record in ledger.attempts()] == ["done"]
