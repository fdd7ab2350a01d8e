"""Which rows of a block may be totals or remarks although they have a SKU and a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.adapters.catalogs.grid import Block

_LONGEST = 24


def footer_rows(block: Block, last_column: int, columns: Columns) -> Iterator[int]:
    """The rows with a footer's word in a column up to *last_column*; a closer look must tell whether it comes first."""
    for column, values in block.columns.items():
        if column > last_column:
            continue
        texts = [value if isinstance(value, str) and len(value) <= _LONGEST else "" for value in values]
        if columns.may_have_footers("\n".join(texts)):
            yield from (place for place, text in enumerate(texts) if text and columns.is_footer_word(text))
