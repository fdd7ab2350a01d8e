"""What is expected of servers, from what they did."""

from __future__ import annotations

import pytest

from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.speeds import UNKNOWN_CHANGE_S, UNKNOWN_S, Speeds
from tests.unit.builders import wanted

A, B = "http://a", "http://b"


def picture(workflow: str = "turbo", side: int = 1000) -> Wanted:
    """One megapixel, unless told otherwise."""
    return wanted(workflow=workflow, width=side, height=side)


def learnt(speeds: Speeds, server: str, seconds: float, *, workflow: str = "turbo", times: int = 20) -> None:
    """Measure the same again and again."""
    for _ in range(times):
        speeds.learn(server, picture(workflow), seconds, shrink=0, changed_models=False)


def test_seconds_grow_with_the_area() -> None:
    """Twice the side, four times the seconds."""
    speeds = Speeds({(A, "turbo"): 2.0})
    assert speeds.seconds(A, picture(side=2000)) == pytest.approx(8.0)


def test_nothing_known_is_a_guess_that_says_so() -> None:
    """The same for every server."""
    speeds = Speeds()
    assert speeds.seconds(A, picture()) == UNKNOWN_S
    assert not speeds.is_known(A, picture())


def test_the_newest_counts_most() -> None:
    """A server that other people use slows down, and is seen to."""
    speeds = Speeds()
    learnt(speeds, A, 1.0)
    learnt(speeds, A, 5.0)
    assert speeds.seconds(A, picture()) == pytest.approx(5.0, rel=0.01)


def test_what_a_run_measures_replaces_what_earlier_runs_did() -> None:
    """Another card was put in since."""
    speeds = Speeds({(A, "turbo"): 9.0})
    learnt(speeds, A, 1.0, times=1)
    assert speeds.seconds(A, picture()) == pytest.approx(1.0)


def test_a_new_workflow_is_guessed_from_the_servers_that_know_it() -> None:
    """A server that is twice as slow at the one is expected to be at the other."""
    speeds = Speeds({(A, "turbo"): 1.0, (B, "turbo"): 2.0, (A, "base"): 5.0})
    assert speeds.seconds(B, picture("base")) == pytest.approx(10.0)


def test_the_first_picture_after_a_change_of_models_teaches_the_change_only() -> None:
    """Loading is not sampling."""
    speeds = Speeds()
    learnt(speeds, A, 1.0)
    speeds.learn(A, picture(), 13.0, shrink=0, changed_models=True)
    assert speeds.seconds(A, picture()) == pytest.approx(1.0)
    assert speeds.change_seconds(A) == pytest.approx(12.0)
    assert speeds.change_seconds(B) == pytest.approx(12.0)


def test_a_change_is_guessed_until_one_was_measured() -> None:
    """By a constant."""
    assert Speeds().change_seconds(A) == UNKNOWN_CHANGE_S
