from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from catalog_imagegen.domain.fingerprint import Fingerprint, digest
from catalog_imagegen.domain.imaging import Placement, Render
from catalog_imagegen.pipeline.develop import Order, develop
from catalog_imagegen.stages.rendition import Rendition
from catalog_imagegen.stages.verdict import Measured
from tests.unit.builders import placement

SIDE = 600


def on_grey_wall() -> Image.Image:
    """A red box, off the middle, before a light wall that is darker at the edges, with a soft shadow below it."""
    glow = Image.radial_gradient("L").resize((SIDE, SIDE)).point(lambda value: 244 - value // 10)
    wall = Image.merge("RGB", [glow, glow, glow])
    shadow = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(shadow).ellipse((140, 380, 360, 430), fill=90)
    wall.paste((120, 120, 120), mask=shadow.filter(ImageFilter.GaussianBlur(12)))
    ImageDraw.Draw(wall).rounded_rectangle((150, 150, 349, 409), 20, fill=(170, 30, 40))
    return wall


def scene() -> Image.Image:
    """A room: no light and even background."""
    image = Image.linear_gradient("L").resize((SIDE, SIDE)).convert("RGB")
    draw = ImageDraw.Draw(image)
    for x in range(0, SIDE, 60):
        draw.rectangle((x, 0, x + 25, SIDE), fill=(x % 255, 90, 60))
    return image


def made(image: Image.Image, **wishes: Any) -> Rendition:
    """One file of a render."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    place: Placement = placement(**({"width": 400, "height": 400} | wishes))
    render = Render(Fingerprint("a" * 64), digest(buffer.getvalue()), *image.size)
    (file,) = develop(buffer.getvalue(), Order(render, (place,)))
    return file


def opened(file: Rendition) -> Image.Image:
    """Its picture."""
    image = Image.open(io.BytesIO(file.content))
    image.load()
    return image


def measured(file: Rendition) -> Measured:
    """Its figures."""
    return Measured(opened(file), len(file.content))


@pytest.mark.parametrize("size", [(400, 400), (300, 400), (400, 200)])
@pytest.mark.parametrize("shadow", ["keep", "remove"])
def test_a_product_before_a_light_wall_comes_onto_white(size: tuple[int, int], shadow: str) -> None:
    """Pure at the border, in the middle, as large as the place asks for, whatever its shape."""
    file = made(on_grey_wall(), width=size[0], height=size[1], background="white", fill=0.85, shadow=shadow)
    assert file.verdicts == ()
    found = measured(file)
    assert (found.width, found.height) == size
    assert found.stained((255, 255, 255)) == 0
    assert found.fill == pytest.approx(0.85, abs=0.03)
    assert found.off_centre < 0.05


def test_a_shadow_stays_or_goes() -> None:
    """As the place wants it."""
    kept, removed = (made(on_grey_wall(), background="white", shadow=wish) for wish in ("keep", "remove"))
    below = (110, 274, 230, 290)  # in files of 400 pixels of a render of 600
    darkest = [
        ImageStat.Stat(opened(file).convert("L").crop(below)).extrema[0][0] for file in (kept, removed)
    ]
    assert darkest[0] < 235
    assert darkest[1] > 243


def test_a_scene_is_not_forced_onto_white() -> None:
    """It stays as it is, says why, and fails by measure."""
    file = made(scene(), background="white")
    codes = {verdict.code: verdict.severity for verdict in file.verdicts}
    assert codes == {"background_kept": "warn", "not_white": "fail"}
    plain = made(scene())
    assert ImageChops.difference(opened(file), opened(plain)).getbbox() is None


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_a_product_can_be_cut_out(kind: str) -> None:
    """With nothing at the border, and the product in full."""
    file = made(on_grey_wall(), background="transparent", format=kind, fill=0.8)
    assert file.verdicts == ()
    image = opened(file)
    assert image.mode == "RGBA"
    assert image.getpixel((2, 2))[3] == 0  # type: ignore[index]  # RGBA
    assert image.getpixel((200, 200))[3] == 255  # type: ignore[index]  # RGBA


def test_a_scene_that_cannot_be_cut_out_fails() -> None:
    """Nobody gets a picture as transparent that is not."""
    codes = {v.code: v.severity for v in made(scene(), background="transparent", format="PNG").verdicts}
    assert codes["not_transparent"] == "fail"


def test_another_colour_behind_the_product() -> None:
    """At the border, and where the frame reaches beyond the render."""
    for wishes in ({}, {"fill": 0.3}):
        image = opened(made(on_grey_wall(), background="#DDE8F0", format="PNG", **wishes))
        assert image.getpixel((1, 1)) == image.getpixel((398, 398)) == (0xDD, 0xE8, 0xF0)


def test_room_is_filled_with_the_picture_itself_blurred() -> None:
    """Where pad leaves some: of the picture's colours, without its edges; the picture in the middle is as it was."""
    wide = {"width": 800, "height": 400, "fit": "pad", "format": "PNG"}
    white, blurred = (opened(made(scene(), background=wish, **wide)) for wish in ("keep", "blur"))
    middle = (200, 0, 600, 400)
    assert ImageChops.difference(white.crop(middle), blurred.crop(middle)).getbbox() is None
    assert white.getpixel((20, 200)) == (255, 255, 255)
    edges = blurred.crop((0, 100, 190, 300)).convert("L").filter(ImageFilter.FIND_EDGES)
    assert ImageStat.Stat(edges.crop((2, 2, 188, 198))).extrema[0][1] < 40
    assert blurred.getpixel((20, 200)) != (255, 255, 255)


def test_a_product_stays_out_of_the_safe_zone() -> None:
    """Where labels of the platform will stand; it is made smaller and moved."""
    file = made(on_grey_wall(), background="white", safe_zone=0.3, shadow="remove")
    product = measured(file).product
    assert product is not None
    assert min(product[0], product[1], 1 - product[2], 1 - product[3]) > 0.29


def test_a_render_too_small_to_fill_the_frame_is_told() -> None:
    """A product is not enlarged past 1.25 times; what is too small fails, by measure."""
    codes = [
        v.code for v in made(on_grey_wall(), width=900, height=900, background="white", fill=0.9).verdicts
    ]
    assert codes == ["not_filled"]


@pytest.mark.parametrize("background", ["keep", "blur"])
def test_a_background_that_is_kept_is_not_continued_in_white(background: str) -> None:
    """The part that is shown stays inside the picture, and the product as large as that allows."""
    grey = Image.new("RGB", (SIDE, SIDE), (225, 225, 225))
    ImageDraw.Draw(grey).rectangle((140, 50, 590, 550), fill=(170, 30, 40))
    image = opened(made(grey, background=background, fill=0.6, format="PNG"))
    assert image.getpixel((1, 200)) == image.getpixel((398, 2)) == (225, 225, 225)
    assert image.size == (400, 400)
