from __future__ import annotations

import io
import itertools
import random
import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageStat
from PIL.PngImagePlugin import PngInfo

from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import Render
from catalog_imagegen.stages.rendition import (
    MAX_ENLARGEMENT,
    MIN_QUALITY,
    PLACEHOLDER_COMMENT,
    Frame,
    Marks,
    Negative,
    Rendition,
    adapt,
    file_shape,
    frame_for,
    open_render,
    rendition_key,
    resizing,
)
from tests.unit.builders import figure, placement

WHITE, RED, GREEN, BLUE = (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)
SIDES = st.integers(1, 3000)
RENDER = Render(Fingerprint("f" * 64), Digest("0" * 64), 1280, 1280)
PLACEHOLDER = Marks(is_placeholder=True)
FITS = ("cover", "contain", "pad", "width")


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decoded(made: Rendition) -> Image.Image:
    """The picture in a rendition."""
    with Image.open(io.BytesIO(made.content)) as image:
        image.load()
        return image


def noise(width: int, height: int) -> Image.Image:
    """The picture that costs most bytes."""
    return Image.frombytes("RGB", (width, height), random.Random(0).randbytes(3 * width * height))


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """The colour of one pixel."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


def is_near(one: tuple[int, ...], other: tuple[int, ...], tolerance: int = 6) -> bool:
    """Whether two colours look the same."""
    return len(one) == len(other) and all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def swapped_profile() -> bytes:
    """An sRGB profile whose red and blue primaries have changed places."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    other = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    (count,) = struct.unpack_from(">I", made, 128)
    for at in range(132, 132 + 12 * count, 12):
        tag = bytes(made[at : at + 4])
        made[at : at + 4] = other.get(tag, tag)
    return bytes(made)


def frame(source: tuple[int, int], **wishes: Any) -> Frame:
    """Plan a fit into a placement."""
    return frame_for(source, placement(**wishes))


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(FITS))
@example(1, 3000, 800, 800, "width")
@example(3000, 1, 800, 800, "pad")
@example(1280, 1280, 1600, 1600, "cover")
@settings(max_examples=300, deadline=None)
def test_no_fit_breaks_its_box_or_invents_pixels(w: int, h: int, box_w: int, box_h: int, fit: str) -> None:
    """Never larger than the box, never enlarged beyond 1.25, cropped only from inside and in the centre."""
    made = frame((w, h), width=box_w, height=box_h, fit=fit)
    left, top, right, bottom = made.box
    assert 1 <= made.size[0] <= made.canvas[0] <= box_w
    assert 1 <= made.size[1] <= made.canvas[1] <= box_h
    assert made.size[0] <= MAX_ENLARGEMENT * (right - left) + 0.51
    assert made.size[1] <= MAX_ENLARGEMENT * (bottom - top) + 0.51
    assert 0 <= left < right <= w + 1e-6
    assert 0 <= top < bottom <= h + 1e-6
    assert left == pytest.approx(w - right, abs=1e-6)
    assert top == pytest.approx(h - bottom, abs=1e-6)


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(FITS))
@settings(max_examples=200, deadline=None)
def test_nothing_is_stretched(w: int, h: int, box_w: int, box_h: int, fit: str) -> None:
    """One scale explains both sides within a pixel: products keep their shape."""
    made = frame((w, h), width=box_w, height=box_h, fit=fit)
    across, down = made.box[2] - made.box[0], made.box[3] - made.box[1]
    least = max((made.size[0] - 1) / across, (made.size[1] - 1) / down)
    most = min((made.size[0] + 1) / across, (made.size[1] + 1) / down)
    assert least <= most


@given(SIDES, SIDES, SIDES, SIDES)
@settings(max_examples=200, deadline=None)
def test_contain_shows_everything_as_large_as_it_goes(w: int, h: int, box_w: int, box_h: int) -> None:
    """Nothing is cropped, nothing added, and one side reaches the box or the enlargement limit."""
    made = frame((w, h), width=box_w, height=box_h, fit="contain")
    scale = min(box_w / w, box_h / h, MAX_ENLARGEMENT)
    assert made.size == made.canvas
    assert abs(made.size[0] - w * scale) <= 1
    assert abs(made.size[1] - h * scale) <= 1
    if min(w, h) * scale >= 1:
        assert made.box == pytest.approx((0, 0, w, h), abs=1 / scale)


@given(st.integers(800, 3000), st.integers(800, 3000), st.integers(1, 1000), st.integers(1, 1000))
@settings(max_examples=150, deadline=None)
def test_cover_fills_the_box_exactly(w: int, h: int, box_w: int, box_h: int) -> None:
    """A source large enough fills every pixel of the box."""
    made = frame((w, h), width=box_w, height=box_h, fit="cover")
    assert made.size == made.canvas == (box_w, box_h)


@given(st.integers(800, 3000), st.integers(800, 3000), st.integers(1, 1000), st.integers(1, 1000))
@settings(max_examples=150, deadline=None)
def test_pad_fills_the_box_with_white_around(w: int, h: int, box_w: int, box_h: int) -> None:
    """The canvas is the box; the picture inside is what contain would give."""
    made = frame((w, h), width=box_w, height=box_h, fit="pad")
    assert made.canvas == (box_w, box_h)
    assert made.size == frame((w, h), width=box_w, height=box_h, fit="contain").size


@given(st.integers(600, 3000), SIDES, st.integers(1, 750), SIDES)
@settings(max_examples=150, deadline=None)
def test_width_fixes_the_width_and_caps_the_height(w: int, h: int, box_w: int, box_h: int) -> None:
    """Detail pages are as wide as asked; only what is too tall is cropped."""
    made = frame((w, h), width=box_w, height=box_h, fit="width")
    assert made.canvas == made.size
    assert made.size[0] == box_w
    assert abs(made.size[1] - min(box_h, h * box_w / w)) <= 1


@pytest.mark.parametrize(
    ("fit", "source", "box", "size", "canvas"),
    [
        ("cover", (1280, 1280), (800, 800), (800, 800), (800, 800)),
        ("cover", (1104, 1472), (750, 1000), (750, 1000), (750, 1000)),
        ("cover", (1536, 1024), (800, 800), (800, 800), (800, 800)),
        ("contain", (1536, 1024), (1600, 1600), (1600, 1067), (1600, 1067)),
        ("pad", (1536, 1024), (1600, 1600), (1600, 1067), (1600, 1600)),
        ("pad", (1280, 1280), (1600, 1600), (1600, 1600), (1600, 1600)),
        ("width", (1536, 1024), (750, 1200), (750, 500), (750, 500)),
        ("width", (1000, 4000), (750, 1200), (750, 1200), (750, 1200)),
    ],
)
def test_the_shipped_sizes_come_out_as_expected(
    fit: str, source: tuple[int, int], box: tuple[int, int], size: tuple[int, int], canvas: tuple[int, int]
) -> None:
    """The renders we make in the boxes that marketplaces want."""
    made = frame(source, width=box[0], height=box[1], fit=fit)
    assert (made.size, made.canvas) == (size, canvas)


@pytest.mark.parametrize("fit", FITS)
def test_a_small_source_is_enlarged_a_little(fit: str) -> None:
    """Beyond 1.25 a resize invents pixels: the file stays smaller."""
    made = adapt(Negative(noise(40, 40)), placement(width=100, height=100, fit=fit))
    assert (made.width, made.height) == (50, 50)
    assert decoded(made).size == (50, 50)


def test_a_small_source_keeps_the_shape_of_the_box() -> None:
    """A 3:4 place stays 3:4, only smaller."""
    assert frame((60, 60), width=750, height=1000, fit="cover").canvas == (56, 75)
    assert frame((60, 60), width=750, height=1000, fit="pad").canvas == (75, 100)


def test_the_crop_is_centred() -> None:
    """The product, which templates put in the middle, stays in the picture."""
    wide = Image.new("RGB", (300, 100), RED)
    wide.paste(GREEN, (100, 0, 200, 100))
    made = decoded(adapt(Negative(wide), placement(width=100, height=100, format="PNG")))
    assert {pixel(made, x, 50) for x in (0, 50, 99)} == {GREEN}


def test_the_padding_is_white_and_even() -> None:
    """A wide picture on a square canvas has as much white above as below."""
    made = decoded(
        adapt(
            Negative(Image.new("RGB", (200, 100), RED)),
            placement(width=100, height=100, fit="pad", format="PNG"),
        )
    )
    column = [pixel(made, 50, y) for y in range(100)]
    assert column == [WHITE] * 25 + [RED] * 50 + [WHITE] * 25


@pytest.mark.parametrize("hidden", [RED, (0, 0, 0)])
def test_hidden_colours_do_not_leak(hidden: tuple[int, int, int]) -> None:
    """What alpha hides turns white, whatever colour is stored there."""
    image = Image.new("RGBA", (4, 1), (*hidden, 0))
    image.putpixel((1, 0), (0, 255, 0, 255))
    image.putpixel((2, 0), (0, 0, 0, 128))
    opened = open_render(encoded(image))
    assert opened.mode == "RGB"
    assert pixel(opened, 0, 0) == WHITE
    assert pixel(opened, 1, 0) == GREEN
    assert is_near(pixel(opened, 2, 0), (127, 127, 127))


def test_grey_with_alpha_is_flattened_too() -> None:
    """LA is rare and must not turn black."""
    assert pixel(open_render(encoded(Image.new("LA", (2, 2), (0, 0)))), 0, 0) == WHITE


def test_a_transparent_palette_colour_turns_white() -> None:
    """Palette pictures mark transparency outside their pixels."""
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putpixel((1, 0), 1)
    opened = open_render(encoded(image, transparency=0))
    assert [pixel(opened, x, 0) for x in (0, 1)] == [WHITE, BLUE]


def test_a_transparent_rgb_colour_turns_white() -> None:
    """PNG can name one colour as transparent without an alpha channel."""
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((1, 0), BLUE)
    opened = open_render(encoded(image, transparency=RED))
    assert [pixel(opened, x, 0) for x in (0, 1)] == [WHITE, BLUE]


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    """The middle of 65536 greys is the middle of 256, not white."""
    image = Image.new("I;16", (4, 1))
    for x, value in enumerate((0, 257, 32_768, 65_535)):
        image.putpixel((x, 0), value)
    opened = open_render(encoded(image))
    assert [pixel(opened, x, 0)[0] for x in range(4)] == pytest.approx([0, 1, 127, 255], abs=1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    """Marketplaces refuse CMYK and palettes; white stays white."""
    kind = "JPEG" if mode == "CMYK" else "PNG"
    opened = open_render(encoded(Image.new("RGB", (8, 8), WHITE).convert(mode), kind))
    assert opened.mode == "RGB"
    assert is_near(pixel(opened, 4, 4), WHITE, tolerance=2)


def test_cmyk_colours_are_not_inverted() -> None:
    """Adobe's CMYK JPEGs store ink inverted; red must come out red."""
    opened = open_render(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95))
    assert is_near(pixel(opened, 4, 4), RED, tolerance=12)


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (39, 19)), (6, (19, 0)), (8, (0, 39))])
def test_pictures_are_turned_upright(orientation: int, corner: tuple[int, int]) -> None:
    """A camera's orientation tag is applied, then dropped."""
    image = Image.new("RGB", (40, 20), WHITE)
    ImageDraw.Draw(image).rectangle((0, 0, 7, 7), fill=RED)  # the stored top left corner
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_render(encoded(image, "PNG", exif=exif))
    assert opened.size == ((20, 40) if orientation in (6, 8) else (40, 20))
    assert pixel(opened, *corner) == RED
    reopened = open_render(adapt(Negative(opened), placement(width=40, height=40, fit="contain")).content)
    assert reopened.size == opened.size


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_an_embedded_profile_is_converted(mode: str) -> None:
    """Colours are what the profile says they are: here stored red means blue."""
    image = Image.new("RGB", (4, 4), RED).convert(mode)
    opened = open_render(encoded(image, icc_profile=swapped_profile()))
    assert is_near(pixel(opened, 1, 1), BLUE, tolerance=12)


def test_an_srgb_profile_changes_nothing() -> None:
    """The usual profile must not shift colours."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    opened = open_render(encoded(Image.new("RGB", (4, 4), (10, 120, 230)), icc_profile=profile))
    assert is_near(pixel(opened, 1, 1), (10, 120, 230), tolerance=1)


def test_a_broken_profile_is_ignored() -> None:
    """Rubbish where a profile should be costs colour accuracy, not the picture."""
    opened = open_render(encoded(Image.new("RGB", (4, 4), RED), icc_profile=b"no profile"))
    assert pixel(opened, 1, 1) == RED


def test_a_profile_for_another_mode_is_ignored() -> None:
    """A grey picture with an RGB profile is a mistake of its maker; it stays grey."""
    opened = open_render(encoded(Image.new("L", (4, 4), 90), icc_profile=swapped_profile()))
    assert pixel(opened, 1, 1) == (90, 90, 90)


@pytest.mark.parametrize("cap", [28_000, 40_000, 65_000])
def test_the_byte_cap_is_kept_at_the_best_quality_that_fits(cap: int) -> None:
    """Not a byte over, and hardly a byte wasted."""
    image = noise(200, 200)
    made = adapt(Negative(image), placement(width=200, height=200, max_bytes=cap))
    assert 0.85 * cap < len(made.content) <= cap


def test_the_cap_counts_the_placeholder_mark_too() -> None:
    """A cap is on the file as it is sent, metadata included."""
    image = noise(120, 120)
    for cap in range(12_000, 12_400, 40):
        assert (
            len(
                adapt(
                    Negative(image), placement(width=120, height=120, max_bytes=cap), marks=PLACEHOLDER
                ).content
            )
            <= cap
        )


def test_a_cap_that_no_quality_reaches_is_not_kept() -> None:
    """Below quality 40 a picture is ugly: the file stays above the cap."""
    image = noise(200, 200)
    made = adapt(Negative(image), placement(width=200, height=200, max_bytes=1000))
    worst = adapt(Negative(image), placement(width=200, height=200, quality=MIN_QUALITY))
    assert decoded(made).tobytes() == decoded(worst).tobytes()


def test_a_light_picture_keeps_its_quality() -> None:
    """The cap costs nothing where it is not reached."""
    image = noise(50, 50)
    better, worse = (adapt(Negative(image), placement(width=50, height=50, quality=q)) for q in (92, 60))
    assert len(better.content) > len(worse.content)


def secretive(kind: str) -> bytes:
    """A picture file full of metadata: prompts, place, profile, comments."""
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    options: dict[str, Any] = {"exif": exif, "icc_profile": swapped_profile(), "dpi": (300, 300)}
    if kind == "PNG":
        info = PngInfo()
        info.add_text("prompt", "SECRET graph")
        info.add_itxt("XML:com.adobe.xmp", "SECRET xmp")
        options["pnginfo"] = info
    else:
        options |= {"comment": b"SECRET comment", "xmp": b"SECRET xmp"}
    return encoded(noise(40, 40), kind, **options)


@pytest.mark.parametrize(
    ("kind", "wanted", "fit"), list(itertools.product(("PNG", "JPEG"), ("PNG", "JPEG"), ("cover", "pad")))
)
def test_no_metadata_leaks_into_a_listing(kind: str, wanted: str, fit: str) -> None:
    """Prompts, seeds and places stay ours: ComfyUI writes the whole graph into its files."""
    source = secretive(kind)
    assert b"SECRET" in source
    made = adapt(Negative(open_render(source)), placement(width=40, height=40, format=wanted, fit=fit))
    image = decoded(made)
    assert b"SECRET" not in made.content
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_placeholder_says_so_in_its_metadata() -> None:
    """Whoever finds the file can tell; a real picture says nothing of the kind."""
    image = noise(20, 20)
    jpeg = adapt(Negative(image), placement(width=20, height=20), marks=PLACEHOLDER)
    png = adapt(Negative(image), placement(width=20, height=20, format="PNG"), marks=PLACEHOLDER)
    assert decoded(jpeg).info["comment"] == PLACEHOLDER_COMMENT
    assert decoded(png).info["Comment"] == PLACEHOLDER_COMMENT.decode()
    for plain in (placement(width=20, height=20), placement(width=20, height=20, format="PNG")):
        assert PLACEHOLDER_COMMENT not in adapt(Negative(image), plain).content


def test_a_jpeg_is_rgb_with_full_colour_resolution() -> None:
    """Red lettering on white stays sharp: no chroma subsampling."""
    made = adapt(Negative(noise(40, 40)), placement(width=40, height=40))
    image = decoded(made)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (made.width, made.height))
    assert {layer[1:3] for layer in image.layer} == {(1, 1)}  # type: ignore[attr-defined]


def test_a_png_keeps_every_pixel() -> None:
    """Where nothing is resized nothing changes."""
    image = noise(30, 20)
    made = decoded(adapt(Negative(image), placement(width=30, height=20, format="PNG")))
    assert made.format == "PNG"
    assert made.tobytes() == image.tobytes()


@pytest.mark.parametrize("wanted", ["PNG", "JPEG"])
def test_the_same_render_gives_the_same_bytes(wanted: str) -> None:
    """A deleted listing is rebuilt byte for byte."""
    source = encoded(noise(90, 60))
    place = placement(width=50, height=50, format=wanted, max_bytes=10_000)
    assert adapt(Negative(open_render(source)), place) == adapt(Negative(open_render(source)), place)


@pytest.mark.parametrize(
    ("wish", "is_same"),
    [
        ({"name": "hero", "title": "主图", "roles": ("x",), "count": 5, "file_name": "{sku}.MAIN"}, True),
        ({"min_width": 9, "min_height": 9, "figures": (figure("min_size", (9, 9)),)}, True),
        ({"width": 49}, False),
        ({"height": 49}, False),
        ({"fit": "pad"}, False),
        ({"format": "PNG"}, False),
        ({"quality": 60}, False),
        ({"max_bytes": 10_000}, False),
    ],
)
def test_places_that_ask_for_the_same_file_are_alike(wish: dict[str, Any], is_same: bool) -> None:
    """One encoding serves the square, the white and the variant picture; anything that shapes bytes does not."""
    one = placement(width=50, height=50)
    other = placement(**({"width": 50, "height": 50} | wish))
    assert (file_shape(one) == file_shape(other)) is is_same
    if is_same:
        assert adapt(Negative(noise(90, 60)), one) == adapt(Negative(noise(90, 60)), other)


def test_one_opened_render_serves_many_placements() -> None:
    """Adapting leaves the opened render as it was."""
    image = open_render(secretive("PNG"))
    before, info = image.tobytes(), dict(image.info)
    for fit in FITS:
        adapt(Negative(image), placement(width=40, height=40, fit=fit, format="PNG"))
    assert (image.tobytes(), dict(image.info)) == (before, info)


@pytest.mark.parametrize(
    "wish", [{"fit": "cover", "width": 40, "height": 70}, {"fit": "pad", "width": 90, "height": 60}]
)
def test_pillow_stands_in_for_the_faster_resizer(
    monkeypatch: pytest.MonkeyPatch, wish: dict[str, Any]
) -> None:
    """Where there is no wheel of it the pictures are the same to the eye, and have other names."""
    assert resizing.RESIZER == "cykooz-resizer"
    image = Image.effect_noise((120, 90), 60).convert("RGB").resize((240, 180), Image.Resampling.BICUBIC)
    place = placement(format="PNG", **wish)
    made, name = adapt(Negative(image), place), rendition_key(RENDER, place)
    monkeypatch.setattr(resizing, "RESIZER", "Pillow")
    other = adapt(Negative(image), place)
    assert (other.width, other.height) == (made.width, made.height)
    between = ImageChops.difference(decoded(made), decoded(other))
    assert max(ImageStat.Stat(between).mean) < 1
    assert rendition_key(RENDER, place) != name
