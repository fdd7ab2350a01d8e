"""The status command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap import Servers
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.imaging import ImageKey
from catalog_imagegen.domain.job import PictureStatus, Review
from catalog_imagegen.pipeline.prepare import recorded_products
from catalog_imagegen.pipeline.status import SkuOverview, overview

DIGEST_SHOWN = 10
"""Of a render's digest; enough for ``review --render``."""


def status(
    sku: Annotated[str, typer.Argument(help="One SKU, picture by picture.")] = "",
    simulate: Annotated[bool, typer.Option("--simulate", help="Show the simulator's placeholders.")] = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show how every SKU stands, or one SKU picture by picture.

    Example: `catalog-imagegen status EB-001`
    """
    with options.house(workspace, Servers(simulate=simulate)) as house:
        ledger = house.services.ledger
        retired = [SkuOverview(p, "retired", ()) for p in ledger.retired() if sku in ("", p.sku)]
        products = [] if sku and retired else recorded_products(sku, house.services)
        found = [*overview(products, ledger.pictures()), *retired]
        if json:
            said = ledger.reviews({p.key for entry in found for p in entry.pictures})
            show.as_json({"skus": [_as_json(entry, said) for entry in found]})
        elif sku:
            _show_one(found[0])
        else:
            _show_all(found)
            _hint(found, is_simulated=simulate)
            look = show.words().tr("Look in")
            show.out.print(Text.assemble(look, " ", (str(house.workspace.output), "bold")), soft_wrap=True)


def _show_all(found: Sequence[SkuOverview]) -> None:
    if not found:
        show.out.print(show.words().tr("No products yet; start with: catalog-imagegen run CATALOG"))
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    tr = show.words().tr
    for name in (tr("SKU"), tr("name")):
        table.add_column(name, no_wrap=True, max_width=24)
    table.add_column(tr("status"), no_wrap=True)
    table.add_column(tr("pictures"), no_wrap=True)
    table.add_column(tr("why"))
    for entry in found:
        counts = Counter(p.state for p in entry.pictures)
        pick = show.words().pick
        reasons = dict.fromkeys(pick(p.reason_en, p.reason_zh) for p in entry.pictures if p.reason_zh)
        table.add_row(
            Text(entry.product.sku),
            Text(entry.product.name),
            show.colored(entry.status),
            Text(_counted(counts)),
            Text("\n".join(reasons)),
        )
    show.out.print(table)
    totals = Counter(entry.status for entry in found)
    show.out.print(tr("{count} products: {summary}", count=len(found), summary=_counted(totals)))


def _counted(counts: Mapping[Any, int]) -> str:
    """So many of each state, in words."""
    tr = show.words().tr
    return tr(", ").join(tr("{count} {name}", count=n, name=tr(name)) for name, n in counts.items())


def _hint(found: Sequence[SkuOverview], *, is_simulated: bool) -> None:
    """What to do next, if there is something."""
    waiting = {p.key for entry in found for p in entry.pictures if p.is_waiting}
    flag = " --simulate" if is_simulated else ""
    if waiting:
        text = show.words().tr("{count} pictures wait for review:", count=len(waiting))
        show.out.print(f"{text} catalog-imagegen review approve --all{flag}")


def _show_one(entry: SkuOverview) -> None:
    show.out.print(
        Text.assemble(
            (f"{entry.product.sku}  {entry.product.name}  ", "bold"),
            show.colored(entry.status),
        )
    )
    tr = show.words().tr
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in (
        tr("role"),
        tr("slot"),
        tr("item"),
        tr("state"),
        tr("take"),
        tr("seed"),
        tr("render"),
        tr("why"),
    ):
        table.add_column(name)
    for p in entry.pictures:
        table.add_row(
            p.key.role,
            str(p.slot),
            Text(p.item_text),
            show.colored(p.state),
            Text(f"{p.take.number}" + (f" “{p.take.note}”" if p.take.note else "")),
            "" if p.seed is None else str(p.seed),
            p.render.digest[:DIGEST_SHOWN] if p.render else "",
            show.said(p.reason_en, p.reason_zh),
        )
    show.out.print(table)


def _as_json(entry: SkuOverview, said: Mapping[ImageKey, Sequence[Review]]) -> Mapping[str, Any]:
    return {
        "sku": entry.product.sku,
        "spu": entry.product.spu,
        "name": entry.product.name,
        "status": entry.status,
        "pictures": [_picture_json(p, said.get(p.key, ())) for p in entry.pictures],
    }


def _picture_json(picture: PictureStatus, said: Sequence[Review]) -> Mapping[str, Any]:
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
        "approved": picture.approved.digest if picture.approved else None,
        "is_current": picture.is_current,
        "placeholder": render.placeholder if render else None,
        "reason_en": picture.reason_en,
        "reason_zh": picture.reason_zh,
        "reviews": [
            {
                "decision": review.decision,
                "gate": review.gate,
                "reason": review.reason,
                "render": review.digest,
                "made_at": review.made_at.isoformat(),
            }
            for review in said
        ],
    }
