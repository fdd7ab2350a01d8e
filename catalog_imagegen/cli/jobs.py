"""The jobs that stand on render servers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap import House, Servers
from catalog_imagegen.cli import options, show
from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, EXIT_OK, ConfigError
from catalog_imagegen.language import mark
from catalog_imagegen.pipeline.jobs import Cancelled, Job, State, cancel, pick, standing

group = typer.Typer(invoke_without_command=True)
ID_SHOWN = 8
"""Of a prompt id; enough to name it."""
STATES: dict[State, str] = {
    "running": mark("running"),
    "waiting": mark("waiting"),
    "ended": mark("done, to be fetched by the next run"),
    "unknown": mark("unknown there; the next run sends it again"),
    "away": mark("the server does not answer"),
}
ENDS: dict[Cancelled, str] = {
    "cancelled": mark("cancelled; the picture stays planned"),
    "ended": mark("done already; the next run fetches it"),
    "away": mark("not cancelled: the server does not answer"),
}


@group.callback()
def jobs(
    context: typer.Context,
    simulate: options.Simulate = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show the jobs that were sent to render servers and not brought home yet.

    Example: `catalog-imagegen jobs`
    """
    if context.invoked_subcommand is not None:
        return
    with options.house(workspace, Servers(simulate=simulate)) as house:
        found = standing(house.services.ledger, house.fleet.at)
    if json:
        show.as_json({"jobs": [_as_json(job) for job in found]})
    elif found:
        _show(found)
    else:
        show.out.print(show.words().tr("No jobs stand on render servers."))


@group.command(name="cancel")
def cancel_jobs(
    ids: Annotated[
        list[str] | None,
        typer.Argument(help="Ids, or how they begin.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All jobs of this workspace.")] = False,
    simulate: options.Simulate = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Take jobs back from render servers. Other people's jobs are not touched, and pictures stay planned.

    Example: `catalog-imagegen jobs cancel 3f2a81c0`
    """
    if bool(ids) == everything:
        raise ConfigError(
            "name jobs by their ids, or all with --all; see: catalog-imagegen jobs",
            zh="请写出任务编号，或用 --all 取消全部；运行 catalog-imagegen jobs 查看",
            code="no_job_named",
        )
    with options.house(workspace, Servers(simulate=simulate)) as house:
        done = _cancel(house, ids or [])
    if json:
        show.as_json({"jobs": [_as_json(job) | {"result": end} for job, end in done]})
    for job, end in () if json else done:
        show.out.print(Text(f"{job.attempt.prompt_id[:ID_SHOWN]}  {show.words().tr(ENDS[end])}"))
    raise typer.Exit(EXIT_ITEMS_FAILED if any(end == "away" for _, end in done) else EXIT_OK)


def _cancel(house: House, ids: Sequence[str]) -> list[tuple[Job, Cancelled]]:
    ledger, at = house.services.ledger, house.fleet.at
    found = standing(ledger, at)
    return cancel(pick(found, ids) if ids else found, ledger, at)


def _show(found: Sequence[Job]) -> None:
    tr = show.words().tr
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in (tr("id"), tr("picture"), tr("server"), tr("sent"), tr("state")):
        table.add_column(name, overflow="fold")
    now = datetime.now(UTC)
    for job in found:
        key = job.attempt.key
        minutes = (now - job.attempt.submitted_at).total_seconds() / 60
        table.add_row(
            job.attempt.prompt_id[:ID_SHOWN],
            Text(f"{key.subject.partition(':')[2]} {key.role}"),
            Text(job.attempt.server),
            tr("{count} min ago", count=f"{minutes:.0f}"),
            Text(tr(STATES[job.state]), style="red" if job.state == "away" else ""),
        )
    show.out.print(table)


def _as_json(job: Job) -> dict[str, Any]:
    attempt = job.attempt
    return {
        "id": attempt.prompt_id,
        "key": str(attempt.key),
        "server": attempt.server,
        "run": attempt.run,
        "submitted_at": attempt.submitted_at.isoformat(),
        "state": job.state,
    }
