"""The mishaps a simulator can be told to have, each for a number of times."""

import threading
from collections.abc import Iterable

KNOWN: dict[str, str] = {
    "lose-reply": "POST /prompt is accepted and queued, then the connection drops without an answer",
    "reset": "POST /prompt: the connection is reset before anything is accepted",
    "http-500": "POST /prompt answers a plain-text 500, nothing is queued",
    "forget": "a finished prompt's history entry and files vanish, as after a restart",
    "truncate": "/view answers 200 with half a picture",
    "view-404": "/view answers 404",
    "small": "the picture has the wrong size",
    "black": "the picture is all black",
    "no-image": "success without outputs",
    "oom": "the sampler runs out of memory",
    "error": "the sampler fails",
}


class Faults:
    """Mishaps still to happen; safe to use from any thread."""

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._left: dict[str, int] = {}
        for fault in wanted:
            name, _, count = fault.partition(":")
            if name not in KNOWN or (count and not count.isdecimal()):
                names = ", ".join(KNOWN)
                raise ValueError(f"unknown fault {fault!r}; use NAME or NAME:COUNT with one of {names}")
            self._left[name] = self._left.get(name, 0) + int(count or 1)

    def take(self, name: str) -> bool:
        """Use up one *name*; False when none is left."""
        with self._lock:
            left = self._left.get(name, 0)
            self._left[name] = max(left - 1, 0)
            return left > 0
