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
from catalog_imagegen.pipeline.ports import BlobStore, Ledger, RenderBackend
from catalog_imagegen.stages.quality import judge

log = logging.getLogger(__name__)

MAX_LOST = 3
"""Times a server may forget one picture before the picture is suspected of killing it."""
SPARE_HANDS = 2
"""Threads per server beyond its prompts in flight: they download, check and store meanwhile."""
PAUSE_S = 0.1
"""Between looks when every picture left, or every slot, is in other hands."""
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
    board = _Board(pictures, shop)
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


class _Board:
    """The pictures still to make, handed out in order; one that a server may already know goes there."""

    def __init__(self, pictures: Sequence[Wanted], shop: Workshop) -> None:
        unfinished = shop.ledger.open_attempts([w.render_key for w in pictures])
        servers = {backend.name for backend in shop.backends}
        self._waiting = list(pictures)
        self._home = {key: a.server for key, a in unfinished.items() if a.server in servers}
        self._in_hand = 0
        self._lock = threading.Lock()

    def take(self, server: str) -> Wanted | None:
        """The next picture for a server."""
        with self._lock:
            for index, picture in enumerate(self._waiting):
                if self._home.get(picture.render_key, server) == server:
                    self._in_hand += 1
                    return self._waiting.pop(index)
        return None

    def put_back(self, picture: Wanted, *, at_front: bool = False) -> None:
        """Return a picture to be made later or elsewhere."""
        with self._lock:
            self._in_hand -= 1
            self._waiting.insert(0 if at_front else len(self._waiting), picture)

    def finish(self) -> None:
        """One picture less."""
        with self._lock:
            self._in_hand -= 1

    def lose(self, server: str) -> None:
        """A server is away: others may make what it was to finish."""
        with self._lock:
            self._home = {key: home for key, home in self._home.items() if home != server}

    def is_done(self, server: str) -> bool:
        """Whether nothing is left that this server could come to make."""
        with self._lock:
            mine = any(self._home.get(p.render_key, server) == server for p in self._waiting)
            return not mine and self._in_hand == 0


class _Hand:
    """Makes pictures on one server; several threads share it."""

    def __init__(
        self,
        shop: Workshop,
        backend: RenderBackend,
        board: _Board,
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
        """Make one picture unless somebody else is at it."""
        lease = f"render:{picture.render_key}"
        if not self.shop.ledger.lease(lease):
            self.board.put_back(picture)
            return False
        try:
            made = self._render(picture)
        except BackendUnavailable as error:
            self._leave(error)
            made = None
        except CatalogImagegenError:
            raise  # about the whole run: a full disk, a ledger that cannot be written
        except Exception as error:
            log.exception("%s", picture.key)
            made = self._give_up(picture, Failure("execution_error", f"{type(error).__name__}: {error}"))
        self.shop.ledger.release(lease)
        if made is None:
            self.board.put_back(picture, at_front=True)
            return True
        self.board.finish()
        with self.production.lock:
            self.production.made.append(made)
        self.shop.on_made(made)
        return True

    def _leave(self, error: BackendUnavailable) -> None:
        self.is_away = True
        with self.production.lock:
            self.production.unavailable.append(error)
        self.board.lose(self.backend.name)

    def _render(self, picture: Wanted) -> Made | None:
        """Render with retries; None when stopped before there was a result."""
        ledger = self.shop.ledger
        if picture.render_key in ledger.renders([picture.render_key]):
            return Made(picture, "reused")  # another process made it since the plan
        while True:
            result = self._attempt(picture)
            if result is None:
                return None
            if isinstance(result, Render):
                return Made(picture, "rendered")
            counts = Counter(ledger.failures(picture.render_key))
            lost = counts.pop("lost", 0)
            if result.code == "rejected" or counts.total() >= self.shop.attempts or lost >= MAX_LOST:
                return self._give_up(picture, result)
            if result.code in FRESH_START:
                self.backend.free()

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
            ledger.fail_attempt(attempt.prompt_id, Failure("lost", f"{attempt.server} is not in use now"))
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
        content = self.backend.fetch(finished.file)
        if isinstance(content, Failure):
            return content
        judgement = judge(content, width=picture.width, height=picture.height)
        if judgement.defect is not None:
            return Failure("bad_picture", f"{judgement.defect}: {judgement.message}")
        render = Render(
            render_key=picture.render_key,
            digest=self.shop.blobs.put(content),
            width=judgement.width,
            height=judgement.height,
            placeholder=self.shop.is_placeholder,
        )
        self.shop.ledger.keep_render(attempt, render, finished)
        return render

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
