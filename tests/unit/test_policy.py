"""What follows failed attempts: budgets, other servers, the ladder when memory runs out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from catalog_imagegen.domain.failure import POLICIES, FailureCode
from catalog_imagegen.domain.imaging import Smaller
from catalog_imagegen.domain.job import AttemptRecord, Capacity
from catalog_imagegen.pipeline.policy import MAX_LOST, Terms, first_terms, may_make, next_terms
from tests.unit.builders import key, name_of, wanted

A, B = "http://a", "http://b"
EQUAL = {A: Capacity(vram_gb=16), B: Capacity(vram_gb=16)}
SHRINKING = wanted(width=1280, height=1280, smaller=(Smaller(1024, 1024, {}), Smaller(768, 768, {})))


def failed(*outcomes: tuple[str, str] | tuple[str, str, int]) -> list[AttemptRecord]:
    """Attempts that failed, as (code, server) or (code, server, size)."""
    return [
        AttemptRecord(
            prompt_id=f"p{number}",
            key=key(),
            render_key=name_of("x"),
            server=outcome[1],
            outcome=outcome[0],
            error="",
            submitted_at=datetime(2026, 1, 1, tzinfo=UTC),
            shrink=outcome[2] if len(outcome) == 3 else 0,
        )
        for number, outcome in enumerate(outcomes)
    ]


@pytest.mark.parametrize("code", get_args(FailureCode))
def test_every_failure_has_a_policy_and_ends(code: FailureCode) -> None:
    """However often it comes, a picture is not tried for ever, unless the failure is nobody's fault."""
    tries = 0
    history: list[tuple[str, str]] = []
    alone = {A: Capacity(vram_gb=16)}
    while next_terms(wanted(), failed(*history), alone, attempts=2) is not None and tries < 9:
        history.append((code, A))
        tries += 1
    budget = POLICIES[code].budget
    expected = {"final": 1, "attempts": 2, "losses": MAX_LOST, "none": 9}[budget]
    assert tries == expected


def test_a_bad_picture_is_made_elsewhere_first() -> None:
    """And where it was bad only after the server has forgotten what it made."""
    terms = next_terms(wanted(), failed(("black", A)), EQUAL, attempts=2)
    assert terms == Terms(avoid=frozenset({A}), afresh=frozenset({A}))


def test_losses_do_not_use_up_attempts() -> None:
    """A server that restarts twice is not the picture's fault."""
    history = failed(("lost", A), ("lost", A), ("execution_error", A))
    assert next_terms(wanted(), history, EQUAL, attempts=2) is not None
    assert next_terms(wanted(), [*history, *failed(("lost", A))], EQUAL, attempts=2) is None


def test_out_of_memory_is_tried_alone_first() -> None:
    """On the same server, after it has unloaded its models."""
    terms = next_terms(SHRINKING, failed(("out_of_memory", A)), EQUAL, attempts=2)
    assert terms is not None
    assert (terms.only, terms.is_alone, terms.shrink) == (A, True, 0)
    assert A in terms.afresh


def test_then_a_server_with_more_memory() -> None:
    """The smallest that has more, and there too once alone."""
    servers = {A: Capacity(vram_gb=16), B: Capacity(vram_gb=24), "http://c": Capacity(vram_gb=80)}
    twice = failed(("out_of_memory", A), ("out_of_memory", A))
    terms = next_terms(SHRINKING, twice, servers, attempts=2)
    assert terms is not None
    assert (terms.only, terms.min_vram_gb, terms.shrink) == ("", 24, 0)
    there = next_terms(SHRINKING, [*twice, *failed(("out_of_memory", B))], servers, attempts=2)
    assert there is not None
    assert (there.only, there.is_alone) == (B, True)


def test_then_another_with_as_much() -> None:
    """Other programs may use the card of the first."""
    terms = next_terms(wanted(), failed(("out_of_memory", A), ("out_of_memory", A)), EQUAL, attempts=2)
    assert terms is not None
    assert (terms.only, terms.avoid, terms.shrink) == ("", frozenset({A}), 0)
    less = {A: Capacity(vram_gb=16), B: Capacity(vram_gb=8)}
    assert next_terms(wanted(), failed(("out_of_memory", A), ("out_of_memory", A)), less, attempts=2) is None


def test_then_a_smaller_size_if_the_role_allows_one() -> None:
    """Each of them, and then no more."""
    alone = {A: Capacity(vram_gb=16)}
    twice = failed(("out_of_memory", A), ("out_of_memory", A))
    assert next_terms(wanted(), twice, alone, attempts=2) is None
    terms = next_terms(SHRINKING, twice, alone, attempts=2)
    assert terms is not None
    assert terms.shrink == 1
    small = failed(("out_of_memory", A, 1), ("out_of_memory", A, 1))
    terms = next_terms(SHRINKING, [*twice, *small], alone, attempts=2)
    assert terms is not None
    assert terms.shrink == 2
    smallest = failed(("out_of_memory", A, 2), ("out_of_memory", A, 2))
    assert next_terms(SHRINKING, [*twice, *small, *smallest], alone, attempts=2) is None


def test_a_server_that_is_gone_ends_its_rung() -> None:
    """Nobody waits for it to be tried alone."""
    terms = next_terms(SHRINKING, failed(("out_of_memory", A)), {B: Capacity(vram_gb=16)}, attempts=2)
    assert terms is not None
    assert terms.only == ""


def test_the_largest_size_that_a_server_may_be_given_comes_first() -> None:
    """By policy of memory, before anything was tried."""
    small = {A: Capacity(max_megapixels=1.1)}
    assert first_terms(SHRINKING, small) == Terms(shrink=1)
    assert first_terms(SHRINKING, small | {B: Capacity()}) == Terms()
    assert first_terms(wanted(width=1280, height=1280), small) is None


@pytest.mark.parametrize(("tags", "may"), [((), False), (("vram24",), True), (("vram24", "eu"), True)])
def test_a_picture_may_need_a_tag(tags: tuple[str, ...], *, may: bool) -> None:
    """Only servers that have it make it."""
    picture = wanted()._replace(needs=frozenset({"vram24"}))
    assert may_make(A, Capacity(tags=frozenset(tags)), picture, Terms()) is may


def test_codes_of_older_ledgers_count_as_attempts() -> None:
    """They are not known any more, and must not make a picture immortal."""
    assert next_terms(wanted(), failed(("ancient", A)), EQUAL, attempts=2) is not None
    assert next_terms(wanted(), failed(("ancient", A), ("ancient", A)), EQUAL, attempts=2) is None
