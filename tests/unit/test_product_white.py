from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from catalog_imagegen.simulator.paint import _COMPOSITIONS, Look
from catalog_imagegen.simulator.palette import COLOURS
from catalog_imagegen.simulator.scenes import _PLACES, surroundings
from catalog_imagegen.stages.product import Refusal, White, product_box, whiten
from tests.unit.studio import Studio, iou, shoot

GREY_ROOM = Studio(paper=(215, 215, 215), falloff=0.2, slope=0.1, shadow=0.5, grain=2, quality=90)
WHITE_MUG = Studio(
    shape="mug", colour=(250, 250, 248), paper=(235, 236, 238), falloff=0.15, shadow=0.4, size=(1024, 1024)
)
WHITE_IN_NOISE = Studio(
    shape="coffee",
    colour=(240, 238, 235),
    paper=(238, 238, 238),
    grain=5,
    quality=75,
    shadow=0.45,
    size=(768, 768),
)
STUDIOS = {
    "on grey paper": Studio(),
    "on pure white": Studio(paper=(255, 255, 255)),
    "in an amateur's room": GREY_ROOM,
    "on cream paper, with shadow": Studio(paper=(250, 240, 225), shadow=0.4),
    "on bluish paper": Studio(paper=(225, 236, 246), slope=0.2),
    "black": Studio(colour=(30, 30, 34), shadow=0.4),
    "a box, in a wide photo": Studio(shape="box", size=(640, 400)),
    "in a tall photo with an odd size": Studio(size=(383, 611), grain=1),
    "small": Studio(size=(200, 200)),
    "large": Studio(size=(1400, 1400), grain=2, shadow=0.4),
    "ring, whose hole is background": Studio(shape="ring", paper=(236, 236, 236)),
    "a jar of the simulator's": Studio(shape="jar", shadow=0.3, grain=1),
}


def white(studio: Studio, **wishes: object) -> White:
    """The photo on white, which must not be refused."""
    made = whiten(shoot(studio).photo, **wishes)  # type: ignore[arg-type]
    assert isinstance(made, White)
    return made


def border(image: Image.Image, share: float = 0.02) -> np.ndarray:
    """The levels of the outermost part of a picture."""
    pixels = np.asarray(image)
    deep = max(1, round(share * min(image.size)))
    parts = (pixels[:deep], pixels[-deep:], pixels[:, :deep], pixels[:, -deep:])
    return np.concatenate([part.ravel() for part in parts])


@pytest.mark.parametrize("name", STUDIOS)
def test_mask_box_and_border_are_right(name: str) -> None:
    """The mask agrees with the drawn one, the box is within 2 pixels, and the border is pure white everywhere."""
    shot = shoot(STUDIOS[name])
    made = white(STUDIOS[name])
    assert made.image.size == made.mask.size == shot.photo.size
    if name != "ring, whose hole is background":  # where the background's white is told from all others
        assert iou(made.mask, shot.mask) >= 0.98
    assert max(abs(a - b) for a, b in zip(made.box, shot.box, strict=True)) <= 2 * max(
        1, max(shot.photo.size) // 512
    )
    assert (border(made.image) == 255).all()


def test_thin_legs_are_kept() -> None:
    """Legs two pixels wide are product, and what is between them is not, although a shadow falls there."""
    studio = Studio(shape="wires", size=(1024, 1024), shadow=0.3)
    assert iou(white(studio).mask, shoot(studio).mask) >= 0.98


@pytest.mark.parametrize("shadow", ["keep", "remove"])
def test_a_product_that_stays_as_taken_keeps_every_bit(shadow: str) -> None:
    """Where the mask is 255 the pixels are the photo's, in the worst light too."""
    made = white(GREY_ROOM, exposure="as_taken", shadow=shadow)
    wholly = np.asarray(made.mask) == 255
    assert wholly.sum() > 0.99 * shoot(GREY_ROOM).is_product.sum()
    assert (np.asarray(made.image)[wholly] == np.asarray(shoot(GREY_ROOM).photo)[wholly]).all()


def test_the_light_is_corrected_without_a_tint() -> None:
    """On paper of 85 % the product gets the light of white paper; its channels keep their proportions."""
    studio = Studio(paper=(217, 217, 217), colour=(150, 60, 48), shading=0)
    made = np.asarray(white(studio).image, np.float64)[shoot(studio).is_product]
    photo = np.asarray(shoot(studio).photo, np.float64)[shoot(studio).is_product]
    assert np.allclose(made.mean(axis=0) / photo.mean(axis=0), 255 / 217, rtol=0.01)


def test_no_channel_is_cut_off_alone() -> None:
    """A bright yellow is not lifted until its red is 255 and its green goes on: that would be another yellow."""
    studio = Studio(paper=(200, 200, 200), colour=(245, 190, 40), shading=0)
    inside = shoot(studio).is_product
    made = np.asarray(white(studio).image, np.float64)[inside]
    photo = np.asarray(shoot(studio).photo, np.float64)[inside]
    assert np.abs(made[:, 1] / made[:, 0] - photo[:, 1] / photo[:, 0]).max() < 0.02


@pytest.mark.parametrize("shadow", ["keep", "remove"])
def test_a_white_mug_before_a_grey_wall_is_not_lost(shadow: str) -> None:
    """Its outline vanishes where it is neither brighter nor darker than the wall: one or two thousandths are lost."""
    shot, made = shoot(WHITE_MUG), white(WHITE_MUG, shadow=shadow)
    assert iou(made.mask, shot.mask) >= 0.98
    product = np.asarray(shot.photo)[shot.is_product]
    became = np.asarray(made.image)[shot.is_product]
    is_lost = (became >= 253).all(axis=1) & (product < 247).any(axis=1)
    assert is_lost.mean() < (0.001 if shadow == "keep" else 0.002)  # it is as dark as its shadow in one place


def test_the_hole_of_a_handle_is_background() -> None:
    """It is not connected to the border, but looks just like it and lies beside the outline; as told, it stays closed."""
    studio = replace(WHITE_MUG, colour=(70, 90, 120))
    width, height = studio.size
    hole = (round(width * 0.64), round(height * 0.5))
    assert white(studio).mask.getpixel(hole) == 0
    assert white(studio).image.getpixel(hole) == (255, 255, 255)
    assert white(studio, holes="none").mask.getpixel(hole) == 255


def test_a_white_label_is_no_hole() -> None:
    """It lies far inside of the product; where all is asked to be opened, it is opened."""
    studio = Studio(shape="box", shading=0)
    shot = shoot(studio)
    photo = shot.photo.copy()
    middle = (256, 256)
    ImageDraw.Draw(photo).rectangle((226, 236, 286, 276), studio.paper)
    for holes, expected in (("matching", 255), ("all", 0)):
        made = whiten(photo, holes=holes)  # type: ignore[arg-type]
        assert isinstance(made, White)
        assert made.mask.getpixel(middle) == expected


def test_a_soft_shadow_is_kept_in_grey_or_removed() -> None:
    """Kept, it has no tint, ends in white and lies where it lay; removed, nothing is left of it. The box is the same."""
    studio = STUDIOS["on cream paper, with shadow"]
    shot, kept, removed = shoot(studio), white(studio), white(studio, shadow="remove")
    pixels = np.asarray(kept.image, np.int16)
    around = np.asarray(shot.mask.filter(ImageFilter.MaxFilter(9))) == 0
    deep = (np.asarray(shot.shadow) > 128) & around
    assert deep.sum() > 1000
    assert pixels[deep].max() < 235
    assert np.ptp(pixels[deep], axis=1).max() <= 3
    none = (np.asarray(shot.shadow) == 0) & around
    assert (pixels[none] == 255).mean() > 0.999
    assert (np.asarray(removed.image)[np.asarray(removed.mask) == 0] == 255).all()
    assert kept.box == removed.box
    with_shadow = product_box(kept.image)
    assert with_shadow is not None
    assert with_shadow.width > 1.2 * kept.box.width


def test_a_shadow_that_runs_out_of_the_frame_fades() -> None:
    """The border stays pure: platforms look there."""
    made = white(Studio(shadow=0.5, place=(0.3, 0.4, 0.7, 0.93)))
    assert (border(made.image) == 255).all()


def test_a_product_cut_off_by_the_frame_stays_whole() -> None:
    """It reaches the lower edge, and is not taken for background there."""
    studio = Studio(place=(0.3, 0.3, 0.7, 1.0), shape="box")
    made = white(studio)
    assert made.box.bottom == 512
    assert iou(made.mask, shoot(studio).mask) >= 0.98


def test_what_is_white_already_stays_as_it_is() -> None:
    """Doing it again changes next to nothing."""
    once = white(GREY_ROOM, shadow="remove").image
    again = whiten(once)
    assert isinstance(again, White)
    difference = np.asarray(ImageChops.difference(once, again.image))
    assert (difference > 6).mean() < 0.0005
    assert difference.mean() < 0.05


@pytest.mark.parametrize("place", _PLACES)
def test_scenes_are_refused(place: str) -> None:
    """A room, however light its walls, is no background to be made white."""
    scene, _ = surroundings(place, (512, 512), random.Random(1))
    assert isinstance(whiten(scene), Refusal)


@pytest.mark.parametrize("role", ["lifestyle", "detail", "comparison", "poster"])
@pytest.mark.parametrize("colour", ["白", "蓝", "红"])
def test_designed_pictures_are_refused(role: str, colour: str) -> None:
    """Posters and comparisons have gradients, halves and pedestals: what is around the product is meant."""
    look = Look("cup", COLOURS[colour], "", "room")
    assert isinstance(whiten(_COMPOSITIONS[role](look, (512, 512), random.Random(1))), Refusal)


@pytest.mark.parametrize(
    ("reason", "photo"),
    [
        ("dark", shoot(Studio(paper=(120, 120, 120))).photo),
        ("coloured", shoot(Studio(paper=(250, 205, 170))).photo),
        ("uneven", shoot(Studio(paper=(250, 250, 250), slope=0.42)).photo),
        ("empty", Image.new("RGB", (512, 512), (240, 240, 240))),
        ("faint", shoot(WHITE_IN_NOISE).photo),
        ("small", Image.new("RGB", (40, 512), (240, 240, 240))),
        ("dark", Image.effect_noise((512, 512), 90).convert("RGB")),
        ("crowded", shoot(Studio(place=(0.02, 0.02, 0.98, 0.98), shape="box")).photo),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_says_why_and_what_to_do(reason: str, photo: Image.Image) -> None:
    """As a value, in both languages: the run goes on with the photo as it is."""
    refused = whiten(photo)
    assert isinstance(refused, Refusal)
    assert refused.reason == reason
    for message, ask in ((refused.message_en, "; "), (refused.message_zh, "；请")):
        assert ask in message
