"""Breaks Chinese text into lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate

NEVER_FIRST = frozenset(
    "，。、．：；！？％‰℃℉°′″）》〉」』】〕〗］｝〙〛”’…—～–·・‧／,.!?:;%)]}»›‐々〻ゝゞヽヾー｜|×＋＂＇"
)
"""What no line may start with: GB/T 15834-2011, W3C CLREQ 3.1.4, and the units that belong to a number."""
NEVER_LAST = frozenset("（《〈「『【〔〖［｛〘〚“‘￥¥$€£＄￡＃#№([{«‹@＠×≤≥±≈＋")
"""What no line may end with: the same sources, and the signs that belong to a number behind them."""
_JOINTS = frozenset("-‐‑–/.·_:'’&+~")
"""Between two Latin letters or digits these hold a word together: Wi-Fi, A/B, 12:30."""
_SPACES = " \u3000"
_UNITS = "[mkdcµμn]?[mgLlWVAsΩ]|[mk]?[AW]h|[kMG]?Hz|[kMGT]?[Bb]|[MG]bps|[kM]?Pa|dB|fps|rpm|min|h|oz|lbs?|in|inch|ft|pcs|px|K|m[²³]"
_NUMBER_AND_UNIT = re.compile(rf"[¥￥$€£] +(?=\d)|\d +(?=(?:{_UNITS})(?![A-Za-z])|[×x*] ?\d)")
"""What is written with a space that must not become the end of a line."""
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

IN_WORD, BY_A_SHORT_WORD, AFTER_CLAUSE, AFTER_SENTENCE = 1.0, 0.3, -0.1, -0.15
"""What a break costs, beside the squared share of each line that stays empty: inside of a word, or between a number and
what it counts; beside a word of one character, which mostly belongs to both; less than nothing after a clause or sentence."""
_LEANS_BACK = frozenset("的了着过等们")
"""Short words that belong to what stands before: a break there costs twice as much."""
_IN_BRACKETS = 0.3
"""What is added inside of short quotes and brackets."""
_BRACKETED = re.compile(r"“[^“”]{1,8}”|《[^《》]{1,12}》|（[^（）]{1,8}）|【[^【】]{1,8}】|「[^「」]{1,8}」")
_LONELY = 0.3
"""What a line of a single character costs."""

Measure = Callable[[str], float]
"""How wide a line is, in any unit."""


def break_lines(
    text: str, room: float, measure: Measure, *, whole_words: bool = False
) -> tuple[str, ...] | None:
    """Break *text* into as few lines as fit in *room*, of similar width; ``None`` if that cannot be.

    Newlines are kept. Only spaces are lost, where a line ends or starts. No Latin word, no number with its unit and no
    pair of marks is broken, and no line starts or ends with a mark that may not stand there, unless the text says so.
    Chinese words are broken only where that saves a line, and with *whole_words* never.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        stripped = paragraph.strip(_SPACES)
        breaks = _breaks(stripped)
        if whole_words:
            breaks = {end: cost for end, cost in breaks.items() if cost < IN_WORD}
        broken = _paragraph(stripped, room, measure, breaks) if stripped else [""]
        if broken is None:
            return None
        lines += broken
    return tuple(lines)


def forbidden_starts(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines that start with a mark that may not stand there."""
    return tuple(line for line in lines if line[:1] in NEVER_FIRST and line)


def _paragraph(text: str, room: float, measure: Measure, breaks: Mapping[int, float]) -> list[str] | None:
    """The way from the start to the end with the fewest lines, then the least cost: each break is a station."""
    stations = {**breaks, len(text): 0.0}
    places = sorted({0, *stations})
    best: dict[int, tuple[int, float, int]] = {0: (0, 0.0, 0)}
    for at, start in enumerate(places[:-1]):
        if start not in best:
            continue
        count, cost, _ = best[start]
        for end in places[at + 1 :]:
            line = text[start:end].strip(_SPACES)
            width = measure(line)
            if width > room:
                break
            empty = (1 - width / room) ** 2 if room else 0.0
            lonely = _LONELY if len(line) == 1 else 0.0
            way = (count + 1, cost + empty + lonely + stations[end], start)
            if end not in best or way < best[end]:
                best[end] = way
    return _walked(text, best) if len(text) in best else None


def _walked(text: str, best: dict[int, tuple[int, float, int]]) -> list[str]:
    lines: list[str] = []
    end = len(text)
    while end:
        start = best[end][2]
        lines.insert(0, text[start:end].strip(_SPACES))
        end = start
    return lines


@lru_cache(maxsize=256)
def _breaks(text: str) -> Mapping[int, float]:
    """Where a line may end, and what that costs."""
    glued = {match.end() for match in _NUMBER_AND_UNIT.finditer(text)}
    bracketed = {at for match in _BRACKETED.finditer(text) for at in range(match.start() + 1, match.end())}
    parted = _between_words(text)
    breaks: dict[int, float] = {}
    for end in _opportunities(text):
        before, after = text[:end].rstrip(_SPACES), text[end:].lstrip(_SPACES)
        if before and after and end not in glued and _may_part(before, after):
            breaks[end] = _cost(before[-1], after[0], parted.get(end, IN_WORD))
            breaks[end] += _IN_BRACKETS if end in bracketed else 0.0
    return breaks


def _opportunities(text: str) -> Iterator[int]:
    """Where Unicode allows to break (UAX 14)."""
    from uniseg.linebreak import line_break_units  # noqa: PLC0415 - takes 0.04 s, and few commands draw

    return accumulate(map(len, line_break_units(text)))


def _may_part(before: str, after: str) -> bool:
    """Whether a line may end with *before* and the next start with *after*."""
    if after[0] in NEVER_FIRST or before[-1] in NEVER_LAST:
        return False
    is_joint = before[-1] in _JOINTS and len(before) > 1 and _is_latin(before[-2]) and _is_latin(after[0])
    return not is_joint


def _cost(last: str, first: str, between_words: float) -> float:
    if last in "。！？；!?;":
        return AFTER_SENTENCE
    if last in "，、：,:":
        return AFTER_CLAUSE
    is_quantity = last.isdecimal() and _HAN.match(first)  # 30分钟
    is_model = first.isdecimal() and _is_latin(last)  # iPhone 15
    if is_quantity or is_model:
        return IN_WORD
    return between_words * 2 if between_words == BY_A_SHORT_WORD and first in _LEANS_BACK else between_words


def _is_latin(character: str) -> bool:
    return character.isalnum() and not _HAN.match(character)


def _between_words(text: str) -> Mapping[int, float]:
    """Where words end, which Chinese does not write, and what a break there costs."""
    from rjieba import cut  # noqa: PLC0415 - takes 0.1 s to read its dictionary

    words = cut(text)
    short = [bool(_HAN.fullmatch(word)) for word in words]
    costs = [BY_A_SHORT_WORD if either else 0.0 for either in map(max, short, short[1:])]
    return dict(zip(accumulate(map(len, words)), costs, strict=False))
