"""Learns how long servers need, in seconds per workflow and megapixel."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from statistics import fmean

from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.policy import megapixels

WEIGHT = 0.3
"""Of the newest measurement: a server that other people use slows down, and is seen to."""
UNKNOWN_S = 4.0
"""Seconds per megapixel of a workflow that no server has ever run."""
UNKNOWN_CHANGE_S = 3.0
"""Seconds that a change of models costs where none was measured."""

Known = Mapping[tuple[str, str], float]
"""(server, workflow) → seconds per megapixel."""


class Speeds:
    """Expectations that follow what is measured; threads share it."""

    def __init__(self, known: Known | None = None) -> None:
        self._per_mp = dict(known or {})
        self._measured: set[tuple[str, str]] = set()
        self._change_s: dict[str, float] = {}
        self._lock = threading.RLock()

    def is_known(self, server: str, picture: Wanted) -> bool:
        """Whether this server has been measured at this workflow."""
        with self._lock:
            return (server, picture.workflow) in self._per_mp

    def seconds(self, server: str, picture: Wanted, *, shrink: int = 0) -> float:
        """How long a server is expected to execute a picture with its models loaded."""
        with self._lock:
            return self._rate(server, picture.workflow) * megapixels(picture, shrink)

    def change_seconds(self, server: str) -> float:
        """How much longer the first picture after a change of models takes."""
        with self._lock:
            if server in self._change_s:
                return self._change_s[server]
            return fmean(self._change_s.values()) if self._change_s else UNKNOWN_CHANGE_S

    def learn(
        self, server: str, picture: Wanted, seconds: float, *, shrink: int, changed_models: bool
    ) -> None:
        """A picture took *seconds* to execute, by the server's own clock."""
        key = (server, picture.workflow)
        with self._lock:
            if not changed_models:
                rate = seconds / megapixels(picture, shrink)
                old = self._per_mp[key] if key in self._measured else rate
                self._per_mp[key] = old + WEIGHT * (rate - old)
                self._measured.add(key)
            elif key in self._measured:
                extra = max(0.0, seconds - self.seconds(server, picture, shrink=shrink))
                old = self._change_s.get(server, extra)
                self._change_s[server] = old + WEIGHT * (extra - old)

    def _rate(self, server: str, workflow: str) -> float:
        """Seconds per megapixel: measured, or guessed from other servers and other workflows."""
        if (known := self._per_mp.get((server, workflow))) is not None:
            return known
        others = [rate for (_, w), rate in self._per_mp.items() if w == workflow]
        if not others:
            return fmean(self._per_mp.values()) if self._per_mp else UNKNOWN_S
        return fmean(others) * self._factor(server)

    def _factor(self, server: str) -> float:
        """How much slower a server is than the others, by the workflows that it and they have run."""
        ratios = []
        for (name, workflow), rate in self._per_mp.items():
            others = [r for (n, w), r in self._per_mp.items() if w == workflow and n != server]
            if name == server and others:
                ratios.append(rate / fmean(others))
        return fmean(ratios) if ratios else 1.0
