"""What the sheets of a workbook hold, cell by cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from catalog_imagegen.adapters.reports.wording import Wording, command, reason, remedy, where
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import ImageKey
from catalog_imagegen.domain.job import PictureState, SkuStatus
from catalog_imagegen.language import Language
from catalog_imagegen.pipeline.concerns import concerns
from catalog_imagegen.pipeline.views import Concern, FileView, ListingView, PictureView, ReportView, SkuView

Tone = Literal["", "good", "look", "busy", "stop", "bad", "none"]
TONES: Mapping[SkuStatus | PictureState, Tone] = {
    "ready": "good",
    "approved": "good",
    "review": "look",
    "draft": "look",
    "stale": "busy",
    "working": "busy",
    "planned": "none",
    "rendering": "busy",
    "rejected": "busy",
    "blocked": "stop",
    "failed": "bad",
}
MAX_OWNERS = 20
"""SKUs named beside a picture that they share."""


@dataclass(frozen=True, slots=True)
class Toned:
    """A text on a coloured ground."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to a file or folder, given relative to where the listings lie."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture in a cell, and the file it leads to, if any."""

    render: Digest
    description: str
    path: str = ""


Cell = str | int | float | datetime | Toned | Link | Preview | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its header and its width in pixels."""

    title: str
    width: int
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: as many cells in each row as there are columns."""

    name: str
    columns: tuple[Column, ...]
    rows: Iterable[tuple[Cell, ...]]
    frozen: int
    """Columns that stay when one scrolls."""


def products_sheet(report: ReportView, words: Language, names: Wording, previews: int) -> Sheet:
    """A row per SKU, with its first picture of as many roles as *previews*."""
    roles = list(dict.fromkeys(p.status.key.role for sku in report.skus for p in sku.pictures))[:previews]
    states = [s for s in names.states if report.totals.pictures.get(s) or s in ("approved", "draft")]
    platforms = {listing.platform: listing.title for sku in report.skus for listing in sku.listings}
    columns = (
        Column(words.tr("SKU"), 120),
        Column(words.tr("Name"), 170, wraps=True),
        Column(words.tr("Status"), 86),
        *(Column(names.role(role), 112) for role in roles),
        Column(words.tr("What to do"), 400, wraps=True),
        *(Column(names.states[state].capitalize(), 74) for state in states),
        *(Column(title, 100) for title in platforms.values()),
        Column(words.tr("Category"), 100, wraps=True),
        Column(words.tr("Color"), 80, wraps=True),
        Column(words.tr("Hints of marketplaces"), 300, wraps=True),
    )
    rows = (
        _product(
            sku,
            words,
            names,
            roles=roles,
            states=states,
            platforms=platforms,
            simulate=report.has_placeholders,
        )
        for sku in report.skus
    )
    return Sheet(words.tr("Products"), columns, rows, frozen=2)


def _product(
    sku: SkuView,
    words: Language,
    names: Wording,
    *,
    roles: Sequence[str],
    states: Sequence[PictureState],
    platforms: Iterable[str],
    simulate: bool,
) -> tuple[Cell, ...]:
    counts = Counter(picture.status.state for picture in sku.pictures)
    listings = {listing.platform: listing for listing in sku.listings}
    found = concerns([sku])
    todo = (_line(c, words, names, simulate=simulate) for c in found if c.kind != "doubtful")
    hints = (_line(c, words, names, simulate=simulate) for c in found if c.kind == "doubtful")
    return (
        sku.product.sku,
        sku.product.name,
        Toned(names.statuses[sku.status], TONES[sku.status]),
        *(_preview(sku, role, names) for role in roles),
        "\n".join(todo),
        *(counts[state] or None for state in states),
        *(_folder(listings.get(platform), words) for platform in platforms),
        sku.product.category,
        sku.product.color,
        "\n".join(hints),
    )


def _preview(sku: SkuView, role: str, names: Wording) -> Cell:
    """The first picture of a role as a listing shows it, else the newest there is."""
    files: dict[str, FileView] = {}
    for listing in sku.listings:
        for file in listing.files:
            files.setdefault(file.key, file)
    for picture in sku.pictures:
        status, listed = picture.status, files.get(str(picture.status.key))
        if status.key.role != role or status.render is None:
            continue
        parts = [status.item_text, names.states[status.state]]
        if status.render.placeholder:
            parts.append(names.placeholder)
        text = f"{sku.product.sku} {names.role(role)}: {names.comma.join(parts)}"
        if listed is not None:
            return Preview(listed.render, text, listed.path if listed.is_there else "")
        return Preview(status.render.digest, text)
    return None


def _folder(listing: ListingView | None, words: Language) -> Cell:
    if listing is None:
        return None
    count = len(listing.files)
    return Link(listing.folder, words.tr("1 file") if count == 1 else words.tr("{n} files", n=count))


def _line(concern: Concern, words: Language, names: Wording, *, simulate: bool) -> str:
    """What is the matter and what to do, in one line."""
    if concern.kind == "review":
        count = words.tr("To review: {n}", n=len(concern.places))
        return f"{count} → {command(concern, simulate=simulate)}"
    todo = f"{remedy(concern, words)} {command(concern, simulate=simulate)}".strip()
    return f"{where(concern, names)}: {reason(concern, words)}" + (f" → {todo}" if todo else "")


def pictures_sheet(report: ReportView, words: Language, names: Wording) -> Sheet:
    """A row per picture, shared ones once."""
    columns = (
        Column(words.tr("SKU"), 120),
        Column(words.tr("Picture"), 100),
        Column(words.tr("No."), 44),
        Column(words.tr("Shows"), 160),
        Column(words.tr("State"), 110),
        Column(words.tr("Take"), 44),
        Column(words.tr("Note"), 140, wraps=True),
        Column(words.tr("Seed"), 135),
        Column(words.tr("Why"), 220, wraps=True),
        Column(words.tr("Server"), 150),
        Column(words.tr("Submitted"), 125),
        Column(words.tr("Started"), 125),
        Column(words.tr("Finished"), 125),
        Column(words.tr("Seconds"), 64),
        Column(words.tr("Attempts"), 64),
        Column(words.tr("Prompt"), 360, wraps=True),
        Column(words.tr("Negative prompt"), 160, wraps=True),
        Column(words.tr("Error"), 220, wraps=True),
        Column(words.tr("Files"), 260, wraps=True),
        Column(words.tr("Render"), 130),
        Column(words.tr("Placeholder"), 84),
    )
    owners: dict[ImageKey, list[str]] = {}
    pictures: dict[ImageKey, PictureView] = {}
    for sku in report.skus:
        for picture in sku.pictures:
            owners.setdefault(picture.status.key, []).append(sku.product.sku)
            pictures.setdefault(picture.status.key, picture)
    rows = (_picture(p, owners[key], words, names) for key, p in pictures.items())
    return Sheet(words.tr("Pictures"), columns, rows, frozen=4)


def _picture(
    picture: PictureView, owners: Sequence[str], words: Language, names: Wording
) -> tuple[Cell, ...]:
    status, attempt = picture.status, picture.latest
    errors = dict.fromkeys(a.error for a in picture.attempts if a.error)
    is_placeholder = status.render is not None and status.render.placeholder
    return (
        ", ".join(owners[:MAX_OWNERS]),
        names.role(status.key.role),
        status.slot,
        status.item_text,
        Toned(names.states[status.state], TONES[status.state]),
        status.take.number,
        status.take.note,
        "" if status.seed is None else str(status.seed),
        words.pick(status.reason_en, status.reason_zh),
        attempt.server if attempt else "",
        attempt.submitted_at if attempt else None,
        attempt.started_at if attempt else None,
        attempt.finished_at if attempt else None,
        attempt.seconds if attempt else None,
        len(picture.attempts) or None,
        status.prompt.positive,
        status.prompt.negative,
        "\n".join(errors),
        "\n".join(picture.files),
        status.render.digest[:12] if status.render else "",
        words.tr("yes") if is_placeholder else "",
    )
