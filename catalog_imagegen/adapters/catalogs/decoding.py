"""Tells in which encoding a text is."""

from __future__ import annotations

import codecs
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NoReturn

from catalog_imagegen.adapters.catalogs.files import refuse_format
from catalog_imagegen.adapters.catalogs.header import ROWS_SEARCHED, count_fields
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.columns import Columns
    from catalog_imagegen.domain.catalog import Issue

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_KNOWN = frozenset({*dict(_BOMS).values(), "gb18030", "cp950"})
_GUESSED = {"gb18030": "GB18030", "cp950": "Big5"}
"""Codecs that are tried where nothing tells, and what people call them. The first one wins a tie."""
_LEVEL_1 = {
    "gb18030": (range(0xB0, 0xD8), range(0xA1, 0xFF)),
    "cp950": (range(0xA4, 0xC7), (*range(0x40, 0x7F), *range(0xA1, 0xFF))),
}
"""Where their common hanzi are, by first and second byte: 3,755 of GB 2312 and 5,401 of Big5."""
_PUNCTUATION = "，。、；：？！（）“”‘’《》【】…—￥·～％＋－／"
_DECLARED = re.compile(
    rb"(?:<meta[^>]*charset|<\?xml[^>]*encoding)\s*=\s*[\"']?([A-Za-z0-9_-]+)", re.IGNORECASE
)
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_SEPARATORS = str.maketrans(dict.fromkeys(',;\t|"<>', "\n"))
_SAMPLE_CHARACTERS = 4096
_MOST_JUNK = 0.05
"""Share of characters no text has; a file in a wrong or no encoding has far more."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and what is to be told about its encoding."""

    text: str
    issues: tuple[Issue, ...] = ()


def decode(data: bytes, *, name: str, columns: Columns, encoding: str = "") -> Decoded:
    """The text of a file: in *encoding* if one is given, else as its bytes tell.

    A byte order mark comes first, then where the zero bytes are, then strict UTF-8, then what a page or XML says of itself.
    Two-byte Chinese encodings cannot be told apart with certainty; the one that gives known headers and common
    characters is taken, with a note.
    Raises CatalogError: ``unknown_format`` (no text), ``encoding_wrong``.
    """
    if encoding:
        return Decoded(_as_told(data, name, encoding))
    text = _certain(data) or _declared(data)
    if text is not None:
        return Decoded(_sound(text, name))
    texts = {codec: text for codec in _GUESSED if (text := _strict(data, codec)) is not None}
    if not texts:
        _refuse(name)
    best = max(texts, key=lambda codec: _likeness(_sample(texts[codec]), codec, columns))
    told = issue("encoding_guessed", "file", encoding=_GUESSED[best])
    return Decoded(_sound(texts[best], name), (told,))


def _as_told(data: bytes, name: str, encoding: str) -> str:
    try:
        return _decoded(data, encoding).removeprefix("\ufeff")
    except (ValueError, LookupError) as error:
        why, zh = "no encoding is called so", "没有这种编码"
        if isinstance(error, UnicodeDecodeError):
            why, zh = f"byte {error.start} does not fit", f"第 {error.start} 个字节不符合该编码"
        raise CatalogError(
            f"{name} cannot be read as {encoding!r}: {why}; leave the encoding out, or name another such as utf-8, "
            "gb18030 or big5",
            zh=f"无法用 {encoding} 读取 {name}：{zh}；请不指定编码，或改用 utf-8、gb18030、big5 等",
            code="encoding_wrong",
        ) from error


def _certain(data: bytes) -> str | None:
    """The text where its encoding can be told for sure."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding)
    if b"\0" in data[:_SAMPLE_CHARACTERS]:
        sample = data[: min(len(data), _SAMPLE_CHARACTERS) // 2 * 2]
        high_last = sample[1::2].count(0) >= sample[::2].count(0)
        return _strict(data, "utf-16-le" if high_last else "utf-16-be")
    return _strict(data, "utf-8")


def _declared(data: bytes) -> str | None:
    """The text in the encoding that a page or an XML document names, if it fits; GB2312 and GBK are parts of GB18030."""
    found = _DECLARED.search(data[:_SAMPLE_CHARACTERS])
    if found is None:
        return None
    encoding = found[1].decode("ascii").lower()
    encoding = {"gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950"}.get(encoding, encoding)
    with suppress(LookupError):
        return _strict(data, encoding)
    return None


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return _decoded(data, encoding)
    except ValueError:
        return None


def _decoded(data: bytes, encoding: str) -> str:
    """Raises ValueError, or LookupError where that is no encoding of texts."""
    text = data.decode(encoding)
    if encoding not in _KNOWN:
        text.encode()  # some that Python knows, such as unicode_escape, give halves of characters
    return text


def _sample(text: str) -> str:
    """The first of a text that can tell: a page may begin with thousands of characters of style."""
    first = _FOREIGN.search(text)
    start = max(0, first.start() - _SAMPLE_CHARACTERS // 4) if first else 0
    return text[start : start + _SAMPLE_CHARACTERS]


def _likeness(sample: str, codec: str, columns: Columns) -> tuple[int, float]:
    """How much a text looks like a Chinese catalog: the fields its header names, then its share of common characters."""
    lines = (line.translate(_SEPARATORS).split("\n") for line in sample.splitlines()[:ROWS_SEARCHED])
    foreign = [char for char in sample if not char.isascii()]
    common = sum(char in _common(codec) for char in foreign) / max(len(foreign), 1)
    return max((count_fields(line, columns) for line in lines), default=0), common


@cache
def _common(codec: str) -> frozenset[str]:
    """The hanzi that the makers of a character set called common, and punctuation: another set's come out elsewhere."""
    leads, trails = _LEVEL_1[codec]
    pairs = (bytes((lead, trail)) for lead in leads for trail in trails)
    return frozenset({*_PUNCTUATION, *(pair.decode(codec, errors="ignore") for pair in pairs)})


def _sound(text: str, name: str) -> str:
    """The same text, if it is one."""
    sample = text[:_SAMPLE_CHARACTERS]
    junk = sum(
        unicodedata.category(char) in {"Cc", "Cn", "Co"} and char not in "\t\r\n\f\v" for char in sample
    )
    if junk > _MOST_JUNK * max(len(sample), 1):
        _refuse(name)
    return text


def _refuse(name: str) -> NoReturn:
    refuse_format(
        name,
        "no text in UTF-8, UTF-16, GB18030 or Big5 (encrypted by company software?)",
        "无法识别的内容（不是 UTF-8、UTF-16、GB18030 或 Big5 文本，可能被公司软件加密）",
    )
