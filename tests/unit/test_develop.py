from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from catalog_imagegen.domain.fingerprint import Fingerprint, digest
from catalog_imagegen.domain.imaging import Placement, Render
from catalog_imagegen.pipeline.develop import LETTERING_VERSION, Developed, Order, develop
from catalog_imagegen.stages import lettering
from catalog_imagegen.stages.label import COMPOSITE, TRAINED, aigc_text, fields_of, packet, read_labels
from catalog_imagegen.stages.rendition import PLACEHOLDER_COMMENT
from tests.unit.builders import placement

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
KEY = Fingerprint("5e" * 32)


def picture(**options: Any) -> bytes:
    """A render as a server gives it."""
    buffer = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((400, 400)).save(buffer, "PNG", **options)
    return buffer.getvalue()


def made(content: bytes, *placements: Placement, placeholder: bool = False) -> Developed:
    """The files of one render."""
    render = Render(KEY, digest(content), 400, 400, placeholder=placeholder)
    return develop(content, Order(render, placements, producer="0011"))


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
