"""The documentation is true: its commands run, and what exists is documented."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from catalog_imagegen.cli import app
from catalog_imagegen.config import Settings
from catalog_imagegen.domain import errors
from tests.e2e.shop import environment

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
WRONG_ROWS = {"catalog check", "plan", "run"}
"""Commands that end with 1 on the sample catalog, as the README says."""


def test_the_two_commands_come_first_and_exist() -> None:
    """The first block is make demo and make test, and the Makefile has both."""
    words = [line.split("#")[0].strip() for line in BLOCKS[0].splitlines()]
    assert words == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {"demo", "test", "check", "bench", "test-comfyui", "clean"}
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_ci_calls_the_readme_test_command() -> None:
    """CI proves what the README promises."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert {"make check", "make demo", "make test", "make test-comfyui"} <= set(script)


def test_every_command_of_the_readme_runs(tmp_path: Path) -> None:
    """The shop block works word by word in an empty folder, with the exit codes it announces."""
    lines = BLOCKS[1].strip().splitlines()
    assert len(lines) >= 5
    for line in lines:
        command, *words = shlex.split(line)
        assert command == ".venv/bin/catalog-imagegen"
        if words[0] == "run":
            words += ["--limit", "2"]
        done = subprocess.run(
            [sys.executable, "-m", "catalog_imagegen", *words],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        expected = 1 if words[0] in WRONG_ROWS or " ".join(words[:2]) in WRONG_ROWS else 0
        assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
    listing = next((tmp_path / "my-shop" / "output-simulated" / "amazon").rglob("listing.json"))
    assert json.loads(listing.read_text(encoding="utf-8"))["placeholder"] is True


def commands() -> dict[str, str]:
    """Every command with its help."""
    group = typer.main.get_command(app)
    found = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]  # a group of commands
        subs = getattr(command, "commands", None)
        for sub, body in subs.items() if subs else [("", command)]:
            found[f"{name} {sub}".strip()] = body.help or ""
    return found


@pytest.mark.parametrize("name", [name for name in commands() if name != "init"])
def test_every_command_is_in_the_readme(name: str) -> None:
    """A command that the README does not tell of does not exist for its readers."""
    assert re.search(rf"^\| `{name}[ `]", README, re.MULTILINE), name


@pytest.mark.parametrize("name", commands())
def test_every_command_has_an_example(name: str) -> None:
    """Help without an example is half a help."""
    assert f"Example: `catalog-imagegen {name}" in commands()[name]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained_in_app_toml(name: str) -> None:
    """The shipped app.toml shows each key."""
    text = (ROOT / "config" / "app.toml").read_text(encoding="utf-8")
    assert re.search(rf"^(# )?(\[\[{name}\]\]|{name} =)", text, re.MULTILINE)


def test_every_exit_code_is_in_the_readme() -> None:
    """Other programs rely on them."""
    for name in ("EXIT_OK", "EXIT_ITEMS_FAILED", "EXIT_USAGE", "EXIT_TRY_LATER", "EXIT_BUG"):
        assert re.search(rf"\b{getattr(errors, name)} [a-z]", README), name
