"""The values of a node's widgets by name, from the list in which ComfyUI saves them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from catalog_imagegen.stages.conversion.declared import COMPARE, DYNAMIC_COMBO, MISSING, Declared, NodeClass

_COMPARED = {"__value__": ["", ""]}
"""What ComfyUI's page sends for the two pictures of a comparison."""
_OPTION = "option"


@dataclass(frozen=True, slots=True)
class Widgets:
    """The widgets of one node."""

    of: NodeClass
    values: Mapping[str, Any]
    """By name; a widget that holds nothing is left out."""
    declared: Mapping[str, Declared]
    """By name; also those that hold nothing."""

    def having(self, name: str, value: Any) -> Widgets:
        """The same with another value; a dynamic combo may bring other widgets, which hold their defaults."""
        return assign(self.of, {**self.values, name: value})

    def takes(self, slot: str) -> bool:
        """Whether a link into this input counts: not below a dynamic combo whose choice does not bring it."""
        inputs, parts = self.of.inputs, slot.split(".")
        for depth, (part, below) in enumerate(pairwise(parts)):
            combo = next((d for d in inputs if d.name == part and d.kind == DYNAMIC_COMBO), None)
            if combo is None:
                return True
            inputs = combo.brought_by(self.values.get(".".join(parts[: depth + 1])))
            if all(declared.name != below for declared in inputs):
                return False
        return True


class _Source(Protocol):
    """Where saved values are taken from, widget by widget."""

    def take(self, name: str) -> Any: ...


class _ByPlace:
    def __init__(self, saved: Sequence[Any]) -> None:
        self._rest = iter(saved)

    def take(self, _name: str) -> Any:
        return next(self._rest, MISSING)


class _ByName:
    def __init__(self, saved: Mapping[str, Any]) -> None:
        self._saved = saved

    def take(self, name: str) -> Any:
        return self._saved.get(name, MISSING)


def assign(of: NodeClass, saved: Sequence[Any] | Mapping[str, Any]) -> Widgets:
    """Give every widget its saved value, or its default; surplus values are left out, and nothing is checked."""
    source = _ByName(saved) if isinstance(saved, Mapping) else _ByPlace(saved)
    found = list(_walk(of.inputs, source))
    if of.name == "CustomCombo":
        found += _options(source)
    return Widgets(
        of,
        values={name: value for name, _, value in found if value is not MISSING},
        declared={name: declared for name, declared, _ in found},
    )


def _walk(
    inputs: Sequence[Declared], source: _Source, prefix: str = ""
) -> Iterator[tuple[str, Declared, Any]]:
    for declared in inputs:
        name = prefix + declared.name
        if declared.role == "silent":
            source.take("")
        elif declared.role == "constant":
            yield name, declared, _COMPARED if declared.kind == COMPARE else MISSING
        elif declared.role == "widget":
            value = source.take(name)
            if value is MISSING or (value is None and declared.is_combo):
                value = declared.default
            yield name, declared, value
            if declared.kind == DYNAMIC_COMBO:
                yield from _walk(declared.brought_by(value), source, f"{name}.")


def _options(source: _Source) -> Iterator[tuple[str, Declared, Any]]:
    """The choices that a person typed into a CustomCombo; ComfyUI's page keeps an empty one at their end."""
    number, last = 1, None
    while (value := source.take(f"{_OPTION}{number}")) is not MISSING or last != "":
        last = "" if value is MISSING else value
        name = f"{_OPTION}{number}"
        yield name, Declared(name, "STRING", "widget"), last
        number += 1
