"""The simulator as a whole: a socket, an event loop in a thread, an execution thread."""

import asyncio
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from aiohttp import web

from catalog_imagegen.simulator.backlog import Backlog
from catalog_imagegen.simulator.desk import Desk
from catalog_imagegen.simulator.engine import Engine, Machine
from catalog_imagegen.simulator.events import Hub
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import Folders
from catalog_imagegen.simulator.nodes import Graph, model_choices
from catalog_imagegen.simulator.routes import application


class Simulator:
    """A ComfyUI server that paints placeholders; started by `with` or `start`.

    *seconds* is how long a picture holds the execution thread. Files live in *folder*, or in a temporary one that
    goes with `stop`. *faults* are names or "name:count" (see `faults.KNOWN`); *models* replaces the files of the
    model folders it names. After `stop`, `start` comes back on the same port with an empty queue and history, and
    with the saved files if *folder* was given, as a real server does.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seconds: float = 0.05,
        folder: Path | None = None,
        faults: Sequence[str] = (),
        models: Mapping[str, Sequence[str]] | None = None,
        is_own_process: bool = False,
    ) -> None:
        self.host = host
        self.port = port
        self.seconds = seconds
        self.models = model_choices(models)
        self._folder = folder
        self._faults = Faults(faults)
        self._is_own_process = is_own_process
        self._executions: list[tuple[str, Graph]] = []
        self._lock = threading.Lock()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """The address clients use, once started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def executions(self) -> list[tuple[str, Graph]]:
        """The (prompt id, graph) of every prompt whose sampler really ran, in order."""
        with self._lock:
            return list(self._executions)

    def start(self) -> None:
        """Listen and serve; raises OSError if the port is taken."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.create_server((self.host, self.port), family=family)
        self.port = listener.getsockname()[1]
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="simulator-")
        folders = Folders((self._folder or Path(self._temporary.name if self._temporary else "")).resolve())
        folders.create()
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(listener, folders, ready), name="simulator-http", daemon=True
        )
        self._thread.start()
        try:
            ready.result()
        except BaseException:
            self._thread.join()
            self._clean_up()
            raise

    def stop(self) -> None:
        """Drop every connection and whatever was queued or running; safe to call twice."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._clean_up()

    def _clean_up(self) -> None:
        self._thread = None
        if self._temporary:
            self._temporary.cleanup()
            self._temporary = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _record(self, prompt_id: str, graph: Graph) -> None:
        with self._lock:
            self._executions.append((prompt_id, graph))

    def _run(self, listener: socket.socket, folders: Folders, ready: Future[None]) -> None:
        """Serve till stopped; whatever goes wrong before *ready* is raised by `start`."""
        try:
            asyncio.run(self._serve(listener, folders, ready))
        except Exception as failure:
            if ready.done():
                raise
            listener.close()
            ready.set_exception(failure)

    async def _serve(self, listener: socket.socket, folders: Folders, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        hub = Hub()
        backlog = Backlog(changed=lambda: hub.send("status", desk.status()))
        machine = Machine(folders, self._faults, self.seconds, self._is_own_process, self._record)
        engine = Engine(machine, backlog, hub.send)
        desk = Desk(
            folders, self._faults, self.models, backlog, engine, hub, executions=lambda: self.executions
        )
        runner = web.AppRunner(application(desk), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        engine.start()
        ready.set_result(None)
        try:
            await self._stopping.wait()
        finally:
            backlog.close()
            await hub.close()
            await runner.cleanup()
            engine.join()


def serve_forever(
    *,
    host: str,
    port: int,
    seconds: float,
    folder: Path | None,
    faults: Sequence[str],
    on_ready: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; *on_ready* is told the address. Call it from the main thread."""
    asked_to_stop = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        asked_to_stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Simulator(
            host=host, port=port, seconds=seconds, folder=folder, faults=faults, is_own_process=True
        ) as simulator:
            on_ready(simulator.url)
            asked_to_stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
