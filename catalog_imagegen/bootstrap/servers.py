"""The render servers of one command."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from catalog_imagegen.adapters.comfyui.answers import Condition
from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.adapters.comfyui.client import Address
from catalog_imagegen.adapters.comfyui.equipment import Missing
from catalog_imagegen.config import ServerSettings, Settings, expand
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.domain.job import Capacity

log = logging.getLogger(__name__)

GB = 1e9
PATIENCE_S = 5.0
"""Seconds that one call waits for a server before it is left alone for a while; the run has patience of its own."""
DEFAULT_IN_FLIGHT = 3


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
        self._backends: list[ComfyUIBackend] = []
        self._absent: dict[str, BackendUnavailable] = {}

    def is_simulated(self) -> bool:
        """Whether the servers named on the command line are simulators; asks them."""
        configured = {server.url.rstrip("/"): server for server in self._settings.comfyui}
        named = [configured.get(url.rstrip("/"), ServerSettings(url=url)) for url in self._servers.urls]
        return self._servers.simulate or self._greet(named)

    def all(self) -> Sequence[ComfyUIBackend]:
        """Every server that answers, whatever it can render. Raises BackendUnavailable when none does."""
        if not self._backends:
            self._greet_configured()
        else:
            self._look_for_the_absent()
        present = [backend for backend in self._backends if backend.name not in self._absent]
        if not present:
            raise next(iter(self._absent.values()))
        return present

    def at(self, url: str) -> ComfyUIBackend:
        """The server of a URL, configured or not, answering or not."""
        for backend in self._backends:
            if backend.name == url:
                return backend
        configured = {server.url.rstrip("/"): server for server in self._settings.comfyui}
        return self._open(configured.get(url, ServerSettings(url=url)))

    def backends(self, pictures: Sequence[Wanted]) -> Sequence[ComfyUIBackend]:
        """The servers to render these pictures on; those that are away may come back.

        Raises BackendUnavailable when none answers, ConfigError for a workflow that none can run.
        """
        graphs = {picture.workflow: picture.graph for picture in pictures}
        lacking: dict[str, list[tuple[ComfyUIBackend, list[Missing]]]] = {}
        present = list(self.all())
        for backend in list(present):
            try:
                problems = {name: backend.missing(graph) for name, graph in graphs.items()}
            except BackendUnavailable as error:
                log.warning("%s", error.message_en)
                self._absent[backend.name] = error
                present.remove(backend)
                continue
            unfit = {name for name, found in problems.items() if found}
            others = backend.capacity.unfit - problems.keys()
            backend.capacity = replace(backend.capacity, unfit=others | unfit)
            for name in unfit:
                lacking.setdefault(name, []).append((backend, problems[name]))
        if not present:
            raise next(iter(self._absent.values()))
        for name, found in lacking.items():
            _check_somebody_can(name, found, [*present, *self._absent])
        return self._backends

    def _look_for_the_absent(self) -> None:
        """Servers that were away for an earlier part of this command may be there now."""
        for backend in self._backends:
            if backend.name in self._absent:
                with suppress(BackendUnavailable):
                    backend.probe()
                    del self._absent[backend.name]

    def _hang_up(self) -> None:
        """Let all listeners end at once; closing waits for each."""
        for backend in self._backends:
            backend.hang_up()

    def _greet_configured(self) -> None:
        if self._servers.simulate:
            from catalog_imagegen.simulator import Simulator  # noqa: PLC0415 - slow to import

            simulator = self._stack.enter_context(Simulator(seconds=0.0))
            self._greet([ServerSettings(url=simulator.url)])
        elif self._greet(self._settings.comfyui):
            urls = " ".join(f"--comfyui {backend.name}" for backend in self._backends)
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
        kinds: set[bool] = set()
        try:
            opened = [(server, self._open(server)) for server in servers]
        finally:
            self._stack.callback(self._hang_up)
        for server, backend in opened:
            try:
                seen = backend.greet()
            except BackendUnavailable as error:
                self._absent[backend.name] = error
                continue
            kinds.add(seen.is_simulator)
            backend.capacity = _capacity(server, seen, self._settings)
        if not kinds and self._absent:
            self._backends.clear()
            absent = dict(self._absent)
            self._absent.clear()
            raise next(iter(absent.values()))
        if len(kinds) > 1:
            raise ConfigError(
                "simulators and real servers are named together; placeholders never mix with pictures, "
                "so name only one kind",
                zh="同时指定了模拟器和真实服务器；样张不能与真实图片混用，请只指定一种",
                code="mixed_servers",
            )
        for backend in self._backends:
            backend.must_be_simulator = True in kinds
        for away in self._absent.values():
            log.warning("%s", away.message_en)
        return True in kinds

    def _open(self, server: ServerSettings) -> ComfyUIBackend:
        place = f"config/app.toml: comfyui {server.url}"
        if server.ca_file and not Path(server.ca_file).is_file():
            raise ConfigError(
                f"{place}: there is no ca_file {server.ca_file}; name the PEM file of its authority with its whole path",
                zh=f"{place}：找不到 ca_file {server.ca_file}；请填写证书机构 PEM 文件的完整路径",
                code="ca_file_missing",
            )
        backend = ComfyUIBackend(
            Address(
                server.url,
                {name: expand(value, place=place) for name, value in server.headers.items()},
                server.ca_file,
            ),
            capacity=_capacity(server, None, self._settings),
            patience_s=min(PATIENCE_S, self._settings.patience_s),
            stall_s=self._settings.stall_s,
            job_timeout_s=self._settings.job_timeout_s,
        )
        backend.measure = lambda seen: _capacity(server, seen, self._settings)
        self._stack.callback(backend.close)
        self._backends.append(backend)
        return backend


def _capacity(server: ServerSettings, seen: Condition | None, settings: Settings) -> Capacity:
    """What a server may be given: its own table, then what its memory allows."""
    vram_gb = max((device.vram_total / GB for device in seen.devices), default=0.0) if seen else 0.0
    rule = next((rule for rule in settings.vram if 0 < vram_gb < rule.below_gb), None)
    by_memory = rule.in_flight if rule else None
    return Capacity(
        in_flight=server.in_flight or by_memory or DEFAULT_IN_FLIGHT,
        max_megapixels=rule.max_megapixels if rule else None,
        vram_gb=vram_gb,
        tags=server.tags,
        only_for=frozenset(server.workflows),
    )


def _check_somebody_can(
    workflow: str, lacking: Sequence[tuple[ComfyUIBackend, list[Missing]]], servers: Sequence[object]
) -> None:
    """A server that lacks something is not used for that workflow; one that is away may have it when it comes back.

    Raises ConfigError when none is left for it.
    """
    backend, problems = lacking[0]
    en = f"{backend.name} cannot run the workflow {workflow}: " + "; ".join(map(str, problems))
    if len(lacking) < len(servers):
        log.warning("%s", en)
        return
    raise ConfigError(
        en,
        zh=f"{backend.name} 无法运行工作流 {workflow}："
        + "；".join(f"{problem.message_zh}：{problem.remedy_zh}" for problem in problems),
        code="server_lacks",
    )
