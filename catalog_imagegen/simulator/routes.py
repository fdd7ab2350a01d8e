"""The HTTP side: ComfyUI's routes, each also under /api."""

import json
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from catalog_imagegen.simulator import jobs
from catalog_imagegen.simulator.desk import Desk, accept
from catalog_imagegen.simulator.events import FEATURES
from catalog_imagegen.simulator.nodes import describe
from catalog_imagegen.simulator.viewing import upload, view

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
VERSION = "0.33.0"
GIB = 2**30


def application(desk: Desk) -> web.Application:
    """Wire every route to its handler."""
    app = web.Application(
        middlewares=[_refuse_other_origins, _fail_like_comfyui], client_max_size=FEATURES["max_upload_size"]
    )
    for method, path, handler in _routes(desk):
        paths = [path] if path.startswith("/api/") else [path, f"/api{path}"]
        for each in paths:
            app.router.add_route(method, each, _as_coroutine(handler))
    app.router.add_get("/simulator/executions", _executions(desk))
    app.router.add_get("/{rest:.*}", _not_found)
    return app


def _as_coroutine(handler: Handler) -> Handler:
    """Wrap *handler* for aiohttp, which takes `async def` only."""

    async def bound(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    return bound


def _routes(desk: Desk) -> list[tuple[str, str, Handler]]:
    return [
        ("GET", "/prompt", lambda _: _json({"exec_info": {"queue_remaining": desk.backlog.remaining()}})),
        ("POST", "/prompt", lambda request: _post_prompt(desk, request)),
        ("GET", "/queue", lambda _: _get_queue(desk)),
        ("POST", "/queue", lambda request: _post_queue(desk, request)),
        ("POST", "/interrupt", lambda request: _post_interrupt(desk, request)),
        ("GET", "/history", lambda request: _get_history(desk, request)),
        ("GET", "/history/{prompt_id}", lambda request: _get_one_history(desk, request)),
        ("POST", "/history", lambda request: _post_history(desk, request)),
        ("GET", "/view", lambda request: view(request, desk.folders, desk.faults)),
        ("POST", "/upload/image", lambda request: upload(request, desk.folders)),
        ("GET", "/object_info", lambda request: _object_info(desk, request)),
        ("GET", "/object_info/{name}", lambda request: _object_info(desk, request)),
        ("GET", "/models", lambda _: _json(list(desk.models))),
        ("GET", "/models/{folder}", lambda request: _models(desk, request)),
        ("GET", "/system_stats", lambda _: _json(_system_stats())),
        ("GET", "/features", lambda _: _json(FEATURES)),
        ("POST", "/free", lambda request: _post_free(desk, request)),
        ("GET", "/ws", lambda request: desk.hub.serve(request, greeting=lambda sid: _greeting(desk, sid))),
        ("GET", "/api/jobs", lambda request: _get_jobs(desk, request)),
        ("GET", "/api/jobs/{prompt_id}", lambda request: _get_job(desk, request)),
        ("POST", "/api/jobs/{prompt_id}/cancel", lambda request: _cancel_job(desk, request)),
    ]


@web.middleware
async def _refuse_other_origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to what a browser sends from another site, as a server on loopback does."""
    origin = urlsplit(request.headers.get("Origin", "")).netloc
    if origin and origin != request.host and urlsplit(f"//{request.host}").hostname in LOOPBACK:
        return web.Response(status=403)
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return web.Response(status=403)
    return await handler(request)


@web.middleware
async def _fail_like_comfyui(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request no real handler can make sense of with the plain 500 they all give."""
    try:
        return await handler(request)
    except (ValueError, TypeError, AttributeError, KeyError):
        return trouble()


def trouble() -> web.Response:
    """Give the plain 500 of an unhandled exception."""
    return web.Response(status=500, text="500 Internal Server Error\n\nServer got itself in trouble")


async def _not_found(_: web.Request) -> web.Response:
    return web.Response(status=404)


async def _json(body: Any, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


async def _body(request: web.Request) -> Any:
    return json.loads(await request.read())


def _executions(desk: Desk) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        done = desk.executions()
        return web.json_response([{"prompt_id": prompt_id, "graph": graph} for prompt_id, graph in done])

    return handler


def _greeting(desk: Desk, sid: str) -> list[tuple[str, dict[str, Any]]]:
    messages: list[tuple[str, dict[str, Any]]] = [("status", desk.status() | {"sid": sid})]
    running = desk.engine.now_executing
    if running and running[0] == sid:
        messages.append(("executing", {"node": running[1]}))
    return messages


async def _post_prompt(desk: Desk, request: web.Request) -> web.StreamResponse:
    raw = await request.read()
    if desk.faults.take("reset"):
        return _hang_up(request, reset=True)
    if desk.faults.take("http-500"):
        return trouble()
    status, answer = accept(desk, json.loads(raw))
    if status == HTTPStatus.OK and desk.faults.take("lose-reply"):
        return _hang_up(request)
    return await _json(answer, status)


def _hang_up(request: web.Request, *, reset: bool = False) -> web.Response:
    """Drop the connection instead of answering; with *reset* the peer gets an RST."""
    if request.transport:
        if reset:
            linger = struct.pack("ii", 1, 0)  # on, 0 s: closing discards and resets
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.transport.abort()
    return web.Response()


async def _get_queue(desk: Desk) -> web.Response:
    running, pending = desk.backlog.waiting()
    return await _json(
        {
            "queue_running": [item.listing() for item in running],
            "queue_pending": [item.listing() for item in pending],
        }
    )


async def _post_queue(desk: Desk, request: web.Request) -> web.Response:
    body = await _body(request)
    if body.get("clear"):
        desk.backlog.clear()
    desk.backlog.delete(body.get("delete", []))
    return web.Response()


async def _post_interrupt(desk: Desk, request: web.Request) -> web.Response:
    body = json.loads(await request.read() or "{}")
    desk.backlog.interrupt(body.get("prompt_id"))
    return web.Response()


async def _get_history(desk: Desk, request: web.Request) -> web.Response:
    entries = list(desk.backlog.history().items())
    limit = int(request.query.get("max_items", len(entries)))
    offset = int(request.query.get("offset", -1))
    start = offset if offset >= 0 else max(len(entries) - limit, 0)
    return await _json(dict(entries[start : start + limit]))


async def _get_one_history(desk: Desk, request: web.Request) -> web.Response:
    prompt_id = request.match_info["prompt_id"]
    history = desk.backlog.history()
    return await _json({prompt_id: history[prompt_id]} if prompt_id in history else {})


async def _post_history(desk: Desk, request: web.Request) -> web.Response:
    body = await _body(request)
    if body.get("clear"):
        desk.backlog.forget(None)
    desk.backlog.forget(body.get("delete", []))
    return web.Response()


async def _object_info(desk: Desk, request: web.Request) -> web.Response:
    wanted = request.match_info.get("name")
    classes = desk.classes()
    found = {name: describe(name, node) for name, node in classes.items() if wanted in {None, name}}
    return await _json(found)


async def _models(desk: Desk, request: web.Request) -> web.Response:
    files = desk.models.get(request.match_info["folder"])
    return web.Response(status=404) if files is None else await _json(sorted(files))


async def _post_free(desk: Desk, request: web.Request) -> web.Response:
    body = await _body(request)
    if body.get("unload_models") or body.get("free_memory"):
        desk.engine.free(forget_results=bool(body.get("free_memory")))
    return web.Response()


def _system_stats() -> dict[str, Any]:
    memory = {
        "vram_total": 24 * GIB,
        "vram_free": 20 * GIB,
        "torch_vram_total": 24 * GIB,
        "torch_vram_free": 20 * GIB,
    }
    return {
        "system": {
            "os": "linux",
            "ram_total": 32 * GIB,
            "ram_free": 24 * GIB,
            "comfyui_version": VERSION,
            "simulator": "catalog-imagegen",
            "python_version": sys.version,
            "pytorch_version": "simulated",
            "embedded_python": False,
            "argv": [],
        },
        "devices": [{"name": "simulated", "type": "cpu", "index": None, **memory}],
    }


def _all_jobs(desk: Desk) -> list[Any]:
    running, pending = desk.backlog.waiting()
    return jobs.jobs(
        [item.listing() for item in running],
        [item.listing() for item in pending],
        desk.backlog.history().values(),
    )


async def _get_jobs(desk: Desk, request: web.Request) -> web.Response:
    query = request.query
    wanted = [status for status in query.get("status", "").split(",") if status] or list(jobs.STATUSES)
    unknown = [status for status in wanted if status not in jobs.STATUSES]
    if unknown:
        names = ", ".join(jobs.STATUSES)
        message = f"Invalid status value(s): {', '.join(unknown)}. Valid values: {names}"
        return await _json({"error": message}, 400)
    found = [jobs.brief(job) for job in _all_jobs(desk) if job["status"] in wanted]
    if "workflow_id" in query:
        found = [job for job in found if job.get("workflow_id") == query["workflow_id"]]
    if query.get("sort_order") == "asc":
        found.reverse()
    offset = int(query.get("offset", 0))
    limit = int(query["limit"]) if "limit" in query else None
    shown = found[offset:] if limit is None else found[offset : offset + limit]
    page = {
        "offset": offset,
        "limit": limit,
        "total": len(found),
        "has_more": offset + len(shown) < len(found),
    }
    return await _json({"jobs": shown, "pagination": page})


async def _get_job(desk: Desk, request: web.Request) -> web.Response:
    for job in _all_jobs(desk):
        if job["id"] == request.match_info["prompt_id"]:
            return await _json(job)
    return await _json({"error": "Job not found"}, 404)


async def _cancel_job(desk: Desk, request: web.Request) -> web.Response:
    prompt_id = request.match_info["prompt_id"]
    cancelled = desk.backlog.interrupt(prompt_id) or desk.backlog.delete([prompt_id])
    return await _json({"cancelled": cancelled})
