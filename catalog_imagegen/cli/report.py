"""The report command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from catalog_imagegen.bootstrap import Servers
from catalog_imagegen.bootstrap.reports import check_destination, write_report
from catalog_imagegen.cli import options, show


def report(
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="A file that ends in .html (a page) or .xlsx (a workbook).")
    ],
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Report on the simulator's placeholders.")
    ] = False,
    workspace: options.WorkspaceDir = Path(),
) -> None:
    """Write a report: every SKU, its pictures as each marketplace shows them, and what needs you.

    Example: `catalog-imagegen report monday.html`
    """
    check_destination(destination)
    with options.house(workspace, Servers(simulate=simulate)) as house:
        is_new = write_report(house, destination, language=show.words())
    words = show.words()
    text = words.tr("Report written:") if is_new else words.tr("Nothing changed; the report stands:")
    show.out.print(Text.assemble(text, " ", (str(destination), "bold")), soft_wrap=True)
