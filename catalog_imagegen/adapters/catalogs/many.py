"""Makes many objects of one frozen class at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, TypeVar, cast

T = TypeVar("T")


def maker_of(kind: type[T]) -> Callable[[Iterable[tuple[Any, ...]]], list[T]]:
    """Gives a function that makes an object of *kind*, a frozen dataclass with slots, of each tuple of all its fields.

    A frozen object's own ``__init__`` goes through ``object.__setattr__`` for each field and takes six times as long. So
    the objects are filled as those of a class with the same slots that is not frozen, and then become what they are.
    The loop is written out with the names of the fields, as dataclasses do with ``__init__``.
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]  # a dataclass
    filled = "\n".join(f"        one.{name} = {name}" for name in names)
    source = f"""\
def make(rows):
    made = []
    for {", ".join(names)}, in rows:
        one = Open()
{filled}
        one.__class__ = kind
        made.append(one)
    return made
"""
    space: dict[str, Any] = {"kind": kind, "Open": type("Open", (), {"__slots__": tuple(names)})}
    exec(source, space)  # noqa: S102 - names of fields and nothing else
    return cast(Callable[[Iterable[tuple[Any, ...]]], list[T]], space["make"])
