"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from catalog_imagegen.bootstrap import House, Servers, open_house
from catalog_imagegen.cli import show
from catalog_imagegen.config import Workspace
from catalog_imagegen.config.settings import sound_settings
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.language import spoken_here

WorkspaceDir = Annotated[
    Path,
    typer.Option(
        "--workspace",
        "-w",
        envvar="CATALOG_IMAGEGEN_WORKSPACE",
        help="The workspace; without this, the current folder.",
        show_default=False,
    ),
]
ComfyUI = Annotated[
    list[str] | None,
    typer.Option("--comfyui", metavar="URL", help="Render on this server instead; may be repeated."),
]
Simulate = Annotated[
    bool, typer.Option("--simulate", help="Paint marked placeholders without a GPU, kept apart.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
OutDir = Annotated[
    Path | None, typer.Option("--out", help="Write the listing folders here instead of into the workspace.")
]
Platforms = Annotated[
    list[str] | None, typer.Option("--platform", "-p", help="Only for this platform; may be repeated.")
]
Roles = Annotated[list[str] | None, typer.Option("--role", "-r", help="Only this role; may be repeated.")]
Skus = Annotated[list[str] | None, typer.Option("--sku", "-s", help="Only this SKU; may be repeated.")]
Catalog = Annotated[
    str, typer.Argument(help="A spreadsheet, CSV or SQLite file, or a database URL (…#table).")
]
Table = Annotated[str, typer.Option("--table", help="The table or sheet, if there are several.")]
Encoding = Annotated[
    str, typer.Option("--encoding", help="Of a CSV file, where the guess is wrong: gb18030, big5…")
]
Password = Annotated[
    str,
    typer.Option(
        "--password",
        envvar="CATALOG_IMAGEGEN_PASSWORD",
        help="Opens a spreadsheet that was saved with a password.",
        show_default=False,
    ),
]
Profile = Annotated[
    str,
    typer.Option(
        "--profile", help="Read it by this import profile, else by the one that fits; none: by none."
    ),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N products.")]


def servers(comfyui: list[str] | None, *, simulate: bool) -> Servers:
    """Where to render; naming a server and simulating exclude each other."""
    if comfyui and simulate:
        raise ConfigError(
            "--simulate and --comfyui exclude each other; leave one out",
            zh="--simulate 与 --comfyui 不能同时使用；请去掉其中一个",
            code="simulate_and_comfyui",
        )
    check_urls("--comfyui", comfyui or ())
    return Servers(tuple(comfyui or ()), simulate)


def check_urls(option: str, urls: Iterable[str]) -> None:
    """Raises ConfigError for what is no address of a server."""
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(
                f"{option} {url}: write it as http://HOST:PORT",
                zh=f"{option} {url}：请写成 http://主机:端口",
                code="wrong_url",
            )


def workspace(folder: Path, out: Path | None = None) -> Workspace:
    """The workspace a command works in, whose settings may say which language we speak."""
    place = Workspace(folder.resolve(), out=out.resolve() if out else None)
    code = sound_settings(place).language
    show.speak(spoken_here() if code == "auto" else code)
    return place


@contextmanager
def house(folder: Path, servers: Servers, *, out: Path | None = None) -> Iterator[House]:
    """An open workspace."""
    with open_house(workspace(folder, out), servers) as found:
        yield found
