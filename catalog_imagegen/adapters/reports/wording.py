"""What states, roles and failures are called where a merchandiser reads them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.failure import MEANINGS, FailureCode
from catalog_imagegen.domain.job import PictureState, SkuStatus
from catalog_imagegen.language import Language
from catalog_imagegen.pipeline.views import Concern, Kind, Standing


@dataclass(frozen=True, slots=True)
class Wording:
    """The names of things in one language."""

    statuses: Mapping[SkuStatus, str]
    states: Mapping[PictureState, str]
    standings: Mapping[Standing, str]
    kinds: Mapping[Kind, str]
    roles: Mapping[str, str]
    placeholder: str
    """How one that looks for pictures is warned of placeholders."""
    comma: str
    """Between the parts of an enumeration."""
    semicolon: str

    def role(self, name: str) -> str:
        """A role's name; a shop's own roles are called what the shop calls them."""
        return self.roles.get(name, name)


def wording(words: Language) -> Wording:
    """The names of things in this language."""
    return Wording(
        statuses={
            "ready": words.tr("Ready"),
            "review": words.tr("To review"),
            "working": words.tr("Working"),
            "blocked": words.tr("Blocked"),
            "failed": words.tr("Failed"),
        },
        states={
            "approved": words.tr("approved"),
            "draft": words.tr("draft"),
            "stale": words.tr("stale"),
            "planned": words.tr("planned"),
            "rendering": words.tr("rendering"),
            "rejected": words.tr("rejected"),
            "failed": words.tr("failed"),
            "blocked": words.tr("blocked"),
        },
        standings={
            "approved": words.tr("approved"),
            "stale": words.tr("stale"),
            "draft": words.tr("draft"),
            "outdated": words.tr("old draft"),
        },
        kinds={
            "failed": words.tr("Failed"),
            "blocked": words.tr("Blocked"),
            "refused": words.tr("Breaks a rule"),
            "unwritten": words.tr("Not written"),
            "review": words.tr("To review"),
            "doubtful": words.tr("Please check"),
        },
        roles={
            "main": words.tr("Main picture"),
            "main_portrait": words.tr("Main, upright"),
            "lifestyle": words.tr("In use"),
            "detail": words.tr("Detail"),
            "comparison": words.tr("Comparison"),
            "poster": words.tr("Poster"),
        },
        placeholder=words.tr("PREVIEW"),
        comma=words.tr(", "),
        semicolon=words.tr("; "),
    )


def reason(concern: Concern, words: Language) -> str:
    """What is the matter, in one sentence."""
    if concern.kind == "failed":
        return _capital(words.pick(*MEANINGS[cast("FailureCode", concern.code)]))
    if concern.kind == "review":
        return words.tr("New pictures wait for somebody to look at them")
    if concern.kind == "unwritten":
        return words.tr("Files of listings are missing")
    return words.pick(concern.reason_en, concern.reason_zh) or concern.code


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def remedy(concern: Concern, words: Language) -> str:
    """What to do; empty where the reason says it already."""
    if concern.kind == "review":
        return words.tr("Look at them below, then approve what is good:")
    if concern.kind == "unwritten":
        return words.tr("Run the catalog again; it writes only what is missing:")
    return words.pick(concern.remedy_en, concern.remedy_zh)


def command(concern: Concern, *, simulate: bool) -> str:
    """What to type, if there is one thing to type."""
    sku = concern.places[0].sku if len(concern.skus) == 1 else "SKU"
    typed = {"review": f"review approve {shlex.quote(sku)}", "unwritten": "run CATALOG"}.get(concern.kind, "")
    return f"catalog-imagegen {typed}{' --simulate' if simulate else ''}" if typed else ""


def where(concern: Concern, names: Wording) -> str:
    """Which pictures of one SKU a concern is about, and in which listings if it is about files."""
    listings: dict[tuple[str, int], dict[str, None]] = {}
    for place in concern.places:
        listings.setdefault((place.role, place.slot), {})[place.listing] = None
    together: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for picture, titles in listings.items():
        together.setdefault(tuple(titles), []).append(picture)
    return names.semicolon.join(
        _pictures(pictures, names) + ("" if "" in titles else f" ({names.comma.join(titles)})")
        for titles, pictures in together.items()
    )


def _pictures(pictures: Iterable[tuple[str, int]], names: Wording) -> str:
    slots: dict[str, list[str]] = {}
    for role, slot in pictures:
        slots.setdefault(role, []).append(str(slot))
    return names.comma.join(f"{names.role(role)} {names.comma.join(s)}" for role, s in slots.items())


def about(product: Product) -> str:
    """Category, colour and the like in one line."""
    parts = (product.brand, product.category, product.color, product.material, product.size or product.spec)
    return " · ".join(part for part in parts if part)


def local(time: datetime | None) -> str:
    """A time as the clock on the wall shows it."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M") if time else ""
