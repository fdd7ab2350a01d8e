"""What flows between the simulator's nodes, standing for models, texts, latents and masks."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

Pictures = tuple[Image.Image, ...]
LATENT_CELL = 8  # pixels per latent cell; sizes are cut down to whole cells


@dataclass(frozen=True)
class Model:
    """A diffusion model, and the pictures that patches let it look at."""

    name: str
    looks_at: Pictures = ()


@dataclass(frozen=True)
class Conditioning:
    """An encoded text with the pictures it speaks of; a zeroed one has no effect."""

    text: str
    looks_at: Pictures = ()
    is_zeroed: bool = False

    def also(self, *pictures: Image.Image) -> "Conditioning":
        """Let it speak of more pictures."""
        return replace(self, looks_at=(*self.looks_at, *pictures))


@dataclass(frozen=True)
class Latent:
    """Pictures before decoding: their size in pixels, how many, what they were encoded from or sampled into."""

    width: int
    height: int
    count: int
    looks_at: Pictures = ()
    pictures: Pictures = ()

    @classmethod
    def sized(cls, width: int, height: int, count: int, looks_at: Pictures = ()) -> "Latent":
        """Cut the size down to whole cells."""
        cells = [max(side // LATENT_CELL, 1) * LATENT_CELL for side in (width, height)]
        return cls(cells[0], cells[1], count, looks_at)


@dataclass(frozen=True)
class Guider:
    """What a custom sampler follows."""

    model: Model
    positive: Conditioning


@dataclass(frozen=True)
class Sigmas:
    """The steps of a schedule."""

    steps: int


@dataclass
class Clock:
    """The server's clock, which may be wrong."""

    skewed_s: Callable[[], float] = lambda: 0.0
    jumped_s: float = 0.0

    def jump(self, seconds: float) -> None:
        """Put it forward, or back."""
        self.jumped_s += seconds

    def now_ms(self) -> int:
        """Give the time it shows."""
        return int((time.time() + self.skewed_s() + self.jumped_s) * 1000)


@dataclass
class Memory:
    """The simulated GPU's memory: what is loaded, how often it was freed, which texts ran out of it when."""

    loaded: str | None = None
    times_freed: int = 0
    exhausted_by: dict[str, int] = field(default_factory=dict)

    def free(self) -> None:
        """Unload everything."""
        self.loaded = None
        self.times_freed += 1

    def runs_out(self, text: str) -> bool:
        """Say whether *text* must wait for a POST /free that came after its first failure."""
        if self.exhausted_by.setdefault(text, self.times_freed) == self.times_freed:
            return True
        del self.exhausted_by[text]
        return False


@dataclass(frozen=True)
class Result:
    """A node's outputs, and for an output node what it shows: None if it shows nothing."""

    values: tuple[Any, ...] = ()
    shown: dict[str, Any] | None = None
    may_be_cached: bool = True


class InterruptedPrompt(Exception):
    """The running prompt was told to stop."""


class SimulatedFailure(Exception):
    """A node fails as *kind*, the full name of the exception a real server would report."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
