"""Brings the reports up to date after a command has shown its result, which they cannot spoil any more."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.text import Text

from catalog_imagegen.bootstrap import House
from catalog_imagegen.bootstrap.reports import refresh_reports
from catalog_imagegen.cli import show
from catalog_imagegen.domain.errors import CatalogImagegenError, StorageFull


def refresh(house: House, *, is_small_change: bool = False) -> None:
    """Bring report.html and report.xlsx up to date; trouble is a warning. Raises StorageFull."""
    words = show.words()
    try:
        is_fresh = refresh_reports(house, language=words, is_small_change=is_small_change)
    except StorageFull:
        raise
    except (CatalogImagegenError, OSError) as trouble:
        en, zh = (
            (trouble.message_en, trouble.message_zh)
            if isinstance(trouble, CatalogImagegenError)
            else _plain(trouble)
        )
        told = Text.assemble(
            (words.tr("warning"), "yellow"),
            "  ",
            words.tr("The report is not written:"),
            " ",
            show.said(en, zh),
        )
        show.err.print(told, soft_wrap=True)
        return
    if not is_fresh:
        command = shlex.join(_report_now(house))
        text = words.tr(
            "With so many products the report waits for the next run; now: {command}", command=command
        )
        show.err.print(Text(text, style="dim"), soft_wrap=True)


def _report_now(house: House) -> list[str]:
    """The command that writes the page, as typed here."""
    place = house.workspace
    words = ["catalog-imagegen", "report", str(place.output / "report.html")]
    words += ["--simulate"] if place.is_simulated else []
    return words if place.root.resolve() == Path.cwd() else [*words, "--workspace", str(place.root)]


def _plain(trouble: OSError) -> tuple[str, str]:
    return (f"{trouble}; mend this and run again", f"{trouble}；请处理后重新运行")
