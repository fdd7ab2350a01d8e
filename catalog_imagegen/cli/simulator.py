"""The simulator command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog_imagegen.cli import show
from catalog_imagegen.domain.errors import ConfigError


def simulator(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8188,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="Seconds each picture takes.")] = 1.0,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Keep the placeholders here.", show_default=False)
    ] = None,
    faults: Annotated[
        list[str] | None, typer.Option("--faults", metavar="NAME[:COUNT]", help="Misbehave; may be repeated.")
    ] = None,
) -> None:
    """Serve ComfyUI's protocol without a GPU, painting marked placeholders, until Ctrl-C.

    Example: `catalog-imagegen simulator --port 8199 --seconds 0.5 --faults lose-reply`
    """
    from catalog_imagegen.simulator import serve_forever  # noqa: PLC0415 - slow to import

    try:
        serve_forever(
            host=host,
            port=port,
            seconds=seconds,
            folder=folder,
            faults=faults or (),
            on_ready=lambda url: show.out.print(f"simulator (placeholders only) at {url}"),
        )
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the simulator cannot start: {error}; choose another --port, or mend the option it names",
            zh=f"模拟器无法启动：{error}；请更换 --port 或修改相应选项",
            code="simulator_failed",
        ) from error
