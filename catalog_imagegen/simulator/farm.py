"""Several simulators in one process, on one event loop."""

import contextlib
import itertools
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from catalog_imagegen.simulator.faults import read_all
from catalog_imagegen.simulator.loop import LoopThread
from catalog_imagegen.simulator.simulator import Simulator
from catalog_imagegen.simulator.stock import Stock


class Farm:
    """*servers* simulators; *speeds* are dealt out in turn, and speed 3 is three times as fast.

    Ports follow on *port*, or are free ones with 0. With a *folder* each server has one of its own below it, named by
    its number. Everything else is as for one `Simulator`.
    """

    def __init__(
        self,
        servers: int,
        *,
        port: int = 0,
        speeds: Sequence[float] = (1.0,),
        seconds: float = 0.05,
        load_seconds: float = 0.0,
        folder: Path | None = None,
        faults: Sequence[str] = (),
        **options: Any,
    ) -> None:
        if servers < 1 or not speeds or min(speeds) <= 0:
            raise ValueError(
                "a farm needs a server at least, and speeds above 0, as in servers=8, speeds=(1, 1, 3)"
            )
        _refuse_strangers(faults, servers)
        shared = {"loop": LoopThread(), "stock": Stock(), "faults": faults, **options}
        self.simulators = [
            Simulator(
                port=port and port + place,
                seconds=seconds / speed,
                load_seconds=load_seconds / speed,
                folder=folder and (folder if servers == 1 else folder / str(place + 1)),
                number=place + 1,
                **shared,
            )
            for place, speed in zip(range(servers), itertools.cycle(speeds), strict=False)
        ]

    @property
    def urls(self) -> list[str]:
        """The addresses, once started."""
        return [simulator.url for simulator in self.simulators]

    def __getitem__(self, place: int) -> Simulator:
        return self.simulators[place]

    def __iter__(self) -> Iterator[Simulator]:
        return iter(self.simulators)

    def __len__(self) -> int:
        return len(self.simulators)

    def start(self) -> None:
        """Start them all; raises OSError if a port is taken, and then none runs."""
        with contextlib.ExitStack() as started:
            for simulator in self.simulators:
                started.enter_context(simulator)
            started.pop_all()

    def stop(self) -> None:
        """Stop them all; safe to call twice."""
        for simulator in self.simulators:
            simulator.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _refuse_strangers(faults: Sequence[str], servers: int) -> None:
    """Raise ValueError for a fault of a server that is not there."""
    for wish in read_all(faults)[0]:
        if wish.is_for_some and wish.servers.stop - 1 > servers:
            raise ValueError(f"{wish.text!r} is for server {wish.servers.stop - 1}, but there are {servers}")


def serve_forever(farm: Farm, *, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; *on_ready* is told each address. Call it from the main thread."""
    asked_to_stop = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        asked_to_stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with farm:
            for url in farm.urls:
                on_ready(url)
            asked_to_stop.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
