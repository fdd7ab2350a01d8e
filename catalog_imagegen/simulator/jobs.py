"""The /api/jobs view of queue and history."""

import uuid
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from catalog_imagegen.simulator.answers import answer, body_of
from catalog_imagegen.simulator.desk import Desk

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")


async def get_jobs(desk: Desk, request: web.Request) -> web.Response:
    """List the jobs of some statuses, or of one workflow id."""
    query = request.query
    wanted = [status for status in query.get("status", "").split(",") if status] or list(STATUSES)
    unknown = [status for status in wanted if status not in STATUSES]
    if unknown:
        names = ", ".join(STATUSES)
        message = f"Invalid status value(s): {', '.join(unknown)}. Valid values: {names}"
        return answer({"error": message}, 400)
    found = [brief(job) for job in _all_jobs(desk) if job["status"] in wanted]
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
    return answer({"jobs": shown, "pagination": page})


async def get_job(desk: Desk, request: web.Request) -> web.Response:
    """Show one job whole."""
    for job in _all_jobs(desk):
        if job["id"] == request.match_info["prompt_id"]:
            return answer(job)
    return answer({"error": "Job not found"}, 404)


async def cancel_job(desk: Desk, request: web.Request) -> web.Response:
    """Interrupt or delete one job."""
    return answer({"cancelled": _cancel(desk, request.match_info["prompt_id"])})


async def cancel_jobs(desk: Desk, request: web.Request) -> web.Response:
    """Interrupt or delete several jobs."""
    prompt_ids = (await body_of(request))["job_ids"]
    invalid = [prompt_id for prompt_id in prompt_ids if not _is_uuid(prompt_id)]
    if invalid:
        return answer({"error": "job_ids contains invalid id(s)", "invalid_ids": invalid}, 400)
    cancelled = [_cancel(desk, prompt_id) for prompt_id in prompt_ids]
    return answer({"cancelled": any(cancelled)})


def _cancel(desk: Desk, prompt_id: str) -> bool:
    return desk.backlog.interrupt(prompt_id) or desk.backlog.delete([prompt_id])


def _is_uuid(text: Any) -> bool:
    try:
        return isinstance(text, str) and bool(uuid.UUID(text))
    except ValueError:
        return False


def _all_jobs(desk: Desk) -> list[Any]:
    running, pending = desk.backlog.waiting()
    return jobs(
        [item.listing() for item in running],
        [item.listing() for item in pending],
        desk.backlog.history().values(),
    )


def jobs(running: Iterable[list[Any]], pending: Iterable[list[Any]], history: Iterable[Any]) -> list[Any]:
    """Summarise every prompt known, newest first, whole: callers cut what a listing does not show."""
    found = [_waiting(listing, "in_progress") for listing in running]
    found += [_waiting(listing, "pending") for listing in pending]
    found += [_done(entry) for entry in history]
    return sorted(found, key=lambda job: (job["create_time"], job["priority"]), reverse=True)


def brief(job: dict[str, Any]) -> dict[str, Any]:
    """Leave out what only the single job shows."""
    return {key: job[key] for key in job if key not in {"outputs", "execution_status", "workflow"}}


def _waiting(listing: list[Any], status: str) -> dict[str, Any]:
    number, prompt_id, _, extra_data, _ = listing
    job = {
        "id": prompt_id,
        "status": status,
        "priority": number,
        "create_time": extra_data.get("create_time"),
        "outputs_count": 0,
        "previewable_outputs_count": 0,
    }
    workflow = extra_data.get("extra_pnginfo", {}).get("workflow", {})
    return job | ({"workflow_id": workflow["id"]} if "id" in workflow else {})


def _done(entry: dict[str, Any]) -> dict[str, Any]:
    status = entry["status"]
    messages = dict(status["messages"])
    state = (
        "completed"
        if status["completed"]
        else "cancelled"
        if "execution_interrupted" in messages
        else "failed"
    )
    images = [
        image | {"nodeId": node, "mediaType": "images"}
        for node, output in entry["outputs"].items()
        for image in output["images"]
    ]
    job = _waiting(entry["prompt"], state)
    job |= {
        "execution_start_time": messages["execution_start"]["timestamp"],
        "execution_end_time": status["messages"][-1][1]["timestamp"],
        "outputs_count": len(images),
        "previewable_outputs_count": len(images),
        "outputs": entry["outputs"],
        "execution_status": status,
        "workflow": {"prompt": entry["prompt"][2], "extra_data": entry["prompt"][3]},
    }
    if images:
        job["preview_output"] = next((image for image in images if image["type"] == "output"), images[0])
    if "execution_error" in messages:
        job["execution_error"] = messages["execution_error"]
    return job
