"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.servers import postgresql

# The same examples everywhere: a failure here is a failure on every machine, and can be looked into.
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL, one for all tests of a worker: each makes a schema or database of its own."""
    with postgresql(tmp_path_factory.mktemp("postgres")) as url:
        yield url
