"""A graphics card that runs out of memory: unload and try alone, a larger card, a smaller picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.bootstrap import House
from catalog_imagegen.pipeline.board import Task
from catalog_imagegen.pipeline.send import Sender
from catalog_imagegen.simulator import Simulator
from tests.workroom import (
    DEADLINE_S,
    check_stored,
    counts,
    executed,
    hurry,
    make,
    numbered,
    opened,
    outcomes,
    running,
    told,
    until,
    work,
)

COUNT = 4
AT_ONE_SIZE = 2
WANTED, SMALLER, SMALLEST = 64, 48, 32
PATIENT = "patience_s = 30"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes longer than it must."""
    hurry(monkeypatch)


def smaller(root: Path, *sizes: int) -> Path:
    """The role main may be made smaller."""
    roles = root / "config" / "roles.toml"
    text = roles.read_text(encoding="utf-8")
    old = f'[roles.main]\nworkflow = "z_image_turbo"\nsize = [{WANTED}, {WANTED}]\n'
    assert old in text
    allowed = ", ".join(f"[{size}, {size}]" for size in sizes)
    roles.write_text(text.replace(old, f"{old}smaller_sizes = [{allowed}]\n"), encoding="utf-8")
    return root


def tried(house: House, urls: Sequence[str]) -> list[list[tuple[int, int, str]]]:
    """For every picture: on which server, at which of its sizes, and how that ended."""
    attempts: dict[str, list[tuple[int, int, str]]] = {}
    for each in house.services.ledger.attempts():
        attempts.setdefault(str(each.key), []).append((urls.index(each.server), each.shrink, each.outcome))
    return list(attempts.values())


def sides(house: House) -> set[int]:
    """The widths of the pictures that were made."""
    keys = [attempt.render_key for attempt in house.services.ledger.attempts()]
    return {render.width for render in house.services.ledger.renders(keys).values()}


def test_memory_that_ran_out_once_is_free_after_unloading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same server unloads its models and makes the picture while it has nothing else of ours; it is told once."""
    beside: list[int] = []
    unloaded: list[str] = []
    send, free = Sender.send, ComfyUIBackend.free

    def watched(sender: Sender, task: Task, *, held: Collection[str]) -> Any:
        if task.terms.is_alone:
            beside.append(len(held))
        return send(sender, task, held=held)

    def counted(backend: ComfyUIBackend, *, front: bool = False) -> None:
        unloaded.append(backend.name)
        free(backend, front=front)

    monkeypatch.setattr(Sender, "send", watched)
    monkeypatch.setattr(ComfyUIBackend, "free", counted)
    with Simulator(faults=["oom%3"]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(2 * COUNT))
        failed = sum("out_of_memory" in ends for ends in outcomes(house).values())
        assert beside == [0] * failed
        assert len(unloaded) == failed > 1
        assert counts(report) == (2 * COUNT, 0, 0)
        assert told(report) == [(server.url, "out_of_memory")]
        assert all(ends in (["done"], ["out_of_memory", "done"]) for ends in outcomes(house).values())
        assert max(executed(server).values()) == 2
        check_stored(house, 2 * COUNT)


def test_a_picture_that_nobody_has_the_memory_for_fails(tmp_path: Path) -> None:
    """After two attempts on the one server, with a remedy that names the settings."""
    with Simulator(faults=["oom%1"]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(2))
        assert counts(report) == (0, 2, 0)
        assert {problem.code for problem in report.problems} == {"out_of_memory"}
        assert "smaller_sizes" in report.problems[0].remedy_en
        assert set(executed(server).values()) == {AT_ONE_SIZE}
        assert told(report) == [(server.url, "out_of_memory")]


def test_a_larger_card_makes_what_a_smaller_one_cannot(tmp_path: Path) -> None:
    """Twice on the small one, the second time alone; then on the large one, which says so of itself."""
    with (
        Simulator(faults=["oom%1"], vram_gb=12) as small,
        Simulator(seconds=0.15, vram_gb=24) as large,
        opened(work(tmp_path), small.url, large.url) as house,
    ):
        report = make(house, numbered(2 * COUNT))
        assert counts(report) == (2 * COUNT, 0, 0)
        assert told(report) == [(small.url, "out_of_memory")]
        ladders = tried(house, [small.url, large.url])
        failing = [(0, 0, "out_of_memory")] * AT_ONE_SIZE
        assert all(each in ([(1, 0, "done")], [*failing, (1, 0, "done")]) for each in ladders)
        assert len(small.executions) >= AT_ONE_SIZE
        assert set(executed(large).values()) == {1}
        check_stored(house, 2 * COUNT)


def test_a_larger_card_that_comes_during_the_run(tmp_path: Path) -> None:
    """Nobody knew its memory while it was away: the picture waits for it instead of failing."""
    large = Simulator(vram_gb=24)
    large.start()
    large.stop()
    with (
        Simulator(faults=["oom%1"], vram_gb=12) as small,
        opened(work(tmp_path, PATIENT), small.url, large.url) as house,
        running(house, numbered(2)) as run,
    ):
        until(lambda: len(small.executions) == 2 * AT_ONE_SIZE)
        large.start()
        try:
            report = run.result(DEADLINE_S)
        finally:
            large.stop()
        assert counts(report) == (2, 0, 0)
        assert len(small.executions) == 2 * AT_ONE_SIZE
        assert sorted(told(report)) == sorted([(small.url, "out_of_memory"), (large.url, "refused")])


def test_a_smaller_picture_where_the_role_allows_it(tmp_path: Path) -> None:
    """Size by size, each twice; what is recorded is the size that was made."""
    root = smaller(work(tmp_path), SMALLER, SMALLEST)
    with Simulator(faults=["oom:4"]) as server, opened(root, server.url) as house:
        report = make(house, numbered(1))
        assert counts(report) == (1, 0, 0)
        ladder = [(0, 0, "out_of_memory")] * 2 + [(0, 1, "out_of_memory")] * 2 + [(0, 2, "done")]
        assert tried(house, [server.url]) == [ladder]
        assert sides(house) == {SMALLEST}
        assert make(house, numbered(1)).jobs_submitted == 0


def test_the_larger_card_comes_before_the_smaller_picture(tmp_path: Path) -> None:
    """Both run out at the wanted size; the smaller one is made."""
    root = smaller(work(tmp_path), SMALLER)
    with (
        Simulator(faults=["oom:2"], vram_gb=12) as small,
        Simulator(faults=["oom:2"], vram_gb=24) as large,
        opened(root, small.url, large.url) as house,
    ):
        report = make(house, numbered(1))
        assert counts(report) == (1, 0, 0)
        [ladder] = tried(house, [small.url, large.url])
        wanted = [(server, shrink) for server, shrink, _ in ladder if shrink == 0]
        assert wanted in ([(0, 0)] * 2 + [(1, 0)] * 2, [(1, 0)] * 2)
        assert ladder[-1][1:] == (1, "done")
        assert sides(house) == {SMALLER}
        assert executed(small, large).total() == len(ladder)


def test_a_small_card_is_not_given_what_is_too_large_for_it(tmp_path: Path) -> None:
    """By the table of the settings: the picture is made smaller there rather than not at all."""
    table = "[[vram]]\nbelow_gb = 8\nmax_megapixels = 0.003"
    root = smaller(work(tmp_path, table), SMALLER)
    with Simulator(vram_gb=6) as server, opened(root, server.url) as house:
        assert counts(make(house, numbered(2))) == (2, 0, 0)
        assert sides(house) == {SMALLER}
