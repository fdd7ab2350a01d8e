"""The doctor command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.text import Text

from catalog_imagegen.bootstrap.doctor import examine
from catalog_imagegen.bootstrap.doctor.finding import Check, Finding
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK
from catalog_imagegen.language import mark

MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "bold red")}
NAME_CELLS = 36
"""The same for every line: each is printed before the next is known."""
CHECKS: Mapping[Check, str] = {
    "workspace": mark("workspace"),
    "config": mark("config"),
    "environment": mark("environment"),
    "source": mark("source"),
    "workflow": mark("workflow"),
    "template": mark("template"),
    "fonts": mark("fonts"),
    "text": mark("text in pictures"),
    "disk": mark("disk"),
    "ledger": mark("ledger"),
    "server": mark("server"),
}
"""What people call them."""


def doctor(
    comfyui: Annotated[
        list[str] | None,
        typer.Option("--comfyui", metavar="URL", help="Look at this server instead; may be repeated."),
    ] = None,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Check every moving part of a workspace and say what to fix. Changes nothing.

    Example: `catalog-imagegen doctor --comfyui http://127.0.0.1:8188`
    """
    servers = options.servers(comfyui, simulate=False)
    place = options.workspace(workspace)
    findings = examine(place, servers.urls)
    found = list(findings if json else _shown(findings))
    is_well = all(finding.status != "error" for finding in found)
    if json:
        show.as_json({"ok": is_well, "findings": [_as_json(finding) for finding in found]})
    else:
        _show_counts(found)
    raise typer.Exit(EXIT_OK if is_well else EXIT_ITEMS_FAILED)


def _as_json(finding: Finding) -> dict[str, Any]:
    shown = asdict(finding)
    facts: dict[str, Any] = shown.pop("facts")
    return shown | facts


def _shown(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Print each finding as it comes: some take seconds."""
    for finding in findings:
        _show(finding)
        yield finding


def _show(finding: Finding) -> None:
    words = show.words()
    name = f"{words.tr(CHECKS[finding.check])} {finding.what}"
    sign, style = MARKS[finding.status]
    padded = name + " " * (NAME_CELLS - cell_len(name))
    if finding.status == "ok":
        fact = words.pick(finding.message_en, finding.message_zh)
        _print(Text.assemble((sign, style), f" {padded}  – ", fact))
        return
    _print(Text.assemble((sign, style), f" {name}"))
    for message in show.said(finding.message_en, finding.message_zh).split("\n"):
        _print(Text.assemble("    ", message))
    for remedy in show.said(finding.remedy_en, finding.remedy_zh).split("\n"):
        _print(Text.assemble("    → ", remedy))


def _show_counts(found: Sequence[Finding]) -> None:
    words = show.words()
    counts = Counter(finding.status for finding in found)
    total = words.tr(
        "{count} checks: {ok} ok, {warnings} warnings, {errors} errors",
        count=len(found),
        ok=counts["ok"],
        warnings=counts["warning"],
        errors=counts["error"],
    )
    _print(Text(total))


def _print(line: Text) -> None:
    show.out.print(line, soft_wrap=True)
