"""PURE: which rows of a source a sync has to do with, and when it must not go on without being told to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from catalog_imagegen import __version__
from catalog_imagegen.domain.catalog import Product, Settled, Standing
from catalog_imagegen.domain.fingerprint import fingerprint
from catalog_imagegen.pipeline.want import Setup

VERSION = 1


@dataclass(frozen=True, slots=True)
class Changes:
    """How a source differs from what is recorded of it."""

    todo: tuple[tuple[int, Product], ...]
    """Rows that are new or other, or of which something is left to be done, with their positions."""
    moved: Mapping[str, int]
    """SKU → position of rows that only stand elsewhere."""
    gone: frozenset[str]
    """SKUs that the source had and has no longer."""
    had: int
    """How many SKUs it had."""
    restated: tuple[tuple[int, Product], ...] = ()
    """Rows that are other, but in nothing that decides a picture."""

    @property
    def named(self) -> set[str]:
        """The SKUs that are other or gone."""
        return {product.sku for _, product in self.todo} | self.gone

    @property
    def gone_share(self) -> float:
        """0 to 1, of the SKUs it had."""
        return len(self.gone) / self.had if self.had else 0.0


def changes(
    rows: Sequence[tuple[int, Product]],
    settled: Mapping[str, Settled],
    standings: Mapping[str, Standing],
    *,
    source: str,
    unread: Collection[str] = (),
    again: Collection[str] = (),
    is_whole: bool = True,
) -> Changes:
    """Compare the rows of a source with what is recorded: its *settled* ones, and the *standings* of all others.

    SKUs that stand there but could not be *unread* stay as they are, and where the source was not read as a *whole*
    nothing is taken for gone. Those to be looked at *again* count as other. Where a variant is gone, its family is looked at: another may speak for it now.
    """
    here = {product.sku for _, product in rows}
    had = {sku for sku, row in standings.items() if row.source == source and not row.is_retired}
    gone = frozenset(((settled.keys() - here) | (had - here)) - set(unread)) if is_whole else frozenset()
    todo, moved = [], {}
    for position, product in rows:
        known = settled.get(product.sku)
        if known is None or known[1] != product.digest or product.sku in again:
            todo.append((position, product))
        elif known[2] != position:
            moved[product.sku] = position
    return Changes(tuple(todo), moved, gone, len(settled) + len(had))


def with_families(
    todo: Iterable[tuple[int, Product]], rows: Sequence[tuple[int, Product]], families: Collection[str]
) -> list[tuple[int, Product]]:
    """The rows to do and all others of these *families*, in catalog order."""
    named = {product.sku for _, product in todo}
    return [row for row in rows if row[1].sku in named or row[1].family in families]


def setup_name(setup: Setup, platforms: Iterable[str]) -> str:
    """Names all but the rows that decides which pictures there are and what they show."""
    inputs = {
        "by": __version__,
        "sources": setup.sources,
        "roles": setup.roles,
        "platforms": {name: setup.platforms[name] for name in platforms},
        "texts": [setup.layouts, {font.name: font.digest for font in setup.fonts.values()}],
        "screen": [setup.screen.lists, setup.screen.exceptions],
    }
    return fingerprint("setup", VERSION, _plain(inputs))[:32]


def _plain(value: Any) -> Any:
    """A frozen value as JSON."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
