"""ComfyUI's routes, each also under /api, and the simulator's own."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from catalog_imagegen.simulator import describing, jobs, queueing
from catalog_imagegen.simulator.answers import answer, body_of, trouble
from catalog_imagegen.simulator.desk import Desk
from catalog_imagegen.simulator.events import MAX_UPLOAD
from catalog_imagegen.simulator.posting import post_prompt
from catalog_imagegen.simulator.viewing import upload, view

Route = Callable[[Desk, web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
OWN = "/simulator/"


def application(desk: Desk) -> web.Application:
    """Wire every route to its handler."""
    guards = [_misbehave(desk), _refuse_other_origins(desk), _fail_like_comfyui]
    app = web.Application(middlewares=guards, client_max_size=MAX_UPLOAD)
    for method, path, route in _routes(desk):
        paths = [path] if path.startswith(("/api/", OWN)) else [path, f"/api{path}"]
        for each in paths:
            add = (
                app.router.add_get if method == "GET" else app.router.add_post
            )  # a GET route answers HEAD too
            add(each, partial(route, desk))
    app.router.add_get("/{rest:.*}", _not_found)
    return app


def _routes(desk: Desk) -> list[tuple[str, str, Route]]:
    routes: list[tuple[str, str, Route]] = [
        ("GET", "/prompt", queueing.get_prompt),
        ("POST", "/prompt", post_prompt),
        ("GET", "/queue", queueing.get_queue),
        ("POST", "/queue", queueing.post_queue),
        ("POST", "/interrupt", queueing.post_interrupt),
        ("GET", "/history", queueing.get_history),
        ("GET", "/history/{prompt_id}", queueing.get_one_history),
        ("POST", "/history", queueing.post_history),
        ("POST", "/free", queueing.post_free),
        ("GET", "/view", view),
        ("POST", "/upload/image", upload),
        ("GET", "/object_info", describing.object_info),
        ("GET", "/object_info/{name}", describing.object_info),
        ("GET", "/models", describing.models),
        ("GET", "/models/{folder}", describing.models),
        ("GET", "/system_stats", describing.system_stats),
        ("GET", "/features", describing.get_features),
        ("GET", "/ws", _websocket),
        ("GET", f"{OWN}executions", _executions),
        ("POST", f"{OWN}faults", _add_faults),
        ("POST", f"{OWN}restart", _restart),
    ]
    if desk.version.has_jobs:
        routes += [
            ("GET", "/api/jobs", jobs.get_jobs),
            ("GET", "/api/jobs/{prompt_id}", jobs.get_job),
            ("POST", "/api/jobs/cancel", jobs.cancel_jobs),
            ("POST", "/api/jobs/{prompt_id}/cancel", jobs.cancel_job),
        ]
    return routes


def _misbehave(desk: Desk) -> Middleware:
    """Have the faults that may hit any request, but for the simulator's own routes."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(OWN):
            if (silent_s := desk.faults.amount("no-answer")) is not None:
                if not request.content_type.startswith("multipart/"):
                    await request.read()  # what a client sent counts, even if it does not wait for the answer
                await asyncio.sleep(silent_s)
            if desk.faults.take("forbidden"):
                return web.Response(status=403)
        return await handler(request)

    return guard


def _refuse_other_origins(desk: Desk) -> Middleware:
    """Answer 403 to what a browser sends from another site, as a server on loopback does."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = urlsplit(request.headers.get("Origin", "")).netloc
        if origin and origin != request.host and urlsplit(f"//{request.host}").hostname in LOOPBACK:
            return web.Response(status=403)
        is_cross_site = request.headers.get("Sec-Fetch-Site") == "cross-site"
        if is_cross_site and desk.version.refuses_cross_site:
            return web.Response(status=403)
        return await handler(request)

    return guard


@web.middleware
async def _fail_like_comfyui(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request no real handler can make sense of with the plain 500 they all give."""
    try:
        return await handler(request)
    except (ValueError, TypeError, AttributeError, KeyError):
        return trouble()
    except ConnectionError:
        return web.Response()  # nobody is there to read it


async def _not_found(_: web.Request) -> web.Response:
    return web.Response(status=404)


async def _websocket(desk: Desk, request: web.Request) -> web.StreamResponse:
    if (status := desk.faults.amount("ws-absent")) is not None:
        return web.Response(status=int(status))
    is_deaf = desk.faults.take("ws-deaf")
    return await desk.hub.serve(request, greeting=partial(_greeting, desk), is_deaf=is_deaf)


def _greeting(desk: Desk, sid: str) -> list[tuple[str, dict[str, Any]]]:
    messages: list[tuple[str, dict[str, Any]]] = [("status", desk.status() | {"sid": sid})]
    running = desk.engine.now_executing
    if running and running[0] == sid:
        messages.append(("executing", {"node": running[1]}))
    return messages


async def _executions(desk: Desk, _: web.Request) -> web.Response:
    return answer(desk.owner.told())


async def _add_faults(desk: Desk, request: web.Request) -> web.Response:
    """Have more faults from now on; {"clear": true} forgets the ones before."""
    body = await body_of(request)
    try:
        if body.get("clear"):
            desk.faults.clear()
        desk.faults.add(body.get("faults", []))
    except ValueError as error:
        return answer({"error": str(error)}, HTTPStatus.BAD_REQUEST)
    return web.Response()


async def _restart(desk: Desk, request: web.Request) -> web.Response:
    """Be killed and started again, right after this answer."""
    body = await body_of(request) if request.can_read_body else {}
    desk.owner.restart(float(body.get("down_s", 0)))
    return web.Response()
