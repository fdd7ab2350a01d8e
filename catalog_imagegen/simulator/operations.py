"""What each node class does in the simulator: values flow as in ComfyUI, only samplers paint."""

import asyncio
import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from catalog_imagegen.simulator.files import OutsideFolderError
from catalog_imagegen.simulator.nodes import ASPECT_RATIOS
from catalog_imagegen.simulator.sampling import Bench, Sampling, sample
from catalog_imagegen.simulator.scaling import SCALINGS
from catalog_imagegen.simulator.values import (
    Conditioning,
    Guider,
    Latent,
    Model,
    Pictures,
    Result,
    Sigmas,
    SimulatedFailure,
)

Inputs = dict[str, Any]
_SAVERS = {"SaveImage", "SaveImageAdvanced", "PreviewImage"}
_MODEL_LOADERS = {"UNETLoader": "unet_name", "CheckpointLoaderSimple": "ckpt_name"}


async def perform(kind: str, inputs: Inputs, bench: Bench) -> Result:
    """Run one node; raises what a real node of this kind would raise."""
    if kind in _SAMPLERS:
        latent = await sample(_SAMPLERS[kind](inputs), bench)
        return Result((latent, latent))
    if kind in _SAVERS:
        return await _save(kind, inputs, bench)
    if kind in _MODEL_LOADERS:
        model = Model(inputs[_MODEL_LOADERS[kind]])
        await bench.load(model)
        return Result((model, model.name, model.name))
    if kind == "LoadImage":
        return Result((await asyncio.to_thread(_load, bench.folders.input_file(inputs["image"])), None))
    if kind in SCALINGS:
        return Result(await asyncio.to_thread(SCALINGS[kind], inputs))
    return Result(_PLAIN[kind](inputs))


def _load(path: Path) -> Pictures:
    with Image.open(path) as opened:
        return (ImageOps.exif_transpose(opened).convert("RGB"),)


async def _save(kind: str, inputs: Inputs, bench: Bench) -> Result:
    images = inputs["images"]
    if not isinstance(images, tuple):
        raise SimulatedFailure("AttributeError", f"{type(images).__name__!r} object has no attribute 'shape'")
    if bench.faults.take("disk-full") or bench.is_told("disk-full"):
        place = bench.folders.root / "output" / f"{inputs.get('filename_prefix', '')}_00001_.png"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))
    if bench.faults.take("no-image") or bench.is_told("no-image"):
        return Result(may_be_cached=False)
    if kind == "SaveImageAdvanced" and inputs["format"] != "png":
        raise SimulatedFailure("RuntimeError", "the simulator saves PNG only; choose the format png")
    try:
        saved = await bench.folders.save(
            images,
            "ComfyUI_temp_simul" if kind == "PreviewImage" else inputs["filename_prefix"],
            texts=bench.texts(),
            kind="temp" if kind == "PreviewImage" else "output",
            tail="" if kind == "SaveImageAdvanced" else "_",
        )
    except OutsideFolderError as refused:
        raise SimulatedFailure("Exception", str(refused)) from None
    return Result((images,), {"images": saved})


def _ksampler(inputs: Inputs) -> Sampling:
    return Sampling(
        inputs["model"],
        inputs["positive"],
        inputs["latent_image"],
        seed=inputs["seed"],
        steps=inputs["steps"],
    )


def _ksampler_advanced(inputs: Inputs) -> Sampling:
    steps = min(inputs["end_at_step"], inputs["steps"]) - inputs["start_at_step"]
    return Sampling(
        inputs["model"],
        inputs["positive"],
        inputs["latent_image"],
        seed=inputs["noise_seed"],
        steps=max(steps, 1),
    )


def _custom(inputs: Inputs) -> Sampling:
    return Sampling(
        inputs["model"],
        inputs["positive"],
        inputs["latent_image"],
        seed=inputs["noise_seed"],
        steps=inputs["sigmas"].steps,
    )


def _custom_advanced(inputs: Inputs) -> Sampling:
    guider: Guider = inputs["guider"]
    return Sampling(
        guider.model,
        guider.positive,
        inputs["latent_image"],
        seed=inputs["noise"],
        steps=inputs["sigmas"].steps,
    )


_SAMPLERS: dict[str, Callable[[Inputs], Sampling]] = {
    "KSampler": _ksampler,
    "KSamplerAdvanced": _ksampler_advanced,
    "SamplerCustom": _custom,
    "SamplerCustomAdvanced": _custom_advanced,
}


def _resolution(inputs: Inputs) -> tuple[int, int]:
    across, down = ASPECT_RATIOS[inputs["aspect_ratio"]]
    unit = (inputs["megapixels"] * 1024 * 1024 / (across * down)) ** 0.5
    multiple = inputs["multiple"]
    return round(across * unit / multiple) * multiple, round(down * unit / multiple) * multiple


def _empty_latent(inputs: Inputs) -> tuple[Latent]:
    return (Latent.sized(inputs["width"], inputs["height"], inputs["batch_size"]),)


def _encoded(inputs: Inputs) -> tuple[Latent]:
    pixels: Pictures = inputs["pixels"]
    return (Latent.sized(*pixels[0].size, len(pixels), pixels),)


def _decoded(inputs: Inputs) -> tuple[Pictures]:
    latent: Latent = inputs["samples"]
    if latent.pictures:
        return (latent.pictures,)
    if latent.looks_at:  # encoded and never sampled
        return (latent.looks_at,)
    return ((Image.new("RGB", (latent.width, latent.height), (128, 128, 128)),) * latent.count,)


def _scaled_latent(latent: Latent, width: int, height: int) -> tuple[Latent]:
    sized = Latent.sized(width or latent.width, height or latent.height, latent.count)
    return (replace(sized, looks_at=latent.looks_at or latent.pictures),)


def _with_pictures(inputs: Inputs, text: str, *names: str) -> tuple[Conditioning]:
    """Encode a text that speaks of the first picture of each input among *names*."""
    return (Conditioning(text, tuple(inputs[name][0] for name in names if inputs.get(name))),)


def _controlled(inputs: Inputs) -> tuple[Model]:
    """Let a model look at a control picture, and at what it is to paint over."""
    seen = [inputs[name][0] for name in ("image", "inpaint_image") if inputs.get(name)]
    return (replace(inputs["model"], looks_at=(*inputs["model"].looks_at, *seen)),)


def _referenced(inputs: Inputs) -> tuple[Conditioning]:
    latent: Latent | None = inputs.get("latent")
    return (inputs["conditioning"].also(*(latent.looks_at or latent.pictures if latent else ())),)


def _same(*names: str) -> Callable[[Inputs], tuple[Any, ...]]:
    """Pass inputs through unchanged."""
    return lambda inputs: tuple(inputs[name] for name in names)


_PLAIN: dict[str, Callable[[Inputs], tuple[Any, ...]]] = {
    "CLIPLoader": _same("clip_name"),
    "DualCLIPLoader": _same("clip_name1"),
    "VAELoader": _same("vae_name"),
    "ModelPatchLoader": _same("name"),
    "ControlNetLoader": _same("control_net_name"),
    "LoraLoader": _same("model", "clip"),
    "LoraLoaderModelOnly": _same("model"),
    "ModelSamplingAuraFlow": _same("model"),
    "ModelSamplingSD3": _same("model"),
    "CFGNorm": _same("model"),
    "QwenImageDiffsynthControlnet": _controlled,
    "ZImageFunControlnet": _controlled,
    "CLIPTextEncode": lambda inputs: (Conditioning(inputs["text"]),),
    "TextEncodeQwenImageEdit": lambda inputs: _with_pictures(inputs, inputs["prompt"], "image"),
    "TextEncodeQwenImageEditPlus": lambda inputs: _with_pictures(
        inputs, inputs["prompt"], "image1", "image2", "image3"
    ),
    "ConditioningZeroOut": lambda inputs: (replace(inputs["conditioning"], is_zeroed=True),),
    "ConditioningCombine": _same("conditioning_1"),
    "FluxGuidance": _same("conditioning"),
    "FluxKontextMultiReferenceLatentMethod": _same("conditioning"),
    "ReferenceLatent": _referenced,
    "ControlNetApplyAdvanced": lambda inputs: (
        inputs["positive"].also(inputs["image"][0]),
        inputs["negative"],
    ),
    "EmptySD3LatentImage": _empty_latent,
    "EmptyLatentImage": _empty_latent,
    "EmptyFlux2LatentImage": _empty_latent,
    "RepeatLatentBatch": lambda inputs: (
        replace(inputs["samples"], count=inputs["samples"].count * inputs["amount"]),
    ),
    "LatentUpscale": lambda inputs: _scaled_latent(inputs["samples"], inputs["width"], inputs["height"]),
    "LatentUpscaleBy": lambda inputs: _scaled_latent(
        inputs["samples"],
        round(inputs["samples"].width * inputs["scale_by"]),
        round(inputs["samples"].height * inputs["scale_by"]),
    ),
    "SetLatentNoiseMask": _same("samples"),
    "VAEDecode": _decoded,
    "VAEDecodeTiled": _decoded,
    "VAEEncode": _encoded,
    "VAEEncodeForInpaint": _encoded,
    "KSamplerSelect": _same("sampler_name"),
    "BasicScheduler": lambda inputs: (Sigmas(inputs["steps"]),),
    "RandomNoise": _same("noise_seed"),
    "DisableNoise": lambda _: (0,),
    "CFGGuider": lambda inputs: (Guider(inputs["model"], inputs["positive"]),),
    "BasicGuider": lambda inputs: (Guider(inputs["model"], inputs["conditioning"]),),
    "PrimitiveInt": _same("value"),
    "PrimitiveFloat": _same("value"),
    "PrimitiveString": _same("value"),
    "PrimitiveStringMultiline": _same("value"),
    "PrimitiveBoolean": _same("value"),
    "StringConcatenate": lambda inputs: (inputs["delimiter"].join([inputs["string_a"], inputs["string_b"]]),),
    "ComfySwitchNode": lambda inputs: (inputs["on_true" if inputs["switch"] else "on_false"],),
    "ResolutionSelector": _resolution,
    "GetImageSize": lambda inputs: (*inputs["image"][0].size, len(inputs["image"])),
    "ImageBatch": lambda inputs: ((*inputs["image1"], *inputs["image2"]),),
    "Canny": _same("image"),
    "MaskToImage": _same("mask"),
    "ImageToMask": _same("image"),
    "GrowMask": _same("mask"),
    "SolidMask": lambda _: (None,),
    "EmptyImage": lambda inputs: (
        (Image.new("RGB", (inputs["width"], inputs["height"]), f"#{inputs['color']:06x}"),)
        * inputs["batch_size"],
    ),
}
PERFORMED = frozenset({"LoadImage", *_SAMPLERS, *_SAVERS, *_MODEL_LOADERS, *SCALINGS, *_PLAIN})
"""The node classes that can be run."""
