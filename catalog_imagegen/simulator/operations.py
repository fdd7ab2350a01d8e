"""What each node class does in the simulator: values flow as in ComfyUI, only the sampler paints."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from catalog_imagegen.simulator.backlog import Item
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import Folders
from catalog_imagegen.simulator.nodes import ASPECT_RATIOS
from catalog_imagegen.simulator.paint import paint

TRIGGER = re.compile(r"\[\[(?P<name>oom-once|oom|error|black|exit|slow:(?P<seconds>\d+(?:\.\d+)?))\]\]")
LATENT_CELL = 8  # pixels per latent cell; sizes are cut down to whole cells
MARK = {"catalog-imagegen": "placeholder"}  # PNG text chunk that no real picture carries


class InterruptedPrompt(Exception):
    """The running prompt was told to stop."""


class SimulatedFailure(Exception):
    """A node fails as *kind*, the full name of the exception a real server would report."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Conditioning:
    """An encoded text; a zeroed one has no effect."""

    text: str
    is_zeroed: bool = False


@dataclass(frozen=True)
class Latent:
    """Pictures before decoding: their size in pixels, how many, and once sampled the pictures themselves."""

    width: int
    height: int
    count: int
    pictures: tuple[Image.Image, ...] = ()


@dataclass
class Memory:
    """The simulated GPU's memory: how often it was freed, and which texts ran out of it at which time."""

    times_freed: int = 0
    exhausted_by: dict[str, int] = field(default_factory=dict)

    def runs_out(self, text: str) -> bool:
        """Say whether *text* must wait for a POST /free that came after its first failure."""
        if self.exhausted_by.setdefault(text, self.times_freed) == self.times_freed:
            return True
        del self.exhausted_by[text]
        return False


@dataclass
class Workbench:
    """All a node may touch while one prompt runs.

    `progress(value, maximum, until)` reports a sampler step once `until` (time.monotonic) has come and raises
    InterruptedPrompt if the prompt is to stop.
    """

    item: Item
    folders: Folders
    faults: Faults
    memory: Memory
    seconds: float
    may_exit: bool
    progress: Callable[[int, int, float], None]
    started_sampling: Callable[[], None]

    def texts(self) -> dict[str, str]:
        """Give the text chunks of every PNG this prompt saves."""
        chunks: dict[str, Any] = {"prompt": self.item.graph, **self.item.extra_data.get("extra_pnginfo", {})}
        return {key: json.dumps(value) for key, value in chunks.items()} | MARK


@dataclass(frozen=True)
class Result:
    """A node's outputs, and for an output node what it shows: None if it shows nothing."""

    values: tuple[Any, ...] = ()
    shown: dict[str, Any] | None = None
    may_be_cached: bool = True


def perform(kind: str, inputs: dict[str, Any], bench: Workbench) -> Result:
    """Run one node; raises what a real node of this kind would raise."""
    if kind == "KSampler":
        return Result((_sample(inputs, bench),))
    if kind in {"SaveImage", "SaveImageAdvanced", "PreviewImage"}:
        return _save(kind, inputs, bench)
    if kind == "LoadImage":
        with Image.open(bench.folders.input_file(inputs["image"])) as opened:
            picture = opened.convert("RGB")
        return Result(((picture,), None))
    return Result(_PLAIN[kind](inputs))


def _resolution(inputs: dict[str, Any]) -> tuple[int, int]:
    across, down = ASPECT_RATIOS[inputs["aspect_ratio"]]
    unit = (inputs["megapixels"] * 1024 * 1024 / (across * down)) ** 0.5
    multiple = inputs["multiple"]
    return round(across * unit / multiple) * multiple, round(down * unit / multiple) * multiple


def _empty_latent(inputs: dict[str, Any]) -> tuple[Latent]:
    width, height = (inputs[side] // LATENT_CELL * LATENT_CELL for side in ("width", "height"))
    return (Latent(width, height, inputs["batch_size"]),)


def _encoded(inputs: dict[str, Any]) -> tuple[Latent]:
    width, height = (side // LATENT_CELL * LATENT_CELL for side in inputs["pixels"][0].size)
    return (Latent(width, height, len(inputs["pixels"])),)


_PLAIN: dict[str, Callable[[dict[str, Any]], tuple[Any, ...]]] = {
    "UNETLoader": lambda inputs: (inputs["unet_name"],),
    "CheckpointLoaderSimple": lambda inputs: (inputs["ckpt_name"],) * 3,
    "CLIPLoader": lambda inputs: (inputs["clip_name"],),
    "VAELoader": lambda inputs: (inputs["vae_name"],),
    "ModelPatchLoader": lambda inputs: (inputs["name"],),
    "LoraLoaderModelOnly": lambda inputs: (inputs["model"],),
    "ModelSamplingAuraFlow": lambda inputs: (inputs["model"],),
    "QwenImageDiffsynthControlnet": lambda inputs: (inputs["model"],),
    "CLIPTextEncode": lambda inputs: (Conditioning(inputs["text"]),),
    "ConditioningZeroOut": lambda inputs: (replace(inputs["conditioning"], is_zeroed=True),),
    "EmptySD3LatentImage": _empty_latent,
    "EmptyLatentImage": _empty_latent,
    "VAEDecode": lambda inputs: (inputs["samples"].pictures or _grey(inputs["samples"]),),
    "VAEEncode": _encoded,
    "PrimitiveInt": lambda inputs: (inputs["value"],),
    "PrimitiveString": lambda inputs: (inputs["value"],),
    "PrimitiveStringMultiline": lambda inputs: (inputs["value"],),
    "ResolutionSelector": _resolution,
    "GetImageSize": lambda inputs: (*inputs["image"][0].size, len(inputs["image"])),
    "Canny": lambda inputs: (inputs["image"],),
}


def _grey(latent: Latent) -> tuple[Image.Image, ...]:
    return (Image.new("RGB", (latent.width, latent.height), (128, 128, 128)),) * latent.count


def _save(kind: str, inputs: dict[str, Any], bench: Workbench) -> Result:
    images = inputs["images"]
    if not isinstance(images, tuple):
        raise SimulatedFailure("AttributeError", f"{type(images).__name__!r} object has no pixels")
    if bench.faults.take("no-image"):
        return Result(may_be_cached=False)
    if kind == "SaveImageAdvanced" and inputs["format"] != "png":
        raise SimulatedFailure("RuntimeError", "the simulator saves PNG only; choose the format png")
    folder = "temp" if kind == "PreviewImage" else "output"
    saved = bench.folders.save(
        list(images),
        "ComfyUI_temp_simul" if kind == "PreviewImage" else inputs["filename_prefix"],
        texts=bench.texts(),
        kind=folder,
        tail="" if kind == "SaveImageAdvanced" else "_",
    )
    return Result((images,), {"images": saved})


def _sample(inputs: dict[str, Any], bench: Workbench) -> Latent:
    """Paint, then hold the "GPU" for what is left of the time a picture takes."""
    begun = time.monotonic()
    bench.started_sampling()
    text: str = inputs["positive"].text
    latent: Latent = inputs["latent_image"]
    triggers = {match["name"].partition(":")[0]: match["seconds"] for match in TRIGGER.finditer(text)}
    seconds = float(triggers["slow"]) if "slow" in triggers else bench.seconds
    failure = next(_failures(text, triggers, bench), None)
    if failure is None:
        latent = replace(latent, pictures=tuple(_pictures(text, triggers, inputs, bench)))
    steps = inputs["steps"]
    for step in range(1, steps + 1):
        if failure and step > steps // 2:
            raise failure
        bench.progress(step, steps, begun + seconds * step / steps)
    return latent


def _failures(text: str, triggers: dict[str, str], bench: Workbench) -> Iterator[SimulatedFailure]:
    if "exit" in triggers and bench.may_exit:
        os._exit(1)  # the point is to die like a crashed server: no clean-up, no goodbye
    if "oom" in triggers or ("oom-once" in triggers and bench.memory.runs_out(text)):
        yield _out_of_memory()
    if "error" in triggers:
        yield _broken()
    if bench.faults.take("oom"):
        yield _out_of_memory()
    if bench.faults.take("error"):
        yield _broken()


def _out_of_memory() -> SimulatedFailure:
    message = (
        "Allocation on device 0 would exceed allowed memory. (out of memory)\n"
        "This error means you ran out of memory on your GPU.\n\n"
        "TIPS: If the workflow worked before you might have accidentally set the batch_size to a large number."
    )
    return SimulatedFailure("torch.OutOfMemoryError", message)


def _broken() -> SimulatedFailure:
    return SimulatedFailure("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (simulated)\n")


def _pictures(
    text: str, triggers: dict[str, str], inputs: dict[str, Any], bench: Workbench
) -> Iterator[Image.Image]:
    latent: Latent = inputs["latent_image"]
    width, height = latent.width, latent.height
    if bench.faults.take("small"):
        width, height = max(width // 2, LATENT_CELL), max(height // 2, LATENT_CELL)
    if bench.faults.take("black") or "black" in triggers:
        yield from (Image.new("RGB", (width, height)) for _ in range(latent.count))
        return
    job = bench.item.extra_data.get("extra_pnginfo", {}).get("job")
    job = job if isinstance(job, dict) else {}
    words = TRIGGER.sub("", text).strip()
    for position in range(latent.count):
        yield paint(
            words,
            width=width,
            height=height,
            seed=inputs["seed"] + position,
            name=str(job.get("name") or job.get("sku") or _first_words(words)),
            role=str(job.get("role") or ""),
            item=str(job.get("item") or ""),
        )


def _first_words(text: str) -> str:
    return re.split(r"[,，。;；\n]", text, maxsplit=1)[0].strip()[:24]
