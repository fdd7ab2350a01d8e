"""Judges raw renders: whether the file is good, and whether it is a good picture.

``judge`` finds the defects of a file. ``measures``, ``likeness`` and ``letters`` are imported by themselves where
pictures are made: numpy takes a tenth of a second.
"""

from catalog_imagegen.stages.quality.defects import BLACK_LUMA, MAX_PIXELS, Defect, Judgement, judge

__all__ = ["BLACK_LUMA", "MAX_PIXELS", "Defect", "Judgement", "judge"]
