"""Large plans are made by processes of their own, and are the same plans."""

from __future__ import annotations

import errno
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from multiprocessing.process import BaseProcess

import psutil
import pytest

from catalog_imagegen.adapters.catalogs import Columns, read_catalog
from catalog_imagegen.adapters.planners import ProcessPlanner
from catalog_imagegen.config import Workspace, defaults, load_columns
from catalog_imagegen.config.setup import load_setup
from catalog_imagegen.domain.imaging import ImageKey, Prompt, Wanted
from catalog_imagegen.pipeline.want import Setup, Wish
from tests.e2e.cli import wait_for


@pytest.fixture(scope="module")
def setup() -> Setup:
    """Everything that ships."""
    return load_setup(Workspace(defaults()))


@pytest.fixture
def planner(setup: Setup) -> Iterator[ProcessPlanner]:
    """With its processes ended after the test."""
    made = ProcessPlanner(setup)
    yield made
    made.close()


@pytest.fixture(scope="module")
def wish(setup: Setup) -> Wish:
    """All pictures of the sample catalog."""
    columns = Columns.from_toml(load_columns(Workspace(defaults())))
    products = read_catalog(str(defaults() / "sample_catalog" / "products.csv"), columns=columns).products
    subjects = {f"sku:{p.sku}" for p in products} | {f"spu:{p.family}" for p in products}
    return Wish(list(enumerate(products)), tuple(setup.platforms), {}, frozenset(subjects), [])


def children() -> list[psutil.Process]:
    """Our processes that plan."""
    return [each for each in psutil.Process().children(recursive=True) if _is_ours(each)]


def _is_ours(process: psutil.Process) -> bool:
    with suppress(psutil.Error):  # it has just ended
        return "spawn_main" in " ".join(process.cmdline())
    return False


def test_they_plan_what_we_would(planner: ProcessPlanner, setup: Setup, wish: Wish) -> None:
    """To the last value of a graph."""
    wanted, blocked = planner.begin(wish)()
    here, blocked_here = wish.come_true(setup)
    assert wanted == here
    assert {(type(w), type(w.key), type(w.prompt)) for w in wanted} == {(Wanted, ImageKey, Prompt)}
    assert blocked == blocked_here
    assert [dict(each.graph) for each in wanted] == [dict(each.graph) for each in here]


def test_what_wants_nothing_comes_true_too(planner: ProcessPlanner, wish: Wish) -> None:
    """A platform that takes nothing, say."""
    assert planner.begin(replace(wish, platforms=()))() == ([], [])


def test_where_one_is_killed_we_plan_ourselves(planner: ProcessPlanner, setup: Setup, wish: Wish) -> None:
    """The kernel does so where memory is short; what is begun and what comes later both come true."""
    assert planner.begin(wish)()
    begun = [planner.begin(wish) for _ in range(4)]
    for child in children():
        child.kill()
    later = planner.begin(wish)
    expected = wish.come_true(setup)
    assert [each() for each in (*begun, later)] == [expected] * 5


def test_nothing_is_left_of_them(setup: Setup, wish: Wish) -> None:
    """Nor are there any before the first wish."""
    wait_for(lambda: not children())  # of the tests before
    planner = ProcessPlanner(setup)
    assert not children()
    planner.begin(wish)()
    assert children()
    planner.close()
    wait_for(lambda: not children())


def test_work_that_nobody_waits_for_is_ended(setup: Setup, wish: Wish) -> None:
    """Not carried out to its end: that would be seconds after Ctrl-C."""
    planner = ProcessPlanner(setup)
    planner.begin(wish)()
    planner.begin(wish)
    ours = [each for each in multiprocessing.active_children() if each.pid in {c.pid for c in children()}]
    assert ours
    planner.close()
    assert {each.exitcode for each in ours} == {-signal.SIGKILL}


def test_where_no_process_can_be_started_we_plan_ourselves(
    planner: ProcessPlanner, setup: Setup, wish: Wish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container may allow no more of them."""

    def refused(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(BaseProcess, "start", refused)
    assert planner.begin(wish)() == wish.come_true(setup)
