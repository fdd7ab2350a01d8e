"""Commands about workspaces and catalogs: init, catalog check, catalog map."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap import Way, init_workspace, read_source
from catalog_imagegen.bootstrap.screening import with_screening
from catalog_imagegen.cli import options, show
from catalog_imagegen.cli.mapping import map_
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK, CatalogError

group = typer.Typer(help="Look at catalogs.", no_args_is_help=True)
ROWS_SHOWN = 40
"""Rows that a terminal shows; a longer catalog is for --json."""


@group.callback()
def catalog() -> None:
    """Look at catalogs."""


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new workspace.")]) -> None:
    """Make a workspace: config, prompt templates and a sample catalog. Files already there stay.

    Example: `catalog-imagegen init my-shop`
    """
    copied = init_workspace(folder)
    tr = show.words().tr
    count = tr("({count} files)", count=len(copied))
    show.out.print(Text.assemble((tr("Workspace"), "bold"), f" {folder} {count}"), soft_wrap=True)
    for name, what in (
        ("README.md", tr("what is where")),
        ("config/app.toml", tr("platforms, servers, sources")),
        ("config/roles.toml", tr("which pictures are made")),
        ("prompt_templates/", tr("the Chinese prompts")),
        ("sample_catalog/", tr("products to try")),
    ):
        show.out.print(f"  {name:<24} {what}")
    show.out.print(tr("Next:"))
    show.out.print(
        Text(f"  catalog-imagegen run {folder}/sample_catalog/products.xlsx --workspace {folder} --simulate"),
        soft_wrap=True,
    )


@group.command()
def check(
    file: options.Catalog,
    table: options.Table = "",
    encoding: options.Encoding = "",
    password: options.Password = "",
    profile: options.Profile = "",
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show what is read from a catalog: rows and issues by cell. Renders nothing.

    Example: `catalog-imagegen catalog check products.xlsx --json`
    """
    place, way = options.workspace(workspace), Way(table, password=password, encoding=encoding)
    try:
        reading = read_source(file, way, place, profile=profile, keeps_pictures=False)
    except CatalogError as error:
        if not json:
            raise
        raise show.refusal_json(error) from error
    reading = with_screening(reading, place)
    has_errors = any(issue.severity == "error" for issue in reading.issues)
    if json:
        rows = [
            {k: v for k, v in asdict(p).items() if k not in ("cells", "known_digest")}
            for p in reading.products
        ]
        show.as_json(
            {
                "rows": rows,
                "issues": show.issues_json(reading.issues),
                "pictures": [{"where": p.where, "kind": p.kind, "sha1": p.sha1} for p in reading.pictures],
            }
        )
    else:
        _show(reading)
    raise typer.Exit(EXIT_ITEMS_FAILED if has_errors else EXIT_OK)


group.command("map")(map_)


def _show(reading: Reading) -> None:
    """The rows as they are read, and what is wrong with the others."""
    tr = show.words().tr
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in (tr("SKU"), tr("name"), tr("category"), tr("color"), tr("features")):
        table.add_column(name, max_width=36, overflow="ellipsis", no_wrap=True)
    for product in reading.products[:ROWS_SHOWN]:
        features = "、".join(product.features)
        table.add_row(*map(Text, (product.sku, product.name, product.category, product.color, features)))
    show.out.print(table)
    if len(reading.products) > ROWS_SHOWN:
        rest = len(reading.products) - ROWS_SHOWN
        show.out.print(Text(tr("… and {count} more; --json has them all", count=rest), style="dim"))
    show.issues(reading.issues, with_notes=True)
    others = dict.fromkeys(header for product in reading.products for header in product.extra)
    if others:
        text = tr("columns for templates only: {names}", names=tr(", ").join(others))
        show.out.print(Text(text, style="dim"))
    refused = len({i.where for i in reading.issues if i.severity == "error"})
    if refused:
        total = tr("{count} products read, {errors} errors", count=len(reading.products), errors=refused)
    else:
        total = tr("{count} products read", count=len(reading.products))
    show.out.print(total)
