"""The /api/jobs view of queue and history."""

from collections.abc import Iterable
from typing import Any

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")


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
