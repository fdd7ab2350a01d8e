"""Judges an encoded file by what its placement asks and by what its platform says."""

from __future__ import annotations

import io

from PIL import Image

from catalog_imagegen.domain.imaging import Placement, Verdict
from catalog_imagegen.stages.verdict.measured import Measured
from catalog_imagegen.stages.verdict.own import judge_own
from catalog_imagegen.stages.verdict.rules import RULES, judge_figure

__all__ = ["RULES", "Measured", "judge_file", "judge_measured"]


def judge_file(content: bytes, placement: Placement, name: str = "") -> tuple[Verdict, ...]:
    """Everything wrong with an encoded file, measured on its bytes; empty when all is well.

    Missing our own choice always fails. Missing a platform's figure fails where the figure is official;
    hearsay only warns, for such figures differ by category and grow old. *name* is the file's, where it has one.
    """
    with Image.open(io.BytesIO(content)) as image:
        return judge_measured(Measured(image, len(content)), placement, name)


def judge_measured(file: Measured, placement: Placement, name: str = "") -> tuple[Verdict, ...]:
    """The same of a file that is measured already."""
    platform = (judge_figure(file, figure) for figure in placement.figures if figure.is_judged)
    return (*judge_own(file, placement, name), *(verdict for verdict in platform if verdict is not None))
