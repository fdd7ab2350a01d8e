"""Producing over a real socket from a simulator that misbehaves."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from catalog_imagegen.bootstrap import House, Servers, open_house
from catalog_imagegen.config import Workspace
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.pipeline.prepare import Selection, choose, from_ledger
from catalog_imagegen.pipeline.sync import Report, carry_out
from catalog_imagegen.simulator import Simulator
from tests.fakes import NullProgress, graph_key
from tests.integration.test_power_cut import small_pictures
from tests.workroom import hurry

PICTURES = 3
CATALOG = Reading((Product("EB-1", "无线蓝牙耳机", category="数码", color="黑色"),))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes longer than it must."""
    hurry(monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with small pictures and little patience."""
    small_pictures(tmp_path)
    (tmp_path / "config" / "app.toml").write_text("patience_s = 1\n", encoding="utf-8")
    return tmp_path


def make(house: House, reading: Reading = CATALOG) -> Report:
    """Run a catalog."""
    prepared = choose(reading, "run", Selection(), house.services)
    return carry_out(
        prepared,
        house.services,
        source="run",
        command="run",
        backends=house.fleet.backends,
        progress=NullProgress(),
        stop=threading.Event(),
    )


def executed(simulator: Simulator) -> Counter[str]:
    """Graph → how often it was really executed."""
    return Counter(graph_key(graph) for _, graph in simulator.executions)


@pytest.mark.parametrize("fault", ["lose-reply", "lose-reply:3", "reset", "http-500:2"])
def test_trouble_with_the_reply_never_costs_a_second_execution(fault: str, root: Path) -> None:
    """Whether the server heard or not is found out by asking it, not by sending again."""
    with (
        Simulator(faults=[fault]) as simulator,
        open_house(Workspace(root), Servers((simulator.url,))) as house,
    ):
        report = make(house)
        assert report.pictures["rendered"] == PICTURES
        assert set(executed(simulator).values()) == {1}


def test_a_damaged_download_is_fetched_again_not_rendered_again(root: Path) -> None:
    """The picture on the server is good: only the copy of it was cut short."""
    with (
        Simulator(faults=["truncate"]) as simulator,
        open_house(Workspace(root), Servers((simulator.url,))) as house,
    ):
        assert make(house).pictures["rendered"] == PICTURES
        assert set(executed(simulator).values()) == {1}


@pytest.mark.parametrize(
    "fault", ["truncate:2", "view-404", "small", "black", "no-image", "oom", "error", "forget"]
)
def test_one_bad_answer_is_made_good_by_a_second_attempt(fault: str, root: Path) -> None:
    """A technical retry gives the picture after all, and the bad one is never recorded."""
    with (
        Simulator(faults=[fault]) as simulator,
        open_house(Workspace(root), Servers((simulator.url,))) as house,
    ):
        report = make(house)
        assert report.pictures["rendered"] == PICTURES
        assert report.problems == ()
        assert executed(simulator).total() <= PICTURES + 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("truncate:99", "bad_picture"),
        ("small:99", "wrong_size"),
        ("black:99", "black"),
        ("view-404:99", "file_gone"),
        ("no-image:99", "no_picture"),
        ("oom:99", "out_of_memory"),
        ("error:99", "execution_error"),
        ("forget:99", "lost"),
    ],
)
def test_what_stays_bad_fails_with_its_reason_and_bounded_attempts(fault: str, code: str, root: Path) -> None:
    """The picture is failed, says why, and is not tried for ever, nor again by the next run."""
    with (
        Simulator(faults=[fault]) as simulator,
        open_house(Workspace(root), Servers((simulator.url,))) as house,
    ):
        report = make(house)
        assert report.pictures["failed"] == PICTURES
        assert {p.code for p in report.problems} == {code}
        assert all(p.remedy_en and p.remedy_zh for p in report.problems)
        assert max(executed(simulator).values()) <= 3
        again = make(house)
        assert again.jobs_submitted == 0
        assert again.pictures["failed"] == PICTURES


def test_a_render_without_its_bytes_is_made_again(root: Path) -> None:
    """Somebody deleted blobs: the row alone is not believed, neither by the plan nor by produce."""
    with Simulator() as simulator, open_house(Workspace(root), Servers((simulator.url,))) as house:
        make(house)
        blobs = (root / "data" / "simulated" / "blobs").rglob("??/*")
        next(path for path in blobs if path.read_bytes().startswith(b"\x89PNG")).unlink()
        report = make(house)
        assert (report.pictures["rendered"], report.pictures["reused"]) == (1, PICTURES - 1)
        assert make(house).pictures["reused"] == PICTURES


def test_retry_makes_what_failed(root: Path) -> None:
    """Forgiven pictures get their attempts back; the good ones are left alone."""
    (root / "config" / "app.toml").write_text("patience_s = 2\nattempts = 1\n", encoding="utf-8")
    with (
        Simulator(faults=["error:2"]) as simulator,
        open_house(Workspace(root), Servers((simulator.url,))) as house,
    ):
        assert make(house).pictures["failed"] == 2
        failed = {p.wanted.key for p in from_ledger(Selection(), house.services).plan.pictures if p.failure}
        assert house.services.ledger.forgive(failed) == 2
        report = make(house)
        assert (report.pictures["rendered"], report.pictures["reused"]) == (2, 1)


def test_a_server_that_dies_leaves_pictures_planned(root: Path) -> None:
    """Nobody else can render: the run ends truthfully, nothing is marked failed, and a later run goes on."""
    simulator = Simulator(seconds=0.3)
    simulator.start()
    with open_house(Workspace(root), Servers((simulator.url,))) as house:
        threading.Timer(0.5, simulator.stop).start()
        report = make(house)
        assert report.unavailable
        assert report.pictures["pending"] >= 1
        assert report.pictures["failed"] == 0
    with Simulator() as other, open_house(Workspace(root), Servers((other.url,))) as house:
        report = make(house)
        assert report.pictures["rendered"] + report.pictures["reused"] == PICTURES


def test_another_server_takes_over(root: Path) -> None:
    """With two servers, the death of one costs nothing but time."""
    dying = Simulator(seconds=0.3)
    dying.start()
    with (
        Simulator(seconds=0.3) as healthy,
        open_house(Workspace(root), Servers((dying.url, healthy.url))) as house,
    ):
        threading.Timer(0.2, dying.stop).start()
        report = make(house)
        assert report.pictures["rendered"] == PICTURES


def test_nobody_there_is_said_at_once(root: Path) -> None:
    """An unreachable server ends a run before anything is recorded, and says what to do."""
    with Simulator() as simulator:
        url = simulator.url
    with pytest.raises(BackendUnavailable, match="--simulate"), open_house(Workspace(root), Servers((url,))):
        pass


def test_a_model_the_server_lacks_is_found_before_any_gpu_second(root: Path) -> None:
    """The message names the file, the folder it belongs into, and what the server has."""
    models = {"diffusion_models": ["z_image_turbo_fp8.safetensors"]}
    with (
        Simulator(models=models) as simulator,
        open_house(Workspace(root), Servers((simulator.url,))) as house,
    ):
        with pytest.raises(ConfigError, match=r"z_image_turbo_bf16.*z_image_turbo_fp8.*diffusion_models"):
            make(house)
        assert simulator.executions == []


def test_a_simulator_in_the_settings_is_refused_for_real_pictures(root: Path) -> None:
    """Placeholders must not slip into the real state through app.toml."""
    with Simulator() as simulator:
        text = f'patience_s = 2\n[[comfyui]]\nurl = "{simulator.url}"\n'
        (root / "config" / "app.toml").write_text(text, encoding="utf-8")
        with (
            open_house(Workspace(root), Servers()) as house,
            pytest.raises(ConfigError, match="simulator"),
        ):
            make(house)
        assert simulator.executions == []
