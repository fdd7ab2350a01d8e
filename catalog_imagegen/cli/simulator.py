"""The simulator command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog_imagegen.cli import show
from catalog_imagegen.domain.errors import ConfigError


def simulator(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Of the first server; 0 takes free ones.")
    ] = 8188,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="Seconds each picture takes.")] = 1.0,
    load_seconds: Annotated[
        float, typer.Option("--load-seconds", min=0, help="Seconds a change of the model takes.")
    ] = 0.0,
    servers: Annotated[int, typer.Option("--servers", min=1, help="How many, on ports that follow.")] = 1,
    speeds: Annotated[
        str,
        typer.Option(
            "--speeds", help="How fast each is, in turn: 1,1,3 makes every third three times as fast."
        ),
    ] = "1",
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Keep the placeholders here.", show_default=False)
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option("--faults", metavar="FAULT", help="Misbehave, see docs/simulator.md; may be repeated."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Makes faults by chance repeatable.", show_default=False)
    ] = None,
    version: Annotated[str, typer.Option("--version", help="Of ComfyUI: 0.33.0 or 0.3.75.")] = "0.33.0",
    vram_gb: Annotated[
        float, typer.Option("--vram-gb", min=1, help="Graphics memory it claims to have.")
    ] = 24.0,
    bench: Annotated[
        bool,
        typer.Option("--bench", help="Paint once per size, keep pictures in memory: costs next to nothing."),
    ] = False,
) -> None:
    """Serve ComfyUI's protocol without a GPU, painting marked placeholders, until Ctrl-C.

    Example: `catalog-imagegen simulator --servers 3 --speeds 1,1,3 --faults 1/oom%2 --faults 3/ws-deaf`
    """
    from catalog_imagegen.simulator import Farm, serve_forever  # noqa: PLC0415 - slow to import

    try:
        farm = Farm(
            servers,
            speeds=_figures(speeds),
            host=host,
            port=port,
            seconds=seconds,
            load_seconds=load_seconds,
            folder=folder,
            faults=faults or (),
            seed=seed,
            version=version,
            vram_gb=vram_gb,
            bench=bench,
            is_own_process=True,
        )
        serve_forever(farm, on_ready=lambda url: show.out.print(f"simulator (placeholders only) at {url}"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the simulator cannot start: {error}; choose another --port, or mend the option it names",
            zh=f"模拟器无法启动：{error}；请更换 --port 或修改相应选项",
            code="simulator_failed",
        ) from error


def _figures(speeds: str) -> list[float]:
    try:
        return [float(speed) for speed in speeds.split(",")]
    except ValueError:
        raise ValueError(f"--speeds {speeds!r} is no list of figures, as 1,1,3 is") from None
