"""Good files of bad pictures: kept, made again with other words and seeds, then left to a person."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog_imagegen.bootstrap import House
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.job import PictureStatus
from catalog_imagegen.pipeline.prepare import Selection, choose, from_ledger, regenerate
from catalog_imagegen.pipeline.review import Scope, approve, reject
from catalog_imagegen.pipeline.sync import Report, carry_out
from catalog_imagegen.simulator import Simulator
from tests.fakes import NullProgress
from tests.workroom import (
    check_stored,
    counts,
    executed,
    goods,
    hurry,
    make,
    numbered,
    opened,
    outcomes,
    work,
)

COUNT = 3
WORDING = "对焦清晰锐利，材质纹理分明"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes longer than it must."""
    hurry(monkeypatch)


def pictures(house: House) -> Sequence[PictureStatus]:
    """The main pictures."""
    return [p for p in house.services.ledger.pictures() if p.key.role == "main"]


def notes(server: Simulator) -> list[str]:
    """What prompts asked for in particular, picture by picture, in the order in which they were made."""
    mark = "本次拍摄的特别要求："
    texts = [
        next(
            v
            for node in graph.values()
            for v in node["inputs"].values()
            if isinstance(v, str) and "主图" in v
        )
        for _, graph in server.executions
    ]
    return [text.partition(mark)[2].partition("。")[0] for text in texts]


def carried_out(house: House, selection: Selection) -> Report:
    """What is recorded, made."""
    return carry_out(
        from_ledger(selection, house.services),
        house.services,
        source="run",
        command="retry",
        backends=house.fleet.backends,
        progress=NullProgress(),
        stop=threading.Event(),
    )


def test_a_blurred_picture_is_made_again_in_the_same_run(tmp_path: Path) -> None:
    """With a wording for that and another seed; the blurred one is kept, and nobody has to wait for anything."""
    with Simulator(faults=["blurred"]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert report.pictures["planned"] == COUNT
        assert report.jobs_submitted == COUNT + 1
        assert sorted(notes(server)) == ["", "", "", WORDING]
        assert {p.state for p in pictures(house)} == {"draft"}
        assert sorted(p.take.number for p in pictures(house)) == [1, 1, 2]
        assert sorted(outcomes(house).values()) == [["done"], ["done"], ["done", "done"]]
        check_stored(house, COUNT + 1)
        again = make(house, numbered(COUNT))
        assert (again.jobs_submitted, again.pictures["reused"]) == (0, COUNT)


def test_a_picture_that_is_always_blurred_waits_for_a_person(tmp_path: Path) -> None:
    """After two new takes; all three are kept, no later run pays again, and it is said what to do."""
    name = "耳机 [[blurred]]"
    with Simulator() as server, opened(work(tmp_path), server.url) as house:
        report = make(house, goods(name, "茶壶"))
        assert report.pictures == {
            "planned": 2,
            "rendered": 1,
            "reused": 0,
            "failed": 0,
            "blocked": 1,
            "pending": 0,
        }
        (problem,) = report.problems
        assert (problem.state, problem.code) == ("blocked", "blurred")
        assert "review approve P-01 --role main --slot 1" in problem.reason_en
        assert "regenerate P-01" in problem.reason_zh
        assert outcomes(house) == {name: ["done"] * 3, "茶壶": ["done"]}
        check_stored(house, 4)
        blurred = pictures(house)[0]
        assert (blurred.state, blurred.take.number, blurred.is_rejected) == ("blocked", 3, True)
        assert blurred.stopped is not None
        assert (blurred.reason_en, blurred.listed) == (problem.reason_en, None)
        said = house.services.ledger.reviews([blurred.key])[blurred.key]
        assert [(word.decision, word.gate) for word in said] == [("stopped", "blurred")] * 3
        again = make(house, goods(name, "茶壶"))
        assert (again.jobs_submitted, again.pictures["blocked"], again.problems[0].code) == (0, 1, "blurred")


def test_words_change_first_then_seeds(tmp_path: Path) -> None:
    """One wording after the other behind what a person asked for, then the last one with new seeds."""
    root = work(tmp_path, "rerolls = 3")
    (root / "config" / "gates.toml").write_text('[wordings]\nblurred = ["甲", "乙"]\n', encoding="utf-8")
    with Simulator(faults=["blurred:4"]) as server, opened(root, server.url) as house:
        make(house, numbered(1))
        assert notes(server) == ["", "甲", "乙", "乙"]
        assert set(executed(server).values()) == {1}
        assert pictures(house)[0].state == "blocked"
        server.misbehave("blurred:1")
        regenerate("P-01", role="main", slot=1, seed=None, note="换个角度", services=house.services)
        carried_out(house, Selection(roles=("main",)))
        assert notes(server)[4:] == ["换个角度", "换个角度，甲"]
        assert pictures(house)[0].state == "draft"


def test_no_new_takes_where_none_are_wanted(tmp_path: Path) -> None:
    """``rerolls = 0`` leaves every such picture to a person at once."""
    root = work(tmp_path, "rerolls = 0")
    with Simulator(faults=["blurred"]) as server, opened(root, server.url) as house:
        report = make(house, numbered(1))
        assert (report.jobs_submitted, report.pictures["blocked"]) == (1, 1)


def test_gates_can_be_switched_off(tmp_path: Path) -> None:
    """By a line of the workspace's own file."""
    root = work(tmp_path)
    (root / "config" / "gates.toml").write_text("[roles.main]\nmin_sharpness = 0\n", encoding="utf-8")
    with Simulator(faults=["blurred"]) as server, opened(root, server.url) as house:
        assert make(house, numbered(1)).jobs_submitted == 1
        assert pictures(house)[0].state == "draft"


@pytest.mark.parametrize("take", [1, 2, 3])
def test_any_of_the_pictures_that_were_kept_can_be_approved(take: int, tmp_path: Path) -> None:
    """Named by its bytes; from then on it is the picture, and nothing is rendered for that."""
    reading = goods("耳机 [[blurred]]")
    with Simulator() as server, opened(work(tmp_path), server.url) as house:
        make(house, reading)
        (picture,) = pictures(house)
        kept = house.services.ledger.renders_of(picture.key)[::-1]
        chosen = kept[take - 1]
        (said,) = approve(Scope(skus=("P-01",), render=chosen.digest), house.services)
        assert said.outcome == "approved"
        (picture,) = pictures(house)
        assert (picture.take.number, picture.listed, picture.stopped) == (take, chosen, None)
        assert (WORDING in picture.prompt.positive) is (take > 1)
        assert pictures(house)[0].state == "approved"
        again = make(house, reading)
        assert (again.jobs_submitted, again.pictures["reused"]) == (0, 1)


def test_a_person_may_ask_for_another_instead(tmp_path: Path) -> None:
    """A rejection of what waits asks for a new take, with all the gates' takes behind it."""
    with Simulator(faults=["blurred:5"]) as server, opened(work(tmp_path), server.url) as house:
        make(house, numbered(1))
        (said,) = reject(
            Scope(skus=("P-01",), roles=("main",)), house.services, reason="太糊", note="用微距镜头"
        )
        assert said.outcome == "rejected"
        assert pictures(house)[0].state == "rejected"
        report = make(house, numbered(1))
        assert (report.jobs_submitted, counts(report)) == (3, (1, 0, 0))
        assert notes(server)[3:] == ["用微距镜头", f"用微距镜头，{WORDING}", f"用微距镜头，{WORDING}"]


def test_a_changed_row_has_all_its_takes_again(tmp_path: Path) -> None:
    """What was tried for another description does not count."""
    with Simulator(faults=["blurred:5"]) as server, opened(work(tmp_path), server.url) as house:
        make(house, numbered(1))
        report = make(house, Reading((Product("P-01", "耳机1号", category="数码", color="红色"),)))
        assert (report.jobs_submitted, counts(report)) == (3, (1, 0, 0))


def test_an_overexposed_scene_is_made_again(tmp_path: Path) -> None:
    """Exposure is measured as well, where the background is not white by intention."""
    reading = goods("耳机")
    with Simulator(faults=["overexposed"]) as server, opened(work(tmp_path), server.url) as house:
        selection = Selection(roles=("lifestyle",))
        carry_out(
            choose(reading, "run", selection, house.services),
            house.services,
            source="run",
            command="run",
            backends=house.fleet.backends,
            progress=NullProgress(),
            stop=threading.Event(),
        )
        (scene,) = [p for p in house.services.ledger.pictures() if p.key.role == "lifestyle"]
        assert (scene.state, scene.take.number) == ("draft", 2)
        said = house.services.ledger.reviews([scene.key])[scene.key]
        assert [word.gate for word in said] == ["overexposed"]


def test_an_approved_picture_stays_listed_while_gates_stop_its_successors(tmp_path: Path) -> None:
    """The row changed after approval, and no new take is any good."""
    red = Reading((Product("P-01", "耳机1号", category="数码", color="红色"),))
    with Simulator() as server, opened(work(tmp_path), server.url) as house:
        make(house, numbered(1))
        approve(Scope(skus=("P-01",), roles=("main",)), house.services)
        (before,) = pictures(house)
        server.misbehave("blurred:3")
        make(house, red)
        (after,) = pictures(house)
        assert after.state == "blocked"
        assert after.listed == after.approved == before.approved
