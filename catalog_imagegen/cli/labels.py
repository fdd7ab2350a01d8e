"""Commands about the labels of AI-made pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from catalog_imagegen.bootstrap.labels import labels_of
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK
from catalog_imagegen.stages.label import Labels, fields_of, problems_of

group = typer.Typer(help="Look at the labels of AI-made pictures.", no_args_is_help=True)


@group.callback()
def labels() -> None:
    """Look at the labels of AI-made pictures."""


@group.command("show")
def show_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Picture files: JPEG, PNG, WebP, AVIF, TIFF.")
    ],
    json: options.AsJson = False,
) -> None:
    """Show what picture files say about how they were made: China's AIGC label and IPTC's source type.

    Ends with 1 where a file has not exactly one sound label.

    Example: `catalog-imagegen labels show output/amazon/KT-01/*.jpg`
    """
    found = {str(file): labels_of(file) for file in files}
    if json:
        show.as_json({"files": [_as_json(name, *read) for name, read in found.items()]})
    else:
        for name, read in found.items():
            _tell(name, *read)
    is_sound = all(len(read.aigc) == 1 and not problems_of(read.aigc[0].text) for read, _ in found.values())
    raise typer.Exit(EXIT_OK if is_sound else EXIT_ITEMS_FAILED)


def _as_json(name: str, read: Labels, signed: str) -> dict[str, Any]:
    return {
        "file": name,
        "aigc": [
            {
                "place": label.place,
                "text": label.text,
                "fields": fields_of(label.text),
                "problems": problems_of(label.text),
            }
            for label in read.aigc
        ],
        "digital_source_types": list(read.source_types),
        "c2pa": signed,
    }


def _tell(name: str, read: Labels, signed: str) -> None:
    tr = show.words().tr
    show.out.print(Text(name, style="bold"), soft_wrap=True)
    if not read.aigc:
        show.out.print(Text("  " + tr("no AIGC label (GB 45438-2025)"), style="yellow"))
    for label in read.aigc:
        show.out.print(Text.assemble("  AIGC  ", (label.place, "dim")), soft_wrap=True)
        fields = fields_of(label.text)
        for field, value in (fields or {"": label.text}).items():
            show.out.print(Text(f"    {field:<18} {value}"), soft_wrap=True)
        for problem in problems_of(label.text):
            show.out.print(Text(f"    ✗ {problem}", style="yellow"), soft_wrap=True)
    if len(read.aigc) > 1:
        show.out.print(Text("  " + tr("more than one label; exactly one is allowed"), style="red"))
    for source_type in read.source_types:
        show.out.print(Text(f"  IPTC  {source_type.rpartition('/')[2]}  ({source_type})"), soft_wrap=True)
    if signed:
        show.out.print(Text(f"  C2PA  {signed}"), soft_wrap=True)
    if not read.source_types:
        show.out.print(Text("  " + tr("no IPTC digital source type"), style="dim"))
