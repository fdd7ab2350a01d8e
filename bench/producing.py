"""``python -m bench.producing``: one run of ours in a process of its own; reads an order, writes what it took."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.decoding import Decoding
from bench.pictures import new_pictures
from catalog_imagegen.bootstrap import Servers, init_workspace, open_house
from catalog_imagegen.config import Workspace
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.domain.job import Plan, PlannedPicture
from catalog_imagegen.pipeline.ports import Ledger
from catalog_imagegen.pipeline.produce import produce
from catalog_imagegen.pipeline.workshop import Made, Workshop

SHOP = 5_000
"""Pictures that the ledger knows besides those to be rendered: a table that is searched shows only when it is full."""
STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be rendered where."""

    urls: tuple[str, ...]
    pictures: int
    workflows: tuple[str, ...]

    def to_json(self) -> str:
        """For the other process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        """The inverse of ``to_json``."""
        told = json.loads(text)
        return cls(tuple(told["urls"]), told["pictures"], tuple(told["workflows"]))


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run cost this process."""

    cpu_s: float
    """Processor seconds, user and system, of all threads, while it produced."""
    decoding_s: float
    """Those of them that the picture decoder took."""
    peak_mb: float
    """The most memory the process ever had, with everything it imported."""


def make(order: Order) -> tuple[float, str, Spent]:
    """Render with a real ledger and real blobs; gives seconds, the prefix of the server's files, and what it cost."""
    wanted = new_pictures(order.pictures, workflows=order.workflows)
    stored: list[float] = []

    def on_made(made: Made) -> None:
        if made.outcome != "rendered":
            raise RuntimeError(f"the benchmark counts only pictures: {made.failure}")
        stored.append(time.monotonic())

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        init_workspace(Path(folder))
        with open_house(Workspace(Path(folder)), Servers(urls=order.urls)) as house, Decoding() as decoding:
            services = house.services
            _plan(wanted, services.ledger)
            shop = Workshop(
                ledger=services.ledger,
                blobs=services.blobs,
                backends=house.fleet.backends(wanted),
                run=services.ledger.begin_run("bench"),
                is_placeholder=services.is_placeholder,
                attempts=services.attempts,
                patience_s=services.patience_s,
                group_wait_s=services.group_wait_s,
                on_made=on_made,
            )
            began, cpu_began = time.monotonic(), time.process_time()
            produce(wanted, shop, threading.Event())
            cpu_s = time.process_time() - cpu_began
    if len(stored) != order.pictures:
        raise RuntimeError(f"{len(stored)} of {order.pictures} pictures were made; see the log")
    spent = Spent(cpu_s, decoding.seconds, peak_mb())
    return max(stored) - began, f"catalog-imagegen/{shop.run}/", spent


def _plan(wanted: Sequence[Wanted], ledger: Ledger) -> None:
    """Have the ledger know the pictures, as it does when a run comes to rendering, and many others."""
    others = new_pictures(SHOP, first=len(wanted))
    ledger.keep_plan(Plan(tuple(PlannedPicture(each, "render", "") for each in [*wanted, *others])))


def peak_mb() -> float:
    """The most memory this process ever had, in MB; where the kernel says it, without what it inherited."""
    if STATUS.exists():
        lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024 / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def main() -> None:
    """Carry out the order on standard input."""
    wall_s, prefix, spent = make(Order.from_json(sys.stdin.read()))
    json.dump({"wall_s": wall_s, "prefix": prefix, "spent": asdict(spent)}, sys.stdout)


if __name__ == "__main__":
    main()
