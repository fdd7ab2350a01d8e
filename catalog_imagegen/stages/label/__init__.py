"""Says in a picture's metadata that it was made by a machine, and reads what is said there."""

from catalog_imagegen.stages.label.aigc import aigc_text, fields_of, problems_of
from catalog_imagegen.stages.label.containers import UNREADABLE
from catalog_imagegen.stages.label.judging import judge_labels
from catalog_imagegen.stages.label.packet import CLEANED, COMPOSITE, TRAINED, as_xml, packet
from catalog_imagegen.stages.label.reading import Labels, Written, read_labels

__all__ = [
    "CLEANED",
    "COMPOSITE",
    "TRAINED",
    "UNREADABLE",
    "Labels",
    "Written",
    "aigc_text",
    "as_xml",
    "fields_of",
    "judge_labels",
    "packet",
    "problems_of",
    "read_labels",
]
