"""Carries out one ``sync`` in this process, and says as JSON how long that took once the program was loaded, and its peak memory."""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import redirect_stdout
from io import StringIO

from typer.main import get_command

from catalog_imagegen.cli import app


def main(root: str) -> None:
    """As a timer starts it at night, but for the loading."""
    command, told = get_command(app), StringIO()
    began = time.perf_counter()
    with redirect_stdout(told):
        command(["sync", "--simulate", "--json", "-w", root], standalone_mode=False)
    took = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": took, "peak_mb": peak_mb, "told": json.loads(told.getvalue())}))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
