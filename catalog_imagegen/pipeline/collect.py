"""Brings a picture home: downloads, judges, inspects and stores it; bytes first, then the row that names them."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from PIL import Image

from catalog_imagegen.domain.errors import BackendUnavailable, PhotoError
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.imaging import Render, Wanted
from catalog_imagegen.domain.job import Attempt, Finished
from catalog_imagegen.pipeline.board import Task
from catalog_imagegen.pipeline.policy import size_of
from catalog_imagegen.pipeline.ports import RenderBackend
from catalog_imagegen.pipeline.settle import render_lease
from catalog_imagegen.pipeline.workshop import Collected, Inspection, Workshop
from catalog_imagegen.stages.prompt import drawn
from catalog_imagegen.stages.quality import judge

log = logging.getLogger(__name__)

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
    scene = _scene(task.picture, found, size, shop)
    seen = found.seen
    kept = shop.ledger.keep_render(
        attempt,
        _render(task.picture, found, size, shop) if found.composite or scene is None else scene,
        finished,
        scene=scene,
        lease=render_lease(task),
        objection=seen.objection,
    )
    if scene is not None and not found.composite:
        return Collected("retaken")  # the next plan makes the picture of it
    return Collected(kept, seen.objection.stopped if seen.objection else None)


@dataclass(frozen=True, slots=True)
class _Found:
    """A good file and what was seen in it."""

    content: bytes
    seen: Inspection
    composite: bytes = b""
    """The same with the product in it, where the file is a scene."""


def _render(picture: Wanted, found: _Found, size: tuple[int, int], shop: Workshop) -> Render:
    width, height = size
    return Render(
        render_key=picture.render_key,
        digest=shop.blobs.put(found.composite or found.content),
        width=width,
        height=height,
        placeholder=shop.is_placeholder,
        look=found.seen.look,
        origin="composite" if found.composite else "generated",
        has_text=bool(drawn(picture.prompt.positive)),
        fidelity=found.seen.fidelity,
        doubt=found.seen.doubt or picture.doubt,
    )


def _scene(picture: Wanted, found: _Found, size: tuple[int, int], shop: Workshop) -> Render | None:
    """What the server made for a composite: with another photo it need not be rendered again."""
    if picture.from_photo is None or picture.from_photo.scene_key is None:
        return None
    key, (width, height) = picture.from_photo.scene_key, size
    return Render(key, shop.blobs.put(found.content), width, height, shop.is_placeholder, origin="scene")


def _download(
    task: Task, finished: Finished, size: tuple[int, int], backend: RenderBackend, shop: Workshop
) -> _Found | Failure:
    """A good file, and what was seen in it. One that does not decode is fetched again: the copy may be bad."""
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
                return _looked_at(task.picture, content, judgement.image, shop)
        defect = judgement.defect or "bad_picture"
        if defect != "bad_picture" or fetched == DOWNLOADS:
            return Failure(defect, judgement.message)
    raise AssertionError("the last download returns")


def _looked_at(picture: Wanted, content: bytes, image: Image.Image, shop: Workshop) -> _Found:
    """The product comes into its scene before anybody looks; where its photo is lost, the scene is kept for the next run."""
    if picture.from_photo is None or shop.studio is None:
        return _Found(content, shop.inspect(picture, image))
    try:
        image, composite = shop.studio.in_scene(picture, image)
    except PhotoError as error:
        log.warning("%s %s: %s", picture.sku, picture.key.role, error)
        return _Found(content, Inspection())
    return _Found(content, shop.inspect(picture, image), composite)
