"""What happens while a sampler runs: time passes, mishaps strike, at the end there is a placeholder."""

import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from catalog_imagegen.simulator import stock
from catalog_imagegen.simulator.backlog import Item
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import Folders
from catalog_imagegen.simulator.paint import paint
from catalog_imagegen.simulator.values import (
    LATENT_CELL,
    Clock,
    Conditioning,
    InterruptedPrompt,
    Latent,
    Memory,
    Model,
    SimulatedFailure,
)

TRIGGER = re.compile(
    r"\[\[(?P<name>oom-once|oom|error|black|noise|uniform|blurred|overexposed|small|no-image|disk-full|exit"
    r"|(?:slow|hang):(?P<seconds>\d+(?:\.\d+)?))\]\]"
)
SPOILT = {
    "black": stock.black,
    "noise": stock.noise,
    "uniform": stock.uniform,
    "blurred": stock.blurred,
    "overexposed": stock.overexposed,
}
PAINTED = "painted"
"""What a picture that a sampler painted carries while a prompt runs: a sampler that refines it shows no photo."""
MARK = {"catalog-imagegen": "placeholder"}  # PNG text chunk that no real picture carries


class ServerDied(BaseException):
    """The process was killed in the middle of a prompt and comes back after *down_s*."""

    def __init__(self, down_s: float) -> None:
        super().__init__()
        self.down_s = down_s


@dataclass
class Machine:
    """The simulated computer: what its nodes work with."""

    folders: Folders
    faults: Faults
    clock: Clock
    seconds: float
    load_seconds: float
    may_exit: bool
    stock: stock.Stock | None
    """Pictures made once per size; None paints each one."""
    drop_sockets: Callable[[], None]
    stall_sockets: Callable[[float], None]
    memory: Memory = field(default_factory=Memory)


@dataclass
class Bench:
    """All a node may touch while one prompt runs.

    `progress(value, maximum, until)` reports a sampler step once `until` (time.monotonic) has come and raises
    InterruptedPrompt if the prompt is to stop.
    """

    item: Item
    machine: Machine
    progress: Callable[[int, int, float], Awaitable[None]]
    started_sampling: Callable[[], None]

    @property
    def folders(self) -> Folders:
        """The server's folders."""
        return self.machine.folders

    @property
    def faults(self) -> Faults:
        """The server's mishaps."""
        return self.machine.faults

    def texts(self) -> dict[str, str]:
        """Give the text chunks of every PNG this prompt saves."""
        chunks: dict[str, Any] = {"prompt": self.item.graph, **self.item.extra_data.get("extra_pnginfo", {})}
        return {key: json.dumps(value) for key, value in chunks.items()} | MARK

    def is_told(self, trigger: str) -> bool:
        """Say whether a text of the graph carries *trigger*."""
        texts = (value for node in self.item.graph.values() for value in node["inputs"].values())
        return any(isinstance(text, str) and f"[[{trigger}]]" in text for text in texts)

    async def load(self, model: Model) -> None:
        """Load a diffusion model, which takes its time unless it is the loaded one."""
        memory = self.machine.memory
        if memory.loaded != model.name:
            await asyncio.sleep(self.machine.load_seconds)
            memory.loaded = model.name


@dataclass(frozen=True)
class Sampling:
    """What a sampler is asked for, whichever node it is."""

    model: Model
    positive: Conditioning
    latent: Latent
    seed: int
    steps: int


async def sample(wanted: Sampling, bench: Bench) -> Latent:
    """Paint, then hold the "GPU" for what is left of the time the pictures take."""
    text = wanted.positive.text
    triggers = {match["name"].partition(":")[0]: match["seconds"] for match in TRIGGER.finditer(text)}
    bench.started_sampling()
    await bench.load(wanted.model)
    begun = time.monotonic()
    if stall_s := bench.faults.amount("ws-stall"):
        bench.machine.stall_sockets(stall_s)
    mishaps: list[Strike] = []
    for is_fatal, strike in _mishaps(text, triggers, bench):
        mishaps.append(strike)
        if is_fatal:
            break  # what else might have happened waits for another time
    else:
        is_fatal = False
    latent = wanted.latent
    if not is_fatal:
        pictures = [await _picture(wanted, triggers, bench, place) for place in range(latent.count)]
        latent = replace(latent, pictures=tuple(pictures))
    seconds = float(triggers["slow"]) if "slow" in triggers else bench.machine.seconds * latent.count
    for step in range(1, wanted.steps + 1):
        if step == wanted.steps // 2 + 1:
            for strike in mishaps:
                if (lost_s := await strike()) is not None:
                    begun += lost_s
        await bench.progress(step, wanted.steps, begun + seconds * step / wanted.steps)
    return latent


Strike = Callable[[], Awaitable[float | None]]


def _mishaps(text: str, triggers: dict[str, str], bench: Bench) -> Iterator[tuple[bool, Strike]]:
    """Give what is to happen half-way: whether it ends the prompt, and the mishap itself."""
    if "exit" in triggers and bench.machine.may_exit:
        os._exit(1)  # the point is to die like a crashed server: no clean-up, no goodbye
    faults, machine = bench.faults, bench.machine
    if faults.take("ws-drop"):
        yield False, _doing(machine.drop_sockets)
    if (jump_s := faults.amount("clock-jump")) is not None:
        yield False, _doing(lambda: machine.clock.jump(jump_s))
    hang_s = faults.amount("hang") or float(triggers.get("hang", 0))
    if hang_s:
        yield False, _hanging(hang_s)
    if (down_s := faults.amount("die")) is not None:
        yield True, _raising(ServerDied(down_s))
    if faults.take("interrupted"):
        yield True, _raising(InterruptedPrompt())
    is_exhausted = "oom" in triggers or ("oom-once" in triggers and machine.memory.runs_out(text))
    if faults.take("oom") or is_exhausted:
        yield True, _raising(_out_of_memory())
    if faults.take("error") or "error" in triggers:
        yield (
            True,
            _raising(
                SimulatedFailure("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (simulated)")
            ),
        )


def _doing(act: Callable[[], None]) -> Strike:
    async def strike() -> None:
        act()

    return strike


def _raising(failure: BaseException) -> Strike:
    async def strike() -> None:
        raise failure

    return strike


def _hanging(seconds: float) -> Strike:
    async def strike() -> float:
        await asyncio.sleep(seconds)
        return seconds

    return strike


def _out_of_memory() -> SimulatedFailure:
    message = (
        "Allocation on device 0 would exceed allowed memory. (out of memory)\n"
        "This error means you ran out of memory on your GPU.\n\n"
        "TIPS: If the workflow worked before you might have accidentally set the batch_size to a large number."
    )
    return SimulatedFailure("torch.OutOfMemoryError", message)


async def _picture(wanted: Sampling, triggers: dict[str, str], bench: Bench, place: int) -> Image.Image:
    """Make the picture at *place* of the batch, spoilt if a fault or a trigger says so."""
    faults = bench.faults
    width, height = wanted.latent.width, wanted.latent.height
    if faults.take("small") or "small" in triggers:
        width, height = max(width // 2, LATENT_CELL), max(height // 2, LATENT_CELL)
    kept = bench.machine.stock
    for name, make in SPOILT.items():
        if faults.take(name) or name in triggers:
            return (
                await kept.picture(make, width, height)
                if kept
                else await asyncio.to_thread(make, width, height)
            )
    if kept:
        return await kept.picture(stock.photo, width, height)
    return await asyncio.to_thread(_painted, wanted, bench.item, width, height, place)


def _painted(wanted: Sampling, item: Item, width: int, height: int, place: int) -> Image.Image:
    job = item.extra_data.get("extra_pnginfo", {}).get("job")
    job = job if isinstance(job, dict) else {}
    words = TRIGGER.sub("", wanted.positive.text).strip()
    seen = (*wanted.positive.looks_at, *wanted.latent.looks_at, *wanted.model.looks_at)
    picture = paint(
        words,
        width=width,
        height=height,
        seed=wanted.seed + place,
        name=str(job.get("name") or job.get("sku") or _first_words(words)),
        role=str(job.get("role") or ""),
        item=str(job.get("item") or ""),
        photos=[photo for photo in seen if PAINTED not in photo.info],
    )
    picture.info[PAINTED] = True
    return picture


def _first_words(words: str) -> str:
    return re.split(r"[,，。;；\n]", words, maxsplit=1)[0].strip()[:24]
