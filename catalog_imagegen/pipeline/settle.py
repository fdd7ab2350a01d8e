"""Says what becomes of a picture that a driver has in hand, and lets go of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.gates import Stopped
from catalog_imagegen.domain.job import Attempt, AttemptRecord
from catalog_imagegen.pipeline.alerts import Alerts
from catalog_imagegen.pipeline.board import Board, Task
from catalog_imagegen.pipeline.policy import Terms, next_terms
from catalog_imagegen.pipeline.workshop import Collected, Made, Outcome, Production, Workshop


def render_lease(task: Task) -> str:
    """The lease of whoever makes a picture."""
    return f"render:{task.key}"


NOBODY = "no server may be given this workflow at this size"
"""Why nobody makes a picture."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the pictures of one server are settled; its threads share it."""

    shop: Workshop
    board: Board
    alerts: Alerts
    production: Production
    server: str

    def done(
        self, task: Task, outcome: Outcome, failure: Failure | None = None, stopped: Stopped | None = None
    ) -> None:
        """There is a picture, or there will be none. What was rendered has its lease given back already."""
        if outcome not in ("rendered", "blocked"):
            self.shop.ledger.release(render_lease(task))
        self.board.finish()
        made = Made(task.picture, outcome, failure, stopped)
        with self.production.lock:
            self.production.made.append(made)
        self.shop.on_made(made)

    def take_in(self, task: Task, collected: Collected) -> None:
        """A picture is kept: it counts, or its next take is made, or it waits for a person."""
        if collected.kept == "shown":
            self.done(task, "rendered")
        elif collected.kept == "blocked":
            self.done(task, "blocked", stopped=collected.stopped)
        elif (picture := self.shop.next_take(task.picture)) is None:
            self.board.finish()  # stays planned
        elif (terms := self.next_terms(Task(picture), ())) is None:
            self.give_up(Task(picture), Failure("server_lacks", NOBODY))
        else:
            self.board.put_back(Task(picture, terms))

    def give_up(self, task: Task, failure: Failure) -> None:
        """The attempts are used up."""
        self.shop.ledger.give_up(task.picture.key, task.key, failure)
        self.done(task, "failed", failure)

    def leave(self, task: Task, *, only: str = "", delay_s: float = 0.0) -> None:
        """Somebody else, or this server later, goes on with it."""
        self.shop.ledger.release(render_lease(task))
        self.board.put_back(Task(task.picture, replace(task.terms, only=only)), delay_s=delay_s)

    def fail(self, task: Task, attempt: Attempt, failure: Failure) -> None:
        """An attempt gave no picture: go on as the policy of its failure says."""
        if self._was_cancelled(attempt):
            self.shop.ledger.release(render_lease(task))
            self.board.finish()  # stays planned
            return
        self.shop.ledger.fail_attempt(attempt.prompt_id, failure)
        self._tell(task, failure)
        terms = self.next_terms(task, self.shop.ledger.failed_attempts(task.key))
        if terms is None:
            self.give_up(task, failure)
            return
        self.shop.ledger.release(render_lease(task))
        self.board.put_back(Task(task.picture, terms))

    def reconsider(self, task: Task) -> None:
        """No server may make a picture on its terms any more: others than were thought of have come or gone."""
        failed = self.shop.ledger.failed_attempts(task.key)
        terms = self.next_terms(task, failed)
        if terms is None or terms == task.terms:
            message = failed[-1].error if failed else NOBODY
            self.give_up(task, Failure("server_lacks", message))
        else:
            self.board.put_back(Task(task.picture, terms))

    def next_terms(self, task: Task, failed: Sequence[AttemptRecord]) -> Terms | None:
        """How to go on with a picture after these attempts; None when it is to be given up.

        Where the servers that are there do not help any more, one that is away may: the picture waits for it.
        """
        for with_absent in (False, True):
            servers = self.board.capacities(with_absent=with_absent)
            terms = next_terms(task.picture, failed, servers, attempts=self.shop.attempts)
            if servers and terms is not None:
                return terms
        return None

    def _was_cancelled(self, attempt: Attempt) -> bool:
        """Whether another process took the attempt back: ``jobs cancel``."""
        standing = self.shop.ledger.open_attempt(attempt.render_key)
        return standing is None or standing.prompt_id != attempt.prompt_id

    def _tell(self, task: Task, failure: Failure) -> None:
        if failure.code == "lost":
            self.alerts.tell(self.server, "restarted")
        if failure.code == "out_of_memory":
            self.alerts.tell(self.server, "out_of_memory", failure.message)
        if failure.code == "server_lacks":
            self.board.exclude(self.server, task.picture.workflow)
            self.alerts.tell(self.server, "server_lacks", failure.message)
