"""Brings a picture home: downloads, judges and stores it; bytes first, then the row that names them."""

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
from catalog_imagegen.pipeline.workshop import Workshop
from catalog_imagegen.stages.quality import judge

DOWNLOADS = 3
"""Times a picture is fetched: a damaged download must not cost a second execution."""
_at_once = threading.BoundedSemaphore(4)
"""Pictures that are decoded at a time, of all servers: more would take memory, and no processor has time for them."""
PLACEHOLDER = b"tEXtcatalog-imagegen\0placeholder"
"""The text chunk by which a simulator marks what it paints."""


def collect(
    task: Task, attempt: Attempt, finished: Finished, *, backend: RenderBackend, shop: Workshop
) -> Render | Failure:
    """Record the picture of a finished prompt, or say what is wrong with it. Raises BackendUnavailable."""
    width, height = size_of(task.picture, attempt.shrink)
    content = _download(finished, width, height, backend, is_placeholder=shop.is_placeholder)
    if isinstance(content, Failure):
        return content
    render = Render(
        render_key=task.picture.render_key,
        digest=shop.blobs.put(content),
        width=width,
        height=height,
        placeholder=shop.is_placeholder,
    )
    shop.ledger.keep_render(attempt, render, finished, lease=render_lease(task))
    return render


def _download(
    finished: Finished, width: int, height: int, backend: RenderBackend, *, is_placeholder: bool
) -> bytes | Failure:
    """The bytes of a good picture. One that does not decode is fetched again: the copy may be bad."""
    for fetched in range(1, DOWNLOADS + 1):
        content = backend.fetch(finished.file)
        if isinstance(content, Failure):
            return content
        if PLACEHOLDER in content and not is_placeholder:
            raise BackendUnavailable(
                f"{backend.name} has become a simulator; its placeholders are not taken for pictures",
                zh=f"{backend.name} 变成了模拟器；样张不会当作图片使用",
                code="not_comfyui",
            )
        with _at_once:
            judgement = judge(content, width=width, height=height)
        if judgement.defect is None:
            return content
        if judgement.defect != "bad_picture" or fetched == DOWNLOADS:
            return Failure(judgement.defect, judgement.message)
    raise AssertionError("the last download returns")
