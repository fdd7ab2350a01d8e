"""The platforms command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.cli import options, show
from catalog_imagegen.config import load_settings, load_setup
from catalog_imagegen.config.files import unknown
from catalog_imagegen.domain.imaging import (
    Citation,
    Confidence,
    Figure,
    FigureValue,
    Fit,
    Placement,
    Platform,
)
from catalog_imagegen.language import mark

CONFIDENCES: Mapping[Confidence, tuple[str, str]] = {
    "official": (mark("official"), "green"),
    "secondary": (mark("secondary"), "yellow"),
    "memory": (mark("memory"), "dim"),
}
"""What they are called, and their colours."""
KINDS = {
    "official": mark("official"),
    "official_copy": mark("copy of an official text"),
    "integrator": mark("integrator"),
    "article": mark("article"),
    "code": mark("source code"),
    "memory": mark("memory"),
}
"""Of sources."""
FITS: Mapping[Fit, str] = {
    "cover": mark("cover"),
    "contain": mark("contain"),
    "pad": mark("pad"),
    "width": mark("width"),
}
BACKGROUNDS = {"white": mark("white"), "transparent": mark("transparent"), "blur": mark("blurred")}
ABOUTS = {
    "size": mark("size"),
    "min_size": mark("smallest size"),
    "max_size": mark("largest size"),
    "zoom_min_size": mark("smallest size for zoom"),
    "min_long": mark("longer side at least"),
    "recommended_min_long": mark("longer side, better at least"),
    "max_long": mark("longer side at most"),
    "zoom_min_long": mark("longer side for zoom at least"),
    "width": mark("fixed width"),
    "min_width": mark("width at least"),
    "zoom_min_width": mark("width for zoom at least"),
    "width_range": mark("width from, to"),
    "max_height": mark("height at most"),
    "max_megapixels": mark("megapixels at most"),
    "min_dpi": mark("dpi at least"),
    "max_bytes": mark("file at most"),
    "min_bytes": mark("file at least"),
    "min_jpeg_quality": mark("JPEG quality at least"),
    "ratio": mark("shape"),
    "formats": mark("formats"),
    "count": mark("files from, to"),
    "min_count": mark("files at least"),
    "count_in_all": mark("files in all"),
    "background": mark("background"),
    "fill": mark("product fills"),
    "fill_min": mark("product fills at least"),
    "safe_zone": mark("safe zone"),
    "text_area_max": mark("text covers at most"),
    "shadow": mark("shadow"),
    "border": mark("border"),
    "forbidden": mark("forbidden"),
    "naming": mark("file name"),
    "color": mark("colour space"),
    "text": mark("text in the picture"),
    "display": mark("shown as"),
    "attribute": mark("attribute"),
    "authenticity": mark("authenticity"),
    "ai": mark("AI pictures"),
}
"""What figures are about."""


def platforms(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One platform, place by place.")] = "",
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show the marketplaces: what we make for each, what each asks for, and how sure that is.

    Outside a workspace it shows what is packaged.

    Example: `catalog-imagegen platforms jd`
    """
    shop = options.workspace(workspace)
    known, enabled = load_setup(shop).platforms, load_settings(shop).platforms
    if name and name not in known:
        raise unknown("platform", "平台", "config/platforms.toml", name, known)
    if json and name:
        show.as_json(_platform_json(known[name], is_enabled=name in enabled))
    elif json:
        show.as_json({"platforms": [_summary(p, is_enabled=p.name in enabled) for p in known.values()]})
    elif name:
        _show_one(known[name], is_enabled=name in enabled)
    else:
        _show_all(list(known.values()), enabled)


def _most(platform: Platform) -> int:
    return sum(placement.count for placement in platform.placements)


def _show_all(found: Sequence[Platform], enabled: Sequence[str]) -> None:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    tr = show.words().tr
    for heading in (tr("platform"), ""):
        table.add_column(heading, no_wrap=True)
    for heading in (tr("enabled"), tr("listing per"), tr("placements")):
        table.add_column(heading)
    table.add_column(tr("files at most"), justify="right")
    for platform in found:
        places = tr(", ").join(placement.title or placement.name for placement in platform.placements)
        table.add_row(
            Text(platform.name, style="bold"),
            Text(platform.title),
            Text(tr("yes"), style="green") if platform.name in enabled else "",
            platform.listing_per.upper(),
            Text(places, no_wrap=True, overflow="ellipsis"),  # a line for each platform, however narrow
            str(_most(platform)),
        )
    show.out.print(table)
    show.out.print(tr("More about one of them: catalog-imagegen platforms NAME"))


def _show_one(platform: Platform, *, is_enabled: bool) -> None:
    tr = show.words().tr
    facts = [
        tr("enabled") if is_enabled else tr("not enabled"),
        tr("one listing per {subject}", subject=platform.listing_per.upper()),
    ]
    if platform.checked:
        facts.append(tr("figures of {date}", date=platform.checked))
    show.out.print(
        Text.assemble((f"{platform.name}  {platform.title}", "bold"), "  ", " · ".join(facts)),
        soft_wrap=True,
    )
    for placement in platform.placements:
        show.out.print()
        show.out.print(
            Text.assemble((f"{placement.title or placement.name}  ", "bold cyan"), placement.name),
            soft_wrap=True,
        )
        show.out.print(Text.assemble("  ", tr("we make:"), " ", _made(placement)), soft_wrap=True)
        if placement.figures:
            show.out.print(_figures(placement.figures))
        else:
            nothing = tr("nothing known of the rules of the platform")
            show.out.print(Text.assemble("  ", (nothing, "dim")))
    _show_sources({f.source.id: f.source for p in platform.placements for f in p.figures})


def _show_sources(sources: Mapping[str, Citation]) -> None:
    if not sources:
        return
    tr = show.words().tr
    show.out.print()
    show.out.print(tr("Sources"), style="bold")
    for source in sources.values():
        kind = tr(KINDS[source.kind])
        about = " · ".join(part for part in (source.title, kind, source.age) if part)
        show.out.print(
            Text.assemble((f"  {source.id}  ", "cyan"), about, (f"  {source.url}", "dim")), soft_wrap=True
        )


def _made(placement: Placement) -> str:
    """Our own choice for a placement, in one line."""
    tr = show.words().tr
    least = f"{placement.min_width} × {placement.min_height}"
    parts = (
        f"{placement.width} × {placement.height} {tr(FITS[placement.fit])}",
        tr("at least {size}", size=least) if placement.min_width or placement.min_height else "",
        *_treatment(placement),
        f"{placement.format} {placement.quality}" if placement.format == "JPEG" else placement.format,
        tr("at most {size}", size=_in_bytes(placement.max_bytes)),
        tr("1 file") if placement.count == 1 else tr("{n} files", n=placement.count),
        tr("from {roles}", roles=tr(", ").join(placement.roles)),
        placement.file_name,
    )
    return " · ".join(part for part in parts if part)


def _treatment(placement: Placement) -> Iterator[str]:
    """What is done to the picture itself, where something is."""
    tr = show.words().tr
    if placement.background != "keep":
        background = tr(BACKGROUNDS.get(placement.background, placement.background))
        yield tr("background {colour}", colour=background)
    if placement.shadow == "remove":
        yield tr("no shadow")
    if placement.fill:
        yield tr("product fills {share}", share=f"{placement.fill:.0%}")
    if placement.safe_zone:
        yield tr("{share} free at the edges", share=f"{placement.safe_zone:.0%}")
    if placement.visible_label == "always":
        yield tr("labelled as AI-made")


def _figures(figures: Sequence[Figure]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 2))
    tr = show.words().tr
    for heading in (tr("the platform says"), "", tr("confidence"), tr("source"), tr("remark")):
        table.add_column(heading, overflow="fold")
    for figure in figures:
        confidence, color = CONFIDENCES[figure.confidence]
        table.add_row(
            tr(ABOUTS[figure.about]),
            Text(_value(figure)),
            Text(tr(confidence), style=color),
            Text(figure.source.id, style="cyan"),
            Text(figure.note),
        )
    return table


def _value(figure: Figure) -> str:
    value: FigureValue = figure.value
    if figure.about.endswith("bytes") and isinstance(value, int):
        return _in_bytes(value)
    if isinstance(value, bool):
        return show.words().tr("yes") if value else show.words().tr("no")
    if not isinstance(value, tuple):
        return str(value)
    between = " × " if figure.about.endswith("size") else " – " if len(value) == 2 else ", "  # noqa: PLR2004
    if any(isinstance(part, str) for part in value):
        between = ", "
    return between.join(str(part) for part in value)


def _in_bytes(count: int) -> str:
    return f"{count / 1024 / 1024:.3g} MB" if count >= 1024 * 1024 else f"{count / 1024:.3g} KB"


def _summary(platform: Platform, *, is_enabled: bool) -> Mapping[str, Any]:
    return {
        "name": platform.name,
        "title": platform.title,
        "enabled": is_enabled,
        "listing_per": platform.listing_per,
        "placements": [placement.name for placement in platform.placements],
        "files_at_most": _most(platform),
    }


def _platform_json(platform: Platform, *, is_enabled: bool) -> Mapping[str, Any]:
    checked = platform.checked.isoformat() if platform.checked else None
    placements = [asdict(placement) for placement in platform.placements]
    return {
        **_summary(platform, is_enabled=is_enabled),
        "checked": checked,
        "placements": placements,
    }
