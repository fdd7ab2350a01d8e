"""Commands about workflow files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap.doctor.equipment import Survey, survey
from catalog_imagegen.cli import options, show
from catalog_imagegen.cli.convert import convert
from catalog_imagegen.config import load_points
from catalog_imagegen.config.settings import sound_settings
from catalog_imagegen.config.setup import read_workflow
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK, EXIT_TRY_LATER
from catalog_imagegen.language import mark
from catalog_imagegen.stages.workflow import POINTS, Point, Workflow, gates, model_files, remarks

group = typer.Typer(help="Look at ComfyUI workflows.", no_args_is_help=True)
FOUND_BY = {"mapping": mark("mapping"), "title": mark("title"), "tracing": mark("tracing")}
NOT_OFFERED = mark("not offered")
LACKING = {
    "negative": mark("text for it is unused"),
    "reference": mark("takes no photo of the product"),
}
"""What it means that a point is not there; without others, a role cannot set them."""
SELDOM = ("reference2", "reference3")
"""Points that nobody misses."""


@group.callback()
def workflow() -> None:
    """Look at ComfyUI workflows."""


@group.command()
def check(
    file: Annotated[
        Path, typer.Argument(help="A workflow in API format or as ComfyUI's Save button writes it.")
    ],
    server: Annotated[
        list[str] | None,
        typer.Option(
            "--server", metavar="URL", help="Ask this ComfyUI server what it lacks; may be repeated."
        ),
    ] = None,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show which inputs a workflow offers and which it lacks, what it needs, and what a server lacks to run it.

    Goes by the workspace's mapping of points if it has one. Ends with 1 if a server lacks something.

    Example: `catalog-imagegen workflow check config/workflows/z_image_turbo.json`
    """
    place = options.workspace(workspace)
    options.check_urls("--server", server or ())
    found = read_workflow(file, load_points(place, file.stem))
    surveys = survey(found, server or (), sound_settings(place))
    if json:
        show.as_json(_as_json(found, surveys))
    else:
        show.out.print(_points(found))
        _show_remarks(found)
        for one in surveys:
            _show_server(one)
    raise typer.Exit(_exit_code(surveys))


group.command()(convert)


def _exit_code(surveys: Iterable[Survey]) -> int:
    if any(one.lacks for one in surveys):
        return EXIT_ITEMS_FAILED
    return EXIT_TRY_LATER if any(one.trouble for one in surveys) else EXIT_OK


def _as_json(found: Workflow, surveys: Sequence[Survey]) -> dict[str, Any]:
    return {
        "workflow": found.name,
        "points": {point: f"{at.node}.{at.input}" for point, at in found.points.items()},
        "found_by": {point: at.found_by for point, at in found.points.items()},
        "enlarges": float(found.enlarges),
        "lacks": [point for point in POINTS if found.lacks(point)],
        "remarks": [asdict(remark) for remark in remarks(found)],
        "models": list(model_files(found)),
        "needs": [{"feature": gate.feature, "comfyui": gate.version} for gate in gates(found)],
        "servers": [
            {
                "server": one.url,
                "version": one.condition.version if one.condition else None,
                "lacks": [asdict(missing) for missing in one.lacks],
                "error": one.trouble
                and {
                    "code": one.trouble.code,
                    "message_en": one.trouble.message_en,
                    "message_zh": one.trouble.message_zh,
                },
            }
            for one in surveys
        ],
    }


def _points(found: Workflow) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    tr = show.words().tr
    for name in (tr("point"), tr("node"), tr("class"), tr("found by")):
        table.add_column(name)
    for point in POINTS:
        if not found.lacks(point):
            at = found.points[point]
            kind = found.graph[at.node]["class_type"]
            table.add_row(point, Text(f"{at.node}.{at.input}"), Text(kind), Text(_how(found, at)))
        elif point not in SELDOM:
            table.add_row(point, "–", "", tr(LACKING.get(point, NOT_OFFERED)))
    return table


def _how(found: Workflow, at: Point) -> str:
    """How a point was found, and what else its value does."""
    tr = show.words().tr
    said = [tr(FOUND_BY[at.found_by])]
    if isinstance(found.graph[at.node]["inputs"].get(at.input), list):
        said.append(tr("replaces the link that is there"))
    if at.share != 1:
        said.append(tr("{share:g} of the size that the role says", share=at.share))
    if at.echoes:
        said.append(tr("also sets {inputs}", inputs=", ".join(f"{e.node}.{e.input}" for e in at.echoes)))
    return "; ".join(said)


def _show_remarks(found: Workflow) -> None:
    tr = show.words().tr
    for remark in remarks(found):
        _line("!", "yellow", show.said(remark.message_en, remark.message_zh))
    _line(" ", "", Text(tr("models: {names}", names=", ".join(model_files(found)) or "–")))
    for gate in gates(found):
        said = tr("{feature} needs ComfyUI {version} or newer", feature=gate.feature, version=gate.version)
        _line(" ", "", Text(said))


def _show_server(one: Survey) -> None:
    if one.trouble is not None:
        _line("✗", "bold red", Text(one.url))
        _line("   ", "", show.said(one.trouble.message_en, one.trouble.message_zh))
        return
    version = one.condition.version if one.condition else "?"
    if not one.lacks:
        said = show.words().tr("has everything")
        _line("✓", "green", Text(f"{one.url}  ComfyUI {version}  {said}"))
        return
    _line("✗", "bold red", Text(f"{one.url}  ComfyUI {version}"))
    for missing in one.lacks:
        _line("   ", "", show.said(missing.message_en, missing.message_zh))
        _line("   →", "", show.said(missing.remedy_en, missing.remedy_zh))


def _line(sign: str, style: str, text: Text) -> None:
    """Print a message behind a sign; of two languages each on a line of its own."""
    for i, part in enumerate(text.split("\n")):
        mark_of_line = (sign, style) if i == 0 else " " * len(sign)
        show.out.print(Text.assemble(mark_of_line, " ", part), soft_wrap=True)
