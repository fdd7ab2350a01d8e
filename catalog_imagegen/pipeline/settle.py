"""Says what becomes of a picture that a driver has in hand, and lets go of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.job import Attempt
from catalog_imagegen.pipeline.alerts import Alerts
from catalog_imagegen.pipeline.board import Board, Task
from catalog_imagegen.pipeline.policy import next_terms
from catalog_imagegen.pipeline.workshop import Made, Outcome, Production, Workshop


def render_lease(task: Task) -> str:
    """The lease of whoever makes a picture."""
    return f"render:{task.key}"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the pictures of one server are settled; its threads share it."""

    shop: Workshop
    board: Board
    alerts: Alerts
    production: Production
    server: str

    def done(self, task: Task, outcome: Outcome, failure: Failure | None = None) -> None:
        """There is a picture, or there will be none. What was rendered has its lease given back already."""
        if outcome != "rendered":
            self.shop.ledger.release(render_lease(task))
        self.board.finish()
        made = Made(task.picture, outcome, failure)
        with self.production.lock:
            self.production.made.append(made)
        self.shop.on_made(made)

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
        failed = self.shop.ledger.failed_attempts(task.key)
        terms = next_terms(task.picture, failed, self.board.capacities(), attempts=self.shop.attempts)
        if terms is None:
            self.give_up(task, failure)
            return
        self.shop.ledger.release(render_lease(task))
        self.board.put_back(Task(task.picture, terms))

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
