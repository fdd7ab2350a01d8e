"""Each gate with pictures on both sides of its threshold, drawn for that."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from catalog_imagegen.config import Workspace, defaults, load_gates
from catalog_imagegen.domain.gates import MEANINGS, GateCode, Gates, Stopped, another_follows, held_back
from catalog_imagegen.domain.imaging import TextFound
from catalog_imagegen.stages.quality.letters import stopped_by_text
from catalog_imagegen.stages.quality.likeness import Gallery, look_of
from catalog_imagegen.stages.quality.measures import measure, stopped_by
from catalog_imagegen.stages.quality.product import find_product

SIDE = 640
ROLES = load_gates(Workspace(defaults()), ())
MUG = (160, 140, 460, 520)


def mug(
    box: tuple[int, int, int, int] = MUG,
    *,
    colour: tuple[int, int, int] = (60, 90, 130),
    ground: tuple[int, int, int] = (253, 253, 253),
) -> Image.Image:
    """Something without any texture on an even ground, its edges smooth."""
    large = Image.new("L", (2 * SIDE, 2 * SIDE))
    ImageDraw.Draw(large).rounded_rectangle([2 * edge for edge in box], 40, fill=255)
    image = Image.new("RGB", (SIDE, SIDE), ground)
    image.paste(colour, mask=large.resize((SIDE, SIDE), Image.Resampling.BOX))
    return image


def scene(seed: int = 1) -> Image.Image:
    """Many small things of many colours."""
    rng = random.Random(seed)
    image = Image.new("RGB", (SIDE, SIDE), (120, 110, 100))
    draw = ImageDraw.Draw(image)
    for _ in range(300):
        x, y, size = rng.randrange(SIDE), rng.randrange(SIDE), rng.randrange(8, 120)
        draw.rectangle((x, y, x + size, y + size), fill=tuple(rng.randrange(20, 235) for _ in range(3)))
    return image


def stop(image: Image.Image, role: str) -> str:
    """The gate of a packaged role that stops a picture, or nothing."""
    stopped = stopped_by(measure(image), ROLES[role])
    return stopped.gate if stopped else ""


def blurred(image: Image.Image, radius: float) -> Image.Image:
    """Out of focus, as a render of twice that size is with twice the radius."""
    return image.filter(ImageFilter.GaussianBlur(radius))


# --- sharpness -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["lifestyle", "detail", "comparison", "poster"])
def test_a_blurred_picture_is_stopped_and_a_soft_one_is_not(role: str) -> None:
    """Softness of half a pixel at this size is a whole one in the render, and is not seen."""
    assert stop(scene(), role) == ""
    assert stop(blurred(scene(), 0.5), role) == ""
    assert stop(blurred(scene(), 4), role) == "blurred"


@pytest.mark.parametrize("contrast", [30, 60, 120])
def test_a_product_like_its_background_is_not_blurred(contrast: int) -> None:
    """A white product on white has little contrast and no texture, and is sharp all the same."""
    image = mug(colour=(253 - contrast,) * 3)
    assert stop(image, "main") == ""
    assert stop(blurred(image, 4), "main") == "blurred"


def test_one_sharp_spot_is_enough() -> None:
    """A portrait lens leaves everything but the product out of focus."""
    image = blurred(scene(), 12)
    image.paste(scene(2).crop((0, 0, 96, 96)), (300, 300))
    assert stop(image, "lifestyle") == ""


def test_sharpness_does_not_depend_on_the_size_of_a_render() -> None:
    """The same picture in 1024, 1280 and 2048 pixels is as sharp, give or take what scaling does."""
    found = [
        measure(scene().resize((side, side), Image.Resampling.LANCZOS)).sharpness for side in (1280, 1920)
    ]
    assert found[0] == pytest.approx(found[1], rel=0.35)
    assert min(found) > 1000


@pytest.mark.parametrize("size", [(16, 16), (16, 400), (33, 47), (48, 64)])
def test_pictures_of_any_size_can_be_measured(size: tuple[int, int]) -> None:
    """Smaller than a spot, or as narrow as one."""
    measures = measure(scene().crop((0, 0, *size)))
    assert measures.sharpness >= 0
    assert len(measures.look) == 38


# --- exposure ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "found"), [(0.25, ""), (0.4, "overexposed")])
def test_white_that_was_not_asked_for(share: float, found: str) -> None:
    """A window may burn out in a scene, but not half of it."""
    image = scene()
    image.paste((255, 255, 255), (0, 0, SIDE, round(SIDE * share)))
    assert stop(image, "lifestyle") == found
    assert stop(image, "poster") == ""


@pytest.mark.parametrize(("share", "found"), [(0.5, ""), (0.7, "underexposed")])
def test_black_that_was_not_asked_for(share: float, found: str) -> None:
    """Half a scene may lie in the dark."""
    image = scene()
    image.paste((0, 0, 0), (0, 0, SIDE, round(SIDE * share)))
    assert stop(image, "lifestyle") == found
    assert stop(image, "detail") == ""


def test_a_main_picture_is_white() -> None:
    """Which is what it should be; but a product of pure black shows nothing of itself."""
    assert stop(mug(ground=(255, 255, 255)), "main") == ""
    assert stop(mug((20, 20, 620, 620), colour=(0, 0, 0)), "main") == "underexposed"


# --- product -------------------------------------------------------------------------------------------------


def test_a_product_is_found_where_it_stands() -> None:
    """To a cell of an eightieth."""
    found = find_product(mug())
    assert found is not None
    assert all(abs(a - b) <= SIDE // 80 + 1 for a, b in zip(found.box, MUG, strict=True))
    assert found.share == pytest.approx((520 - 140) / SIDE, abs=0.03)
    assert found.touching == 0


@pytest.mark.parametrize(
    ("box", "found"),
    [
        (MUG, ""),
        ((300, 60, 330, 580), ""),  # an umbrella: thin and long
        ((240, 240, 420, 420), "small_product"),
        ((250, 200, 450, 700), ""),  # a foot on the edge
        ((60, 200, 580, 700), "cut_product"),
        ((-40, 200, 400, 700), "cut_product"),
    ],
)
def test_a_main_picture_shows_its_product_whole_and_large(box: tuple[int, int, int, int], found: str) -> None:
    """Measured by the longer side, as thin things have no area; a foot that just reaches the edge may pass."""
    assert stop(mug(box), "main") == found


def test_a_main_picture_without_an_even_background() -> None:
    """It is a scene; and nothing at all on white is no product either."""
    assert stop(scene(), "main") == "no_product"
    assert find_product(mug(colour=(253, 253, 253))) is None


def test_light_that_falls_off_is_even() -> None:
    """Studios have vignettes, and lamps stand to one side: neither is a product."""
    down, across = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    light = 1 - 0.08 * (down**2 + across**2) - 0.06 * across
    image = Image.fromarray((np.asarray(mug()) * light[..., None]).clip(0, 255).astype(np.uint8))
    found = find_product(image)
    assert found is not None
    assert all(abs(a - b) <= SIDE // 40 for a, b in zip(found.box, MUG, strict=True))


def test_specks_are_no_product() -> None:
    """A bright pixel or a hair of dust on an even ground does not stretch the box."""
    image = mug()
    image.paste((0, 0, 0), (5, 5, 8, 8))
    found, clean = find_product(image), find_product(mug())
    assert found is not None
    assert clean is not None
    assert found.box == clean.box


# --- likeness ------------------------------------------------------------------------------------------------


def gallery_of(*images: Image.Image) -> Gallery:
    """Pictures of products 0, 1, … of families of their own."""
    return Gallery((measure(image).look, f"F{n}", f"P{n}") for n, image in enumerate(images))


@pytest.mark.parametrize("smaller", [1.0, 0.6])
def test_the_same_picture_is_found_again(smaller: float) -> None:
    """Lighter, softer, smaller: to people it is the same."""
    other = ImageEnhance.Brightness(blurred(scene(), 1)).enhance(1.04)
    other = other.resize((round(SIDE * smaller),) * 2)
    known = gallery_of(scene(2), scene(), scene(3))
    assert known.like(measure(other).look, family="new", at_most=5) == "P1"
    assert known.like(measure(other).look, family="F1", at_most=5) is None


def test_other_pictures_are_other_pictures() -> None:
    """Of a hundred scenes none is taken for another."""
    known = gallery_of(*(scene(seed) for seed in range(30)))
    assert all(known.like(measure(scene(seed)).look, family="", at_most=5) is None for seed in range(30, 40))


def test_a_product_is_the_same_wherever_it_stands() -> None:
    """On an even background it is the product that is compared."""
    moved = mug((100, 180, 400, 560))
    assert gallery_of(mug()).like(measure(moved).look, family="", at_most=5) == "P0"


def test_colours_of_one_shape_are_not_the_same() -> None:
    """Difference hashes do not see colours, customers do."""
    red, blue = mug(colour=(150, 60, 60)), mug(colour=(60, 60, 190))
    assert measure(red).look[:32] == measure(blue).look[:32]
    assert gallery_of(red).like(measure(blue).look, family="", at_most=5) is None


def test_a_gallery_grows() -> None:
    """What is added is found, however many there are; the most similar one first."""
    known, looks = Gallery(), [look_of(scene(seed).resize((40, 40))) for seed in range(12)]
    assert known.like(looks[0], family="", at_most=128) is None
    for count in range(200):
        known.add(looks[count % 12], family=f"{count}", name=f"{count}")
    assert known.like(looks[7], family="", at_most=5) == "7"
    assert known.like(looks[7], family="7", at_most=5) == "19"


def test_what_an_older_version_did_not_look_at_is_left_out() -> None:
    """Renders without a look are like nothing."""
    known = Gallery([("", "F", "P"), (measure(scene()).look, "G", "Q")])
    assert known.like(measure(scene()).look, family="", at_most=0) == "Q"


# --- letters, words ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([("ACME", 0.99)], None),
        ([("限时特价 满三百减五十 立即抢购", 0.97)], "限时特价 满三百减五十 立即抢购"),
        ([("限时特价 满三百减五十 立即抢购", 0.6)], None),
        ([("ABCDEFG", 0.9), ("HIJKLMN", 0.9)], "ABCDEFG HIJKLMN"),
        ([("———————————————", 0.9)], None),
        ([("D", 0.97)] * 13, None),
        ([], None),
    ],
)
def test_more_letters_than_a_brand_name(texts: list[tuple[str, float]], found: str | None) -> None:
    """What was not read surely may be a pattern, and dashes are no letters."""
    read = [TextFound(text, (0, 0, 9, 9), confidence) for text, confidence in texts]
    stopped = stopped_by_text(read, ROLES["main"])
    assert (stopped.message if stopped else None) == found
    assert stopped_by_text(read, ROLES["poster"]) is None


def test_without_gates_everything_passes() -> None:
    """The defaults ask for nothing."""
    assert stopped_by(measure(blurred(scene(), 9)), Gates()) is None


@pytest.mark.parametrize("gate", get_args(GateCode))
def test_every_gate_says_what_it_found_and_what_helps(gate: GateCode) -> None:
    """In both languages; and the packaged file has a wording for its new take."""
    stopped = Stopped(gate, "3 < 20")
    assert MEANINGS[gate]
    en, zh = held_back(stopped, sku="A-1", role="main", slot=2)
    for text in (en, zh):
        assert "3 < 20" in text
        assert "catalog-imagegen review approve A-1 --role main --slot 2" in text
        assert 'catalog-imagegen regenerate A-1 --role main --slot 2 --note "…"' in text
    assert all("3 < 20" in text for text in another_follows(stopped))
    assert ROLES["main"].wordings[gate]


def test_every_measure_is_asked_of_some_role() -> None:
    """No packaged threshold is one that nobody uses."""
    for name in (
        "min_sharpness",
        "max_highlights",
        "max_shadows",
        "min_product",
        "max_touching",
        "max_likeness",
    ):
        assert any(getattr(gates, name) != getattr(Gates(), name) for gates in ROLES.values()), name
    assert replace(ROLES["main"], wordings={}) != replace(ROLES["lifestyle"], wordings={})
