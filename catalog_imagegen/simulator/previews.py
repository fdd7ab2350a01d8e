"""Previews of what the sampler is at, as a prompt may ask for them."""

import io
from functools import lru_cache
from typing import Any

from PIL import Image

from catalog_imagegen.simulator.backlog import Item
from catalog_imagegen.simulator.versions import Version

OFF = {None, "none", "default"}


def wanted(item: Item, version: Version) -> bytes | None:
    """Give the preview *item* asks for: one small grey JPEG for all; None if it asks for none."""
    if not version.sends_previews or item.extra_data.get("preview_method") in OFF:
        return None
    return _jpeg()


@lru_cache(maxsize=1)
def _jpeg() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).save(out, "JPEG")
    return out.getvalue()


def metadata(prompt_id: str, node_id: str) -> dict[str, Any]:
    """Describe a preview to who asked for that."""
    return {
        "node_id": node_id,
        "prompt_id": prompt_id,
        "display_node_id": node_id,
        "parent_node_id": None,
        "real_node_id": node_id,
        "image_type": "image/jpeg",
    }
