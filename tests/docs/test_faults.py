"""The page of faults tells of every code, what its policy says, and tests that exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from catalog_imagegen.domain.failure import POLICIES, Budget, FailureCode
from catalog_imagegen.domain.incident import TroubleCode
from catalog_imagegen.simulator.faults import KNOWN
from tests.docs.pages import ROOT, text_of

PAGE = "docs/faults.md"
CODE = re.compile(r"`([a-z0-9_-]+)`")
TEST = re.compile(r"`(test_\w+)`")
USES_UP: dict[Budget, str] = {
    "attempts": "an attempt",
    "losses": "one of three losses",
    "none": "nothing",
    "final": "all",
}
LADDER = "out_of_memory"
"""Has a budget of its own."""


def rows(section: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    text = text_of(PAGE).split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


PICTURES = {cells[0].strip("`"): cells for cells in rows("What is wrong with a picture")}
SERVERS = {cells[0].strip("`"): cells for cells in rows("What is wrong with a server")}
SHOWN = rows("Where each is shown")


def known_names() -> Iterator[str]:
    """Every test function there is."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name


def test_every_code_is_told() -> None:
    """Of pictures and of servers, each once."""
    assert sorted(PICTURES) == sorted(get_args(FailureCode))
    assert sorted(SERVERS) == sorted(get_args(TroubleCode))


@pytest.mark.parametrize("code", get_args(FailureCode))
def test_the_page_says_what_the_policy_is(code: FailureCode) -> None:
    """What is used up, whether another server comes first, what the server must do before."""
    _, _, uses_up, elsewhere, afresh, is_left_alone, _ = PICTURES[code]
    policy = POLICIES[code]
    if code != LADDER:
        assert uses_up.startswith(USES_UP[policy.budget])
    assert (elsewhere != "–") == policy.elsewhere
    assert (afresh, is_left_alone) == tuple(
        "yes" if holds else "–" for holds in (policy.afresh, policy.quarantine)
    )


def test_every_fault_of_the_simulator_is_shown() -> None:
    """By its name in the first column."""
    named = {name for cells in SHOWN for name in CODE.findall(cells[0])}
    assert set(KNOWN) <= named
    assert named <= set(KNOWN)


def test_every_row_names_known_names() -> None:
    """On the simulator always; on a real server, or why not there."""
    for fault, simulated, real in SHOWN:
        assert TEST.findall(simulated) or simulated == "as above", fault
        assert real, fault
    missing = set(TEST.findall(text_of(PAGE))) - set(known_names())
    assert not missing


def test_every_test_of_a_fault_is_on_the_page() -> None:
    """What is tested is also told."""
    files = [
        *(ROOT / "tests" / "integration").glob("test_faults_*.py"),
        ROOT / "tests/comfyui/test_faults.py",
    ]
    tests = {
        name
        for file in files
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert tests <= set(TEST.findall(text_of(PAGE)))
