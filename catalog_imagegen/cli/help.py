"""The ``--help`` of every command in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer
from typer import rich_utils

from catalog_imagegen.language import Language, mark

FRAMES = {
    "ARGUMENTS_PANEL_TITLE": mark("Arguments"),
    "OPTIONS_PANEL_TITLE": mark("Options"),
    "COMMANDS_PANEL_TITLE": mark("Commands"),
    "ERRORS_PANEL_TITLE": mark("Error"),
    "DEFAULT_STRING": mark("[default: {}]"),
    "ENVVAR_STRING": mark("[env var: {}]"),
    "REQUIRED_LONG_STRING": mark("[required]"),
    "RICH_HELP": mark("Try [blue]'{command_path} {help_option}'[/] for help."),
    "ABORTED_TEXT": mark("Aborted."),
}
"""Words of typer's own, by where it keeps them."""


def translate(command: Any, words: Language) -> None:
    """Put the help of a command (as typer built it) and of all below it into a language."""
    for name, text in FRAMES.items():
        setattr(rich_utils, name, words.tr(text))
    for thing in _things(command):
        thing.help = _breakable(words.tr(thing.help)) if words.code == "zh" else words.tr(thing.help)


def _breakable(text: str) -> str:
    """Chinese with a blank after its stops, for a terminal breaks lines at blanks only."""
    return re.sub(r"(?<=[，。；：、）])(?=[一-鿿])|(?<=[一-鿿])(?=（)", " ", text)


def texts(command: Any) -> list[str]:
    """Every help text of a command and of all below it."""
    return [thing.help for thing in _things(command)]


def _things(command: Any, parent: Any = None) -> Iterator[Any]:
    """The commands and parameters that have a help text, ``--help`` itself among them."""
    context = typer.Context(command, parent=parent, **command.context_settings)
    yield from (thing for thing in (command, *command.get_params(context)) if getattr(thing, "help", None))
    for below in getattr(command, "commands", {}).values():
        yield from _things(below, context)
