"""A ledger in a real PostgreSQL, shared: who gets what in a race, and who is alive."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.ledger import database, postgresql
from catalog_imagegen.adapters.ledger.examine import examine_postgresql
from catalog_imagegen.adapters.ledger.postgresql import placed
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.bootstrap import recover
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import ConfigError, LedgerBusy, LedgerUnreachable
from catalog_imagegen.domain.fingerprint import fingerprint
from catalog_imagegen.domain.imaging import Take
from catalog_imagegen.domain.job import Finished
from tests.integration.ledgers_support import Home, execute, new_home, told
from tests.integration.test_ledger import KEY, attempt, plan_of, render, wanted
from tests.workroom import until

CONTEXT = multiprocessing.get_context("spawn")
PICTURES = 40
PLACES = ("place:0", "place:1", "place:2")


@pytest.fixture
def home(tmp_path: Path, postgres: str) -> Home:
    """A place for a ledger in PostgreSQL."""
    return new_home(tmp_path, postgres)


def _claim_all(home: Home, start: Any, results: Any) -> None:
    """Try to take every picture, as a run does; puts what it got and how many places others left it."""
    with home.opened() as (ledger, _):
        start.wait()
        won = []
        for number in range(PICTURES):
            name = fingerprint("race", 1, number)
            claim = ledger.claim(f"render:{name}", attempt(f"{home.root.name}-{number}", name), places=PLACES)
            if claim.place:
                assert claim.is_begun, "somebody had begun it, and given it back unfinished"
                won.append(number)
                ledger.release(claim.place)
        results.put((home.root.name, won))
        start.wait()  # a claim ends with its process


def test_two_processes_never_both_get_a_picture(home: Home, tmp_path: Path) -> None:
    """They claim the same pictures in the same order at once, from different folders; each goes to one of them."""
    home.engine().dispose()
    start, results = CONTEXT.Barrier(2), CONTEXT.Queue()
    homes = [home.elsewhere(tmp_path / name) for name in ("one", "other")]
    processes = [CONTEXT.Process(target=_claim_all, args=(place, start, results)) for place in homes]
    for process in processes:
        process.start()
    won = dict(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(30)
    assert Counter(number for numbers in won.values() for number in numbers) == Counter(range(PICTURES))
    assert all(won.values()), "there was no race"
    attempts = execute(home.url, f"SELECT count(*), count(DISTINCT render_key) FROM {home.schema}.attempt")
    assert attempts == [(PICTURES, PICTURES)]


@contextmanager
def several(home: Home, count: int) -> Iterator[list[SqlLedger]]:
    """So many ledgers that know nothing of each other, as in processes of their own."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(home.elsewhere(home.root / str(number)).opened())[0]
            for number in range(count)
        ]


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each of them gives, begun as nearly together as threads can."""
    barrier = threading.Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Any:
        barrier.wait(30)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


def test_a_lease_goes_to_one_of_many(home: Home) -> None:
    """Again and again, also when it was a dead process's."""
    with several(home, 4) as ledgers:
        for number in range(15):
            with ledgers[0]._writing() as db:
                db.exec_driver_sql("INSERT INTO lease VALUES (%s, %s)", (f"sync:{number}", "ab" * 16))
            got = at_once([partial(ledger.lease, f"sync:{number}") for ledger in ledgers])
            assert got.count(True) == 1


def test_no_two_processes_use_one_place(home: Home) -> None:
    """Three places, four who want one: each place has one holder, and one of them gets none."""
    with several(home, 4) as ledgers:
        for turn in range(8):
            names = [fingerprint("place", turn, number) for number in range(4)]
            claims = at_once(
                [
                    partial(ledger.claim, f"render:{name}", attempt(name[:12], name), places=PLACES)
                    for ledger, name in zip(ledgers, names, strict=True)
                ]
            )
            assert sorted(claim.place for claim in claims) == ["", *PLACES]
            for ledger in ledgers:
                ledger.release(*PLACES)


def test_takes_asked_for_at_once_are_all_counted(home: Home) -> None:
    """Each gets a number of its own: the highest is read and written by one at a time."""
    with several(home, 4) as ledgers:
        takes = at_once([partial(ledger.add_take, KEY, seed=None, note="") for ledger in ledgers])
    assert sorted(take.number for take in takes) == [2, 3, 4, 5]


def test_only_one_of_two_words_about_a_picture_counts(home: Home) -> None:
    """Two reviewers reject at once: one new take, the other is told."""
    with several(home, 2) as ledgers:
        ledgers[0].keep_plan(plan_of(wanted()))
        ledgers[0].begin_attempt(attempt("p1"))
        ledgers[0].keep_render(attempt("p1"), render(), Finished({}))
        said = at_once(
            [
                partial(ledger.reject, KEY, render().digest, reason="", note="", at_most=3)
                for ledger in ledgers
            ]
        )
    assert Take(2) in said
    assert "rejected_already" in said


def test_a_dropped_file_is_taken_as_often_as_it_is_not_done(home: Home) -> None:
    """And recorded once, however many take it at once."""
    with several(home, 3) as ledgers:
        assert at_once([partial(ledger.take_drop, "d" * 64, "款.xlsx") for ledger in ledgers]) == [True] * 3
        ledgers[0].end_drop("d" * 64, "done")
        assert not any(at_once([partial(ledger.take_drop, "d" * 64, "款.xlsx") for ledger in ledgers]))


def test_one_reader_sees_one_moment(home: Home) -> None:
    """Whatever is written meanwhile, all that one method reads is of the time when it began."""
    with several(home, 2) as (reader, writer), reader._reading() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM product").scalar_one() == 0
        writer.keep_products("run", [(0, Product("A", "x"))])
        assert db.exec_driver_sql("SELECT count(*) FROM product").scalar_one() == 0
        assert writer.sku_count() == 1


def _hold(home: Home, ready: Any) -> None:
    with home.opened() as (ledger, _):
        assert ledger.lease("render:x")
        ready.set()
        signal.pause()


def test_a_process_on_another_machine_is_alive_until_it_is_killed(home: Home, tmp_path: Path) -> None:
    """Another folder has no file of it: only the server knows. Stopped is not dead; killed is, once the server hears of it."""
    ready = CONTEXT.Event()
    process = CONTEXT.Process(target=_hold, args=(home.elsewhere(tmp_path / "far"), ready))
    with home.opened() as (ledger, presence):
        process.start()
        assert ready.wait(30)
        assert process.pid is not None
        assert not ledger.lease("render:x")
        os.kill(process.pid, signal.SIGSTOP)
        assert not ledger.lease("render:x")
        with presence.bury_the_dead() as (dead, is_alone):
            assert (dead, is_alone) == (set(), False)
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)

        def is_buried() -> bool:
            with presence.bury_the_dead() as (dead, is_alone):
                return (len(dead), is_alone) == (1, True)

        until(is_buried)
        assert ledger.lease("render:x")


def test_nothing_is_swept_while_another_machine_works(home: Home, tmp_path: Path) -> None:
    """A dead neighbour in our folder is buried; bytes that no row names yet may be those of the living elsewhere."""
    ready = CONTEXT.Event()
    process = CONTEXT.Process(target=_hold, args=(home, ready))
    process.start()
    assert ready.wait(30)
    process.kill()
    process.join(30)
    blobs = FolderBlobs(home.data / "blobs")
    blobs.put(b"of whom?")
    with home.elsewhere(tmp_path / "far").opened(), home.opened() as (ledger, presence):
        recover(presence, ledger, blobs, [home.data])
        assert len(list(blobs.names())) == 1
        assert ledger.lease("render:x")


def cut_off(home: Home) -> None:
    """End all sessions of a ledger, as a server that is restarted or a network that fails."""
    execute(
        home.url,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
        f" AND classid = {postgresql.CROWD} AND objid = {postgresql.number_of(home.schema) % 2**32}::bigint",
    )


def test_who_was_cut_off_writes_nothing_more(home: Home, tmp_path: Path) -> None:
    """Others may have taken its work. It can still read, ends with 75, and a new process goes on."""
    with home.opened() as (ledger, presence):
        assert ledger.lease("render:x")
        cut_off(home)
        with home.elsewhere(tmp_path / "far").opened() as (other, _):
            assert other.lease("render:x")
            for again in range(2):
                with pytest.raises(LedgerUnreachable) as lost:
                    ledger.lease(f"render:{again}")
                assert (lost.value.code, lost.value.exit_code) == ("ledger_session_lost", 75)
            with pytest.raises(LedgerUnreachable):
                presence.is_alive("ab" * 16)
            assert ledger.sku_count() == 0
    with home.opened() as (ledger, _):
        assert ledger.lease("render:0")


def test_a_writer_that_does_not_end_is_not_waited_for_for_ever(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words as with SQLite."""
    monkeypatch.setattr(postgresql, "BUSY_TIMEOUT_MS", 100)
    with several(home, 2) as (ledger, other), other._writing(), pytest.raises(LedgerBusy) as busy:
        ledger.lease("x")
    told(busy.value, f"{database.BUSY_TIMEOUT_MS // 1000} s", "run again later")


def test_a_ledger_moves_in_when_nobody_works_with_its_file(home: Home, tmp_path: Path) -> None:
    """Until then it is said who is waited for; then everything is there, and the file has another name."""
    with new_home(tmp_path).opened() as (old, _):
        old.keep_products("run", [(0, Product("A", "x"))])
        with pytest.raises(LedgerBusy) as busy, home.opened():
            pass
        told(busy.value, "let them end and run again")
    for _ in range(2):
        with home.opened() as (ledger, _presence):
            assert [product.sku for product in ledger.products()] == ["A"]
    assert [path.name for path in home.data.glob("ledger*.sqlite")] == ["ledger.moved.sqlite"]


def test_of_two_ledgers_that_move_in_at_once_one_does(home: Home, tmp_path: Path) -> None:
    """Two machines get the setting on the same evening: nothing is merged, and the other one is told."""
    homes = [home.elsewhere(tmp_path / name) for name in ("one", "other")]
    for place in homes:
        with new_home(place.root).opened() as (old, _):
            old.keep_products("run", [(0, Product(place.root.name, "x"))])
    home.engine().dispose()

    def move_in(place: Home) -> str:
        try:
            with place.opened() as (ledger, _):
                return ",".join(product.sku for product in ledger.products())
        except ConfigError as error:
            return error.code

    results = at_once([partial(move_in, place) for place in homes])
    assert "ledger_twice" in results
    (won,) = set(results) - {"ledger_twice"}
    left = [place.root.name for place in homes if (place.data / "ledger.sqlite").exists()]
    assert left == [name for name in ("one", "other") if name != won]


def test_what_a_crash_left_is_still_to_be_swept_after_moving_in(home: Home, tmp_path: Path) -> None:
    """The dead are forgotten by whoever sweeps up after them, and by nobody else."""
    with new_home(tmp_path).opened() as (old, _):
        old.keep_products("run", [(0, Product("A", "x"))])
    holder = "ab" * 16
    (home.data / "processes" / f"{holder}.lock").touch()
    with home.opened() as (_ledger, presence), presence.bury_the_dead() as (dead, is_alone):
        assert (holder in dead, is_alone) == (True, True)


def test_texts_that_postgresql_has_no_characters_for(home: Home) -> None:
    """A NUL becomes a replacement character in columns; rows keep it, and half a character too."""
    product = Product("A", "杯\0\ud800", extra={"容\0量": "1L"})
    with home.opened() as (ledger, _):
        ledger.keep_products("run", [(0, product)])
        assert ledger.products() == [product]
        ledger.keep_plan(plan_of(wanted()._replace(item_text="触\0控")))
        assert ledger.pictures()[0].item_text == "触\N{REPLACEMENT CHARACTER}控"
    assert examine_postgresql(placed(home.url, home.schema)).headers == {"容\0量"}
