"""Asks picture servers: a few at a time, only where it is allowed, and never for longer or more than was agreed."""

from __future__ import annotations

import asyncio
import email.utils
import ssl
import time
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urljoin

import aiohttp
import tenacity

from catalog_imagegen import __version__
from catalog_imagegen.adapters.remote_photos import errors
from catalog_imagegen.adapters.remote_photos.addresses import ForbiddenAddressError, Hosts, Resolve, target
from catalog_imagegen.adapters.remote_photos.cache import Marks, Note
from catalog_imagegen.adapters.remote_photos.doorman import Doorman

AT_ONCE = 8
AT_ONCE_PER_HOST = 2
MAX_REDIRECTS = 5
TRIES = 3
"""Of an address whose server is busy."""
PATIENCE_S = 30.0
"""The longest wait that a busy server may ask for; a longer one is for another run."""
CONNECT_S = 10.0
HOST_FAILURES = 3
"""Addresses of a host in a row that get no answer; the others are not tried in this run."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_HEADERS = {
    "User-Agent": f"catalog-imagegen/{__version__}",
    "Accept": "image/jpeg, image/png, image/webp, image/*;q=0.5, */*;q=0.1",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may cost."""

    max_bytes: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture's bytes as they came, and the marks by which it is asked for again."""

    content: bytes
    marks: Marks


@dataclass(slots=True)
class _Host:
    """How a host stands in this run."""

    quiet_until: float = 0.0
    failures: int = 0
    reason: str = ""


@dataclass(slots=True)
class Downloads:
    """One run's requests; remembers which hosts are busy or do not answer."""

    hosts: Hosts
    limits: Limits
    resolve: Resolve
    tls: ssl.SSLContext
    _standing: dict[str, _Host] = field(default_factory=lambda: defaultdict(_Host))

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Session]:
        """Connections for some requests."""
        doorman = Doorman(self.hosts, self.resolve)
        connector = aiohttp.TCPConnector(
            limit=AT_ONCE,
            limit_per_host=AT_ONCE_PER_HOST,
            resolver=doorman,
            socket_factory=doorman.opened,
            ttl_dns_cache=None,
            ssl=self.tls,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            yield Session(self, session, doorman)


class Session:
    """Asks for pictures over one set of connections."""

    def __init__(self, downloads: Downloads, session: aiohttp.ClientSession, doorman: Doorman) -> None:
        self._limits = downloads.limits
        self._standing = downloads._standing  # noqa: SLF001 - a part of it
        self._session = session
        self._doorman = doorman
        self._everywhere = asyncio.Semaphore(AT_ONCE)
        self._at_host: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE_PER_HOST))

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a free place at a host, and altogether."""
        async with self._at_host[host], self._everywhere:
            yield

    async def get(self, location: str, note: Note | None) -> Fetched | None:
        """The picture at an address; None when it is the one of the *note*. Raises PhotoError."""
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_is_worth_waiting),
            wait=_as_asked,
            stop=tenacity.stop_after_attempt(TRIES),
            reraise=True,
        )
        return await retrying(self._ask, location, note)

    async def _ask(self, location: str, note: Note | None) -> Fetched | None:
        """Ask once, unless the host is known to be busy or away."""
        host = self._standing[target(location).raw_host or ""]
        if host.failures >= HOST_FAILURES:
            raise errors.away(location, host.reason)
        if (wait_s := host.quiet_until - time.monotonic()) > PATIENCE_S:
            raise errors.busy(location, HTTPStatus.TOO_MANY_REQUESTS, None)
        await asyncio.sleep(max(0.0, wait_s))
        try:
            answer = await self._in_time(location, note)
        except errors.PhotoBusy as error:
            host.quiet_until = time.monotonic() + (error.wait_s or 0.0)
            raise
        except errors.PhotoAway as error:
            host.failures, host.reason = host.failures + (not error.is_answer), error.reason
            raise
        host.failures = 0
        return answer

    async def _in_time(self, location: str, note: Note | None) -> Fetched | None:
        """Follow an address, trouble in words. Raises PhotoError."""
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                return await self._follow(location, note)
        except ForbiddenAddressError as error:
            raise errors.forbidden(location, error.host, error.address) from error
        except aiohttp.InvalidURL as error:
            raise errors.wrong_address(location) from error
        except zlib.error as error:
            raise errors.damaged(location) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise errors.away(location, "the name of its server is not known") from error
        except aiohttp.ClientError as error:
            raise errors.away(location, str(error) or type(error).__name__) from error
        except TimeoutError as error:
            raise errors.too_slow(location, self._limits.timeout_s) from error
        except OSError as error:
            raise errors.away(location, error.strerror or str(error)) from error

    async def _follow(self, location: str, note: Note | None) -> Fetched | None:
        url = target(location)
        for _ in range(1 + MAX_REDIRECTS):
            self._doorman.admit_literal(url.raw_host or "")
            asked = note if note is not None and note.marks.answered_by == str(url) else None
            async with self._session.get(url, headers=_marks_of(asked), allow_redirects=False) as response:
                if response.status not in _REDIRECTS or "Location" not in response.headers:
                    return await self._answer(location, response, asked)
                url = target(location, urljoin(str(url), response.headers["Location"]))
        raise errors.too_many_redirects(location, MAX_REDIRECTS)

    async def _answer(
        self, location: str, response: aiohttp.ClientResponse, asked: Note | None
    ) -> Fetched | None:
        status = response.status
        if status == HTTPStatus.NOT_MODIFIED and asked is not None:
            return None
        if status in _GONE:
            raise errors.gone(location, status)
        if status in _BUSY:
            raise errors.busy(location, status, _retry_after(response.headers.get("Retry-After", "")))
        if status != HTTPStatus.OK:
            is_theirs = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
            raise errors.refused(location, status) if is_theirs else errors.in_trouble(location, status)
        content = await self._read(location, response)
        return Fetched(
            content,
            Marks(
                answered_by=str(response.url),
                etag=_mark(response.headers.get("ETag", "")),
                last_modified=_mark(response.headers.get("Last-Modified", "")),
            ),
        )

    async def _read(self, location: str, response: aiohttp.ClientResponse) -> bytes:
        """The body, unpacked no further than is allowed, whatever was announced."""
        limit = self._limits.max_bytes
        packing = response.headers.get("Content-Encoding", "identity").strip().lower()
        if packing not in {"", "identity", *_PACKED}:
            raise errors.not_picture(location)
        unpack = zlib.decompressobj(wbits=47) if packing in _PACKED else None  # 47: gzip or zlib
        pieces: list[bytes] = []
        size, came = 0, response.content_length or 0
        if came <= limit:
            came = 0
            async for piece in response.content.iter_any():
                pieces.append(unpack.decompress(piece, limit + 1 - size) if unpack else piece)
                size, came = size + len(pieces[-1]), came + len(piece)
                if max(size, came) > limit:
                    break
        if max(size, came) > limit:
            raise errors.too_large(location, f"> {limit / 1e6:g} MB", f"{limit / 1e6:g} MB")
        return b"".join(pieces)


def _mark(text: str) -> str:
    """A mark that can be kept and sent back; any other is none."""
    return text if text.isascii() and text.isprintable() else ""


def _marks_of(note: Note | None) -> dict[str, str]:
    """Ask for a picture only if it is another."""
    if note is None:
        return {}
    marks = {"If-None-Match": note.marks.etag, "If-Modified-Since": note.marks.last_modified}
    return {name: value for name, value in marks.items() if value}


def _retry_after(text: str) -> float | None:
    """Seconds to wait, told as such or as a date."""
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _is_worth_waiting(error: BaseException) -> bool:
    return isinstance(error, errors.PhotoBusy) and error.wait_s is not None and error.wait_s <= PATIENCE_S


def _as_asked(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    return (error.wait_s or 0.0) if isinstance(error, errors.PhotoBusy) else 0.0
