"""Measures what decoding pictures costs a process, whoever decodes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Self
from unittest import mock

from PIL import Image, ImageFile, PngImagePlugin

DECODERS: tuple[tuple[Any, str], ...] = (
    (Image, "open"),
    (PngImagePlugin.PngImageFile, "verify"),
    (ImageFile.ImageFile, "load"),
)
"""Reading the header, checking the checksums, decompressing into pixels."""


class Decoding:
    """While it is entered, adds up the processor seconds that threads spend in Pillow's decoder."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._inside = threading.local()
        self._lock = threading.Lock()
        self._patches = [mock.patch.object(place, name, self._timed(place, name)) for place, name in DECODERS]

    def __enter__(self) -> Self:
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in self._patches:
            patch.stop()

    def _timed(self, place: Any, name: str) -> Callable[..., Any]:
        decode = getattr(place, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._inside, "flag", False):
                return decode(*args, **kwargs)
            self._inside.flag = True
            began = time.thread_time()
            try:
                return decode(*args, **kwargs)
            finally:
                self._inside.flag = False
                with self._lock:
                    self.seconds += time.thread_time() - began

        return timed
