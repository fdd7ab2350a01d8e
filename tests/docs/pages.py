"""The pages of the documentation, and what a reader is told to do on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"^## 中文$", re.MULTILINE)
"""Where the part of a page begins that is for Chinese readers."""
_BLOCK = re.compile(r"^```([a-z]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"\s+# .*?(?:ends with|退出码) (\d+)\b.*$")
_COMMENT = re.compile(r"\s+# .*$")

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "config" / "workspace.md")
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, and whether it is for Chinese readers."""

    language: str
    text: str
    is_chinese: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a shell block, and the exit code that the page announces behind it."""

    text: str
    code: int


def text_of(page: str) -> str:
    """A page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = text_of(page)
    border = found.start() if (found := CHINESE.search(text)) else len(text)
    for match in _BLOCK.finditer(text):
        yield Block(match[1], match[2], page.endswith(".zh-CN.md") or match.start() > border)


def lines(block: Block) -> Iterator[Line]:
    """What is to be typed, one line after the other."""
    for text in block.text.splitlines():
        if text.strip() and not text.startswith("#"):
            announced = _CODE.search(text)
            yield Line(_COMMENT.sub("", text).strip(), int(announced[1]) if announced else 0)
