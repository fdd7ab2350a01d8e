"""Finds out which of the prompts on a server has ended, by asking as rarely as that can be known in time."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from catalog_imagegen.adapters.comfyui.answers import outcome
from catalog_imagegen.adapters.comfyui.client import Client, Unreachable
from catalog_imagegen.adapters.comfyui.listener import Listener
from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.job import Ended, Finished

POLL_S = 0.06
"""Between looks at the history of the prompt that is due to end."""
POLL_LATE_S = 0.5
"""The same long after it was due, or long before."""
POLL_LIVE_S = 6.0
"""The same while the websocket would tell of the end at once; if it does not, the queue will."""
QUEUE_CHECK_S = 2.0
"""Between looks at the queue, which tells of all prompts at once what runs, what waits and what was lost."""
LOST_AFTER = 2
"""Looks that must miss a prompt in the queue and then in the history before it counts as lost."""
DEAD_AFTER_S = 6.0
"""How long prompts may wait while nothing runs."""
STOP_S = 10.0
"""How long a prompt that was interrupted may take to end."""


class Watch:
    """Watches the prompts of one server. The history is the truth; the websocket only says when to look.

    *stall_s*: seconds without a step before a picture is stopped; *job_timeout_s*: seconds that one may execute whose
    steps cannot be heard, somebody else's included.
    """

    def __init__(self, client: Client, listener: Listener, *, stall_s: float, job_timeout_s: float) -> None:
        self._client = client
        self._listener = listener
        self._stall_s = stall_s
        self._job_timeout_s = job_timeout_s
        self._running_since: dict[str, float] = {}
        self._missed: dict[str, int] = {}
        self._idle_since: float | None = None
        self._foreign: tuple[str, float] = ("", 0.0)
        self._stuck: set[str] = set()
        self._looked_at = 0.0
        self._queue_seen_at = 0.0

    def next_ended(
        self, prompt_ids: Sequence[str], *, timeout_s: float, expected_s: float | None
    ) -> Ended | None:
        """Wait until one of the prompts, given in the order sent, has ended; None if none does in time.

        *expected_s*: seconds until the next of them is expected to end. Raises Unreachable.
        """
        began = time.monotonic()
        deadline = began + timeout_s
        due = None if expected_s is None else began + expected_s
        awaited = frozenset(prompt_ids)
        while True:
            now = time.monotonic()
            next_look = self._looked_at + self._interval(now, due)
            next_queue = self._queue_seen_at + QUEUE_CHECK_S
            pause_s = min(next_look, next_queue, deadline) - now
            for prompt_id in self._listener.wait(pause_s, awaited):
                if (ended := self._look(prompt_id)) is not None:
                    return ended
            now = time.monotonic()
            if now >= next_queue and (ended := self._check_queue(prompt_ids, now)) is not None:
                return ended
            if now >= next_look and (ended := self._look(self._head(prompt_ids))) is not None:
                return ended
            if now >= deadline:
                return None

    def forget(self, prompt_id: str) -> None:
        """A prompt is no longer awaited."""
        self._running_since.pop(prompt_id, None)
        self._missed.pop(prompt_id, None)
        self._listener.forget(prompt_id)

    def check_soon(self) -> None:
        """Something happened to the server: look at its queue next."""
        self._queue_seen_at = 0.0
        self._idle_since = None

    def check_stuck(self, running: Collection[str]) -> None:
        """Raise Unreachable while the server still hangs in what could not be stopped."""
        self._stuck &= set(running)
        if self._stuck:
            raise Unreachable("stuck", f"it still executes {', '.join(sorted(self._stuck))}")

    def stop(self, prompt_id: str) -> Finished | Failure | None:
        """Interrupt a prompt; how it ended, or None when it goes on running."""
        self._client.delete([prompt_id])
        self._client.interrupt(prompt_id)
        deadline = time.monotonic() + STOP_S
        while time.monotonic() < deadline:
            running, pending = self._client.queue()
            if prompt_id not in running and prompt_id not in pending:
                entry = self._client.history(prompt_id)
                return Failure("cancelled", "") if entry is None else outcome(entry)
            time.sleep(POLL_S)
        return None

    def _interval(self, now: float, due: float | None) -> float:
        """Seconds between looks: long before the end and long after it was due more than around it."""
        if self._listener.is_live:
            return POLL_LIVE_S
        distance_s = POLL_S if due is None else (due - now) / 2 if now < due else (now - due) / 8
        return min(POLL_LATE_S, max(POLL_S, distance_s))

    def _head(self, prompt_ids: Sequence[str]) -> str:
        """The prompt that is next to end."""
        return next(
            (prompt_id for prompt_id in prompt_ids if prompt_id in self._running_since), prompt_ids[0]
        )

    def _look(self, prompt_id: str) -> Ended | None:
        entry = self._client.history(prompt_id)
        self._looked_at = time.monotonic()  # not before: a look that failed is due at once
        return None if entry is None else self._end(prompt_id, outcome(entry))

    def _end(self, prompt_id: str, result: Finished | Failure) -> Ended:
        self.forget(prompt_id)
        return Ended(prompt_id, result)

    def _check_queue(self, prompt_ids: Sequence[str], now: float) -> Ended | None:
        running, pending = self._client.queue()
        self._queue_seen_at = now
        self._check_worker(running, pending, now)
        self._check_foreign(running, prompt_ids, now)
        for prompt_id in sorted(prompt_ids, key=lambda each: each in running):  # what has ended comes first
            if prompt_id in running:
                self._missed.pop(prompt_id, None)
                since = self._running_since.setdefault(prompt_id, now)
                if (ended := self._examine(prompt_id, since, now)) is not None:
                    return ended
            elif prompt_id in pending:
                self._missed.pop(prompt_id, None)
            elif (ended := self._look(prompt_id) or self._miss(prompt_id)) is not None:
                return ended
        return None

    def _miss(self, prompt_id: str) -> Ended | None:
        """It is in no queue and not in the history: once may be a moment in between, twice is not."""
        self._missed[prompt_id] = self._missed.get(prompt_id, 0) + 1
        if self._missed[prompt_id] < LOST_AFTER:
            self._queue_seen_at -= QUEUE_CHECK_S / 2
            return None
        return self._end(
            prompt_id, Failure("lost", "the server forgot the prompt; it was probably restarted")
        )

    def _check_worker(self, running: Sequence[str], pending: Sequence[str], now: float) -> None:
        """A server whose worker thread died answers everything and executes nothing."""
        if running or not pending:
            self._idle_since = None
            return
        self._idle_since = self._idle_since or now
        if now - self._idle_since >= DEAD_AFTER_S:
            seconds = f"{now - self._idle_since:.0f}"
            raise Unreachable("dead_worker", f"{len(pending)} prompts wait, and none has run for {seconds} s")

    def _check_foreign(self, running: Sequence[str], prompt_ids: Sequence[str], now: float) -> None:
        """Ours may wait for somebody else's prompt, but not for ever: nobody hears its steps, and it may hang."""
        head = next((prompt_id for prompt_id in running if prompt_id not in prompt_ids), "")
        if head != self._foreign[0]:
            self._foreign = (head, now)
        busy_s = now - self._foreign[1]
        if head and busy_s > self._job_timeout_s:
            self._stuck.add(head)
            raise Unreachable("stuck", f"it has been executing {head}, which is not ours, for {busy_s:.0f} s")

    def _examine(self, prompt_id: str, since: float, now: float) -> Ended | None:
        """Whether a picture still makes progress. One that does is left alone, however long it takes."""
        sign = self._listener.last_sign(prompt_id)
        # Steps are told only to who submitted: those of a prompt that an earlier run sent are never heard.
        can_hear = self._listener.is_live and sign is not None
        limit_s = self._stall_s if can_hear else self._job_timeout_s
        silent_s = now - max(since, sign or since)
        if silent_s <= limit_s:
            return None
        ended = self.stop(prompt_id)
        if ended is None:
            self._stuck.add(prompt_id)
            raise Unreachable(
                "stuck", f"{prompt_id} makes no step for {silent_s:.0f} s and cannot be interrupted"
            )
        if isinstance(ended, Finished):
            return self._end(prompt_id, ended)
        return self._end(prompt_id, Failure("timeout", f"no step for {silent_s:.0f} s"))
