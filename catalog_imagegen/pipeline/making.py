"""Makes pictures of photos here, beside the rendering: cut-outs, and composites whose scenes are there already."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from catalog_imagegen.domain.errors import PhotoError
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import Render, Wanted
from catalog_imagegen.pipeline.studio import Studio
from catalog_imagegen.pipeline.workshop import Inspection, Made, Workshop
from catalog_imagegen.stages.label import UNREADABLE
from catalog_imagegen.stages.prompt import drawn
from catalog_imagegen.stages.rendition import open_render

log = logging.getLogger(__name__)


@contextmanager
def making(pictures: Sequence[Wanted], shop: Workshop, stop: threading.Event) -> Iterator[Sequence[Made]]:
    """Make these pictures while the block runs; when it is left, what was given has become of all, or of those until *stop*.

    Each is recorded as soon as its bytes are stored: whoever dies, nothing is lost, and made twice is the same twice.
    """
    made: list[Made] = []
    with ThreadPoolExecutor(1, thread_name_prefix="studio") as worker:
        done = worker.submit(_make_all, pictures, shop, stop, made) if pictures else None
        try:
            yield made
        except BaseException:
            stop.set()
            raise
        if done is not None:
            done.result()


def _make_all(pictures: Sequence[Wanted], shop: Workshop, stop: threading.Event, made: list[Made]) -> None:
    for picture in pictures:
        if stop.is_set():
            return
        if (each := _make(picture, shop)) is not None:
            made.append(each)
            shop.on_made(each)


def _make(picture: Wanted, shop: Workshop) -> Made | None:
    """What became of a picture; None where the next run must see to it.

    Its photo or scene may be lost, so that the next plan looks again, or a gate asks for another scene.
    """
    how, studio = picture.from_photo, shop.studio
    assert how is not None and studio is not None  # noqa: S101, PT018 - only such pictures come here
    try:
        if how.scene_key is None:
            render, seen = _cutout(picture, studio, shop), Inspection()
        else:
            render, seen = _composite(picture, how.scene_key, studio, shop)
    except (PhotoError, *UNREADABLE) as error:  # one photo must not take the others along
        log.warning("%s %s: %s", picture.sku, picture.key.role, error)
        return None
    kept = shop.ledger.keep_made(picture.key, render, of=how.scene_key, objection=seen.objection)
    if kept == "retaken":
        return None
    stopped = seen.objection.stopped if seen.objection else None
    return Made(picture, "blocked", stopped=stopped) if kept == "blocked" else Made(picture, "rendered")


def _cutout(picture: Wanted, studio: Studio, shop: Workshop) -> Render:
    content, size = studio.on_white(picture)
    return Render(picture.render_key, shop.blobs.put(content), *size, origin="photo", has_text=False)


def _composite(
    picture: Wanted, scene_key: Fingerprint, studio: Studio, shop: Workshop
) -> tuple[Render, Inspection]:
    scene = shop.ledger.renders([scene_key])[scene_key]
    image, content = studio.in_scene(picture, open_render(shop.blobs.get(scene.digest)))
    seen = shop.inspect(picture, image)
    render = Render(
        picture.render_key,
        shop.blobs.put(content),
        *image.size,
        placeholder=scene.placeholder,
        look=seen.look,
        origin="composite",
        has_text=bool(drawn(picture.prompt.positive)),
    )
    return render, seen
