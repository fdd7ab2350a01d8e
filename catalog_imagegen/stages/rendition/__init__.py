"""Makes the files that places in listings ask for."""

from catalog_imagegen.stages.rendition.adapting import (
    VERSION,
    Negative,
    Rendition,
    adapt,
    file_shape,
    rendition_key,
)
from catalog_imagegen.stages.rendition.encoding import MIN_QUALITY, PLACEHOLDER_COMMENT, Marks
from catalog_imagegen.stages.rendition.geometry import MAX_ENLARGEMENT, Frame, enlargement, frame_for
from catalog_imagegen.stages.rendition.opening import TURNS, open_photo, open_render, upright

__all__ = [
    "MAX_ENLARGEMENT",
    "MIN_QUALITY",
    "PLACEHOLDER_COMMENT",
    "TURNS",
    "VERSION",
    "Frame",
    "Marks",
    "Negative",
    "Rendition",
    "adapt",
    "enlargement",
    "file_shape",
    "frame_for",
    "open_photo",
    "open_render",
    "rendition_key",
    "upright",
]
