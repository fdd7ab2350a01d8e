"""Cheap bodies for the nodes with which Qwen-Image-Edit is driven; the picture to be edited counts by its bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from . import StandIn


def normalise(model: StandIn, strength: float, **_: Any) -> tuple[StandIn]:
    """CFGNorm."""
    return (model.also("cfg norm", strength),)


def edit_with(encode: Callable[..., tuple[list[Any]]]) -> Callable[..., tuple[list[Any]]]:
    """TextEncodeQwenImageEditPlus: the text, and behind it the names of the pictures that it speaks of."""

    def body(
        clip: StandIn,
        prompt: str,
        image1: torch.Tensor | None = None,
        image2: torch.Tensor | None = None,
        image3: torch.Tensor | None = None,
        **_: Any,
    ) -> tuple[list[Any]]:
        names = [digest_of(image) for image in (image1, image2, image3) if image is not None]
        return encode(clip, " ".join([prompt, *names]))

    return body


def digest_of(image: torch.Tensor) -> str:
    """Name a picture by its bytes."""
    return hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest()
