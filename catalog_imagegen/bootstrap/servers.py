"""The render servers of one command."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.config import ServerSettings, Settings
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.domain.imaging import Wanted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Servers:
    """Where to render: named servers, or a simulator in this process."""

    urls: tuple[str, ...] = ()
    """Named on the command line; empty means those of the settings."""
    simulate: bool = False


class Fleet:
    """The servers of one command, greeted when they are first needed."""

    def __init__(self, servers: Servers, settings: Settings, stack: ExitStack) -> None:
        self._servers = servers
        self._settings = settings
        self._stack = stack
        self._greeted: list[ComfyUIBackend] = []

    def is_simulated(self) -> bool:
        """Whether the servers named on the command line are simulators; asks them."""
        named = [ServerSettings(url=url) for url in self._servers.urls]
        return self._servers.simulate or self._greet(named)

    def backends(self, pictures: Sequence[Wanted]) -> Sequence[ComfyUIBackend]:
        """The servers that answer and can render these pictures.

        Raises BackendUnavailable when none answers, ConfigError for what one lacks.
        """
        if not self._greeted:
            self._greet_configured()
        graphs = {picture.workflow: picture.graph for picture in pictures}
        usable, absent = [], []
        for backend in self._greeted:
            try:
                _check_equipment(backend, graphs)
                usable.append(backend)
            except BackendUnavailable as error:
                log.warning("%s", error.message_en)
                absent.append(error)
        if absent and not usable:
            raise absent[0]
        return usable

    def _greet_configured(self) -> None:
        if self._servers.simulate:
            from catalog_imagegen.simulator import Simulator  # noqa: PLC0415 - slow to import

            simulator = self._stack.enter_context(Simulator(seconds=0.0))
            self._greet([ServerSettings(url=simulator.url)])
        elif self._greet(self._settings.comfyui):
            urls = " ".join(f"--comfyui {backend.name}" for backend in self._greeted)
            raise ConfigError(
                "config/app.toml names a simulator, whose placeholders are kept apart from pictures; "
                f"say --simulate or {urls}",
                zh=f"config/app.toml 中配置的是模拟器，样张与真实图片分开存放；请使用 --simulate 或 {urls}",
                code="simulator_configured",
            )

    def _greet(self, servers: Sequence[ServerSettings]) -> bool:
        """Find out who answers, and whether they are simulators.

        Raises BackendUnavailable when nobody does, ConfigError when both kinds do.
        """
        kinds, absent = set(), []
        for server in servers:
            backend = ComfyUIBackend(
                server.url,
                in_flight=server.in_flight,
                patience_s=self._settings.patience_s,
                job_timeout_s=self._settings.job_timeout_s,
            )
            self._stack.callback(backend.close)
            try:
                kinds.add(backend.greet())
                self._greeted.append(backend)
            except BackendUnavailable as error:
                absent.append(error)
        if not kinds and absent:
            raise absent[0]
        for away in absent:
            log.warning("%s", away.message_en)
        if len(kinds) > 1:
            raise ConfigError(
                "simulators and real servers are named together; placeholders never mix with pictures, "
                "so name only one kind",
                zh="同时指定了模拟器和真实服务器；样张不能与真实图片混用，请只指定一种",
                code="mixed_servers",
            )
        return True in kinds


def _check_equipment(backend: ComfyUIBackend, graphs: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ConfigError for what a server lacks to run these workflows."""
    for workflow, graph in graphs.items():
        if problems := backend.missing(graph):
            raise ConfigError(
                f"{backend.name} cannot run the workflow {workflow}: " + "; ".join(map(str, problems)),
                zh=f"{backend.name} 无法运行工作流 {workflow}："
                + "；".join(f"{problem.message_zh}：{problem.remedy_zh}" for problem in problems),
                code="server_lacks",
            )
