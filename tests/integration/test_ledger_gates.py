"""What the ledger makes of a render that a gate stops, on a real SQLite file and a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.gates import Objection, Stopped
from catalog_imagegen.domain.imaging import Take, Wanted
from catalog_imagegen.domain.job import Finished, Kept, Plan, PlannedPicture
from catalog_imagegen.pipeline.plan import plan
from tests.integration.ledgers_support import Home
from tests.integration.test_ledger import KEY, attempt, render, wanted

BLURRED = Objection(Stopped("blurred", "12 < 40"), ("甲", "乙"), at_most=2)
LOOK = "0" * 38


@pytest.fixture
def ledger(home: Home) -> Iterator[SqlLedger]:
    """A new ledger."""
    with home.opened() as (ledger, _presence):
        yield ledger


def key_of(take: int, brief: str = "耳机") -> Fingerprint:
    """The render of a take."""
    return Fingerprint(f"{take}{len(brief)}" * 32)


def shown(take: int, brief: str = "耳机") -> Wanted:
    """The picture as a take wants it."""
    return wanted(key_of(take, brief), name=brief)._replace(
        take=Take(take),
        seed=take,
        made_of={"column:name": brief, "take": f"{take}", "seed": f"{take}"},
    )


def make(
    ledger: SqlLedger,
    take: int,
    objection: Objection | None = BLURRED,
    *,
    brief: str = "耳机",
    times: int = 1,
) -> Kept:
    """Plan and make a take of the picture."""
    picture = shown(take, brief)
    assert ledger.keep_plan(Plan((PlannedPicture(picture, "render", ""),))) == set()
    sent = attempt(f"job-{picture.render_key}-{times}", picture.render_key)
    ledger.begin_attempt(sent)
    made = replace(render(picture.render_key), look=LOOK)
    return ledger.keep_render(sent, made, Finished({}), objection=objection)


def standing(ledger: SqlLedger) -> tuple[str, int]:
    """State of the picture, and the take that is asked for now."""
    (picture,) = ledger.pictures()
    return picture.state, picture.take.number


def test_gates_ask_for_so_many_takes_and_then_for_a_person(ledger: SqlLedger) -> None:
    """Each with the next wording; the picture is rejected meanwhile, and blocked in the end."""
    assert make(ledger, 1) == "retaken"
    assert ledger.takes() == {KEY: Take(2, None, "甲")}
    (picture,) = ledger.pictures()
    assert (picture.state, picture.is_rejected, picture.listed) == ("rejected", True, None)
    assert picture.reason_en == "the picture is blurred (12 < 40); a new take follows"
    assert picture.reason_zh == "图片模糊（12 < 40）；将自动重拍"
    assert make(ledger, 2) == "retaken"
    assert ledger.takes() == {KEY: Take(3, None, "乙")}
    assert make(ledger, 3) == "blocked"
    (picture,) = ledger.pictures()
    assert (picture.state, picture.stopped) == ("blocked", BLURRED.stopped)
    assert "review approve A/1 --role detail --slot 1" in picture.reason_zh
    assert [r.digest for r in ledger.renders_of(KEY)] == [Digest(key_of(take)) for take in (3, 2, 1)]
    (planned,) = plan([shown(3)], ledger.records({"sku:A/1"}), ledger.renders([key_of(3)])).pictures
    assert (planned.action, planned.reason, planned.stopped) == (
        "blocked",
        picture.reason_en,
        BLURRED.stopped,
    )


def test_a_take_that_passes_ends_it(ledger: SqlLedger) -> None:
    """The picture is a draft like any other."""
    make(ledger, 1)
    assert make(ledger, 2, None) == "shown"
    assert standing(ledger) == ("draft", 2)
    assert [r.gate for r in ledger.reviews([KEY])[KEY]] == ["blurred"]


def test_a_person_s_take_begins_the_count_anew_and_keeps_its_note(ledger: SqlLedger) -> None:
    """What gates add stands behind it and does not add up."""
    for take in (1, 2, 3):
        make(ledger, take)
    assert ledger.add_take(KEY, seed=7, note="换个角度") == Take(4, 7, "换个角度")
    assert make(ledger, 4) == "retaken"
    assert ledger.takes() == {KEY: Take(5, None, "换个角度，甲")}
    make(ledger, 5)
    assert ledger.takes() == {KEY: Take(6, None, "换个角度，乙")}
    assert make(ledger, 6) == "blocked"


def test_another_brief_begins_the_count_anew(ledger: SqlLedger) -> None:
    """The row changed; the number of the take stays."""
    for take in (1, 2, 3):
        make(ledger, take)
    assert make(ledger, 3, brief="新耳机") == "retaken"
    assert standing(ledger) == ("rejected", 4)


def test_somebody_asks_for_a_take_while_it_is_made(ledger: SqlLedger) -> None:
    """Then that is the next one."""
    picture = shown(1)
    ledger.keep_plan(Plan((PlannedPicture(picture, "render", ""),)))
    sent = attempt("job", picture.render_key)
    ledger.begin_attempt(sent)
    ledger.add_take(KEY, seed=None, note="换个角度")
    kept = ledger.keep_render(sent, render(picture.render_key), Finished({}), objection=BLURRED)
    assert kept == "retaken"
    assert ledger.takes() == {KEY: Take(2, None, "换个角度")}


@pytest.mark.parametrize("take", [1, 2, 3])
def test_each_of_the_stopped_renders_can_be_approved(ledger: SqlLedger, take: int) -> None:
    """The picture is what it was with that take, prompt and seed included; takes after it are taken back."""
    for each in (1, 2, 3):
        make(ledger, each)
    assert ledger.approve(KEY, Digest(key_of(take))) is None
    (picture,) = ledger.pictures()
    assert (picture.state, picture.seed, picture.stopped) == ("approved", take, None)
    assert picture.approved == picture.render == picture.listed
    assert ledger.takes().get(KEY, Take()).number == take
    (planned,) = plan([shown(take)], ledger.records({"sku:A/1"}), ledger.renders([key_of(take)])).pictures
    assert planned.action == "reuse"


def test_a_number_is_never_given_twice(ledger: SqlLedger) -> None:
    """Or the render of a take that was taken back would stand for a new one."""
    for take in (1, 2, 3):
        make(ledger, take)
    ledger.approve(KEY, Digest(key_of(1)))
    said = ledger.reject(KEY, Digest(key_of(1)), reason="", note="", at_most=3)
    assert said == Take(4)
    assert ledger.approve(KEY, Digest(key_of(1))) is None
    assert ledger.add_take(KEY, seed=None, note="").number == 4


def test_what_was_stopped_before_a_person_asked_for_another_is_past(ledger: SqlLedger) -> None:
    """Or an approval that comes late would undo what somebody else wants."""
    make(ledger, 1, replace(BLURRED, at_most=0))
    ledger.add_take(KEY, seed=None, note="换个角度")
    make(ledger, 2, None)
    assert ledger.approve(KEY, Digest(key_of(1))) == "replaced"
    assert standing(ledger) == ("draft", 2)


def test_an_approval_while_the_next_take_is_made(ledger: SqlLedger) -> None:
    """The word counts; what comes home later shows nothing."""
    make(ledger, 1)
    picture = shown(2)
    ledger.keep_plan(Plan((PlannedPicture(picture, "render", ""),)))
    sent = attempt("late", picture.render_key)
    ledger.begin_attempt(sent)
    assert ledger.approve(KEY, Digest(key_of(1))) is None
    ledger.keep_render(sent, render(picture.render_key), Finished({}), objection=BLURRED)
    assert standing(ledger) == ("approved", 1)


def test_a_person_knows_better_than_a_gate(ledger: SqlLedger) -> None:
    """A render that was approved, lost and made again is looked at by a person, not stopped once more."""
    make(ledger, 1, replace(BLURRED, at_most=0))
    ledger.approve(KEY, Digest(key_of(1)))
    assert make(ledger, 1, times=2) == "shown"
    assert standing(ledger) == ("approved", 1)


def test_a_rejection_of_what_waits_asks_for_a_take(ledger: SqlLedger) -> None:
    """Said by a person, it is no gate's any more."""
    make(ledger, 1, replace(BLURRED, at_most=0))
    assert ledger.reject(KEY, Digest(key_of(1)), reason="太糊", note="微距", at_most=3) == Take(
        2, None, "微距"
    )
    (picture,) = ledger.pictures()
    assert (picture.state, picture.reason_en, picture.stopped) == ("rejected", "rejected: 太糊", None)
    assert ledger.reject(KEY, Digest(key_of(1)), reason="", note="", at_most=3) == "rejected_already"


def test_while_a_gate_s_take_is_to_come_nobody_need_ask(ledger: SqlLedger) -> None:
    """A rejection changes nothing then."""
    make(ledger, 1)
    assert ledger.reject(KEY, Digest(key_of(1)), reason="", note="", at_most=3) == "asked_again"


def test_gates_do_not_use_up_what_reviewers_may_ask_for(ledger: SqlLedger) -> None:
    """Each has a count of its own."""
    make(ledger, 1)
    make(ledger, 2)
    make(ledger, 3, None)
    for take in (4, 5):
        said = ledger.reject(KEY, Digest(key_of(take - 1)), reason="", note="", at_most=2)
        assert said == Take(take, None, "乙")
        make(ledger, take, None)
    assert ledger.reject(KEY, Digest(key_of(5)), reason="", note="", at_most=2) == "used_up"


def test_looks_are_of_pictures_that_stand(ledger: SqlLedger) -> None:
    """With the family, or the SKU where there is none; what was stopped is no example."""
    ledger.keep_products("shop", [(0, Product("A/1", "耳机", spu="A"))])
    make(ledger, 1)
    assert ledger.looks("detail") == []
    make(ledger, 2, None)
    assert ledger.looks("detail") == [(LOOK, "A", "A/1")]
    assert ledger.looks("main") == []
    ledger.keep_plan(Plan(()), leaving=[KEY])
    assert ledger.looks("detail") == []


def test_a_stopped_picture_is_to_be_done_by_the_next_sync(ledger: SqlLedger) -> None:
    """Whatever the run that made it says of its product."""
    token = ledger.keep_products("shop", [(0, Product("A/1", "耳机"))])
    make(ledger, 1)
    ledger.settle(token, ["A/1"], "setup")
    assert ledger.settled("shop", "setup") == {}


def reused(ledger: SqlLedger, take: int, brief: str = "耳机") -> str:
    """State of the picture once its row says again what it said before."""
    picture = shown(take, brief)
    ledger.keep_plan(Plan((PlannedPicture(picture, "reuse", ""),)))
    return standing(ledger)[0]


def test_a_stopped_picture_is_stopped_when_its_row_changes_back(ledger: SqlLedger) -> None:
    """Whatever was stopped or made since: no listing shows it, also where pictures need no approval."""
    never = replace(BLURRED, at_most=0)
    assert make(ledger, 1, never) == "blocked"
    assert make(ledger, 1, never, brief="新耳机") == "blocked"
    assert reused(ledger, 1) == "blocked"
    (picture,) = ledger.pictures()
    assert (picture.listed, picture.stopped) == (None, BLURRED.stopped)
    assert make(ledger, 1, None, brief="另一副耳机") == "shown"
    assert reused(ledger, 1, "新耳机") == "blocked"
    assert reused(ledger, 1, "另一副耳机") == "draft"


def test_a_picture_that_a_person_approved_stays_so_when_its_row_changes_back(ledger: SqlLedger) -> None:
    """The last word on it counts."""
    make(ledger, 1, replace(BLURRED, at_most=0))
    assert ledger.approve(KEY, Digest(key_of(1))) is None
    make(ledger, 1, replace(BLURRED, at_most=0), brief="新耳机")
    assert reused(ledger, 1) == "approved"


def test_a_picture_that_nobody_wants_when_it_comes_is_stopped_when_somebody_does(ledger: SqlLedger) -> None:
    """Its row changed while it was made, and changed back."""
    picture = shown(1)
    ledger.keep_plan(Plan((PlannedPicture(picture, "render", ""),)))
    sent = attempt("job", picture.render_key)
    ledger.begin_attempt(sent)
    ledger.keep_plan(Plan((PlannedPicture(shown(1, "新耳机"), "render", ""),)))
    ledger.keep_render(sent, render(picture.render_key), Finished({}), objection=BLURRED)
    assert reused(ledger, 1) == "blocked"
    assert ledger.pictures()[0].listed is None
