"""The watch command: a folder into which people drop catalogs."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from catalog_imagegen.bootstrap import House, Servers, Way, read_source
from catalog_imagegen.bootstrap.answers import answer, answer_name, refusal
from catalog_imagegen.bootstrap.drops import (
    UNOWNED,
    DropFolder,
    Dropped,
    Outcome,
    read_dropped,
    shown_name,
    shown_path,
    snapshot,
    stands,
    unexpected,
    unreadable,
    write_file,
)
from catalog_imagegen.cli import options, show
from catalog_imagegen.cli.make import carried_out
from catalog_imagegen.cli.refresh import refresh
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import (
    EXIT_ITEMS_FAILED,
    EXIT_OK,
    EXIT_TRY_LATER,
    CatalogError,
    CatalogImagegenError,
    ConfigError,
    LedgerBusy,
)
from catalog_imagegen.pipeline.prepare import Selection, choose
from catalog_imagegen.pipeline.sync import Report

log = logging.getLogger(__name__)


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
        watcher.work(interval, retry_s=retry, once=once, check=house.services.ledger.release)


@contextmanager
def _until_told(stop: threading.Event) -> Iterator[None]:
    """A service manager stops with SIGTERM what a terminal stops with Ctrl-C; to be stopped is no failure."""
    handlers: dict[int, Any] = {signal.SIGTERM: lambda *_: _interrupt(stop), signal.SIGIO: signal.SIG_IGN}
    # SIGIO: somebody opens a file for writing in the moment in which we ask whether anybody has it open.
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    except KeyboardInterrupt:
        stop.set()
    except typer.Exit:
        if not stop.is_set():
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(stop: threading.Event) -> None:
    stop.set()
    raise KeyboardInterrupt


@dataclass
class _Watcher:
    """Looks, takes, imports, answers and puts away; what it was doing when it died, it does again."""

    drop: DropFolder
    workspace: Path
    servers: Servers
    as_json: bool

    def __post_init__(self) -> None:
        self.stop = threading.Event()
        self._told: dict[str, str] = {}
        """File → what was said of it last; trouble that lasts is told once."""

    def work(self, interval_s: float, *, retry_s: float, once: bool, check: Callable[[], None]) -> None:
        """Until stopped, or until nothing is left. Raises ConfigError for a folder that is not there at the start.

        Before each file *check* raises LedgerUnreachable if our lease of the folder may be another's by now.
        """
        self.drop.whole()
        while not self.stop.is_set():
            is_waiting = False
            try:
                for dropped in self.drop.whole():
                    with suppress(LedgerBusy):  # is ours all the same
                        check()
                    is_waiting = not self._deal_with(dropped) or is_waiting
                for path in self.drop.unreadable:
                    self._later(path, unreadable(path))
                if once and self.drop.is_idle:
                    raise typer.Exit(EXIT_ITEMS_FAILED if self.drop.unreadable else EXIT_OK)
            except ConfigError as trouble:  # its drive is not mounted just now
                self._later(self.drop.folder, trouble)
                is_waiting = True
            self.stop.wait(retry_s if is_waiting else interval_s)

    def _deal_with(self, dropped: Dropped) -> bool:
        """Import a file and put it away; False if it has to be tried again later."""
        try:
            with options.house(self.workspace, self.servers) as house:
                return self._import(house, dropped)
        except (
            CatalogImagegenError
        ) as trouble:  # a full disk, servers that are away, a setting that is being edited
            return self._later(dropped.path, trouble)

    def _import(self, house: House, dropped: Dropped) -> bool:
        """Import what the file held when it was taken, whatever becomes of it meanwhile."""
        content = read_dropped(dropped)
        if content is None:  # it is another by now, and is taken as that
            return True
        try:
            with snapshot(house, dropped, content) as copy:
                return self._make(house, dropped, copy, content)
        except CatalogImagegenError:
            raise
        except Exception as error:  # one bad file must not end the service, nor come first again for ever
            log.exception("%s", shown_name(dropped.path))
            return self._refuse(house, dropped, unexpected(shown_name(dropped.path), error))

    def _make(self, house: House, dropped: Dropped, copy: Path, content: bytes) -> bool:
        ledger = house.services.ledger
        try:
            reading = read_source(str(copy), Way(), house.workspace)
        except CatalogError as error:
            return self._refuse(house, dropped, error)
        is_new = ledger.take_drop(dropped.digest, dropped.path.name)
        if not is_new and stands(house, reading):
            place = self.drop.put_away(dropped.path, "done", dropped.digest)
            self._say(dropped, "again", place)
            return True
        prepared = choose(reading, UNOWNED, Selection(), house.services)
        command = f"watch {shown_name(dropped.path)}"
        report = carried_out(house, prepared, UNOWNED, command, quiet=self.as_json)
        if report.pictures["pending"]:
            return self._later(dropped.path, *report.unavailable[:1])
        refresh(house)
        self._answer(house, dropped, replace(reading, issues=report.issues), content, report)
        return True

    def _answer(
        self, house: House, dropped: Dropped, reading: Reading, content: bytes, report: Report
    ) -> None:
        """The answer first, then the ledger, then the file: who dies in between leaves nothing undone."""
        target = self.drop.place_for(dropped.path.name, "done", dropped.digest)
        place = target.with_name(answer_name(target.name, show.words()))
        made = answer(house, reading, content, name=shown_name(dropped.path), place=place, words=show.words())
        write_file(place, made)
        house.services.ledger.end_drop(dropped.digest, "done")
        self.drop.put_away(dropped.path, "done", dropped.digest)
        self._say(dropped, "done", target, answer=place, report=report)

    def _refuse(self, house: House, dropped: Dropped, error: CatalogError) -> bool:
        """A file that cannot be read goes to ``failed`` beside a workbook that says why."""
        if error.exit_code == EXIT_TRY_LATER:
            return self._later(dropped.path, error)
        target = self.drop.place_for(dropped.path.name, "failed", dropped.digest)
        note = target.with_name(answer_name(target.name, show.words()))
        write_file(note, refusal(error))
        house.services.ledger.end_drop(dropped.digest, "failed")
        self.drop.put_away(dropped.path, "failed", dropped.digest)
        self._say(dropped, "failed", target, answer=note, error=error)
        return True

    def _later(self, path: Path, *troubles: CatalogImagegenError) -> bool:
        for trouble in troubles:
            if self._told.get(str(path)) != trouble.message_en:
                self._told[str(path)] = trouble.message_en
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
            told: dict[str, Any] = {
                "file": shown_name(dropped.path),
                "outcome": outcome,
                "place": shown_path(place),
            }
            told |= {"answer": shown_path(answer)} if answer else {}
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
            Text.assemble(
                (shown_name(dropped.path), "bold"), "  ", words[outcome], "  → ", shown_path(shown)
            ),
            soft_wrap=True,
        )
        show.out.file.flush()
