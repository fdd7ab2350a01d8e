"""What the ledger makes of a reviewer's word, on a real SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalog_imagegen.adapters.ledger.database import open_sqlite
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.presence import Presence
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import ImageKey, Render, Take
from catalog_imagegen.domain.job import Attempt, Finished, Plan, PlannedPicture
from tests.integration.test_ledger import FIRST, KEY, SECOND, attempt, plan_of, render, wanted

SEEN = render().digest


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    """A ledger in a new file, with one picture made."""
    presence = Presence(tmp_path / "processes")
    ledger = SqlLedger(
        open_sqlite(tmp_path / "ledger.sqlite"), holder=presence.holder, is_alive=presence.is_alive
    )
    make(ledger, FIRST)
    yield ledger
    ledger.close()
    presence.close()


def make(ledger: SqlLedger, render_key: Fingerprint, *, digest: Digest | None = None, take: int = 1) -> None:
    """Plan and make the picture with this render."""
    picture = replace(wanted(render_key), take=Take(take))
    ledger.keep_plan(Plan((PlannedPicture(picture, "render", ""),)))
    sent = attempt(f"job-{render_key[:4]}-{digest}", render_key)
    ledger.begin_attempt(sent, "run")
    made = render(render_key) if digest is None else replace(render(render_key), digest=digest)
    ledger.keep_render(sent, made, Finished({}))


def state(ledger: SqlLedger) -> str:
    """How the picture stands."""
    (picture,) = ledger.pictures()
    return picture.state


def test_a_word_is_about_bytes(ledger: SqlLedger) -> None:
    """Another picture under the same key, even the same render made again, is not approved by it."""
    assert ledger.approve(KEY, Digest("f" * 64)) == "replaced"
    assert ledger.approve(KEY, SEEN) is None
    assert state(ledger) == "approved"
    make(ledger, FIRST, digest=Digest("a" * 64))
    assert state(ledger) == "draft"


def test_what_is_planned_anew_cannot_be_approved(ledger: SqlLedger) -> None:
    """The newest picture is of an older row: the word comes too late, for either decision."""
    ledger.keep_plan(plan_of(wanted(SECOND)))
    assert ledger.approve(KEY, SEEN) == "outdated"
    assert ledger.reject(KEY, SEEN, reason="", note="", at_most=3) == "outdated"
    assert ledger.reviews([KEY]) == {}


def test_what_nobody_wants_cannot_be_reviewed(ledger: SqlLedger) -> None:
    """Nor what was never planned."""
    assert ledger.approve(ImageKey("sku:X", "main", "0"), SEEN) == "not_wanted"
    ledger.keep_plan(Plan(()), leaving=[KEY])
    assert ledger.approve(KEY, SEEN) == "not_wanted"


def test_a_new_take_that_somebody_asked_for_comes_first(ledger: SqlLedger) -> None:
    """``regenerate`` wrote its take down and died: the old picture is not approved in its stead."""
    ledger.add_take(KEY, seed=7, note="")
    assert ledger.approve(KEY, SEEN) == "asked_again"
    assert ledger.reject(KEY, SEEN, reason="", note="", at_most=3) == "asked_again"


def test_a_rejection_asks_for_one_take_and_is_kept(ledger: SqlLedger) -> None:
    """Said twice it counts once; the note goes into the take, the reason to the record."""
    take = ledger.reject(KEY, SEEN, reason="颜色不对", note="更深", at_most=3)
    assert take == Take(2, None, "更深")
    assert ledger.reject(KEY, SEEN, reason="颜色不对", note="更深", at_most=3) == "rejected_already"
    assert ledger.takes() == {KEY: Take(2, None, "更深")}
    assert [(r.decision, r.reason, r.digest) for r in ledger.reviews([KEY])[KEY]] == [
        ("rejected", "颜色不对", SEEN)
    ]
    assert state(ledger) == "rejected"


def test_a_note_goes_on_to_the_next_take(ledger: SqlLedger) -> None:
    """What was asked for once is still wanted when the picture is made again."""
    ledger.reject(KEY, SEEN, reason="", note="更深", at_most=3)
    make(ledger, SECOND, take=2)
    assert ledger.reject(KEY, render(SECOND).digest, reason="", note="", at_most=3) == Take(3, None, "更深")


def test_rejections_of_another_brief_do_not_count(ledger: SqlLedger) -> None:
    """After a change of the row the picture has all its takes again."""
    assert ledger.reject(KEY, SEEN, reason="", note="", at_most=1) == Take(2)
    make(ledger, SECOND, take=2)
    assert ledger.reject(KEY, render(SECOND).digest, reason="", note="", at_most=1) is None
    assert state(ledger) == "blocked"
    third = Fingerprint("3" * 64)
    renamed = replace(wanted(third, name="耳塞"), take=Take(2))
    ledger.keep_plan(Plan((PlannedPicture(renamed, "render", ""),)))
    sent = Attempt("job-3", third, KEY, "http://server")
    ledger.begin_attempt(sent, "run")
    ledger.keep_render(sent, Render(third, Digest(third), 1024, 1024), Finished({}))
    assert state(ledger) == "draft"
    assert ledger.reject(KEY, Digest(third), reason="", note="", at_most=1) == Take(3)


def test_a_ledger_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """What an older version recorded stays, and knows which take each picture is of."""
    path = tmp_path / "ledger.sqlite"
    engine = open_sqlite(path)
    presence = Presence(tmp_path / "processes")
    ledger = SqlLedger(engine, holder=presence.holder, is_alive=presence.is_alive)
    make(ledger, FIRST)
    ledger.add_take(KEY, seed=None, note="")
    ledger.close()
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE review")
        for column in ("take", "approved_key", "approved_digest", "rejected_key", "rejection"):
            db.execute(f"ALTER TABLE picture DROP COLUMN {column}")
        db.execute("UPDATE alembic_version SET version_num = '0001'")
    db.close()
    again = SqlLedger(open_sqlite(path), holder=presence.holder, is_alive=presence.is_alive)
    (picture,) = again.pictures()
    assert (picture.state, picture.take.number) == ("draft", 2)
    assert again.approve(KEY, SEEN) is None
    again.close()
    presence.close()
