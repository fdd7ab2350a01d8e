"""``python -m bench.measured COMMAND…``: carries out a command and says on stderr what memory it needed at most."""

from __future__ import annotations

import resource
import subprocess
import sys


def main(line: list[str]) -> int:
    """The command's own exit code; its children count."""
    code = subprocess.run(line, check=False).returncode
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    sys.stderr.write(f"peak_mb={peak / 1024:.0f}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
