"""Carries out one ``sync`` in this process, or only reads its source, and says as JSON how long that took and what memory it needed.

The time begins when the program is loaded.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from typer.main import get_command

from bench.reading import peak_mb
from catalog_imagegen.bootstrap import Servers, open_house
from catalog_imagegen.cli import app
from catalog_imagegen.config import Workspace


def sync(root: str) -> Any:
    """As a timer starts it at night."""
    told = StringIO()
    with redirect_stdout(told):
        get_command(app)(["sync", "--simulate", "--json", "-w", root], standalone_mode=False)
    return json.loads(told.getvalue())


def read(root: str) -> Any:
    """Its source, to products."""
    with open_house(Workspace(Path(root).resolve()), Servers(simulate=True)) as house:
        return len(house.read(house.settings.source[0]).reading.products)


def main(what: str, root: str) -> None:
    """One of the two."""
    began = time.perf_counter()
    told = {"sync": sync, "read": read}[what](root)
    took = time.perf_counter() - began
    print(json.dumps({"seconds": took, "peak_mb": peak_mb(), "told": told}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(*sys.argv[1:])
