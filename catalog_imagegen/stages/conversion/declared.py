"""Which inputs of a node class are widgets, in the order in which ComfyUI saves their values."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal

from catalog_imagegen.stages.conversion.errors import ConversionError


class _Missing(Enum):
    """What a widget without a saved value and without a default holds."""

    MISSING = "missing"


MISSING: Final = _Missing.MISSING
Missing = Literal[_Missing.MISSING]

COMBO, DYNAMIC_COMBO, COMPARE = "COMBO", "COMFY_DYNAMICCOMBO_V3", "IMAGECOMPARE"
_BLANK: Mapping[str, Any] = {"INT": 0, "FLOAT": 0, "STRING": "", "BOOLEAN": False}
_WIDGETS = {
    *_BLANK, COMBO, DYNAMIC_COMBO, COMPARE,
    "AUDIO_RECORD", "BOUNDING_BOX", "BOUNDING_BOXES", "COLOR", "COLORS", "COMPOSITOR", "CURVE", "LOAD_3D", "WEBCAM",
}  # fmt: skip
_SEEDS = ("seed", "noise_seed")
_SECTIONS = ("required", "optional")

Role = Literal["socket", "widget", "silent", "constant"]
"""A silent one takes a place among the saved values and is not sent; a constant is sent and takes none."""


@dataclass(frozen=True, slots=True)
class Declared:
    """An input that a class declares, or a widget that ComfyUI's page adds to it."""

    name: str
    kind: str
    role: Role
    choices: tuple[Any, ...] = ()
    """Of a combo; of a dynamic combo the keys of its options."""
    options: Mapping[str, Any] = field(default_factory=dict)
    below: tuple[tuple[Declared, ...], ...] = ()
    """Of a dynamic combo: the inputs that each key brings."""

    @property
    def default(self) -> Any | Missing:
        """What it holds where nothing is saved; an empty combo holds nothing."""
        if self.options.get("default") is not None:
            return self.options["default"]
        if self.is_combo:
            return self.choices[0] if self.choices else MISSING
        return _BLANK.get(self.kind, MISSING)

    @property
    def is_combo(self) -> bool:
        """Whether it is one value out of a list."""
        return self.kind in (COMBO, DYNAMIC_COMBO)

    @property
    def is_prompt(self) -> bool:
        """Whether its text may hold ``{a|b}`` and comments."""
        return self.kind == "STRING" and bool(self.options.get("dynamicPrompts"))

    @property
    def is_controlled(self) -> bool:
        """Whether ComfyUI's page puts a widget behind it that says how it changes after each run."""
        if self.kind not in ("INT", COMBO):
            return False
        flag = self.options.get("control_after_generate")
        return bool(flag) if flag is not None else self.kind == "INT" and self.name in _SEEDS

    def brought_by(self, key: object) -> tuple[Declared, ...]:
        """The inputs that this choice of a dynamic combo brings; an unknown one brings none."""
        return next((b for choice, b in zip(self.choices, self.below, strict=False) if choice == key), ())


@dataclass(frozen=True, slots=True)
class NodeClass:
    """A class of nodes, as far as its widgets go."""

    name: str
    title: str
    inputs: tuple[Declared, ...]


class Classes:
    """The classes of one ComfyUI, read when they are first asked for."""

    def __init__(self, node_infos: Mapping[str, Mapping[str, Any]]) -> None:
        if not isinstance(node_infos, Mapping):
            raise ConversionError(
                "the node declarations are not what /object_info of a ComfyUI server answers; get them from there",
                zh="节点定义不是 ComfyUI 服务器 /object_info 返回的内容；请重新从服务器获取",
                code="conversion_wrong_declarations",
            )
        self._infos = node_infos
        self._read: dict[str, NodeClass] = {}

    def get(self, name: str) -> NodeClass | None:
        """A class by its name, or None for one that this ComfyUI has not."""
        if name not in self._read and isinstance(info := self._infos.get(name), Mapping):
            title = info.get("display_name")
            inputs = tuple(_with_page_widgets(name, _inputs(info.get("input"), info.get("input_order"))))
            self._read[name] = NodeClass(name, title if isinstance(title, str) and title else name, inputs)
        return self._read.get(name)

    def near(self, name: str) -> list[str]:
        """Names that could have been meant."""
        return difflib.get_close_matches(name, [str(known) for known in self._infos], n=2, cutoff=0.75)


def _inputs(sections: object, order: object = None) -> Iterator[Declared]:
    """Required inputs, then optional ones, each as the class orders them."""
    if not isinstance(sections, Mapping):
        return
    for section in _SECTIONS:
        declared = sections.get(section)
        if isinstance(declared, Mapping):
            ordered = order.get(section) if isinstance(order, Mapping) else None
            first = ordered if isinstance(ordered, list) else []
            known = [name for name in first if isinstance(name, str) and name in declared]
            for name in dict.fromkeys([*known, *declared]):
                yield _declared(name, declared[name])


def _declared(name: str, body: object) -> Declared:
    kind: object = body[0] if isinstance(body, list | tuple) and body else ""
    options = body[1] if isinstance(body, list | tuple) and len(body) > 1 else None
    options = options if isinstance(options, Mapping) else {}
    choices: object = kind if isinstance(kind, list) else options.get("options")
    kind = COMBO if isinstance(kind, list) else options.get("widgetType") or kind
    known = choices if isinstance(choices, list) else []
    if not isinstance(kind, str) or kind not in _WIDGETS or options.get("forceInput"):
        return Declared(name, str(kind), "socket")
    if kind == DYNAMIC_COMBO:
        keyed = [option for option in known if isinstance(option, Mapping)]
        below = tuple(tuple(_inputs(option.get("inputs"))) for option in keyed)
        return Declared(name, kind, "widget", tuple(o.get("key") for o in keyed), options, below)
    return Declared(name, kind, "constant" if kind == COMPARE else "widget", tuple(known), options)


_BUTTONS = {
    "upload 3d model": "upload3dmodel",
    "upload extra resources": "uploadExtraResources",
    "clear": "clear",
}
_BEFORE: Mapping[tuple[str, str], Sequence[Declared]] = {
    ("Load3D", "image"): [
        Declared(n, "BUTTON", "widget", options={"default": v}) for n, v in _BUTTONS.items()
    ],
}
_BEHIND: Mapping[tuple[str, str], Sequence[Declared]] = {
    ("LoadAudio", "audio"): [Declared("audioUI", "AUDIO_UI", "silent")],
}
_LAST: Mapping[str, Sequence[Declared]] = {
    "CustomCombo": [Declared("index", "INT", "widget")],
    "LoadImageOutput": [Declared("refresh", "BUTTON", "widget", options={"default": "refresh"})],
    "Preview3D": [Declared("image", "STRING", "widget")],
    "SaveGLB": [Declared("image", "STRING", "widget")],
}
"""What ComfyUI's page adds to a class, and no declaration tells; surplus values at the end need no mention."""


def _with_page_widgets(name: str, inputs: Iterator[Declared]) -> Iterator[Declared]:
    for declared in inputs:
        yield from _BEFORE.get((name, declared.name), ())
        yield declared
        yield from _BEHIND.get((name, declared.name), ())
        if declared.role == "widget" and declared.is_controlled:
            yield Declared("control_after_generate", COMBO, "silent")
    yield from _LAST.get(name, ())
