"""Lists of words that pictures must not show, and where a text has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ahocorasick_rs import AhoCorasick

from catalog_imagegen.stages.screening.letters import Spread, letters, spread

Reaction = Literal["block", "warn", "ignore"]
_CLAUSE_MARKS = frozenset(",;:?!，；：？！。、…\n\r")
"""What parts clauses: a word that is written across one may be none."""
_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


@dataclass(frozen=True, slots=True)
class WordList:
    """Words of one kind, and what is done about them."""

    name: str
    words: tuple[str, ...]
    source: str
    """The rule that it is drawn from."""
    exceptions: tuple[str, ...] = ()
    """Phrases in which its words are harmless."""
    severity: Literal["block", "warn"] = "block"
    """What is done where the picture would show the word."""
    elsewhere: Reaction = "warn"
    """What is done where the word is only part of what the model is told."""
    roles: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()
    categories: tuple[str, ...] = ()
    """Parts of a category's name; these three hold for all where they are empty."""
    not_categories: tuple[str, ...] = ()
    suggestion_en: str = ""
    suggestion_zh: str = ""

    def is_about(self, category: str) -> bool:
        """Whether it holds for products of this category."""
        read = letters(category)
        if any(letters(part) in read for part in self.not_categories):
            return False
        return not self.categories or any(letters(part) in read for part in self.categories)


@dataclass(frozen=True, slots=True)
class Hit:
    """A word of a list, where a text has it."""

    list: WordList
    word: str
    """As the list has it."""
    found: str
    """As the text has it."""
    start: int
    end: int
    """Behind its last character."""

    @property
    def is_across_clauses(self) -> bool:
        """Whether a comma or the like stands in it, so that it may be two words that only meet."""
        return not _CLAUSE_MARKS.isdisjoint(self.found) and _CLAUSE_MARKS.isdisjoint(self.word)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A word, or a phrase that excuses words; of a list, or of all (None)."""

    text: str
    list: WordList | None
    is_exception: bool = False


class Screen:
    """All lists, compiled once."""

    def __init__(self, lists: Iterable[WordList] = (), exceptions: Iterable[str] = ()) -> None:
        """*exceptions* are phrases in which words of any list are harmless."""
        self.lists, self.exceptions = tuple(lists), tuple(exceptions)
        patterns: dict[str, list[_Pattern]] = {}
        for pattern in self._patterns():
            if read := letters(pattern.text):
                patterns.setdefault(read, []).append(pattern)
        self._meant = list(patterns.values())
        self._words = AhoCorasick(
            [read for read, meant in patterns.items() if not all(each.is_exception for each in meant)]
        )
        self._all = AhoCorasick(list(patterns))

    def __reduce__(self) -> Any:
        return Screen, (self.lists, self.exceptions)

    def _patterns(self) -> Iterator[_Pattern]:
        for each in self.lists:
            yield from (_Pattern(word, each) for word in each.words)
            yield from (_Pattern(phrase, each, is_exception=True) for phrase in each.exceptions)
        yield from (_Pattern(phrase, None, is_exception=True) for phrase in self.exceptions)

    def is_clean(self, text: str) -> bool:
        """Whether no word is in a text, be it as part of an exception; texts joined by anything can be asked for at once."""
        return not self._words.find_matches_as_indexes(letters(text), overlapping=True)

    def hits(self, text: str) -> tuple[Hit, ...]:
        """The words in a text, from its beginning on; of those of a list that lie in each other the longest.

        Where several lists have a word, those of some categories come first: they say more.
        """
        read = spread(text)
        found: list[Hit] = []
        excused: list[tuple[WordList | None, int, int]] = []
        for index, first, behind in self._all.find_matches_as_indexes(read.letters, overlapping=True):
            start, end = read.span(first, behind)
            for meant in self._meant[index]:
                if not _stands_alone(read, first, behind, text):
                    continue
                if not meant.is_exception:
                    assert meant.list is not None  # noqa: S101 - only exceptions can be of all lists
                    found.append(Hit(meant.list, meant.text, text[start:end], start, end))
                elif _gaps(text[start:end]) == _gaps(meant.text):
                    excused.append((meant.list, start, end))
        left = [hit for hit in found if not any(_excuses(phrase, hit) for phrase in excused)]
        return tuple(
            sorted(
                _longest(left), key=lambda hit: (hit.start, hit.end, not hit.list.categories, hit.list.name)
            )
        )


NOTHING = Screen()
"""Finds nothing."""


def _stands_alone(read: Spread, first: int, behind: int, text: str) -> bool:
    """Whether Latin letters and figures at its ends are not part of a longer word: "cures" is not in "secures"."""
    start, end = read.span(first, behind)
    before, after = letters(text[max(start - 1, 0) : start]), letters(text[end : end + 1])
    is_open = read.letters[first] in _LATIN and before[-1:] in _LATIN
    return not is_open and not (read.letters[behind - 1] in _LATIN and after[:1] in _LATIN)


def _gaps(text: str) -> int:
    """How many of its characters are no letters."""
    return sum(not letters(character) for character in text)


def _excuses(phrase: tuple[WordList | None, int, int], hit: Hit) -> bool:
    of, start, end = phrase
    return (of is None or of is hit.list) and start <= hit.start and hit.end <= end


def _longest(hits: Sequence[Hit]) -> Iterator[Hit]:
    """Those that lie in no longer one of the same list."""
    for hit in hits:
        length = hit.end - hit.start
        if not any(
            other.list is hit.list
            and other.start <= hit.start
            and hit.end <= other.end
            and length < other.end - other.start
            for other in hits
        ):
            yield hit
