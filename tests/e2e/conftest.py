"""One run of the whole sample catalog for all marketplaces, made once however many processes test."""

from __future__ import annotations

import fcntl
import json
import os
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import Ran, cli

ROOT = Path(__file__).parents[2]
SAMPLE_TIMEOUT_S = 250


@pytest.fixture(scope="session")
def platforms() -> dict[str, Any]:
    """What the packaged marketplaces want."""
    tables = tomllib.loads((ROOT / "config" / "platforms.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = tables["platforms"]
    return found


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all worker processes of this test session have in common."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample-run"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def finished(shared: Path, platforms: dict[str, Any]) -> Ran:
    """How that run ended; the first worker makes it, the others wait."""
    workspace, result = shared / "shop", shared / "result.json"
    with (shared / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            assert cli("init", workspace).code == 0
            catalog = workspace / "sample_catalog" / "products.xlsx"
            names = [word for name in platforms for word in ("--platform", name)]
            line: list[str | Path] = ["run", catalog, "-w", workspace, "--simulate", "--json", *names]
            ran = cli(*line, timeout_s=SAMPLE_TIMEOUT_S)
            result.write_text(json.dumps(asdict(ran)), encoding="utf-8")
    return Ran(**json.loads(result.read_bytes()))


@pytest.fixture(scope="session")
def workspace(shared: Path, finished: Ran) -> Path:
    """The workspace of that run."""
    assert finished.code in (0, 1), finished.err
    return shared / "shop"


@pytest.fixture(scope="session")
def output(workspace: Path) -> Path:
    """The tree that the run wrote."""
    return workspace / "output-simulated"
