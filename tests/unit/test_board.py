"""Who makes which picture next: groups, speeds, the end of a run, servers that come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.domain.job import Capacity
from catalog_imagegen.pipeline.board import Board, Task
from catalog_imagegen.pipeline.policy import Terms
from catalog_imagegen.pipeline.speeds import Speeds
from tests.unit.builders import wanted

FAST, SLOW = "http://fast", "http://slow"


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def picture(name: str, *, workflow: str = "turbo", size: int = 1000) -> Wanted:
    """One megapixel, unless told otherwise."""
    return wanted(name, workflow=workflow, models=(f"{workflow}.safetensors",), width=size, height=size)


def pictures(count: int, *, workflow: str = "turbo") -> list[Wanted]:
    """So many, in order."""
    return [picture(f"{workflow}-{n}", workflow=workflow) for n in range(count)]


def board(
    wants: Sequence[Wanted],
    servers: Mapping[str, Capacity] | None = None,
    *,
    per_mp: Mapping[tuple[str, str], float] | None = None,
    group_wait_s: float = 600,
    clock: Clock | None = None,
) -> Board:
    """A board over one server, or those named."""
    return Board(
        [Task(want) for want in wants],
        servers or {FAST: Capacity()},
        speeds=Speeds(per_mp),
        group_wait_s=group_wait_s,
        clock=clock or Clock(),
    )


def taken(of: Board, server: str = FAST) -> str | None:
    """The name of the picture a server takes and sends; None when it is given none."""
    task = of.take(server)
    if task is None:
        return None
    of.send(server, task)
    return task.key


def simulate(of: Board, clock: Clock, seconds: Mapping[str, float], *, places: int = 2) -> dict[str, float]:
    """Let servers work until nothing is left; when each was done last, from now."""
    began = clock.now
    flights: dict[str, list[tuple[Task, float]]] = {server: [] for server in seconds}
    last = dict.fromkeys(seconds, 0.0)
    while not of.is_over():
        for server, flying in flights.items():
            for task in of.recalls(server):
                if task.key != flying[0][0].key:
                    flying[:] = [(t, at) for t, at in flying if t.key != task.key]
                    of.end(server, task)
                    of.put_back(task)
        for server, flying in flights.items():
            while len(flying) < places and (given := of.take(server)) is not None:
                of.send(server, given)
                start = max(clock.now, flying[-1][1] if flying else clock.now)
                flying.append((given, start + seconds[server]))
        clock.now += 0.05
        for server, flying in flights.items():
            while flying and flying[0][1] <= clock.now:
                task, at = flying.pop(0)
                of.end(server, task)
                of.finish()
                last[server] = at - began
    return last


def test_a_server_goes_on_with_the_models_it_has() -> None:
    """Alternating pictures of two workflows cost one change of models, not one each."""
    mixed = [want for pair in zip(pictures(3), pictures(3, workflow="base"), strict=True) for want in pair]
    of = board(mixed)
    order = [taken(of) for _ in range(6)]
    assert order == [want.render_key for want in (*mixed[::2], *mixed[1::2])]
    assert taken(of) is None


def test_two_servers_take_a_group_each() -> None:
    """Neither changes its models while the other has those it would need."""
    many = [*pictures(40), *pictures(40, workflow="base")]
    of = board(many, {FAST: Capacity(), SLOW: Capacity()})
    first, second = of.take(FAST), of.take(SLOW)
    assert first is not None
    of.send(FAST, first)
    assert second is not None
    of.send(SLOW, second)
    third = of.take(SLOW)
    assert third is not None
    assert third.group == second.group


def test_no_group_waits_longer_than_its_bound() -> None:
    """Thousands of pictures of one workflow do not keep another waiting all night."""
    clock = Clock()
    of = board([*pictures(90), *pictures(3, workflow="base")], group_wait_s=60, clock=clock)
    names = []
    for _ in range(8):
        task = of.take(FAST)
        assert task is not None
        of.send(FAST, task)
        of.end(FAST, task)
        names.append(task.picture.workflow)
        clock.now += 25
    assert names == ["turbo"] * 3 + ["base"] * 2 + ["turbo"] * 2 + ["base"]


def test_a_slow_server_ends_when_the_fast_one_does() -> None:
    """Three times slower, it gets a quarter, and nobody waits for it at the end."""
    clock = Clock()
    of = board(
        pictures(40),
        {FAST: Capacity(), SLOW: Capacity()},
        per_mp={(FAST, "turbo"): 1.0, (SLOW, "turbo"): 3.0},
        clock=clock,
    )
    last = simulate(of, clock, {FAST: 1.0, SLOW: 3.0})
    ideal = 40 / (1 + 1 / 3)
    assert max(last.values()) <= 1.05 * ideal


def test_work_moves_at_the_end_when_speeds_were_not_known() -> None:
    """What waits on the slow server's queue is taken back and made by the fast one."""
    clock = Clock()
    of = board(pictures(12), {FAST: Capacity(), SLOW: Capacity()}, clock=clock)
    unmoved = 6 * 5.0  # half each
    last = simulate(of, clock, {FAST: 1.0, SLOW: 5.0})
    assert max(last.values()) <= unmoved / 2


def test_the_last_picture_goes_where_it_is_done_first() -> None:
    """Also if that server is busy and another is not."""
    of = board(
        pictures(2),
        {FAST: Capacity(), SLOW: Capacity()},
        per_mp={(FAST, "turbo"): 1.0, (SLOW, "turbo"): 9.0},
    )
    assert taken(of, FAST)
    assert taken(of, SLOW) is None
    assert taken(of, FAST)


def test_a_server_that_is_away_gets_nothing_and_keeps_what_it_may_know() -> None:
    """Until it stays away: then the others make that too."""
    home, free = picture("home"), picture("free")
    of = Board(
        [Task(home, Terms(only=SLOW)), Task(free)],
        {FAST: Capacity(), SLOW: Capacity()},
        speeds=Speeds(),
        clock=Clock(),
    )
    of.go_away(SLOW)
    assert of.take(SLOW) is None
    assert taken(of, FAST) == free.render_key
    assert taken(of, FAST) is None
    assert of.is_expected(SLOW)
    of.release_home(SLOW)
    assert not of.is_expected(SLOW)
    assert taken(of, FAST) == home.render_key


def test_a_run_is_over_when_nobody_is_left_who_could_make_the_rest() -> None:
    """Not while a server may still come back, nor while one works."""
    of = board(pictures(2), {FAST: Capacity(), SLOW: Capacity()})
    task = of.take(FAST)
    assert task is not None
    of.send(FAST, task)
    of.go_away(SLOW)
    of.release_home(SLOW)
    assert not of.is_over()
    of.end(FAST, task)
    of.finish()
    of.go_away(FAST)
    assert not of.is_over()
    of.come_back(FAST)
    assert not of.is_over()
    of.go_away(FAST)
    of.release_home(FAST)
    assert of.is_over()


def test_a_run_that_is_over_stays_so() -> None:
    """A server that comes back a moment later would go on alone, and wait for those that have left."""
    of = board(pictures(1))
    of.go_away(FAST)
    of.release_home(FAST)
    assert of.is_over()
    of.come_back(FAST)
    assert of.is_over()
    assert of.take(FAST) is None


def test_a_run_is_not_over_while_a_picture_is_on_its_way_to_a_server() -> None:
    """Taken and not sent yet: should it fail there, the other server must be there to make it."""
    of = board(pictures(1), {FAST: Capacity(), SLOW: Capacity()})
    task = of.take(FAST)
    assert task is not None
    assert of.take(SLOW) is None
    assert not of.is_over()
    of.put_back(Task(task.picture, Terms(only=SLOW)))
    assert not of.is_over()
    assert taken(of, SLOW)


def test_a_server_that_failed_a_picture_comes_last() -> None:
    """It may have it only where no other can."""
    of = board([], {FAST: Capacity(), SLOW: Capacity()})
    of = Board(
        [Task(picture("x"), Terms(avoid=frozenset({FAST})))],
        {FAST: Capacity(), SLOW: Capacity()},
        speeds=Speeds(),
        clock=Clock(),
    )
    assert of.take(FAST) is None
    of.go_away(SLOW)
    assert of.take(FAST) is not None


def test_a_delayed_picture_comes_back() -> None:
    """Another process was at it."""
    clock = Clock()
    of = board(pictures(1), clock=clock)
    task = of.take(FAST)
    assert task is not None
    of.put_back(task, delay_s=1.0)
    assert of.take(FAST) is None
    assert not of.is_over()
    clock.now += 1.1
    assert of.take(FAST) == task


@pytest.mark.parametrize(
    ("capacity", "may"),
    [
        (Capacity(), True),
        (Capacity(unfit=frozenset({"turbo"})), False),
        (Capacity(only_for=frozenset({"base"})), False),
        (Capacity(only_for=frozenset({"base", "turbo"})), True),
        (Capacity(max_megapixels=0.9), False),
        (Capacity(max_megapixels=1.0), True),
    ],
)
def test_what_a_server_may_be_given(capacity: Capacity, *, may: bool) -> None:
    """Its own table, what it lacks, what its memory allows."""
    of = board(pictures(1), {FAST: capacity})
    assert (of.take(FAST) is not None) is may


def test_an_end_is_expected_only_where_something_was_measured() -> None:
    """A guess would make us look too late."""
    clock = Clock()
    of = board(pictures(2), per_mp={}, clock=clock)
    assert taken(of)
    assert of.expected_s(FAST) is None
    known = board(pictures(2), per_mp={(FAST, "turbo"): 4.0}, clock=clock)
    assert taken(known)
    clock.now += 1
    assert known.expected_s(FAST) == pytest.approx(3.0)


def test_a_server_that_is_back_is_not_trusted_with_what_it_was_sent() -> None:
    """Others may make that until it has made a picture; what it leaves when it goes again is free at once."""
    home = picture("home")
    of = Board(
        [Task(home, Terms(only=SLOW))], {FAST: Capacity(), SLOW: Capacity()}, speeds=Speeds(), clock=Clock()
    )
    of.go_away(SLOW)
    of.release_home(SLOW)
    of.come_back(SLOW)
    assert not of.is_expected(SLOW)
    task = of.take(SLOW)
    assert task is not None
    of.put_back(Task(task.picture, Terms(only=SLOW)))
    assert of.take(FAST) is None
    of.go_away(SLOW)
    assert not of.is_over()
    assert taken(of, FAST) == home.render_key
    of.come_back(SLOW)
    of.trust(SLOW)
    assert of.is_expected(SLOW)


def test_a_server_that_comes_late_says_what_it_may_be_given() -> None:
    """As long as it is away it may have any memory; what it was found to lack stays known."""
    of = board(pictures(1), {FAST: Capacity(vram_gb=12), SLOW: Capacity()})
    of.go_away(SLOW)
    of.exclude(SLOW, "another workflow")
    assert of.capacities(with_absent=True)[SLOW].vram_gb == float("inf")
    of.release_home(SLOW)
    assert of.capacities().keys() == {FAST}
    of.come_back(SLOW, Capacity(vram_gb=24))
    assert of.capacities()[SLOW] == Capacity(vram_gb=24, unfit=frozenset({"another workflow"}))


def test_pictures_that_no_server_may_make_are_known() -> None:
    """Be it there or away; one that may is enough."""
    of = board(pictures(2), {FAST: Capacity(), SLOW: Capacity()})
    workflow = picture("any").workflow
    of.exclude(FAST, workflow)
    of.go_away(SLOW)
    assert of.unfit(FAST) == {workflow}
    assert of.beyond_all() == []
    of.exclude(SLOW, workflow)
    assert len(of.beyond_all()) == 2


def test_a_server_that_others_fill_is_not_waited_for() -> None:
    """It would be first, but another process has all its places: the slower one gets the last picture."""
    clock = Clock()
    of = board(
        pictures(1),
        {FAST: Capacity(), SLOW: Capacity()},
        per_mp={(FAST, "turbo"): 1.0, (SLOW, "turbo"): 9.0},
        clock=clock,
    )
    task = of.take(FAST)
    assert task is not None
    of.put_back(task)
    assert of.take(SLOW) is None
    of.mark_full(FAST)
    assert of.take(SLOW) is not None


def test_a_picture_that_nobody_may_make_any_more_is_handed_back() -> None:
    """Only once nothing else is left: until then a server may still come that may."""
    large = Task(picture("large"), Terms(min_vram_gb=48))
    of = Board([large, Task(picture("other"))], {FAST: Capacity(vram_gb=24)}, speeds=Speeds(), clock=Clock())
    assert of.take_stranded() == []
    assert taken(of)
    assert of.take_stranded() == []
    of.finish()
    assert of.take_stranded() == [large]
    assert not of.is_over()
    of.finish()
    assert of.is_over()
