"""Hands out the pictures that are still to be made, to threads that share it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import Wanted


class Board:
    """The pictures still to make, handed out in order; one that a server may already know goes there."""

    def __init__(self, pictures: Iterable[Wanted], homes: Mapping[Fingerprint, str]) -> None:
        self._waiting = list(pictures)
        self._home = dict(homes)
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
