"""What can be wrong with a render server, as against with one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

TroubleCode = Literal[
    "refused",
    "reset",
    "unknown_host",
    "tls",
    "no_answer",
    "forbidden",
    "server_error",
    "not_comfyui",
    "dead_worker",
    "stuck",
    "cannot_save",
    "restarted",
    "out_of_memory",
    "deaf",
    "server_lacks",
]

_START = (
    "start it there (python main.py --listen), or name the right address in config/app.toml",
    "请在该机器上启动它（python main.py --listen），或在 config/app.toml 中填写正确的地址",
)
_RESTART = ("restart ComfyUI there", "请重启该机器上的 ComfyUI")
_NOTHING = (
    "nothing needs to be done; look after it if this comes often",
    "无需处理；如果经常出现，请检查该服务器",
)

TROUBLES: Mapping[TroubleCode, tuple[str, str, str, str]] = {
    "refused": ("nobody listens there", "端口上没有程序", *_START),
    "reset": ("the connection broke off", "连接中断", *_NOTHING),
    "unknown_host": (
        "its name cannot be resolved",
        "无法解析主机名",
        "check the url in config/app.toml and the DNS of this machine",
        "请检查 config/app.toml 中的 url 以及本机的 DNS",
    ),
    "tls": (
        "its certificate is not trusted",
        "证书不受信任",
        "name its authority in config/app.toml: [[comfyui]] ca_file, or mend the certificate",
        "请在 config/app.toml 的 [[comfyui]] ca_file 中指定证书机构，或更换证书",
    ),
    "no_answer": ("it does not answer in time", "没有及时响应", *_RESTART),
    "forbidden": (
        "it refuses us (401 or 403)",
        "拒绝访问（401 或 403）",
        "set what its proxy asks for in config/app.toml: [[comfyui]] headers",
        "请在 config/app.toml 的 [[comfyui]] headers 中填写其代理所需的请求头",
    ),
    "server_error": (
        "it answers with errors",
        "返回错误",
        "look into its log and restart it",
        "请查看其日志并重启",
    ),
    "not_comfyui": (
        "what answers there is no ComfyUI",
        "该地址不是 ComfyUI",
        "name the right address in config/app.toml",
        "请在 config/app.toml 中填写正确的地址",
    ),
    "dead_worker": ("it takes jobs but executes none", "接受任务但不执行", *_RESTART),
    "stuck": ("it hangs in a picture and cannot be stopped", "卡在一张图上且无法中止", *_RESTART),
    "cannot_save": (
        "it cannot save pictures",
        "无法保存图片",
        "free space on its disk and check its output folder",
        "请清理其磁盘并检查 output 目录",
    ),
    "restarted": ("it was restarted and forgot its jobs", "被重启，任务丢失", *_NOTHING),
    "out_of_memory": (
        "its graphics card runs out of memory",
        "显存不足",
        "close other programs on that GPU, or set max_megapixels in config/app.toml: [[vram]]",
        "请关闭占用显卡的程序，或在 config/app.toml 的 [[vram]] 中设置 max_megapixels",
    ),
    "deaf": (
        "its websocket tells nothing; pictures are found by asking instead",
        "WebSocket 没有消息；改用轮询",
        *_NOTHING,
    ),
    "server_lacks": (
        "it lacks what a workflow needs, and is not used for it",
        "缺少某个工作流所需的内容，不再用于该工作流",
        "see what is missing: catalog-imagegen doctor",
        "请运行 catalog-imagegen doctor 查看缺少什么",
    ),
}
"""Meaning and remedy, each in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that went wrong with a server, told once however often it shows."""

    server: str
    code: TroubleCode
    detail: str = ""
    """What was seen, in the server's or the system's words."""

    @property
    def message_en(self) -> str:
        """One sentence with its remedy."""
        meaning, _, remedy, _ = TROUBLES[self.code]
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.server}: {meaning}{detail}; {remedy}"

    @property
    def message_zh(self) -> str:
        """The same in Chinese."""
        _, meaning, _, remedy = TROUBLES[self.code]
        detail = f"（{self.detail}）" if self.detail else ""
        return f"{self.server}：{meaning}{detail}；{remedy}"


def trouble_code(code: str) -> TroubleCode:
    """The trouble that an error's code names."""
    for known in get_args(TroubleCode):
        if code == known:
            return known  # type: ignore[no-any-return]  # it is one of the literals
    return "no_answer"
