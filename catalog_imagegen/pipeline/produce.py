"""Renders what a plan asks for: each picture once, whatever dies when."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from catalog_imagegen.domain.errors import BackendUnavailable, CatalogImagegenError
from catalog_imagegen.domain.imaging import Render, Wanted
from catalog_imagegen.domain.job import Attempt, Failure, Finished
from catalog_imagegen.pipeline.board import Board
from catalog_imagegen.pipeline.ports import BlobStore, Ledger, RenderBackend
from catalog_imagegen.stages.quality import judge

log = logging.getLogger(__name__)

MAX_LOST = 3
"""Times a server may forget one picture before the picture is suspected of killing it."""
SPARE_HANDS = 2
"""Threads per server beyond its prompts in flight: they download, check and store meanwhile."""
PAUSE_S = 0.1
"""Between looks when every picture left, or every slot, is in other hands."""
DOWNLOADS = 2
"""Times a picture is fetched: a damaged download must not cost a second execution."""
FAREWELL_S = 5.0
"""How long an interrupted run waits for its threads to put down what they hold."""
FRESH_START = {"out_of_memory", "bad_picture"}
"""Failures that a server repeats unless it unloads its models and forgets its cached results."""

Outcome = Literal["rendered", "reused", "failed"]


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one picture."""

    wanted: Wanted
    outcome: Outcome
    failure: Failure | None = None


@dataclass(slots=True)
class Production:
    """What a run has done so far; threads add to it under its lock."""

    made: list[Made] = field(default_factory=list)
    jobs_submitted: int = 0
    unavailable: list[BackendUnavailable] = field(default_factory=list)
    crash: BaseException | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What producing needs: the ledger, the blobs, the servers and the rules."""

    ledger: Ledger
    blobs: BlobStore
    backends: Sequence[RenderBackend]
    run: str
    is_placeholder: bool
    attempts: int = 2
    on_made: Callable[[Made], None] = lambda _made: None


def produce(pictures: Sequence[Wanted], shop: Workshop, stop: threading.Event) -> Production:
    """Render *pictures* on all servers and record the results.

    Ends when every picture is rendered, failed or in nobody's reach. Pictures that nobody could
    render stay planned. A failed picture never stops the others; a server that stays away is left
    to the other servers, and named in ``unavailable``.
    """
    production = Production()
    unfinished = shop.ledger.open_attempts([picture.render_key for picture in pictures])
    homes = {key: attempt.server for key, attempt in unfinished.items()}
    board = Board(pictures, homes, [backend.name for backend in shop.backends])
    threads = []
    for backend in shop.backends:
        hand = _Hand(shop, backend, board, production, stop)
        for number in range(backend.in_flight + SPARE_HANDS):
            name = f"render-{backend.name}-{number}"
            threads.append(threading.Thread(target=hand.work, name=name, daemon=True))
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        stop.set()  # what was sent stays on the server; the next run adopts it
        deadline = time.monotonic() + FAREWELL_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        raise
    if production.crash is not None:
        raise production.crash
    return production


class _Hand:
    """Makes pictures on one server; several threads share it."""

    def __init__(
        self,
        shop: Workshop,
        backend: RenderBackend,
        board: Board,
        production: Production,
        stop: threading.Event,
    ) -> None:
        self.shop = shop
        self.backend = backend
        self.board = board
        self.production = production
        self.stop = stop
        self.is_away = False
        self.places = threading.Semaphore(backend.in_flight)

    def work(self) -> None:
        """Make pictures until none is left. The first crash stops all hands and is raised by ``produce``."""
        try:
            while not self.stop.is_set() and not self.is_away and not self.board.is_done(self.backend.name):
                picture = self.board.take(self.backend.name)
                if picture is None or not self._make(picture):
                    self.stop.wait(PAUSE_S)
        except BaseException as crash:  # noqa: BLE001 - threads have no caller; produce raises it
            with self.production.lock:
                self.production.crash = self.production.crash or crash
            self.stop.set()

    def _make(self, picture: Wanted) -> bool:
        """Make one picture unless somebody else is at it, or another of our servers has it."""
        lease = f"render:{picture.render_key}"
        if not self.shop.ledger.lease(lease):
            self.board.put_back(picture)
            return False
        made = None
        try:
            if self._is_elsewhere(picture):
                return False
            made = self._render(picture)
        except BackendUnavailable as error:
            self._leave(error)
        except CatalogImagegenError:
            raise  # about the whole run: a full disk, a ledger that cannot be written
        except Exception as error:
            log.exception("%s", picture.key)
            made = self._give_up(picture, Failure("execution_error", f"{type(error).__name__}: {error}"))
        finally:
            self.shop.ledger.release(lease)
            if made is None:
                self.board.put_back(picture, at_front=True)
            else:
                self.board.finish()
        if made is not None:
            with self.production.lock:
                self.production.made.append(made)
            self.shop.on_made(made)
        return True

    def _is_elsewhere(self, picture: Wanted) -> bool:
        """Whether another of our servers was sent the picture, by a process that is gone."""
        attempt = self.shop.ledger.open_attempt(picture.render_key)
        return (
            attempt is not None
            and attempt.server != self.backend.name
            and self.board.send_home(picture, attempt.server)
        )

    def _leave(self, error: BackendUnavailable) -> None:
        with self.production.lock:
            if not self.is_away:
                self.production.unavailable.append(error)
            self.is_away = True
        self.board.lose(self.backend.name)

    def _render(self, picture: Wanted) -> Made | None:
        """Render with retries; None when stopped before there was a result."""
        if (made := self._made_meanwhile(picture)) is not None:
            return made
        while True:
            failures = self.shop.ledger.failures(picture.render_key)
            if self._is_hopeless(failures):
                return self._give_up(picture, failures[-1])
            if failures and failures[-1].code in FRESH_START:
                self.backend.free()
            result = self._attempt(picture)
            if result is None:
                return None
            if isinstance(result, Render):
                return Made(picture, "rendered")

    def _made_meanwhile(self, picture: Wanted) -> Made | None:
        """What another process made of the picture since the plan."""
        render = self.shop.ledger.renders([picture.render_key]).get(picture.render_key)
        if render is not None and self.shop.blobs.has(render.digest):
            return Made(picture, "reused")
        record = self.shop.ledger.records([picture.key]).get(picture.key)
        if record is not None and record.failed_key == picture.render_key:
            return Made(picture, "failed", record.failure)
        return None

    def _is_hopeless(self, failures: Sequence[Failure]) -> bool:
        """Whether the attempts at a picture are used up, also those of earlier runs."""
        counts = Counter(failure.code for failure in failures)
        lost = counts.pop("lost", 0)
        return "rejected" in counts or counts.total() >= self.shop.attempts or lost >= MAX_LOST

    def _give_up(self, picture: Wanted, failure: Failure) -> Made:
        self.shop.ledger.give_up(picture.key, picture.render_key, failure)
        return Made(picture, "failed", failure)

    def _attempt(self, picture: Wanted) -> Render | Failure | None:
        """Send a render, or find the one sent before, and bring the picture home.

        The prompt id is written down before it is sent, so a rerun looks the job up instead of
        paying for it twice; the ledger names a render only once its bytes are stored.
        """
        with self._place() as is_free:
            if not is_free:
                return None
            attempt, ended = self._execute(picture)
        if ended is None:
            return None
        result = self._collect(picture, attempt, ended) if isinstance(ended, Finished) else ended
        if isinstance(result, Failure):
            self.shop.ledger.fail_attempt(attempt.prompt_id, result)
        return result

    def _execute(self, picture: Wanted) -> tuple[Attempt, Finished | Failure | None]:
        """Have the server execute a picture's graph exactly once."""
        ledger, backend = self.shop.ledger, self.backend
        attempt = ledger.open_attempt(picture.render_key)
        if attempt is not None and attempt.server != backend.name:
            left = Failure("abandoned", f"{attempt.server} cannot be asked in this run")
            ledger.fail_attempt(attempt.prompt_id, left)
            attempt = None
        is_sent = attempt is not None and backend.knows(attempt.prompt_id)
        if attempt is None:
            attempt = Attempt(str(uuid.uuid4()), picture.render_key, picture.key, backend.name)
            ledger.begin_attempt(attempt, self.shop.run)
        if not is_sent:
            accepted = backend.submit(
                attempt.prompt_id, _named(picture, f"{self.shop.run}/{attempt.prompt_id}"), _job(picture)
            )
            if isinstance(accepted, Failure):
                return attempt, accepted
            with self.production.lock:
                self.production.jobs_submitted += 1
            if accepted != attempt.prompt_id:
                ledger.rename_attempt(attempt.prompt_id, accepted)
                attempt = Attempt(accepted, picture.render_key, picture.key, backend.name)
        return attempt, backend.wait(attempt.prompt_id, self.stop.is_set)

    def _collect(self, picture: Wanted, attempt: Attempt, finished: Finished) -> Render | Failure:
        """Download, judge and store a picture; bytes first, then the row that names them."""
        content = self._download(picture, finished)
        if isinstance(content, Failure):
            return content
        render = Render(
            render_key=picture.render_key,
            digest=self.shop.blobs.put(content),
            width=picture.width,
            height=picture.height,
            placeholder=self.shop.is_placeholder,
        )
        self.shop.ledger.keep_render(attempt, render, finished)
        return render

    def _download(self, picture: Wanted, finished: Finished) -> bytes | Failure:
        """The bytes of a good picture. One that does not decode is fetched again: the copy may be bad."""
        for _ in range(DOWNLOADS):
            content = self.backend.fetch(finished.file)
            if isinstance(content, Failure):
                return content
            judgement = judge(content, width=picture.width, height=picture.height)
            if judgement.defect is None:
                return content
            if judgement.defect != "unreadable":
                break
        return Failure("bad_picture", f"{judgement.defect}: {judgement.message}")

    @contextmanager
    def _place(self) -> Iterator[bool]:
        """One of the server's places in flight, which all processes share; False when stopped."""
        with self.places:
            slot = self._slot()
            try:
                yield slot is not None
            finally:
                if slot is not None:
                    self.shop.ledger.release(slot)

    def _slot(self) -> str | None:
        while not self.stop.is_set():
            for number in range(self.backend.in_flight):
                name = f"slot:{self.backend.name}:{number}"
                if self.shop.ledger.lease(name):
                    return name
            self.stop.wait(PAUSE_S)
        return None


def _named(picture: Wanted, prefix: str) -> dict[str, object]:
    """The graph with a file name of our own: plain ASCII, and a folder per run so that saving stays quick."""
    node, name = picture.prefix_at
    body = picture.graph[node]
    return {
        **picture.graph,
        node: {**body, "inputs": {**body["inputs"], name: f"catalog-imagegen/{prefix}"}},
    }


def _job(picture: Wanted) -> dict[str, str]:
    return {
        "sku": picture.sku,
        "name": picture.name,
        "role": picture.key.role,
        "item": picture.item_text,
    }
