"""The real product: on pure white, cut out, placed in scenes, and measured against its photo."""

from catalog_imagegen.stages.product.box import Box, fill_ratio, margins, mask_box, off_centre, product_box
from catalog_imagegen.stages.product.composite import Composite, compose
from catalog_imagegen.stages.product.cutout import Cutout, Segment, cut_out
from catalog_imagegen.stages.product.fidelity import Fidelity, fidelity, fidelity_of
from catalog_imagegen.stages.product.lighting import Light, ShadowStyle, light_of
from catalog_imagegen.stages.product.reframe import Reframing, SafeZone, plan_reframing, reframe
from catalog_imagegen.stages.product.refusal import Refusal
from catalog_imagegen.stages.product.white import White, whiten

__all__ = [
    "Box",
    "Composite",
    "Cutout",
    "Fidelity",
    "Light",
    "Reframing",
    "Refusal",
    "SafeZone",
    "Segment",
    "ShadowStyle",
    "White",
    "compose",
    "cut_out",
    "fidelity",
    "fidelity_of",
    "fill_ratio",
    "light_of",
    "margins",
    "mask_box",
    "off_centre",
    "plan_reframing",
    "product_box",
    "reframe",
    "whiten",
]
