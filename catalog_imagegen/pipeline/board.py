"""Hands out the pictures that are still to be made, to threads that share it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import Wanted


class Board:
    """The pictures still to make, handed out in order; one that a server may already know goes there."""

    def __init__(
        self, pictures: Iterable[Wanted], homes: Mapping[Fingerprint, str], servers: Iterable[str]
    ) -> None:
        self._waiting = list(pictures)
        self._servers = set(servers)
        self._home = {key: home for key, home in homes.items() if home in self._servers}
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

    def send_home(self, picture: Wanted, server: str) -> bool:
        """Leave a picture to the server that may know it already, unless that one is away."""
        with self._lock:
            if server not in self._servers:
                return False
            self._home[picture.render_key] = server
            return True

    def finish(self) -> None:
        """One picture less."""
        with self._lock:
            self._in_hand -= 1

    def lose(self, server: str) -> None:
        """A server is away: others may make what it was to finish."""
        with self._lock:
            self._servers.discard(server)
            self._home = {key: home for key, home in self._home.items() if home != server}

    def is_done(self, server: str) -> bool:
        """Whether nothing is left that this server could come to make."""
        with self._lock:
            mine = any(self._home.get(p.render_key, server) == server for p in self._waiting)
            return not mine and self._in_hand == 0
