"""Puts the parts together: the only module that names adapters."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.catalogs import Columns, read_catalog
from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.adapters.files import explain, make_folder, sweep_temporary, write_whole
from catalog_imagegen.adapters.ledger.catalog import UNOWNED
from catalog_imagegen.adapters.ledger.database import open_sqlite
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.adapters.presence import Presence
from catalog_imagegen.config import (
    COPIED,
    ServerSettings,
    Settings,
    SourceSettings,
    Workspace,
    defaults,
    expand,
    load_columns,
    load_settings,
    load_setup,
)
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.sync import Services

log = logging.getLogger(__name__)

__all__ = ["House", "Servers", "init_workspace", "open_house", "read_source", "recover"]


def init_workspace(folder: Path) -> list[str]:
    """Copy what a shop makes its own; files that are there already stay. Returns what was copied."""
    copied = []
    for name in COPIED:
        for source in _files(defaults() / name):
            relative = source.relative_to(defaults())
            target = folder / relative
            if not target.exists():
                make_folder(target.parent)
                write_whole(target, source.read_bytes())
                copied.append(str(relative))
    return copied


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(p for p in place.rglob("*") if p.is_file() and p.suffix not in {".py", ".pyc"})


def read_source(location: str, workspace: Workspace, *, table: str = "", query: str = "") -> Reading:
    """Read a catalog file or database with the workspace's columns. Raises CatalogError."""
    columns = Columns.from_toml(load_columns(workspace))
    return read_catalog(location, columns=columns, table=table, query=query)


@dataclass(frozen=True, slots=True)
class Servers:
    """Where to render: named servers, or a simulator in this process."""

    urls: tuple[str, ...] = ()
    """Named on the command line; empty means those of the settings."""
    simulate: bool = False


class Fleet:
    """The servers of one command, greeted when they are first needed."""

    def __init__(self, servers: Servers, settings: Settings, stack: ExitStack) -> None:
        self._servers = servers
        self._settings = settings
        self._stack = stack
        self._greeted: list[ComfyUIBackend] = []

    def is_simulated(self) -> bool:
        """Whether the servers named on the command line are simulators; asks them."""
        named = [ServerSettings(url=url) for url in self._servers.urls]
        return self._servers.simulate or self._greet(named)

    def backends(self, pictures: Sequence[Wanted]) -> Sequence[ComfyUIBackend]:
        """The servers that answer and can render these pictures.

        Raises BackendUnavailable when none answers, ConfigError for what one lacks.
        """
        if not self._greeted:
            self._greet_configured()
        graphs = {picture.workflow: picture.graph for picture in pictures}
        usable, absent = [], []
        for backend in self._greeted:
            try:
                _check_equipment(backend, graphs)
                usable.append(backend)
            except BackendUnavailable as error:
                log.warning("%s", error.message_en)
                absent.append(error)
        if absent and not usable:
            raise absent[0]
        return usable

    def _greet_configured(self) -> None:
        if self._servers.simulate:
            from catalog_imagegen.simulator import Simulator  # noqa: PLC0415 - slow to import

            simulator = self._stack.enter_context(Simulator(seconds=0.0))
            self._greet([ServerSettings(url=simulator.url)])
        elif self._greet(self._settings.comfyui):
            urls = " ".join(f"--comfyui {backend.name}" for backend in self._greeted)
            raise ConfigError(
                "config/app.toml names a simulator, whose placeholders are kept apart from pictures; "
                f"say --simulate or {urls}",
                zh=f"config/app.toml 中配置的是模拟器，占位图与真实图片分开存放；请使用 --simulate 或 {urls}",
                code="simulator_configured",
            )

    def _greet(self, servers: Sequence[ServerSettings]) -> bool:
        """Find out who answers, and whether they are simulators.

        Raises BackendUnavailable when nobody does, ConfigError when both kinds do.
        """
        kinds, absent = set(), []
        for server in servers:
            backend = ComfyUIBackend(
                server.url,
                in_flight=server.in_flight,
                patience_s=self._settings.patience_s,
                job_timeout_s=self._settings.job_timeout_s,
            )
            self._stack.callback(backend.close)
            try:
                kinds.add(backend.greet())
                self._greeted.append(backend)
            except BackendUnavailable as error:
                absent.append(error)
        if not kinds and absent:
            raise absent[0]
        for away in absent:
            log.warning("%s", away.message_en)
        if len(kinds) > 1:
            raise ConfigError(
                "simulators and real servers are named together; placeholders never mix with pictures, "
                "so name only one kind",
                zh="同时指定了模拟器和真实服务器；占位图不能与真实图片混用，请只指定一种",
                code="mixed_servers",
            )
        return True in kinds


def _check_equipment(backend: ComfyUIBackend, graphs: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ConfigError for what a server lacks to run these workflows."""
    for workflow, graph in graphs.items():
        if problems := backend.lacks(graph):
            raise ConfigError(
                f"{backend.name} cannot run the workflow {workflow}: " + "; ".join(problems),
                zh=f"{backend.name} 无法运行工作流 {workflow}：" + "；".join(problems),
                code="server_lacks",
            )


@dataclass(frozen=True, slots=True)
class House:
    """An open workspace: its services, and its servers once something must be rendered."""

    workspace: Workspace
    settings: Settings
    services: Services
    fleet: Fleet

    def source_of(self, location: str) -> str:
        """The configured source that reads *location*, or that of plain runs."""
        for source in self.settings.source:
            path = expand(source.path, place=f"config/app.toml: source {source.name}")
            if _same_file(location, path, self.workspace.root):
                return source.name
        return UNOWNED

    def read(self, source: SourceSettings) -> Reading:
        """Read a configured source; its relative paths start at the workspace."""
        path = expand(source.path, place=f"config/app.toml: source {source.name}")
        query = expand(source.query, place=f"config/app.toml: source {source.name}")
        location = path if "://" in path else str(self.workspace.root / path)
        return read_source(location, self.workspace, table=source.table, query=query)


@contextmanager
def open_house(workspace: Workspace, servers: Servers) -> Iterator[House]:
    """Open a workspace; if *servers* are simulators, in the state that is kept for placeholders."""
    workspace.check()
    with ExitStack() as stack:
        settings = load_settings(workspace)
        fleet = Fleet(servers, settings, stack)
        place = replace(workspace, is_simulated=fleet.is_simulated())
        yield House(place, settings, _open_services(place, settings, stack), fleet)


def _open_services(workspace: Workspace, settings: Settings, stack: ExitStack) -> Services:
    setup = load_setup(workspace)
    data = workspace.data
    try:
        presence = Presence(data / "processes")
        stack.callback(presence.close)
        blobs = FolderBlobs(data / "blobs")
    except OSError as error:
        raise explain(error, data) from error
    engine = open_sqlite(data / "ledger.sqlite")
    ledger = SqlLedger(engine, holder=presence.holder, is_alive=presence.is_alive)
    stack.callback(ledger.close)
    recover(presence, ledger, blobs, [data / "blobs", replace(workspace, out=None).output])
    return Services(
        setup=setup,
        enabled=settings.platforms,
        ledger=ledger,
        blobs=blobs,
        listings=FolderListings(workspace.output),
        is_placeholder=workspace.is_simulated,
        attempts=settings.attempts,
        sources=frozenset(source.name for source in settings.source),
    )


def recover(presence: Presence, ledger: SqlLedger, blobs: FolderBlobs, places: Sequence[Path]) -> None:
    """After a crash: free what the dead held; alone, also sweep up what they left half-done."""
    with presence.bury_the_dead() as (dead, is_alone):
        if not dead:
            return
        ledger.drop_leases(dead)
        if is_alone:
            swept = sum(sweep_temporary(place) for place in places)
            named = ledger.digests()
            for name in list(blobs.names()):
                if name not in named:
                    blobs.drop(name)
                    swept += 1
            log.info("recovered from %d dead processes, swept %d files", len(dead), swept)


def _same_file(location: str, configured: str, root: Path) -> bool:
    if "://" in location or "://" in configured:
        return location == configured
    path, other = Path(location).expanduser(), root / configured
    return path.exists() and other.exists() and path.samefile(other)
