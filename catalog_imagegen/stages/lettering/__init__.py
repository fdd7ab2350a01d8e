"""Draws text on pictures: overlays, the label of generated pictures, comparisons."""

from catalog_imagegen.domain.lettering import (
    Align,
    Area,
    Layout,
    Plate,
    Rect,
    Stroke,
    TextBox,
    VerticalAlign,
    Weight,
)
from catalog_imagegen.stages.lettering.breaking import break_lines, forbidden_starts
from catalog_imagegen.stages.lettering.comparison import Compared, ComparisonStyle, check_label, compare
from catalog_imagegen.stages.lettering.errors import LetteringError
from catalog_imagegen.stages.lettering.fonts import SHIPPED, FontFile, Fonts
from catalog_imagegen.stages.lettering.overlay import Drawn, Lettered, draw
from catalog_imagegen.stages.lettering.promotion import check_promotion
from catalog_imagegen.stages.lettering.spacing import prepared
from catalog_imagegen.stages.lettering.visible_label import Corner, Labelled, LabelStyle, add_label

VERSION = 1
"""Of what is drawn: part of the key of whatever has text."""

__all__ = [
    "SHIPPED",
    "VERSION",
    "Align",
    "Area",
    "Compared",
    "ComparisonStyle",
    "Corner",
    "Drawn",
    "FontFile",
    "Fonts",
    "LabelStyle",
    "Labelled",
    "Layout",
    "Lettered",
    "LetteringError",
    "Plate",
    "Rect",
    "Stroke",
    "TextBox",
    "VerticalAlign",
    "Weight",
    "add_label",
    "break_lines",
    "check_label",
    "check_promotion",
    "compare",
    "draw",
    "forbidden_starts",
    "prepared",
]
