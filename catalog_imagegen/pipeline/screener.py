"""PURE: says of pictures which words of their products they must not show, or should not be made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from catalog_imagegen.domain.catalog import FIELD_WORDS, LIST_FIELDS, TEXT_FIELDS, Issue, Product
from catalog_imagegen.domain.errors import ItemError
from catalog_imagegen.domain.imaging import NO_PROMPT, ImageRole, Wanted
from catalog_imagegen.pipeline.designing import NOTHING_DRAWN, Designer, Words
from catalog_imagegen.stages.prompt import PromptBook, drawn
from catalog_imagegen.stages.screening import Hit, Reaction, Screen, WordList, letters

SHOWN = "promo_text"
"""The column that is made to be shown: drawn by the model if it is short, else set where the template leaves room."""
REMEMBERED = 20_000
"""Texts without listed words that are kept in mind."""
_CODE = "screened_words"


class ScreenedError(ItemError):
    """A picture that would show a word that is not to be shown, or be made from one that it is not to be made from."""


@dataclass(frozen=True, slots=True)
class _Trace:
    """A listed word in one text of a product."""

    column: str
    text: str
    hit: Hit


class Screener:
    """Screens the texts of products; each is looked at once, however many pictures are made of it.

    What is screened is what a role's template and its layout read and what its items say: all catalog text that can reach
    a picture.
    """

    def __init__(
        self,
        screen: Screen,
        prompts: PromptBook,
        roles: Mapping[str, ImageRole],
        designer: Designer = NOTHING_DRAWN,
    ) -> None:
        self._screen, self._roles, self._designer = screen, roles, designer
        self._read = {
            name: _either(prompts.columns_read(name), designer.columns(role))
            for name, role in roles.items()
            if prompts.has(name)
        }
        self._reads_any = None in self._read.values()
        columns = {role.items_from for role in roles.values()}.union(*filter(None, self._read.values()))
        self._texts = [name for name in TEXT_FIELDS if self._reads_any or name in columns]
        self._lists = [name for name in LIST_FIELDS if self._reads_any or name in columns]
        self._headers = sorted(columns.difference(TEXT_FIELDS, LIST_FIELDS, [""]))
        self._product: Product | None = None
        self._traces: Sequence[_Trace] = ()
        self._clean: set[str] = set()

    def passed(self, picture: Wanted, product: Product, words: Sequence[Words] = ()) -> Wanted:
        """The picture with what is to be said of its words. Raises ScreenedError for one that is not to be made.

        *words* are set on it, whatever the model draws; a product's own photo shows no others.
        """
        is_photo = picture.from_photo is not None and picture.from_photo.how == "cutout"
        if not words and (is_photo or not self._look(product)):
            return picture
        role = self._roles[picture.key.role]
        texts = [each.text for each in words]
        shown = letters("\n".join([*drawn(picture.prompt.positive), *texts]))
        concerning = list(self._concerning(role, [picture.item_text]))
        concerning += self._elsewhere(words, concerning)
        told = _told(concerning, self._designer.shown_in(role), picture.platforms, product, shown=shown)
        if blocking := [trace for trace, action in told if action == "block"]:
            raise _refusal(blocking, product)
        return (
            picture._replace(remarks=(*picture.remarks, *(_remark(trace, product) for trace, _ in told)))
            if told
            else picture
        )

    def remarks(
        self,
        product: Product,
        takers: Mapping[str, Collection[str]],
        items: Callable[[ImageRole, Product], Collection[str]],
    ) -> Iterator[Issue]:
        """What is to be said of a product before any prompt is written.

        *takers* are the platforms that take pictures of each role, *items* gives what these show. Of what would be shown
        only promotions and the texts of layouts are known then: other texts are quoted by a template, or not.
        """
        if not self._look(product):
            return
        for name, platforms in takers.items():
            texts = items(self._roles[name], product)
            concerning = self._concerning(self._roles[name], texts)
            shown = letters("\n".join(self._set_on(self._roles[name], product, texts)))
            for trace, action in _told(
                concerning, self._designer.shown_in(self._roles[name]), platforms, product, shown=shown
            ):
                yield _remark(trace, product, blocked=name if action == "block" else "")

    def _look(self, product: Product) -> Sequence[_Trace]:
        """Every listed word in the texts that any role reads; pictures of one product are asked for in a row."""
        if self._product is not product and self._screen.lists:
            self._traces = () if self._is_clean(product) else self._found(product)
            self._product = product
        return self._traces

    def _is_clean(self, product: Product) -> bool:
        """Whether no text has a listed word; most texts of large catalogs are those of other products too."""
        texts = {getattr(product, name) for name in self._texts}
        for name in self._lists:
            texts.update(getattr(product, name))
        if extra := product.extra:
            texts.update(extra.get(name, "") for name in (extra if self._reads_any else self._headers))
        new = texts - self._clean
        if new and not self._screen.is_clean("\n".join(new)):
            return False
        if len(self._clean) > REMEMBERED:
            self._clean.clear()
        self._clean |= new
        return True

    def _texts_of(self, product: Product) -> Iterator[tuple[str, str]]:
        """Column and text of each."""
        for name in self._texts:
            yield name, getattr(product, name)
        for name in self._lists:
            for text in getattr(product, name):
                yield name, text
        for name in product.extra if self._reads_any else self._headers:
            yield name, product.extra.get(name, "")

    def _found(self, product: Product) -> Sequence[_Trace]:
        return [
            _Trace(column, text, hit)
            for column, text in self._texts_of(product)
            for hit in self._screen.hits(text)
        ]

    def _set_on(self, role: ImageRole, product: Product, items: Iterable[str]) -> Iterator[str]:
        """What layouts set on its pictures; where that cannot be told their prompts are not written either."""
        for item in items:
            with suppress(ItemError):
                yield from (each.text for each in self._designer.words(role, product, item, NO_PROMPT))

    def _elsewhere(self, words: Iterable[Words], found: Iterable[_Trace]) -> Iterator[_Trace]:
        """Those that no column has: a layout itself says them, or puts them together."""
        known = {trace.hit.word for trace in found}
        for each in words:
            for hit in self._screen.hits(each.text):
                if hit.word not in known:
                    yield _Trace(each.place, each.text, hit)

    def _concerning(self, role: ImageRole, items: Collection[str]) -> Iterator[_Trace]:
        """Those in the columns that a role's template reads, and in its items."""
        read = self._read.get(role.name, frozenset())
        for trace in self._traces:
            if (
                read is None
                or trace.column in read
                or (trace.column == role.items_from and trace.text in items)
            ):
                yield trace


def _either(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """All columns of both; None where one may read any."""
    return None if one is None or other is None else one | other


def _told(
    traces: Iterable[_Trace],
    roles: frozenset[str],
    platforms: Collection[str],
    product: Product,
    *,
    shown: str,
) -> Sequence[tuple[_Trace, Reaction]]:
    """What is done about words, where pictures are seen in these roles and platforms and show these letters.

    A word that another list has too, or has as part of a longer one, is told only where more is done about it.
    """
    category = product.category or product.name
    found = [
        (trace, _action(trace, shown))
        for trace in traces
        if _is_meant(trace.hit.list, roles, platforms) and trace.hit.list.is_about(category)
    ]
    return [
        (trace, action)
        for number, (trace, action) in enumerate(found)
        if action != "ignore"
        and not any(
            more in ("block", action) and _is_covered(trace, other, is_first=place < number)
            for place, (other, more) in enumerate(found)
        )
    ]


def _is_meant(of: WordList, roles: frozenset[str], platforms: Collection[str]) -> bool:
    is_of_role = not of.roles or not roles.isdisjoint(of.roles)
    return is_of_role and (not of.platforms or not of.platforms.isdisjoint(platforms))


def _action(trace: _Trace, shown: str) -> Reaction:
    is_shown = trace.column == SHOWN or letters(trace.hit.word) in shown
    action = trace.hit.list.severity if is_shown else trace.hit.list.elsewhere
    return "warn" if action == "block" and trace.hit.is_across_clauses else action


def _is_covered(trace: _Trace, other: _Trace, *, is_first: bool) -> bool:
    """Whether the other word stands around it in the same text, or in the same place and *is_first*."""
    (start, end), (first, last) = (trace.hit.start, trace.hit.end), (other.hit.start, other.hit.end)
    is_around = (trace.column, trace.text) == (other.column, other.text) and first <= start and end <= last
    return is_around and (is_first or end - start < last - first)


def _refusal(traces: Sequence[_Trace], product: Product) -> ScreenedError:
    """Why a picture is not made: each cell and word, and what to write instead."""
    told = [(_place(trace, product), *_said(trace)) for trace in traces]
    return ScreenedError(
        " · ".join(dict.fromkeys(f"{place}: {en}" for place, en, _ in told)),
        zh=" · ".join(dict.fromkeys(f"{place}：{zh}" for place, _, zh in told)),
        code=_CODE,
    )


def _remark(trace: _Trace, product: Product, *, blocked: str = "") -> Issue:
    """The same as an issue of the cell; of a role that is *blocked* by it, with its name."""
    en, zh = _said(trace)
    return Issue(
        where=_place(trace, product),
        code=_CODE,
        severity="warning",
        message_zh=f"不会生成 {blocked} 图：{zh}" if blocked else zh,
        message_en=f"no picture {blocked} is made: {en}" if blocked else en,
        sku=product.sku,
    )


def _place(trace: _Trace, product: Product) -> str:
    """The cell, or the row where cells are not known, or the SKU where there are no rows."""
    return product.cells.get(trace.column) or product.where or product.sku


def _said(trace: _Trace) -> tuple[str, str]:
    """Column, word, rule and remedy, in English and Chinese."""
    hit, of = trace.hit, trace.hit.list
    spelt = f"“{hit.found}”" if hit.found.casefold() == hit.word.casefold() else f"“{hit.found}” ({hit.word})"
    instead = of.suggestion_en or "say it in other words"
    instead_zh = of.suggestion_zh or "请改用其他说法"
    return (
        f"{trace.column} has {spelt} (list {of.name}: {of.source}); {instead}",
        f"{FIELD_WORDS.get(trace.column, trace.column)}中有{spelt}（词表 {of.name}：{of.source}）；{instead_zh}",
    )
