"""Where a link leads, as workbooks write it."""

from __future__ import annotations

import re
from urllib.parse import quote

from catalog_imagegen.adapters.answers.content import Link

_URL = re.compile(r"(?:https?|ftp|file)://|mailto:", re.IGNORECASE)
_MAX_CHARACTERS = 2_000
"""Excel knows no longer ones."""


def address(link: Link) -> str:
    """The address of a link; empty where there is none that programs follow."""
    target = link.target.strip()
    if _URL.match(target):
        written = quote(target, safe="%/:?#[]@!$&'()*+,;=~")
    else:
        written = quote(target.replace("\\", "/"))
    return written if len(written) <= _MAX_CHARACTERS else ""
