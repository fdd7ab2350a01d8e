"""Case by number: which catalog is mutated, how, and what the file is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from tests.fuzz import packages, raw, records, texts
from tests.fuzz.corpus import Seed, seeds

_WEIGHTS: Mapping[str, float] = {"zip": 0.6, "ole2": 0.15, "text": 0.25}
_SUFFIXES = (".csv", ".xlsx", ".xls", ".ods", ".txt", ".xlsb", "")
_MUTATIONS: Mapping[str, raw.Mutation] = {
    "zip": packages.mutated,
    "ole2": records.mutated_ole2,
    "text": texts.mutated,
}
_LOCKED = 0.4
"""How often a workbook with a password stays the one that is chosen: to open one takes longer than to read ten."""


@dataclass(frozen=True, slots=True)
class Case:
    """A file that may be anything."""

    number: int
    seed: str
    name: str
    data: bytes


def case(number: int) -> Case:
    """The same file for the same number, on any machine."""
    chance = Random(number)
    family = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    seed = _chosen(family, chance)
    if chance.random() < 0.03:
        data = raw.spliced(seed.data, chance.choice(seeds()).data, chance)
    else:
        data = _MUTATIONS[family](seed.data, chance)
    stem, _, suffix = seed.name.rpartition(".")
    ending = f".{suffix}" if chance.random() < 0.9 else chance.choice(_SUFFIXES)
    return Case(number, seed.name, f"{number}_{stem}{ending}", data)


def _chosen(family: str, chance: Random) -> Seed:
    fitting = [seed for seed in seeds() if seed.family == family]
    seed = chance.choice(fitting)
    while "locked" in seed.name and chance.random() > _LOCKED:
        seed = chance.choice(fitting)
    return seed
