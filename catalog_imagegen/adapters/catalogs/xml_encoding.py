"""XML parts of workbooks in UTF-8, whatever they were written in."""

from __future__ import annotations

import codecs
import re

_DECLARATION = re.compile(r"^\ufeff?\s*<\?xml[^>]*>")
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']""")
_MARKS_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BEGINNING = 256
_LIKE_ASCII = frozenset(
    {"gb2312", "gbk", "gb18030", "big5", "iso8859-1", "cp1252", "shift_jis", "cp932", "euc_jp", "euc_kr"}
)
"""Encodings in which ``<`` and ``!`` are what they are in ASCII: in others a declaration of entities could hide."""


def is_utf_8(xml: bytes) -> bool:
    """Whether *xml*, or its beginning, needs no conversion."""
    return _encoding(xml) is None


def utf_8(xml: bytes, *, errors: str = "strict") -> bytes:
    """The same XML in UTF-8. What is in UTF-8 is given back as it is, another one without its declaration.

    Raises UnicodeDecodeError where it is not in the encoding that it says.
    """
    encoding = _encoding(xml)
    if encoding is None:
        return xml
    return _DECLARATION.sub("", xml.decode(encoding, errors), count=1).encode()


def _encoding(xml: bytes) -> str | None:
    """The encoding that XML has by its first bytes, else by its own words; None for UTF-8."""
    if xml.startswith(_MARKS_16):
        return "utf-16"
    if 0 in xml[:2]:
        return "utf-16-be" if xml[0] == 0 else "utf-16-le"
    declared = _DECLARED.match(xml[:_BEGINNING])
    if declared is None:
        return None
    try:
        name = codecs.lookup(declared[1].decode()).name
    except LookupError:
        return None
    if name.startswith("utf-16"):  # .NET says so of what it then writes in UTF-8
        return "utf-8"
    return name if name in _LIKE_ASCII else None
