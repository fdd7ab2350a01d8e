"""The status command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap import Servers, open_house
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.job import PictureStatus
from catalog_imagegen.pipeline.status import SkuOverview, overview
from catalog_imagegen.pipeline.sync import recorded_products


def status(
    sku: Annotated[str, typer.Argument(help="One SKU, picture by picture.")] = "",
    simulate: Annotated[bool, typer.Option("--simulate", help="Show the simulator's placeholders.")] = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show how every SKU stands, or one SKU picture by picture.

    Example: `catalog-imagegen status EB-001`
    """
    with open_house(options.workspace(workspace), Servers(simulate=simulate)) as house:
        ledger = house.services.ledger
        products = recorded_products(sku, house.services)
        found = overview(products, ledger.pictures())
        if json:
            show.as_json({"skus": [_as_json(entry) for entry in found]})
        elif sku:
            _show_one(found[0])
        else:
            _show_all(found)
            show.out.print(
                Text.assemble("Look in · 图片位于 ", (str(house.workspace.output), "bold")), soft_wrap=True
            )


def _show_all(found: Sequence[SkuOverview]) -> None:
    if not found:
        show.out.print("No products yet; start with: catalog-imagegen run CATALOG · 还没有商品，请先运行 run")
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("SKU", "name", "status", "pictures", "why"):
        table.add_column(name, no_wrap=name != "why", max_width=24 if name in ("SKU", "name") else None)
    for entry in found:
        counts = Counter(p.state for p in entry.pictures)
        reasons = dict.fromkeys(p.reason_zh for p in entry.pictures if p.reason_zh)
        table.add_row(
            Text(entry.product.sku),
            Text(entry.product.name),
            Text(entry.status, style=show.COLORS[entry.status]),
            Text(", ".join(f"{count} {state}" for state, count in counts.items())),
            Text("\n".join(reasons)),
        )
    show.out.print(table)
    totals = Counter(entry.status for entry in found)
    summary = ", ".join(f"{count} {name}" for name, count in totals.items())
    show.out.print(f"{len(found)} products: {summary}")


def _show_one(entry: SkuOverview) -> None:
    show.out.print(
        Text.assemble(
            (f"{entry.product.sku}  {entry.product.name}  ", "bold"),
            (entry.status, show.COLORS[entry.status]),
        )
    )
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("role", "slot", "item", "state", "take", "seed", "why"):
        table.add_column(name)
    for p in entry.pictures:
        table.add_row(
            p.key.role,
            str(p.slot),
            Text(p.item_text),
            Text(p.state, style=show.COLORS[p.state]),
            Text(f"{p.take.number}" + (f" “{p.take.note}”" if p.take.note else "")),
            "" if p.seed is None else str(p.seed),
            Text(p.reason_zh),
        )
    show.out.print(table)


def _as_json(entry: SkuOverview) -> Mapping[str, Any]:
    return {
        "sku": entry.product.sku,
        "spu": entry.product.spu,
        "name": entry.product.name,
        "status": entry.status,
        "pictures": [_picture_json(p) for p in entry.pictures],
    }


def _picture_json(picture: PictureStatus) -> Mapping[str, Any]:
    render = picture.render
    return {
        "key": str(picture.key),
        "role": picture.key.role,
        "slot": picture.slot,
        "item": picture.item_text,
        "state": picture.state,
        "take": picture.take.number,
        "note": picture.take.note,
        "seed": picture.seed,
        "render": render.digest if render else None,
        "is_current": picture.is_current,
        "placeholder": render.placeholder if render else None,
        "reason_en": picture.reason_en,
        "reason_zh": picture.reason_zh,
    }
