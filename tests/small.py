"""Roles at sizes that are quickly painted and adapted, in the shapes they have."""

from __future__ import annotations

import math
import re

_SIZE = re.compile(r"^size = \[(\d+), (\d+)\]$", re.MULTILINE)
STEP = 16
"""Sides of renders are multiples of this."""


def small_sizes(roles: str, *, longest: int) -> str:
    """The text of roles.toml with every size as large as fits *longest* without losing its shape."""

    def small(match: re.Match[str]) -> str:
        width, height = int(match[1]), int(match[2])
        unit = math.gcd(width, height)
        across, down = width // unit, height // unit
        side = STEP * max(1, longest // STEP // max(across, down))
        return f"size = [{across * side}, {down * side}]"

    return _SIZE.sub(small, roles)
