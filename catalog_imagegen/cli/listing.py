"""Commands about listings."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap.listing_check import check_listings
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK
from catalog_imagegen.domain.imaging import Verdict
from catalog_imagegen.pipeline.compliance import CheckedFile, CheckedListing

group = typer.Typer(help="Look at listings.", no_args_is_help=True)


@group.callback()
def listing() -> None:
    """Look at listings."""


@group.command()
def check(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A picture, a listing's folder, or a folder of listings.")
    ],
    platform: Annotated[
        str,
        typer.Option(
            "--platform", "-p", help="Judge by this marketplace; without it, by the one listing.json names."
        ),
    ] = "",
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Measure pictures, ours or not, by a marketplace's rules: size, bytes, colours, border, fill, labels, names, count.

    What the marketplace itself says fails; what others say of it warns. Ends with 1 where something fails.

    Example: `catalog-imagegen listing check ~/pictures/KT-01 --platform amazon`
    """
    found = list(check_listings(path, options.workspace(workspace), platform))
    fails, warnings = sum(each.fails for each in found), sum(each.warnings for each in found)
    if json:
        show.as_json(
            {"listings": [_as_json(each) for each in found], "fails": fails, "warnings": warnings},
        )
    else:
        for each in found:
            _tell(each)
        _total(found, fails, warnings)
    raise typer.Exit(EXIT_ITEMS_FAILED if fails else EXIT_OK)


def _as_json(listing: CheckedListing) -> dict[str, Any]:
    return {
        "folder": listing.folder,
        "platform": listing.platform,
        "verdicts": [asdict(verdict) for verdict in listing.verdicts],
        "files": [asdict(file) for file in listing.files],
    }


def _tell(listing: CheckedListing) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for style in ("", "dim", "dim"):
        table.add_column(style=style, no_wrap=True)
    table.add_column(overflow="fold")
    for file in listing.files:
        table.add_row(Text(file.name), Text(file.placement), Text(_measures(file)), _said(file.verdicts))
    show.out.print(Text.assemble((listing.folder, "bold"), "  ", (listing.platform, "dim")), soft_wrap=True)
    show.out.print(table)
    if listing.verdicts:
        show.out.print(_said(listing.verdicts))


def _measures(file: CheckedFile) -> str:
    if not file.width:
        return ""
    fill = f" · {file.fill:.0%}" if file.fill is not None else ""
    return f"{file.width}×{file.height} {file.format} {max(1, round(file.bytes / 1024))} KB{fill}"


def _said(verdicts: tuple[Verdict, ...]) -> Text:
    if not verdicts:
        return Text("✓", style="green")
    lines = []
    for verdict in verdicts:
        sign, style = ("✗", "red") if verdict.severity == "fail" else ("!", "yellow")
        lines.append(
            Text.assemble((f"{sign} ", style), show.words().pick(verdict.message_en, verdict.message_zh))
        )
    return Text("\n").join(lines)


def _total(found: list[CheckedListing], fails: int, warnings: int) -> None:
    tr = show.words().tr
    files = sum(len(each.files) for each in found)
    if any(file.not_checked for each in found for file in each.files):
        show.out.print(
            Text(tr("text on pictures was not looked for: install catalog-imagegen[ocr]"), style="dim")
        )
    show.out.print(
        tr(
            "{files} pictures measured: {fails} rules broken, {warnings} warnings",
            files=files,
            fails=fails,
            warnings=warnings,
        )
    )
