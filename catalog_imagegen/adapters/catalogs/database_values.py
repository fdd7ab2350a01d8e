"""Writes what a database's driver gives as exact text."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from catalog_imagegen.adapters.catalogs.grid import Nature

_MIDNIGHT = re.compile(r"(\S+) 00:00:00(?:\.0+)?")


def value_text(value: Any) -> tuple[str, Nature]:  # noqa: PLR0911  # one line per type a driver returns
    """Write a driver's value as exact text; NULL is empty."""
    if value is None:
        return "", "text"
    if isinstance(value, bool):
        return str(value).upper(), "text"
    if isinstance(value, float):
        return (format(Decimal(repr(value)), "f").removesuffix(".0"), "number")
    if isinstance(value, Decimal):
        return format(value, "f"), "text"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" "), "text"
    if isinstance(value, bytes | bytearray | memoryview):
        return "", "binary"
    if isinstance(value, list | tuple):
        return "\n".join(value_text(item)[0] for item in value), "text"
    return str(value), "text"


def _moment(text: str) -> str:
    """A day's midnight is the day: dates are often kept in columns for moments."""
    found = _MIDNIGHT.fullmatch(text)
    return found[1] if found else text


def _from_json(text: str) -> Any:
    """A list of plain values as such, and all else as it is written: digits of numbers are lost in a float."""
    value = json.loads(text, parse_float=Decimal)
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return value
    return text if isinstance(value, dict | list) else value


_POSTGRESQL_TYPES: Mapping[str, Callable[[str], Any]] = {
    "json": _from_json,
    "jsonb": _from_json,
    "date": _moment,
    "timestamp": _moment,
    "timestamptz": str,
}
"""Types that psycopg would round (numbers in JSON) or fail on (the day ``infinity``, years before Christ)."""


def postgresql_loaders() -> Mapping[str, Any]:
    """A psycopg Loader for each of these types; it wants the session's DateStyle to be ISO and its encoding UTF-8."""
    from psycopg.adapt import Loader  # noqa: PLC0415  # only where it is installed for

    def loader(write: Callable[[str], Any]) -> type[Loader]:
        class Written(Loader):
            def load(self, data: bytes | bytearray | memoryview) -> Any:
                return write(bytes(data).decode())

        return Written

    return {name: loader(write) for name, write in _POSTGRESQL_TYPES.items()}


def mysql_conversions() -> Mapping[Any, Any]:
    """PyMySQL's ``conv``: texts as the server writes them.

    PyMySQL would make a number of ``00042`` (ZEROFILL) and a day and two hours of ``26:00:00``. Binary floating point
    stays what it is, because a SKU in it has lost its digits, and BIT becomes the number it stands for.
    """
    from pymysql.constants import FIELD_TYPE  # noqa: PLC0415  # only for MySQL
    from pymysql.converters import encoders  # noqa: PLC0415

    return {
        **encoders,
        FIELD_TYPE.FLOAT: float,
        FIELD_TYPE.DOUBLE: float,
        FIELD_TYPE.DATETIME: _moment,
        FIELD_TYPE.TIMESTAMP: _moment,
        FIELD_TYPE.BIT: lambda bits: str(int.from_bytes(bits)),
    }
