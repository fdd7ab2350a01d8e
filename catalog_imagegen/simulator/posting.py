"""POST /prompt, and what may go wrong with it on the way."""

import json
import socket
import struct
from http import HTTPStatus

from aiohttp import web

from catalog_imagegen.simulator.answers import answer, trouble
from catalog_imagegen.simulator.desk import Desk, accept, blame
from catalog_imagegen.simulator.events import MAX_UPLOAD
from catalog_imagegen.simulator.validation import refusal


async def post_prompt(desk: Desk, request: web.Request) -> web.StreamResponse:
    """Accept a prompt, or suffer what is due."""
    raw = await request.read()
    if mishap := _before(desk, request, raw):
        return mishap
    status, body = accept(desk, json.loads(raw))
    if status == HTTPStatus.OK and desk.faults.take("lose-reply"):
        return hang_up(request)
    return answer(body, status)


def _before(desk: Desk, request: web.Request, raw: bytes) -> web.Response | None:
    """Give what keeps a prompt from being accepted, if anything does."""
    faults = desk.faults
    if faults.take("reset"):
        return hang_up(request, reset=True)
    if faults.take("http-500"):
        return trouble()
    if faults.take("too-large"):
        text = f"Maximum request body size {MAX_UPLOAD} exceeded."
        return web.Response(status=413, text=text)
    if faults.take("refuse-400"):
        graph = json.loads(raw)["prompt"]
        error = refusal("prompt_outputs_failed_validation", "Prompt outputs failed validation")
        return answer({"error": error, "node_errors": blame(graph, next(iter(graph)))}, 400)
    return None


def hang_up(request: web.Request, *, reset: bool = False) -> web.Response:
    """Drop the connection instead of answering; with *reset* the peer gets an RST."""
    if request.transport:
        if reset:
            linger = struct.pack("ii", 1, 0)  # on, 0 s: closing discards and resets
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.transport.abort()
    return web.Response()
