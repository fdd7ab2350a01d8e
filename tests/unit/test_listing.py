from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog_imagegen.stages.listing import MAX_NAME_BYTES, arrange, from_path_safe, path_safe
from tests.unit.builders import key, placement, platform, shown

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
    assert names(amazon, shared, sku="B0/1") == ["B0%2F1.PT01.jpg"]
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


def test_an_empty_listing_has_no_files() -> None:
    """Nothing to show is no error."""
    assert arrange(platform(placement()), []) == ()
