"""Feeds one server: keeps its queue filled, sees what ends, and keeps away from it while it is in trouble."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from catalog_imagegen.domain.errors import BackendUnavailable, CatalogImagegenError
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.incident import trouble_code
from catalog_imagegen.domain.job import Attempt, Finished, Step
from catalog_imagegen.pipeline.alerts import Alerts
from catalog_imagegen.pipeline.board import Board, Task
from catalog_imagegen.pipeline.collect import collect
from catalog_imagegen.pipeline.ports import RenderBackend
from catalog_imagegen.pipeline.send import Sender, Sent
from catalog_imagegen.pipeline.settle import Desk
from catalog_imagegen.pipeline.speeds import Speeds
from catalog_imagegen.pipeline.workshop import Production, Workshop

log = logging.getLogger(__name__)

TURN_S = 0.5
"""The longest a driver looks at nothing but its server."""
IDLE_S = 0.1
"""Between looks for work while others have it all."""
AGAIN_S = 1.0
"""Before a picture is fetched again that could not be."""
COLLECTORS = 2
"""Threads per server that download, check and store while it goes on rendering."""
FIRST_PROBATION_S, LONGEST_PROBATION_S = 0.5, 60.0
"""A server in trouble is looked at after this many seconds, then after twice as many, and so on."""


@dataclass(frozen=True, slots=True)
class Hall:
    """What the drivers of a run share."""

    shop: Workshop
    board: Board
    speeds: Speeds
    alerts: Alerts
    production: Production
    stop: threading.Event
    is_interrupted: threading.Event = field(default_factory=threading.Event)

    def is_over(self) -> bool:
        """Whether there is nothing left to do."""
        for task in self.board.take_stranded():
            self.desk.reconsider(task)
        return self.stop.is_set() or self.board.is_over()

    @property
    def desk(self) -> Desk:
        """Where pictures are settled that are at no server."""
        return Desk(self.shop, self.board, self.alerts, self.production, "")


@dataclass(slots=True)
class InFlight:
    """A picture on the server's queue."""

    task: Task
    sent: Sent
    began: float = field(default_factory=time.monotonic)
    step: Step | None = None

    @property
    def attempt(self) -> Attempt:
        """The submission."""
        return self.sent.attempt


def _believed(flight: InFlight, finished: Finished) -> Finished:
    """The same, without the times where they cannot be true: a server's clock may jump."""
    seconds = (finished.finished_ms - finished.started_ms) / 1000
    at_most_s = float("inf") if flight.sent.is_adopted else time.monotonic() - flight.began + 1
    return finished if 0 < seconds <= at_most_s else replace(finished, started_ms=0, finished_ms=0)


class Driver:
    """One server's thread, with those that bring its pictures home."""

    def __init__(self, hall: Hall, backend: RenderBackend) -> None:
        self.hall = hall
        self.backend = backend
        self.left_because: BackendUnavailable | None = None
        """Why it was given nothing any more when the run ended."""
        self._desk = Desk(hall.shop, hall.board, hall.alerts, hall.production, backend.name)
        self._sender = Sender(hall.shop, hall.board, hall.production, backend, self._desk)
        self._sent: dict[str, InFlight] = {}
        self._finished: queue.Queue[tuple[InFlight, Finished] | None] = queue.Queue()
        self._reported: queue.SimpleQueue[BackendUnavailable] = queue.SimpleQueue()
        """What those who fetch its pictures met with."""
        self._probation_s = FIRST_PROBATION_S
        self._is_on_probation = False
        self._trouble_began = 0.0
        self._trouble: BackendUnavailable | None = None
        self._is_good = threading.Event()
        self._left: set[str] = set()
        """Prompts on its queue that others were given while it was away."""
        self._waiting: Task | None = None
        """Must be alone, and waits until nothing else of ours is on the server."""

    def threads(self) -> list[threading.Thread]:
        """All that work for this server, not started yet."""
        work: list[Callable[[], None]] = [self._feed, *[self._collect] * COLLECTORS]
        return [
            threading.Thread(
                target=self._guarded, args=(each,), name=f"{each.__name__}-{self.backend.name}", daemon=True
            )
            for each in work
        ]

    def _guarded(self, work: Callable[[], None]) -> None:
        """The first crash stops all threads and is raised by ``produce``."""
        try:
            work()
        except BaseException as crash:  # noqa: BLE001 - threads have no caller; produce raises it
            production = self.hall.production
            with production.lock:
                production.crash = production.crash or crash
            self.hall.stop.set()

    def _feed(self) -> None:
        turns = itertools.chain([self.backend.probe], itertools.repeat(self._turn))
        if unfit := self.hall.board.unfit(self.backend.name):
            self.hall.alerts.tell(self.backend.name, "server_lacks", ", ".join(sorted(unfit)))
        try:
            while not self.hall.is_over():
                try:
                    next(turns)()
                except BackendUnavailable as error:
                    self._fall(error)
            self._prove()
            self.left_because = None if self._is_on_probation else self._trouble
            self._sender.give_back()
            if self.hall.is_interrupted.is_set():
                self._take_back_all()
        finally:
            for _ in range(COLLECTORS):
                self._finished.put(None)

    def _turn(self) -> None:
        if self._trouble is not None and not self._is_on_probation:
            self._sender.give_back()
            self._wait_in_quarantine()
            return
        self._prove()
        with suppress(queue.Empty):
            raise self._reported.get_nowait()
        self._give_back_recalled()
        self._fill()
        self._sender.give_back()
        if not self._sent:
            self.hall.board.wait(IDLE_S)
            return
        ended = self.backend.next_ended(
            list(self._sent), timeout_s=TURN_S, expected_s=self.hall.board.expected_s(self.backend.name)
        )
        self._tell_steps()
        if ended is not None:
            self._end(self._sent.pop(ended.prompt_id), ended.result)

    def _fill(self) -> None:
        """Send pictures while there is room. One that must be alone waits for the others to end, and they for it."""
        while not self.hall.stop.is_set() and self._has_room():
            task = self._waiting or self.hall.board.take(self.backend.name)
            if task is None:
                return
            if task.terms.is_alone and self._sent:
                self._waiting = task
                return
            self._waiting = None
            if not self._send(task):
                return

    def _send(self, task: Task) -> bool:
        """Send one picture; False when it is better to look at other things first."""
        sent = self._sender.send(task, held={flight.sent.place for flight in self._sent.values()})
        if sent is None:
            return True
        if isinstance(sent, float):
            self.hall.board.wait(sent)
            return False
        self._sent[sent.attempt.prompt_id] = InFlight(task, sent)
        return True

    def _has_room(self) -> bool:
        if not self.hall.shop.has_room():
            return False
        if any(flight.task.terms.is_alone for flight in self._sent.values()):
            return False
        return len(self._sent) < (1 if self._is_on_probation else self._sender.places)

    def _end(self, flight: InFlight, result: Finished | Failure) -> None:
        self.hall.board.end(self.backend.name, flight.task)
        self._sender.leave(flight.sent.place)
        if isinstance(result, Finished):
            result = _believed(flight, result)
            self._learn(flight, result)
            self._finished.put((flight, result))
            return
        self._fail(flight, result)

    def _fail(self, flight: InFlight, failure: Failure) -> None:
        # A server that saves nothing at all does not use up the chances of each picture that is tried there.
        is_known = failure.code == "cannot_save" and self._trouble is not None
        charged = Failure("recalled", failure.message) if is_known else failure
        if failure.code == "lost":
            self._start_over()
        self._desk.fail(flight.task, flight.attempt, charged)
        if failure.policy.quarantine:
            self._fall(BackendUnavailable(failure.message, code=failure.code))

    def _start_over(self) -> None:
        """The server was restarted, so it was away till now at most; and another may listen in its place."""
        self._trouble_began = time.monotonic()
        try:
            self._drop_forgotten()
            self.backend.probe()
        except BackendUnavailable as error:
            self._fall(error)

    def _drop_forgotten(self) -> None:
        """What waited there had no part in the restart; what the server was at comes first again."""
        for prompt_id, where in self.backend.whereabouts(list(self._sent)).items():
            if where != "unknown":
                continue
            if self.backend.step(prompt_id) is None:
                self._drop(
                    prompt_id, Failure("recalled", "its server was restarted before it was heard to begin")
                )
            else:
                self._drop(prompt_id, Failure("lost", "the server forgot the prompt"))

    def _learn(self, flight: InFlight, finished: Finished) -> None:
        if finished.started_ms and not flight.sent.is_adopted:
            self.hall.speeds.learn(
                self.backend.name,
                flight.task.picture,
                (finished.finished_ms - finished.started_ms) / 1000,
                shrink=flight.attempt.shrink,
                changed_models=flight.sent.changed_models,
            )

    def _collect(self) -> None:
        while (item := self._finished.get()) is not None:
            flight, finished = item
            try:
                result = collect(
                    flight.task, flight.attempt, finished, backend=self.backend, shop=self.hall.shop
                )
            except BackendUnavailable as error:
                self._desk.leave(flight.task, only=self.backend.name, delay_s=AGAIN_S)
                self._reported.put(error)
            except CatalogImagegenError:
                raise  # about the whole run: a full disk, a ledger that cannot be written
            except Exception as error:
                log.exception("%s", flight.task.picture.key)
                self._desk.give_up(
                    flight.task, Failure("execution_error", f"{type(error).__name__}: {error}")
                )
            else:
                if isinstance(result, Failure):
                    self._desk.fail(flight.task, flight.attempt, result)
                else:
                    self._is_good.set()
                    self._desk.take_in(flight.task, result)
            finally:
                self._finished.task_done()

    def _fall(self, error: BackendUnavailable) -> None:
        """The server is in trouble: it gets nothing for a while, and what waits there goes to others if it can."""
        code = trouble_code(error.code)
        self.hall.alerts.tell(self.backend.name, code, str(error.__cause__ or error.message_en))
        if self._trouble is None:
            self._trouble_began = time.monotonic()
            self._probation_s = FIRST_PROBATION_S
        self._trouble = error
        self._is_on_probation = False
        self._is_good.clear()
        self.hall.board.go_away(self.backend.name)
        if (waiting := self._waiting) is not None:
            self._waiting = None
            self.hall.board.put_back(waiting)
        if code in ("dead_worker", "stuck", "cannot_save"):
            self._rescue(code)

    def _rescue(self, code: str) -> None:
        """Take back what such a server will not execute; the picture it hangs in is given up there."""
        with suppress(BackendUnavailable):
            taken = self.backend.withdraw(list(self._sent), running_too=False)
            for prompt_id in taken:
                self._drop(prompt_id, Failure("recalled", "its server executes nothing"))
        if code == "stuck":
            for prompt_id in list(self._sent):
                self._drop(prompt_id, Failure("stuck", "its server could not be stopped"))

    def _drop(self, prompt_id: str, failure: Failure) -> None:
        """A picture is not made here after all."""
        flight = self._sent.pop(prompt_id)
        self.hall.board.end(self.backend.name, flight.task)
        self.hall.shop.ledger.release(flight.sent.place)
        self._desk.fail(flight.task, flight.attempt, failure)

    def _wait_in_quarantine(self) -> None:
        """Stay away for a while, then look whether the server answers; a picture must prove the rest."""
        until = time.monotonic() + self._probation_s
        while not self.hall.is_over():
            left_s = until - time.monotonic()
            if left_s <= 0 and not self._finished.unfinished_tasks:
                break
            self.hall.stop.wait(min(TURN_S, max(left_s, IDLE_S)))
            if time.monotonic() - self._trouble_began > self.hall.shop.patience_s:
                self._release()
        self._probation_s = min(2 * self._probation_s, LONGEST_PROBATION_S)
        if self.hall.is_over():
            return
        try:
            self.backend.probe()
            self._take_back_left()
        except BackendUnavailable as error:
            self._trouble = error
            return
        self._reported = queue.SimpleQueue()  # what was met with before counts no more
        self._is_good.clear()
        self._is_on_probation = True
        self.hall.board.come_back(self.backend.name, self.backend.capacity)

    def _take_back_left(self) -> None:
        """Pictures that others make, or have made, since this server was away: it need not execute them any more."""
        if self._left:
            standing = {record.prompt_id for record in self.hall.shop.ledger.standing()}
            self.backend.withdraw(sorted(self._left - standing), running_too=True)
            self._left.clear()

    def _prove(self) -> None:
        """A picture made since is proof enough."""
        if self._is_on_probation and self._is_good.is_set():
            self._is_on_probation = False
            self._trouble = None
            self.hall.board.trust(self.backend.name)
            self.hall.alerts.settle(self.backend.name)

    def _release(self) -> None:
        """The server stays away: others may make what it was sent. Should it come back with them, they were lost."""
        for prompt_id in list(self._sent):
            flight = self._sent.pop(prompt_id)
            self._left.add(prompt_id)
            self.hall.board.end(self.backend.name, flight.task)
            self.hall.shop.ledger.release(flight.sent.place)
            self._desk.leave(flight.task)
        self.hall.board.release_home(self.backend.name)

    def _give_back_recalled(self) -> None:
        recalled = {task.key for task in self.hall.board.recalls(self.backend.name)}
        ids = [prompt_id for prompt_id, flight in self._sent.items() if flight.task.key in recalled]
        if ids:
            for prompt_id in self.backend.withdraw(ids, running_too=False):
                self._drop(prompt_id, Failure("recalled", "another server makes it sooner"))

    def _take_back_all(self) -> None:
        """Ctrl-C: nothing of ours stays on the server; what has ended meanwhile is left for the next run to fetch."""
        with suppress(BackendUnavailable):
            for prompt_id in self.backend.withdraw(list(self._sent), running_too=True):
                self.hall.shop.ledger.fail_attempt(prompt_id, Failure("cancelled", "Ctrl-C"))

    def _tell_steps(self) -> None:
        for prompt_id, flight in self._sent.items():
            step = self.backend.step(prompt_id)
            if step is not None and step != flight.step:
                flight.step = step
                self.hall.shop.on_step(flight.task.picture, step)
        if self.backend.is_deaf():
            self.hall.alerts.tell(self.backend.name, "deaf")
