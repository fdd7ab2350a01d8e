from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageFilter

from catalog_imagegen.simulator.scenes import surroundings
from catalog_imagegen.stages.product import (
    Box,
    Composite,
    Cutout,
    Light,
    ShadowStyle,
    compose,
    cut_out,
    light_of,
)
from catalog_imagegen.stages.product.scaling import scaled
from tests.unit.studio import Studio, shoot

PLACE = (0.2, 0.3, 0.8, 0.85)
FRONT = Light(sideways=0.0, hardness=0.2, tone=(1.0, 1.0, 1.0))
SIZE = (640, 640)


JAR = Studio(shape="jar", colour=(200, 120, 60))


@cache
def product(studio: Studio = JAR) -> Cutout:
    """A cut-out."""
    made = cut_out(shoot(studio).photo)
    assert isinstance(made, Cutout)
    return made


def plain(grey: int = 200) -> Image.Image:
    """A scene without anything."""
    return Image.new("RGB", SIZE, (grey, grey, grey))


def room() -> Image.Image:
    """A scene with much in it."""
    return surroundings("room", SIZE, random.Random(2))[0]


def same_size() -> tuple[float, float, float, float]:
    """A place exactly as large as the product, so that nothing is scaled."""
    box = product().box
    return (0.2, 0.9 - box.height / SIZE[1], 0.2 + box.width / SIZE[0], 0.9)


def test_unscaled_the_products_pixels_are_the_photos() -> None:
    """Every bit of what is wholly covered, shadow and light of the scene or not."""
    made = compose(room(), product(), same_size())
    assert made.scale == 1
    photo = np.asarray(shoot(JAR).photo.crop(product().box))
    wholly = np.asarray(made.mask.crop(made.box)) == 255
    assert wholly.sum() > 10_000
    assert (np.asarray(made.image.crop(made.box))[wholly] == photo[wholly]).all()


@pytest.mark.parametrize("share", [0.3, 0.55, 0.7])
def test_scaled_they_are_the_scaled_photos(share: float) -> None:
    """Deeper inside than Lanczos looks, the composite equals the photo's box scaled by itself."""
    made = compose(room(), product(), (0.1, 0.95 - share, 0.9, 0.95))
    box = product().box
    photo = shoot(JAR).photo
    margin = 4 / made.scale
    whole = int(np.ceil(margin)) + 1
    part = photo.crop((box.left - whole, box.top - whole, box.right + whole, box.bottom + whole))
    across, down = made.box.width / box.width, made.box.height / box.height
    region = (
        whole - 4 / across,
        whole - 4 / down,
        whole + box.width + 4 / across,
        whole + box.height + 4 / down,
    )
    expected = scaled(part, (made.box.width + 8, made.box.height + 8), region).crop(
        (4, 4, 4 + made.box.width, 4 + made.box.height)
    )
    deep = np.asarray(made.mask.crop(made.box).filter(ImageFilter.MinFilter(11))) == 255
    assert deep.sum() > 2000
    off = np.abs(np.asarray(made.image.crop(made.box), int) - np.asarray(expected, int))[deep]
    assert off.max() <= 1


def test_it_stands_where_it_was_told() -> None:
    """On the lower edge of its place, in the middle, within it, in its own shape."""
    made = compose(plain(), product(), PLACE)
    left, top, right, bottom = (share * side for share, side in zip(PLACE, SIZE * 2, strict=True))
    assert made.box.bottom == round(bottom)
    assert made.box.top >= round(top) - 1
    assert abs((made.box.left + made.box.right) - (left + right)) <= 2
    assert made.box.width / made.box.height == pytest.approx(
        product().box.width / product().box.height, rel=0.02
    )
    found = made.mask.point(lambda value: 255 if value >= 128 else 0).getbbox()
    assert found is not None
    assert max(abs(a - b) for a, b in zip(found, made.box, strict=True)) <= 1


def below(made: Composite) -> Box:
    """Just under the product."""
    return Box(
        made.box.left, made.box.bottom, made.box.right, made.box.bottom + max(3, made.box.height // 40)
    )


def darkness(scene: Image.Image, made: Composite, box: Box) -> float:
    """How much darker than the scene a part is, as a share."""
    before, after = (float(np.asarray(image.crop(box)).mean()) for image in (scene, made.image))
    return 1 - after / before


def test_the_shadow_lies_under_the_product_and_nowhere_else() -> None:
    """Dark where it stands, and every pixel that is neither shadow nor product is the scene's."""
    scene = room()
    made = compose(scene, product(), PLACE, light=FRONT)
    assert darkness(scene, made, below(made)) > 0.2
    untouched = (np.asarray(made.mask) == 0) & (np.asarray(made.shadow) == 0)
    assert untouched.mean() > 0.5
    assert (np.asarray(made.image)[untouched] == np.asarray(scene)[untouched]).all()
    shadow = made.shadow.getbbox()
    assert shadow is not None
    assert shadow[1] > made.box.top + made.box.height * 0.5
    assert shadow[3] < made.box.bottom + made.box.height * 0.35
    assert np.asarray(made.shadow.crop((0, 0, SIZE[0], made.box.top))).max() == 0


def test_its_strength_and_softness_are_set() -> None:
    """Twice as strong is darker; softer reaches farther; without one the scene stays as it is."""
    scene = plain()
    weak, strong = (
        compose(scene, product(), PLACE, light=FRONT, shadow=ShadowStyle(strength=by)) for by in (0.3, 0.6)
    )
    assert darkness(scene, strong, below(strong)) > 1.5 * darkness(scene, weak, below(weak)) > 0
    soft = compose(scene, product(), PLACE, light=FRONT, shadow=ShadowStyle(softness=2))
    assert (np.asarray(soft.shadow) > 0).sum() > 1.2 * (np.asarray(strong.shadow) > 0).sum()
    for none in (None, ShadowStyle(strength=0)):
        bare = compose(scene, product(), PLACE, shadow=none)
        assert bare.shadow.getbbox() is None
        assert darkness(scene, bare, below(bare)) < 0.01  # the product's own edge


@pytest.mark.parametrize(("sideways", "side"), [(-0.8, "right"), (0.8, "left")])
def test_the_shadow_falls_away_from_the_light(sideways: float, side: str) -> None:
    """Light from the left throws it to the right."""
    made = compose(plain(), product(), PLACE, light=replace(FRONT, sideways=sideways))
    shadow = np.asarray(made.shadow, np.float64)
    left, right = shadow[:, : made.box.left].sum(), shadow[:, made.box.right :].sum()
    assert (right > 2 * left) if side == "right" else (left > 2 * right)


def test_the_light_of_a_scene_is_read_off_it() -> None:
    """The bright side, hardness by contrast, and the tone of what is dark."""
    ramp = np.linspace(240, 120, SIZE[0])[None, :, None].repeat(SIZE[1], 0) * np.array([1.0, 0.9, 0.7])
    scene = Image.fromarray(ramp.astype(np.uint8))
    found, mirrored = light_of(scene), light_of(scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    assert found.sideways < -0.2 < 0.2 < mirrored.sideways
    assert found.tone[0] == 1
    assert found.tone[2] == pytest.approx(0.7, abs=0.02)
    even = light_of(plain())
    assert even.sideways == pytest.approx(0, abs=1e-6)
    assert even.hardness == pytest.approx(0, abs=1e-6)
    assert found.hardness > 0.2


def test_the_shadow_has_the_tone_of_the_scene() -> None:
    """In a warm room what light is left in the shadow is warm: blue goes first."""
    warm = Light(sideways=0, hardness=0.2, tone=(1.0, 0.8, 0.4))
    made = compose(plain(), product(), PLACE, light=warm)
    red, _, blue = np.asarray(made.image.crop(below(made)), np.float64).mean(axis=(0, 1))
    assert red > blue + 3


def test_a_small_photo_is_not_blown_up() -> None:
    """It stays smaller than its place, and still stands on the ground."""
    small = product(Studio(shape="jar", size=(128, 128)))
    made = compose(plain(), small, PLACE)
    assert made.scale == 1.25
    assert made.box.bottom == round(PLACE[3] * SIZE[1])


def test_a_product_cut_off_by_its_photo_and_by_the_scene_is_placed_all_the_same() -> None:
    """Beyond the photo there is nothing; beyond the scene nobody sees it."""
    cropped = product(Studio(shape="box", place=(0.3, 0.4, 0.7, 1.0)))
    made = compose(plain(), cropped, (0.6, 0.5, 1.2, 1.1))
    assert made.image.size == SIZE
    assert made.mask.getpixel((600, 630)) == 255


def test_no_room_is_an_error() -> None:
    """A place without width is a wrong setting."""
    with pytest.raises(ValueError, match="no room"):
        compose(plain(), product(), (0.5, 0.2, 0.5, 0.8))
