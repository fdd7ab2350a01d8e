"""Websocket clients and the one publisher that tells them what happens."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

FEATURES: dict[str, Any] = {
    "supports_preview_metadata": True,
    "supports_model_type_tags": True,
    "max_upload_size": 104857600,
    "extension": {"manager": {"supports_v4": True}},
    "node_replacements": True,
    "assets": False,
}


class Hub:
    """Sends events to one client or to all; one slow reader holds up everybody, as on a real server."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._messages: asyncio.Queue[tuple[str, dict[str, Any], str | None]] = asyncio.Queue()
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._transports: set[asyncio.Transport] = set()
        self._publisher = self._loop.create_task(self._publish())

    def send(self, event: str, data: dict[str, Any], client_id: str | None = None) -> None:
        """Queue an event for *client_id*, or for everybody; may be called from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server is gone and nobody listens
            self._loop.call_soon_threadsafe(self._messages.put_nowait, (event, data, client_id))

    async def _publish(self) -> None:
        while True:
            event, data, client_id = await self._messages.get()
            for sid, socket in list(self._sockets.items()):
                if client_id in {None, sid}:
                    with contextlib.suppress(ConnectionError):
                        await socket.send_str(json.dumps({"type": event, "data": data}))

    async def serve(
        self,
        request: web.Request,
        *,
        greeting: Callable[[str], list[tuple[str, dict[str, Any]]]],
    ) -> web.WebSocketResponse:
        """Keep one client connected, first telling it the messages of *greeting* for its id."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sid = request.query.get("clientId") or uuid.uuid4().hex
        if request.transport:
            self._transports.add(request.transport)
        self._sockets[sid] = socket
        try:
            for event, data in greeting(sid):
                await socket.send_str(json.dumps({"type": event, "data": data}))
            async for message in socket:
                if message.type == WSMsgType.TEXT and _is_feature_flags(message.data):
                    await socket.send_str(json.dumps({"type": "feature_flags", "data": FEATURES}))
        except ConnectionError:
            pass  # the client went away while it was being greeted
        finally:
            # By id, not by socket: a real server too goes deaf to a second socket that took this id over.
            self._sockets.pop(sid, None)
            if request.transport:
                self._transports.discard(request.transport)
        return socket

    async def close(self) -> None:
        """Drop every client without a close frame, as a killed server does."""
        self._publisher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._publisher
        for transport in list(self._transports):
            transport.abort()


def _is_feature_flags(text: str) -> bool:
    try:
        message = json.loads(text)
    except ValueError:
        return False
    return isinstance(message, dict) and message.get("type") == "feature_flags"
