"""The contract on imports is enforced, not just written down."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BREACHES = {
    "domain/catalog.py": ("import pathlib", "Domain, stages and pipeline touch nothing outside"),
    "stages/quality/defects.py": ("import catalog_imagegen.stages.prompt", "Stages do not know each other"),
    "cli/show.py": ("import catalog_imagegen.adapters.blobs", "Only bootstrap names adapters"),
    "domain/job.py": ("import catalog_imagegen.pipeline.plan", "Imports only point down"),
    "simulator/paint.py": ("import catalog_imagegen.domain.errors", "The simulator stands alone"),
}


@pytest.mark.parametrize("path", BREACHES)
def test_a_breach_of_the_layers_is_reported(path: str, tmp_path: Path) -> None:
    """One wrong import in a copy of the package breaks exactly the contract that forbids it."""
    line, contract = BREACHES[path]
    shutil.copytree(ROOT / "catalog_imagegen", tmp_path / "catalog_imagegen")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module = tmp_path / "catalog_imagegen" / path
    module.write_text(module.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{contract} BROKEN" in done.stdout
