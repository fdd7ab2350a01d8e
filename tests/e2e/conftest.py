"""One run of the whole sample catalog, and one of a few products for the other marketplaces, made once for all."""

from __future__ import annotations

import fcntl
import json
import os
import tomllib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import Ran, cli

ROOT = Path(__file__).parents[2]
SAMPLE_TIMEOUT_S = 250
WHOLE = ("taobao_tmall", "amazon", "google_merchant")
"""Marketplaces that get every product: of families, of variants, of pictures in shapes of their own. The others show the
same renders in places of the same kinds."""
FEW = ("LS-E100-BK", "LS-E100-WH", "HS-PC12", "YJ-L5")
"""Products that every marketplace gets: two variants, and two families of one."""


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
def runs(shared: Path, platforms: dict[str, Any]) -> tuple[Ran, Ran]:
    """How those runs ended; the first worker makes them, the others wait."""
    workspace, result = shared / "shop", shared / "result.json"
    with (shared / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not result.exists():
            assert cli("init", workspace).code == 0
            others = [name for name in platforms if name not in WHOLE]
            ran = [_run(workspace, WHOLE, ()), _run(workspace, others, FEW)]
            result.write_text(json.dumps([asdict(one) for one in ran]), encoding="utf-8")
    whole, few = (Ran(**one) for one in json.loads(result.read_bytes()))
    return whole, few


def _run(workspace: Path, platforms: Iterable[str], skus: Iterable[str]) -> Ran:
    """The sample catalog, or these products of it, for these marketplaces."""
    catalog = workspace / "sample_catalog" / "products.xlsx"
    names = [word for name in platforms for word in ("--platform", name)]
    chosen = [word for sku in skus for word in ("--sku", sku)]
    line: list[str | Path] = ["run", catalog, "-w", workspace, "--simulate", "--json", *names, *chosen]
    return cli(*line, timeout_s=SAMPLE_TIMEOUT_S)


@pytest.fixture(scope="session")
def finished(runs: tuple[Ran, Ran]) -> Ran:
    """How the run of the whole catalog ended."""
    return runs[0]


@pytest.fixture(scope="session")
def few(runs: tuple[Ran, Ran]) -> Ran:
    """How the run of a few products for the other marketplaces ended."""
    return runs[1]


@pytest.fixture(scope="session")
def workspace(shared: Path, finished: Ran, few: Ran) -> Path:
    """The workspace of those runs."""
    assert finished.code in (0, 1), finished.err
    assert few.code in (0, 1), few.err
    return shared / "shop"


@pytest.fixture(scope="session")
def output(workspace: Path) -> Path:
    """The tree that the runs wrote."""
    return workspace / "output-simulated"
