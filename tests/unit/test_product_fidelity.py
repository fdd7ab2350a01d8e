from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from catalog_imagegen.simulator.lettering import font
from catalog_imagegen.simulator.scenes import surroundings
from catalog_imagegen.stages.product import (
    Cutout,
    Fidelity,
    Refusal,
    White,
    compose,
    cut_out,
    fidelity,
    fidelity_of,
    plan_reframing,
    reframe,
    whiten,
)
from tests.unit.studio import Studio, shoot

LIKE, UNLIKE = 0.95, 0.6
"""What the same product reaches, and what another one does not."""


BOX = Studio(shape="box")


def labelled(text: str = "山野 COFFEE", *, is_mirrored: bool = False, studio: Studio = BOX) -> Image.Image:
    """A photo of a box with a label."""
    photo = shoot(studio).photo.copy()
    label = Image.new("RGB", (170, 90), (240, 232, 210))
    draw = ImageDraw.Draw(label)
    for row, line in enumerate(text.split()):
        draw.text((85, 26 + 40 * row), line, (40, 30, 30), font(36 - 8 * row), anchor="mm")
    photo.paste(ImageOps.mirror(label) if is_mirrored else label, (171, 220))
    return photo


@cache
def photo_of_it() -> Cutout:
    """The cut-out of the right product."""
    made = cut_out(labelled())
    assert isinstance(made, Cutout)
    return made


def score(result: Image.Image) -> float:
    """How like the right product the one in a picture is."""
    found = fidelity_of(photo_of_it(), result)
    assert isinstance(found, Fidelity)
    return found.score


def through_jpeg(image: Image.Image, quality: int = 80) -> Image.Image:
    """As a platform gets it."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def on_white() -> Image.Image:
    """The photo on white, in another frame."""
    made = whiten(labelled())
    assert isinstance(made, White)
    return reframe(made.image, plan_reframing(made.box, (480, 640), fill=0.8))


SAME: Mapping[str, Callable[[], Image.Image]] = {
    "the photo": labelled,
    "a JPEG": lambda: through_jpeg(labelled(), 75),
    "on white, reframed, a JPEG": lambda: through_jpeg(on_white()),
    "a little darker": lambda: labelled().point(lambda value: value * 92 // 100),
}
OTHERS: Mapping[str, Callable[[], Image.Image]] = {
    "another colour": lambda: labelled(studio=Studio(shape="box", colour=(60, 130, 70))),
    "a mirrored label": lambda: labelled(is_mirrored=True),
    "another label": lambda: labelled("海岸 TEA"),
    "letters that cannot be read": lambda: smudged(labelled()),
    "all mirrored": lambda: ImageOps.mirror(labelled()),
    "blurred": lambda: labelled().filter(ImageFilter.GaussianBlur(5)),
    "another product": lambda: labelled(studio=Studio(shape="shoe")),
}


def smudged(photo: Image.Image) -> Image.Image:
    """As image models draw small letters."""
    box = (171, 220, 341, 310)
    photo.paste(photo.crop(box).resize((14, 7)).resize((170, 90)), box)
    return photo


@pytest.mark.parametrize("name", SAME)
def test_the_same_product_is_told(name: str) -> None:
    """Whatever exposure, frame and encoder did."""
    assert score(SAME[name]()) >= LIKE


@pytest.mark.parametrize("name", OTHERS)
def test_another_product_is_told(name: str) -> None:
    """What a buyer would send back."""
    assert score(OTHERS[name]()) < UNLIKE


def test_what_is_wrong_is_said() -> None:
    """A colour is no matter of structure, and a label none of the outline."""
    green = fidelity_of(photo_of_it(), OTHERS["another colour"]())
    mirrored = fidelity_of(photo_of_it(), OTHERS["a mirrored label"]())
    assert isinstance(green, Fidelity)
    assert isinstance(mirrored, Fidelity)
    assert green.colour < 0.3
    assert green.structure > 0.9
    assert mirrored.structure < UNLIKE
    assert min(mirrored.colour, mirrored.outline) > 0.85


def test_a_composite_is_like_by_its_own_mask_and_by_the_box_alone() -> None:
    """In a scene the product cannot be found by its background; where it was put is known."""
    scene, _ = surroundings("kitchen", (600, 800), random.Random(1))
    made = compose(scene, photo_of_it(), (0.2, 0.4, 0.8, 0.85))
    cutout = photo_of_it()
    by_mask = fidelity(cutout.image.convert("RGB"), cutout.mask, made.image, made.mask)
    by_box = fidelity_of(cutout, through_jpeg(made.image), box=made.box)
    for found in (by_mask, by_box):
        assert isinstance(found, Fidelity)
        assert found.score >= LIKE
    assert isinstance(fidelity_of(cutout, made.image), Refusal)


def test_a_segmenter_finds_the_product_where_the_background_does_not_tell() -> None:
    """As for cut-outs."""
    scene, _ = surroundings("kitchen", (600, 800), random.Random(1))
    made = compose(scene, photo_of_it(), (0.2, 0.4, 0.8, 0.85))
    found = fidelity_of(photo_of_it(), made.image, segment=lambda _: made.mask)
    assert isinstance(found, Fidelity)
    assert found.score >= 0.9


def test_nothing_is_like_nothing() -> None:
    """Without a product in one of the two there is no score, but a reason."""
    cutout = photo_of_it()
    photo, empty = cutout.image.convert("RGB"), Image.new("L", cutout.image.size)
    assert fidelity(photo, cutout.mask, photo, empty) == Refusal("empty")
    assert isinstance(fidelity_of(cutout, Image.new("RGB", (512, 512), (240, 240, 240))), Refusal)


def test_a_score_is_a_share() -> None:
    """One is the same to the bit, and no factor leaves 0 to 1."""
    cutout = photo_of_it()
    same = fidelity(labelled(), cutout.mask, labelled(), cutout.mask)
    assert isinstance(same, Fidelity)
    assert same.score == pytest.approx(1, abs=1e-3)
    other = fidelity_of(cutout, OTHERS["another product"]())
    assert isinstance(other, Fidelity)
    assert all(0 <= value <= 1 for value in (other.colour, other.structure, other.outline, other.score))
