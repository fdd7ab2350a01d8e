"""Starts the real ComfyUI that the tests of this folder talk to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.comfyui.peer import ComfyUI, Peer, ensure_peer

HERE = Path(__file__).resolve().parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep this folder out of ``-m "not comfyui"``; let its fixtures take longer than a test may."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.comfyui)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(func_only=True))


@pytest.fixture(scope="session")
def peer() -> Peer:
    """A ComfyUI that can be started; the first time it is built."""
    return ensure_peer()


@pytest.fixture(scope="session")
def comfyui(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComfyUI]:
    """A running server with the stand-in pack, for tests that leave it running."""
    with ComfyUI(tmp_path_factory.mktemp("comfyui"), seconds=0.1, peer=peer) as server:
        yield server


@pytest.fixture(scope="session")
def comfyui_url(request: pytest.FixtureRequest) -> str:
    """The server that COMFYUI_URL names (a real one: do not expect stand-in triggers), else our own."""
    if named := os.environ.get("COMFYUI_URL"):
        return named.rstrip("/")
    server: ComfyUI = request.getfixturevalue("comfyui")
    return server.url
