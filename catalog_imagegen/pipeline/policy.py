"""PURE: what to do about a picture after failed attempts, by the policy of each failure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog_imagegen.domain.failure import POLICIES
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.domain.job import AttemptRecord, Capacity

MAX_LOST = 3
"""Times that servers may lose one picture before the picture is suspected of killing them."""
OOM_AT_A_SIZE = 2
"""Attempts on one server at one size: as it came, and alone after the server has unloaded its models."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a picture is to be made next; the default is anywhere and in company."""

    only: str = ""
    """The one server that may make it: it was sent there, or must be tried there once more."""
    avoid: frozenset[str] = frozenset()
    """Servers that come last."""
    afresh: frozenset[str] = frozenset()
    """Servers that must unload their models and forget cached results first."""
    is_alone: bool = False
    """Nothing else of ours may wait on that server meanwhile."""
    min_vram_gb: float = 0.0
    shrink: int = 0
    """Which of the picture's smaller sizes to ask for; 0 is the wanted one."""


ANYWHERE = Terms()


def size_of(picture: Wanted, shrink: int) -> tuple[int, int]:
    """Width and height in pixels of a picture as wanted, or of one of its smaller sizes."""
    if shrink == 0:
        return picture.width, picture.height
    smaller = picture.smaller[shrink - 1]
    return smaller.width, smaller.height


def megapixels(picture: Wanted, shrink: int = 0) -> float:
    """The area of a picture."""
    width, height = size_of(picture, shrink)
    return width * height / 1e6


def may_make(server: str, capacity: Capacity, picture: Wanted, terms: Terms) -> bool:
    """Whether a server may make a picture at all; those to be avoided may."""
    return (
        terms.only in ("", server)
        and picture.workflow not in capacity.unfit
        and (not capacity.only_for or picture.workflow in capacity.only_for)
        and picture.needs <= capacity.tags
        and capacity.vram_gb >= terms.min_vram_gb
        and (capacity.max_megapixels is None or megapixels(picture, terms.shrink) <= capacity.max_megapixels)
    )


def first_terms(picture: Wanted, servers: Mapping[str, Capacity]) -> Terms | None:
    """The largest size that a server may be given; None if there is none."""
    for shrink in range(len(picture.smaller) + 1):
        terms = Terms(shrink=shrink)
        if any(may_make(name, capacity, picture, terms) for name, capacity in servers.items()):
            return terms
    return None


def next_terms(
    picture: Wanted,
    failed: Sequence[AttemptRecord],
    servers: Mapping[str, Capacity],
    *,
    attempts: int,
) -> Terms | None:
    """How to go on after these attempts, the oldest first; None when the picture is to be given up.

    *attempts*: submissions that may fail for reasons of the picture's own. Running out of memory has a ladder of its
    own: alone on the same server, on one with more memory, on another with as much, then at each smaller size.
    """
    if not failed:
        return first_terms(picture, servers)
    codes = [record.outcome for record in failed]
    budgets = Counter(policy.budget for code in codes if (policy := POLICIES.get(code)))  # type: ignore[call-overload]  # older ledgers may hold other codes
    memory = [record for record in failed if record.outcome == "out_of_memory"]
    used = budgets["attempts"] - len(memory) + sum(code not in POLICIES for code in codes)
    if budgets["final"] or budgets["losses"] >= MAX_LOST or used >= attempts:
        return None
    terms: Terms | None = _after_memory(picture, memory, servers) if memory else first_terms(picture, servers)
    if terms is None:
        return None
    return _with_reserve(terms, failed, servers)


def _with_reserve(terms: Terms, failed: Sequence[AttemptRecord], servers: Collection[str]) -> Terms:
    """The same, where servers that failed come last or must begin afresh."""
    last = {record.server: POLICIES.get(record.outcome) for record in failed}  # type: ignore[call-overload]  # as above
    avoid = {name for name, policy in last.items() if policy and policy.elsewhere and name in servers}
    afresh = {name for name, policy in last.items() if policy and policy.afresh}
    return replace(terms, avoid=terms.avoid | avoid, afresh=frozenset(afresh))


def _after_memory(
    picture: Wanted, memory: Sequence[AttemptRecord], servers: Mapping[str, Capacity]
) -> Terms | None:
    """The next rung of the ladder."""
    shrink = min(max(record.shrink for record in memory), len(picture.smaller))
    tried = Counter(record.server for record in memory if record.shrink == shrink)
    last = memory[-1].server
    here = Terms(only=last, is_alone=True, shrink=shrink)
    if tried[last] < OOM_AT_A_SIZE and last in servers and may_make(last, servers[last], picture, here):
        return here
    most = max((servers[name].vram_gb for name in tried if name in servers), default=0.0)
    untried = [
        capacity.vram_gb
        for name, capacity in servers.items()
        if name not in tried and may_make(name, capacity, picture, Terms(shrink=shrink))
    ]
    if larger := [vram_gb for vram_gb in untried if vram_gb > most]:
        least = min(larger)
        return Terms(min_vram_gb=least if least < math.inf else math.nextafter(most, math.inf), shrink=shrink)
    if most in untried:  # as large, but perhaps with nothing else on its card
        return Terms(min_vram_gb=most, avoid=frozenset(tried), shrink=shrink)
    return Terms(shrink=shrink + 1) if shrink < len(picture.smaller) else None
