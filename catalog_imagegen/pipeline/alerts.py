"""Tells of what goes wrong with servers: once per incident, however often it shows."""

from __future__ import annotations

import threading
from collections.abc import Callable

from catalog_imagegen.domain.incident import Incident, TroubleCode

_WHOLE_RUN: frozenset[TroubleCode] = frozenset({"out_of_memory", "server_lacks", "deaf"})
"""Told once in a run: a picture that succeeds does not end them."""


class Alerts:
    """The incidents of a run; threads share it."""

    def __init__(self, on_alert: Callable[[Incident], None]) -> None:
        self._on_alert = on_alert
        self._told: list[Incident] = []
        self._open: set[tuple[str, TroubleCode]] = set()
        self._lock = threading.Lock()

    def tell(self, server: str, code: TroubleCode, detail: str = "") -> None:
        """Something is wrong with a server, perhaps still. One that is in trouble anyway has one incident."""
        with self._lock:
            is_known = (server, code) in self._open or (
                code not in _WHOLE_RUN and any(s == server and c not in _WHOLE_RUN for s, c in self._open)
            )
            self._open.add((server, code))
            if is_known:
                return
            incident = Incident(server, code, detail)
            self._told.append(incident)
        self._on_alert(incident)

    def settle(self, server: str) -> None:
        """A server has proved itself: what comes next is another incident."""
        with self._lock:
            self._open = {(s, c) for s, c in self._open if s != server or c in _WHOLE_RUN}

    def incidents(self) -> tuple[Incident, ...]:
        """All that was told, in order."""
        with self._lock:
            return tuple(self._told)
