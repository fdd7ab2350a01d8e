"""What servers lack to run a workflow: nodes, model files, a newer ComfyUI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.adapters.comfyui.answers import Condition, version_of
from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.adapters.comfyui.client import Address
from catalog_imagegen.adapters.comfyui.equipment import Missing
from catalog_imagegen.config import ServerSettings, Settings, expand
from catalog_imagegen.domain.errors import BackendUnavailable
from catalog_imagegen.stages.workflow import REFERENCES, Gate, Workflow, unmet

_ANY_PHOTO = f"{'0' * 64}.png"
"""Named as a photo that is brought to the server before the graph is."""


@dataclass(frozen=True, slots=True)
class Survey:
    """How one server stands to one workflow."""

    url: str
    condition: Condition | None = None
    lacks: tuple[Missing, ...] = ()
    trouble: BackendUnavailable | None = None
    """It does not answer, so nothing else is known."""


def survey(workflow: Workflow, urls: Sequence[str], settings: Settings) -> list[Survey]:
    """Ask each of these servers for what a workflow needs; those that the settings know are asked as they say."""
    known = {server.url.rstrip("/"): server for server in settings.comfyui}
    return [
        _survey(workflow, known.get(url.rstrip("/"), ServerSettings(url=url))) for url in dict.fromkeys(urls)
    ]


def _survey(workflow: Workflow, server: ServerSettings) -> Survey:
    with closing(ComfyUIBackend(address_of(server), patience_s=0)) as backend:
        try:
            condition = backend.inspect()
            return Survey(backend.name, condition, tuple(lacking(backend, condition, workflow)))
        except BackendUnavailable as error:
            return Survey(backend.name, trouble=error)


def address_of(server: ServerSettings) -> Address:
    """Where a server is, and what to say to be let in. Raises ConfigError for a variable that is not set."""
    place = f"config/app.toml: comfyui {server.url}"
    headers = {name: expand(value, place=place) for name, value in server.headers.items()}
    return Address(server.url, headers, server.ca_file)


def lacking(backend: ComfyUIBackend, condition: Condition, workflow: Workflow) -> list[Missing]:
    """What a server lacks to run a workflow. Raises BackendUnavailable."""
    version, _ = version_of({"system": {"comfyui_version": condition.version}})
    too_old = [_too_old(gate, condition.version) for gate in unmet(workflow, version)]
    return [*too_old, *backend.missing(asked_of(workflow))]


def asked_of(workflow: Workflow) -> Mapping[str, Any]:
    """The graph as servers get it: with a photo that is brought there, where the file has any name."""
    return workflow.bind(dict.fromkeys(REFERENCES, _ANY_PHOTO))


def _too_old(gate: Gate, version: str) -> Missing:
    return Missing(
        f"ComfyUI {gate.version}: {gate.feature}",
        f"ComfyUI {version} cannot run {gate.feature} ({gate.version} is the first that can)",
        f"ComfyUI {version} 不支持 {gate.feature}（自 {gate.version} 起支持）",
        "update ComfyUI",
        "请升级 ComfyUI",
    )
