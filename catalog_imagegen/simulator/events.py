"""Websocket clients and the one publisher that tells them what happens."""

import asyncio
import contextlib
import json
import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from catalog_imagegen.simulator.versions import Version

PREVIEW, PREVIEW_WITH_METADATA = 1, 4  # kinds of binary messages
JPEG = 1
MAX_UPLOAD = 104857600


def features(version: Version) -> dict[str, Any]:
    """Say what the server can do, as /features and the websocket do."""
    told: dict[str, Any] = {"supports_preview_metadata": True, "max_upload_size": MAX_UPLOAD}
    if version.has_jobs:
        told |= {
            "supports_model_type_tags": True,
            "extension": {"manager": {"supports_v4": True}},
            "node_replacements": True,
            "assets": False,
        }
    return told


@dataclass
class _Listener:
    """One connected client."""

    socket: web.WebSocketResponse
    wants_metadata: bool = False
    is_deaf: bool = False


class Hub:
    """Sends events to one client or to all; one slow reader holds up everybody, as on a real server."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._messages: asyncio.Queue[tuple[str, Any, str | None]] = asyncio.Queue()
        self._listeners: dict[str, _Listener] = {}
        self._transports: set[asyncio.Transport] = set()
        self._stalled = 0.0
        self._publisher = asyncio.get_running_loop().create_task(self._publish())

    def send(self, event: str, data: dict[str, Any], client_id: str | None = None) -> None:
        """Queue an event for *client_id*, or for everybody."""
        if self._listeners:
            self._messages.put_nowait((event, data, client_id))

    def preview(self, jpeg: bytes, metadata: dict[str, Any], client_id: str | None) -> None:
        """Queue a preview; who asked for it gets *metadata* along."""
        if self._listeners:
            self._messages.put_nowait(("preview", (jpeg, metadata), client_id))

    def wants_metadata(self, client_id: str | None) -> bool:
        """Say whether *client_id* asked for previews with metadata."""
        listener = self._listeners.get(client_id or "")
        return listener is not None and listener.wants_metadata

    def stall(self, seconds: float) -> None:
        """Tell nobody anything for *seconds*."""
        self._stalled = seconds

    async def _publish(self) -> None:
        while True:
            event, data, client_id = await self._messages.get()
            stalled, self._stalled = self._stalled, 0.0
            await asyncio.sleep(stalled)
            text = "" if event == "preview" else json.dumps({"type": event, "data": data})
            for sid, listener in list(self._listeners.items()):
                if client_id in {None, sid} and not listener.is_deaf:
                    with contextlib.suppress(ConnectionError):
                        if text:
                            await listener.socket.send_str(text)
                        else:
                            await listener.socket.send_bytes(_frame(*data, described=listener.wants_metadata))

    async def serve(
        self,
        request: web.Request,
        *,
        greeting: Callable[[str], list[tuple[str, dict[str, Any]]]],
        is_deaf: bool = False,
    ) -> web.WebSocketResponse:
        """Keep one client connected, first telling it the messages of *greeting* for its id."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sid = request.query.get("clientId") or uuid.uuid4().hex
        if request.transport:
            self._transports.add(request.transport)
        listener = self._listeners[sid] = _Listener(socket, is_deaf=is_deaf)
        try:
            for event, data in greeting(sid):
                await socket.send_str(json.dumps({"type": event, "data": data}))
            async for message in socket:
                if message.type == WSMsgType.TEXT and (flags := _feature_flags(message.data)) is not None:
                    listener.wants_metadata = bool(flags.get("supports_preview_metadata"))
                    if not is_deaf:
                        answer = {"type": "feature_flags", "data": features(self._version)}
                        await socket.send_str(json.dumps(answer))
        except ConnectionError:
            pass  # the client went away while it was being greeted
        finally:
            # By id, not by socket: a real server too goes deaf to a second socket that took this id over.
            self._listeners.pop(sid, None)
            if request.transport:
                self._transports.discard(request.transport)
        return socket

    def drop(self) -> None:
        """Cut every client off without a close frame, as a killed server does."""
        for transport in list(self._transports):
            transport.abort()

    async def close(self) -> None:
        """Cut every client off and publish no more."""
        self._publisher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._publisher
        self.drop()


def _frame(jpeg: bytes, metadata: dict[str, Any], *, described: bool) -> bytes:
    if not described:
        return struct.pack(">II", PREVIEW, JPEG) + jpeg
    told = json.dumps(metadata).encode()
    return struct.pack(">II", PREVIEW_WITH_METADATA, len(told)) + told + jpeg


def _feature_flags(text: str) -> dict[str, Any] | None:
    try:
        message = json.loads(text)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.get("type") != "feature_flags":
        return None
    data = message.get("data")
    return data if isinstance(data, dict) else {}
