"""The command that converts workflow files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from catalog_imagegen.bootstrap import write_file
from catalog_imagegen.bootstrap.conversion import (
    Conversion,
    convert_file,
    fetch_declarations,
    read_declarations,
)
from catalog_imagegen.cli import options, show
from catalog_imagegen.config.declarations import PACKAGED_VERSION, NodeInfos
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.language import mark
from catalog_imagegen.stages.conversion import LeftOut

NAMED_AT_MOST = 12
"""Nodes of a kind that are named; the rest is counted."""
WHYS = {
    "muted": mark("muted, left out: {nodes}"),
    "bypassed": mark("bypassed, links go past them: {nodes}"),
    "note": mark("notes, left out: {nodes}"),
}
"""What is said of nodes that are not sent."""


def convert(
    file: Annotated[Path, typer.Argument(help="A workflow as ComfyUI's Save button writes it.")],
    server: Annotated[
        str, typer.Option("--server", metavar="URL", help="Ask this ComfyUI server what its nodes take.")
    ] = "",
    object_info: Annotated[
        Path | None,
        typer.Option("--object-info", metavar="FILE", help="A file with the answer of /object_info instead."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the graph to this file, not to stdout."),
    ] = None,
    workspace: options.WorkspaceDir = Path(),
) -> None:
    """Convert a workflow from the UI format, which ComfyUI saves, to the API format, which it runs.

    Without a server it goes by the nodes of ComfyUI that are packaged. A file in API format stays as it is.

    Example: `catalog-imagegen workflow convert my_graph.json --out config/workflows/my_graph.json`
    """
    options.workspace(workspace)
    if out and out.resolve() == file.resolve():
        raise ConfigError(
            f"--out {out} is the workflow itself, whose drawing would be lost; name another file",
            zh=f"--out {out} 就是该工作流文件本身，覆盖后界面布局会丢失；请指定其他文件",
            code="same_file",
        )
    node_infos = _declarations(server, object_info)
    found = convert_file(file, node_infos=node_infos, now=datetime.now().astimezone())
    _remark(file, found, is_packaged=node_infos is None)
    if out is None:
        sys.stdout.write(found.text if found.text.endswith("\n") else f"{found.text}\n")
        return
    write_file(out, found.text.encode())
    _say(show.words().tr("{count} nodes written to {file}", count=found.nodes, file=out))


def _declarations(server: str, object_info: Path | None) -> NodeInfos | None:
    if server and object_info:
        raise ConfigError(
            "--server and --object-info exclude each other; leave one out",
            zh="--server 与 --object-info 不能同时使用；请去掉其中一个",
            code="server_and_object_info",
        )
    if server and not server.startswith(("http://", "https://")):
        raise ConfigError(
            f"--server {server}: write it as http://HOST:PORT",
            zh=f"--server {server}：请写成 http://主机:端口",
            code="wrong_url",
        )
    if server:
        return fetch_declarations(server)
    return read_declarations(object_info) if object_info else None


def _remark(file: Path, found: Conversion, *, is_packaged: bool) -> None:
    """What to know about the result, beside it."""
    tr = show.words().tr
    if found.is_unchanged:
        _say(tr("{file} is in API format already and stays as it is", file=file))
        return
    if is_packaged:
        _say(tr("by the nodes of ComfyUI {version}; --server URL asks your own", version=PACKAGED_VERSION))
    for why, text in WHYS.items():
        if nodes := [left for left in found.left_out if left.why == why]:
            _say(tr(text, nodes=_named(nodes)))


def _named(nodes: Sequence[LeftOut]) -> str:
    tr = show.words().tr
    names = [left.node for left in nodes[:NAMED_AT_MOST]]
    if rest := len(nodes) - len(names):
        names.append(tr("{count} more", count=rest))
    return tr(", ").join(names)


def _say(text: str) -> None:
    show.err.print(Text(text), soft_wrap=True)
