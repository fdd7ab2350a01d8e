from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageDraw

from catalog_imagegen.config.platforms import ABOUTS
from catalog_imagegen.domain.imaging import JUDGED, Figure, FigureValue, Placement, Verdict
from catalog_imagegen.stages.rendition import Negative, adapt
from catalog_imagegen.stages.verdict import RULES, judge_file
from tests.unit.builders import figure, placement

WHITE, GREY = (255, 255, 255), (225, 225, 225)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(width: int = 100, height: int = 100, colour: tuple[int, int, int] = WHITE) -> bytes:
    """A file of one colour."""
    return encoded(Image.new("RGB", (width, height), colour))


def place(*figures: Figure, **fields: Any) -> Placement:
    """A place for squares of 100 pixels."""
    wishes: dict[str, Any] = {"width": 100, "height": 100, "figures": figures} | fields
    return placement(**wishes)


def codes(content: bytes, where: Placement) -> dict[str, str]:
    """Code → severity of what is wrong with a file; every verdict speaks both languages, with a remedy."""
    found = judge_file(content, where)
    for verdict in found:
        assert ";" in verdict.message_en
        assert "；" in verdict.message_zh
    return {verdict.code: verdict.severity for verdict in found}


def test_what_is_judged_can_be_measured_and_written_down() -> None:
    """Every judged subject has one rule, and is a subject that platforms.toml may have."""
    assert set(RULES) == JUDGED
    assert set(ABOUTS) > JUDGED


def test_a_file_as_asked_has_no_verdict() -> None:
    """Silence means that everything was looked at and good."""
    asked = (
        figure("min_size", (100, 100)),
        figure("max_size", (100, 100)),
        figure("min_long", 100),
        figure("max_long", 100),
        figure("min_width", 100),
        figure("width_range", (100, 100)),
        figure("max_height", 100),
        figure("max_megapixels", 1),
        figure("ratio", ("3:4", "1:1")),
        figure("formats", ("png", "jpg")),
        figure("max_bytes", len(plain())),
        figure("background", WHITE),
        figure("fill_min", 0.01),
        figure("fill", (0.01, 1.0)),
    )
    assert {asking.about for asking in asked} == JUDGED
    assert judge_file(plain(), place(*asked)) == ()


@pytest.mark.parametrize(
    ("size", "wishes", "is_too_small"),
    [
        ((100, 100), {}, False),
        ((99, 100), {}, True),
        ((100, 99), {"fit": "pad"}, True),
        ((100, 60), {"fit": "contain"}, False),
        ((60, 100), {"fit": "contain"}, False),
        ((99, 60), {"fit": "contain"}, True),
        ((100, 30), {"fit": "width"}, False),
        ((99, 30), {"fit": "width"}, True),
        ((100, 60), {"fit": "contain", "min_height": 60}, False),
        ((100, 60), {"fit": "contain", "min_height": 61}, True),
        ((60, 100), {"fit": "contain", "min_width": 61}, True),
    ],
)
def test_too_small_is_told_at_the_very_limit(
    size: tuple[int, int], wishes: dict[str, Any], is_too_small: bool
) -> None:
    """What each fit promises, measured on the file; missing it fails, for it is our own choice."""
    assert codes(plain(*size), place(**wishes)) == ({"too_small": "fail"} if is_too_small else {})


def test_a_small_render_is_told_of() -> None:
    """A render that may not be enlarged enough fails the place it was meant for; just enough passes."""
    render = Image.new("RGB", (40, 40), WHITE)
    for side, expected in ((50, {}), (51, {"too_small": "fail"})):
        where = place(width=side, height=side)
        assert codes(adapt(Negative(render), where).content, where) == expected


def test_too_heavy_is_told_at_the_very_limit() -> None:
    """A cap is kept to the byte."""
    size = len(plain())
    assert codes(plain(), place(max_bytes=size)) == {}
    assert codes(plain(), place(max_bytes=size - 1)) == {"too_heavy": "fail"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (encoded(Image.new("RGB", (100, 100)), "PNG"), "wrong_format"),
        (encoded(Image.new("L", (100, 100))), "wrong_mode"),
        (encoded(Image.new("CMYK", (100, 100))), "wrong_mode"),
    ],
)
def test_another_format_or_mode_fails(content: bytes, code: str) -> None:
    """Marketplaces refuse what we did not mean to make."""
    assert codes(content, place()) == {code: "fail"}


MISSED: list[tuple[str, FigureValue, str]] = [
    ("min_size", (101, 100), "101 × 100"),
    ("min_size", (100, 101), "100 × 101"),
    ("max_size", (99, 100), "99 × 100"),
    ("min_long", 101, "101"),
    ("max_long", 99, "99"),
    ("min_width", 101, "101"),
    ("width_range", (101, 200), "101"),
    ("width_range", (50, 99), "99"),
    ("max_height", 99, "99"),
    ("max_bytes", 200, "200"),
    ("formats", ("png", "webp"), "png"),
    ("ratio", "3:4", "3:4"),
    ("ratio", ("3:4", "2:3"), "2:3"),
    ("background", (0, 0, 0), "0"),
]


@pytest.mark.parametrize("confidence", ["official", "secondary", "memory"])
@pytest.mark.parametrize(("about", "value", "told"), MISSED)
def test_only_an_official_figure_fails_a_file(
    about: str, value: FigureValue, told: str, confidence: Any
) -> None:
    """Hearsay is advice: rules change and differ by category. The message names the figure either way."""
    (verdict,) = judge_file(plain(), place(figure(about, value, confidence)))
    assert verdict.code == f"platform_{about}"
    assert verdict.severity == ("fail" if confidence == "official" else "warn")
    assert told in verdict.message_en
    assert told in verdict.message_zh
    assert ("is said to" in verdict.message_en) is (confidence != "official")


def test_megapixels_are_millions_of_pixels() -> None:
    """1000 × 1000 is one megapixel, a row more is not."""
    asked = figure("max_megapixels", 1)
    assert codes(plain(1000, 1000), place(asked)) == {}
    assert codes(plain(1000, 1001), place(asked)) == {"platform_max_megapixels": "fail"}


@pytest.mark.parametrize(
    ("size", "is_kept"), [((750, 1000), True), ((751, 1000), True), ((720, 1000), False), ((80, 80), False)]
)
def test_a_shape_allows_for_whole_pixels_only(size: tuple[int, int], is_kept: bool) -> None:
    """56 × 75 is still 3:4; a crop that shows is not."""
    where = placement(width=1, height=1, figures=(figure("ratio", "3:4"),))
    assert (codes(plain(*size), where) == {}) is is_kept


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("size", (2000, 2000)),
        ("count", (5, 9)),
        ("min_count", 5),
        ("border", False),
        ("text_area_max", 0.2),
        ("min_jpeg_quality", 95),
        ("recommended_min_long", 1000),
        ("min_bytes", 99_999),
        ("background", "white recommended"),
        ("forbidden", ("text",)),
        ("width", 750),
    ],
)
def test_what_is_recommended_or_cannot_be_measured_is_not_judged(about: str, value: FigureValue) -> None:
    """It is shown by the platforms command; a file is never blamed for it."""
    assert judge_file(plain(), place(figure(about, value))) == ()


def drawn(box: tuple[int, int, int, int], colour: tuple[int, int, int] = (20, 60, 50)) -> bytes:
    """A product on white, as a JPEG of 400 pixels."""
    image = Image.new("RGB", (400, 400), WHITE)
    ImageDraw.Draw(image).ellipse(box, fill=colour)
    return encoded(image, quality=92)


@pytest.mark.parametrize(
    ("content", "is_white"),
    [
        (drawn((40, 40, 360, 360)), True),
        (drawn((12, 12, 388, 388)), True),
        (drawn((-60, 40, 260, 360)), False),
        (plain(400, 400, (252, 252, 252)), True),
        (plain(400, 400, GREY), False),
    ],
)
def test_the_background_is_measured_on_the_border_as_it_was_encoded(content: bytes, is_white: bool) -> None:
    """What JPEG does beside the product costs nothing; a cut product or a grey wall is seen."""
    where = placement(width=400, height=400, figures=(figure("background", WHITE, "secondary"),))
    assert codes(content, where) == ({} if is_white else {"platform_background": "warn"})


@pytest.mark.parametrize("side", [1, 2, 5])
def test_a_tiny_picture_is_all_border(side: int) -> None:
    """Nothing divides by zero or leaves the picture."""
    where = placement(width=1, height=1, figures=(figure("background", WHITE),))
    assert codes(plain(side, side, GREY), where) == {"platform_background": "fail"}


def test_every_miss_is_told_our_own_first() -> None:
    """One file can be wrong in several ways; the messages say which figures."""
    found = judge_file(
        plain(60, 60), place(figure("min_size", (80, 80)), figure("ratio", "3:4", "memory"), max_bytes=10)
    )
    assert [(v.code, v.severity) for v in found] == [
        ("too_small", "fail"),
        ("too_heavy", "fail"),
        ("platform_min_size", "fail"),
        ("platform_ratio", "warn"),
    ]
    assert found[0] == Verdict(
        "too_small",
        "fail",
        "60 × 60 pixels, and this place takes 100 × 100; raise the role's size in config/roles.toml, with workflow = "
        '"z_image_turbo_2k" where it is to have more than 1280 × 1280, '
        "or lower the placement's in config/platforms.toml",
        "图片为 60 × 60 像素，此位置需要 100 × 100；请在 config/roles.toml 中加大该角色的 size（超过 1280 × 1280 时使用 "
        'workflow = "z_image_turbo_2k"），'
        "或在 config/platforms.toml 中减小该位置的 size",
    )
