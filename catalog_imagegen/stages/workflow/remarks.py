"""What a workflow does that whoever writes templates and roles should know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalog_imagegen.stages.workflow.graph import called
from catalog_imagegen.stages.workflow.parsing import anatomy_of
from catalog_imagegen.stages.workflow.points import REFERENCES, Workflow
from catalog_imagegen.stages.workflow.tracing import TRACING, Tracer, is_load_image

_LITERAL_TYPES = ("lumina2", "qwen_image")
"""Types of text encoders (with a Qwen model behind them) that take no weights: ComfyUI's comfy/text_encoders/z_image.py
and qwen_image.py tokenize with ``disable_weights=True``."""
SHOWN = 40
"""Characters of a text that a remark quotes."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is no mistake, but would surprise."""

    code: str
    message_en: str
    message_zh: str


def remarks(workflow: Workflow) -> list[Remark]:
    """What is ignored, fixed or needed, in the order in which people ask."""
    return [
        *_enlarged(workflow),
        *_negative(workflow),
        *_own_texts(workflow),
        *_literal_weights(workflow),
        *_batch(workflow),
        *_pictures(workflow),
    ]


def _enlarged(workflow: Workflow) -> Iterator[Remark]:
    if workflow.enlarges != 1:
        times = f"{float(workflow.enlarges):g}"
        yield Remark(
            "enlarges",
            f"makes its pictures {times} times larger at the end: sides of a role's size are multiples of {workflow.step}",
            f"最后会把图片放大 {times} 倍：图片角色 size 的边长须为 {workflow.step} 的倍数",
        )


def _negative(workflow: Workflow) -> Iterator[Remark]:
    if workflow.lacks("negative"):
        yield Remark(
            "negative_unused",
            "no input takes a negative text: what templates write there is unused",
            "没有负面提示词的输入：模板中的负面提示词不会使用",
        )
    elif workflow.typed("cfg") == 1:
        yield Remark(
            "negative_unused",
            "at cfg 1 the sampler skips the negative text: what templates write there is unused",
            "cfg 为 1 时采样器跳过负面提示词：模板中的负面提示词不会使用",
        )


def _own_texts(workflow: Workflow) -> Iterator[Remark]:
    """Texts that stay as they are in the file, beside the prompt."""
    anatomy = anatomy_of(workflow)
    tracer = Tracer(anatomy)
    bound = {(node, name) for at in workflow.points.values() for node, name, _ in at.spread(1)}
    heard = {
        place: None
        for sampler in anatomy.samplers
        for side in ("positive", "negative")
        for place in tracer.encoded(sampler, side)
    }
    for node, name in heard:
        text = workflow.graph[node]["inputs"][name]
        if (node, name) not in bound and isinstance(text, str) and text.strip():
            where, quoted = f"{called(workflow.graph, node)}.{name}", f"{text.strip():.{SHOWN}}"
            yield Remark(
                "own_text",
                f"{where} has a text of its own that every picture hears: {quoted!r}",
                f"{where} 有固定的文字，每张图片都会用到：{quoted}",
            )


def _literal_weights(workflow: Workflow) -> Iterator[Remark]:
    for body in workflow.graph.values():
        inputs = body["inputs"]
        if inputs.get("type") in _LITERAL_TYPES and "qwen" in str(inputs.get("clip_name", "")).lower():
            yield Remark(
                "weights_literal",
                "this text encoder reads weights such as (word:1.2) as plain text, and looks for a file where a text "
                "says embedding: – templates should have neither",
                "该文本编码器把 (词:1.2) 之类的权重当作普通文字，并把 embedding: 之后的词当作文件名；模板中请勿使用",
            )
            return


def _batch(workflow: Workflow) -> Iterator[Remark]:
    count = workflow.typed("batch")
    if isinstance(count, int) and count > 1:
        yield Remark(
            "batch_of_one",
            f"a batch of {count} is drawn, of which one picture would be kept: it is always set to 1",
            f"图中一次生成 {count} 张，但只会保留一张：运行时总是设为 1",
        )


def _pictures(workflow: Workflow) -> Iterator[Remark]:
    points = [workflow.points[name] for name in REFERENCES if name in workflow.points]
    if any(at.found_by != TRACING for at in points):
        yield Remark(
            "needs_photo",
            'takes the product\'s photo: its roles need product = "reference"',
            '需要商品照片：使用它的图片角色须设 product = "reference"',
        )
        points = [at for at in points if at.found_by != TRACING]
    else:
        points = []
    graph, live = workflow.graph, anatomy_of(workflow).live
    for node in graph:
        if node in live and is_load_image(graph, node) and node not in {at.node for at in points}:
            name = graph[node]["inputs"]["image"]
            yield Remark(
                "fixed_picture",
                f"{called(graph, node)} reads {name} from the server's input folder, the same for every product, unless "
                'its title is "reference" (or it is the only picture) and the role has product = "reference"',
                f"{called(graph, node)} 读取服务器 input 文件夹中的 {name}，所有商品都相同；除非其标题为 reference"
                '（或它是唯一的图片）且图片角色设 product = "reference"',
            )
