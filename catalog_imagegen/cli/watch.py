"""The watch command: a folder into which people drop catalogs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from catalog_imagegen.bootstrap import House, Way, read_source
from catalog_imagegen.bootstrap.answers import answer, answer_name, refusal
from catalog_imagegen.bootstrap.drops import DropFolder, Dropped, Outcome, write_file
from catalog_imagegen.cli import options, show
from catalog_imagegen.cli.make import carried_out
from catalog_imagegen.cli.refresh import refresh
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import EXIT_TRY_LATER, CatalogError, CatalogImagegenError
from catalog_imagegen.pipeline.prepare import Selection, choose
from catalog_imagegen.pipeline.sync import Report


def watch(
    folder: Annotated[Path, typer.Argument(help="The drop folder.", metavar="DIR")],
    once: Annotated[
        bool, typer.Option("--once", help="Deal with what lies there, and end when nothing is left.")
    ] = False,
    settle: Annotated[
        float,
        typer.Option("--settle", min=0.0, help="Seconds without change after which a file is complete."),
    ] = 3.0,
    interval: Annotated[float, typer.Option("--interval", min=0.05, help="Seconds between two looks.")] = 2.0,
    retry: Annotated[
        float,
        typer.Option("--retry", min=0.05, help="Seconds before the next try after a full disk and the like."),
    ] = 30.0,
    comfyui: options.ComfyUI = None,
    simulate: options.Simulate = False,
    workspace: options.WorkspaceDir = Path(),
    json: options.AsJson = False,
) -> None:
    """Make the pictures of every catalog that is dropped into a folder, until Ctrl-C.

    A catalog goes to done/ or failed/ when it is dealt with, beside a workbook that says what became of each row.

    Example: `catalog-imagegen watch drop --simulate`
    """
    servers = options.servers(comfyui, simulate=simulate)
    watcher = _Watcher(DropFolder(folder, settle_s=settle), workspace, servers, as_json=json)
    with _until_told(watcher.stop), options.house(workspace, servers) as house:
        if not house.services.ledger.lease(f"watch:{folder.resolve()}"):
            en = "another process watches this folder for this workspace; stop it first"
            show.err.print(show.said(en, "另一个进程正在为此工作区监视该文件夹；请先停止它"))
            raise typer.Exit(EXIT_TRY_LATER)
        watcher.work(interval, retry_s=retry, once=once)


@contextmanager
def _until_told(stop: threading.Event) -> Iterator[None]:
    """A service manager stops with SIGTERM what a terminal stops with Ctrl-C."""
    before = signal.signal(signal.SIGTERM, lambda *_: _interrupt(stop))
    try:
        yield
    except KeyboardInterrupt:
        stop.set()
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(stop: threading.Event) -> None:
    stop.set()
    raise KeyboardInterrupt


@dataclass
class _Watcher:
    """Looks, takes, imports, answers and puts away; what it was doing when it died, it does again."""

    drop: DropFolder
    workspace: Path
    servers: Any
    as_json: bool

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        self._told: dict[str, str] = {}
        """Digest → what was said of it last; trouble that lasts is told once."""

    def work(self, interval_s: float, *, retry_s: float, once: bool) -> None:
        """Until stopped, or until nothing is left."""
        while not self.stop.is_set():
            is_waiting = False
            for dropped in self.drop.whole():
                is_waiting = not self._deal_with(dropped) or is_waiting
            if once and self.drop.is_idle:
                return
            self.stop.wait(retry_s if is_waiting else interval_s)

    def _deal_with(self, dropped: Dropped) -> bool:
        """Import a file and put it away; False if it has to be tried again later."""
        try:
            with options.house(self.workspace, self.servers) as house:
                return self._import(house, dropped)
        except (
            CatalogImagegenError
        ) as trouble:  # a full disk, servers that are away, a setting that is being edited
            return self._later(dropped, trouble)

    def _import(self, house: House, dropped: Dropped) -> bool:
        ledger, path = house.services.ledger, dropped.path
        if not ledger.take_drop(dropped.digest, path.name):
            place = self.drop.put_away(path, "done", dropped.digest)
            self._say(dropped, "again", place)
            return True
        try:
            reading = read_source(str(path), Way(), house.workspace)
        except CatalogError as error:
            return self._refuse(house, dropped, error)
        prepared = choose(reading, house.source_of(str(path)), Selection(), house.services)
        report = carried_out(
            house, prepared, house.source_of(str(path)), f"watch {path.name}", quiet=self.as_json
        )
        if report.pictures["pending"]:
            return self._later(dropped, *report.unavailable[:1])
        refresh(house)
        self._answer(house, dropped, reading, report)
        return True

    def _answer(self, house: House, dropped: Dropped, reading: Reading, report: Report) -> None:
        """The answer first, then the ledger, then the file: who dies in between leaves nothing undone."""
        path = dropped.path
        target = self.drop.place_for(path.name, "done", dropped.digest)
        place = target.with_name(answer_name(target.name, show.words()))
        made = answer(house, reading, path.read_bytes(), name=path.name, place=place, words=show.words())
        write_file(place, made)
        house.services.ledger.end_drop(dropped.digest, "done")
        self.drop.put_away(path, "done", dropped.digest)
        self._say(dropped, "done", target, answer=place, report=report)

    def _refuse(self, house: House, dropped: Dropped, error: CatalogError) -> bool:
        """A file that cannot be read goes to ``failed`` beside a workbook that says why."""
        if error.exit_code == EXIT_TRY_LATER:
            return self._later(dropped, error)
        target = self.drop.place_for(dropped.path.name, "failed", dropped.digest)
        note = target.with_name(f"{answer_name(target.stem, show.words())}")
        write_file(note, refusal(error))
        house.services.ledger.end_drop(dropped.digest, "failed")
        self.drop.put_away(dropped.path, "failed", dropped.digest)
        self._say(dropped, "failed", target, answer=note, error=error)
        return True

    def _later(self, dropped: Dropped, *troubles: CatalogImagegenError) -> bool:
        for trouble in troubles:
            if self._told.get(dropped.digest) != trouble.message_en:
                self._told[dropped.digest] = trouble.message_en
                show.complain(trouble)
        return False

    def _say(
        self,
        dropped: Dropped,
        outcome: Outcome | str,
        place: Path,
        *,
        answer: Path | None = None,
        report: Report | None = None,
        error: CatalogError | None = None,
    ) -> None:
        """One line about a file that is dealt with."""
        tr = show.words().tr
        if self.as_json:
            told: dict[str, Any] = {"file": dropped.path.name, "outcome": outcome, "place": str(place)}
            told |= {"answer": str(answer)} if answer else {}
            told |= show.report_json(report) if report else {}
            told |= (
                {
                    "error": {
                        "code": error.code,
                        "message_zh": error.message_zh,
                        "message_en": error.message_en,
                    }
                }
                if error
                else {}
            )
            show.as_json(told)
            show.out.file.flush()  # a log wants to know now
            return
        words = {
            "done": tr("{count} products", count=report.skus if report else 0),
            "failed": show.words().pick(error.message_en, error.message_zh) if error else "",
            "again": tr("its content was imported before"),
        }
        shown = answer or place
        show.out.print(
            Text.assemble((dropped.path.name, "bold"), "  ", words[outcome], "  → ", str(shown)),
            soft_wrap=True,
        )
        show.out.file.flush()
