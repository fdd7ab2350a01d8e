"""Brings a picture home: downloads, judges, inspects and stores it; bytes first, then the row that names them."""

from __future__ import annotations

import threading

from catalog_imagegen.domain.errors import BackendUnavailable
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.imaging import Render
from catalog_imagegen.domain.job import Attempt, Finished
from catalog_imagegen.pipeline.board import Task
from catalog_imagegen.pipeline.policy import size_of
from catalog_imagegen.pipeline.ports import RenderBackend
from catalog_imagegen.pipeline.settle import render_lease
from catalog_imagegen.pipeline.workshop import Collected, Inspection, Workshop
from catalog_imagegen.stages.quality import judge

DOWNLOADS = 3
"""Times a picture is fetched: a damaged download must not cost a second execution."""
_at_once = threading.BoundedSemaphore(4)
"""Pictures that are decoded at a time, of all servers: more would take memory, and no processor has time for them."""
PLACEHOLDER = b"tEXtcatalog-imagegen\0placeholder"
"""The text chunk by which a simulator marks what it paints."""


def collect(
    task: Task, attempt: Attempt, finished: Finished, *, backend: RenderBackend, shop: Workshop
) -> Collected | Failure:
    """Record the picture of a finished prompt, or say what is wrong with its file. Raises BackendUnavailable.

    Together with the row it is written down whether the picture counts, so that a picture which does not is never taken
    for one that does, whoever dies when.
    """
    size = size_of(task.picture, attempt.shrink)
    found = _download(task, finished, size, backend, shop)
    if isinstance(found, Failure):
        return found
    content, seen = found
    width, height = size
    render = Render(
        render_key=task.picture.render_key,
        digest=shop.blobs.put(content),
        width=width,
        height=height,
        placeholder=shop.is_placeholder,
        look=seen.look,
    )
    kept = shop.ledger.keep_render(
        attempt,
        render,
        finished,
        lease=render_lease(task),
        objection=seen.objection,
    )
    return Collected(kept, seen.objection.stopped if seen.objection else None)


def _download(
    task: Task, finished: Finished, size: tuple[int, int], backend: RenderBackend, shop: Workshop
) -> tuple[bytes, Inspection] | Failure:
    """The bytes of a good file, and what was seen in it. One that does not decode is fetched again: the copy may be bad."""
    width, height = size
    for fetched in range(1, DOWNLOADS + 1):
        content = backend.fetch(finished.file)
        if isinstance(content, Failure):
            return content
        if PLACEHOLDER in content and not shop.is_placeholder:
            raise BackendUnavailable(
                f"{backend.name} has become a simulator; its placeholders are not taken for pictures",
                zh=f"{backend.name} 变成了模拟器；样张不会当作图片使用",
                code="not_comfyui",
            )
        with _at_once:
            judgement = judge(content, width=width, height=height)
            if judgement.image is not None:
                return content, shop.inspect(task.picture, judgement.image)
        defect = judgement.defect or "bad_picture"
        if defect != "bad_picture" or fetched == DOWNLOADS:
            return Failure(defect, judgement.message)
    raise AssertionError("the last download returns")
