"""What ComfyUI's page does to texts before it sends them: choices and comments in prompts, tokens in file names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

_LINE_END = re.compile(r"[\n\r\u2028\u2029]|$")
_TOKEN = re.compile(r"%([^%]+)%")
_DATE = re.compile(r"yyyy|yy|MM|M|dd|d|hh|h|mm|m|ss|s")
_UNFIT = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_DATE_PREFIX = "date:"

FILE_NAMING = {
    "CLIPSave",
    "LoraSave",
    "ModelSave",
    "SaveAnimatedPNG",
    "SaveAnimatedWEBP",
    "SaveGLB",
    "SaveImage",
    "SaveImageAdvanced",
    "SaveLatent",
    "SaveSVGNode",
    "SaveVideo",
    "SaveWEBM",
    "VAESave",
}
"""Classes in whose ``filename_prefix`` tokens are replaced, besides all that begin with SaveAudio."""


def names_files(kind: str) -> bool:
    """Whether tokens in the ``filename_prefix`` of this class are replaced."""
    return kind in FILE_NAMING or kind.startswith("SaveAudio")


def chosen(text: str) -> str:
    r"""A prompt without comments, and with the first choice of every ``{a|b}``.

    ComfyUI's page chooses at random; the first is as good, and the same file gives the same graph. A
    backslash before ``{``, ``}`` or ``|`` takes their meaning away, and a brace that is never closed goes.
    """
    stripped = _uncommented(text)
    levels: list[list[list[str]]] = [[[]]]  # of braces, their choices, the parts of each
    position = 0
    while position < len(stripped):
        sign = stripped[position]
        position += 1
        is_inside = len(levels) > 1
        if sign == "\\" and position < len(stripped):
            following = stripped[position]
            position += 1
            levels[-1][-1].append(following if following in "{}|" else sign + following)
        elif sign == "{":
            levels.append([[]])
        elif sign == "|" and is_inside:
            levels[-1].append([])
        elif sign == "}" and is_inside:
            _close(levels)
        else:
            levels[-1][-1].append(sign)
    while len(levels) > 1:
        _close(levels)
    return "".join(levels[0][0])


def _uncommented(text: str) -> str:
    """Without ``/* … */`` and without ``//`` to the end of its line, wherever that stands: also in an address."""
    kept, start, at, last_close = [], 0, 0, text.rfind("*/")
    while (at := text.find("/", at)) >= 0:
        if text.startswith("/*", at) and at + 2 <= last_close:
            end = text.index("*/", at + 2) + 2
        elif text.startswith("//", at):
            line_end = _LINE_END.search(text, at)
            end = line_end.start() if line_end else len(text)
        else:
            at += 1
            continue
        kept.append(text[start:at])
        start = at = end
    return "".join([*kept, text[start:]])


def _close(levels: list[list[list[str]]]) -> None:
    first = levels.pop()[0]
    levels[-1][-1].append("".join(first))


def named(prefix: str, *, now: datetime | None, value_of: Callable[[str, str], Any]) -> str:
    """A file name with its tokens replaced; those that say nothing stay as they are.

    ``%date:yyyy-MM-dd hh-mm-ss%`` is *now*, and stays where that is None. ``%Node.widget%`` is what
    *value_of* has for the two; it raises LookupError for what there is not.
    """

    def replaced(match: re.Match[str]) -> str:
        token = match[1]
        if token.startswith(_DATE_PREFIX):
            return _date(token.removeprefix(_DATE_PREFIX), now) if now else match[0]
        node, dot, widget = token.partition(".")
        if not dot or "." in widget:
            return match[0]
        try:
            return _UNFIT.sub("_", _written(value_of(node, widget)))
        except LookupError:
            return match[0]

    return _TOKEN.sub(replaced, prefix)


def _date(form: str, now: datetime) -> str:
    parts = {"M": now.month, "d": now.day, "h": now.hour, "m": now.minute, "s": now.second}

    def part(match: re.Match[str]) -> str:
        text = match[0]
        if text[0] == "y":
            return f"{now.year:04}"[-len(text) :]
        return f"{parts[text[0]]:0{len(text)}}"

    return _DATE.sub(part, form)


def _written(value: object) -> str:
    """A value as JavaScript writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
