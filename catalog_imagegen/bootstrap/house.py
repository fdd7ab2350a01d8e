"""Workspaces: made, opened, and their catalogs read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.catalogs import Columns, Way, read_catalog
from catalog_imagegen.adapters.files import explain, make_folder, sweep_temporary, write_whole
from catalog_imagegen.adapters.ledger.catalog import UNOWNED
from catalog_imagegen.adapters.ledger.database import open_sqlite
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.adapters.presence import Presence
from catalog_imagegen.adapters.reports.thumbnails import Thumbnails
from catalog_imagegen.bootstrap.photos import open_photos
from catalog_imagegen.bootstrap.servers import Fleet, Servers
from catalog_imagegen.config import (
    COPIED,
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
from catalog_imagegen.pipeline.prepare import Services

log = logging.getLogger(__name__)


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all. Raises ConfigError or StorageFull."""
    make_folder(path.parent)
    write_whole(path, content)


def init_workspace(folder: Path) -> list[str]:
    """Copy what a shop makes its own; files that are there already stay. Returns what was copied."""
    copied = []
    for name, place in COPIED.items():
        for source in _files(defaults() / name):
            relative = Path(place) / source.relative_to(defaults() / name)
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


def read_source(location: str, way: Way, workspace: Workspace) -> Reading:
    """Read a catalog file or database with the workspace's columns. Raises CatalogError."""
    return read_catalog(location, columns=Columns.from_toml(load_columns(workspace)), way=way)


def located(source: SourceSettings, root: Path) -> tuple[str, Way]:
    """Where a configured source is and how it is read; relative paths start at the workspace."""
    place = f"config/app.toml: source {source.name}"
    path, query, password = (
        expand(text, place=place) for text in (source.path, source.query, source.password)
    )
    way = Way(table=source.table, query=query, password=password, encoding=source.encoding)
    return path if "://" in path else str(root / path), way


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
        """Read a configured source."""
        return read_source(*located(source, self.workspace.root), self.workspace)


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
    recover(
        presence, ledger, blobs, [data / "blobs", data / "thumbnails", replace(workspace, out=None).output]
    )
    photos = open_photos(workspace, settings)
    stack.callback(photos.close)
    return Services(
        setup=setup,
        enabled=settings.platforms,
        ledger=ledger,
        blobs=blobs,
        listings=FolderListings(workspace.output),
        previews=Thumbnails(data / "thumbnails", blobs),
        is_placeholder=workspace.is_simulated,
        attempts=settings.attempts,
        patience_s=settings.patience_s,
        group_wait_s=settings.group_wait_s,
        retakes=settings.retakes,
        sources=frozenset(source.name for source in settings.source),
        photos=photos,
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
