"""Why an attempt gave no picture, and what follows from each reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FailureCode = Literal[
    "rejected",  # the server's validation refused the graph
    "too_large",  # the request is larger than the server takes
    "server_lacks",  # a node or a model file is missing on this server
    "out_of_memory",
    "execution_error",
    "cannot_save",  # the server's disk is full or cannot be written
    "interrupted",
    "no_picture",  # "success" without a file
    "file_gone",  # the file that the server names is not there
    "bad_picture",  # it does not decode
    "wrong_size",
    "black",
    "uniform",  # one colour all over
    "noise",
    "lost",  # the server forgot the prompt, e.g. by a restart
    "timeout",  # no step for too long, and it could be stopped
    "stuck",  # no step for too long, and it could not be stopped, or nothing runs at all
    "abandoned",  # its server cannot be asked any more
    "cancelled",  # somebody of ours took it back
    "recalled",  # taken back from a queue to be made sooner elsewhere
]

Budget = Literal["attempts", "losses", "none", "final"]
"""What a failure uses up: one of the attempts at a picture, one of the times that a server may lose it,
nothing, or everything."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What follows a failed attempt."""

    budget: Budget
    elsewhere: bool = False
    """Another server comes first, if there is one."""
    afresh: bool = False
    """On the same server it is repeated only after models and cached results are forgotten: the server would give
    the same answer from its cache."""
    quarantine: bool = False
    """The server is at fault, and is given no more pictures until it has proved itself."""


POLICIES: Mapping[FailureCode, Policy] = {
    "rejected": Policy("final"),
    "too_large": Policy("final"),
    "server_lacks": Policy("none", elsewhere=True),
    "out_of_memory": Policy("attempts", afresh=True),
    "execution_error": Policy("attempts", elsewhere=True),
    "cannot_save": Policy("losses", elsewhere=True, afresh=True, quarantine=True),
    "interrupted": Policy("attempts"),
    "no_picture": Policy("attempts", elsewhere=True, afresh=True),
    "file_gone": Policy("attempts", afresh=True),
    "bad_picture": Policy("attempts", elsewhere=True, afresh=True),
    "wrong_size": Policy("attempts", elsewhere=True, afresh=True),
    "black": Policy("attempts", elsewhere=True, afresh=True),
    "uniform": Policy("attempts", elsewhere=True, afresh=True),
    "noise": Policy("attempts", elsewhere=True, afresh=True),
    "lost": Policy("losses", elsewhere=True),
    "timeout": Policy("attempts", elsewhere=True),
    "stuck": Policy("losses", elsewhere=True, quarantine=True),
    "abandoned": Policy("none"),
    "cancelled": Policy("none"),
    "recalled": Policy("none"),
}
"""``docs/faults.md`` tells the same to people."""

UNCOUNTED = frozenset(code for code, policy in POLICIES.items() if policy.budget == "none")


MEANINGS: Mapping[FailureCode, tuple[str, str]] = {
    "rejected": ("the render server refused the workflow", "服务器不接受该工作流"),
    "too_large": ("the request is too large for the render server", "请求超过了服务器允许的大小"),
    "server_lacks": (
        "no render server has what the workflow needs",
        "没有服务器具备该工作流所需的节点或模型",
    ),
    "out_of_memory": ("the graphics card ran out of memory", "显存不足"),
    "execution_error": ("the render server reported an error", "服务器报错"),
    "cannot_save": ("the render server could not save the picture", "服务器无法保存图片"),
    "interrupted": ("somebody stopped the render server", "有人在服务器上中止了任务"),
    "no_picture": ("the render server delivered no picture", "服务器没有给出图片"),
    "file_gone": ("the picture is gone from the render server", "服务器上的图片已不存在"),
    "bad_picture": ("the picture was damaged", "图片损坏"),
    "wrong_size": ("the picture has the wrong size", "图片尺寸不对"),
    "black": ("the picture is all black", "图片全黑"),
    "uniform": ("the picture is one colour all over", "图片只有一种颜色"),
    "noise": ("the picture is noise", "图片是噪点"),
    "lost": ("the render server forgot the job", "服务器丢失了任务"),
    "timeout": ("the render server made no progress", "服务器长时间没有进展"),
    "stuck": ("the render server hung", "服务器卡死"),
    "abandoned": ("its render server was not used any more", "原来的服务器不再使用"),
    "cancelled": ("it was cancelled", "已取消"),
    "recalled": ("it was moved to another render server", "已改由其他服务器生成"),
}
"""What each failure means for people who do not run servers, in English and Chinese."""

_LOG = (
    "look into the server's log, then: catalog-imagegen retry",
    "请查看 ComfyUI 日志，然后运行 catalog-imagegen retry",
)
_ANOTHER_SEED = (
    (
        "look at the server's options (fp16 overflow makes black pictures) and the workflow; then try another seed: "
        "catalog-imagegen regenerate SKU"
    ),
    "请检查服务器启动参数（fp16 溢出会导致全黑）和工作流；然后运行 catalog-imagegen regenerate SKU 换一个种子",
)
_AGAIN = ("run again", "请重新运行")

REMEDIES: Mapping[FailureCode, tuple[str, str]] = {
    "rejected": (
        "check the graph with: catalog-imagegen workflow check FILE --server URL",
        "请运行 catalog-imagegen workflow check FILE --server URL 检查工作流",
    ),
    "too_large": (
        "start ComfyUI with a larger --max-upload-size, or raise the limit of the proxy before it",
        "请调大 ComfyUI 的 --max-upload-size 或其反向代理的请求大小限制",
    ),
    "server_lacks": (
        "see what is missing: catalog-imagegen doctor; then: catalog-imagegen retry",
        "请运行 catalog-imagegen doctor 查看缺少什么；补齐后运行 catalog-imagegen retry",
    ),
    "out_of_memory": (
        (
            "close other programs on that GPU, or lower size or set smaller_sizes in config/roles.toml, then: "
            "catalog-imagegen retry"
        ),
        "请关闭占用显卡的程序，或在 config/roles.toml 中减小 size 或设置 smaller_sizes，然后运行 catalog-imagegen retry",
    ),
    "execution_error": _LOG,
    "cannot_save": (
        "free space on the server's disk and check its output folder, then: catalog-imagegen retry",
        "请清理服务器磁盘并检查其 output 目录，然后运行 catalog-imagegen retry",
    ),
    "interrupted": (
        "when nobody needs the server: catalog-imagegen retry",
        "请在服务器空闲后运行 catalog-imagegen retry",
    ),
    "no_picture": (
        "check that the workflow saves a picture, then: catalog-imagegen retry",
        "请确认工作流会保存图片，然后运行 catalog-imagegen retry",
    ),
    "file_gone": (
        "see who deletes files in the server's output folder, then: catalog-imagegen retry",
        "请检查是谁删除了服务器 output 目录中的文件，然后运行 catalog-imagegen retry",
    ),
    "bad_picture": (
        "check the network and any proxy between here and the server, then: catalog-imagegen retry",
        "请检查网络以及与服务器之间的代理，然后运行 catalog-imagegen retry",
    ),
    "wrong_size": (
        "let the workflow take its size from the points width and height: catalog-imagegen workflow check FILE",
        "请让工作流的尺寸来自 width、height 输入点：catalog-imagegen workflow check FILE",
    ),
    "black": _ANOTHER_SEED,
    "uniform": _ANOTHER_SEED,
    "noise": _ANOTHER_SEED,
    "lost": (
        "see whether this picture kills the server, then: catalog-imagegen retry",
        "请检查服务器是否因该图片崩溃，然后运行 catalog-imagegen retry",
    ),
    "timeout": (
        "raise stall_s in config/app.toml if the server is just slow, then: catalog-imagegen retry",
        "如果只是服务器较慢，请调大 config/app.toml 的 stall_s，然后运行 catalog-imagegen retry",
    ),
    "stuck": (
        "restart ComfyUI there, then: catalog-imagegen retry",
        "请重启该服务器上的 ComfyUI，然后运行 catalog-imagegen retry",
    ),
    "abandoned": (
        "name that server again: catalog-imagegen run CATALOG --comfyui URL",
        "请重新指定该服务器：catalog-imagegen run CATALOG --comfyui URL",
    ),
    "cancelled": _AGAIN,
    "recalled": _AGAIN,
}
"""What to do about each failure, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt gave no picture."""

    code: FailureCode
    message: str
    """The server's own words, or ours, in whichever language."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def policy(self) -> Policy:
        """What follows."""
        return POLICIES[self.code]

    @property
    def reason_en(self) -> str:
        """What the code means and what the server said, in English."""
        return f"{MEANINGS[self.code][0]}: {self.message}" if self.message else MEANINGS[self.code][0]

    @property
    def reason_zh(self) -> str:
        """What the code means in Chinese, and what the server said."""
        return f"{MEANINGS[self.code][1]}：{self.message}" if self.message else MEANINGS[self.code][1]

    @property
    def remedy_en(self) -> str:
        """What to do, in English."""
        return REMEDIES[self.code][0]

    @property
    def remedy_zh(self) -> str:
        """What to do, in Chinese."""
        return REMEDIES[self.code][1]
