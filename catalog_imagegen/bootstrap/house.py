"""Workspaces: made, opened, and their catalogs read."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.catalogs import Columns, Way
from catalog_imagegen.adapters.catalogs.embedded import FOLDER as PICTURES
from catalog_imagegen.adapters.catalogs.several import Joined, files_of, joined
from catalog_imagegen.adapters.content_credentials import ContentCredentials, open_credentials
from catalog_imagegen.adapters.darkroom import ProcessDarkroom
from catalog_imagegen.adapters.download import download
from catalog_imagegen.adapters.files import explain, make_folder, sweep_temporary, write_whole
from catalog_imagegen.adapters.ledger.catalog import UNOWNED
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.adapters.planners import KEPT, ProcessPlanner
from catalog_imagegen.adapters.presence import Presence
from catalog_imagegen.adapters.reports.thumbnails import Thumbnails
from catalog_imagegen.bootstrap.ledgers import AnyPresence, open_ledger
from catalog_imagegen.bootstrap.photos import open_photos, open_segmenter
from catalog_imagegen.bootstrap.profiles import read_by_profile
from catalog_imagegen.bootstrap.servers import Fleet, Servers
from catalog_imagegen.config import (
    COPIED,
    Settings,
    SourceSettings,
    Workspace,
    defaults,
    expand,
    load_columns,
    load_gates,
    load_settings,
    load_setup,
)
from catalog_imagegen.config.settings import LabelsSettings
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import CatalogError, ConfigError
from catalog_imagegen.pipeline.brakes import Limits, Price
from catalog_imagegen.pipeline.develop import DarkroomHere
from catalog_imagegen.pipeline.ports import TextReader
from catalog_imagegen.pipeline.prepare import Services
from catalog_imagegen.pipeline.studio import Studio
from catalog_imagegen.stages.listing import path_safe

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


def read_source(
    location: str, way: Way, workspace: Workspace, *, profile: str = "", keeps_pictures: bool = True
) -> Reading:
    """Read a catalog file or database by a *profile*, else by the one that fits it. Raises CatalogError.

    Pictures inside a workbook become files of the workspace, unless nothing is to be kept.
    """
    if keeps_pictures:
        way = replace(way, pictures=workspace.root / PICTURES)
    return read_by_profile(location, way, workspace, wanted=profile)


def located(source: SourceSettings, root: Path) -> tuple[str, Way]:
    """Where a configured source is and how it is read; relative paths start at the workspace."""
    place = f"config/app.toml: source {source.name}"
    path, query, password = (
        expand(text, place=place) for text in (source.path, source.query, source.password)
    )
    way = Way(table=source.table, query=query, password=password, encoding=source.encoding)
    return path if "://" in path else str(root / path), way


def read_configured(
    source: SourceSettings,
    workspace: Workspace,
    *,
    columns_of: Workspace | None = None,
    keeps_pictures: bool = True,
) -> Joined:
    """Read a configured source: a file, the files of a folder or pattern, a web address, a database.

    With *columns_of* it is read by the columns of that workspace, and by no profile.
    """
    place = columns_of or workspace

    def read_one(location: str, way: Way) -> Reading:
        profile = "" if columns_of else source.profile
        return read_source(location, way, place, profile=profile, keeps_pictures=keeps_pictures)

    location, way = located(source, workspace.root)
    if location.startswith(("http://", "https://")):
        head, _, sheet = location.partition("#")
        location = str(download(head, workspace.root / "data" / "sources" / path_safe(source.name)))
        way = replace(way, table=way.table or sheet)
    files = None if "://" in location else files_of(Path(location))
    if files is None:
        return Joined(read_one(location, way), is_whole=True)
    read: dict[str, Reading | CatalogError] = {}
    for file in files:
        try:
            read[file.name] = read_one(str(file), way)
        except CatalogError as error:
            read[file.name] = error
    return joined(read, Columns.from_toml(load_columns(place)))


@dataclass(frozen=True, slots=True)
class House:
    """An open workspace: its services, and its servers once something must be rendered."""

    workspace: Workspace
    settings: Settings
    services: Services
    fleet: Fleet

    def source_of(self, location: str, *, table: str = "") -> str:
        """The one configured source that reads this *location* and *table*, or that of plain runs."""
        head, mark, tail = location.rpartition("#")
        if mark and "://" not in location and Path(head).expanduser().exists():
            location, table = head, table or tail
        found = []
        for source in self.settings.source:
            with suppress(ConfigError):  # a variable that this command needs not is not set
                path = expand(source.path, place=f"config/app.toml: source {source.name}")
                is_table = not table or source.table in ("", table)
                if is_table and _is_of(location, path, self.workspace.root):
                    found.append(source.name)
        return found[0] if len(found) == 1 else UNOWNED

    def read(self, source: SourceSettings) -> Joined:
        """Read a configured source, all its files."""
        read = read_configured(source, self.workspace)
        gc.freeze()  # a hundred thousand products stay until they are let go: no search for garbage among them
        return read

    def limits(self) -> Limits:
        """How much a sync may do by itself."""
        sync = self.settings.sync
        return Limits(sync.max_new_renders, sync.max_new_share, sync.max_retired_share)

    def price(self) -> Price:
        """What a GPU costs."""
        return Price(self.settings.sync.gpu_hour_price, self.settings.sync.currency)


@contextmanager
def open_house(workspace: Workspace, servers: Servers) -> Iterator[House]:
    """Open a workspace; if *servers* are simulators, in the state that is kept for placeholders."""
    workspace.check()
    with ExitStack() as stack:
        stack.callback(gc.unfreeze)
        stack.callback(gc.set_threshold, *gc.get_threshold())
        gc.set_threshold(KEPT)
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
    ledger, seen = open_ledger(workspace, settings, presence, stack)
    recover(seen, ledger, blobs, [data / "blobs", data / "thumbnails", replace(workspace, out=None).output])
    segment = open_segmenter(workspace, settings)
    photos = open_photos(workspace, settings, segment)
    stack.callback(photos.close)
    planner = ProcessPlanner(setup)
    stack.callback(planner.close)
    credentials = credentials_of(settings.labels, workspace.root)
    here = DarkroomHere(blobs, Thumbnails(data / "thumbnails", blobs), credentials)
    darkroom = ProcessDarkroom(here)
    stack.callback(darkroom.close)
    return Services(
        setup=setup,
        planner=planner,
        enabled=settings.platforms,
        ledger=ledger,
        blobs=blobs,
        listings=FolderListings(workspace.output),
        darkroom=darkroom,
        producer=settings.labels.producer,
        signer=credentials.name if credentials is not None else "",
        is_placeholder=workspace.is_simulated,
        is_usual_output=workspace.out is None,
        attempts=settings.attempts,
        patience_s=settings.patience_s,
        group_wait_s=settings.group_wait_s,
        retakes=settings.retakes,
        rerolls=settings.rerolls,
        gates=load_gates(workspace, setup.roles),
        reader=open_reader(),
        sources=frozenset(source.name for source in settings.source),
        photos=photos,
        studio=Studio(blobs, segment),
    )


def credentials_of(labels: LabelsSettings, root: Path) -> ContentCredentials | None:
    """What files are signed with, if they are. Raises ConfigError."""
    if not labels.certificate and not labels.private_key:
        return None
    for name in ("certificate", "private_key"):
        if not getattr(labels, name):
            raise ConfigError(
                f"config/app.toml: labels.{name} is missing: signing needs certificate and private_key; name both files",
                zh=f"config/app.toml：缺少 labels.{name}：签名需要 certificate 和 private_key；请同时指定两个文件",
                code="cannot_sign",
            )
    return open_credentials(root / labels.certificate, root / labels.private_key)


def open_reader() -> TextReader | None:
    """What reads text in pictures; None without the extra ``ocr``."""
    if find_spec("rapidocr") is None:
        return None
    from catalog_imagegen.adapters.ocr import RapidReader  # noqa: PLC0415 - numpy is slow to import

    return RapidReader()


def recover(presence: AnyPresence, ledger: SqlLedger, blobs: FolderBlobs, places: Sequence[Path]) -> None:
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


def _is_of(location: str, configured: str, root: Path) -> bool:
    """Whether a source reads this file or database, be it among others."""
    if "://" in location or "://" in configured:
        return location == configured
    with suppress(CatalogError):
        files = files_of(root / configured)
        if files is not None:
            return any(_same_file(location, str(file), root) for file in files)
    return _same_file(location, configured, root)


def _same_file(location: str, configured: str, root: Path) -> bool:
    path, other = Path(location).expanduser(), root / configured
    return path.exists() and other.exists() and path.samefile(other)
