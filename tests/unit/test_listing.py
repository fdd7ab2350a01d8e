from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.imaging import FileFormat, Platform, Scope
from catalog_imagegen.stages.listing import (
    MAX_NAME_BYTES,
    arrange,
    from_path_safe,
    name_pattern,
    path_safe,
)
from tests.unit.builders import key, placement, platform, product, shown

# Short texts from few characters meet far more often than random ones.
TRICKY = st.text(alphabet="aAbB~%.-_ 1Ee2cCoOnNß\u0130ıé\u0065\u0301中가\u1100\u1161/\\:*?", max_size=6)
TEXTS = st.text(min_size=1, max_size=40) | TRICKY.filter(bool)
LONG = st.text(min_size=1, max_size=400)
RESERVED = [
    *("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "COM¹", "LPT³"),
    *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10)),
]


def is_reserved(name: str) -> bool:
    """Whether Windows takes the name for a device, in any case and before any extension."""
    return name.partition(".")[0].rstrip(" ").upper() in RESERVED


@given(LONG | TEXTS)
@example("中" * 60)
@example("a" * 150)
@example("é" * 25)
@settings(max_examples=300, deadline=None)
def test_a_name_leads_back_to_its_sku(text: str) -> None:
    """Whoever sees a folder can tell which SKU it is, unless the name had to be cut."""
    name = path_safe(text)
    if "~~" in name:
        assert len(name.encode()) <= MAX_NAME_BYTES
        assert len(text.encode()) * 4 > MAX_NAME_BYTES
    else:
        assert from_path_safe(name) == text


@given(LONG | TEXTS)
@example("..")
@example(".")
@example(" ")
@example("COM1.txt")
@settings(max_examples=300, deadline=None)
def test_a_name_is_good_on_every_disk(text: str) -> None:
    """No device name, no forbidden character, no dot or space at the end, not too long."""
    name = path_safe(text)
    assert name
    assert not is_reserved(name)
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f\s]', name)
    assert name[-1] not in ". "
    assert name[0] not in ". "
    assert len(name.encode()) <= MAX_NAME_BYTES


@pytest.mark.parametrize("word", RESERVED)
@pytest.mark.parametrize("spelling", ["{0}", "{0}.txt", "{0}.", "{0} ", "{0}.a.b"])
@pytest.mark.parametrize("is_small", [False, True])
def test_device_names_are_avoided(word: str, spelling: str, is_small: bool) -> None:
    """A SKU called CON is no problem on Windows."""
    text = spelling.format(word.lower() if is_small else word)
    assert not is_reserved(path_safe(text))
    assert from_path_safe(path_safe(text)) == text


@given(TEXTS, TEXTS)
@example("ab", "AB")
@example("aB", "Ab")
@example("é", "e\u0301")
@example("\u212b", "å")
@example("가", "\u1100\u1161")
@example("ſ", "s")
@example("a~1", "A~1")
@settings(max_examples=500, deadline=None)
def test_two_skus_never_share_a_name(one: str, other: str) -> None:
    """Disks that ignore case or compose accents still keep two SKUs apart."""
    if one == other:
        return
    first, second = path_safe(one), path_safe(other)
    assert first.casefold() != second.casefold()
    assert first.upper() != second.upper()
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert unicodedata.normalize(form, first).casefold() != unicodedata.normalize(form, second).casefold()


@given(st.permutations("AaBbCc"))
@settings(max_examples=60, deadline=None)
def test_spellings_that_differ_in_case_only_are_kept_apart(letters: list[str]) -> None:
    """The map of small letters is exact."""
    text = "".join(letters)
    other = text.swapcase()
    assert path_safe(text).casefold() != path_safe(other).casefold()


def test_every_character_is_safe_by_itself() -> None:
    """All of Unicode: what a name keeps has no case, no other composition and is printable."""
    for code in (*range(0x32400), *range(0xE0000, 0xE0200)):  # the rest is private or unassigned
        character = chr(code)
        if unicodedata.category(character) == "Cs":
            continue
        name = path_safe(character)
        if character in name and not character.isascii():
            assert character == character.casefold() == character.upper() == character.lower()
            assert all(
                unicodedata.normalize(form, character) == character for form in ("NFC", "NFD", "NFKC", "NFKD")
            )
            assert character.isprintable()


@pytest.mark.parametrize(
    ("sku", "name"),
    [
        ("LS-E100-BK", "LS-E100-BK"),
        ("保温杯-黑", "保温杯-黑"),
        ("ab", "ab~3"),
        ("LS-e100", "LS-e100~4"),
        ("A/B", "A%2FB"),
        ("A B", "A%20B"),
        ("50%", "50%25"),
        ("A~1", "A%7E1"),
        (".hidden", "%2Ehidden~3f"),
        ("A.", "A%2E"),
        ("CON", "%43ON"),
        ("é", "%C3%A9"),
    ],
)
def test_usual_names_stay_readable(sku: str, name: str) -> None:
    """People look for their SKU in the folder; these names are on disks already and may not change."""
    assert path_safe(sku) == name


@given(st.text(min_size=150, max_size=300), st.text(min_size=150, max_size=300))
@settings(max_examples=60, deadline=None)
def test_cut_names_differ_too(one: str, other: str) -> None:
    """Two long SKUs with the same beginning get two names."""
    prefix = "长" * 60
    assert (path_safe(prefix + one) == path_safe(prefix + other)) is (one == other)
    assert path_safe(one + "a").casefold() != path_safe(one + "A").casefold()


def test_a_cut_never_splits_a_character() -> None:
    """A name is cut between characters, wherever that falls."""
    for i in range(4):
        assert path_safe("A" * i + "中" * 100).encode().decode().startswith("A" * i + "中" * 40)


def names(*arguments: object, **options: object) -> list[str]:
    """The file names of a listing."""
    return [entry.file_name for entry in arrange(*arguments, **options)]  # type: ignore[arg-type]


def test_a_placement_is_filled_by_role_then_catalog_then_slot() -> None:
    """The order of the placement's roles decides first, whatever order pictures arrive in."""
    place = placement("extra", roles=("lifestyle", "detail"), count=9)
    pictures = [
        shown(key("sku:B", "detail", "1"), order=1, slot=1),
        shown(key("sku:B", "lifestyle", "1"), order=1, slot=1),
        shown(key("sku:A", "detail", "2"), order=0, slot=2),
        shown(key("sku:A", "lifestyle", "2"), order=0, slot=2),
        shown(key("sku:A", "lifestyle", "1"), order=0, slot=1),
        shown(key("sku:A", "main", "1"), order=0, slot=1),
    ]
    entries = arrange(platform(place), pictures)
    assert [(e.picture.key.role, e.picture.key.subject, e.picture.slot) for e in entries] == [
        ("lifestyle", "sku:A", 1),
        ("lifestyle", "sku:A", 2),
        ("lifestyle", "sku:B", 1),
        ("detail", "sku:A", 2),
        ("detail", "sku:B", 1),
    ]
    assert arrange(platform(place), reversed(pictures)) == entries


def test_a_placement_takes_no_more_than_its_count() -> None:
    """The first ones are shown; the rest stays in the blob store."""
    pictures = [shown(key(item=str(i)), slot=i) for i in range(1, 6)]
    entries = arrange(platform(placement(count=2)), pictures)
    assert [e.picture.slot for e in entries] == [1, 2]


def test_numbers_run_through_the_listing_and_through_each_placement() -> None:
    """``{order}`` counts files of the listing, ``{n}`` those of the placement."""
    shop = platform(
        placement("hero", roles=("main",), file_name="{sku}_{order:02}_{role}_{n}"),
        placement("again", roles=("main", "detail"), file_name="{order}-{n}-{kind}", count=5),
    )
    pictures = [shown(), shown(key(role="detail"))]
    assert names(shop, pictures) == ["A1_01_main_1.jpg", "2-1-sku.jpg", "3-2-sku.jpg"]


def test_a_picture_may_stand_in_several_placements() -> None:
    """A marketplace may want the main picture square and tall."""
    shop = platform(placement("square", roles=("main",)), placement("tall", roles=("main",), format="PNG"))
    entries = arrange(shop, [shown()])
    assert [(e.placement.name, e.file_name) for e in entries] == [
        ("square", "A1_01_main.jpg"),
        ("tall", "A1_02_main.png"),
    ]


def test_marketplace_names_are_kept() -> None:
    """Amazon matches files by name: ``ASIN.MAIN.jpg``, ``ASIN.PT01.jpg`` and so on."""
    amazon = platform(
        placement("main", file_name="{sku}.MAIN"),
        placement("additional", roles=("lifestyle", "detail"), count=8, file_name="{sku}.PT{n:02}"),
    )
    pictures = [
        shown(key("sku:B0ABC", "main")),
        shown(key("sku:B0ABC", "lifestyle", "1")),
        shown(key("sku:B0ABC", "lifestyle", "2"), slot=2),
        shown(key("sku:B0ABC", "detail")),
    ]
    assert names(amazon, pictures) == ["B0ABC.MAIN.jpg", "B0ABC.PT01.jpg", "B0ABC.PT02.jpg", "B0ABC.PT03.jpg"]


def test_a_shared_picture_is_named_after_the_sku_whose_listing_it_is_in() -> None:
    """Amazon does not know the SPU: a picture shared by variants carries each variant's own name."""
    amazon = platform(placement("additional", roles=("comparison",), file_name="{sku}.PT{n:02}"))
    shared = [shown(key("spu:S1", "comparison"))]
    assert names(amazon, shared, products=[product("B0/1")]) == ["B0%2F1.PT01.jpg"]
    assert names(amazon, shared) == ["S1.PT01.jpg"]


def test_skus_are_made_safe_in_file_names() -> None:
    """A slash in a SKU makes no folder."""
    assert names(platform(placement()), [shown(key("sku:A/b"))]) == ["A%2Fb~2_01_main.jpg"]


@given(
    st.sampled_from(
        ["{sku}", "{sku}_{role}", "{n}", "{role}-{n}", "{order}", "{sku}_{order:02}_{role}", "x"]
    ),
    st.sampled_from(["{sku}", "{n}", "{sku}_{order:02}_{role}", "{kind}"]),
    st.lists(st.tuples(st.sampled_from(["A", "a", "B"]), st.sampled_from(["main", "detail"])), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_no_two_files_of_a_listing_share_a_name(
    one: str, other: str, pictures: list[tuple[str, str]]
) -> None:
    """A naming rule that does not number its files loses none of them."""
    shop = platform(
        placement("a", roles=("main", "detail"), count=9, file_name=one),
        placement("b", roles=("main", "detail"), count=9, file_name=other, format="PNG"),
    )
    held = [shown(key(f"sku:{sku}", role, str(i)), slot=i) for i, (sku, role) in enumerate(pictures, start=1)]
    made = names(shop, held)
    assert len(made) == 2 * len(held)
    assert len({name.rpartition(".")[0].casefold() for name in made}) == len(made)


CODES = {"asin": ("ASIN", "亚马逊ASIN"), "gtin": ("GTIN", "EAN", "条码")}


def named_by(rule: str, *products: Product, listing_per: Scope = "sku", subject: str = "sku:A1") -> str:
    """The name of one picture's file by this rule, its extension cut off."""
    shop = platform(placement(file_name=rule), listing_per=listing_per)
    (entry,) = arrange(replace(shop, columns=CODES), [shown(key(subject))], products=products)
    return entry.file_name.removesuffix(".jpg")


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("{asin|sku}", "B0X"),
        ("{ASIN|sku}", "B0X"),
        ("{isbn|asin|sku}.MAIN", "B0X.MAIN"),
        ("{isbn|sku}", "A1"),
        ("{gtin:014|sku}", "00012345678905"),
        ("{gtin:14|sku}", "00012345678905"),
        ("{gtin|sku}", "012345678905"),
        ("{gtin:08|sku}", "00000999"),
        ("{asin:014|sku}", "A1"),
        ("{brand|sku}-{n}", "%2ERand~e-1"),
        ("{品牌方|sku}", "岭声"),
        ("{容量 ml|sku}", "350"),
        ("{name|sku}", "电水壶"),
        ("{spu|sku}", "A1"),
        ("{nothing|sku}_{role}_{order:03}", "A1_main_001"),
        ("{sku}{sku}", "A1A1"),
    ],
)
def test_a_name_may_hold_what_the_catalog_says(rule: str, name: str) -> None:
    """A code, a field, a column by its header; a word that the product has nothing for is passed over."""
    row = product(
        brand=".Rand",
        extra={
            "asin": "B0X",
            "ＥＡＮ（13位）": " 012345678905 ",
            "条码": "999",
            "品牌方": "岭声",
            "容量(ML)": "300",
            "容量 ML": "350",
        },
    )
    assert named_by(rule, row) == name


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"ASIN": "B0CHILD001", "ASIN（父体）": "B0PARENT01"}, "B0CHILD001"),
        ({"ASIN（父体）": "B0PARENT01"}, "A1"),
        ({"ASIN (Parent)": "B0PARENT01", "亚马逊ASIN": "B0CHILD001"}, "B0CHILD001"),
        ({"ASIN": "无", "亚马逊ASIN": "B0CHILD001"}, "B0CHILD001"),
        ({"ASIN": " N/A "}, "A1"),
        ({"ASIN": "Ｂ０ＣＨＩＬＤ１"}, "B0CHILD1"),
    ],
)
def test_what_is_no_code_names_no_file(extra: dict[str, str], name: str) -> None:
    """Nor does the code of a parent, which all its variants share."""
    assert named_by("{asin|sku}", product(extra=extra)) == name


def test_headers_of_a_word_come_in_their_order() -> None:
    """The first that has a value, however the columns stand in the catalog."""
    rows = ({"条码": "2", "EAN": "1"}, {"EAN": " ", "条码": "2"}, {"GTIN": "", "ean": "1"})
    assert [named_by("{gtin|sku}", product(extra=extra)) for extra in rows] == ["1", "2", "1"]


def test_what_the_catalog_says_is_safe_on_every_disk() -> None:
    """A slash or a device's name in a column is as harmless as in a SKU."""
    for text in ("../../x", "CON", "a/b", "..", "a\nb"):
        assert named_by("{asin|sku}", product(extra={"ASIN": text})) == path_safe(text)


def test_a_long_name_is_cut_and_stays_apart() -> None:
    """Disks take 255 bytes; two names that differ only behind the cut still differ."""
    long = product(name="电" * 60, brand="声" * 60)
    rule = "{name|sku}{brand|sku}{name|sku}{sku}"
    one, other = named_by(rule, long), named_by(rule, replace(long, sku="A2"))
    assert len(one.encode()) <= 240
    assert one != other


def test_each_variant_is_named_by_its_own_columns() -> None:
    """In a listing of a family a variant's picture has its own code, a shared one the first variant's."""
    family = (product("S-1", spu="S", extra={"ASIN": "B01"}), product("S-2", spu="S", extra={"ASIN": "B02"}))
    for subject, name in (("sku:S-1", "B01"), ("sku:S-2", "B02"), ("spu:S", "B01")):
        assert named_by("{asin|sku}", *family, listing_per="spu", subject=subject) == name
    assert named_by("{sku}", *family, listing_per="spu", subject="sku:S-2") == "S-2"
    assert named_by("{asin|sku}", listing_per="spu", subject="spu:S") == "S"


def test_a_name_says_what_it_lacks() -> None:
    """Of alternatives one is enough; a word that is always there lacks nothing."""
    shop = platform(placement(file_name="{asin|isbn|sku}-{gtin:014|n}-{order}"))
    cases: list[tuple[dict[str, str], tuple[str, ...]]] = [
        ({}, ("asin", "isbn", "gtin")),
        ({"ISBN": "1"}, ("gtin",)),
        ({"ASIN": "1", "GTIN": "none"}, ("gtin",)),
        ({"ASIN": "1", "GTIN": "1"}, ()),
    ]
    for extra, lacks in cases:
        (entry,) = arrange(shop, [shown()], products=[product(extra=extra)])
        assert entry.lacks == lacks


@pytest.mark.parametrize(
    ("rule", "file_format", "good", "bad"),
    [
        (
            "{asin|sku}.MAIN",
            "JPEG",
            ["B0X.MAIN.jpg", "A-1.MAIN.jpg"],
            ["MAIN.jpg", "B0X.main.jpg", "B0X.MAIN"],
        ),
        ("{sku}.PT{n:02}", "JPEG", ["B0X.PT01.jpg", "B0X.PT10.jpg"], ["B0X.PT1.jpg", "B0X.PT01_02.jpg"]),
        ("{gtin:014|n}", "PNG", ["00012345678905.png", "1.png"], ["00012345678905.jpg", "x.png"]),
        ("{order}-{role}-{kind}", "WEBP", ["12-main-sku.webp"], ["12-poster-sku.webp", "12-main-x.webp"]),
        ("a.b{n}", "AVIF", ["a.b1.avif"], ["axb1.avif", "a.b.avif", "a.b1.avif.avif"]),
    ],
)
def test_a_pattern_tells_names_that_keep_a_rule(
    rule: str, file_format: FileFormat, good: list[str], bad: list[str]
) -> None:
    """In full, with the extension."""
    pattern = name_pattern(placement(file_name=rule, format=file_format))
    assert pattern
    assert [name for name in good if not pattern.fullmatch(name)] == []
    assert [name for name in [*bad, f"x/{good[0]}"] if pattern.fullmatch(name)] == []


def test_a_place_without_a_rule_of_its_own_has_no_pattern() -> None:
    """Nobody asked for that name."""
    assert name_pattern(placement()) is None


@given(
    st.lists(
        st.sampled_from(
            ["{sku}", "{asin|sku}", "{gtin:014|sku}", "{n:02}", "{order}", "{role}", "{kind}", ".", "_x"]
        ),
        min_size=1,
        max_size=6,
    ),
    st.fixed_dictionaries({"ASIN": TEXTS, "条码": st.sampled_from(["", "12", "6901234567892", "x"])}),
)
@settings(max_examples=100, deadline=None)
def test_what_is_arranged_keeps_its_pattern(parts: list[str], extra: dict[str, str]) -> None:
    """Whatever the rule and the catalog say, as long as the name is not cut."""
    place = placement(file_name="".join(["{sku}", *parts]))
    shop: Platform = replace(platform(place), columns=CODES)
    (entry,) = arrange(shop, [shown()], products=[product(extra=extra)])
    pattern = name_pattern(place)
    assert pattern is None or "~~" in entry.file_name or pattern.fullmatch(entry.file_name)


def test_an_empty_listing_has_no_files() -> None:
    """Nothing to show is no error."""
    assert arrange(platform(placement()), []) == ()
