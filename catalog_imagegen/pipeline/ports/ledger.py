"""What the pipeline needs of the database of record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from catalog_imagegen.domain.catalog import Issue, Product, Settled, Standing
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.gates import Objection
from catalog_imagegen.domain.imaging import ImageKey, Render, Take
from catalog_imagegen.domain.job import (
    Attempt,
    AttemptRecord,
    Claim,
    Finished,
    Kept,
    PictureStatus,
    Plan,
    Record,
    Refusal,
    Rejection,
    Review,
)


class Leases(Protocol):
    """Who does what: a lease is held until released or until its process is gone."""

    def lease(self, name: str) -> bool:
        """Take a lease, or say that a living process (this one included) holds it."""
        ...

    def lease_free(self, names: Collection[str]) -> list[str]:
        """Take those of these leases that no living process holds."""
        ...

    def release(self, *names: str) -> None: ...


class CatalogLedger(Protocol):
    """The rows as last read and the takes asked for."""

    def foreign(self, source: str, products: Sequence[Product], sources: Collection[str]) -> list[Issue]:
        """An issue for each row whose SKU belongs to another of the *sources* there are."""
        ...

    def keep_products(self, source: str, products: Sequence[tuple[int, Product]]) -> str:
        """Record rows with their positions in the catalog; the source owns their SKUs from now on.

        Returns a token for ``settle``: it holds until something else is to be done about a row.
        """
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

    def relatives(self, spus: Collection[str], *, but: Collection[str]) -> list[Product]:
        """The recorded products of families *but* some that are at hand, in catalog order."""
        ...

    def settled(self, source: str, setup: str) -> Mapping[str, Settled]:
        """SKU → the row of each listed product of a source about which nothing is left to do under this *setup*."""
        ...

    def standings(self, *, but: tuple[str, str] | None = None) -> Mapping[str, Standing]:
        """SKU → what is recorded of its row, be it listed or retired; *but* those that are ``settled`` so."""
        ...

    def settle(self, token: str, skus: Collection[str], setup: str) -> None:
        """All pictures of these products are made and listed under this *setup*, as they were recorded with this token.

        Recording a row anew, a review and another take of one of its pictures take that back, also in advance.
        """
        ...

    def move(self, positions: Mapping[str, int]) -> None:
        """Rows stand elsewhere in their catalog and are the same otherwise."""
        ...

    def restate(self, products: Sequence[tuple[int, Product]]) -> None:
        """Rows say something else that decides no picture: they are recorded with their positions, and stay settled."""
        ...

    def retire(self, skus: Collection[str], families: Collection[str] = ()) -> None:
        """Products left their source, and *families* have nobody left: their pictures are not wanted, nothing is deleted.

        What is left of the products' families is to be looked at.
        """
        ...

    def retired(self) -> list[Product]: ...

    def take_drop(self, digest: str, name: str) -> bool:
        """Take a dropped catalog by its content, unless that was done before. One that failed may be taken again."""
        ...

    def end_drop(self, digest: str, outcome: str) -> None:
        """A dropped catalog is dealt with: *done*, or *failed* with nothing imported."""
        ...

    def takes(self) -> Mapping[ImageKey, Take]:
        """The current take of every key that has more than its first."""
        ...

    def add_take(self, key: ImageKey, *, seed: int | None, note: str) -> Take: ...

    def skus(self) -> set[str]:
        """Every SKU that is recorded, listed or retired."""
        ...

    def sku_count(self) -> int:
        """How many products are recorded."""
        ...

    def stamp(self) -> str:
        """Names all that the ledger says of products and pictures; cheap, and the same while nothing changed."""
        ...


class PictureLedger(Protocol):
    """The pictures: what was wanted last, what became of it."""

    def records(self, subjects: Collection[str]) -> Mapping[ImageKey, Record]:
        """What is recorded of the pictures of these subjects, wanted or not."""
        ...

    def renders(self, keys: Collection[Fingerprint]) -> Mapping[Fingerprint, Render]: ...

    def keep_plan(
        self,
        plan: Plan,
        *,
        leaving: Collection[ImageKey] = (),
        chosen: Collection[ImageKey] | None = None,
    ) -> set[ImageKey]:
        """Record what is wanted now; *leaving* keys are wanted no longer (nothing is deleted).

        The *chosen* ones, or all, are what the command sets out to make.

        Returns the keys whose take is another since the plan was made: they stay as they are.
        """
        ...

    def wanted_keys(self, subjects: Collection[str]) -> set[ImageKey]:
        """The keys recorded as wanted of these subjects."""
        ...

    def wanted_count(self, source: str) -> int:
        """How many pictures are wanted of a source's products."""
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
        """Approve a picture; takes back a rejection that no plan has acted on yet.

        Of the renders that gates stopped for one brief each can be approved, not only the last.
        """
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

    def claim(
        self, lease: str, attempt: Attempt, *, places: Sequence[str], leaving: Sequence[str] = ()
    ) -> Claim:
        """Take a picture's lease together with the first free one of *places*, or neither, and say what is known.

        Where nothing is, the attempt is written down, as ``begin_attempt`` does. The places we are *leaving* are given
        back first, whatever comes of the rest.
        """
        ...

    def begin_attempt(self, attempt: Attempt) -> None:
        """Write down an attempt before it is sent."""
        ...

    def rename_attempt(self, prompt_id: str, accepted: str) -> None:
        """Adopt the id under which a server accepted an attempt."""
        ...

    def fail_attempt(self, prompt_id: str, failure: Failure) -> None: ...

    def cancel_attempt(self, prompt_id: str, reason: str) -> bool:
        """End an attempt that somebody takes back, unless it has ended meanwhile; says whether that was done."""
        ...

    def reopen_attempt(self, prompt_id: str) -> None:
        """An attempt that was cancelled has given a picture all the same."""
        ...

    def failed_attempts(self, render: Fingerprint) -> tuple[AttemptRecord, ...]:
        """The attempts at a render that failed and count, the last one last."""
        ...

    def standing(self) -> list[AttemptRecord]:
        """The attempts whose end is not known, in the order in which they were sent."""
        ...

    def speeds(self) -> Mapping[tuple[str, str], float]:
        """(server, workflow) → seconds per megapixel, by the newest pictures that it made."""
        ...

    def attempts(self, run: str = "") -> list[AttemptRecord]:
        """The attempts of a run, or all, in the order in which they were sent."""
        ...

    def attempts_at(self, subjects: Collection[str] | None) -> list[AttemptRecord]:
        """The attempts at wanted pictures of these subjects, or of all; each picture's in the order sent."""
        ...

    def keep_render(
        self,
        attempt: Attempt,
        render: Render,
        finished: Finished,
        *,
        scene: Render | None = None,
        lease: str = "",
        objection: Objection | None = None,
    ) -> Kept:
        """Name a render whose bytes are stored, end its attempt, show it under its key and give a lease back.

        The *scene* that a composite was made in is kept beside it: in another photo's place it need not be rendered again.
        One with an *objection* is kept too, but rejected; another take is asked for, unless enough of them did not help.
        """
        ...

    def keep_made(
        self,
        key: ImageKey,
        render: Render,
        *,
        of: Fingerprint | None = None,
        objection: Objection | None = None,
    ) -> Kept:
        """Name a render that was made here, of a photo and maybe a scene (*of*), and show it as ``keep_render`` does."""
        ...

    def looks(self, role: str) -> list[tuple[str, str, str]]:
        """(look, family, SKU) of the pictures of a role that stand and were not rejected, as far as looks are known."""
        ...

    def give_up(self, key: ImageKey, render: Fingerprint, failure: Failure) -> None:
        """Record that the attempts at a render are used up."""
        ...

    def begin_run(self, command: str, materials: Mapping[str, Digest] | None = None) -> str:
        """Record that a command starts, and what it works with: file name → the blob that holds it."""
        ...

    def recipe_of(self, render: Fingerprint) -> tuple[Attempt, Render] | None:
        """The attempt that made a render, or the scene in it, with what the server gave."""
        ...

    def end_run(self, run: str, outcome: Mapping[str, Any]) -> None: ...


class Ledger(CatalogLedger, PictureLedger, ReviewLedger, JobLedger, Leases, Protocol):
    """The database of record."""
