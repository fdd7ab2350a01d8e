from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from catalog_imagegen.simulator.scenes import surroundings
from catalog_imagegen.stages.product import Cutout, Refusal, cut_out
from tests.unit.studio import Studio, iou, shoot

STUDIOS = {
    "ball on grey": Studio(),
    "ball in a room, through JPEG": Studio(
        paper=(215, 215, 215), falloff=0.2, slope=0.1, shadow=0.5, grain=2, quality=90
    ),
    "on cream paper, with shadow": Studio(paper=(250, 240, 225), shadow=0.4),
    "thin legs": Studio(shape="wires", size=(1024, 1024), shadow=0.3),
    "mug with a hole": Studio(shape="mug", colour=(70, 90, 120), paper=(232, 232, 232), size=(700, 700)),
    "odd size": Studio(shape="jar", size=(611, 433), grain=1),
}


def cut(photo: Image.Image, **wishes: object) -> Cutout:
    """The cut-out, which must not be refused."""
    made = cut_out(photo, **wishes)  # type: ignore[arg-type]
    assert isinstance(made, Cutout)
    return made


def on(colour: tuple[int, int, int], cutout: Cutout) -> np.ndarray:
    """A cut-out on a plain colour."""
    ground = Image.new("RGB", cutout.image.size, colour)
    ground.paste(cutout.image, mask=cutout.mask)
    return np.asarray(ground, np.float64)


@pytest.mark.parametrize("name", STUDIOS)
def test_the_mask_is_the_drawn_one_and_its_pixels_are_the_photos(name: str) -> None:
    """Edges are told to a hundredth of the product, and whatever is wholly covered keeps every bit."""
    shot, made = shoot(STUDIOS[name]), cut(shoot(STUDIOS[name]).photo)
    assert made.how == "background"
    assert made.image.mode == "RGBA"
    assert iou(made.mask, shot.mask) >= 0.985
    wholly = np.asarray(made.mask) == 255
    assert wholly.sum() > 0.95 * shot.is_product.sum()
    assert (np.asarray(made.image)[..., :3][wholly] == np.asarray(shot.photo)[wholly]).all()


@pytest.mark.parametrize("ground", [(20, 30, 60), (40, 200, 60)])
def test_no_halo_of_the_old_background_shows(ground: tuple[int, int, int]) -> None:
    """Along the edge the picture is what a camera would have seen of the product in front of the new ground."""
    studio = STUDIOS["ball on grey"]
    shot, made = shoot(studio), cut(shoot(studio).photo)
    cover = np.asarray(shot.mask, np.float64)[..., None] / 255
    edge = (cover[..., 0] > 0) & (cover[..., 0] < 1)
    own = np.asarray(shot.photo, np.float64) - np.asarray(studio.paper) * (
        1 - cover
    )  # cover × the product's colour
    expected = own + np.asarray(ground) * (1 - cover)
    off = np.abs(on(ground, made) - expected)[edge]
    assert off.mean() < 3
    assert np.percentile(off, 99) < 20


def test_beyond_the_edge_colours_go_on() -> None:
    """Uncovered pixels beside the product have its colour, so that scaling mixes no white into it."""
    shot, made = shoot(Studio()), cut(shoot(Studio()).photo)
    near = (np.asarray(made.mask) == 0) & (np.asarray(made.mask.filter(ImageFilter.MaxFilter(9))) > 0)
    colours = np.asarray(made.image)[..., :3][near].astype(int)
    assert colours[:, 1].max() < 140  # the ball's green is 60, the paper's 240
    assert near.sum() > 500
    assert shot.photo.getpixel((0, 0)) == (240, 240, 240)


def test_a_photos_own_transparency_comes_first() -> None:
    """It is taken as it is, on whatever background."""
    shot = shoot(Studio(paper=(90, 20, 120)))
    photo = shot.photo.copy()
    photo.putalpha(shot.mask)
    made = cut(photo)
    assert made.how == "alpha"
    assert made.mask.tobytes() == shot.mask.tobytes()
    wholly = shot.is_product
    assert (np.asarray(made.image)[..., :3][wholly] == np.asarray(shot.photo)[wholly]).all()


def test_transparency_that_says_nothing_is_passed_over() -> None:
    """A photo that is opaque all over, though it could be otherwise, is looked at."""
    photo = shoot(Studio()).photo.copy()
    photo.putalpha(255)
    assert cut(photo).how == "background"


def scene_with_ball() -> tuple[Image.Image, Image.Image]:
    """A photo in a room, and the product's mask."""
    scene, _ = surroundings("kitchen", (512, 512), random.Random(3))
    shot = shoot(Studio(colour=(40, 80, 160)))
    wholly = shot.photo.copy()
    scene.paste(wholly, mask=shot.mask)
    return scene, shot.mask


def test_in_a_scene_a_segmenter_is_asked() -> None:
    """Its mask may be coarse, soft and small: the edge is told from the photo's pixels."""
    scene, mask = scene_with_ball()

    def segment(_: Image.Image) -> Image.Image:
        return mask.resize((160, 160), Image.Resampling.BILINEAR)

    made = cut(scene, segment=segment)
    assert made.how == "segmenter"
    assert iou(made.mask, mask) >= 0.985
    wholly = np.asarray(made.mask) == 255
    assert (np.asarray(made.image)[..., :3][wholly] == np.asarray(scene)[wholly]).all()


@pytest.mark.parametrize("answer", [0, 255, 128])
def test_a_segmenter_that_sees_nothing_is_not_believed(answer: int) -> None:
    """Neither nothing, nor all, nor doubt everywhere is a product."""
    scene, _ = scene_with_ball()
    refused = cut_out(scene, segment=lambda image: Image.new("L", image.size, answer))
    assert isinstance(refused, Refusal)
    assert refused.reason == "unclear"


def test_without_a_segmenter_a_scene_is_refused() -> None:
    """With what stands against it."""
    refused = cut_out(scene_with_ball()[0])
    assert isinstance(refused, Refusal)
    assert refused.reason in {"dark", "uneven", "coloured"}


def test_a_light_background_needs_no_segmenter() -> None:
    """It is asked only where the background does not tell: it costs a hundred times as much."""

    def fail(_: Image.Image) -> Image.Image:
        raise AssertionError

    assert cut(shoot(Studio()).photo, segment=fail).how == "background"


def test_crumbs_beside_the_product_are_left_out() -> None:
    """A few dark pixels near it are no product, or a scene would show them hovering."""
    shot = shoot(Studio())
    photo = shot.photo.copy()
    left, top, *_ = shot.box
    ImageDraw.Draw(photo).rectangle((left + 6, top + 40, left + 8, top + 42), (120, 120, 120))
    assert cut(photo).mask.getpixel((left + 7, top + 41)) == 0
