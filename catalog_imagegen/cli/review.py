"""The review commands: approve and reject pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap import Servers
from catalog_imagegen.cli import options, show
from catalog_imagegen.cli.refresh import refresh
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK, ConfigError
from catalog_imagegen.pipeline import review as reviewing
from catalog_imagegen.pipeline.prepare import Services
from catalog_imagegen.pipeline.review import Reviewed, Scope

group = typer.Typer(help="Say which pictures may go out.", no_args_is_help=True)

Skus = Annotated[list[str] | None, typer.Argument(metavar="[SKU]...", help="The SKUs to decide about.")]
Every = Annotated[bool, typer.Option("--all", help="All pictures that wait, of every SKU.")]
Slot = Annotated[
    int | None, typer.Option("--slot", min=1, help="Only the picture at this position of its role.")
]
Category = Annotated[str, typer.Option("--category", help="Only products of this category.")]
RenderName = Annotated[
    str | None,
    typer.Option(
        "--render",
        metavar="DIGEST",
        help="Only the picture you looked at, by the beginning of its digest (in report.html and status SKU).",
    ),
]
Simulate = Annotated[bool, typer.Option("--simulate", help="Review the simulator's placeholders.")]


@group.callback()
def review() -> None:
    """Say which pictures may go out."""


@group.command()
def approve(
    sku: Skus = None,
    every: Every = False,
    role: options.Roles = None,
    slot: Slot = None,
    category: Category = "",
    render: RenderName = None,
    simulate: Simulate = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Approve pictures that wait for review; an approval counts for exactly the picture that was looked at.

    Example: `catalog-imagegen review approve EB-001 --role main`
    """
    scope = _scope(sku, role, slot, category, render, every=every)
    _decide(_Place(workspace, simulate, json), lambda services: reviewing.approve(scope, services))


@group.command()
def reject(
    sku: Skus = None,
    every: Every = False,
    role: options.Roles = None,
    slot: Slot = None,
    category: Category = "",
    render: RenderName = None,
    reason: Annotated[str, typer.Option("--reason", help="What is wrong; kept with the picture.")] = "",
    note: Annotated[str, typer.Option("--note", help="Words for the prompt of the new take.")] = "",
    simulate: Simulate = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Reject pictures; the next run makes a new take of each, a few times at most (retakes in config/app.toml).

    Example: `catalog-imagegen review reject EB-001 --role detail --slot 2 --reason "颜色不对"`
    """
    scope = _scope(sku, role, slot, category, render, every=every)
    _decide(
        _Place(workspace, simulate, json),
        lambda services: reviewing.reject(scope, services, reason=reason, note=note),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to review, and how to answer."""

    folder: Path
    is_simulated: bool
    as_json: bool


def _scope(
    skus: list[str] | None,
    roles: list[str] | None,
    slot: int | None,
    category: str,
    render: str | None,
    *,
    every: bool,
) -> Scope:
    """The pictures that are meant. Raises ConfigError unless somebody said which."""
    if bool(skus) == every:
        raise ConfigError(
            "name the SKUs to review, or say --all (not both)",
            zh="请写出要审核的货号，或使用 --all（二者选一）",
            code="review_scope",
        )
    if render is not None and not re.fullmatch(r"[0-9a-fA-F]{8,64}", render):
        raise ConfigError(
            f"--render {render!r}: give at least 8 characters of the name that status SKU and the report show",
            zh=f"--render {render!r}：请至少写出图片编号的前 8 位（见 status SKU 或报表）",
            code="wrong_render",
        )
    return Scope(tuple(skus or ()), tuple(roles or ()), slot, category, (render or "").lower())


def _decide(place: _Place, decide: Callable[[Services], list[Reviewed]]) -> None:
    with options.house(place.folder, Servers(simulate=place.is_simulated)) as house:
        found = decide(house.services)
        if place.as_json:
            show.as_json({"reviewed": [_as_json(one) for one in found]})
        else:
            _show(found)
        refresh(house, is_small_change=True)
    refused = any(one.outcome == "refused" for one in found)
    raise typer.Exit(EXIT_ITEMS_FAILED if refused else EXIT_OK)


def _show(found: Sequence[Reviewed]) -> None:
    words = show.words()
    if not found:
        show.out.print(words.tr("Everything here is approved already."))
        return
    for outcome, text in (
        ("approved", words.tr("approved")),
        ("rejected", words.tr("rejected; the next run makes a new take")),
        ("used_up", words.tr("rejected; no take is left, so it waits for a person")),
        ("withdrawn", words.tr("taken out of the listings; another picture is under way")),
    ):
        if count := sum(one.outcome == outcome for one in found):
            show.out.print(Text.assemble((f"{count:4} ", "bold"), text))
    refused = [one for one in found if one.outcome == "refused"]
    if refused:
        table = Table(title=words.tr("Not decided"), title_justify="left", title_style="bold")
        for name in (words.tr("SKU"), words.tr("picture"), words.tr("why · what to do")):
            table.add_column(name, overflow="fold")
        for one in refused:
            picture = f"{one.picture.key.role} {one.picture.slot}\n{one.picture.item_text}"
            table.add_row(Text(one.sku), Text(picture), show.said(one.reason_en, one.reason_zh))
        show.out.print(table)


def _as_json(one: Reviewed) -> dict[str, Any]:
    picture = one.picture
    return {
        "sku": one.sku,
        "key": str(picture.key),
        "role": picture.key.role,
        "slot": picture.slot,
        "item": picture.item_text,
        "outcome": one.outcome,
        "reason_en": one.reason_en,
        "reason_zh": one.reason_zh,
    }
