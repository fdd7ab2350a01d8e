"""Reads the labels of a picture file, in every form and place that others write them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from catalog_imagegen.stages.label.aigc import fields_of
from catalog_imagegen.stages.label.containers import texts
from catalog_imagegen.stages.label.packet import AIGC_NAMESPACE, IPTC_NAMESPACE, RDF_NAMESPACE

_AIGC, _SOURCE_TYPE = f"{{{AIGC_NAMESPACE}}}AIGC", f"{{{IPTC_NAMESPACE}}}DigitalSourceType"
_RESOURCE = f"{{{RDF_NAMESPACE}}}resource"
_PARSER_OPTIONS = {"resolve_entities": False, "no_network": True, "recover": True, "huge_tree": False}


@dataclass(frozen=True, slots=True)
class Written:
    """One AIGC label as it stands in a file."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What a file says about how it was made."""

    aigc: tuple[Written, ...] = ()
    source_types: tuple[str, ...] = ()
    """IPTC's addresses of digital source types."""


def read_labels(content: bytes) -> Labels:
    """Every label in the bytes of a JPEG, PNG, WebP, AVIF or TIFF; what is damaged, or no picture, has none."""
    aigc: list[Written] = []
    source_types: list[str] = []
    for kind, place, data in texts(content):
        if kind == "xmp":
            for name, value in _properties(data):
                if name == _AIGC:
                    aigc.append(Written(place, value))
                else:
                    source_types.append(value)
            continue
        text = data.decode(errors="replace").strip("\x00 ")
        if kind == "aigc" or _is_label(text):
            aigc.append(Written(place, text.removeprefix("AIGC")))
    return Labels(tuple(aigc), tuple(source_types))


def _is_label(text: str) -> bool:
    """Whether a text that may say anything is a label."""
    return '"AIGC"' in text[:40] and fields_of(text) is not None


def _properties(data: bytes) -> Iterator[tuple[str, str]]:
    """The properties that matter, be they attributes or elements."""
    try:
        root = etree.fromstring(data.strip(b"\x00 \n\r\t"), etree.XMLParser(**_PARSER_OPTIONS))
    except etree.XMLSyntaxError:
        return
    if root is None:
        return
    for element in root.iter(etree.Element):
        for name in (_AIGC, _SOURCE_TYPE):
            if name in element.attrib:
                yield name, str(element.attrib[name])
            if element.tag == name:
                value = element.attrib.get(_RESOURCE) or "".join(element.itertext()).strip()
                yield name, str(value)
