"""Writes the XMP packet that carries both labels: China's AIGC and IPTC's digital source type."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

AIGC_NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
IPTC_NAMESPACE = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
RDF_NAMESPACE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED = f"{_SOURCES}trainedAlgorithmicMedia"
"""The whole picture was made by a model."""
COMPOSITE = f"{_SOURCES}compositeWithTrainedAlgorithmicMedia"
"""A real product in a scene that was made by a model."""
CLEANED = f"{_SOURCES}algorithmicallyEnhanced"
"""A photo whose background a program made white: no model had a hand in it."""

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def as_xml(text: str) -> str:
    """A text as it is written into XML; what no XML may hold is left out."""
    return escape(_NOT_XML.sub("", text))


def packet(aigc: str, source_type: str) -> bytes:
    """A whole XMP packet with these labels; an empty one is left out."""
    aigc, source_type = as_xml(aigc), as_xml(source_type)
    properties = []
    if aigc:
        properties.append(f"<TC260:AIGC>{aigc}</TC260:AIGC>")
    if source_type:
        properties.append(f"<Iptc4xmpExt:DigitalSourceType>{source_type}</Iptc4xmpExt:DigitalSourceType>")
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF_NAMESPACE}">'
        f'<rdf:Description rdf:about="" xmlns:TC260="{AIGC_NAMESPACE}" xmlns:Iptc4xmpExt="{IPTC_NAMESPACE}">'
        f"{''.join(properties)}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="w"?>'
    ).encode()
