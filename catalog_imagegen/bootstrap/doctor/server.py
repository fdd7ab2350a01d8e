"""Checks of the render servers, and of what each lacks for the workflows in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from catalog_imagegen.adapters.comfyui.answers import Condition
from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.adapters.comfyui.equipment import Missing
from catalog_imagegen.bootstrap.doctor.equipment import address_of, asked_of, lacking
from catalog_imagegen.bootstrap.doctor.finding import Finding, fine, wrong
from catalog_imagegen.bootstrap.doctor.prompts import workflows_in_use
from catalog_imagegen.config import ServerSettings, Settings, Workspace
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.stages.workflow import Workflow

GIB = 2**30
ANSWER_S = 10.0
"""What servers have for all their answers. The client waits longer, and for one that drips bytes without end."""

Found = SimpleQueue[Finding | Exception | None]
"""What is found while it is being found; None when that was all."""


def examine_servers(
    workspace: Workspace, settings: Settings, urls: Sequence[str], *, only_named: bool = False
) -> Iterator[Finding]:
    """Each configured server, or those at *urls*; with *only_named* the configured are never looked at."""
    workflows, _ = workflows_in_use(workspace)
    configured = {} if only_named else {server.url.rstrip("/"): server for server in settings.comfyui}
    named = [configured.get(url.rstrip("/"), ServerSettings(url=url)) for url in dict.fromkeys(urls)]
    deadline = monotonic() + ANSWER_S
    servers = named or configured.values()
    looks = {server.url: _look(server, workflows, is_configured=not urls) for server in servers}
    for url, found in looks.items():
        yield from _in_time(url, found, deadline)


def _look(server: ServerSettings, workflows: Mapping[str, Workflow], *, is_configured: bool) -> Found:
    """Begin to look at a server, in a thread that nobody has to wait for."""
    found = Found()
    wanted = {name: w for name, w in workflows.items() if not server.workflows or name in server.workflows}

    def look() -> None:
        try:
            with closing(ComfyUIBackend(address_of(server), patience_s=0)) as backend:
                for finding in _server(backend, wanted, is_configured=is_configured):
                    found.put(finding)
            found.put(None)
        except ConfigError as error:
            found.put(wrong("server", server.url, error))
            found.put(None)
        except Exception as error:  # noqa: BLE001  # raised where it is waited for
            found.put(error)

    Thread(target=look, name=f"doctor {server.url}", daemon=True).start()
    return found


def _in_time(url: str, found: Found, deadline: float) -> Iterator[Finding]:
    """What is found until the deadline; being late is the last finding."""
    while True:
        try:
            finding = found.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            yield _late(url)
            return
        if finding is None:
            return
        if isinstance(finding, Exception):
            raise finding
        yield finding


def _server(
    backend: ComfyUIBackend, workflows: Mapping[str, Workflow], *, is_configured: bool
) -> Iterator[Finding]:
    try:
        condition = backend.inspect()
        itself = _itself(backend, condition, is_configured=is_configured)
        yield itself
        yield from _equipment(backend, condition, workflows, is_told_of_age=itself.status == "error")
    except BackendUnavailable as error:
        yield _silent(backend.name, error)


def _itself(backend: ComfyUIBackend, condition: Condition, *, is_configured: bool) -> Finding:
    facts = asdict(condition)
    try:
        backend.greet()
    except ConfigError as error:
        return wrong("server", backend.name, error, **facts)
    en, zh = _described(condition)
    if not (condition.is_simulator and is_configured):
        return fine("server", backend.name, en, zh, **facts)
    return Finding(
        "server",
        "warning",
        backend.name,
        f"config/app.toml names a simulator, which paints placeholders only ({en})",
        f"config/app.toml 中配置的是模拟器，只能生成样张（{zh}）",
        "name a real ComfyUI server there; for placeholders use --simulate",
        "请改为真实的 ComfyUI 服务器；需要样张时使用 --simulate",
        facts,
    )


def _described(condition: Condition) -> tuple[str, str]:
    en = [f"ComfyUI {condition.version or '?'}"]
    zh = [*en]
    if condition.is_simulator:
        en.append("a simulator: placeholders only")
        zh.append("模拟器：只生成样张")
    for device in condition.devices:
        total, free = (f"{size / GIB:.1f}" for size in (device.vram_total, device.vram_free))
        en.append(f"{device.name} {total} GiB, {free} free")
        zh.append(f"{device.name} 显存 {total} GiB，可用 {free}")
    if condition.torch:
        en.append(f"torch {condition.torch}")
        zh.append(f"torch {condition.torch}")
    en.append(f"queue: {condition.running} running, {condition.pending} waiting")
    zh.append(f"队列：{condition.running} 个执行中，{condition.pending} 个等待")
    return ", ".join(en), "，".join(zh)


def _equipment(
    backend: ComfyUIBackend, condition: Condition, workflows: Mapping[str, Workflow], *, is_told_of_age: bool
) -> Iterator[Finding]:
    """What the server lacks; a file that several workflows need is named once."""
    found: dict[str, tuple[Missing, list[str]]] = {}
    for name, workflow in workflows.items():
        for missing in (
            backend.missing(asked_of(workflow)) if is_told_of_age else lacking(backend, condition, workflow)
        ):
            found.setdefault(missing.what, (missing, []))[1].append(name)
    for missing, names in found.values():
        yield Finding(
            "server",
            "error",
            backend.name,
            f"{missing.message_en}, which {' and '.join(names)} needs",
            f"{missing.message_zh}，工作流 {'、'.join(names)} 需要它",
            missing.remedy_en,
            missing.remedy_zh,
            {"missing": missing.what, "workflows": names},
        )


def _late(url: str) -> Finding:
    return Finding(
        "server",
        "error",
        url,
        f"has not answered everything within {ANSWER_S:g} s",
        f"未能在 {ANSWER_S:g} 秒内答完",
        "restart ComfyUI there, check the network, and that no other program has this port; "
        "or name another server with [[comfyui]] url in config/app.toml or --comfyui URL",
        "请在该机器上重启 ComfyUI，检查网络以及该端口是否被其他程序占用；"
        "或在 config/app.toml 的 [[comfyui]] url 或 --comfyui URL 中填写其他服务器",
        {"code": "comfyui_slow"},
    )


def _silent(url: str, error: BackendUnavailable) -> Finding:
    return Finding(
        "server",
        "error",
        url,
        f"ComfyUI does not answer ({error.__cause__})",
        f"ComfyUI 没有响应（{error.__cause__}）",
        "start it there (python main.py --listen), or name the right address with [[comfyui]] url in "
        "config/app.toml or --comfyui URL; without a GPU use --simulate",
        "请在该机器上启动它（python main.py --listen），或在 config/app.toml 的 [[comfyui]] url 或 --comfyui URL "
        "中填写正确的地址；没有显卡时使用 --simulate",
        {"code": error.code},
    )
