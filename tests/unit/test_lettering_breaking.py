from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog_imagegen.stages.lettering import break_lines, forbidden_starts
from catalog_imagegen.stages.lettering.breaking import NEVER_FIRST, NEVER_LAST

PIECES = st.sampled_from(
    [*"大容量保温杯的不锈钢耳机3年", *"，。、！？：；）》」』】％…—（《「『【￥", *"aZ9", " ", "\n"]
)
WORDS = st.sampled_from(
    [
        "128GB",
        "3.5mm",
        "50%",
        "¥199",
        "Wi-Fi",
        "Type-C",
        "iPhone 15",
        "500 ml",
        "不锈钢",
        "……",
        "——",
        "12×8cm",
        "🔋",
    ]
)
TEXTS = st.lists(PIECES | WORDS, max_size=30).map("".join)
ROOMS = st.integers(1, 14)


def paragraphs(lines: tuple[str, ...], text: str) -> list[list[str]]:
    """The lines of each paragraph."""
    rest, parted = list(lines), []
    for paragraph in text.split("\n"):
        mine, wanted = [rest.pop(0)], paragraph.replace(" ", "")
        while "".join(mine).replace(" ", "") != wanted:
            mine.append(rest.pop(0))
        parted.append(mine)
    assert not rest
    return parted


@settings(deadline=None)
@given(TEXTS, ROOMS)
@example("大，，，，，", 3)
@example("，开头的标点", 4)
def test_lines_fit_and_lose_nothing(text: str, room: int) -> None:
    """Lines hold all of the text but spaces, are no wider than there is room, and keep newlines."""
    lines = break_lines(text, room, len)
    if lines is None:
        assert break_lines(text, math.inf, lambda line: float(len(line))) is not None
        return
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(len(line) <= room for line in lines)
    assert len(paragraphs(lines, text)) == text.count("\n") + 1


@settings(deadline=None)
@given(TEXTS, ROOMS)
def test_no_mark_stands_where_it_may_not(text: str, room: int) -> None:
    """Only the text itself puts a mark at a line's wrong end: at the start or end of a paragraph."""
    for lines in paragraphs(break_lines(text, room, len) or tuple(text.split("\n")), text):
        assert not forbidden_starts(lines[1:])
        assert all(line[-1] not in NEVER_LAST for line in lines[:-1])


@settings(max_examples=50, deadline=None)
@given(TEXTS, ROOMS)
def test_more_room_never_takes_more_lines(text: str, room: int) -> None:
    """As few lines as fit: with more room there are as many or fewer."""
    narrow, wide = break_lines(text, room, len), break_lines(text, room + 1, len)
    if narrow is not None:
        assert wide is not None
        assert len(wide) <= len(narrow)


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("存储128GB，3.5mm耳机孔", 7, ("存储", "128GB，", "3.5mm", "耳机孔")),
        ("限时优惠¥199（原价￥299）", 9, ("限时优惠¥199", "（原价￥299）")),
        ("续航提升50%！再送", 7, ("续航提升", "50%！再送")),
        ("第一行\n\n第三行", 9, ("第一行", "", "第三行")),
        ("316不锈钢真空保温杯", 8, ("316不锈钢", "真空保温杯")),
        ("主动降噪无线蓝牙耳机", 6, ("主动降噪", "无线蓝牙耳机")),
        ("支持 Wi-Fi 6 与 Type-C", 9, ("支持", "Wi-Fi 6 与", "Type-C")),
        ("适用于iPhone 15 Pro机型", 9, ("适用于", "iPhone 15", "Pro机型")),
        ("容量 500 ml", 6, ("容量", "500 ml")),
        ("“轻到忘记它的存在……”", 8, ("“轻到忘记", "它的存在……”")),
        ("30分钟快充，可用8小时", 8, ("30分钟快充，", "可用8小时")),
        ("低至 -20℃ 可用", 6, ("低至", "-20℃", "可用")),
    ],
)
def test_lines_as_a_person_would_break_them(text: str, room: int, lines: tuple[str, ...]) -> None:
    """Words, numbers and their units stay whole, and lines are of similar width."""
    assert break_lines(text, room, len, whole_words=True) == lines


def test_a_word_is_broken_only_where_that_saves_a_line() -> None:
    """Whole words take more lines if there is no other way, and are given up where they may be."""
    assert break_lines("大容量保温杯", 4, len) == ("大容量", "保温杯")
    assert break_lines("真空保温杯子", 3, len) == ("真空保", "温杯子")
    assert break_lines("真空保温杯子", 3, len, whole_words=True) in (None, ("真空", "保温杯", "子"))


@pytest.mark.parametrize("text", ["supercalifragilistic", "2026-11-11", "大！！！！！！！！！"])
def test_what_may_not_be_broken_does_not_fit(text: str) -> None:
    """A word that is too long is no reason to break it, nor a row of marks to start a line with one."""
    assert break_lines(text, 6, len) is None


def test_forbidden_starts_are_told() -> None:
    """The check that tests and reports use finds each mark that starts a line."""
    assert forbidden_starts(("好，", "，坏", "", "）也坏")) == ("，坏", "）也坏")
    assert set("，。、！？：；）》」』】％…") <= NEVER_FIRST
    assert set("（《「『【￥$") <= NEVER_LAST
