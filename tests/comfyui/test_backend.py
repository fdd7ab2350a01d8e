from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.comfyui.peer import ComfyUI, Peer

pytest.register_assert_rewrite("tests.contracts.backends")

from tests.contracts.backends import (  # noqa: E402  # rewritten only if imported after that
    ComfyUIBackendContract,
    Restartable,
)


class TestComfyUIBackendOnComfyUI(ComfyUIBackendContract):
    """The adapter on a real server keeps every promise that it keeps on the simulator."""

    @pytest.fixture
    def server_url(self, comfyui_url: str) -> str:
        """The server of this folder."""
        return comfyui_url

    @pytest.fixture
    def triggers(self) -> None:
        """Only our own server has the stand-in sampler."""
        if "COMFYUI_URL" in os.environ:
            pytest.skip("the server that COMFYUI_URL names does not fail when a prompt says so")

    @pytest.fixture
    def own_server(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Restartable]:
        """A server process that is killed, not stopped."""
        if "COMFYUI_URL" in os.environ:
            pytest.skip("the server that COMFYUI_URL names is not ours to kill")
        peer: Peer = request.getfixturevalue("peer")
        with ComfyUI(tmp_path / "server", peer=peer) as server:

            def restart() -> None:
                server.kill()
                server.start()

            yield Restartable(server.url, restart)
