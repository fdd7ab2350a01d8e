"""Makes the packaged node declarations from what a ComfyUI server answers: ``python -m tests.declarations FILE``.

FILE holds the answer of ``/object_info``. Only facts that a conversion reads are kept: no descriptions, and no
names of files that happened to lie on that server.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog_imagegen.config.declarations import PACKAGED

FILE_ENDINGS = (
    *(".ckpt", ".gguf", ".pt", ".pth", ".safetensors"),
    *(".gif", ".jpeg", ".jpg", ".mp3", ".mp4", ".png", ".wav", ".webm", ".webp"),
)
OPTIONS = ("control_after_generate", "default", "dynamicPrompts", "forceInput", "widgetType")
SECTIONS = ("required", "optional")

Json = dict[str, Any]


def trimmed(node_infos: Mapping[str, Json]) -> dict[str, Json]:
    """The facts of every class, by name."""
    return {name: _class(node_infos[name]) for name in sorted(node_infos)}


def _class(info: Json) -> Json:
    order = info.get("input_order", {})
    return {
        "input": _sections(info["input"]),
        "input_order": {section: order[section] for section in SECTIONS if order.get(section)},
        "output": info["output"],
        "output_node": info["output_node"],
        "display_name": info["display_name"],
    }


def _sections(inputs: Json) -> Json:
    return {
        section: {name: _input(body) for name, body in inputs[section].items()}
        for section in SECTIONS
        if inputs.get(section)
    }


def _input(body: list[Any]) -> list[Any]:
    kind, options = body[0], body[1] if len(body) > 1 else {}
    kept = {name: options[name] for name in OPTIONS if name in options}
    if "options" in options:
        kept["options"] = _choices(options["options"])
    if isinstance(kept.get("default"), str) and kept["default"].endswith(FILE_ENDINGS):
        del kept["default"]
    return [_choices(kind) if isinstance(kind, list) else kind, *([kept] if kept else [])]


def _choices(choices: list[Any]) -> list[Any]:
    return [
        {"key": choice["key"], "inputs": _sections(choice["inputs"])} if isinstance(choice, dict) else choice
        for choice in choices
        if not (isinstance(choice, str) and choice.endswith(FILE_ENDINGS))
    ]


def packed(declarations: Mapping[str, Json]) -> bytes:
    """The file as it is packaged: the same facts are the same bytes."""
    text = json.dumps(declarations, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


if __name__ == "__main__":
    PACKAGED.write_bytes(packed(trimmed(json.loads(Path(sys.argv[1]).read_bytes()))))
