"""What a report says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose report it is, when it was made, and where its files are."""

    shop: str
    made_at: datetime
    base: str = ""
    """The way from the report to where the listings lie: empty, or a path that ends in a slash."""
