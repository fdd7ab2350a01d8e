"""What the pipeline needs beside the ledger: bytes, servers, files, photos, somebody who watches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from PIL import Image

from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import Photo, TextFound
from catalog_imagegen.domain.incident import Incident
from catalog_imagegen.domain.job import (
    Capacity,
    Ended,
    Step,
    Whereabouts,
)
from catalog_imagegen.stages.rendition import Rendition

if TYPE_CHECKING:
    from catalog_imagegen.stages.product import Refusal


class BlobStore(Protocol):
    """Immutable bytes named by their sha-256; what ``put`` returned survives a power cut."""

    def put(self, content: bytes) -> Digest: ...

    def get(self, name: Digest) -> bytes: ...

    def has(self, name: Digest) -> bool: ...


class RenderBackend(Protocol):
    """A server that renders jobs; it remembers them by prompt id, but not for ever.

    Network trouble is waited out for some seconds, then raises BackendUnavailable with the code of the trouble.
    """

    @property
    def name(self) -> str: ...

    @property
    def capacity(self) -> Capacity:
        """What it may be given."""
        ...

    def lacks(self, graph: Mapping[str, Any]) -> list[str]:
        """What a graph needs and the server has not: nodes and models, each with its remedy."""
        ...

    def probe(self) -> None:
        """Look once whether the server answers."""
        ...

    def knows(self, prompt_id: str) -> bool:
        """Whether a prompt is queued, running or in the history."""
        ...

    def whereabouts(self, prompt_ids: Collection[str]) -> Mapping[str, Whereabouts]:
        """How each of these prompts stands there."""
        ...

    def provide(self, name: str, content: Callable[[], bytes]) -> str | Failure:
        """Bring an input picture to the server unless it is there; returns the name that graphs must use."""
        ...

    def submit(
        self, prompt_id: str, graph: Mapping[str, Any], job: Mapping[str, str], *, front: bool = False
    ) -> str | Failure:
        """Queue a graph once, whatever happens to the reply; returns the id it was accepted under.

        With *front* it is the next to be executed after the one that runs.
        """
        ...

    def next_ended(
        self, prompt_ids: Sequence[str], *, timeout_s: float, expected_s: float | None = None
    ) -> Ended | None:
        """Wait until one of the prompts, given in the order sent, has ended; None if none does in time.

        *expected_s*: seconds until one is expected to end. A prompt that makes no progress for too long is stopped.
        """
        ...

    def step(self, prompt_id: str) -> Step | None:
        """How far a prompt is, where the server tells."""
        ...

    def is_deaf(self) -> bool:
        """Whether the server does not tell what happens, and must be asked."""
        ...

    def withdraw(self, prompt_ids: Sequence[str], *, running_too: bool) -> set[str]:
        """Take prompts back, with *running_too* also the one that runs; nobody else's is touched.

        Returns those that are certain not to give a picture any more. The others run on, or have ended.
        """
        ...

    def fetch(self, file: Mapping[str, str]) -> bytes | Failure: ...

    def free(self, *, front: bool = False) -> None:
        """Have the server unload models and forget cached results before the next prompt.

        With *front* before the next that is submitted to the front; waits for the prompt that runs.
        """
        ...


class Listings(Protocol):
    """Listing folders: projections that may be deleted and are rebuilt without a GPU."""

    def listing_key(self, platform: str, folder: str) -> str:
        """The key of the listing that stands there whole, or ``""``."""
        ...

    def exists(self, platform: str, folder: str) -> bool:
        """Whether a listing stands there, whole or not."""
        ...

    def remove(self, platform: str, folder: str) -> None:
        """Remove a listing and the files it names."""
        ...

    def renditions(self, platform: str, folder: str) -> Mapping[str, Rendition]:
        """Rendition key → the intact files that stand there."""
        ...

    def write(
        self, platform: str, folder: str, files: Iterable[tuple[str, bytes]], manifest: Mapping[str, Any]
    ) -> None:
        """Replace a listing by these files and its ``listing.json``; each file appears whole or not."""
        ...


class Previews(Protocol):
    """Small copies of renders for reports: a projection that may be deleted."""

    def keep(self, name: Digest, image: Image.Image) -> None:
        """Make the preview of a render that is decoded already, if there is none."""
        ...


class Progress(Protocol):
    """Hears what happens during a run, for display; must not raise."""

    def start(self, total: int) -> None: ...

    def done(self, what: str, *, failed: bool) -> None: ...

    def step(self, what: str, step: Step) -> None: ...

    def alert(self, incident: Incident) -> None:
        """Something is wrong with a server; told once."""
        ...


class TextReader(Protocol):
    """Reads text in pictures. Threads may share it."""

    def read(self, image: Image.Image) -> list[TextFound]:
        """Every line of text in a picture in colour, in pixels of that picture; empty where there is none."""
        ...


class Photos(Protocol):
    """The products' own photos, by what a catalog says of them."""

    def by_sku(self, sku: str, others: Collection[str]) -> Sequence[str]:
        """What photos are called that nobody names but that are called after a SKU, and not after one of the *others*."""
        ...

    def prefetch(self, locations: Collection[str]) -> None:
        """Have those photos at hand that are far away; what is wrong with one is told by ``look``."""
        ...

    def look(self, location: str) -> Photo:
        """The photo as servers get it. Raises PhotoError, which says what to do."""
        ...

    def has_any(self) -> bool:
        """Whether there are photos that may be called after SKUs."""
        ...

    def is_near(self, location: str) -> bool:
        """Whether it is a file, and not at a web address."""
        ...

    def objection(self, photo: Photo) -> Refusal | None:
        """Why the product cannot be cut out of a photo that was looked at; None where it can."""
        ...

    def read(self, name: Digest) -> bytes | None:
        """The bytes of a photo that was looked at, or of its file; None when they are others since, or gone."""
        ...
