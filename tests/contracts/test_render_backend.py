from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_imagegen.adapters.comfyui import watch
from catalog_imagegen.simulator import Simulator
from tests.fakes import FakeBackend, graph_key

pytest.register_assert_rewrite("tests.contracts.backends")

from tests.contracts.backends import (  # noqa: E402  # rewritten only if imported after that
    MISSING_MODEL,
    MISSING_NODE,
    ComfyUIBackendContract,
    RenderBackendContract,
    Restartable,
    Subject,
    executions,
    fresh,
    opened,
    render,
)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """One for all tests that leave it running."""
    with Simulator(seconds=0.02) as simulator:
        yield simulator


class TestFakeBackend(RenderBackendContract):
    """The fake keeps the promises, so tests may rely on it."""

    @pytest.fixture
    def subject(self) -> Subject:
        """A fake that has everything but what tests ask for in vain."""
        fake, away = FakeBackend(), FakeBackend("away")
        fake.missing |= {MISSING_NODE, MISSING_MODEL}
        away.is_away = True
        return Subject(fake, lambda _: fake.restart(), away)

    def test_executions_are_counted_by_what_is_executed(self, subject: Subject) -> None:
        """Twice the same graph under other file names is paid twice."""
        fake = subject.backend
        assert isinstance(fake, FakeBackend)
        once, twice = fresh("once"), fresh("twice")
        for wanted in (once, twice, twice):
            render(fake, wanted)
        assert fake.executions == {graph_key(once.graph): 1, graph_key(twice.graph): 2}


class TestComfyUIBackendOnSimulator(ComfyUIBackendContract):
    """The adapter, over real sockets."""

    @pytest.fixture(autouse=True)
    def quick_checks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A simulator need not be spared."""
        monkeypatch.setattr(watch, "QUEUE_CHECK_S", 0.2)

    @pytest.fixture
    def server_url(self, simulator: Simulator) -> str:
        """Its address."""
        return simulator.url

    @pytest.fixture
    def own_server(self, tmp_path: Path) -> Iterator[Restartable]:
        """A simulator that keeps its files over a restart, as a server does."""
        with Simulator(folder=tmp_path / "server") as simulator:

            def restart() -> None:
                simulator.stop()
                simulator.start()

            yield Restartable(simulator.url, restart)

    @pytest.mark.parametrize("fault", ["lose-reply", "reset", "http-500", "lose-reply:2"])
    def test_a_mishap_on_the_way_costs_no_second_execution(self, fault: str) -> None:
        """Each is waited out, and the sampler runs once."""
        wanted = fresh("a mug")
        with Simulator(seconds=0.02, faults=[fault]) as simulator, opened(simulator.url) as ours:
            render(ours, wanted)
            assert len(simulator.executions) == len(executions(simulator.url, "a mug")) == 1
