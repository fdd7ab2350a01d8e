"""Commands about workflow files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from catalog_imagegen.cli import options, show
from catalog_imagegen.config import load_points
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.language import mark
from catalog_imagegen.stages.workflow import POINTS, parse_workflow

group = typer.Typer(help="Look at ComfyUI workflows.", no_args_is_help=True)
FOUND_BY = {"mapping": mark("mapping"), "title": mark("title"), "tracing": mark("tracing")}


@group.callback()
def workflow() -> None:
    """Look at ComfyUI workflows."""


@group.command()
def check(
    file: Annotated[Path, typer.Argument(help="A workflow in API format.")],
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show which inputs a workflow offers and which it lacks, with the workspace's mapping if it has one.

    Example: `catalog-imagegen workflow check config/workflows/z_image_turbo.json`
    """
    place = options.workspace(workspace)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file}: cannot be read ({error}); name a workflow file in API format",
            zh=f"{file}：无法读取（{error}）；请指定 API 格式的工作流文件",
            code="workflow_unreadable",
        ) from error
    found = parse_workflow(file.stem, text, load_points(place, file.stem))
    if json:
        points = {p: f"{at.node}.{at.input}" for p, at in found.points.items()}
        show.as_json(
            {"workflow": found.name, "points": points, "lacks": [p for p in POINTS if found.lacks(p)]}
        )
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    tr = show.words().tr
    for name in (tr("point"), tr("node"), tr("class"), tr("found by")):
        table.add_column(name)
    for point in POINTS:
        if found.lacks(point):
            lacking = tr("text for it is unused") if point == "negative" else tr("not offered")
            table.add_row(point, "–", "", lacking)
        else:
            at = found.points[point]
            kind = found.graph[at.node]["class_type"]
            table.add_row(point, f"{at.node}.{at.input}", kind, tr(FOUND_BY[at.found_by]))
    show.out.print(table)
