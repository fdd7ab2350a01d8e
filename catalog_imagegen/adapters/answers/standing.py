"""PURE: what is said of each row of a catalog, from its reading and from how its SKUs stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from catalog_imagegen.adapters.answers.content import CellAnswer, Link, RowAnswer, Tone
from catalog_imagegen.adapters.catalogs.layout import place_of
from catalog_imagegen.adapters.reports import rows as report
from catalog_imagegen.adapters.reports.wording import Wording, reason, remedy, where, wording
from catalog_imagegen.domain.catalog import Issue, Product, Reading
from catalog_imagegen.language import Language
from catalog_imagegen.pipeline.concerns import concerns
from catalog_imagegen.pipeline.views import SkuView

_TONES: Mapping[report.Tone, Tone] = {
    "": "none",
    "none": "none",
    "good": "good",
    "look": "waiting",
    "busy": "waiting",
    "stop": "bad",
    "bad": "bad",
}
_LEFT_OUT = "duplicate_identical"
"""Of what is only noted, this alone tells why a row is no product."""


def answers_of(
    reading: Reading,
    skus: Iterable[SkuView],
    words: Language,
    *,
    base: str = "",
    thumbnails: Mapping[str, bytes] | None = None,
) -> tuple[list[RowAnswer], list[CellAnswer]]:
    """The answers about rows and cells.

    Each product has its SKU's status, in the words of the report, and links to its listings, whose folders lie under *base*; a
    row that was refused says so and why. Rows that are neither, such as titles and totals, are not spoken of. *thumbnails* has
    a small picture by SKU.
    """
    names, views = wording(words), {view.product.sku: view for view in skus}
    by_row: dict[str, list[Issue]] = {}
    for issue in reading.issues:
        by_row.setdefault(_row_of(issue.where), []).append(issue)
    by_row.pop("", None)
    small = thumbnails or {}
    rows = [
        replace(
            _of_product(
                each, views.get(each.sku), by_row.get(each.where, ()), words=words, names=names, base=base
            ),
            thumbnail=small.get(each.sku, b""),
        )
        for each in reading.products
    ]
    products = {row.where for row in rows}
    refused = (_of_refused(place, issues, words) for place, issues in by_row.items() if place not in products)
    rows += [row for row in refused if row is not None]
    issues = [issue for row in rows for issue in by_row.get(row.where, ()) if issue.where != row.where]
    return rows, [
        CellAnswer(each.where, words.pick(each.message_en, each.message_zh), each.severity) for each in issues
    ]


def _of_refused(place: str, issues: Sequence[Issue], words: Language) -> RowAnswer | None:
    """Why a row is no product; None where it never was to be one."""
    is_wrong = any(each.severity == "error" for each in issues)
    if not is_wrong and all(each.code != _LEFT_OUT for each in issues):
        return None
    told = tuple(_told(issues, words, also_notes=not is_wrong))
    return RowAnswer(place, words.pick("Not taken", "未采用"), "bad" if is_wrong else "none", told)


def _of_product(
    product: Product,
    view: SkuView | None,
    issues: Iterable[Issue],
    *,
    words: Language,
    names: Wording,
    base: str,
) -> RowAnswer:
    told = tuple(_told(issues, words))
    if view is None:
        return RowAnswer(product.where, words.pick("Not made yet", "尚未出图"), "none", told)
    found = (each for each in concerns([view]) if each.kind != "doubtful")
    lines = (
        f"{where(each, names)}{words.pick(': ', '：')}{reason(each, words)}"
        + (f" → {todo}" if (todo := remedy(each, words)) else "")
        for each in found
    )
    return RowAnswer(
        product.where,
        names.statuses[view.status],
        _TONES[report.TONES[view.status]],
        (*told, *lines),
        tuple(Link(each.title, base + each.folder) for each in view.listings if each.files),
    )


def _told(issues: Iterable[Issue], words: Language, *, also_notes: bool = False) -> Iterator[str]:
    """What is wrong with a row, with the cell where it is one."""
    for issue in issues:
        if issue.severity != "note" or also_notes:
            label = issue.where.rpartition("!")[2]
            cell = "" if label.isdigit() else label + words.pick(": ", "：")
            yield cell + words.pick(issue.message_en, issue.message_zh)


def _row_of(place: str) -> str:
    """The row of ``商品!C17`` or ``商品!17``; empty for what is larger."""
    title, mark, label = place.rpartition("!")
    if not mark:
        return ""
    if label.isdigit():
        return place
    cell = place_of(label)
    return f"{title}!{cell[0]}" if cell is not None else ""
