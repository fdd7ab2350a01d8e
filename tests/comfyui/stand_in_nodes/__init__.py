"""A custom-node pack that gives ComfyUI's heavy nodes cheap, deterministic bodies.

Only the bodies change: inputs, validation, queue, caching, history, events and files stay ComfyUI's own. So graphs
run on a CPU with empty model files, and a picture says by its pattern whether the prompt or the seed was another.

Environment:
    STAND_IN_SECONDS       how long one picture samples (default 1)
    STAND_IN_LOAD_SECONDS  what a change of the diffusion model costs (default 0)
    STAND_IN_PARENT        the process id to die with, so that a killed test run leaves no server behind

Triggers in the positive prompt:
    [[oom]]       the graphics memory runs out half way through
    [[oom-once]]  the same, but only the first time this server samples this text
    [[error]]     a RuntimeError half way through
    [[black]]     the run succeeds with a black picture, as fp16 overflows do
    [[noise]]     ... with random pixels, as a broken VAE gives
    [[uniform]]   ... with one colour that is not black, give or take 1
    [[small]]     ... with a picture half as wide and high
    [[no-image]]  ... without a picture
    [[disk-full]] saving fails for want of space
    [[slow:N]]    sampling takes N seconds; an interrupt ends it
    [[hang:N]]    nothing happens for N seconds, an interrupt neither
    [[exit]]      the server process dies at once
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.utils
import nodes
import torch
from comfy.cli_args import LatentPreviewMethod, args
from PIL import Image

from . import editing

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

SECONDS = float(os.environ.get("STAND_IN_SECONDS", "1"))
LOAD_SECONDS = float(os.environ.get("STAND_IN_LOAD_SECONDS", "0"))
PARENT = int(os.environ.get("STAND_IN_PARENT", "0"))

TRIGGER = re.compile(
    r"\[\[(oom|oom-once|error|black|noise|uniform|small|no-image|disk-full|slow|hang|exit)(?::([0-9.]+))?\]\]"
)
SPOILT = ("noise", "uniform", "small")
"""Triggers that the sampler hands on to the decoder."""
LATENT_CHANNELS = 16
PIXELS_PER_LATENT = 8
CELLS = 5

_texts_that_ran_out: set[str] = set()
_loaded_model: list[str] = []


@dataclass(frozen=True)
class StandIn:
    """What a loader would return: no weights, just everything that would change what they do."""

    facts: tuple[str, ...]

    def also(self, *facts: object) -> StandIn:
        """The same thing, patched."""
        return StandIn((*self.facts, *map(repr, facts)))


def load_diffusion_model(unet_name: str, **_: Any) -> tuple[StandIn]:
    """UNETLoader: costs time when another model was loaded before."""
    if _loaded_model != [unet_name]:
        time.sleep(LOAD_SECONDS)
        _loaded_model[:] = [unet_name]
    return (StandIn((unet_name,)),)


def load_text_encoder(clip_name: str, **_: Any) -> tuple[StandIn]:
    """CLIPLoader."""
    return (StandIn((clip_name,)),)


def load_vae(vae_name: str, **_: Any) -> tuple[StandIn]:
    """VAELoader."""
    return (StandIn((vae_name,)),)


def load_patch(name: str, **_: Any) -> tuple[StandIn]:
    """ModelPatchLoader."""
    return (StandIn((name,)),)


def shift_sampling(model: StandIn, shift: float, **_: Any) -> tuple[StandIn]:
    """ModelSamplingAuraFlow."""
    return (model.also("shift", shift),)


def add_lora(model: StandIn, lora_name: str, strength_model: float, **_: Any) -> tuple[StandIn]:
    """LoraLoaderModelOnly."""
    return (model.also("lora", lora_name, strength_model),)


def add_control(
    model: StandIn, model_patch: StandIn, image: torch.Tensor, strength: float, **_: Any
) -> tuple[StandIn]:
    """QwenImageDiffsynthControlnet: the control picture counts by its bytes."""
    picture = hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest()
    return (model.also("control", model_patch.facts, picture, strength),)


def encode_text(clip: StandIn, text: str, **_: Any) -> tuple[list[Any]]:
    """CLIPTextEncode: the conditioning is the text, byte by byte, so zeroing it out leaves no text."""
    encoded = torch.tensor([0, *text.encode()], dtype=torch.float32)
    return ([[encoded.reshape(1, -1, 1), {"encoder": clip.facts}]],)


def text_of(conditioning: list[Any]) -> str:
    """Invert ``encode_text``; several conditionings read as one text."""
    values = torch.cat([tensor.flatten() for tensor, _ in conditioning])
    return bytes(int(value) for value in values.tolist()).replace(b"\0", b"").decode(errors="replace")


def encode_picture(pixels: torch.Tensor, **_: Any) -> tuple[dict[str, torch.Tensor]]:
    """VAEEncode: a small copy of the picture in the first three channels."""
    small = torch.nn.functional.avg_pool2d(pixels[..., :3].movedim(-1, 1), PIXELS_PER_LATENT)
    count, colours, height, width = small.shape
    rest = torch.zeros(count, LATENT_CHANNELS - colours, height, width)
    return ({"samples": torch.cat([small, rest], dim=1)},)


def decode_picture(samples: dict[str, torch.Tensor], **_: Any) -> tuple[torch.Tensor]:
    """VAEDecode: the first three channels, enlarged."""
    small = samples["samples"][:, :3].movedim(1, -1).clamp(0, 1)
    count, height, width, colours = small.shape
    enlarged = PIXELS_PER_LATENT // 2 if "small" in samples else PIXELS_PER_LATENT
    spread = small[:, :, None, :, None].expand(-1, -1, enlarged, -1, enlarged, -1)
    large = spread.reshape(count, height * enlarged, width * enlarged, colours)
    if "noise" in samples:
        large = torch.rand(large.shape)
    if "uniform" in samples:
        large = torch.tensor([122, 116, 108]) + torch.randint(-1, 2, large.shape)
        large = (large + 0.5) / 255  # halves, because saving cuts off what is behind the point
    return (large,)


def save_pictures(saver: nodes.SaveImage, images: torch.Tensor, prompt: Any = None, **more: Any) -> Any:
    """SaveImage, unless a text of the graph wants it to save nothing or to fail."""
    told = {name for name, _ in TRIGGER.findall(json.dumps(prompt))}
    if "disk-full" in told:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.path.join(saver.output_dir, "picture.png"))  # noqa: PTH118
    return {} if "no-image" in told else _save_images(saver, images, prompt=prompt, **more)


def paint(digest: bytes, height: int, width: int) -> torch.Tensor:
    """A mirrored pattern on a light backdrop, (3, height, width) in 0..1, all of it drawn from *digest*."""
    byte = torch.tensor(list(digest), dtype=torch.float32) / 255
    top, bottom = 0.75 + 0.25 * byte[0:3], 0.75 + 0.25 * byte[3:6]
    down = torch.linspace(0, 1, height).reshape(1, height, 1)
    backdrop = (top.reshape(3, 1, 1) * (1 - down) + bottom.reshape(3, 1, 1) * down).repeat(1, 1, width)

    half = (byte[6:21] > 0.5).reshape(CELLS, 3)
    cells = torch.cat([half, half[:, :2].flip(1)], dim=1)
    cells[CELLS // 2, CELLS // 2] = True
    side = max(1, min(height, width) * 2 // 3)
    place = torch.arange(side) * CELLS // side
    inside = torch.zeros(height, width, dtype=torch.bool)
    y, x = (height - side) // 2, (width - side) // 2
    inside[y : y + side, x : x + side] = cells[place][:, place]

    return torch.where(inside, (0.6 * byte[21:24]).reshape(3, 1, 1), backdrop)


def fail_as_told(triggers: dict[str, float], text: str) -> None:
    """Raise what the triggers in *text* ask for."""
    if "oom" in triggers or ("oom-once" in triggers and text not in _texts_that_ran_out):
        _texts_that_ran_out.add(text)
        raise comfy.model_management.OOM_EXCEPTION(
            "Allocation on device 0 would exceed allowed memory. (out of memory)\n"
            "Currently allocated     : 14.60 GiB\nRequested               : 512.00 MiB\n"
            "Device limit            : 15.99 GiB"
        )
    if "error" in triggers:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied (77x768 and 2560x3840)")


def wait(until: float) -> None:
    """Pass the time as a sampler step does: an interrupt ends it."""
    comfy.model_management.throw_exception_if_processing_interrupted()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))
        comfy.model_management.throw_exception_if_processing_interrupted()


def preview_of(picture: torch.Tensor) -> tuple[str, Image.Image, int] | None:
    """What ComfyUI sends as a preview, or None where previews are off."""
    if args.preview_method == LatentPreviewMethod.NoPreviews:
        return None
    pixels = (picture.movedim(0, -1).clamp(0, 1) * 255).to(torch.uint8)
    return ("JPEG", Image.fromarray(pixels.numpy()), args.preview_size)


def sample(
    *,
    model: StandIn,
    seed: int,
    steps: int,
    cfg: float,
    sampler_name: str,
    scheduler: str,
    positive: list[Any],
    negative: list[Any],
    latent_image: dict[str, Any],
    denoise: float = 1.0,
    **_: Any,
) -> tuple[dict[str, Any]]:
    """KSampler: the picture is named by everything the real one reads."""
    text = text_of(positive)
    avoided = "" if cfg == 1 else text_of(negative)  # at cfg 1 the real sampler skips the negative pass
    triggers = {name: float(number or 0) for name, number in TRIGGER.findall(text)}
    source = latent_image["samples"]
    count, _channels, height, width = source.shape
    if "exit" in triggers:
        os._exit(3)
    if "hang" in triggers:
        time.sleep(triggers["hang"])

    began = time.monotonic()
    made_of = [*model.facts, seed, steps, cfg, sampler_name, scheduler, text, avoided, denoise]
    painted = torch.stack(
        [
            paint(hashlib.sha256(repr([*made_of, index]).encode()).digest(), height, width)
            for index in range(count)
        ]
    )
    result = torch.zeros_like(source)
    if "black" not in triggers:
        result[:, :3] = source[:, :3] * (1 - denoise) + painted * denoise

    progress = comfy.utils.ProgressBar(steps)
    seconds = triggers.get("slow", SECONDS * count)
    for step in range(steps):
        wait(began + seconds * (step + 1) / steps)  # by one clock: oversleeping must not add up
        if step == steps // 2:
            fail_as_told(triggers, text)
        progress.update_absolute(step + 1, steps, preview_of(result[0, :3]))
    spoilt = {name: True for name in SPOILT if name in triggers}
    return ({**latent_image, "samples": result, **spoilt},)


BODIES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "UNETLoader": load_diffusion_model,
    "CLIPLoader": load_text_encoder,
    "VAELoader": load_vae,
    "ModelPatchLoader": load_patch,
    "ModelSamplingAuraFlow": shift_sampling,
    "LoraLoaderModelOnly": add_lora,
    "QwenImageDiffsynthControlnet": add_control,
    "CLIPTextEncode": encode_text,
    "VAEEncode": encode_picture,
    "VAEDecode": decode_picture,
    "KSampler": sample,
    "CFGNorm": editing.normalise,
    "TextEncodeQwenImageEditPlus": editing.edit_with(encode_text),
}


def replace_body(node: type, body: Callable[..., tuple[Any, ...]]) -> None:
    """Make *node* run *body*, in whichever of ComfyUI's two node dialects it is written."""
    if hasattr(node, "define_schema"):
        from comfy_api.latest import io  # noqa: PLC0415  # older versions have neither this nor such nodes

        def execute(_cls: type, **inputs: Any) -> Any:
            return io.NodeOutput(*body(**inputs))

        node.execute = classmethod(execute)
    else:

        def method(_self: Any, **inputs: Any) -> tuple[Any, ...]:
            return body(**inputs)

        setattr(node, node.FUNCTION, method)


def die_with(parent: int) -> None:
    """End this process when *parent* is gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


for _name, _body in BODIES.items():
    if _name in nodes.NODE_CLASS_MAPPINGS:
        replace_body(nodes.NODE_CLASS_MAPPINGS[_name], _body)
    else:
        log.warning("this ComfyUI has no node %s to stand in for", _name)
_save_images = nodes.SaveImage.save_images
nodes.SaveImage.save_images = save_pictures
if PARENT:
    threading.Thread(target=die_with, args=(PARENT,), daemon=True).start()

NODE_CLASS_MAPPINGS: dict[str, type] = {}
