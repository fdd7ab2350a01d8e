from __future__ import annotations

import pickle
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog_imagegen.config import Workspace, defaults
from catalog_imagegen.config.screening import NAME, load_screen
from catalog_imagegen.config.setup import load_setup
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.screening import NOTHING, Screen, WordList, letters
from catalog_imagegen.stages.screening.letters import spread

PACKAGED = load_screen(Workspace(defaults()), None, None)


def listed(*words: str, name: str = "bad", **fields: Any) -> WordList:
    """A list with these words."""
    return WordList(name=name, words=words, source="a rule", **fields)


def screen(*words: str, **fields: Any) -> Screen:
    """One list with these words."""
    return Screen([listed(*words, **fields)])


def found(of: Screen, text: str) -> list[str]:
    """The words that are found, as their lists have them."""
    return [hit.word for hit in of.hits(text)]


@pytest.mark.parametrize(
    "text",
    [
        "最佳",
        "全场最佳音质",
        "最 佳",
        "最　佳",
        "最\u200b佳",
        "最\u200d\ufe0f佳",
        "最\u00ad佳",
        "最·佳",
        "最-佳",
        "最*_~佳",
        "最🔥佳",
        "最（佳）",
        "最\u0301佳",
        "朂佳",
        "最\ue000佳",
        "最\ud800佳",
    ],
)
def test_a_word_is_found_however_it_is_spelt(text: str) -> None:
    """Spaces, invisible characters, signs, accents, variants and private characters make no difference."""
    assert found(screen("最佳"), text) == ["最佳"]


@pytest.mark.parametrize(
    "text",
    [
        "best seller",
        "ＢＥＳＴ　ＳＥＬＬＥＲ",
        "Best-Seller!",
        "BESTSELLER",
        "b.e.s.t s.e.l.l.e.r",
        "Веst Sеllеr",  # Cyrillic В and е
        "Βest seller",  # Greek Β
        "𝐁𝐞𝐬𝐭 𝓈𝑒𝓁𝓁𝑒𝓇",
        "ⓑⓔⓢⓣ seller",
        "bést sèller",
        "热销best seller款",
    ],
)
def test_latin_letters_of_any_shape_and_script(text: str) -> None:
    """What looks like a letter is read as that letter."""
    assert found(screen("Best Seller"), text) == ["Best Seller"]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("国家级", "國家級"),
        ("顶级", "頂级"),
        ("治疗", "治療"),
        ("药妆", "藥妝"),
        ("第一品牌", "第壹品牌"),
        ("No.1", "#1"),
        ("No.1", "＃１"),
        ("#1", "№ 1"),
        ("#1", "NO．１"),
        ("100%有效", "１００％ 有效"),
        ("Amazon's Choice", "Amazon’s choice"),
        ("高级", "⾼级"),  # a radical that looks like the character
    ],
)
def test_other_writings_of_the_same(word: str, text: str) -> None:
    """Traditional characters, number signs, signs of full width."""
    assert found(screen(word), text) == [word]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("cures", "a secures fit"),
        ("cure", "manicure set"),
        ("cure", "cured leather"),
        ("Top1", "stop 1"),
        ("Top1", "top 10"),
        ("No.1", "#10"),
        ("No.1", "casino 1"),
        ("100%", "100支斜纹布"),
        ("最佳", "佳最"),
    ],
)
def test_no_word_is_seen_in_others(word: str, text: str) -> None:
    """A Latin word stands alone, a number is not the beginning of another."""
    assert found(screen(word), text) == []


def test_latin_words_may_touch_chinese_ones() -> None:
    """Chinese has no spaces."""
    assert found(screen("Top1", "EGF"), "全网top1品牌，含EGF成分") == ["Top1", "EGF"]


def test_the_place_of_a_word_is_that_in_the_text() -> None:
    """With what lies in it, so that people find it in the cell."""
    (hit,) = screen("最佳").hits("ﬁne 音质，最\u200b 佳！")
    assert (hit.found, hit.start, hit.end) == ("最\u200b 佳", 7, 11)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("最近降价", []),
        ("到最后最好", ["最"]),
        ("第一次，第一", ["第一"]),
        ("第一，次日达", ["第一"]),
        ("第一 次", ["第一"]),
        ("最后", []),
        ("最後", []),
    ],
)
def test_exceptions(text: str, expected: list[str]) -> None:
    """A phrase excuses what lies in it, and only where it is written as it is."""
    assert found(screen("最", "第一", exceptions=("最近", "最后", "第一次")), text) == expected


def test_an_exception_with_signs_of_its_own() -> None:
    """The signs it is written with are not what somebody put in between."""
    of = screen("No.1", exceptions=("No.1 色",))
    assert found(of, "口红 No.1 色") == []
    assert found(of, "No.1 品牌") == ["No.1"]


def test_an_exception_excuses_its_own_list_only() -> None:
    """Unless it is one of all lists; a longer word around it counts all the same."""
    mine, other = listed("第一", exceptions=("第一夫人",)), listed("第一", name="other")
    assert [hit.list.name for hit in Screen([mine, other]).hits("第一夫人")] == ["other"]
    assert Screen([mine, other], ["第一夫人"]).hits("第一夫人") == ()
    assert found(Screen([listed("全网第一")], ["第一次"]), "全网第一次") == ["全网第一"]


def test_a_word_without_letters_is_nowhere() -> None:
    """The file refuses it."""
    assert found(screen("！", "最佳"), "最！佳") == ["最佳"]


def test_of_words_in_each_other_the_longest_is_told() -> None:
    """Those that only overlap are both told."""
    of = screen("最高", "最高级", "高级", "级别")
    assert found(of, "最高级别") == ["最高级", "级别"]
    assert found(of, "最高级和最高") == ["最高级", "最高"]


def test_lists_of_categories_come_first() -> None:
    """They say more about the same word."""
    lists = [listed("药用", name="all"), listed("药用", name="food", categories=("食品",))]
    assert [hit.list.name for hit in Screen(lists).hits("药用")] == ["food", "all"]


@pytest.mark.parametrize("text", ["质量最，佳品", "最\n佳", "最。佳", "最、佳", "最，佳"])
def test_a_word_across_clauses_is_told_as_such(text: str) -> None:
    """It may be two words that only meet."""
    (hit,) = screen("最佳").hits(text)
    assert hit.is_across_clauses


def test_a_word_with_a_comma_of_its_own_is_across_nothing() -> None:
    """The list has it so."""
    (hit,) = screen("好，更好").hits("好，更好")
    assert not hit.is_across_clauses


@pytest.mark.parametrize(
    ("fields", "category", "holds"),
    [
        ({}, "家居", True),
        ({"categories": ("食品",)}, "休闲 食品/零食", True),
        ({"categories": ("食品",)}, "家居", False),
        ({"not_categories": ("醫療",)}, "医疗器械", False),
        ({"categories": ("器械",), "not_categories": ("医疗",)}, "医疗器械", False),
    ],
)
def test_categories(fields: dict[str, Any], category: str, *, holds: bool) -> None:
    """By parts of their names, and what is excluded is."""
    assert listed("x", **fields).is_about(category) is holds


def test_it_travels_to_other_processes() -> None:
    """Compiled anew there."""
    twin = pickle.loads(pickle.dumps(PACKAGED))  # noqa: S301 - our own
    assert (twin.lists, twin.exceptions) == (PACKAGED.lists, PACKAGED.exceptions)
    assert found(twin, "国家级") == ["国家级"]
    assert NOTHING.is_clean("国家级")
    assert NOTHING.hits("国家级") == ()


@given(st.text(max_size=40))
def test_letters_are_the_same_one_by_one(text: str) -> None:
    """What is looked through quickly is what is looked through with places."""
    read = spread(text)
    assert read.letters == letters(text)
    assert len(read.places) == len(read.letters)
    assert list(read.places) == sorted(read.places)


@given(st.lists(st.sampled_from("最佳第一次a1 ，\u200b#"), max_size=12).map("".join))
def test_clean_texts_have_no_words(text: str) -> None:
    """The quick look misses nothing that the other finds."""
    of = screen("最佳", "第一", "a1", "#1", exceptions=("第一次",))
    assert not (of.is_clean(text) and of.hits(text))


# The packaged lists


def test_every_packaged_list_says_why_and_what_instead() -> None:
    """In both languages, with its source; and it is small."""
    assert len(PACKAGED.lists) > 10
    for each in PACKAGED.lists:
        assert each.source, each.name
        assert each.suggestion_zh, each.name
        assert each.suggestion_en, each.name
        assert len(each.words) <= 40, each.name


def test_packaged_words_and_exceptions_do_what_they_are_for() -> None:
    """Each word is found as it stands there; each exception is excused, and would not be without it."""
    for each in PACKAGED.lists:
        for word in each.words:
            assert word in found(Screen([each]), word), (each.name, word)
        for phrase in each.exceptions:
            bare = Screen([WordList(name=each.name, words=each.words, source=each.source)])
            assert found(Screen([each]), phrase) == [], (each.name, phrase)
            assert bare.hits(phrase), (each.name, phrase)


@pytest.mark.parametrize(
    "text",
    [
        "最佳赏味期 12 个月",
        "本品不能代替药物",
        "国家级非物质文化遗产",
        "100支斜纹布衬衫",
        "北极品质生活",
        "Manicure set, secures firmly",
        "50g 深层补水面霜",
    ],
)
def test_ordinary_texts_pass_the_packaged_lists(text: str) -> None:
    """What the rules allow, or even ask for, is not told."""
    assert [hit.word for hit in PACKAGED.hits(text) if hit.list.name != "cosmetics"] == []


# The file


def refusal(folder: Path, text: str) -> ConfigError:
    """What is said of a file."""
    (folder / "config").mkdir()
    (folder / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_screen(Workspace(folder), ["main"], ["amazon", "shopify", "google_merchant"])
    return caught.value


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('[lists.x]\nwords = ["a"]\n', "wrong_value", "lists.x.source"),
        ('[lists.x]\nwords = []\nsource = "s"\n', "wrong_value", "lists.x.words"),
        ('[lists.x]\nwords = ["！"]\nsource = "s"\n', "wrong_value", "lists.x.words.0"),
        ('[lists.x]\nwords = ["a"]\nsource = "s"\nexceptions = ["b"]\n', "unknown_key", "exceptions"),
        ('[lists.x]\nwords = ["a"]\nsource = "s"\nseverity = "ignore"\n', "wrong_value", "severity"),
        ('[lists.x]\nwords = ["a"]\nsource = "s"\nroles = ["mian"]\n', "unknown_name", "did you mean main"),
        (
            '[lists.x]\nwords = ["a"]\nsource = "s"\nplatforms = ["amazn"]\n',
            "unknown_name",
            "did you mean amazon",
        ),
    ],
)
def test_mistakes_name_the_key(text: str, code: str, words: str, tmp_path: Path) -> None:
    """As in every other file."""
    error = refusal(tmp_path, text)
    assert error.code == code
    assert words in error.message_en
    assert NAME in error.message_en


def test_a_workspace_lays_its_own_over_the_packaged(tmp_path: Path) -> None:
    """Lists are added, changed key by key, switched off; phrases of all lists are its own."""
    (tmp_path / "config").mkdir()
    (tmp_path / NAME).write_text(
        'except = ["第一夫人"]\n'
        '[lists.absolutes]\nwords = ["顶级"]\n'
        "[lists.alcohol]\nenabled = false\n"
        '[lists."自家"]\nwords = ["清仓"]\nsource = "ours"\nroles = ["poster"]\n',
        encoding="utf-8",
    )
    made = load_screen(Workspace(tmp_path), ["main"], None)
    by_name = {each.name: each for each in made.lists}
    assert "alcohol" not in by_name
    assert by_name["absolutes"].words == ("顶级",)
    assert by_name["absolutes"].exceptions
    assert by_name["自家"].roles == {"poster"}  # a packaged role that this workspace has not
    assert made.hits("第一夫人") == ()


def test_the_packaged_file_has_every_key_explained() -> None:
    """In its head, for those who edit it."""
    text = (defaults() / NAME).read_text(encoding="utf-8")
    head = text.partition("\nexcept = ")[0]
    keys = {key for table in tomllib.loads(text)["lists"].values() for key in table}
    assert [key for key in keys if key not in head] == []


@pytest.mark.parametrize(
    "text",
    [
        "男生发蜡",
        "电极品质稳定",
        "平顶尖头鞋",
        "屋顶级防水卷材",
        "最佳冲泡水温 85℃",
        "最好用冷水",
        "最优解",
        "世界最高峰",
        "国旗贴纸",
    ],
)
def test_ordinary_goods_are_not_stopped(text: str) -> None:
    """By the lists that ship: words that only look like it."""
    hits = load_setup(Workspace(defaults())).screen.hits(text)
    assert [hit.word for hit in hits if hit.list.severity == "block"] == []


@pytest.mark.parametrize("text", ["最\u3164佳", "最\uffa0佳", "销量第1", "全网第１"])
def test_spellings_of_the_day_are_found(text: str) -> None:
    """Fillers that nobody sees, and a digit for the word."""
    hits = load_setup(Workspace(defaults())).screen.hits(text)
    assert any(hit.list.severity == "block" for hit in hits)
