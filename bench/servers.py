"""What is measured on: a real ComfyUI where one can be had, simulators in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests

from bench.clients import TIMEOUT_S, Timing
from tests.comfyui.peer import ComfyUI, PeerError, ensure_peer

STOP_S = 10.0
"""How long simulators may take to end."""


@dataclass(frozen=True, slots=True)
class Site:
    """One server or several."""

    urls: tuple[str, ...]
    label: str
    is_simulated: bool = False


@contextmanager
def comfyui(*, seconds: float, load_seconds: float = 0.0) -> Iterator[Site]:
    """The server COMFYUI_URL names, else a ComfyUI of our own, else a simulator.

    *seconds*: what a picture samples; *load_seconds*: what a change of the model costs. A named server takes its own time.
    """
    if named := os.environ.get("COMFYUI_URL"):
        yield Site((named.rstrip("/"),), f"ComfyUI {_version(named)} named by COMFYUI_URL")
        return
    with tempfile.TemporaryDirectory(prefix="bench-comfyui-") as folder:
        try:
            own = ComfyUI(Path(folder), seconds=seconds, load_seconds=load_seconds, peer=ensure_peer())
            own.start()
        except (PeerError, OSError) as error:
            why = str(error).splitlines()[0]
        else:
            with own:
                yield Site(
                    (own.url,), f"ComfyUI {_version(own.url)} on the CPU, {_takes(seconds, load_seconds)}"
                )
            return
    with simulators(1, seconds=seconds, load_seconds=load_seconds) as site:
        yield Site(site.urls, f"{site.label}; no ComfyUI can be started here: {why}", is_simulated=True)


@contextmanager
def simulators(
    count: int, *, seconds: float, speeds: Sequence[float] = (1,), load_seconds: float = 0.0
) -> Iterator[Site]:
    """So many simulated servers in one other process; *speeds* are given to them in turn."""
    words = [
        "--port",
        "0",
        "--bench",
        "--servers",
        f"{count}",
        "--speeds",
        ",".join(f"{s:g}" for s in speeds),
    ]
    words += ["--seconds", f"{seconds:g}", "--load-seconds", f"{load_seconds:g}"]
    command = [sys.executable, "-m", "catalog_imagegen", "simulator", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = [process.stdout.readline() for _ in range(count)] if process.stdout else []
            urls = tuple(line.split()[-1] for line in told if line.strip())
            if len(urls) != count:
                raise RuntimeError("the simulator does not start; see above")
            at = f", speeds {':'.join(f'{s:g}' for s in speeds)}" if len(set(speeds)) > 1 else ""
            what = "simulated server" if count == 1 else f"{count} simulated servers"
            yield Site(urls, f"{what}, {_takes(seconds, load_seconds)}{at}", is_simulated=True)
        finally:
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()


def with_idle(timing: Timing, site: Site, pictures: int) -> Timing:
    """A run on one server, with how much of the time that had nothing to do, by its history and its own clock."""
    (url,) = site.urls
    history = requests.get(f"{url}/history", params={"max_items": 2 * pictures}, timeout=TIMEOUT_S).json()
    made = sorted(_times(entry) for entry in history.values() if _is_of(entry["prompt"][2], timing.prefix))
    if len(made) != pictures:
        raise RuntimeError(
            f"{len(made)} executions in the history instead of {pictures}; is somebody else there?"
        )
    wall_ms = 1000 * timing.wall_s
    executing_ms = sum(ended - started for started, ended, _ in made)
    around_ms = wall_ms - (made[-1][1] - made[0][0])
    between_ms = sum(max(0, queued - ended) for (_, ended, _), (_, _, queued) in pairwise(made))
    return replace(timing, idle=1 - executing_ms / wall_ms, unfed=(around_ms + between_ms) / wall_ms)


def _times(entry: dict[str, Any]) -> tuple[int, int, int]:
    """When a prompt was started, ended and put into the queue, in ms."""
    events = dict(entry["status"]["messages"])
    started = events["execution_start"]["timestamp"]
    return (
        started,
        events["execution_success"]["timestamp"],
        entry["prompt"][3].get("create_time", started),
    )


def _is_of(graph: dict[str, Any], prefix: str) -> bool:
    return any(str(node["inputs"].get("filename_prefix", "")).startswith(prefix) for node in graph.values())


def _takes(seconds: float, load_seconds: float) -> str:
    change = f", {load_seconds:g} s a change of models" if load_seconds else ""
    return f"{seconds:g} s a picture{change}"


def _version(url: str) -> str:
    stats = requests.get(f"{url.rstrip('/')}/system_stats", timeout=TIMEOUT_S).json()
    return str(stats["system"].get("comfyui_version", "?"))
