"""Renders a picture again from what was recorded of it, and compares."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError, ItemError
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import Digest, digest
from catalog_imagegen.domain.imaging import Render
from catalog_imagegen.domain.job import Attempt, Ended, Finished
from catalog_imagegen.pipeline.ports import BlobStore, Ledger, RenderBackend
from catalog_imagegen.pipeline.send import FULL_S, place_names, provided
from catalog_imagegen.stages.recipe import Recipe, file_prefix, parse_recipe, renamed

LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A picture that was made again."""

    original: Render
    """What the server gave; the scene, where the picture is a composite."""
    attempt: Attempt
    """The submission that made the original."""
    server: str
    content: bytes

    @property
    def is_same(self) -> bool:
        """Whether it has the original's bytes, metadata and all."""
        return digest(self.content) == self.original.digest


def recorded(render: Render, ledger: Ledger, blobs: BlobStore) -> tuple[Attempt, Recipe, Render]:
    """What a server's part in a render was made of, and what it gave. Raises ConfigError when that was not kept."""
    if render.origin == "photo":
        raise ConfigError(
            "this picture is the product's own photo; no server made it, and the next run makes it again from the photo",
            zh="这张图是商品自己的照片，不是由服务器生成的；下次运行会由照片重新制作",
            code="no_recipe",
        )
    found = ledger.recipe_of(render.render_key)
    if found is None or not found[0].recipe:
        raise ConfigError(
            "what this picture was made of was not recorded: an older version made it; make a new one with: "
            "catalog-imagegen regenerate SKU",
            zh="这张图由旧版本生成，没有记录其生成参数；请用 catalog-imagegen regenerate 重新生成",
            code="no_recipe",
        )
    attempt = found[0]
    base = attempt.recipe.get("base")
    try:
        graph = json.loads(blobs.get(Digest(str(base)))) if base else None
    except FileNotFoundError as error:
        raise ConfigError(
            f"the workflow that this picture was made with is gone from data/blobs ({base}); restore a backup",
            zh=f"生成这张图所用的工作流已不在 data/blobs 中（{base}）；请恢复备份",
            code="no_recipe",
        ) from error
    return attempt, parse_recipe(attempt.recipe, graph), found[1]


def reproduce(
    render: Render, *, ledger: Ledger, blobs: BlobStore, backends: Sequence[RenderBackend]
) -> Reproduced:
    """Have a server render a picture again, exactly as it was asked for. Records nothing.

    The server that made it comes first. It is told to forget cached results, so that it really renders.
    """
    attempt, recipe, given = recorded(render, ledger, blobs)
    backend = min(backends, key=lambda b: (b.name != attempt.server, bool(b.lacks(recipe.graph))))
    with _place(backend, ledger):
        backend.free(front=True)
        names = provided(recipe.pictures, backend, blobs)
        if isinstance(names, Failure):
            raise _failed(names)
        graph = renamed(recipe.sent(file_prefix(attempt.run, attempt.prompt_id)), names)
        result = _rendered(backend, graph, recipe.job)
    if isinstance(result, Failure):
        raise _failed(result)
    return Reproduced(given, attempt, backend.name, result)


@contextmanager
def _place(backend: RenderBackend, ledger: Ledger) -> Iterator[None]:
    """One of the server's places, as urgent pictures have it; waits for it."""
    names = place_names(backend, is_urgent=True)
    while (place := next((name for name in names if ledger.lease(name)), None)) is None:
        time.sleep(FULL_S)
    try:
        yield
    finally:
        ledger.release(place)


def _rendered(backend: RenderBackend, graph: Mapping[str, Any], job: Mapping[str, str]) -> bytes | Failure:
    """The picture of a graph. Whatever goes wrong meanwhile, nothing of it stays on the server."""
    accepted = backend.submit(str(uuid.uuid4()), graph, job, front=True)
    if isinstance(accepted, Failure):
        return accepted
    ended: Ended | None = None
    try:
        while ended is None:
            ended = backend.next_ended([accepted], timeout_s=LOOK_S)
    except BaseException:
        with suppress(BackendUnavailable):
            backend.withdraw([accepted], running_too=True)
        raise
    return backend.fetch(ended.result.file) if isinstance(ended.result, Finished) else ended.result


def _failed(failure: Failure) -> ItemError:
    return ItemError(
        f"{failure.reason_en}; {failure.remedy_en}",
        zh=f"{failure.reason_zh}；{failure.remedy_zh}",
        code=failure.code,
    )
