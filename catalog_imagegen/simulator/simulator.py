"""The simulator as tests and commands use it: started, stopped and asked from any thread."""

import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from catalog_imagegen.simulator.executions import Execution, Executions
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import Folders, Shelf
from catalog_imagegen.simulator.loop import LoopThread
from catalog_imagegen.simulator.nodes import Graph, model_choices
from catalog_imagegen.simulator.server import Server, Setting
from catalog_imagegen.simulator.stock import Stock
from catalog_imagegen.simulator.versions import version as known_version


class Simulator:
    """A ComfyUI server that paints placeholders; started by `with` or `start`.

    *seconds* is how long a picture holds the worker, *load_seconds* what a change of the diffusion model costs.
    Files live in *folder*, or in a temporary one that goes with `stop`. *faults* are as in `faults.GRAMMAR`; the
    ones for one server of several are meant for the one of that *number*. *seed* makes them repeatable. *models*
    replaces the files of the model folders it names. *bench* gives the same picture again and again, for next to
    nothing. After `stop`, `start` comes back on the same port with an empty queue and history, and with the saved
    files if *folder* was given, as a real server does.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seconds: float = 0.05,
        load_seconds: float = 0.0,
        folder: Path | None = None,
        faults: Sequence[str] = (),
        seed: int | None = None,
        models: Mapping[str, Sequence[str]] | None = None,
        version: str = "0.33.0",
        vram_gb: float = 24.0,
        bench: bool = False,
        number: int = 1,
        is_own_process: bool = False,
        loop: LoopThread | None = None,
        stock: Stock | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.seconds = seconds
        self.models = model_choices(models)
        self.number = number
        self.version = known_version(version)
        self._load_seconds = load_seconds
        self._folder = folder
        self._faults = Faults(faults, server=number, seed=seed)
        self._vram_gb = vram_gb
        self._stock = (stock or Stock()) if bench else None
        self._is_own_process = is_own_process
        self._loop = loop or LoopThread()
        self._executions = Executions()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """The address clients use, once started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def executions(self) -> list[tuple[str, Graph]]:
        """The (prompt id, graph) of every prompt whose sampler really ran, in order."""
        return [(one.prompt_id, one.graph) for one in self._executions.all()]

    @property
    def timeline(self) -> list[Execution]:
        """The same with their times and how they ended."""
        return self._executions.all()

    def start(self) -> None:
        """Listen and serve; raises OSError if the port is taken."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        listener = socket.create_server((self.host, self.port), family=family)
        self.port = listener.getsockname()[1]
        if self._folder is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="simulator-")
        root = (self._folder or Path(self._temporary.name if self._temporary else "")).resolve()
        folders = Shelf(root, self._stock) if self._stock else Folders(root)
        setting = Setting(
            folders,
            self._faults,
            self._executions,
            self.models,
            self.version,
            self.seconds,
            self._load_seconds,
            self._vram_gb,
            self._is_own_process,
            self._stock,
        )
        self._faults.begin()
        self._loop.hold()
        server = Server(setting, listener)
        try:
            self._loop.run(server.open())
        except BaseException:
            listener.close()
            self._clean_up()
            raise
        self._server = server

    def stop(self) -> None:
        """Drop every connection and whatever was queued or running; safe to call twice."""
        server, self._server = self._server, None
        if server:
            self._loop.run(server.close())
            self._clean_up()

    def restart(self) -> None:
        """Be killed and started again, with the same files; a dead worker lives again."""
        if self._server:
            self._loop.run(self._server.reborn())

    def misbehave(self, *faults: str) -> None:
        """Have more faults from now on."""
        self._faults.add(faults)

    def behave(self) -> None:
        """Have no more faults."""
        self._faults.clear()

    def _clean_up(self) -> None:
        self._loop.let_go()
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
