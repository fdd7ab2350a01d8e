"""The packaged declarations of ComfyUI's nodes, with which UI-format files are read without a server."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.conversion import ConversionError, UnknownClasses, convert, is_ui_format

NodeInfos = Mapping[str, Mapping[str, Any]]

PACKAGED = Path(__file__).with_name("node_declarations.json.gz")
"""What ``/object_info`` of ComfyUI says of 156 classes for pictures, without names of model files."""
PACKAGED_VERSION = "0.33.0"
"""The ComfyUI that said it."""


@cache
def packaged_declarations() -> NodeInfos:
    """Node declarations as ``/object_info`` has them, facts only. Not to be changed: all callers share them."""
    found: NodeInfos = json.loads(gzip.decompress(PACKAGED.read_bytes()))
    return found


def api_graph_text(name: str, text: str) -> str:
    """The text of a workflow file in API format: as it is, or converted where it is UI format.

    What is neither is left as it is, for whoever reads API graphs to complain about. The same text gives
    the same result, so dates in file names stay tokens. Raises ConfigError for a file that cannot be converted.
    """
    try:
        document = json.loads(text)
    except ValueError:
        return text
    except RecursionError as error:
        raise _too_deep(name) from error
    return as_text(api_graph(name, document)) if is_ui_format(document) else text


def api_graph(
    name: str,
    document: Mapping[str, Any],
    node_infos: NodeInfos | None = None,
    *,
    now: datetime | None = None,
) -> dict[str, Any]:
    """The API graph of a UI-format document, by default with the packaged declarations.

    *now* is for dates in file names. Raises ConfigError that names the file.
    """
    try:
        return convert(document, packaged_declarations() if node_infos is None else node_infos, now=now)
    except UnknownClasses as error:
        raise (_ask_a_server(name, error) if node_infos is None else _in_file(name, error)) from error
    except ConversionError as error:
        raise _in_file(name, error) from error


def as_text(graph: Mapping[str, Any]) -> str:
    """An API graph as a file has it."""
    return json.dumps(graph, ensure_ascii=False, indent=2) + "\n"


def workflow_document(name: str, text: str) -> Mapping[str, Any]:
    """A workflow file of either format. Raises ConfigError for any other."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConfigError(
            f"workflow {name}: not JSON ({error}); save it again in ComfyUI",
            zh=f"工作流 {name}：不是有效的 JSON（{error}）；请在 ComfyUI 中重新保存",
            code="workflow_not_json",
        ) from error
    except RecursionError as error:
        raise _too_deep(name) from error
    if not is_ui_format(document) and not is_api_format(document):
        raise ConfigError(
            f"workflow {name}: neither UI format (a list of nodes) nor API format (node id → class_type and inputs); "
            "save it in ComfyUI with Workflow → Save",
            zh=f"工作流 {name}：既不是界面格式（节点列表），也不是 API 格式（节点编号 → class_type 与 inputs）；"
            "请在 ComfyUI 中用「工作流 → 保存」保存",
            code="workflow_wrong_format",
        )
    found: Mapping[str, Any] = document
    return found


def is_api_format(document: object) -> bool:
    """Whether this is a graph as ``/prompt`` takes it."""
    return (
        isinstance(document, dict)
        and bool(document)
        and all(isinstance(body, dict) and "class_type" in body for body in document.values())
    )


def _in_file(name: str, error: ConversionError) -> ConfigError:
    return ConfigError(
        f"workflow {name}: {error.message_en}", zh=f"工作流 {name}：{error.message_zh}", code=error.code
    )


def _ask_a_server(name: str, error: UnknownClasses) -> ConfigError:
    command = "catalog-imagegen workflow convert FILE --server URL --out FILE"
    return ConfigError(
        f"workflow {name}: it is in UI format and uses node classes that are not known here: {error.listed_en}; "
        f"convert it with the server that has them: {command}",
        zh=f"工作流 {name}：它是界面格式，且使用了此处未知的节点类型：{error.listed_zh}；"
        f"请用装有这些节点的服务器转换：{command}",
        code=error.code,
    )


def _too_deep(name: str) -> ConfigError:
    return ConfigError(
        f"workflow {name}: nested too deep to be a workflow; save it again in ComfyUI",
        zh=f"工作流 {name}：嵌套过深，不是工作流；请在 ComfyUI 中重新保存",
        code="conversion_malformed",
    )
