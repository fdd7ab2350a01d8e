"""What the tests of the ledger share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.ledgers_support import Home, new_home


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """A place for a ledger; the test is run for each kind there is."""
    return new_home(tmp_path, request.getfixturevalue("postgres") if request.param == "postgresql" else "")
