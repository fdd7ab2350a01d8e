"""Tells of what goes wrong with servers: once per incident, however often it shows."""

from __future__ import annotations

import threading
from collections.abc import Callable

from catalog_imagegen.domain.incident import Incident, TroubleCode

_BESIDE: frozenset[TroubleCode] = frozenset({"out_of_memory", "server_lacks", "deaf"})
"""Of their own: a server that is not available may have these besides."""
_HARMLESS: frozenset[TroubleCode] = frozenset({"restarted"})
"""Part of a trouble that was told before, but nothing that hides a later one."""


class Alerts:
    """The incidents of a run; threads share it.

    A server has one incident of each kind in a run, and one only for all that it shows until it has proved itself:
    what refuses connections now resets them later and has forgotten its jobs when it is back.
    """

    def __init__(self, on_alert: Callable[[Incident], None]) -> None:
        self._on_alert = on_alert
        self._told: list[Incident] = []
        self._known: set[tuple[str, TroubleCode]] = set()
        self._in_trouble: set[str] = set()
        self._lock = threading.Lock()

    def tell(self, server: str, code: TroubleCode, detail: str = "") -> None:
        """Something is wrong with a server, perhaps still."""
        with self._lock:
            is_known = (server, code) in self._known or (code not in _BESIDE and server in self._in_trouble)
            if code not in _BESIDE | _HARMLESS:
                self._in_trouble.add(server)
            if is_known:
                return
            self._known.add((server, code))
            incident = Incident(server, code, detail)
            self._told.append(incident)
        self._on_alert(incident)

    def settle(self, server: str) -> None:
        """A server has proved itself: trouble of another kind is another incident."""
        with self._lock:
            self._in_trouble.discard(server)

    def incidents(self) -> tuple[Incident, ...]:
        """All that was told, in order."""
        with self._lock:
            return tuple(self._told)
