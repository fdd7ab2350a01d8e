"""The export command."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap import Servers
from catalog_imagegen.bootstrap.export import Exported
from catalog_imagegen.bootstrap.export import export as hand_on
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK


def export(
    destination: Annotated[
        Path, typer.Argument(metavar="DEST", help="A new folder, or a file that ends in .zip.")
    ],
    platform: options.Platforms = None,
    sku: options.Skus = None,
    drafts: Annotated[bool, typer.Option("--drafts", help="Also what nobody has approved yet.")] = False,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Export the simulator's placeholders.")
    ] = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Hand approved pictures on, as a folder or a zip per platform and product, with a report inside.

    Files that miss what their placement asks stay behind, unless --drafts takes all.

    Example: `catalog-imagegen export for-amazon.zip --platform amazon`
    """
    with options.house(workspace, Servers(simulate=simulate)) as house:
        done = hand_on(
            house,
            destination.resolve(),
            platforms=tuple(platform or ()),
            skus=frozenset(sku or ()),
            drafts=drafts,
            language=show.words(),
        )
    if json:
        show.as_json(
            {
                "destination": str(done.destination),
                "files": done.files,
                "left_out": [asdict(one) for one in done.left_out],
            }
        )
    else:
        _show(done)
    raise typer.Exit(EXIT_ITEMS_FAILED if done.left_out else EXIT_OK)


def _show(done: Exported) -> None:
    words = show.words()
    if done.left_out:
        table = Table(title=words.tr("Left behind"), title_justify="left", title_style="bold")
        for name in (words.tr("platform"), words.tr("file"), words.tr("why · what to do")):
            table.add_column(name, overflow="fold")
        for one in done.left_out:
            why = Text("\n").join(show.said(v.message_en, v.message_zh) for v in one.verdicts)
            table.add_row(one.platform, Text(f"{one.folder}/{one.file_name}"), why)
        show.out.print(table)
    text = words.tr("{count} files exported to", count=done.files)
    show.out.print(Text.assemble(text, " ", (str(done.destination), "bold")), soft_wrap=True)
