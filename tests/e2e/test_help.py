"""Every command explains itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import typer.main

from catalog_imagegen import __version__
from catalog_imagegen.cli import app
from tests.e2e.cli import Ran, called, cli

SERVERS = ("--comfyui", "--simulate")
COMMON = ("--workspace", "--json")
CHOICE = ("--platform", "--role", "--sku", "--limit")
REVIEW = ("--all", "--role", "--slot", "--category", "--render", "--simulate", *COMMON)
CONTRACT: Mapping[str, tuple[str, ...]] = {
    "init": (),
    "run": (*CHOICE, *SERVERS, "--out", *COMMON),
    "plan": (*CHOICE, *SERVERS, *COMMON),
    "catalog check": ("--profile", *COMMON),
    "catalog map": ("--as", "--write", "--accept", "--force", "--header-row", "--profile", *COMMON),
    "status": ("--simulate", *COMMON),
    "platforms": COMMON,
    "review approve": REVIEW,
    "review reject": (*REVIEW, "--reason", "--note"),
    "export": ("--platform", "--sku", "--drafts", "--simulate", *COMMON),
    "listing check": ("--platform", *COMMON),
    "labels show": ("--json",),
    "report": ("--simulate", "--workspace"),
    "regenerate": ("--role", "--slot", "--note", "--seed", *SERVERS, *COMMON),
    "retry": ("--sku", *SERVERS, *COMMON),
    "sync": ("--yes", "--thorough", *SERVERS, *COMMON),
    "watch": ("--once", "--settle", "--interval", "--retry", *SERVERS, *COMMON),
    "jobs": ("--simulate", *COMMON),
    "jobs cancel": ("--all", "--simulate", *COMMON),
    "reproduce": ("--role", "--slot", "--to", *SERVERS, *COMMON),
    "doctor": ("--comfyui", *COMMON),
    "workflow check": ("--json", "--server"),
    "workflow convert": ("--server", "--object-info", "--out", "--workspace"),
    "simulator": ("--port", "--seconds", "--faults"),
}
GROUPS = ("", "catalog", "jobs", "labels", "listing", "review", "workflow")


def commands(group: Any, path: str = "") -> Iterator[str]:
    """Every command below *group*, groups left out."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield f"{path}{name}"


@pytest.fixture(scope="module")
def helps() -> Mapping[str, Ran]:
    """What every command and group prints for --help; one of them in a process of its own, which takes a second."""
    size = {"COLUMNS": "120"}
    found = {name: called(*name.split(), "--help", env=size) for name in (*CONTRACT, *GROUPS)}
    return found | {"init": cli("init", "--help", env=size)}


def test_the_contract_names_every_command() -> None:
    """No command is left out here, so none escapes the tests below."""
    assert set(commands(typer.main.get_command(app))) == set(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_help_of_a_command(name: str, helps: Mapping[str, Ran]) -> None:
    """It ends well, shows an example of this very command and lists the options of the contract."""
    found = helps[name]
    assert (found.code, found.err) == (0, "")
    assert "Example:" in found.out
    assert f"catalog-imagegen {name}" in found.out.partition("Example:")[2].partition("──")[0]
    for option in CONTRACT[name]:
        assert option in found.out


@pytest.mark.parametrize("name", GROUPS)
def test_help_of_a_group(name: str, helps: Mapping[str, Ran]) -> None:
    """It ends well and lists its commands."""
    found = helps[name]
    assert (found.code, found.err) == (0, "")
    for command in CONTRACT:
        group, _, last = command.rpartition(" ")
        if group == name:
            assert f" {last} " in found.out


def test_version() -> None:
    """--version says which version this is and nothing else."""
    found = cli("--version")
    assert (found.code, found.out, found.err) == (0, f"catalog-imagegen {__version__}\n", "")


def test_no_arguments_show_the_help() -> None:
    """Somebody who types the bare name is shown what there is, not an error."""
    found = cli()
    assert "Traceback" not in found.err
    assert found.says("catalog-imagegen")
    assert all(found.says(name.split()[0]) for name in CONTRACT)
