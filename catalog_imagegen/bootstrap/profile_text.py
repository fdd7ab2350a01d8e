"""Writes an import profile from what the headers of a catalog mean, for merchandisers to correct."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog_imagegen.domain.catalog import FIELD_WORDS, LIST_FIELDS

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.mapping import HeaderMapping, Suggestion, TableMapping

HINTS: Mapping[str, tuple[str, str]] = {
    "pictures": ("pictures or their addresses", "内容是图片或图片地址"),
    "money": ("amounts of money", "内容是金额"),
    "dates": ("dates", "内容是日期"),
    "codes": ("short codes, each different", "内容是互不相同的短编码"),
    "colors": ("colors", "内容是颜色"),
    "sizes": ("sizes", "内容是尺寸"),
    "lists": ("several values in a cell", "一格中有多个值"),
    "names": ("names, each different", "内容是互不相同的名称"),
}
"""Why values speak for a field, in English and Chinese."""
_HEAD = """\
# 导入方案：怎样读取这家供应商的商品表。由 catalog-imagegen catalog map 生成，可以直接修改；文字要加英文双引号，保存为 UTF-8。
# 以“# ?”开头的行只是建议，不起作用：核对后删掉行首的“# ? ”就生效，不对就改成别的字段或整行删除。
# An import profile. Lines that begin with "# ?" are suggestions without effect; delete the "# ? " of those that are right.
"""
_FIELDS_ABOVE = """\
# 表头 = 字段。每行一个；没有写在这里的表头按 config/columns.toml 识别，都不认识的作为附加列保留。
# Header = field. A header that is not here is read by config/columns.toml.
"""
_TAIL = """\
# 单元格空白（或没有这一列）时使用的值，例如：
# Values for empty cells.
[defaults]
# brand = "品牌名"

# 列表字段还可以用什么符号分隔（换行、；、顿号总是可以的），例如：
# Further signs that part the items of a list.
[splits]
# features = ["/"]

# 不读取的列，例如：
# Columns that are not read.
[ignore]
# headers = ["内部备注"]
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a profile is made of."""

    name: str
    file_name: str
    tables: Sequence[TableMapping]
    sheet: str = ""
    header_row: int | None = None
    encoding: str = ""
    has_password: bool = False
    is_accepted: bool = False
    """Suggestions take effect."""


def profile_text(draft: Draft) -> str:
    """The file. Headers that are known take effect; suggestions only where they are accepted."""
    return "\n".join([_HEAD, *_choice(draft), "", *_way(draft), "", *_columns(draft), "", _TAIL])


def _choice(draft: Draft) -> Iterator[str]:
    yield f"name = {_quoted(draft.name)}"
    yield ""
    yield "# 哪些文件用这个方案：文件名符合 files（* 代表任意文字，如 供应商A*.xlsx），或者表头的指纹是 headers。"
    yield "# The files it is for: by name (* stands for anything), or by the fingerprint of the headers."
    pattern = "".join(f"[{char}]" if char in "*?[" else char for char in draft.file_name)
    yield f"files = [{_quoted(pattern)}]" if pattern else "# files = []"
    yield f"headers = {_quoted(_main(draft.tables).fingerprint)}"


def _main(tables: Sequence[TableMapping]) -> TableMapping:
    """The table with the most known headers, the first of these."""
    return max(tables, key=lambda table: sum(bool(header.field) for header in table.headers))


def _way(draft: Draft) -> Iterator[str]:
    main = _main(draft.tables)
    yield "# 只读这一张工作表；表头在第几行；CSV 的编码；打开密码（写环境变量的名字，不要写密码本身）："
    yield "# One sheet only; the line of the headers; the encoding of a CSV; a password, by the name of a variable."
    yield f"{'' if draft.sheet else '# '}sheet = {_quoted(draft.sheet or main.name)}"
    line = draft.header_row or main.line or 1
    is_active = draft.header_row is not None or (main.is_guessed and draft.is_accepted)
    yield f"{'' if is_active else '# ? ' if main.is_guessed else '# '}header_row = {line}"
    yield f"{'' if draft.encoding else '# '}encoding = {_quoted(draft.encoding or 'gb18030')}"
    yield f'{"" if draft.has_password else "# "}password = "${{CATALOG_IMAGEGEN_PASSWORD}}"'


def _columns(draft: Draft) -> Iterator[str]:
    yield _FIELDS_ABOVE + "# " + "  ".join(f"{field} {word}" for field, word in FIELD_WORDS.items())
    yield "[columns]"
    headers = {header.text: header for table in reversed(draft.tables) for header in table.headers}
    ordered = [headers[text] for text in dict.fromkeys(h.text for t in draft.tables for h in t.headers)]
    accepted = accepted_suggestions(ordered) if draft.is_accepted else {}
    for header in ordered:
        yield from _lines(header, accepted.get(header.text))


def accepted_suggestions(headers: Sequence[HeaderMapping]) -> dict[str, Suggestion]:
    """Header → the suggestion that takes effect, the surest ones first; only a list field is given to several headers."""
    taken = {header.field for header in headers if header.field and header.field not in LIST_FIELDS}
    offers = [(place, header, one) for header in headers for place, one in enumerate(header.suggestions)]
    offers.sort(key=lambda offer: (offer[0], -offer[2].alike, not offer[2].hint))
    found: dict[str, Suggestion] = {}
    for _, header, one in offers:
        if header.text not in found and one.field not in taken:
            found[header.text] = one
            taken |= {one.field} - set(LIST_FIELDS)
    return found


def _lines(header: HeaderMapping, accepted: Suggestion | None) -> Iterator[str]:
    key = _quoted(header.text)
    if header.field:
        yield f"{key} = {_quoted(header.field)}  # {FIELD_WORDS[header.field]}"
    elif header.suggestions:
        for one in header.suggestions:
            mark = "" if one is accepted else "# ? "
            yield f"{mark}{key} = {_quoted(one.field)}  # {FIELD_WORDS[one.field]}：{_reason(one)}"
    else:
        yield f'# {key} = ""  # 不认识，作为附加列保留 · not known'


def _reason(one: Suggestion) -> str:
    reasons = [f"与“{_plain(one.alias)}”相似 {one.alike:.0f}%"] if one.alias else []
    return "，".join([*reasons, *([HINTS[one.hint][1]] if one.hint else [])])


def _quoted(text: str) -> str:
    """A text of TOML, on one line: as JSON has it, which leaves one control character as it is."""
    sound = text.encode(errors="replace").decode()
    return json.dumps(sound, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """A text in a comment."""
    return " ".join(text.split())
