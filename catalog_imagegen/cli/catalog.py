"""Commands about workspaces and catalogs: init, catalog check."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from catalog_imagegen.bootstrap import init_workspace, read_source
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK, EXIT_USAGE, CatalogError

group = typer.Typer(help="Look at catalogs.", no_args_is_help=True)


@group.callback()
def catalog() -> None:
    """Look at catalogs."""


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new workspace.")]) -> None:
    """Make a workspace: config, prompt templates and a sample catalog. Files already there stay.

    Example: `catalog-imagegen init my-shop`
    """
    copied = init_workspace(folder)
    show.out.print(Text.assemble(("Workspace · 工作区 ", "bold"), str(folder), f" ({len(copied)} files)"))
    show.out.print("  config/app.toml          marketplaces, servers, sources · 平台、服务器、数据源")
    show.out.print("  config/roles.toml        which pictures are made · 生成哪些图片")
    show.out.print("  prompt_templates/        the Chinese prompts · 提示词模板")
    show.out.print("  sample_catalog/          products to try · 示例商品")
    show.out.print("Next · 下一步：")
    show.out.print(
        Text(f"  catalog-imagegen run {folder}/sample_catalog/products.xlsx --workspace {folder} --simulate"),
        soft_wrap=True,
    )


@group.command()
def check(
    file: Annotated[str, typer.Argument(help="A CSV, XLSX or SQLite file, or a database URL (…#table).")],
    table: Annotated[str, typer.Option("--table", help="The table or sheet, if there are several.")] = "",
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show what is read from a catalog: rows and issues by cell. Renders nothing.

    Example: `catalog-imagegen catalog check products.xlsx --json`
    """
    try:
        reading = read_source(file, options.workspace(workspace), table=table)
    except CatalogError as error:
        if not json:
            raise
        messages = {"code": error.code, "message_zh": error.message_zh, "message_en": error.message_en}
        show.as_json({"error": messages})
        raise typer.Exit(EXIT_USAGE) from error
    has_errors = any(issue.severity == "error" for issue in reading.issues)
    if json:
        rows = [{k: v for k, v in asdict(p).items() if k != "cells"} for p in reading.products]
        show.as_json(
            {
                "rows": rows,
                "issues": show.issues_json(reading.issues),
                "pictures": [asdict(picture) for picture in reading.pictures],
            }
        )
    else:
        show.issues(reading.issues, with_notes=True)
        refused = len({i.where for i in reading.issues if i.severity == "error"})
        show.out.print(
            f"{len(reading.products)} products read · 读取商品, {refused} cells with errors · 错误"
        )
    raise typer.Exit(EXIT_ITEMS_FAILED if has_errors else EXIT_OK)
