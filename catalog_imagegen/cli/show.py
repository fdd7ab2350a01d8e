"""How results look: tables and progress for people, one JSON object for programs."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from catalog_imagegen.domain.catalog import Issue
from catalog_imagegen.domain.errors import CatalogImagegenError
from catalog_imagegen.domain.incident import Incident
from catalog_imagegen.domain.job import Step
from catalog_imagegen.language import Code, Language, language, mark
from catalog_imagegen.pipeline.brakes import Forecast, Price
from catalog_imagegen.pipeline.sync import Problem, Report

_language: Language = Language("en")
_is_bilingual = True


def speak(code: Code | None) -> None:
    """Speak this language from now on; None, where nothing says which, is English with errors in both."""
    global _language, _is_bilingual
    _language, _is_bilingual = language(code or "en"), code is None


def words() -> Language:
    """The language of whoever reads this."""
    return _language


def said(en: str, zh: str) -> Text:
    """A message to a merchandiser: in their language, or in both where we do not know it."""
    if _is_bilingual and en and zh and en != zh:
        return Text.assemble(zh, "\n", (en, "dim"))
    return Text(_language.pick(en, zh))


ALIKE_SHOWN = 12
"""Issues of one kind that a terminal shows; in a long catalog one mistake is often made in every row."""
PIPED_COLUMNS = 140
"""Width of tables that no terminal limits."""


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=PIPED_COLUMNS)


out = _console(stderr=False)
err = _console(stderr=True)

COLORS = {
    mark("ready"): "green",
    mark("approved"): "green",
    mark("review"): "cyan",
    mark("draft"): "cyan",
    mark("stale"): "blue",
    mark("working"): "yellow",
    mark("retired"): "dim",
    mark("planned"): "yellow",
    mark("rendering"): "yellow",
    mark("rejected"): "magenta",
    mark("blocked"): "magenta",
    mark("failed"): "red",
    mark("error"): "red",
    mark("warning"): "yellow",
    mark("note"): "dim",
}
"""Of states and severities."""


def as_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def refusal_json(error: CatalogImagegenError) -> typer.Exit:
    """Print why nothing could be read, as one JSON object; returns the end of the command."""
    messages = {"code": error.code, "message_zh": error.message_zh, "message_en": error.message_en}
    as_json({"error": messages})
    return typer.Exit(error.exit_code)


def complain(error: CatalogImagegenError) -> None:
    """An error that ends a command, on one screen."""
    is_english = _is_bilingual or _language.code == "en"
    if is_english or error.message_zh == error.message_en:
        err.print(Text.assemble(("Error: ", "bold red"), error.message_en), soft_wrap=True)
    if (_is_bilingual or not is_english) and error.message_zh != error.message_en:
        err.print(Text.assemble(("错误：", "bold red"), error.message_zh), soft_wrap=True)


def colored(word: str) -> Text:
    """A status or severity in its colour and in the reader's language."""
    return Text(_language.tr(word), style=COLORS[word])


def issues(found: Sequence[Issue], *, with_notes: bool = False) -> None:
    """What is wrong with rows, by cell; notes only where somebody asks for them."""
    shown = [issue for issue in found if with_notes or issue.severity != "note"]
    if not shown:
        return
    tr = _language.tr
    table = Table(title=tr("Catalog issues"), title_justify="left", title_style="bold", expand=False)
    table.add_column(tr("cell"), no_wrap=True)
    table.add_column("")
    table.add_column(tr("what to do"), overflow="fold")
    alike: Counter[str] = Counter()
    for issue in sorted(shown, key=lambda issue: _natural(issue.where)):
        alike[issue.code] += 1
        if alike[issue.code] <= ALIKE_SHOWN:
            table.add_row(
                Text(issue.where), colored(issue.severity), said(issue.message_en, issue.message_zh)
            )
    out.print(table)
    if rest := sum(count - ALIKE_SHOWN for count in alike.values() if count > ALIKE_SHOWN):
        out.print(
            Text(tr("… and {count} more of the same kinds; --json has them all", count=rest), style="dim")
        )


def _natural(where: str) -> list[tuple[int, str]]:
    """Row 8 comes before row 10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", where)]


def problems(found: Sequence[Problem]) -> None:
    """Pictures without a result: SKU, reason, remedy."""
    if not found:
        return
    tr = _language.tr
    table = Table(title=tr("Pictures to look at"), title_justify="left", title_style="bold")
    for name in (tr("SKU"), tr("picture"), "", tr("why · what to do")):
        table.add_column(name, overflow="fold")
    for problem in found:
        why = said(problem.reason_en, problem.reason_zh)
        if problem.remedy_en:
            why = Text.assemble(why, "\n→ ", said(problem.remedy_en, problem.remedy_zh))
        picture = Text(f"{problem.role} {problem.slot}\n{problem.item_text}")
        table.add_row(Text(problem.sku), picture, colored(problem.state), why)
    out.print(table)


def report(result: Report, *, page: str, is_simulated: bool, price: Price) -> None:
    """The end of a run: what went wrong, the figures, and where to look."""
    issues(result.issues)
    problems(result.problems)
    _figures(result)
    if result.success_rate is not None:
        rate = _language.tr("{share} of the pictures tried were made", share=f"{result.success_rate:.0%}")
        mean = _language.tr("{seconds} s a picture", seconds=f"{result.mean_seconds or 0:.1f}")
        out.print(rate if result.mean_seconds is None else f"{rate} · {mean}")
    if price.per_gpu_hour and result.timed_s:
        spent = Forecast("", gpu_seconds=result.timed_s).cost(price)
        minutes = f"{result.timed_s / 60:.1f}"
        out.print(
            _language.tr(
                "{minutes} min of GPU time, {cost}", minutes=minutes, cost=f"{spent:.2f} {price.currency}"
            )
        )
    for en, zh in result.warnings():
        out.print(Text.assemble((_language.tr("warning"), "yellow"), "  ", said(en, zh)), soft_wrap=True)
    if is_simulated:
        placeholders = _language.tr("PREVIEW: placeholders painted by the simulator, not generated pictures.")
        out.print(Text(placeholders, style="yellow"))
    out.print(Text.assemble(_language.tr("Report"), " ", (page, "bold")), soft_wrap=True)
    for told in result.forecasts:
        out.print(Text.assemble(f"{told.source}: ", forecast(told, price)))
    for brake in result.brakes:
        out.print(
            Text.assemble((_language.tr("held back"), "red"), "  ", said(brake.message_en, brake.message_zh)),
            soft_wrap=True,
        )
    for error in result.unavailable:
        complain(error)


def _figures(result: Report) -> None:
    """The row of figures that a run ends with."""
    counts = result.pictures
    table = Table(show_header=True, header_style="bold", box=None, padding=(0, 2, 0, 0))
    figures: Sequence[tuple[str, int | str, str]] = (
        (_language.tr("products"), result.skus, ""),
        (_language.tr("pictures"), counts["planned"], ""),
        (_language.tr("rendered"), counts["rendered"], ""),
        (_language.tr("reused"), counts["reused"], ""),
        (_language.tr("failed"), counts["failed"], "red"),
        (_language.tr("blocked"), counts["blocked"], "magenta"),
        (_language.tr("pending"), counts["pending"], "yellow"),
        (_language.tr("files"), result.renditions, ""),
        *([(_language.tr("unchanged"), result.unchanged, "")] if result.unchanged else []),
        *([(_language.tr("retired"), result.retired, "yellow")] if result.retired else []),
        (_language.tr("seconds"), f"{result.seconds:.1f}", ""),
    )
    for name, _, _ in figures:
        table.add_column(name, justify="right")
    table.add_row(*(Text(f"{value}", style=style if value else "dim") for _, value, style in figures))
    out.print(table)


def report_json(result: Report) -> Mapping[str, Any]:
    """A run as the public contract has it."""
    return {
        "run": result.run,
        "skus": result.skus,
        "pictures": dict(result.pictures),
        "renditions": result.renditions,
        "jobs_submitted": result.jobs_submitted,
        "seconds": result.seconds,
        "success_rate": result.success_rate,
        "mean_seconds": None if result.mean_seconds is None else round(result.mean_seconds, 3),
        "unchanged": result.unchanged,
        "retired": result.retired,
        "forecasts": [forecast_json(told) for told in result.forecasts],
        "brakes": [asdict(brake) for brake in result.brakes],
        "warnings": [{"message_en": en, "message_zh": zh} for en, zh in result.warnings()],
        "issues": issues_json(result.issues),
        "incidents": [
            {
                "server": incident.server,
                "code": incident.code,
                "message_en": incident.message_en,
                "message_zh": incident.message_zh,
            }
            for incident in result.incidents
        ],
        "problems": [asdict(problem) for problem in result.problems],
    }


def forecast_json(told: Forecast) -> Mapping[str, Any]:
    """What a sync expects of a source."""
    return {
        "source": told.source,
        "renders": told.renders,
        "new_renders": told.new_renders,
        "retired": told.retired,
        "minutes": round(told.minutes, 1),
        "gpu_hours": round(told.gpu_seconds / 3600, 2),
    }


def forecast(told: Forecast, price: Price) -> Text:
    """The same in words: how many pictures, how long, how much money."""
    text = _language.tr(
        "{count} pictures to render, about {minutes} min", count=told.renders, minutes=f"{told.minutes:.0f}"
    )
    if price.per_gpu_hour:
        cost = f"{told.cost(price):.2f} {price.currency}"
        text += _language.tr(", about {cost}", cost=cost)
    return Text(text)


def issues_json(found: Iterable[Issue]) -> list[Mapping[str, Any]]:
    """Issues as the public contract has them."""
    return [asdict(issue) for issue in found]


class ProgressBar:
    """A bar on stderr with rate and time left; silent where nothing is to be rendered."""

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet or not err.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[what]}"),
            console=err,
            transient=False,
        )
        self._task: Any = None
        self._failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:  # a bar that never started would still print an empty line
            self._bar.stop()

    def start(self, total: int) -> None:
        """Begin to show progress."""
        if total and not self._is_quiet:
            self._bar.start()
            self._task = self._bar.add_task(_language.tr("rendering"), total=total, what="", rate="")

    def done(self, what: str, *, failed: bool) -> None:
        """One picture is made, or will not be."""
        if self._task is None:
            return
        self._failed += failed
        failures = _language.tr("{count} {name}", count=self._failed, name=_language.tr("failed"))
        speed = self._bar.tasks[0].finished_speed or self._bar.tasks[0].speed
        self._bar.update(
            self._task,
            advance=1,
            what=f"{what} · {failures}" if self._failed else what,
            rate=_language.tr("{count}/min", count=f"{speed * 60:.0f}") if speed else "",
        )

    def step(self, what: str, step: Step) -> None:
        """The sampler of a picture is so far."""
        if self._task is not None:
            self._bar.update(self._task, what=f"{what} {step.value}/{step.maximum}")

    def alert(self, incident: Incident) -> None:
        """Something is wrong with a server; said at once, above the bar."""
        warning = (_language.tr("warning"), "yellow")
        message = said(incident.message_en, incident.message_zh)
        err.print(Text.assemble(warning, "  ", message), soft_wrap=True)
