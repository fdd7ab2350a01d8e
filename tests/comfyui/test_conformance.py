"""A real ComfyUI behaves as the checks say that the simulator passes, and answers in the same shapes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.comfyui.peer import ComfyUI
from tests.conformance.client import Client, Server

PARTS = ("submitting", "waiting", "picturing", "hearing", "describing")
pytest.register_assert_rewrite(*(f"tests.conformance.{part}" for part in PARTS))

from tests.conformance.describing import Describing  # noqa: E402  # rewritten only if imported after that
from tests.conformance.hearing import Hearing  # noqa: E402
from tests.conformance.picturing import Picturing  # noqa: E402
from tests.conformance.submitting import Submitting  # noqa: E402
from tests.conformance.waiting import Waiting  # noqa: E402


@pytest.fixture(scope="module")
def server(comfyui: ComfyUI) -> Iterator[Server]:
    """The peer, and which version it is."""
    client = Client(comfyui.url)
    yield Server.at(client)
    client.session.close()


class TestSubmitting(Submitting):
    """What is accepted and refused."""


class TestWaiting(Waiting):
    """Queue, history, jobs and cache."""


class TestPicturing(Picturing):
    """Files."""


class TestHearing(Hearing):
    """Events."""


class TestDescribing(Describing):
    """What the server tells of itself."""
