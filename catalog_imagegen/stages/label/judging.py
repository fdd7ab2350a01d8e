"""Judges the labels of a written file: one, and one that others can read."""

from __future__ import annotations

from catalog_imagegen.domain.imaging import Verdict
from catalog_imagegen.stages.label.aigc import problems_of
from catalog_imagegen.stages.label.reading import read_labels


def judge_labels(content: bytes, *, is_generated: bool = True) -> tuple[Verdict, ...]:
    """What is wrong with the labels of a picture, read from the bytes of its file; empty when all is well.

    Pictures that no model had a hand in need none of AI-made pictures.
    """
    labels = read_labels(content)
    if not labels.aigc and is_generated:
        return (_MISSING,)
    found = []
    if len(labels.aigc) > 1:
        places = ", ".join(label.place for label in labels.aigc)
        found.append(
            Verdict(
                "label_twice",
                "fail",
                f"it carries {len(labels.aigc)} labels of AI-made pictures ({places}), and exactly one is allowed; "
                "see them with: catalog-imagegen labels show FILE, and make the file again from its source",
                f"文件中有 {len(labels.aigc)} 个 AI 生成标识（{places}），只允许有一个；"
                "请运行 catalog-imagegen labels show FILE 查看，并由原图重新生成该文件",
            )
        )
    if labels.aigc and (problems := problems_of(labels.aigc[0].text)):
        found.append(
            Verdict(
                "label_malformed",
                "warn",
                f"its label of AI-made pictures does not follow GB 45438-2025 ({problems[0]}); "
                "it came with the picture and is passed on as it is",
                f"AI 生成标识不符合 GB 45438-2025（{problems[0]}）；该标识随原图而来，已原样保留",
            )
        )
    if not labels.source_types:
        found.append(_NO_SOURCE_TYPE)
    return tuple(found)


_MISSING = Verdict(
    "label_missing",
    "fail",
    "it carries no label of AI-made pictures (GB 45438-2025), which the law of China asks for; "
    "delete the file and run again, and do not save it with programs that drop metadata",
    "缺少 AI 生成隐式标识（GB 45438-2025），这是法规要求；请删除该文件后重新运行，不要用会丢弃元数据的软件另存",
)
_NO_SOURCE_TYPE = Verdict(
    "source_type_missing",
    "warn",
    "it carries no IPTC digital source type, which Google Merchant Center asks for; delete the file and run again",
    "缺少 IPTC 数字来源类型（Google Merchant Center 要求）；请删除该文件后重新运行",
)
