"""The simulator speaks the protocol, as each version of ComfyUI does."""

from collections.abc import Iterator

import pytest

from catalog_imagegen.simulator.versions import VERSIONS
from tests.conformance.client import Server, simulated

PARTS = ("submitting", "waiting", "picturing", "hearing", "describing")
pytest.register_assert_rewrite(*(f"tests.conformance.{part}" for part in PARTS))

from tests.conformance.describing import Describing  # noqa: E402  # rewritten only if imported after that
from tests.conformance.hearing import Hearing  # noqa: E402
from tests.conformance.picturing import Picturing  # noqa: E402
from tests.conformance.submitting import Submitting  # noqa: E402
from tests.conformance.waiting import Waiting  # noqa: E402


@pytest.fixture(scope="module", params=list(VERSIONS))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A simulator of each version, for all checks."""
    with simulated(seconds=0.02, version=request.param) as (_, client):
        yield Server.at(client)


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
