"""The photos at web addresses, as the pipeline looks at them."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PIL import UnidentifiedImageError

from catalog_imagegen.adapters.photos.content import (
    BROKEN,
    MAX_PIXELS,
    NoPictureError,
    TooManyPixelsError,
    kind_of,
    prepared,
)
from catalog_imagegen.adapters.remote_photos import errors
from catalog_imagegen.adapters.remote_photos.cache import Cache, Note
from catalog_imagegen.domain.errors import ConfigError, PhotoError
from catalog_imagegen.domain.fingerprint import Digest, digest
from catalog_imagegen.domain.imaging import Photo

if TYPE_CHECKING:
    from catalog_imagegen.adapters.remote_photos.addresses import Resolve
    from catalog_imagegen.adapters.remote_photos.download import Downloads, Fetched, Session

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a shop's pictures may come from, and what one may cost."""

    allowed_hosts: tuple[str, ...] = ()
    """Hosts, addresses and networks that are not public, and are asked all the same."""
    max_bytes: int = 25_000_000
    timeout_s: float = 30.0
    fresh_s: float = 86_400.0
    """For so long a picture is not asked for again."""
    ca_file: str = ""
    """PEM file of an authority beside those of the system."""


class RemotePhotos:
    """Photos at web addresses, kept in *folder*. One object is one run: it asks for each address at most once.

    ``fetch`` starts an event loop of its own, so it must not be called from inside one.
    """

    def __init__(
        self,
        folder: Path,
        reach: Reach | None = None,
        *,
        resolve: Resolve | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._reach = reach or Reach()
        self._cache = Cache(folder)
        self._resolve = resolve
        self._clock = clock
        self._downloads: Downloads | None = None
        self._outcomes: dict[str, Photo | PhotoError] = {}
        self._notes: dict[Digest, Note] = {}
        self._warned: set[str] = set()

    def fetch(self, locations: Iterable[str]) -> None:
        """Have the photos at these addresses, or what is wrong with each, at hand for ``look``.

        Raises StorageFull and ConfigError.
        """
        urls = dict.fromkeys(map(_address, locations))
        waiting = [url for url in urls if url not in self._outcomes and not self._is_fresh(url)]
        if waiting:
            log.info("asking for %d pictures at web addresses", len(waiting))
            asyncio.run(self._fetch(waiting))

    def look(self, location: str) -> Photo:
        """The photo at an address. Raises PhotoError, which says what to do."""
        self.fetch([location])
        outcome = self._outcomes[_address(location)]
        if isinstance(outcome, PhotoError):
            raise outcome
        return outcome

    def read(self, name: Digest) -> bytes | None:
        """The bytes of a photo that was looked at; None when they are gone."""
        note = self._notes.get(name)
        content = self._cache.content(note) if note is not None else None
        if content is None or digest(content) == name:
            return content
        with suppress(*BROKEN, TooManyPixelsError):
            made, photo = prepared(content)
            return made if photo.digest == name else None
        return None

    def _is_fresh(self, url: str) -> bool:
        """Whether a kept picture need not be asked for; it is the photo then."""
        note = self._cache.note(url)
        if note is None or not 0 <= self._clock() - note.checked_at < self._reach.fresh_s:
            return False
        self._use(note)
        return True

    def _use(self, note: Note) -> None:
        self._outcomes[note.url] = note.photo
        self._notes[note.photo.digest] = self._notes[note.photo.original] = note

    async def _fetch(self, urls: Iterable[str]) -> None:
        if self._downloads is None:
            self._downloads = self._begun()
        # One thread: what warnings mean while a picture is decoded is a setting of the whole process.
        with ThreadPoolExecutor(1, thread_name_prefix="photos") as decoder:
            async with self._downloads.open() as session:
                await asyncio.gather(*(self._fetch_one(url, session, decoder) for url in urls))

    async def _fetch_one(self, url: str, session: Session, decoder: ThreadPoolExecutor) -> None:
        note = self._cache.note(url)
        try:
            async with session.turn(_host(url)):
                fetched = await session.get(url, note)
                loop = asyncio.get_running_loop()
                self._use(await loop.run_in_executor(decoder, self._kept, url, fetched, note))
        except errors.PhotoAway as error:
            if note is None:
                self._outcomes[url] = error
                return
            self._use(note)
            self._warn(url, error, note)
        except PhotoError as error:
            self._outcomes[url] = error

    def _kept(self, url: str, fetched: Fetched | None, note: Note | None) -> Note:
        """What was fetched, or is still the same, with its note written. Raises PhotoError."""
        now = self._clock()
        if fetched is not None:
            return self._cache.keep(url, fetched.content, _photo(url, fetched.content), fetched.marks, now)
        if note is None:  # the server was asked without marks
            raise errors.away(url, "HTTP 304")
        same = replace(note, checked_at=now)
        self._cache.write(same)
        return same

    def _warn(self, url: str, error: errors.PhotoAway, note: Note) -> None:
        """Say once of each host that older pictures are used."""
        host = _host(url)
        if host not in self._warned:
            self._warned.add(host)
            kept = time.strftime("%Y-%m-%d", time.localtime(note.checked_at))
            log.warning(
                "%s: %s; its pictures are used as they were when last fetched (%s: %s)",
                host,
                error.reason,
                url,
                kept,
            )

    def _begun(self) -> Downloads:
        from catalog_imagegen.adapters.remote_photos.addresses import (  # noqa: PLC0415 - slow to import
            Hosts,
            system_addresses,
        )
        from catalog_imagegen.adapters.remote_photos.download import Downloads, Limits  # noqa: PLC0415 - the same

        reach = self._reach
        return Downloads(
            hosts=Hosts(reach.allowed_hosts),
            limits=Limits(reach.max_bytes, reach.timeout_s),
            resolve=self._resolve or system_addresses,
            tls=_trusting(reach.ca_file),
        )


def _address(location: str) -> str:
    """An address as it is asked for and remembered; without a scheme it is secure."""
    text = location.strip()
    return (f"https:{text}" if text.startswith("//") else text).partition("#")[0]


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:  # it is about to be refused
        return ""


def _photo(url: str, content: bytes) -> Photo:
    """What a picture is. Raises PhotoError."""
    try:
        kind_of(content)
        return prepared(content)[1]
    except (NoPictureError, UnidentifiedImageError) as error:
        raise errors.not_picture(url) from error
    except TooManyPixelsError as error:
        raise errors.too_large(url, str(error), f"{MAX_PIXELS / 1e6:.0f} MP") from error
    except BROKEN as error:
        raise errors.damaged(url) from error


def _trusting(ca_file: str) -> ssl.SSLContext:
    """Whose certificates are believed. Raises ConfigError."""
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise ConfigError(
                f"config/app.toml: photos.ca_file: {ca_file} is no PEM file that can be read ({error}); correct it",
                zh=f"config/app.toml：photos.ca_file：无法读取 PEM 文件 {ca_file}（{error}）；请更正",
                code="ca_file",
            ) from error
    return context
