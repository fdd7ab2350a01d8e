"""Commands that make pictures: run, plan, regenerate, retry, sync."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from catalog_imagegen.bootstrap import House, Way, read_source
from catalog_imagegen.cli import options, show
from catalog_imagegen.cli.refresh import refresh
from catalog_imagegen.domain.catalog import Issue
from catalog_imagegen.domain.errors import (
    EXIT_ITEMS_FAILED,
    EXIT_OK,
    EXIT_TRY_LATER,
    CatalogError,
    ConfigError,
)
from catalog_imagegen.domain.job import Action
from catalog_imagegen.language import mark
from catalog_imagegen.pipeline.brakes import brakes
from catalog_imagegen.pipeline.nightly import (
    Night,
    batches,
    expected,
    forecast,
    held_back,
    look,
    nothing_done,
    retire,
    whole_night,
)
from catalog_imagegen.pipeline.prepare import Prepared, Selection, choose, from_ledger
from catalog_imagegen.pipeline.prepare import regenerate as again
from catalog_imagegen.pipeline.sync import Report, blocked_in, carry_out, merged

EXIT_INTERRUPTED = 130
SEED_LIMIT = 2**64 - 1
ACTIONS: Mapping[Action, str] = {
    "reuse": mark("reused"),
    "failed": mark("failed"),
    "blocked": mark("blocked"),
}
"""What people call them; of what is to be rendered or made they are told why."""


def run(
    catalog: options.Catalog,
    platform: options.Platforms = None,
    role: options.Roles = None,
    sku: options.Skus = None,
    limit: options.Limit = None,
    comfyui: options.ComfyUI = None,
    simulate: options.Simulate = False,
    out: options.OutDir = None,
    table: options.Table = "",
    encoding: options.Encoding = "",
    password: options.Password = "",
    profile: options.Profile = "",
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Make the pictures a catalog wants: renders what is new or changed, rebuilds the listings.

    Example: `catalog-imagegen run products.xlsx --platform amazon --limit 3 --simulate`
    """
    selection = Selection(tuple(platform or ()), tuple(role or ()), tuple(sku or ()), limit)
    with _house(workspace, out, comfyui, simulate=simulate) as house:
        way = Way(table, password=password, encoding=encoding)
        reading = read_source(catalog, way, house.workspace, profile=profile)
        source = house.source_of(catalog, table=table)
        prepared = choose(reading, source, selection, house.services)
        report = carried_out(house, prepared, source, "run", quiet=json)
        del reading, prepared  # large, and the report needs room
        _finish(house, report, as_json=json)


def plan(
    catalog: options.Catalog,
    platform: options.Platforms = None,
    role: options.Roles = None,
    sku: options.Skus = None,
    limit: options.Limit = None,
    comfyui: options.ComfyUI = None,
    simulate: options.Simulate = False,
    table: options.Table = "",
    encoding: options.Encoding = "",
    password: options.Password = "",
    profile: options.Profile = "",
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Show what a run would make, and why. Renders and records nothing.

    Example: `catalog-imagegen plan products.xlsx --role lifestyle`
    """
    selection = Selection(tuple(platform or ()), tuple(role or ()), tuple(sku or ()), limit)
    with _house(workspace, None, comfyui, simulate=simulate) as house:
        way = Way(table, password=password, encoding=encoding)
        reading = read_source(catalog, way, house.workspace, profile=profile)
        prepared = choose(reading, house.source_of(catalog, table=table), selection, house.services)
        if json:
            show.as_json(_plan_json(prepared, house))
        else:
            _show_plan(prepared, house)
    has_errors = any(issue.severity == "error" for issue in prepared.issues)
    raise typer.Exit(EXIT_ITEMS_FAILED if has_errors or prepared.plan.blocked else EXIT_OK)


def regenerate(
    sku: Annotated[str, typer.Argument(help="The SKU.")],
    role: Annotated[str, typer.Option("--role", "-r", help="Only this role.")] = "",
    slot: Annotated[
        int | None, typer.Option("--slot", min=1, help="Only the picture at this position of its role.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="Words to add to the prompt.")] = "",
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=SEED_LIMIT, help="A seed of your own.")
    ] = None,
    comfyui: options.ComfyUI = None,
    simulate: options.Simulate = False,
    out: options.OutDir = None,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Make pictures of one SKU again, from its last row; the new ones stay in every later run.

    Example: `catalog-imagegen regenerate EB-001 --role detail --slot 2 --note "金属质感更强"`
    """
    with _house(workspace, out, comfyui, simulate=simulate) as house:
        prepared = again(sku, role=role, slot=slot, seed=seed, note=note, services=house.services)
        report = carried_out(house, prepared, "", "regenerate", quiet=json, is_urgent=True)
        del prepared
        _finish(house, report, as_json=json, is_small_change=True)


def retry(
    sku: options.Skus = None,
    comfyui: options.ComfyUI = None,
    simulate: options.Simulate = False,
    out: options.OutDir = None,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Try failed pictures again.

    Example: `catalog-imagegen retry --sku EB-001`
    """
    with _house(workspace, out, comfyui, simulate=simulate) as house:
        selection = Selection(skus=tuple(sku or ()))
        failed = {p.wanted.key for p in from_ledger(selection, house.services).plan.pictures if p.failure}
        house.services.ledger.forgive(failed)
        prepared = from_ledger(replace(selection, keys=frozenset(failed)), house.services)
        report = carried_out(house, prepared, "", "retry", quiet=json)
        del prepared
        _finish(house, report, as_json=json)


def sync(
    yes: Annotated[
        bool, typer.Option("--yes", help="Go on where much is new or gone (see [sync] in config/app.toml).")
    ] = False,
    thorough: Annotated[
        bool,
        typer.Option("--thorough", help="Look at unchanged rows too: writes listings that somebody deleted."),
    ] = False,
    comfyui: options.ComfyUI = None,
    simulate: options.Simulate = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Read the sources in config/app.toml, make what changed and retire what is gone; meant for a timer at night.

    Example: `catalog-imagegen sync --workspace /srv/shop --json`
    """
    with _house(workspace, None, comfyui, simulate=simulate) as house:
        if not house.settings.source:
            raise ConfigError(
                "there is nothing to sync; add a [[source]] table with name and path to config/app.toml",
                zh="没有可同步的数据源；请在 config/app.toml 中添加含 name 与 path 的 [[source]]",
                code="no_sources",
            )
        if not house.services.ledger.lease("sync"):
            en = "another sync is at work in this workspace; wait for it, or run again later"
            show.err.print(show.said(en, "此工作区正在运行另一个 sync；请等它完成，或稍后重新运行"))
            raise typer.Exit(EXIT_TRY_LATER)
        _sync(house, is_agreed=yes, is_thorough=thorough, as_json=json)


def _sync(house: House, *, is_agreed: bool, is_thorough: bool, as_json: bool) -> None:
    """Every source, one after the other; one that cannot be read or needs agreement does not hold up the others."""
    reports: list[Report] = []
    unreadable: list[CatalogError] = []
    for source in house.settings.source:
        try:
            read = house.read(source)
        except CatalogError as error:
            unreadable.append(error)
            reports.append(
                nothing_done(Issue(source.name, error.code, "error", error.message_zh, error.message_en))
            )
            continue
        tonight = look(
            read.reading, source.name, house.services, is_whole=read.is_whole, is_thorough=is_thorough
        )
        del read
        reports.append(_night(house, tonight, is_agreed=is_agreed, quiet=as_json))
    if len(unreadable) == len(reports):
        raise unreadable[0]
    _finish(house, merged(reports), as_json=as_json)


def _night(house: House, tonight: Night, *, is_agreed: bool, quiet: bool) -> Report:
    """Carry out a sync of one source, unless it is so much that somebody must agree."""
    limits = house.limits()
    servers = len(house.settings.comfyui)
    told = forecast(tonight, house.services, limits, servers=servers, is_agreed=is_agreed)
    if not is_agreed and (found := brakes(told, limits)):
        return held_back(tonight, told, found)
    retire(tonight, house.services)
    house.services.ledger.move(tonight.changes.moved)
    house.services.ledger.restate(tonight.changes.restated)
    command = f"sync {tonight.source}"
    reports = [
        carried_out(house, prepared, tonight.source, command, quiet=quiet)
        for prepared in batches(tonight, house.services)
    ]
    return whole_night(tonight, told, reports)


def _house(folder: Path, out: Path | None, comfyui: list[str] | None, *, simulate: bool) -> Any:
    return options.house(folder, options.servers(comfyui, simulate=simulate), out=out)


def carried_out(
    house: House, prepared: Prepared, source: str, command: str, *, quiet: bool, is_urgent: bool = False
) -> Report:
    """Carry out a plan with a progress bar; Ctrl-C ends the command."""
    stop = threading.Event()
    with show.ProgressBar(is_quiet=quiet) as progress:
        try:
            return carry_out(
                prepared,
                house.services,
                source=source,
                command=command,
                backends=house.fleet.backends,
                progress=progress,
                stop=stop,
                is_urgent=is_urgent,
            )
        except KeyboardInterrupt:
            stop.set()
    show.err.print(
        show.said(
            "Stopped. Nothing is lost: run again to go on.",
            "已停止。已完成的工作不会丢失，重新运行即可继续。",
        )
    )
    raise typer.Exit(EXIT_INTERRUPTED)


def _finish(house: House, report: Report, *, as_json: bool, is_small_change: bool = False) -> None:
    """Show what a command did, then bring the reports up to date, and end."""
    if as_json:
        show.as_json(show.report_json(report))
    else:
        page = house.workspace.output / "report.html"
        show.report(report, page=str(page), is_simulated=house.workspace.is_simulated, price=house.price())
    if not report.is_idle:
        refresh(house, is_small_change=is_small_change)
    if report.pictures["pending"] > report.held:
        if as_json and report.unavailable:
            show.complain(report.unavailable[0])
        raise typer.Exit(EXIT_TRY_LATER)
    has_errors = any(issue.severity == "error" for issue in report.issues)
    is_unwell = has_errors or report.problems or report.brakes
    raise typer.Exit(EXIT_ITEMS_FAILED if is_unwell else EXIT_OK)


def _plan_json(prepared: Prepared, house: House) -> Mapping[str, Any]:
    pictures: list[Mapping[str, Any]] = [
        {
            "sku": p.wanted.sku,
            "role": p.wanted.key.role,
            "slot": p.wanted.slot,
            "item": p.wanted.item_text,
            "key": str(p.wanted.key),
            "action": p.action,
            "reason": p.reason,
            "take": p.wanted.take.number,
            "seed": p.wanted.seed,
            "render_key": p.wanted.render_key,
            "positive": p.wanted.prompt.positive,
            "negative": p.wanted.prompt.negative,
        }
        for p in prepared.plan.pictures
        if p.wanted.key in prepared.chosen
    ]
    return {
        "pictures": pictures,
        "blocked": [
            {k: v for k, v in asdict(b).items() if k != "platforms"} | {"key": str(b.key)}
            for b in prepared.plan.blocked
            if b.key in prepared.chosen
        ],
        "to_render": len(prepared.to_render()),
        "to_make": len(prepared.to_make()),
        "forecast": show.forecast_json(
            expected(prepared, house.services, servers=len(house.settings.comfyui))
        ),
        "issues": show.issues_json(prepared.issues),
    }


def _show_plan(prepared: Prepared, house: House) -> None:
    tr, pick = show.words().tr, show.words().pick
    show.issues(prepared.issues)
    pictures = [p for p in prepared.plan.pictures if p.wanted.key in prepared.chosen]
    table = Table(title=tr("Pictures to make"), title_justify="left", title_style="bold")
    for name in (tr("SKU"), tr("role"), tr("item"), tr("why")):
        table.add_column(name)
    to_come = [p for p in pictures if p.action not in ACTIONS]
    waiting = [p for p in to_come if p.action == "render"]
    for p in to_come:
        role = f"{p.wanted.key.role} {p.wanted.slot}"
        table.add_row(Text(p.wanted.sku), role, Text(p.wanted.item_text), Text(pick(p.reason, p.reason_zh)))
    if to_come:
        show.out.print(table)
    show.problems(blocked_in(prepared))
    reasons = Counter(
        tr(ACTIONS[p.action]) if p.action in ACTIONS else pick(p.reason, p.reason_zh) for p in pictures
    )
    for reason, count in reasons.most_common():
        show.out.print(Text(f"{count:6}  {reason}"))
    total = tr("pictures in all, {count} to render", count=len(waiting))
    show.out.print(f"{len(pictures):6}  {total}")
    if of_photos := len(to_come) - len(waiting):
        without = tr("made of photos, without a server")
        show.out.print(f"{of_photos:6}  {without}")
    if waiting:
        told = expected(prepared, house.services, servers=len(house.settings.comfyui))
        show.out.print(show.forecast(told, house.price()))
    for note in _notes(prepared, house):
        show.out.print(Text(note, style="dim"))


def _notes(prepared: Prepared, house: House) -> list[str]:
    """What somebody may wonder about: text that is unused, a role that nobody takes."""
    setup, tr = house.services.setup, show.words().tr
    pictures = prepared.plan.pictures
    unused = [
        role.name
        for role in setup.roles.values()
        if role.workflow
        and setup.workflows[role.workflow].lacks("negative")
        and any(p.wanted.key.role == role.name and p.wanted.prompt.negative for p in pictures)
    ]
    taken = {role for p in prepared.platforms for placement in p.placements for role in placement.roles}
    taken |= set(setup.designer().rendered(taken))
    idle = [role.name for role in setup.roles.values() if role.enabled and role.name not in taken]
    notes = []
    if unused:
        notes.append(
            tr(
                "{roles}: the workflow has no negative prompt, so that text is unused",
                roles=tr(", ").join(unused),
            )
        )
    if idle:
        notes.append(
            tr(
                "{roles}: enabled, but no placement of these platforms takes it; "
                "add it to the roles of one in config/platforms.toml",
                roles=tr(", ").join(idle),
            )
        )
    if not prepared.platforms:
        notes.append(tr("no platform is enabled; name some in config/app.toml (platforms)"))
    return notes
