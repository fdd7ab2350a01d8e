"""Names for results: everything that went into them, hashed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NewType

Fingerprint = NewType("Fingerprint", str)
"""64 hex digits that name a result by what goes into it."""

Digest = NewType("Digest", str)
"""64 hex digits: the sha-256 of some bytes."""


def fingerprint(step: str, version: int, inputs: Any) -> Fingerprint:
    """Name a result by the step that makes it and everything the step reads.

    *inputs* is JSON data. No clocks, paths, hosts or run ids belong in it: they would make equal
    results look different. NaN is refused because it has no JSON.
    """
    return named(document(step, version, inputs))


def document(step: str, version: int, inputs: Any) -> str:
    """What a fingerprint is taken of."""
    return as_json([step, version, inputs])


as_json = json.JSONEncoder(sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
"""JSON of which there is one form only."""


def named(text: str) -> Fingerprint:
    """The fingerprint of a document."""
    return Fingerprint(hashlib.sha256(text.encode()).hexdigest())


def digest(content: bytes) -> Digest:
    """The sha-256 of *content*, under which a blob is stored."""
    return Digest(hashlib.sha256(content).hexdigest())
