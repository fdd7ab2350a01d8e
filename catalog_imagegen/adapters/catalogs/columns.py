"""Which header means which product field; decided by a table of names, never by likeness."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from catalog_imagegen.domain.catalog import LIST_FIELDS, TEXT_FIELDS
from catalog_imagegen.domain.errors import ConfigError

_FIELDS = (*TEXT_FIELDS, *LIST_FIELDS)
_BRACKETS = re.compile(r"[(\[【〔]([^()\[\]【】〔〕]*)[)\]】〕]")
_NUMBERED = re.compile(r"(.*?\D)(\d{1,2})")
_DECORATION = str.maketrans("", "", "*_-:")
_LONGEST = 500
"""Of what is compared. To normalise a text takes time with the square of its length, if somebody wants it to."""
_SIMPLIFIED = str.maketrans(
    "編號貨碼稱產顏質價賣點類別規圖連鏈場應優勢細節銷開結時間備註標題廠幣種單現狀長寬積屬數庫條實徵說總計審製項賞購買風飾體歷訊",
    "编号货码称产颜质价卖点类别规图连链场应优势细节销开结时间备注标题厂币种单现状长宽积属数库条实征说总计审制项赏购买风饰体历讯",
)
"""Traditional characters of headers, as the aliases write them."""
_TRADITIONAL = {after: before for before, after in _SIMPLIFIED.items()}


@dataclass(frozen=True, slots=True)
class Match:
    """The field a header names, and the number behind it (卖点2 → 2, 卖点 → 0)."""

    field: str
    ordinal: int = 0


@dataclass(frozen=True)
class Columns:
    """Header names per product field, and how the cells below them are split."""

    aliases: Mapping[str, tuple[str, ...]]
    required: frozenset[str] = frozenset({"sku", "name"})
    splitters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ignored_in_brackets: frozenset[str] = frozenset()
    footers: tuple[str, ...] = ()
    row_numbers: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Field → what it is where its cell is empty."""
    own: frozenset[str] = frozenset()
    """Headers, as they are compared, that this catalog's own rules map; they come before those that everybody uses."""
    ignored: frozenset[str] = frozenset()
    """Headers, as they are compared, below which nothing is read."""
    _by_name: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_toml(cls, data: Mapping[str, Any]) -> Columns:
        """Build from the tables of ``columns.toml``: ``[headers]`` and one ``[fields.<field>]`` per field.

        Raises ConfigError for an unknown key or field, and for a name that two fields claim.
        """
        from catalog_imagegen.adapters.catalogs.columns_file import FieldTable, document_of  # noqa: PLC0415 - slow

        document = document_of(data, _FIELDS)
        brackets = frozenset(_fold(text) for text in document.headers.ignored_in_brackets)
        aliases = {name: (name, *document.fields.get(name, FieldTable()).aliases) for name in _FIELDS}
        return cls(
            aliases=aliases,
            required=frozenset(
                {"sku", "name"} | {n for n, table in document.fields.items() if table.required}
            ),
            splitters={name: table.splitters for name, table in document.fields.items() if table.splitters},
            ignored_in_brackets=brackets,
            footers=tuple(_fold(text) for text in document.headers.footers),
            row_numbers=frozenset(plain(text) for text in document.headers.row_numbers),
            _by_name=_index(aliases, brackets),
        )

    def match(self, header: str) -> Match | None:
        """Tell which field *header* names, if any; only list fields may carry a number."""
        name = plain(header, self.ignored_in_brackets)
        if name in self.ignored:
            return None
        if (found := self._by_name.get(name)) is not None:
            numbered = _NUMBERED.fullmatch(name) if name in self.own and found in LIST_FIELDS else None
            return Match(found, int(numbered[2]) if numbered else 0)
        numbered = _NUMBERED.fullmatch(name)
        if numbered and (found := self._by_name.get(numbered[1])) in LIST_FIELDS:
            return Match(str(found), int(numbered[2]))
        return None

    def is_own(self, header: str) -> bool:
        """Tell whether this catalog's own rules say what *header* means."""
        return bool(self.own) and plain(header, self.ignored_in_brackets) in self.own

    def is_ignored(self, header: str) -> bool:
        """Tell whether nothing is to be read below *header*."""
        return bool(self.ignored) and plain(header, self.ignored_in_brackets) in self.ignored

    def adapted(
        self,
        headers: Mapping[str, str],
        *,
        splitters: Mapping[str, tuple[str, ...]],
        defaults: Mapping[str, Any],
        ignored: Iterable[str] = (),
        footers: Iterable[str] = (),
    ) -> Columns:
        """The same for one catalog whose own *headers* mean these fields, whatever they mean elsewhere."""
        by_name = {plain(header, self.ignored_in_brackets): name for header, name in headers.items()}
        spellings = {
            name: tuple(header for header in headers if headers[header] == name) for name in self.aliases
        }
        return replace(
            self,
            aliases={name: (*spellings[name], *others) for name, others in self.aliases.items()},
            required=self.required - defaults.keys(),
            splitters={**self.splitters, **splitters},
            footers=(*self.footers, *(_fold(text) for text in footers)),
            defaults=defaults,
            own=frozenset(by_name),
            ignored=frozenset(plain(header, self.ignored_in_brackets) for header in ignored),
            _by_name={**self._by_name, **by_name},
        )

    def is_row_number(self, header: str) -> bool:
        """Tell whether a column of this name only counts the rows."""
        return plain(header) in self.row_numbers

    def is_footer(self, text: str) -> bool:
        """Tell whether *text* opens a totals or remarks row."""
        return _fold(text).startswith(self.footers)

    def is_footer_word(self, text: str) -> bool:
        """Tell whether *text* is what opens such a row and nothing else: that is no SKU, whatever stands beside it."""
        return _fold(text).rstrip(":") in self._footer_words

    def may_have_footers(self, texts: str) -> bool:
        """Tell, sooner than one by one, whether a footer's word is somewhere in these *texts*."""
        folded = texts.casefold() if texts.isascii() else unicodedata.normalize("NFKC", texts).casefold()
        dense = folded.replace(" ", "").replace("\u200b", "").replace("\ufeff", "")
        return any(spelling in dense for spelling in self._footer_spellings)

    @cached_property
    def _footer_words(self) -> frozenset[str]:
        return frozenset(word.rstrip(":") for word in self.footers) - {""}

    @cached_property
    def _footer_spellings(self) -> frozenset[str]:
        return self._footer_words | {word.translate(_TRADITIONAL) for word in self._footer_words}


def plain(header: str, ignored_in_brackets: frozenset[str] = frozenset()) -> str:
    """Reduce a header to what is compared: no width, case, traditional form, spaces, marks, or remarks such as ``(元)``."""
    folded = _fold(header)
    bare = _BRACKETS.sub(lambda found: "" if found[1] in ignored_in_brackets else found[0], folded)
    return (bare.translate(_DECORATION) or bare) if bare else folded


def _fold(text: str) -> str:
    """Fold width, case and traditional forms, and drop spaces and invisible characters."""
    folded = unicodedata.normalize("NFKC", text[:_LONGEST]).casefold().translate(_SIMPLIFIED)
    return "".join(
        char for char in folded if not char.isspace() and unicodedata.category(char) not in {"Cf", "Cc"}
    )


def _index(aliases: Mapping[str, tuple[str, ...]], brackets: frozenset[str]) -> dict[str, str]:
    by_name: dict[str, str] = {}
    for name, spellings in aliases.items():
        for spelling in spellings:
            owner = by_name.setdefault(plain(spelling, brackets), name)
            if owner != name:
                raise ConfigError(
                    f"columns.toml: {spelling!r} is an alias of both {owner} and {name}; remove it from one",
                    zh=f"columns.toml：“{spelling}”同时是 {owner} 和 {name} 的别名；请从其中一个删除",
                    code="columns_invalid",
                )
    return by_name
