"""Why a file cannot be converted; each reason names the node and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog_imagegen.domain.errors import ConfigError


class ConversionError(ConfigError):
    """A UI-format file, or one that should be, of which no API graph can be made."""


class UnknownClasses(ConversionError):
    """Nodes of classes that the node declarations lack; *near* has the names that could have been meant."""

    def __init__(self, places: Mapping[str, Sequence[str]], near: Mapping[str, Sequence[str]]) -> None:
        self.places = places
        self.listed_en = en = "; ".join(
            _listed(name, nodes, near.get(name, ())) for name, nodes in places.items()
        )
        self.listed_zh = zh = "；".join(
            _listed_zh(name, nodes, near.get(name, ())) for name, nodes in places.items()
        )
        super().__init__(
            f"node classes that ComfyUI does not have: {en}; install the nodes that bring them, or replace them",
            zh=f"ComfyUI 中没有这些节点类型：{zh}；请安装提供它们的节点包，或替换这些节点",
            code="conversion_unknown_class",
        )


def _listed(name: str, nodes: Sequence[str], near: Sequence[str]) -> str:
    hint = f", did you mean {' or '.join(near)}?" if near else ""
    return f"{name} ({', '.join(nodes)}{hint})"


def _listed_zh(name: str, nodes: Sequence[str], near: Sequence[str]) -> str:
    hint = f"，您是否想用 {' 或 '.join(near)}？" if near else ""
    return f"{name}（{'、'.join(nodes)}{hint}）"


def malformed(where: str, what_en: str, what_zh: str) -> ConversionError:
    """Something in the file is not as ComfyUI writes it."""
    return ConversionError(
        f"{where}: {what_en}; the file is damaged or was not written by ComfyUI: open it there, save it again "
        "and convert that",
        zh=f"{where}：{what_zh}；文件已损坏或并非由 ComfyUI 保存：请在 ComfyUI 中打开并重新保存后再转换",
        code="conversion_malformed",
    )
