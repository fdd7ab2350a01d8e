"""What the ledger says, named without reading it: the name changes when and only when a report would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.imaging import Blocked
from catalog_imagegen.domain.job import Finished, Plan, PlannedPicture
from tests.integration.ledgers_support import Home
from tests.integration.test_ledger import FIRST, KEY, SECOND, attempt, render, wanted

PRODUCT = Product("A/1", "耳机", price="9.90")
PLAN = Plan((PlannedPicture(wanted(), "render", "new"),))


def keep(ledger: SqlLedger) -> None:
    """What every run writes down, whether or not anything changed."""
    ledger.keep_products("run", [(0, PRODUCT)])
    ledger.keep_plan(PLAN)
    ledger.end_run(ledger.begin_run("run"), {})


@pytest.fixture
def ledger(home: Home) -> Iterator[SqlLedger]:
    """A ledger with one picture that is made."""
    with home.opened() as (ledger, _presence):
        keep(ledger)
        ledger.begin_attempt(attempt("one"))
        ledger.keep_render(attempt("one"), render(), Finished({}, 1_000, 2_000))
        yield ledger


def test_a_run_that_changes_nothing_leaves_the_stamp(ledger: SqlLedger) -> None:
    """Rows are read, plans are made and runs are counted every night."""
    before = ledger.stamp()
    keep(ledger)
    assert ledger.stamp() == before
    assert ledger.sku_count() == 1


CHANGES: dict[str, Callable[[SqlLedger], object]] = {
    "approved": lambda ledger: ledger.approve(KEY, render().digest),
    "rejected": lambda ledger: ledger.reject(KEY, render().digest, reason="", note="", at_most=3),
    "new take": lambda ledger: ledger.add_take(KEY, seed=None, note="亮"),
    "sent": lambda ledger: ledger.begin_attempt(attempt("two")),
    "gave up": lambda ledger: ledger.give_up(KEY, FIRST, Failure("timeout", "slow")),
    "in hand": lambda ledger: ledger.lease(f"render:{SECOND}"),
    "renamed": lambda ledger: ledger.keep_products("run", [(0, replace(PRODUCT, name="头戴式耳机"))]),
    "moved": lambda ledger: ledger.keep_products("run", [(1, PRODUCT)]),
    "new product": lambda ledger: ledger.keep_products("run", [(1, Product("B", "杯"))]),
    "another prompt": lambda ledger: ledger.keep_plan(
        Plan((PlannedPicture(wanted(SECOND), "render", "changed"),))
    ),
    "blocked": lambda ledger: ledger.keep_plan(
        Plan((), (Blocked(KEY, "触控面板", 1, 0, "A/1", "耳机", "no photo", "没有图片"),))
    ),
    "no longer wanted": lambda ledger: ledger.keep_plan(Plan(()), leaving=[KEY]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_report_shows_changes_the_stamp(change: str, ledger: SqlLedger) -> None:
    """Each kind of event by itself."""
    before = ledger.stamp()
    CHANGES[change](ledger)
    assert ledger.stamp() != before


def test_each_step_of_an_attempt_changes_the_stamp(ledger: SqlLedger) -> None:
    """Sent, failed, given up, forgiven: five reports."""
    stamps = [ledger.stamp()]
    steps: tuple[Callable[[], object], ...] = (
        lambda: ledger.keep_plan(Plan((PlannedPicture(wanted(SECOND), "render", "changed"),))),
        lambda: ledger.begin_attempt(attempt("two", SECOND)),
        lambda: ledger.fail_attempt("two", Failure("timeout", "slow")),
        lambda: ledger.give_up(KEY, SECOND, Failure("timeout", "slow")),
        lambda: ledger.forgive([KEY]),
        lambda: ledger.keep_render(attempt("two", SECOND), render(SECOND), Finished({}, 1_000, 2_000)),
    )
    for step in steps:
        step()
        stamps.append(ledger.stamp())
    assert len(set(stamps)) == len(stamps)


def test_attempts_are_found_by_what_they_show(ledger: SqlLedger) -> None:
    """Those at pictures of other products, or at pictures nobody wants any more, are not read."""
    ledger.begin_attempt(replace(attempt("other"), key=KEY._replace(item="0" * 12)))
    assert [a.prompt_id for a in ledger.attempts_at([KEY.subject])] == ["one"]
    assert [a.prompt_id for a in ledger.attempts_at(None)] == ["one"]
    assert ledger.attempts_at(["sku:B"]) == []
    ledger.keep_plan(Plan(()), leaving=[KEY])
    assert ledger.attempts_at(None) == []
