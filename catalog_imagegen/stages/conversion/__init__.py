"""Converts ComfyUI's UI format, which its Save button writes, to the API format that its ``/prompt`` takes."""

from catalog_imagegen.stages.conversion.converting import LeftOut, convert, left_out
from catalog_imagegen.stages.conversion.errors import ConversionError, UnknownClasses
from catalog_imagegen.stages.conversion.reading import is_ui_format

__all__ = ["ConversionError", "LeftOut", "UnknownClasses", "convert", "is_ui_format", "left_out"]
