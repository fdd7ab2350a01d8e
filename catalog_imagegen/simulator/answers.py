"""What answers have in common."""

import json
from typing import Any

from aiohttp import web


def answer(body: Any, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.json_response(body, status=status)


async def body_of(request: web.Request) -> Any:
    """Read a JSON body; raises ValueError for none."""
    return json.loads(await request.read())


def trouble() -> web.Response:
    """Give the plain 500 of an unhandled exception."""
    return web.Response(status=500, text="500 Internal Server Error\n\nServer got itself in trouble")
