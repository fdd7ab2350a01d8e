"""What the pipeline needs of the world, in our words; adapters provide it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from PIL import Image

from catalog_imagegen.domain.catalog import Issue, Product
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import ImageKey, Render, Take
from catalog_imagegen.domain.job import (
    Attempt,
    AttemptRecord,
    Failure,
    Finished,
    PictureStatus,
    Plan,
    Record,
    Refusal,
    Rejection,
    Review,
)
from catalog_imagegen.stages.rendition import Rendition


class BlobStore(Protocol):
    """Immutable bytes named by their sha-256; what ``put`` returned survives a power cut."""

    def put(self, content: bytes) -> Digest: ...

    def get(self, name: Digest) -> bytes: ...

    def has(self, name: Digest) -> bool: ...


class Leases(Protocol):
    """Who does what: a lease is held until released or until its process is gone."""

    def lease(self, name: str) -> bool:
        """Take a lease, or say that a living process (this one included) holds it."""
        ...

    def release(self, name: str) -> None: ...


class CatalogLedger(Protocol):
    """The rows as last read and the takes asked for."""

    def foreign(self, source: str, products: Sequence[Product], sources: Collection[str]) -> list[Issue]:
        """An issue for each row whose SKU belongs to another of the *sources* there are."""
        ...

    def keep_products(self, source: str, products: Sequence[tuple[int, Product]]) -> None:
        """Record rows with their positions in the catalog; the source owns their SKUs from now on."""
        ...

    def products(
        self, *, skus: Collection[str] | None = None, spus: Collection[str] | None = None
    ) -> list[Product]:
        """Recorded products in catalog order: those of any of the SKUs or families, or all."""
        ...

    def rows(
        self, *, skus: Collection[str] | None = None, spus: Collection[str] | None = None
    ) -> list[tuple[int, Product]]:
        """The same, with their positions in the catalogs they came from."""
        ...

    def takes(self) -> Mapping[ImageKey, Take]:
        """The current take of every key that has more than its first."""
        ...

    def add_take(self, key: ImageKey, *, seed: int | None, note: str) -> Take: ...

    def sku_count(self) -> int:
        """How many products are recorded."""
        ...

    def stamp(self) -> str:
        """Names all that the ledger says of products and pictures; cheap, and the same while nothing changed."""
        ...


class PictureLedger(Protocol):
    """The pictures: what was wanted last, what became of it."""

    def records(self, keys: Collection[ImageKey]) -> Mapping[ImageKey, Record]: ...

    def renders(self, keys: Collection[Fingerprint]) -> Mapping[Fingerprint, Render]: ...

    def keep_plan(self, plan: Plan, *, leaving: Collection[ImageKey] = ()) -> set[ImageKey]:
        """Record what is wanted now; *leaving* keys are wanted no longer (nothing is deleted).

        Returns the keys whose take is another since the plan was made: they stay as they are.
        """
        ...

    def wanted_keys(self, subjects: Collection[str]) -> set[ImageKey]:
        """The keys recorded as wanted of these subjects."""
        ...

    def forgive(self, keys: Collection[ImageKey]) -> int:
        """Give failed pictures their attempts back; says how many."""
        ...

    def pictures(self, subjects: Collection[str] | None = None) -> list[PictureStatus]:
        """The state of every wanted picture of these subjects, or of all, in catalog order."""
        ...


class ReviewLedger(Protocol):
    """What reviewers said. A word is about the bytes they saw; it is refused once others show the picture."""

    def approve(self, key: ImageKey, digest: Digest) -> Refusal | None:
        """Approve a picture; takes back a rejection that no plan has acted on yet."""
        ...

    def reject(
        self, key: ImageKey, digest: Digest, *, reason: str, note: str, at_most: int
    ) -> Take | Rejection | Refusal:
        """Reject a picture and ask for a new take, unless *at_most* of them did not help.

        A picture that is listed while another is wanted is withdrawn.
        """
        ...

    def renders_of(self, key: ImageKey) -> list[Render]:
        """The renders that attempts at a picture ever made, the newest first."""
        ...

    def reviews(self, keys: Collection[ImageKey]) -> Mapping[ImageKey, Sequence[Review]]:
        """Everything said of these pictures, the last word last."""
        ...


class JobLedger(Protocol):
    """Attempts and what they produced. Every call is one durable transaction."""

    def open_attempt(self, render: Fingerprint) -> Attempt | None:
        """An attempt that was sent, or about to be, and whose end is not known."""
        ...

    def open_attempts(self, renders: Collection[Fingerprint]) -> Mapping[Fingerprint, Attempt]: ...

    def begin_attempt(self, attempt: Attempt, run: str) -> None:
        """Write down an attempt before it is sent."""
        ...

    def rename_attempt(self, prompt_id: str, accepted: str) -> None:
        """Adopt the id under which a server accepted an attempt."""
        ...

    def fail_attempt(self, prompt_id: str, failure: Failure) -> None: ...

    def failures(self, render: Fingerprint) -> Sequence[Failure]:
        """How attempts at a render failed that were not forgiven, the last one last."""
        ...

    def attempts(self, run: str = "") -> list[AttemptRecord]:
        """The attempts of a run, or all, in the order in which they were sent."""
        ...

    def attempts_at(self, subjects: Collection[str] | None) -> list[AttemptRecord]:
        """The attempts at wanted pictures of these subjects, or of all; each picture's in the order sent."""
        ...

    def keep_render(self, attempt: Attempt, render: Render, finished: Finished) -> None:
        """Name a render whose bytes are stored, end its attempt and show it under its key."""
        ...

    def give_up(self, key: ImageKey, render: Fingerprint, failure: Failure) -> None:
        """Record that the attempts at a render are used up."""
        ...

    def begin_run(self, command: str) -> str: ...

    def end_run(self, run: str, outcome: Mapping[str, Any]) -> None: ...


class Ledger(CatalogLedger, PictureLedger, ReviewLedger, JobLedger, Leases, Protocol):
    """The database of record."""


class RenderBackend(Protocol):
    """A server that renders jobs; it remembers them by prompt id, but not for ever.

    Network trouble is waited out for a while, then raises BackendUnavailable.
    """

    @property
    def name(self) -> str: ...

    @property
    def in_flight(self) -> int:
        """How many prompts may be queued there at a time."""
        ...

    def lacks(self, graph: Mapping[str, Any]) -> list[str]:
        """What a graph needs and the server has not: nodes and models, each with its remedy."""
        ...

    def knows(self, prompt_id: str) -> bool:
        """Whether a prompt is queued, running or in the history."""
        ...

    def submit(self, prompt_id: str, graph: Mapping[str, Any], job: Mapping[str, str]) -> str | Failure:
        """Queue a graph once, whatever happens to the reply; returns the id it was accepted under."""
        ...

    def wait(self, prompt_id: str, is_cancelled: Callable[[], bool]) -> Finished | Failure | None:
        """Wait for a prompt to end; None when cancelled meanwhile."""
        ...

    def fetch(self, file: Mapping[str, str]) -> bytes | Failure: ...

    def free(self) -> None:
        """Ask the server to unload models and forget cached results before the next prompt."""
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
