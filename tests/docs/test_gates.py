"""The page of gates tells of every gate and every threshold, in both languages."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from catalog_imagegen.config.gates import GateTable
from catalog_imagegen.domain.gates import GateCode
from tests.docs.pages import text_of

ENGLISH, CHINESE = text_of("docs/gates.md").split("\n## 中文\n")
CODE = re.compile(r"`([a-z_]+)`")


def cells(text: str, column: int) -> list[str]:
    """What stands in code in a column of the table of gates."""
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in CODE.findall(row[column])]


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_every_gate_is_told_once(text: str) -> None:
    """By the code that stands in status and reports."""
    assert sorted(cells(text, 0)) == sorted(get_args(GateCode))


@pytest.mark.parametrize(("text", "column"), [(ENGLISH, 2), (CHINESE, 2)])
def test_every_threshold_is_told(text: str, column: int) -> None:
    """By its key in the file; likeness to a photo stops nothing and is told below the table."""
    assert set(cells(text, column)) == set(GateTable.model_fields) - {"min_fidelity"}
    assert "`min_fidelity`" in text


def test_the_figures_have_their_measurements_beside_them() -> None:
    """Each key is explained at the head of the packaged file."""
    head = text_of("config/gates.toml").split("\n[all]\n")[0]
    assert all(re.search(rf"^#   {name} ", head, re.MULTILINE) for name in GateTable.model_fields)
