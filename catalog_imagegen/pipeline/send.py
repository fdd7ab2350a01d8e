"""Sends pictures to one server, each exactly once, whatever was sent before and whoever sends beside us."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from catalog_imagegen.domain.errors import BackendUnavailable
from catalog_imagegen.domain.failure import POLICIES, Failure
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.job import Attempt, AttemptRecord, Claim
from catalog_imagegen.pipeline.board import Board, Task
from catalog_imagegen.pipeline.policy import size_of
from catalog_imagegen.pipeline.ports import BlobStore, RenderBackend
from catalog_imagegen.pipeline.settle import Desk, render_lease
from catalog_imagegen.pipeline.workshop import Production, Workshop
from catalog_imagegen.stages.recipe import Recipe, file_prefix, renamed

BUSY_S = 0.3
"""Before a picture that another process makes is looked at again."""
BEHIND_S = 1.0
"""Before a picture is sent again that a server gave no answer to: others come first, for it may be the picture."""
FULL_S = 0.1
"""Before a server whose places other processes hold is looked at again."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A picture that is on the server's queue now."""

    attempt: Attempt
    place: str
    changed_models: bool
    is_adopted: bool = False
    """Sent by an earlier run, or before the server was away."""


def place_names(backend: RenderBackend, *, is_urgent: bool) -> list[str]:
    """The leases of the places on a server that somebody may take, the first to be tried first.

    The last place is kept for urgent pictures, so that they never wait for a batch, be it of another process.
    """
    count = backend.capacity.in_flight
    order = [count - 1, *range(count - 1)] if is_urgent else range(max(1, count - 1))
    return [f"place:{backend.name}:{number}" for number in order]


def provided(
    pictures: Mapping[str, str], backend: RenderBackend, blobs: BlobStore
) -> Mapping[str, str] | Failure:
    """Input pictures, brought to a server: name in the graph → name on the server."""
    names = {}
    for name, digest in pictures.items():
        given = backend.provide(name, lambda d=digest: blobs.get(Digest(d)))  # type: ignore[misc]  # bound now
        if isinstance(given, Failure):
            return given
        names[name] = given
    return names


class Sender:
    """Brings tasks onto the queue of one server."""

    def __init__(
        self, shop: Workshop, board: Board, production: Production, backend: RenderBackend, desk: Desk
    ) -> None:
        self._shop = shop
        self._board = board
        self._production = production
        self._backend = backend
        self._desk = desk
        self._leaving: list[str] = []
        """Places that nothing is on any more, though the ledger still has them as ours."""

    @property
    def places(self) -> int:
        """How many pictures may be in flight there."""
        return len(place_names(self._backend, is_urgent=self._shop.is_urgent))

    def send(self, task: Task, *, held: Collection[str]) -> Sent | float | None:
        """Send a picture unless that needs no sending any more (None), or none can be sent for some seconds.

        *held* are the places of this server that we hold. The attempt is written down before it is sent, so a rerun
        looks the job up instead of paying for it twice. Raises BackendUnavailable; the picture is on the board then.
        """
        fresh = self._attempt(task)
        leaving, self._leaving = self._leaving, []
        claim = self._shop.ledger.claim(render_lease(task), fresh, places=self._free(held), leaving=leaving)
        if claim.is_busy:
            self._board.put_back(task, delay_s=BUSY_S)
            return None
        if not claim.place:
            self._board.put_back(task)
            self._board.mark_full(self._backend.name)
            return FULL_S
        try:
            sent = self._claimed(task, claim, fresh)
        except BackendUnavailable:
            self._shop.ledger.release(claim.place)
            only = self._backend.name if self._is_begun(task) else task.terms.only
            self._desk.leave(task, only=only, delay_s=BEHIND_S)
            raise
        if sent is None:
            self._shop.ledger.release(claim.place)
        return sent

    def leave(self, place: str) -> None:
        """A place is free: the next picture takes it over, or ``give_back`` leaves it to others."""
        self._leaving.append(place)

    def give_back(self) -> None:
        """Leave the places to others that no picture of ours has taken over."""
        if self._leaving:
            self._shop.ledger.release(*self._leaving)
            self._leaving.clear()

    def _free(self, held: Collection[str]) -> list[str]:
        names = place_names(self._backend, is_urgent=self._shop.is_urgent)
        return [name for name in names if name not in held]

    def _is_begun(self, task: Task) -> bool:
        attempt = self._shop.ledger.open_attempt(task.key)
        return attempt is not None and attempt.server == self._backend.name

    def _claimed(self, task: Task, claim: Claim, fresh: Attempt) -> Sent | None:
        if claim.is_begun:
            return self._submitted(task, fresh, claim.place)
        if self._is_settled(task, claim) or self._is_elsewhere(task, claim.open):
            return None
        if (attempt := claim.open) is not None:
            is_ours = attempt.server == self._backend.name
            if is_ours and (sent := self._adopted(task, attempt, claim.place)) is not None:
                return sent
            if is_ours and attempt.run == self._shop.run:
                return self._submitted(task, attempt, claim.place)
            # Also of this server: what an earlier run would have sent need not be what is sent now.
            left = Failure("abandoned", f"{attempt.server} does not know it, or cannot be asked")
            self._shop.ledger.fail_attempt(attempt.prompt_id, left)
        if claim.failed and not self._agrees(task, claim.failed):
            return None
        self._shop.ledger.begin_attempt(fresh)
        return self._submitted(task, fresh, claim.place)

    def _is_elsewhere(self, task: Task, attempt: Attempt | None) -> bool:
        """Whether another server of ours may know the picture, and is left to say so."""
        if attempt is None or attempt.server == self._backend.name:
            return False
        if not (self._board.is_expected(attempt.server) and self._board.is_fit(attempt.server, task.picture)):
            return False
        self._desk.leave(task, only=attempt.server)
        return True

    def _is_settled(self, task: Task, claim: Claim) -> bool:
        """Whether somebody else has made the picture meanwhile, or given it up."""
        if claim.render is not None and self._shop.blobs.has(claim.render.digest):
            self._desk.done(task, "reused")
            return True
        if claim.given_up is not None:
            self._desk.done(task, "failed", claim.given_up)
            return True
        return False

    def _agrees(self, task: Task, failed: tuple[AttemptRecord, ...]) -> bool:
        """Whether the picture may be sent on these terms, after what earlier runs and other processes tried."""
        terms = self._desk.next_terms(task, failed)
        if terms is None:
            last = failed[-1]
            code = last.outcome if last.outcome in POLICIES else "execution_error"
            self._desk.give_up(task, Failure(code, last.error))  # type: ignore[arg-type]  # it is one of the literals
            return False
        if terms != task.terms:
            self._shop.ledger.release(render_lease(task))
            self._board.put_back(Task(task.picture, terms))
            return False
        return True

    def _adopted(self, task: Task, attempt: Attempt, place: str) -> Sent | None:
        """A prompt that was sent before and is still known."""
        if attempt.shrink > len(task.picture.smaller) or not self._backend.knows(attempt.prompt_id):
            return None
        return Sent(attempt, place, self._board.send(self._backend.name, task), is_adopted=True)

    def _submitted(self, task: Task, attempt: Attempt, place: str) -> Sent | None:
        if self._backend.name in task.terms.afresh or task.terms.is_alone:
            self._backend.free(front=self._shop.is_urgent)
        names = provided(task.picture.pictures, self._backend, self._shop.blobs)
        if isinstance(names, Failure):
            self._desk.fail(task, attempt, names)
            return None
        recipe = _recipe(task, attempt.shrink)
        graph = renamed(recipe.sent(file_prefix(attempt.run, attempt.prompt_id)), names)
        accepted = self._backend.submit(attempt.prompt_id, graph, recipe.job, front=self._shop.is_urgent)
        if isinstance(accepted, Failure):
            self._desk.fail(task, attempt, accepted)
            return None
        with self._production.lock:
            self._production.jobs_submitted += 1
        if accepted != attempt.prompt_id:
            self._shop.ledger.rename_attempt(attempt.prompt_id, accepted)
            attempt = replace(attempt, prompt_id=accepted)
        return Sent(attempt, place, self._board.send(self._backend.name, task))

    def _attempt(self, task: Task) -> Attempt:
        """A new attempt, together with what is sent."""
        base = self._shop.bases.get(task.picture.workflow)
        return Attempt(
            str(uuid.uuid4()),
            task.key,
            task.picture.key,
            self._backend.name,
            recipe=_recipe(task, task.terms.shrink).to_document(base),
            shrink=task.terms.shrink,
            run=self._shop.run,
        )


def _recipe(task: Task, shrink: int) -> Recipe:
    picture = task.picture
    width, height = size_of(picture, shrink)
    return Recipe(
        graph=dict(picture.graph if shrink == 0 else picture.smaller[shrink - 1].graph),
        prefix_at=picture.prefix_at,
        job={
            "sku": picture.sku,
            "name": picture.name,
            "role": picture.key.role,
            "item": picture.item_text,
        },
        width=width,
        height=height,
        pictures=dict(picture.pictures),
    )
