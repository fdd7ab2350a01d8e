from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from catalog_imagegen.domain.design import PLAIN, Design, Pair
from catalog_imagegen.domain.fingerprint import Fingerprint, digest
from catalog_imagegen.domain.imaging import Origin, Placement, Render, Verdict
from catalog_imagegen.domain.lettering import Area, TextBox
from catalog_imagegen.pipeline.develop import LETTERING_VERSION, Developed, Order, develop
from catalog_imagegen.stages import lettering
from catalog_imagegen.stages.label import (
    CLEANED,
    COMPOSITE,
    TRAINED,
    aigc_text,
    fields_of,
    packet,
    read_labels,
)
from catalog_imagegen.stages.rendition import PLACEHOLDER_COMMENT
from tests.unit.builders import figure, placement

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
KEY = Fingerprint("5e" * 32)


def picture(**options: Any) -> bytes:
    """A render as a server gives it."""
    buffer = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((400, 400)).save(buffer, "PNG", **options)
    return buffer.getvalue()


def made(
    content: bytes,
    *placements: Placement,
    placeholder: bool = False,
    design: Design = PLAIN,
    second: bytes = b"",
    origin: Origin = "generated",
) -> Developed:
    """The files of one render."""
    render = Render(KEY, digest(content), 400, 400, placeholder=placeholder, origin=origin)
    return develop(content, Order(render, placements, "0011", design), second=second)


def square(side: int = 200, **wishes: Any) -> Placement:
    """A square place."""
    return placement(width=side, height=side, **wishes)


def pixels(content: bytes) -> Image.Image:
    """A file's picture."""
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("placeholder", [False, True])
def test_every_file_says_what_made_it(kind: str, placeholder: bool) -> None:
    """In every format, of placeholders too: who made it, and which render it is of."""
    (file,) = made(picture(), square(format=kind), placeholder=placeholder)
    found = read_labels(file.content)
    (label,) = found.aigc
    fields = fields_of(label.text)
    assert fields is not None
    assert (fields["Label"], fields["ContentProducer"], fields["ProduceID"]) == ("1", "0011", KEY)
    assert found.source_types == (TRAINED,)
    assert file.verdicts == ()
    assert (PLACEHOLDER_COMMENT in file.content) is (placeholder and kind in ("JPEG", "PNG"))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_label_that_comes_with_a_picture_goes_out_with_it(kind: str) -> None:
    """Alone, after every resize; ours is not added."""
    theirs = aigc_text(producer="SOMEBODY-ELSE", produce_id="77")
    with Image.open(io.BytesIO(picture())) as image:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", lossless=True, xmp=packet(theirs, COMPOSITE))
    for file in made(buffer.getvalue(), square(90, format=kind), square(300, format=kind)):
        found = read_labels(file.content)
        assert [label.text for label in found.aigc] == [theirs]
        assert found.source_types == (COMPOSITE,)


@pytest.mark.parametrize(
    ("aigc", "source_type"),
    [
        pytest.param("字" * 30_000, "x" * 20_000, id="endless"),
        pytest.param("&" * 9_000, "&" * 9_000, id="long once it is written"),
        pytest.param(" ", " ", id="empty"),
    ],
)
def test_a_label_that_cannot_be_one_is_replaced(aigc: str, source_type: str) -> None:
    """A stranger's text must not keep a file from being written, nor from being labelled."""
    endless = packet(aigc, source_type)
    with Image.open(io.BytesIO(picture())) as image:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", lossless=True, xmp=endless)
    (file,) = made(buffer.getvalue(), square(90))
    assert file.verdicts == ()
    assert read_labels(file.content).source_types == (TRAINED,)


DIGITAL = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def labelled(aigc: str, source_type: str) -> bytes:
    """A picture that says these things of itself."""
    buffer = io.BytesIO()
    pixels(picture()).save(buffer, "WEBP", lossless=True, xmp=packet(aigc, source_type))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("origin", "says", "source_type", "count"),
    [
        ("photo", DIGITAL, CLEANED, 0),
        ("photo", TRAINED, TRAINED, 1),
        ("composite", DIGITAL, COMPOSITE, 1),
        ("composite", TRAINED, COMPOSITE, 1),
    ],
)
def test_what_a_photo_says_of_itself(origin: Origin, says: str, source_type: str, count: int) -> None:
    """A camera's photo is none once a scene is around it; one that a machine made is labelled, for everybody to see."""
    (file,) = made(labelled("", says), square(visible_label="always", format="PNG"), origin=origin)
    found = read_labels(file.content)
    assert (found.source_types, len(found.aigc)) == ((source_type,), count)
    plain = made(labelled("", says), square(format="PNG"), origin=origin)[0]
    assert (pixels(file.content).tobytes() != pixels(plain.content).tobytes()) is bool(count)


def test_a_photo_beside_a_models_work_is_labelled() -> None:
    """Whichever comes first."""
    for origins in (("photo", "generated"), ("generated", "photo")):
        pair = Pair(
            Render(KEY, digest(picture()), 400, 400, origin=origins[1]), ("甲", "乙"), width=600, height=300
        )
        (file,) = made(picture(), square(), design=Design(pair=pair), second=picture(), origin=origins[0])
        found = read_labels(file.content)
        assert (found.source_types, len(found.aigc)) == ((COMPOSITE,), 1)


def test_a_visible_label_is_where_the_placement_wants_it_and_nowhere_else() -> None:
    """In the corner, and only there."""
    plain, labelled = made(picture(), square(300), square(300, visible_label="always"))
    between = ImageChops.difference(pixels(plain.content), pixels(labelled.content))
    assert max(ImageStat.Stat(between.crop((0, 0, 150, 250))).mean) < 1
    assert max(ImageStat.Stat(between.crop((200, 260, 300, 300))).mean) > 5
    assert labelled.verdicts == ()


def test_a_picture_too_narrow_for_its_label_fails() -> None:
    """The file is there to be looked at, and says why it may not go out."""
    tall = placement(width=12, height=400, fit="pad", visible_label="always")
    (file,) = made(picture(), tall)
    assert ("no_visible_label", "fail") in [(v.code, v.severity) for v in file.verdicts]


def test_places_that_want_the_same_file_share_its_bytes() -> None:
    """Each with its own verdicts."""
    one, other = made(picture(), square(200), replace(square(200), name="hero", min_width=900))
    assert one.content is other.content
    assert (one.verdicts, [v.code for v in other.verdicts]) == ((), ["too_small"])


def test_a_file_does_not_depend_on_what_else_is_made() -> None:
    """One that is lost is made again byte for byte, alone."""
    places = [square(side, format=kind) for side in (320, 60, 130) for kind in ("JPEG", "PNG")]
    together = made(picture(), *places)
    assert [made(picture(), place)[0].content for place in places] == [file.content for file in together]


def test_the_version_of_what_is_written_is_in_every_key() -> None:
    """The stage is loaded late, so its version stands here twice."""
    assert lettering.VERSION == LETTERING_VERSION


def _counted(image: Image.Image) -> dict[Any, int]:
    """Colour → pixels of it."""
    return {shade: count for count, shade in image.getcolors(1 << 20) or ()}


TITLE = TextBox("title", Area(0, 0, 1, 0.25), "限时优惠", weight="bold", max_size=0.2, colour="#ff0000")


@pytest.mark.parametrize(("width", "height"), [(200, 200), (300, 300), (200, 100)])
def test_texts_are_drawn_in_the_final_size(width: int, height: int) -> None:
    """After cropping, so each file has all of them in its own box; the label stays below."""
    place = placement(width=width, height=height, format="PNG", visible_label="always")
    bare, lettered = (made(picture(), place, design=each)[0] for each in (PLAIN, Design((TITLE,))))
    changed = ImageChops.difference(pixels(bare.content), pixels(lettered.content)).getbbox()
    assert changed is not None
    assert changed[3] <= height // 4 + 1
    assert _counted(pixels(lettered.content).crop(changed))[255, 0, 0] > 50
    assert lettered.verdicts == ()


def test_a_text_that_does_not_fit_leaves_the_label() -> None:
    """The file is the one without texts, and fails."""
    design = Design((replace(TITLE, text="好" * 900, min_size=0.1),))
    place = square(format="PNG", visible_label="always")
    (file,), (bare,) = made(picture(), place, design=design), made(picture(), place)
    assert [(v.code, v.severity) for v in file.verdicts] == [("text_overflow", "fail")]
    assert file.content == bare.content


def test_what_was_known_before_is_told_of_each_file() -> None:
    """Also in places that share a file."""
    fault = Verdict("promotion_dates", "fail", "no dates", "缺少日期")
    files = made(picture(), square(), replace(square(), name="hero"), design=Design(faults=(fault,)))
    assert [file.verdicts for file in files] == [(fault,), (fault,)]


@pytest.mark.parametrize(("confidence", "severity"), [("official", "fail"), ("secondary", "warn")])
def test_a_place_without_text_says_which_it_has(confidence: Any, severity: str) -> None:
    """As surely as the rule is known; a plain picture says nothing."""
    place = square(figures=(figure("forbidden", ("watermark",), confidence),))
    (file,), (plain,) = made(picture(), place, design=Design((TITLE,))), made(picture(), place)
    assert [(v.code, v.severity) for v in file.verdicts] == [("text_on_picture", severity)]
    assert "限时优惠" in file.verdicts[0].message_zh
    assert plain.verdicts == ()


def colour(shade: str, **options: Any) -> bytes:
    """A render of one colour, upright."""
    buffer = io.BytesIO()
    Image.new("RGB", (300, 400), shade).save(buffer, "PNG", **options)
    return buffer.getvalue()


def paired(place: Placement, *, labels: tuple[str, str] = ("没有它", "有了它")) -> Any:
    """The file of a red and a blue picture side by side."""
    second = colour("#0000ff")
    pair = Pair(Render(KEY, digest(second), 300, 400), labels, width=600, height=400)
    return made(colour("#ff0000"), place, design=Design(pair=pair), second=second)[0]


@pytest.mark.parametrize(
    ("place", "size", "red", "blue"),
    [
        ({"width": 300, "height": 200}, (300, 200), (75, 150), (225, 150)),
        ({"width": 200, "height": 500}, (200, 500), (100, 200), (100, 450)),
        ({"width": 300, "height": 300, "fit": "contain"}, (300, 200), (75, 150), (225, 150)),
        ({"width": 300, "height": 300, "fit": "pad"}, (300, 300), (75, 200), (225, 200)),
        ({"width": 300, "height": 900, "fit": "width"}, (300, 200), (75, 150), (225, 150)),
    ],
)
def test_a_pair_fills_its_place(place: Any, size: Any, red: Any, blue: Any) -> None:
    """Beside each other, or one below the other in an upright place; what is padded stays white."""
    file = paired(placement(format="PNG", **place))
    image = pixels(file.content)
    assert (image.size, file.verdicts) == (size, ())
    assert (image.getpixel(red), image.getpixel(blue)) == ((255, 0, 0), (0, 0, 255))
    if place.get("fit") == "pad":
        assert image.getpixel((75, 10)) == (255, 255, 255)


def test_labels_of_a_pair_that_do_not_fit_are_left_out() -> None:
    """The file fails, and shows both pictures."""
    file = paired(placement(width=300, height=200, format="PNG"), labels=("没有它" * 30, "有了它"))
    assert [(v.code, v.severity) for v in file.verdicts] == [("text_overflow", "fail")]
    image = pixels(file.content)
    assert set(_counted(image.crop((0, 0, 140, 200)))) == {(255, 0, 0)}
