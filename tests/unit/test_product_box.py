from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from catalog_imagegen.stages.product import (
    Box,
    Reframing,
    SafeZone,
    fill_ratio,
    margins,
    mask_box,
    off_centre,
    plan_reframing,
    product_box,
    reframe,
    scaling,
)
from catalog_imagegen.stages.product.reframe import MAX_ENLARGEMENT

WHITE, BLUE = (255, 255, 255), (40, 70, 160)
SIDES = st.integers(40, 2400)
SHARES = st.floats(0.05, 1)


def on_white(box: tuple[int, int, int, int], size: tuple[int, int] = (400, 300)) -> Image.Image:
    """A blue rectangle; *box* as Pillow counts, without its right and lower edge."""
    image = Image.new("RGB", size, WHITE)
    image.paste(BLUE, box)
    return image


def near(one: tuple[float, ...], other: tuple[float, ...], within: float = 1.01) -> bool:
    """Whether all are as good as equal: whole pixels do not tell better."""
    return all(abs(a - b) <= within for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("box", [(10, 20, 200, 290), (0, 0, 400, 300), (399, 0, 400, 300), (5, 5, 15, 6)])
def test_the_box_holds_all_that_is_not_white(box: tuple[int, int, int, int]) -> None:
    """To the pixel, at the edges of the picture too."""
    assert product_box(on_white(box)) == box


def test_all_white_has_no_box() -> None:
    """So a compliance check can say that there is no product."""
    assert product_box(on_white((0, 0, 0, 0))) is None


def test_strays_and_the_noise_of_a_jpeg_are_not_product() -> None:
    """A dark pixel far away and light grey all over leave the box where it is."""
    image = on_white((100, 100, 200, 200))
    image.putpixel((3, 3), (0, 0, 0))
    image.putpixel((390, 290), (0, 0, 0))
    ImageDraw.Draw(image).rectangle((300, 20, 390, 60), (248, 248, 248))
    assert product_box(image) == (100, 100, 200, 200)


def test_a_pale_yellow_product_is_seen() -> None:
    """It is nearly as light as white; its blue tells."""
    image = Image.new("RGB", (100, 100), WHITE)
    image.paste((255, 255, 215), (20, 30, 60, 90))
    assert product_box(image) == (20, 30, 60, 90)


def test_a_mask_counts_from_half_covered() -> None:
    """Faint pixels are no part of the box; an empty mask has none."""
    mask = Image.new("L", (50, 50))
    mask.paste(100, (0, 0, 50, 50))
    mask.paste(200, (10, 20, 30, 40))
    assert mask_box(mask) == (10, 20, 30, 40)
    assert mask_box(Image.new("L", (50, 50))) is None


def test_measures_are_shares_of_the_frame() -> None:
    """The longest side is that of the frame's which the box fills more of."""
    box, frame = Box(10, 20, 60, 60), (100, 200)
    assert fill_ratio(box, frame) == 0.5
    assert fill_ratio(box, frame, of="area") == pytest.approx(0.1)
    assert off_centre(box, frame) == pytest.approx(0.3)
    assert margins(box, frame) == pytest.approx((0.1, 0.1, 0.4, 0.7))


@pytest.mark.parametrize("target", [(800, 800), (750, 1000), (1600, 900), (300, 300)])
@pytest.mark.parametrize("of", ["longest", "area"])
def test_the_product_fills_the_new_frame_and_is_centred(target: tuple[int, int], of: str) -> None:
    """As measured on the picture that comes out, whatever its shape, beside what is planned."""
    image = on_white((300, 500, 800, 1200), (1400, 1300))
    box = product_box(image)
    assert box is not None
    wanted = 0.85 if of == "longest" else 0.3
    plan = plan_reframing(box, target, fill=wanted, of=of)  # type: ignore[arg-type]
    made = reframe(image, plan)
    found = product_box(made)
    assert found is not None
    assert made.size == target
    assert plan.fill == pytest.approx(wanted, abs=0.001)
    assert fill_ratio(found, target, of=of) == pytest.approx(wanted, abs=0.01)  # type: ignore[arg-type]
    assert off_centre(found, target) < 0.005
    assert near(found, plan.box, 1.6)


def test_what_lies_beyond_the_picture_is_white() -> None:
    """A product in a corner gets as much white as it lacks."""
    image = on_white((0, 0, 100, 100), (120, 110))
    made = reframe(image, plan_reframing(Box(0, 0, 100, 100), (200, 200), fill=0.5))
    assert product_box(made) == (50, 50, 150, 150)
    assert made.getpixel((0, 0)) == made.getpixel((199, 199)) == WHITE


def test_a_scale_of_one_moves_whole_pixels_only() -> None:
    """Nothing is resampled where only the frame changes."""
    image = on_white((10, 10, 110, 60), (200, 100))
    image.putpixel((50, 30), (1, 2, 3))
    plan = plan_reframing(Box(10, 10, 110, 60), (200, 200), fill=0.5)
    assert plan.scale == 1
    assert reframe(image, plan).getpixel((50 + 40, 30 + 65)) == (1, 2, 3)


def test_a_small_photo_is_not_blown_up() -> None:
    """The product stays smaller than was asked for, and the plan says so."""
    plan = plan_reframing(Box(0, 0, 100, 100), (1000, 1000), fill=0.85)
    assert plan.scale == MAX_ENLARGEMENT
    assert plan.fill == pytest.approx(0.125)


@given(
    st.tuples(SIDES, SIDES),
    st.tuples(SIDES, SIDES),
    SHARES,
    st.sampled_from(["longest", "area"]),
    st.lists(st.floats(0, 0.3), min_size=4, max_size=4),
)
def test_the_safe_zone_is_never_touched(
    product: tuple[int, int], target: tuple[int, int], fill: float, of: str, zone: list[float]
) -> None:
    """Whatever is asked: the product lies within, is no larger than it may be, and the source has the target's shape."""
    safe, (across, down) = SafeZone(*zone), target
    box = Box(7, 9, 7 + product[0], 9 + product[1])
    plan = plan_reframing(box, target, fill=fill, of=of, safe=safe)  # type: ignore[arg-type]
    left, top, right, bottom = plan.box
    assert left >= safe.left * across - 1e-6
    assert top >= safe.top * down - 1e-6
    assert right <= across * (1 - safe.right) + 1e-6
    assert bottom <= down * (1 - safe.bottom) + 1e-6
    assert plan.fill <= fill + 1e-9
    assert plan.scale <= MAX_ENLARGEMENT
    source = plan.source
    assert (source[2] - source[0]) * down == pytest.approx((source[3] - source[1]) * across)


def test_without_need_the_safe_zone_moves_nothing() -> None:
    """A zone at the top that the product does not reach leaves it in the middle; one that it reaches moves it just so far."""
    box = Box(0, 0, 100, 100)
    assert plan_reframing(box, (100, 100), fill=0.5, safe=SafeZone(top=0.2)).box == (25, 25, 75, 75)
    assert plan_reframing(box, (100, 100), fill=0.5, safe=SafeZone(top=0.4)).box == (25, 40, 75, 90)


@pytest.mark.parametrize(
    ("fill", "safe"), [(0, SafeZone()), (1.2, SafeZone()), (0.5, SafeZone(left=0.5, right=0.5))]
)
def test_what_cannot_be_is_an_error(fill: float, safe: SafeZone) -> None:
    """Such figures are wrong settings, and no photo is to blame."""
    with pytest.raises(ValueError, match="no room"):
        plan_reframing(Box(0, 0, 10, 10), (100, 100), fill=fill, safe=safe)


def test_a_plan_is_a_value() -> None:
    """Two alike are equal, so that what is made of one picture for many platforms is made once."""
    one, other = (plan_reframing(Box(0, 0, 10, 20), (100, 100), fill=0.8) for _ in range(2))
    assert isinstance(one, Reframing)
    assert one == other


def test_pillow_scales_where_the_fast_engine_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both make the same picture, but for a level or two."""
    image = on_white((100, 80, 300, 220))
    plan = plan_reframing(Box(100, 80, 300, 220), (333, 250), fill=0.7)
    fast = reframe(image, plan)
    monkeypatch.setattr(scaling, "HAS_RESIZER", False)
    assert np.asarray(ImageChops.difference(fast, reframe(image, plan))).max() <= 3
