"""Read one case by its number, or all from one number up to another: ``python -m tests.fuzz FIRST [END]``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import mkdtemp

from tests.fuzz.cases import case
from tests.fuzz.examining import examined


def main(first: str, end: str = "") -> int:
    """Say what came of them; files that must not end so are kept."""
    folder, began = Path(mkdtemp(prefix="fuzz_")), time.monotonic()
    numbers = range(int(first), int(end) if end else int(first) + 1)
    if not end:
        made = case(numbers[0])
        print(f"{made.name}, {len(made.data)} bytes, of {made.seed}")
    told = examined(numbers, folder)
    print(f"{len(numbers)} cases in {time.monotonic() - began:.0f} s: {told}")
    return 1 if told.findings else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
