"""Ten thousand damaged and hostile catalogs: each is read, or refused in words; none crashes, hangs or eats the memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz.cases import case
from tests.fuzz.corpus import seeds
from tests.fuzz.examining import examined, written
from tests.fuzz.outcomes import READ, outcome, outcome_here
from tests.fuzz.watched import DIED, WatchedReader

CASES, CHUNKS = int(os.environ.get("FUZZ_CASES", "10_000")), 20
_SIZE = CASES // CHUNKS
_EVERY = 67
"""One of so many is also read as it is in earnest, in a process of its own: some 150."""
_REFUSED = {
    **dict.fromkeys(("drawn.xls", "framed.ods", "grouped.xlsx"), "empty_catalog"),
    "old_locked.xls": "password_protected",
}


def test_what_is_mutated_can_be_read(tmp_path: Path) -> None:
    """Of catalogs that are refused anyway, mutations would tell nothing."""
    codes = {}
    for seed in seeds():
        path = tmp_path / seed.name
        path.write_bytes(seed.data)
        codes[seed.name] = outcome_here(path).code
    assert {name: code for name, code in codes.items() if code != READ} == _REFUSED


def test_a_number_always_gives_the_same_file() -> None:
    """Else nobody could look into what another machine has found."""
    seeds.cache_clear()
    first = [case(number) for number in range(300)]
    seeds.cache_clear()
    assert first == [case(number) for number in range(300)]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_mutated_catalogs_are_read_or_refused(chunk: int, tmp_path: Path) -> None:
    """What must not be is told with its number; ``python -m tests.fuzz NUMBER`` reads that file again."""
    told = examined(range(chunk * _SIZE, (chunk + 1) * _SIZE), tmp_path)
    assert told.codes.total() == _SIZE
    assert not told.findings, str(told)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(3))
def test_in_a_process_of_its_own_a_file_ends_the_same(part: int, tmp_path: Path) -> None:
    """What the other test passes over, starting a process for each file, changes nothing."""
    differing = {}
    with WatchedReader(tmp_path) as reader:
        for number in range(part * _EVERY, CASES, 3 * _EVERY):
            path = written(case(number), tmp_path)
            here, apart = reader.read(path).outcome, outcome(path)
            if apart.finding or here.code not in (apart.code, DIED):
                differing[number] = here, apart
    assert differing == {}
