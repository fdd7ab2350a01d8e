"""How results look: tables and progress for people, one JSON object for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from catalog_imagegen.domain.catalog import Issue
from catalog_imagegen.domain.errors import CatalogImagegenError
from catalog_imagegen.pipeline.sync import Problem, Report

PIPED_COLUMNS = 140
"""Width of tables that no terminal limits."""


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=PIPED_COLUMNS)


out = _console(stderr=False)
err = _console(stderr=True)

COLORS = {
    "ready": "green",
    "approved": "green",
    "review": "cyan",
    "draft": "cyan",
    "working": "yellow",
    "planned": "yellow",
    "rendering": "yellow",
    "blocked": "magenta",
    "failed": "red",
    "error": "red",
    "warning": "yellow",
    "note": "dim",
}


def as_json(value: Any) -> None:
    """Print one JSON object on stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def complain(error: CatalogImagegenError) -> None:
    """An error that ends a command: English, then Chinese, on one screen."""
    err.print(Text.assemble(("Error: ", "bold red"), error.message_en), soft_wrap=True)
    if error.message_zh != error.message_en:
        err.print(Text.assemble(("错误：", "bold red"), error.message_zh), soft_wrap=True)


def issues(found: Sequence[Issue], *, with_notes: bool = False) -> None:
    """What is wrong with rows, by cell; notes only where somebody asks for them."""
    shown = [issue for issue in found if with_notes or issue.severity != "note"]
    if not shown:
        return
    table = Table(title="Catalog issues · 表格问题", title_justify="left", title_style="bold", expand=False)
    table.add_column("cell", no_wrap=True)
    table.add_column("")
    table.add_column("what to do · 如何处理", overflow="fold")
    for issue in shown:
        table.add_row(
            Text(issue.where),
            Text(issue.severity, style=COLORS[issue.severity]),
            Text.assemble(issue.message_zh, "\n", (issue.message_en, "dim")),
        )
    out.print(table)


def problems(found: Sequence[Problem]) -> None:
    """Pictures without a result: SKU, reason, remedy."""
    if not found:
        return
    table = Table(title="Pictures to look at · 待处理图片", title_justify="left", title_style="bold")
    for name in ("SKU", "picture", "", "why · what to do"):
        table.add_column(name, overflow="fold")
    for problem in found:
        zh = Text(problem.reason_zh)
        if problem.remedy_zh:
            zh.append(f"\n→ {problem.remedy_zh}")
        en = "\n".join(line for line in (problem.reason_en, problem.remedy_en) if line)
        table.add_row(
            Text(problem.sku),
            Text(f"{problem.role} {problem.slot}\n{problem.item_text}"),
            Text(problem.state, style=COLORS[problem.state]),
            Text.assemble(zh, "\n", (en, "dim")) if en != problem.reason_zh else zh,
        )
    out.print(table)


def report(result: Report, *, output: str, is_simulated: bool) -> None:
    """The end of a run: what went wrong, the figures, and where to look."""
    issues(result.issues)
    problems(result.problems)
    counts = result.pictures
    table = Table(show_header=True, header_style="bold", box=None, padding=(0, 2, 0, 0))
    names = ("products", "pictures", "rendered", "reused", "failed", "blocked", "pending", "files", "seconds")
    values = (
        result.skus,
        counts["planned"],
        counts["rendered"],
        counts["reused"],
        counts["failed"],
        counts["blocked"],
        counts["pending"],
        result.renditions,
        f"{result.seconds:.1f}",
    )
    for name in names:
        table.add_column(name, justify="right")
    alarming = {"failed": "red", "blocked": "magenta", "pending": "yellow"}
    table.add_row(
        *(
            Text(str(value), style=alarming.get(name, "") if value else "dim")
            for name, value in zip(names, values, strict=True)
        )
    )
    out.print(table)
    if is_simulated:
        out.print(
            Text(
                "样张 PREVIEW: placeholders painted by the simulator, not generated pictures.", style="yellow"
            )
        )
    out.print(Text.assemble("Look in · 图片位于 ", (output, "bold")), soft_wrap=True)
    for error in result.unavailable:
        complain(error)


def report_json(result: Report) -> Mapping[str, Any]:
    """A run as the public contract has it."""
    return {
        "run": result.run,
        "skus": result.skus,
        "pictures": dict(result.pictures),
        "renditions": result.renditions,
        "jobs_submitted": result.jobs_submitted,
        "seconds": result.seconds,
        "issues": issues_json(result.issues),
        "problems": [asdict(problem) for problem in result.problems],
    }


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
            self._task = self._bar.add_task("rendering", total=total, what="", rate="")

    def done(self, what: str, *, failed: bool) -> None:
        """One picture is made, or will not be."""
        if self._task is None:
            return
        self._failed += failed
        speed = self._bar.tasks[0].finished_speed or self._bar.tasks[0].speed
        self._bar.update(
            self._task,
            advance=1,
            what=f"{what}" + (f" · {self._failed} failed" if self._failed else ""),
            rate=f"{speed * 60:.0f}/min" if speed else "",
        )
