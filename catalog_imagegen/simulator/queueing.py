"""The routes of queue and history."""

import json

from aiohttp import web

from catalog_imagegen.simulator.answers import answer, body_of
from catalog_imagegen.simulator.desk import Desk


async def get_prompt(desk: Desk, _: web.Request) -> web.Response:
    """Count what is in the queue."""
    return answer({"exec_info": {"queue_remaining": desk.backlog.remaining()}})


async def get_queue(desk: Desk, _: web.Request) -> web.Response:
    """List what runs and what waits."""
    running, pending = desk.backlog.waiting()
    return answer(
        {
            "queue_running": [item.listing() for item in running],
            "queue_pending": [item.listing() for item in pending],
        }
    )


async def post_queue(desk: Desk, request: web.Request) -> web.Response:
    """Clear the queue, or delete some of it."""
    body = await body_of(request)
    if body.get("clear"):
        desk.backlog.clear()
    desk.backlog.delete(body.get("delete", []))
    return web.Response()


async def post_interrupt(desk: Desk, request: web.Request) -> web.Response:
    """Stop what runs, or one prompt if it runs."""
    body = json.loads(await request.read() or "{}")
    desk.backlog.interrupt(body.get("prompt_id"))
    return web.Response()


async def get_history(desk: Desk, request: web.Request) -> web.Response:
    """Show the newest entries, or with an offset the oldest."""
    entries = list(desk.backlog.history().items())
    limit = int(request.query.get("max_items", len(entries)))
    offset = int(request.query.get("offset", -1))
    start = offset if offset >= 0 else max(len(entries) - limit, 0)
    return answer(dict(entries[start : start + limit]))


async def get_one_history(desk: Desk, request: web.Request) -> web.Response:
    """Show one entry, or nothing."""
    prompt_id = request.match_info["prompt_id"]
    history = desk.backlog.history()
    return answer({prompt_id: history[prompt_id]} if prompt_id in history else {})


async def post_history(desk: Desk, request: web.Request) -> web.Response:
    """Clear the history, or delete some of it."""
    body = await body_of(request)
    if body.get("clear"):
        desk.backlog.forget(None)
    desk.backlog.forget(body.get("delete", []))
    return web.Response()


async def post_free(desk: Desk, request: web.Request) -> web.Response:
    """Unload the model; forget cached results if asked to."""
    body = await body_of(request)
    if body.get("unload_models") or body.get("free_memory"):
        desk.engine.free(forget_results=bool(body.get("free_memory")))
    return web.Response()
