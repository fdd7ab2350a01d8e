"""One server on a running event loop, through all the lives that its faults leave it."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from catalog_imagegen.simulator.backlog import Backlog
from catalog_imagegen.simulator.desk import Desk
from catalog_imagegen.simulator.engine import Engine
from catalog_imagegen.simulator.events import Hub
from catalog_imagegen.simulator.executions import Executions
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import Folders
from catalog_imagegen.simulator.routes import application
from catalog_imagegen.simulator.sampling import Machine
from catalog_imagegen.simulator.stock import Stock
from catalog_imagegen.simulator.values import Clock
from catalog_imagegen.simulator.versions import Version


@dataclass(frozen=True)
class Setting:
    """What stays the same through all lives of a server."""

    folders: Folders
    faults: Faults
    executions: Executions
    models: dict[str, list[str]]
    version: Version
    seconds: float
    load_seconds: float
    vram_gb: float
    may_exit: bool
    stock: Stock | None


class Server:
    """Listens on one address; every life starts with an empty queue and history and the files there are."""

    def __init__(self, setting: Setting, listener: socket.socket) -> None:
        self._setting = setting
        self._listener = listener
        self._life: _Life | None = None
        self._rebirth: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to serve."""
        self._life = _Life(self._setting, self)
        await self._life.begin(self._listener)

    async def close(self) -> None:
        """Drop every connection and whatever was queued or running."""
        if self._rebirth:
            self._rebirth.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._rebirth
        await self._end_life()
        self._listener.close()

    def die(self, down_s: float) -> None:
        """Be killed right now and come back after *down_s*; nobody can connect meanwhile."""
        if self._rebirth is None or self._rebirth.done():
            self._rebirth = asyncio.get_running_loop().create_task(self.reborn(down_s))

    async def reborn(self, down_s: float = 0) -> None:
        """Be killed right now and live again when this ends, after *down_s*."""
        await self._end_life()
        if down_s:
            family, address = self._listener.family, self._listener.getsockname()
            self._listener.close()
            await asyncio.sleep(down_s)
            self._listener = socket.create_server(address[:2], family=family)
        await self.open()

    async def _end_life(self) -> None:
        life, self._life = self._life, None
        if life:
            await life.end()

    # What tests may ask for over HTTP

    def told(self) -> list[dict[str, Any]]:
        """Describe every execution."""
        return self._setting.executions.told()

    def restart(self, down_s: float = 0) -> None:
        """Be killed and started again, once the answer is out."""
        asyncio.get_running_loop().call_later(0.01, self.die, down_s)


class _Life:
    """All that a restart loses."""

    def __init__(self, setting: Setting, server: Server) -> None:
        setting.folders.create()
        self.hub = Hub(setting.version)
        backlog = Backlog(changed=lambda: self.hub.send("status", self.desk.status()))
        machine = Machine(
            setting.folders,
            setting.faults,
            Clock(lambda: sum(setting.faults.standing("skewed-clock"))),
            setting.seconds,
            setting.load_seconds,
            setting.may_exit,
            setting.stock,
            drop_sockets=self.hub.drop,
            stall_sockets=self.hub.stall,
        )
        engine = Engine(machine, backlog, self.hub, setting.version, setting.executions, die=server.die)
        self.desk = Desk(
            machine, setting.models, backlog, engine, self.hub, setting.version, setting.vram_gb, server
        )
        self._runner = web.AppRunner(application(self.desk), access_log=None, shutdown_timeout=0.1)
        self._worker: asyncio.Task[None] | None = None

    async def begin(self, listener: socket.socket) -> None:
        """Serve on a copy of *listener*, so that connections wait while one life follows another."""
        await self._runner.setup()
        await web.SockSite(self._runner, listener.dup()).start()
        self._worker = asyncio.get_running_loop().create_task(self.desk.engine.work())

    async def end(self) -> None:
        """Fall silent in the middle of everything."""
        if self._worker:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
        await self.hub.close()
        if self._runner.server:
            for connection in self._runner.server.connections:
                if connection.transport:
                    connection.transport.abort()
        await self._runner.cleanup()
