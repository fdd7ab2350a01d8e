"""The command that shows what the headers of a catalog mean, and writes an import profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap import Way
from catalog_imagegen.bootstrap.mapping import Mapped, map_headers, write_profile
from catalog_imagegen.bootstrap.profile_text import HINTS
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.errors import CatalogError, ConfigError

WRITING = ("--as", "--accept", "--force")


def map_(
    file: options.Catalog,
    name: Annotated[
        str, typer.Option("--as", metavar="PROFILE", help="What the profile is called, else as the file is.")
    ] = "",
    write: Annotated[bool, typer.Option("--write", help="Write it into config/profiles/.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="With --write the first suggestions take effect.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --write a profile of that name is replaced.")
    ] = False,
    header_row: Annotated[
        int | None,
        typer.Option("--header-row", min=1, help="The line of the headers, where it is not found."),
    ] = None,
    table: options.Table = "",
    encoding: options.Encoding = "",
    password: options.Password = "",
    profile: options.Profile = "",
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show which field each header means, and what unknown ones may mean; --write makes it an import profile.

    Nothing is mapped by itself: suggestions are written as comments, for somebody to confirm.

    Example: `catalog-imagegen catalog map supplier-a.xlsx --as 供应商A --write`
    """
    if (accept or force) and not write:
        raise ConfigError(
            "--accept and --force say how a profile is written; add --write, or leave them out",
            zh="--accept 和 --force 用于生成方案；请加上 --write，或去掉它们",
            code="nothing_to_write",
        )
    way = Way(table, password=password, encoding=encoding, header_row=header_row)
    place = options.workspace(workspace)
    try:
        found = map_headers(file, way, place, profile=profile)
    except CatalogError as error:
        if not json:
            raise
        raise show.refusal_json(error) from error
    written = None
    if write:
        written = write_profile(found, name, place, is_accepted=accept, may_replace=force)
    if json:
        show.as_json(_as_json(found, written))
    else:
        _show(found, written)


def _as_json(found: Mapped, written: Path | None) -> Mapping[str, Any]:
    return {
        "profile": found.profile or None,
        "tables": [asdict(table) for table in found.tables],
        "written": str(written) if written else None,
    }


def _show(found: Mapped, written: Path | None) -> None:
    tr = show.words().tr
    if found.profile:
        show.out.print(Text(tr("read by the import profile {name}", name=found.profile)))
    for one in found.tables:
        where = one.name if one.line is None else tr("{name}, line {line}", name=one.name, line=one.line)
        show.out.print(Text(where, style="bold"), Text(f"headers = {one.fingerprint}", style="dim"))
        if one.is_guessed:
            text = tr("no header is known; this line is a guess, --header-row names another")
            show.out.print(Text(text, style="yellow"))
        show.out.print(_headers(one.headers))
        if one.missing:
            text = tr("no column for: {fields}", fields=tr(", ").join(one.missing))
            show.out.print(Text(text, style="yellow"))
    if written:
        show.out.print(Text(tr("written: {file}", file=written)), soft_wrap=True)
    elif any(header.suggestions for one in found.tables for header in one.headers):
        show.out.print(Text(tr("--write puts this into config/profiles/, where you can confirm suggestions")))


def _headers(headers: Sequence[Any]) -> Table:
    tr = show.words().tr
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in (tr("cell"), tr("header"), tr("field"), tr("why")):
        table.add_column(name, overflow="fold")
    for header in headers:
        table.add_row(Text(header.where), Text(header.text), *_meaning(header))
    return table


def _meaning(header: Any) -> tuple[Text, Text]:
    """The field, and how that is known; else the fields it may be."""
    tr, pick = show.words().tr, show.words().pick
    if header.is_ignored:
        return Text("-"), Text(tr("left out by the profile"), style="dim")
    if header.field:
        why = tr("by the profile") if header.is_own else tr("known as {alias}", alias=header.alias)
        return Text(header.field, style="green"), Text(why, style="dim")
    if not header.suggestions:
        return Text(""), Text(tr("not known: kept for templates"), style="dim")
    fields = Text("\n").join(Text(f"{one.field}?", style="yellow") for one in header.suggestions)
    whys = [
        tr(", ").join(
            [
                *(
                    [tr("like {alias} ({percent} %)", alias=one.alias, percent=round(one.alike))]
                    * bool(one.alias)
                ),
                *([pick(*HINTS[one.hint])] if one.hint else []),
            ]
        )
        for one in header.suggestions
    ]
    return fields, Text("\n".join(whys), style="dim")
