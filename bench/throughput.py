"""Thirty pictures on one ComfyUI: ours against plain clients with two and with three threads."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from bench.clients import TIMEOUT_S, Client, OurClient, PlainClient, Timing
from catalog_imagegen.simulator import Simulator
from tests.comfyui.peer import ComfyUI, PeerError, ensure_peer

PICTURES, SIZE, SECONDS, REPEATS = 30, 1024, 0.5, 3
TWO, THREE, OURS = PlainClient(2), PlainClient(3), OurClient()
CLIENTS: Sequence[Client] = (TWO, THREE, OURS)

AT_MOST_OF_TWO = 0.84
"""Ours may take this share of the time of the plain client with two threads."""
AT_MOST_OF_THREE = 1.0
AT_MOST_IDLE = 0.04
"""Share of the time in which the server may execute nothing."""

console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Server:
    """What is measured on."""

    url: str
    label: str
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """One client's runs."""

    wall_s: tuple[float, ...]
    idle: tuple[float, ...]
    """1 - (sum of execution times by the server's own clock) / wall time."""
    median_s: float
    median_idle: float


@contextmanager
def server(seconds: float) -> Iterator[Server]:
    """The server COMFYUI_URL names, else a ComfyUI of our own, else the simulator."""
    if named := os.environ.get("COMFYUI_URL"):
        yield Server(named.rstrip("/"), f"ComfyUI {_version(named)} named by COMFYUI_URL")
        return
    with tempfile.TemporaryDirectory(prefix="bench-comfyui-") as folder:
        try:
            own = ComfyUI(Path(folder), seconds=seconds, peer=ensure_peer())
            own.start()
        except (PeerError, OSError) as error:
            console.print(f"no ComfyUI can be started here: {error}", style="yellow", markup=False)
        else:
            with own:
                label = f"ComfyUI {_version(own.url)} on the CPU, a stand-in sampler that takes {seconds:g} s"
                yield Server(own.url, label)
            return
    with Simulator(seconds=seconds) as simulator:
        yield Server(simulator.url, f"SIMULATOR, not ComfyUI: {seconds:g} s a picture", is_simulated=True)


def _version(url: str) -> str:
    stats = requests.get(f"{url.rstrip('/')}/system_stats", timeout=TIMEOUT_S).json()
    return str(stats["system"].get("comfyui_version", "?"))


def measure(at: Server, clients: Sequence[Client], *, repeats: int, pictures: int) -> dict[str, Measured]:
    """Let the clients take turns, so that whatever else the machine does hits all of them."""
    timings: dict[str, list[Timing]] = {client.name: [] for client in clients}
    idle: dict[str, list[float]] = {client.name: [] for client in clients}
    _once(TWO, at, pictures=2)  # the first pictures load what the others find loaded
    for repeat in range(repeats):
        for client in clients:
            timing = _once(client, at, pictures=pictures)
            timings[client.name].append(timing)
            idle[client.name].append(1 - _executing_s(at, timing, pictures) / timing.wall_s)
            share = f"{idle[client.name][-1]:.1%}"
            console.print(f"{repeat + 1}/{repeats}  {client.name:<20} {timing.wall_s:6.2f} s, idle {share}")
    return {
        name: Measured(
            wall_s=tuple(round(t.wall_s, 3) for t in made),
            idle=tuple(round(share, 4) for share in idle[name]),
            median_s=round(statistics.median(t.wall_s for t in made), 3),
            median_idle=round(statistics.median(idle[name]), 4),
        )
        for name, made in timings.items()
    }


def _once(client: Client, at: Server, *, pictures: int) -> Timing:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return client.run(at.url, pictures=pictures, size=SIZE, folder=Path(folder))


def _executing_s(at: Server, timing: Timing, pictures: int) -> float:
    """How long the server executed the pictures of a run, one after the other, by its history."""
    history = requests.get(f"{at.url}/history", params={"max_items": 2 * pictures}, timeout=TIMEOUT_S).json()
    total_ms, found = 0.0, 0
    for entry in history.values():
        graph = entry["prompt"][2]
        if any(str(n["inputs"].get("filename_prefix", "")).startswith(timing.prefix) for n in graph.values()):
            events = dict(entry["status"]["messages"])
            total_ms += events["execution_success"]["timestamp"] - events["execution_start"]["timestamp"]
            found += 1
    if found != pictures:
        raise RuntimeError(
            f"{found} executions in the history instead of {pictures}; is somebody else there?"
        )
    return total_ms / 1000


def conclusions(measured: dict[str, Measured]) -> list[tuple[str, float, float]]:
    """What ours is held to: (claim, figure, limit)."""
    ours = measured[OURS.name]
    return [
        (f"ours / {TWO.name}", ours.median_s / measured[TWO.name].median_s, AT_MOST_OF_TWO),
        (f"ours / {THREE.name}", ours.median_s / measured[THREE.name].median_s, AT_MOST_OF_THREE),
        ("ours: idle, nothing executing", ours.median_idle, AT_MOST_IDLE),
    ]


def show(at: Server, measured: dict[str, Measured], *, pictures: int) -> None:
    """Two tables: what was measured, and what that means."""
    table = Table(title=f"{pictures} pictures, {SIZE}×{SIZE} · {at.label}", title_justify="left")
    for name in ("client", "median s", "runs, s", "idle", "per min"):
        table.add_column(name, justify="left" if name == "client" else "right")
    for name, result in measured.items():
        runs = " ".join(f"{seconds:.2f}" for seconds in result.wall_s)
        rate = f"{pictures / result.median_s * 60:.0f}"
        table.add_row(name, f"{result.median_s:.2f}", runs, f"{result.median_idle:.1%}", rate)
    console.print(table)
    table = Table(box=None)
    for name in ("", "figure", "target", "met"):
        table.add_column(name, justify="left" if not name else "right")
    for claim, figure, limit in conclusions(measured):
        met = "[green]yes[/]" if figure <= limit else "[red]no[/]"
        table.add_row(claim, f"{figure:.3f}", f"≤ {limit:.2f}", met)
    console.print(table)


def document(at: Server, measured: dict[str, Measured], *, pictures: int, repeats: int) -> dict[str, Any]:
    """Everything as JSON."""
    return {
        "server": at.label,
        "is_simulated": at.is_simulated,
        "pictures": pictures,
        "size": [SIZE, SIZE],
        "repeats": repeats,
        "machine": {"cpus": os.cpu_count(), "load_average": [round(load, 2) for load in os.getloadavg()]},
        "clients": {name: asdict(result) for name, result in measured.items()},
        "targets": [
            {"claim": claim, "figure": round(figure, 4), "at_most": limit, "met": figure <= limit}
            for claim, figure, limit in conclusions(measured)
        ],
    }


def main() -> None:
    """Measure, show and write down."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="where the JSON goes")
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="what one picture samples")
    args = parser.parse_args()
    with server(args.seconds) as at:
        console.print(at.label, style="bold yellow" if at.is_simulated else "bold")
        measured = measure(at, CLIENTS, repeats=args.repeats, pictures=args.pictures)
    show(at, measured, pictures=args.pictures)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    result = document(at, measured, pictures=args.pictures, repeats=args.repeats)
    args.out.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {args.out}")
