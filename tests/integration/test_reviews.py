"""What the ledger makes of a reviewer's word, on a real SQLite file and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Render, Take
from catalog_imagegen.domain.job import Attempt, Finished, Plan, PlannedPicture
from tests.integration.ledgers_support import Home
from tests.integration.test_ledger import FIRST, KEY, SECOND, attempt, plan_of, render, wanted

SEEN = render().digest


@pytest.fixture
def ledger(home: Home) -> Iterator[SqlLedger]:
    """A new ledger with one picture made."""
    with home.opened() as (ledger, _presence):
        make(ledger, FIRST)
        yield ledger


def make(ledger: SqlLedger, render_key: Fingerprint, *, digest: Digest | None = None, take: int = 1) -> None:
    """Plan and make the picture with this render."""
    picture = wanted(render_key)._replace(take=Take(take))
    ledger.keep_plan(Plan((PlannedPicture(picture, "render", ""),)))
    sent = attempt(f"job-{render_key[:4]}-{digest}", render_key)
    ledger.begin_attempt(sent)
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
    """The newest picture is of an older row: the word comes too late."""
    ledger.keep_plan(plan_of(wanted(SECOND)))
    assert ledger.approve(KEY, SEEN) == "outdated"
    assert ledger.reviews([KEY]) == {}


@pytest.mark.parametrize("is_new_one_made", [False, True])
def test_an_approved_picture_can_be_withdrawn_at_any_time(ledger: SqlLedger, is_new_one_made: bool) -> None:
    """While its successor is under way or waits it can still be taken out, which asks for no take."""
    ledger.approve(KEY, SEEN)
    if is_new_one_made:
        make(ledger, SECOND)
    else:
        ledger.keep_plan(plan_of(wanted(SECOND)))
    assert ledger.reject(KEY, SEEN, reason="侵权", note="", at_most=3) == "withdrawn"
    (picture,) = ledger.pictures()
    assert picture.approved is None
    assert (picture.listed is not None) is is_new_one_made
    assert ledger.takes() == {}
    assert ledger.reject(KEY, SEEN, reason="", note="", at_most=3) in ("rejected_already", "replaced")
    if not is_new_one_made:
        make(ledger, SECOND)
    assert state(ledger) == "draft"


def test_a_rejection_taken_back_does_not_count(ledger: SqlLedger) -> None:
    """However often somebody changes his mind, no take was made and none is used up."""
    for _ in range(5):
        assert ledger.reject(KEY, SEEN, reason="", note="", at_most=1) == Take(2)
        assert ledger.approve(KEY, SEEN) is None
    assert state(ledger) == "approved"


def test_taking_a_rejection_back_leaves_a_take_that_was_asked_for(ledger: SqlLedger) -> None:
    """``regenerate`` came after the rejection: its take is somebody's wish."""
    ledger.reject(KEY, SEEN, reason="", note="", at_most=3)
    ledger.add_take(KEY, seed=7, note="")
    assert ledger.approve(KEY, SEEN) == "asked_again"
    assert ledger.takes() == {KEY: Take(3, 7)}


@pytest.mark.parametrize("planned", [1, 3])
def test_a_plan_of_another_take_is_overtaken(ledger: SqlLedger, planned: int) -> None:
    """Between planning and recording somebody asked for a take, or took one back: the plan does not count."""
    ledger.add_take(KEY, seed=None, note="")
    late = wanted(SECOND)._replace(take=Take(planned))
    assert ledger.keep_plan(Plan((PlannedPicture(late, "render", ""),))) == {KEY}
    (picture,) = ledger.pictures()
    assert picture.is_current


def test_a_blocked_picture_keeps_the_approval_of_its_role(ledger: SqlLedger) -> None:
    """A template breaks for a night: pictures of an automatic role stay approved."""
    ledger.keep_plan(Plan((PlannedPicture(wanted()._replace(approval="auto"), "reuse", ""),)))
    blocked = Blocked(KEY, "触控面板", 1, 0, "A/1", "耳机", "no column", "缺列")
    ledger.keep_plan(Plan((), (blocked,)))
    (picture,) = ledger.pictures()
    assert picture.state == "blocked"
    assert picture.approved == picture.render is not None


def test_a_picture_in_doubt_waits_though_its_role_asks_nobody(ledger: SqlLedger) -> None:
    """Until somebody approves its bytes; the number that was measured is told."""
    picture = wanted(SECOND)._replace(approval="auto")
    ledger.keep_plan(Plan((PlannedPicture(picture, "render", ""),)))
    sent = attempt("job-2", SECOND)
    ledger.begin_attempt(sent)
    made = replace(render(SECOND), fidelity=0.41, doubt="unlike")
    ledger.keep_render(sent, made, Finished({}))
    (found,) = ledger.pictures()
    assert (found.state, found.approved, found.render) == ("draft", None, made)
    assert "0.41" in found.reason_zh
    assert ledger.approve(KEY, made.digest) is None
    (found,) = ledger.pictures()
    assert (found.state, found.reason_zh) == ("approved", "")


@pytest.mark.parametrize(("wants", "state_then"), [(FIRST, "approved"), (SECOND, "planned")])
def test_an_invented_product_is_not_approved_by_a_photo_to_come(
    ledger: SqlLedger, wants: Fingerprint, state_then: str
) -> None:
    """While it is listed and the photo's picture is not made yet; where its role asks for inventions now it is approved."""
    invented = wanted(SECOND if wants is FIRST else FIRST)._replace(approval="human", doubt="not_real")
    ledger.keep_plan(Plan((PlannedPicture(invented, "render", ""),)))
    sent = attempt("job-3", wants)
    ledger.begin_attempt(sent)
    ledger.keep_plan(Plan((PlannedPicture(invented._replace(render_key=FIRST), "render", ""),)))
    sent = attempt("job-4", FIRST)
    ledger.begin_attempt(sent)
    ledger.keep_render(sent, replace(render(FIRST), doubt="not_real"), Finished({}))
    assert state(ledger) == "draft"
    ledger.keep_plan(Plan((PlannedPicture(wanted(wants)._replace(approval="auto"), "render", ""),)))
    assert state(ledger) == state_then


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
    assert ledger.reject(KEY, render(SECOND).digest, reason="", note="", at_most=1) == "used_up"
    assert state(ledger) == "blocked"
    third = Fingerprint("3" * 64)
    renamed = wanted(third, name="耳塞")._replace(take=Take(2))
    ledger.keep_plan(Plan((PlannedPicture(renamed, "render", ""),)))
    sent = Attempt("job-3", third, KEY, "http://server")
    ledger.begin_attempt(sent)
    ledger.keep_render(sent, Render(third, Digest(third), 1024, 1024), Finished({}))
    assert state(ledger) == "draft"
    assert ledger.reject(KEY, Digest(third), reason="", note="", at_most=1) == Take(3)


def test_a_ledger_of_the_first_version_is_brought_up_to_date(home: Home) -> None:
    """What an older version recorded stays, and knows which take each picture is of."""
    with home.opened() as (ledger, _):
        make(ledger, FIRST)
        ledger.add_take(KEY, seed=None, note="")
        with ledger._writing() as db:
            db.exec_driver_sql('DROP TABLE "drop"')
            db.exec_driver_sql("DROP INDEX ix_product_standing")
            db.exec_driver_sql("DROP INDEX ix_picture_render")
            db.exec_driver_sql("CREATE INDEX ix_picture_render_key ON picture (render_key)")
            for column in ("digest", "settled", "retired_at"):
                db.exec_driver_sql(f"ALTER TABLE product DROP COLUMN {column}")
            for column in ("look", "origin", "has_text", "fidelity", "doubt"):
                db.exec_driver_sql(f"ALTER TABLE render DROP COLUMN {column}")
            db.exec_driver_sql("ALTER TABLE take DROP COLUMN gate")
            db.exec_driver_sql("DROP TABLE review")
            db.exec_driver_sql("DROP TABLE material")
            db.exec_driver_sql("DROP INDEX ix_attempt_submitted_at")
            for column in ("recipe", "shrink"):
                db.exec_driver_sql(f"ALTER TABLE attempt DROP COLUMN {column}")
            for column in (
                "take",
                "agreed_key",
                "approved_key",
                "approved_digest",
                "rejected_key",
                "rejection",
                "gate",
                "doubt",
            ):
                db.exec_driver_sql(f"ALTER TABLE picture DROP COLUMN {column}")
            db.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    with home.opened() as (again, _):
        (picture,) = again.pictures()
        assert (picture.state, picture.take.number) == ("draft", 2)
        assert again.approve(KEY, SEEN) is None
