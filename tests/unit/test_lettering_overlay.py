from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalog_imagegen.domain.errors import EXIT_ITEMS_FAILED, ConfigError
from catalog_imagegen.stages.lettering import (
    Area,
    Fonts,
    Layout,
    LetteringError,
    Plate,
    Stroke,
    TextBox,
    check_promotion,
    draw,
)

WHITE = Image.new("RGB", (400, 300), "#ffffff")
AREA = Area(0.1, 0.1, 0.6, 0.5)
BOX = TextBox("title", AREA, "真空保温杯", max_size=0.1, colour="#000000")
PILL = Plate("#cc0000", 1.0, 0.5, 0.5)


def touched(image: Image.Image, before: Image.Image = WHITE) -> tuple[int, int, int, int]:
    """The pixels that differ from before, as left, top, right, bottom."""
    differs = np.any(np.asarray(image) != np.asarray(before), axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def is_inside(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    """Whether a rectangle lies in another."""
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


@settings(max_examples=30, deadline=None)
@given(
    text=st.sampled_from(
        ["杯", "jgqy", "“引用”，（括号）", "主动降噪耳机，续航8小时\ngy", "Wi-Fi 6 Type-C 🔋"]
    ),
    align=st.sampled_from(["left", "centre", "right"]),
    valign=st.sampled_from(["top", "middle", "bottom"]),
    stroke=st.sampled_from([None, Stroke("#ff0000", 0.08)]),
    plate=st.sampled_from([None, PILL, Plate("#00ff00", 0.5, 0, 0.2, is_close=False)]),
    weight=st.sampled_from(["regular", "black"]),
)
def test_all_that_is_drawn_is_in_its_box(**fields: object) -> None:
    """Whatever the box asks for, ink and plate stay in its area, and the report says which pixels."""
    lettered = draw(WHITE, [replace(BOX, min_size=0.01, **fields)])  # type: ignore[arg-type]
    (drawn,) = lettered.drawn
    area = tuple(map(round, AREA.within(WHITE.size)))
    assert is_inside(drawn.ink, area)
    assert touched(lettered.image) == (drawn.plate or drawn.ink)
    if drawn.plate:
        assert is_inside(drawn.plate, area)
        assert is_inside(drawn.ink, drawn.plate)


def test_a_text_stands_where_it_is_aligned() -> None:
    """Left, centre and right; top, middle and bottom."""
    left, top, right, bottom = AREA.within(WHITE.size)
    start = draw(WHITE, [BOX]).drawn[0].ink
    middle = draw(WHITE, [replace(BOX, align="centre", valign="middle")]).drawn[0].ink
    end = draw(WHITE, [replace(BOX, align="right", valign="bottom")]).drawn[0].ink
    assert start.left - left < 5
    assert start.top - top < 5
    assert right - end.right < 5
    assert bottom - end.bottom < 5
    assert abs((middle.left + middle.right) / 2 - (left + right) / 2) < 2
    assert abs((middle.top + middle.bottom) / 2 - (top + bottom) / 2) < 2


def test_a_text_shrinks_until_it_fits() -> None:
    """The longer the text, the smaller; never larger than asked for, and all of it is there."""
    texts = [
        "保温杯",
        "真空不锈钢保温杯，大容量",
        "真空不锈钢保温杯，大容量，办公室、通勤、露营都好用，一年质保",
    ]
    drawn = [draw(WHITE, [replace(BOX, text=text, max_size=0.2)]).drawn[0] for text in texts]
    assert drawn[0].size == 60
    assert drawn[0].size > drawn[1].size > drawn[2].size
    assert ["".join(each.lines) for each in drawn] == texts


def test_a_little_smaller_rather_than_a_broken_word() -> None:
    """Where a slightly smaller size leaves all words whole, it is taken."""
    area = Area(0.1, 0.1, 0.1 + 145 / 400, 0.9)
    (drawn,) = draw(WHITE, [replace(BOX, area=area, text="主动降噪无线蓝牙耳机", max_size=0.09)]).drawn
    assert drawn.lines == ("主动降噪", "无线蓝牙耳机")
    assert 0.85 * 27 <= drawn.size < 27


@pytest.mark.parametrize("limits", [{"min_size": 0.1}, {"max_lines": 1}])
def test_what_does_not_fit_is_an_error(limits: dict[str, float]) -> None:
    """Nothing is cropped: the error names box and text, and ends with what to do, in both languages."""
    box = replace(BOX, text="真空不锈钢保温杯，大容量，办公室与通勤都好用", min_size=0.06)
    with pytest.raises(LetteringError) as caught:
        draw(WHITE, [replace(box, **limits)])  # type: ignore[arg-type]
    assert caught.value.code == "text_overflow"
    assert caught.value.exit_code == EXIT_ITEMS_FAILED
    assert "title" in caught.value.message_en
    assert "shorten the text" in caught.value.message_en
    assert "真空不锈钢保温杯" in caught.value.message_zh
    assert "请缩短文字" in caught.value.message_zh


def test_letters_keep_out_of_the_safe_zone() -> None:
    """A box that reaches the edge is cut by the safe zone; a plate over the whole area is not."""
    box = replace(BOX, area=Area(0, 0, 1, 0.3), plate=Plate(is_close=False, padding=0, radius=0))
    (drawn,) = draw(WHITE, [box], safe_zone=0.1).drawn
    assert is_inside(drawn.ink, (40, 30, 360, 90))
    assert drawn.plate == (0, 0, 400, 90)
    with pytest.raises(LetteringError):
        draw(WHITE, [replace(box, area=Area(0, 0, 1, 0.1))], safe_zone=0.1)


def test_a_box_without_a_text_draws_nothing() -> None:
    """An empty text leaves no plate behind, and the picture that was given stays as it was."""
    before = WHITE.copy()
    lettered = draw(WHITE, [replace(BOX, text=" \n", plate=PILL)])
    assert lettered.drawn == ()
    assert lettered.image.tobytes() == WHITE.tobytes()
    draw(WHITE, [BOX])
    assert before.tobytes() == WHITE.tobytes()


def test_a_stroke_surrounds_all_letters() -> None:
    """The stroke of one letter never covers its neighbour: what was ink without a stroke is ink with one."""
    dark = replace(BOX, text="满300减50", weight="black")
    plain = np.asarray(draw(WHITE, [dark]).image.convert("L")) < 40
    x, y = 3, 3  # the stroke moves the text
    stroked = draw(
        WHITE,
        [
            replace(
                dark,
                area=Area(AREA.left - x / 400, AREA.top - y / 300, 0.7, 0.6),
                stroke=Stroke("#ff0000", 0.1),
            )
        ],
    )
    letters = np.asarray(stroked.image)
    assert int(((letters[..., 0] < 40) & (letters[..., 1] < 40)).sum()) >= int(plain.sum()) * 0.97
    assert int(((letters[..., 0] > 200) & (letters[..., 1] < 40)).sum()) > 100


def test_contrast_is_told() -> None:
    """Black on white reads well and white on white does not, unless it has a stroke or a plate."""
    pale = replace(BOX, colour="#ffffff")
    found = [
        draw(WHITE, [box]).drawn[0].contrast
        for box in (
            BOX,
            pale,
            replace(pale, stroke=Stroke("#000000")),
            replace(pale, plate=Plate("#000000", 1)),
        )
    ]
    assert found == [21, 1, 21, 21]


def test_a_transparent_picture_keeps_what_is_transparent() -> None:
    """Letters are opaque on a transparent picture, and contrast is that with white."""
    lettered = draw(Image.new("RGBA", WHITE.size, (0, 0, 0, 0)), [BOX])
    opaque = np.asarray(lettered.image.getchannel("A")) > 0
    assert (
        touched(lettered.image.convert("RGBA"), Image.new("RGBA", WHITE.size, (0, 0, 0, 0)))
        == lettered.drawn[0].ink
    )
    assert 0 < opaque.mean() < 0.1
    assert lettered.drawn[0].contrast == 21


def test_a_missing_character_names_its_box() -> None:
    """Before anything is set, characters that no font has are told."""
    with pytest.raises(LetteringError, match=r"title: .*U\+20000") as caught:
        draw(WHITE, [replace(BOX, text="好𠀀")])
    assert caught.value.code == "glyph_missing"


def test_fonts_are_passed_in() -> None:
    """A box names a font by the name it was passed in under."""
    with pytest.raises(ConfigError):
        draw(WHITE, [replace(BOX, font="own")])
    shipped = Fonts().faces()[0].source
    (drawn,) = draw(WHITE, [replace(BOX, font="own", weight="bold")], fonts=Fonts({"own": shipped})).drawn
    assert drawn.lines == ("真空保温杯",)


def test_a_layout_is_filled_by_name() -> None:
    """Texts come to boxes by name; others keep theirs."""
    layout = Layout("poster", (BOX, replace(BOX, name="foot", text="一年质保")))
    assert [box.text for box in layout.filled({"title": "耳机"})] == ["耳机", "一年质保"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: Area(0.5, 0, 0.4, 1), "area_outside"),
        (lambda: Area(0, 0, 1, 1.2), "area_outside"),
        (lambda: replace(BOX, min_size=0.2), "size_wrong"),
        (lambda: draw(WHITE, [replace(BOX, colour="墨绿")]), "colour_wrong"),
    ],
)
def test_what_is_wrong_in_a_layout_stops_the_run(make: object, code: str) -> None:
    """A layout's own faults are errors of the configuration, told in both languages."""
    with pytest.raises(ConfigError) as caught:
        make()  # type: ignore[operator]
    assert caught.value.code == code
    assert "请" in caught.value.message_zh


def test_the_same_box_draws_the_same_pixels() -> None:
    """Nothing of what is drawn depends on what was drawn before."""
    first = draw(WHITE, [BOX]).image
    draw(WHITE, [replace(BOX, text="别的", weight="black", max_size=0.2)])
    assert draw(WHITE, [BOX]).image.tobytes() == first.tobytes()


OFFER = replace(BOX, text="限时优惠")


@pytest.mark.parametrize("dates", [("", "2026-11-11"), ("2026-11-01", " "), ("", "")])
@pytest.mark.parametrize(
    "text",
    [
        "限时优惠",
        "双11大促，最后一天",
        "Limited time",
        "Flash-Sale",
        "限 时\n优 惠",
        "限時優惠",
        "閃購",
        "满200减30",
        "限\u2060期",
    ],
)
def test_an_offer_needs_its_dates(text: str, dates: tuple[str, str]) -> None:
    """Words that announce an offer need both dates; the message says which are lacking."""
    with pytest.raises(LetteringError) as caught:
        check_promotion([BOX, replace(OFFER, text=text)], starts=dates[0], ends=dates[1])
    assert caught.value.code == "promotion_dates"
    for field, value in zip(("promo_start", "promo_end"), dates, strict=True):
        assert (field in caught.value.message_zh) is (not value.strip())


def test_an_offer_that_ends_before_it_starts() -> None:
    """Dates in the wrong order are told; what is no date is not judged."""
    with pytest.raises(LetteringError, match="before it starts") as caught:
        check_promotion([OFFER], starts="2026-11-11", ends="2026-11-01 23:59")
    assert caught.value.code == "promotion_reversed"
    check_promotion([OFFER], starts="2026-11-01", ends="2026-11-11")
    check_promotion([OFFER], starts="双11", ends="售完为止")
    check_promotion([BOX, replace(BOX, text="优惠装 两支")], starts="", ends="")
