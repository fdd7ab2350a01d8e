"""Paints one placeholder: a plausible composition, unmistakably marked."""

from PIL import Image

from catalog_imagegen.simulator.lettering import write_caption, write_mark
from catalog_imagegen.simulator.palette import product_colour, product_shape
from catalog_imagegen.simulator.scenes import scene

SMALLEST = 64  # below this there is no room for a composition or for letters


def paint(
    text: str, *, width: int, height: int, seed: int, name: str, role: str, item: str = ""
) -> Image.Image:
    """Paint what *text* asks for, as far as its colour and product words go; the same inputs, the same pixels.

    *name*, *role* and *item* are written at the foot; an unknown or empty role looks like the main picture.
    """
    words = f"{name} {text}"
    shape, colour = product_shape(words), product_colour(words, seed)
    half = max(width // 2, SMALLEST), max(height // 2, SMALLEST)
    canvas = scene(role, shape, colour, half, seed).resize((width, height), Image.Resampling.BILINEAR)
    if min(width, height) >= SMALLEST:
        write_mark(canvas)
        write_caption(canvas, name=name, role=role, item=item)
    return canvas
