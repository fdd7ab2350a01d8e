"""Converts a workflow file: where node declarations come from, and where the graph goes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from catalog_imagegen.adapters.comfyui.client import Address, Client, Unreachable
from catalog_imagegen.config.declarations import NodeInfos, api_graph, as_text, workflow_document
from catalog_imagegen.config.files import read_text
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.stages.conversion import LeftOut, is_ui_format, left_out


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of a file."""

    text: str
    """In API format."""
    nodes: int
    left_out: tuple[LeftOut, ...] = ()
    is_unchanged: bool = False
    """It was in API format already."""


def convert_file(file: Path, *, node_infos: NodeInfos | None, now: datetime) -> Conversion:
    """A workflow file of either format in API format; without *node_infos* with the packaged declarations.

    Raises ConfigError for a file that cannot be converted.
    """
    text = read_text(file)
    document = workflow_document(file.name, text)
    if not is_ui_format(document):
        return Conversion(text, len(document), is_unchanged=True)
    graph = api_graph(file.name, document, node_infos, now=now)
    return Conversion(as_text(graph), len(graph), tuple(left_out(document)))


def read_declarations(file: Path) -> NodeInfos:
    """What somebody kept of a server's ``/object_info``. Raises ConfigError."""
    try:
        return _declarations(json.loads(read_text(file)), str(file))
    except (ValueError, RecursionError) as error:
        raise _no_declarations(str(file)) from error


def fetch_declarations(url: str) -> NodeInfos:
    """What a server says of its nodes.

    Raises BackendUnavailable where nobody answers, ConfigError where it is no ComfyUI that does.
    """
    client = Client(Address(url))
    try:
        return _declarations(client.node_infos(), url)
    except Unreachable as error:
        if error.code == "not_comfyui":
            raise _no_declarations(url) from error
        raise BackendUnavailable(
            f"{url} cannot be asked for its nodes ({error}); start ComfyUI there, or leave out --server",
            zh=f"无法向 {url} 查询节点（{error}）；请启动该处的 ComfyUI，或去掉 --server",
            code="server_away",
        ) from error
    finally:
        client.close()


def _declarations(found: Any, place: str) -> NodeInfos:
    is_sound = isinstance(found, dict) and all(isinstance(b, dict) and "input" in b for b in found.values())
    if not is_sound or not found:
        raise _no_declarations(place)
    declarations: NodeInfos = found
    return declarations


def _no_declarations(place: str) -> ConfigError:
    return ConfigError(
        f"{place}: no node declarations; name a ComfyUI server, or a file with the answer of its /object_info",
        zh=f"{place}：其中没有节点定义；请指定 ComfyUI 服务器，或保存了其 /object_info 返回内容的文件",
        code="no_declarations",
    )
