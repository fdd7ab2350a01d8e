from __future__ import annotations

import io
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from catalog_imagegen.stages.label import (
    COMPOSITE,
    TRAINED,
    aigc_text,
    judge_labels,
    packet,
    problems_of,
    read_labels,
)
from catalog_imagegen.stages.rendition import Marks, Negative, adapt
from tests.unit.builders import placement

TEXT = aigc_text(producer="0011ABCDEFGH123456789000001", produce_id="ab" * 32)
PACKET = packet(TEXT, TRAINED)
XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\x00"


def encoded(kind: str, **options: Any) -> bytes:
    """A picture file."""
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), (200, 30, 40)).save(buffer, kind, **options)
    return buffer.getvalue()


def png(**texts: str) -> bytes:
    """A PNG with these texts."""
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text)
    return encoded("PNG", pnginfo=info)


def with_segment(marker: int, body: bytes) -> bytes:
    """A JPEG with one more application segment."""
    jpeg = encoded("JPEG")
    return jpeg[:2] + bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def codes(content: bytes) -> dict[str, str]:
    """Code → severity of what is wrong with the labels of a file."""
    return {verdict.code: verdict.severity for verdict in judge_labels(content)}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_what_is_written_is_read_back(kind: str) -> None:
    """Every format carries both labels, once."""
    made = adapt(
        Negative(Image.new("RGB", (40, 40), (9, 90, 200))),
        placement(width=40, height=40, format=kind),
        marks=Marks(PACKET),
    )
    found = read_labels(made.content)
    assert [label.text for label in found.aigc] == [TEXT]
    assert found.source_types == (TRAINED,)
    assert codes(made.content) == {}


def test_the_label_has_the_fields_of_the_standard_in_their_order() -> None:
    """Plain JSON; who makes a file first is also who spreads it."""
    fields = json.loads(TEXT)
    assert list(fields) == [
        "Label",
        "ContentProducer",
        "ProduceID",
        "ReservedCode1",
        "ContentPropagator",
        "PropagateID",
        "ReservedCode2",
    ]
    assert fields["Label"] == "1"
    assert fields["ContentProducer"] == fields["ContentPropagator"] == "0011ABCDEFGH123456789000001"
    assert fields["ProduceID"] == fields["PropagateID"] == "ab" * 32
    assert problems_of(TEXT) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no json", "no JSON"),
        ("[1]", "no JSON"),
        ('{"Label": "1"}', "ContentProducer is missing"),
        (TEXT.replace('"1"', '"7"'), "not 1, 2 or 3"),
        (TEXT.replace("0011ABC", "某公司"), "not allowed"),
        (TEXT.replace("0011ABC", "a b"), "not allowed"),
    ],
)
def test_a_label_that_breaks_the_standard_is_told(text: str, problem: str) -> None:
    """With what is wrong."""
    assert any(problem in found for found in problems_of(text))


def test_a_wrapped_label_is_as_good() -> None:
    """Some write {"AIGC": …}."""
    assert problems_of(f'{{"AIGC": {TEXT}}}') == []


def xmp_with(body: str, attributes: str = "") -> bytes:
    """A packet as others write it."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" '
        f'xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" {attributes}>{body}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


ATTRIBUTE = "TC260:AIGC='" + TEXT + "'"


def wrapped(kind: str, tag: int) -> bytes:
    """A JPEG whose EXIF holds a label."""
    exif = Image.Exif()
    text = f'{{"AIGC": {TEXT}}}'
    if kind == "comment":
        exif.get_ifd(0x8769)[tag] = b"ASCII\x00\x00\x00" + text.encode()
    else:
        exif[tag] = text
    return encoded("JPEG", exif=exif)


def tiff() -> bytes:
    """A TIFF with a packet in its tag."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700] = PACKET
    tags.tagtype[700] = 7
    return encoded("TIFF", tiffinfo=tags)


def packed_png() -> bytes:
    """A PNG whose packet is compressed."""
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", PACKET.decode(), zip=True)
    return encoded("PNG", pnginfo=info)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (encoded("JPEG", xmp=xmp_with("", ATTRIBUTE)), "JPEG APP1 XMP"),
        (encoded("WEBP", xmp=xmp_with("", ATTRIBUTE)), "WebP XMP"),
        (encoded("AVIF", xmp=PACKET), "AVIF XMP"),
        (png(AIGC=f'{{"AIGC": {TEXT}}}'), "PNG tEXt AIGC"),
        (packed_png(), "PNG iTXt"),
        (tiff(), "TIFF XMP"),
        (wrapped("comment", 0x9286), "EXIF UserComment"),
        (wrapped("description", 0x010E), "EXIF ImageDescription"),
        (with_segment(0xE9, b"AIGC" + TEXT.encode()), "JPEG APP9"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_labels_of_others_are_found_wherever_they_stand(content: bytes, place: str) -> None:
    """As attribute or element, wrapped or bare, in XMP, EXIF or a segment of its own."""
    (label,) = read_labels(content).aigc
    assert label.place == place
    assert problems_of(label.text) == []


def test_two_labels_are_seen() -> None:
    """Also where a decoder would keep one of them only."""
    twice = with_segment(0xE1, XMP_SEGMENT + PACKET)
    body = XMP_SEGMENT + PACKET
    twice = twice[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + twice[2:]
    assert len(read_labels(twice).aigc) == 2
    assert codes(twice) == {"label_twice": "fail"}
    in_one = encoded("JPEG", xmp=xmp_with(f"<TC260:AIGC>{TEXT}</TC260:AIGC>", ATTRIBUTE))
    assert "label_twice" in codes(in_one)


def test_a_missing_label_fails_and_a_missing_source_type_warns() -> None:
    """One is the law, the other what a marketplace asks for."""
    assert codes(encoded("JPEG")) == {"label_missing": "fail"}
    assert codes(encoded("JPEG", xmp=packet(TEXT, ""))) == {"source_type_missing": "warn"}
    assert codes(encoded("JPEG", xmp=packet("{}", TRAINED))) == {"label_malformed": "warn"}


def test_iptc_may_be_written_as_a_resource() -> None:
    """Adobe's programs write addresses that way."""
    content = encoded("JPEG", xmp=xmp_with(f'<i:DigitalSourceType rdf:resource="{COMPOSITE}"/>'))
    assert read_labels(content).source_types == (COMPOSITE,)


def test_a_packet_is_well_formed_whatever_a_label_holds() -> None:
    """A carried label is a stranger's text."""
    nasty = 'a<b>&"\x00\x07\ufffe]]></TC260:AIGC>'
    content = encoded("JPEG", xmp=packet(nasty, TRAINED))
    (label,) = read_labels(content).aigc
    assert label.text == 'a<b>&"]]></TC260:AIGC>'


def test_entities_are_not_expanded() -> None:
    """Nor files read: a packet is a stranger's XML."""
    bomb = b'<!DOCTYPE x [<!ENTITY a "' + b"A" * 1000 + b'"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    content = encoded("JPEG", xmp=bomb + xmp_with("<TC260:AIGC>&a;&f;</TC260:AIGC>"))
    found = read_labels(content)
    assert all("A" * 10 not in label.text for label in found.aigc)


def test_a_compressed_text_is_not_unpacked_without_end() -> None:
    """A bomb in a text costs its first megabytes, not the memory."""
    body = b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + zlib.compress(b" " * 50_000_000)
    chunk = b"iTXt" + body
    plain = encoded("PNG")
    bomb = (
        plain[:33] + len(body).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big") + plain[33:]
    )
    assert read_labels(bomb).aigc == ()


@given(st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_damage_never_crashes_the_reader(kind: str, at: int, junk: bytes) -> None:
    """What is damaged counts as absent."""
    content = bytearray(LABELLED[kind])
    at %= len(content)
    content[at : at + len(junk)] = junk
    assert len(read_labels(bytes(content)).aigc) <= 2


LABELLED = {
    kind: adapt(
        Negative(Image.new("RGB", (20, 20), (9, 90, 200))),
        placement(width=20, height=20, format=kind),
        marks=Marks(PACKET),
    ).content
    for kind in ("JPEG", "PNG", "WEBP")
}


@pytest.mark.parametrize("value", [(1, 300), (1.5,), -1, 70_000])
def test_a_comment_that_is_none_says_nothing(value: Any) -> None:
    """A tag may hold numbers where text should be."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = value
    content = encoded("JPEG", exif=exif)
    assert read_labels(content).aigc == ()
