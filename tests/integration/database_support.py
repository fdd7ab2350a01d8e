"""What the tests of real database servers share."""

from __future__ import annotations

import re
from collections.abc import Callable

import psutil
import pytest

from catalog_imagegen.adapters.catalogs import Way, read_catalog
from catalog_imagegen.adapters.catalogs.database_access import ROWS_PER_CHUNK, open_server, parsed, reading
from catalog_imagegen.domain.errors import CatalogError, SourceUnreachable
from tests.docs.pages import text_of
from tests.integration.catalogs_support import COLUMNS

BIG_ROWS = 100_000


def refusal(location: str, *, query: str = "") -> CatalogError:
    """Give the error that reading ends with."""
    with pytest.raises(CatalogError) as caught:
        read_catalog(location, columns=COLUMNS, way=Way(query=query))
    assert caught.value.message_zh != caught.value.message_en
    return caught.value


def growth_bytes(url: str, query: str) -> int:
    """How much memory reading takes at most, with each chunk let go once it was seen; all BIG_ROWS come."""
    process = psutil.Process()
    with reading(open_server(parsed(url))) as connection:
        start = most = int(process.memory_info().rss)
        count = 0
        for chunk in connection.exec_driver_sql(query).partitions(ROWS_PER_CHUNK):
            count += len(chunk)
            most = max(most, int(process.memory_info().rss))
    assert count == BIG_ROWS
    return most - start


def cut(url: str, *, own: str, query: str, kill: Callable[[object], object]) -> SourceUnreachable:
    """Give the error that reading ends with when its connection, which *own* asks for, is killed in between."""
    source = open_server(parsed(url))
    with pytest.raises(SourceUnreachable) as caught, reading(source) as connection:  # noqa: PT012 - the death is the point
        name = connection.exec_driver_sql(own).scalar_one()
        rows = connection.exec_driver_sql(query)
        cursor = rows.cursor
        rows.fetchmany(10)
        kill(name)
        rows.fetchall()
    cursor.close()  # psycopg warns of one that is left to the garbage collector
    return caught.value


def advice(database: str) -> list[str]:
    """The statements that docs/catalogs.md has for an account that may only read."""
    (block,) = re.findall(
        rf"In {database}[^\n]*:\n\n```sql\n(.*?)```", text_of("docs/catalogs.md"), re.DOTALL
    )
    return [statement.strip() for statement in block.split(";") if statement.strip()]
