from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from noto_cjk_sans_otc import FONT_PATH

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.lettering import SHIPPED, Fonts, LetteringError
from catalog_imagegen.stages.lettering.fonts import Face, _measured, _shown
from catalog_imagegen.stages.lettering.spacing import AUTOSPACE, Ruler, prepared

FONTS = Fonts()
EMOJI = str(files("manimgx_fonts") / "NotoEmoji[wght].ttf")


def test_the_chinese_face_is_simplified() -> None:
    """The face is found by its name; the collection's first is Japanese, which draws 骨 differently."""
    shipped = FONTS.glyph("骨").face
    assert isinstance(shipped.source, str)
    japanese = Face(shipped.source, 0)
    assert shipped.index != 0
    assert _shown(shipped, "骨", "regular") != _shown(japanese, "骨", "regular")
    assert _shown(shipped, "中", "regular") == _shown(japanese, "中", "regular")
    assert FONTS.faces(SHIPPED) == FONTS.faces()


@pytest.mark.parametrize("character", "㐂𠮷堃龘①㎡℃★✓Ω")
def test_the_chinese_face_has_rare_characters(character: str) -> None:
    """Rare characters, units and signs come from the Chinese face itself."""
    assert FONTS.glyph(character).face == FONTS.faces()[0]


@pytest.mark.parametrize("character", "✔🔋😀⚡❤")
def test_what_it_lacks_comes_from_the_next_font(character: str) -> None:
    """Emoji come from another font, as high and wide as Chinese."""
    glyph = FONTS.glyph(character)
    assert glyph.face != FONTS.faces()[0]
    assert -0.88 <= glyph.ink.top < glyph.ink.bottom <= 0.12
    assert 0.5 < glyph.advance < 1.1


def test_missing_characters_are_named_all_at_once() -> None:
    """The message says which characters, their code points, whose text, and what to do, in both languages."""
    with pytest.raises(LetteringError) as caught:
        FONTS.check("好\n𠀀𠀁", where="title")
    assert caught.value.code == "glyph_missing"
    for message in (caught.value.message_en, caught.value.message_zh):
        assert message.startswith("title")
        assert "𠀀 (U+20000" in message
        assert "U+20001" in message
        assert "好" not in message
    assert "write it otherwise" in caught.value.message_en
    assert "请改用" in caught.value.message_zh
    with pytest.raises(LetteringError):
        FONTS.glyph("𠀀")


@pytest.mark.parametrize("text", ["مرحبا", "שלום", "ก", "नमस्ते", "👨\u200d👩", "🇨🇳", "x\u0301\u20e3", "ខ្មែរ"])
def test_what_must_be_joined_is_refused(text: str) -> None:
    """Scripts and emoji whose characters join are refused, not drawn apart."""
    with pytest.raises(LetteringError) as caught:
        FONTS.check(text)
    assert caught.value.code == "glyph_joined"


def test_weights_are_of_the_font_itself() -> None:
    """A heavier weight has wider Latin letters: it is drawn so, not thickened."""
    weights = [FONTS.glyph("A", weight=weight) for weight in ("regular", "medium", "bold", "black")]
    assert [glyph.advance for glyph in weights] == sorted({glyph.advance for glyph in weights})
    assert all(glyph.thickened == 0 for glyph in weights)


def test_a_font_of_ones_own() -> None:
    """A font may be a path or its bytes; of a collection the Simplified face is taken, and bold is thickened."""
    fonts = Fonts({"path": str(FONT_PATH), "bytes": FONT_PATH.read_bytes()})
    for name in fonts.files:
        regular, bold = fonts.glyph("骨", name), fonts.glyph("骨", name, "bold")
        assert regular.face == bold.face == fonts.faces(name)[0]
        assert regular.face.index == 2
        assert bold.thickened > regular.thickened == 0
        assert bold.ink.left < regular.ink.left
    assert fonts.glyph("骨", "path").ink == fonts.glyph("骨", "bytes").ink


def test_a_font_of_ones_own_falls_back_too() -> None:
    """What one's own font lacks comes from the shipped ones."""
    fonts = Fonts({"emoji": EMOJI})
    assert fonts.glyph("中", "emoji").face == FONTS.faces()[0]
    assert fonts.glyph("🔋", "emoji").face.source == EMOJI


@pytest.mark.parametrize(
    ("fonts", "name", "code"),
    [
        (FONTS, "微软雅黑", "font_unknown"),
        (Fonts({"own": b"no font"}), "own", "font_broken"),
        (Fonts({"own": "/nowhere/font.otf"}), "own", "font_broken"),
    ],
)
def test_fonts_that_are_not_there(fonts: Fonts, name: str, code: str) -> None:
    """A name that is not known and a file that is no font are said, with the remedy, in both languages."""
    with pytest.raises(ConfigError) as caught:
        fonts.glyph("中", name)
    assert caught.value.code == code
    assert name in caught.value.message_en
    assert "请" in caught.value.message_zh


def test_threads_measure_alike() -> None:
    """Threads that measure at once have fonts of their own, and find the same."""
    text = "主动降噪耳机ABC，。¥199🔋" * 4
    alone = [FONTS.glyph(character, weight="bold") for character in text]
    _measured.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda _: [FONTS.glyph(each, weight="bold") for each in text], range(8))
        assert all(glyphs == alone for glyphs in found)


RULER = Ruler(FONTS)


@pytest.mark.parametrize(
    ("text", "ems"),
    [
        ("中文", 2),
        ("", 0),
        ("中文，", 2.5),  # a mark at the end of a line
        ("（中文）", 3),  # and at both
        ("中），文", 3.5),  # two in a row
        ("中，（中", 3.5),  # one that ends and one that starts share what is between
    ],
)
def test_marks_take_as_much_as_they_need(text: str, ems: float) -> None:
    """Full-width marks lose their empty half at the ends of a line and beside another mark."""
    assert RULER.width(text) == pytest.approx(ems, abs=0.06)


def test_chinese_and_latin_stand_apart() -> None:
    """Between Chinese and Latin there is a little space, unless the text has one."""
    assert RULER.width("中A") == pytest.approx(RULER.width("中") + RULER.width("A") + AUTOSPACE, abs=0.01)
    spaced = RULER.width("中 A") - RULER.width("中") - RULER.width("A")
    assert spaced == pytest.approx(FONTS.glyph(" ").advance, abs=0.01)


def test_a_line_has_no_ink_outside_of_its_width() -> None:
    """Whatever starts or ends a line, its ink is between 0 and the line's width."""
    for text in ("“引”", "jf", "【新】", "，", "Wj", "🔋", "……"):
        line = RULER.line(text)
        lefts = [placed.x + placed.glyph.ink.left for placed in line.placed]
        rights = [placed.x + placed.glyph.ink.right for placed in line.placed]
        assert min(lefts) >= 0
        assert max(rights) <= line.width + 1e-9


def test_texts_are_prepared() -> None:
    """Composed, one kind of newline and space, no marks that are not drawn, nothing at the ends of lines."""
    assert prepared("e\u0301\r\n\tb\xa0c \u2028 ✔\ufe0f👍🏻\ufeff\n") == "é\nb c\n✔👍"
