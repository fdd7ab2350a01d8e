"""PURE: compares what is wanted with what is recorded and says what to do, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.gates import held_back
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Render, Wanted
from catalog_imagegen.domain.job import OF_PHOTO, Plan, PlannedPicture, Record, used_up

# Ingredients in the order in which they explain a change best: a new take also changes the seed.
_EXPLANATIONS = {
    "take": ("new take {new}", "第 {new} 次拍摄"),
    "workflow:": ("workflow changed: {name}", "工作流有改动：{name}"),
    "size": ("size changed: {old} → {new}", "尺寸有改动：{old} → {new}"),
    "inputs": ("settings changed", "参数有改动"),
    "product": ("the product comes from elsewhere", "商品来源有改动"),
    "photo": ("photo changed", "照片有改动"),
    "template:": ("prompt changed: {name}", "提示词有改动：{name}"),
    "column:": ("catalog changed: {name}", "商品表有改动：{name}"),
    "vocabulary": ("prompt changed: vocabulary.toml", "提示词有改动：vocabulary.toml"),
    "seed": ("seed changed", "种子有改动"),
    "item": ("item reworded", "条目有改动"),
}


def plan(
    wanted: Iterable[Wanted],
    recorded: Mapping[ImageKey, Record],
    renders: Mapping[Fingerprint, Render],
    blocked: Iterable[Blocked] = (),
) -> Plan:
    """Compare what the catalog wants with what the ledger has."""
    return Plan(
        pictures=tuple(_decide(w, recorded.get(w.key), renders) for w in wanted),
        blocked=tuple(blocked),
    )


def _decide(wanted: Wanted, record: Record | None, renders: Mapping[Fingerprint, Render]) -> PlannedPicture:
    if record is not None and record.rejected_key == wanted.render_key:
        return PlannedPicture(wanted, "blocked", *_blocked(wanted, record), stopped=record.stopped)
    if wanted.render_key in renders:
        return PlannedPicture(wanted, "reuse", "reused", "沿用")
    if record is not None and record.failure is not None and record.failed_key == wanted.render_key:
        failure = record.failure
        return PlannedPicture(wanted, "failed", failure.reason_en, failure.reason_zh, failure)
    if (photo := wanted.from_photo) is not None and (photo.scene_key is None or photo.scene_key in renders):
        return PlannedPicture(wanted, "make", *_why(wanted, record))
    is_expected = record is not None and record.agreed_key == wanted.render_key
    return PlannedPicture(wanted, "render", *_why(wanted, record), is_expected=is_expected)


def _blocked(wanted: Wanted, record: Record) -> tuple[str, str]:
    """Why a picture waits for a person, in English and Chinese."""
    sku, role, slot = wanted.sku, wanted.key.role, wanted.slot
    if wanted.from_photo is not None and wanted.from_photo.how == "cutout":
        return OF_PHOTO
    if record.stopped is not None:
        return held_back(record.stopped, sku=sku, role=role, slot=slot)
    return used_up(record.rejection, sku=sku, role=role, slot=slot)


def _why(wanted: Wanted, record: Record | None) -> tuple[str, str]:
    """Why a picture is made, in English and Chinese."""
    if record is None or record.render_key is None:
        number = wanted.take.number
        return ("new", "新图片") if number == 1 else (f"new take {number}", f"第 {number} 次拍摄")
    if record.render_key == wanted.render_key:
        return "not made yet", "尚未生成"
    old, new = record.made_of, wanted.made_of
    for kind, explanation in _EXPLANATIONS.items():
        changed = sorted(
            name
            for name in old.keys() | new.keys()
            if name.startswith(kind) and old.get(name) != new.get(name)
        )
        if changed:
            names = [name.partition(":")[2] for name in changed if name in new]
            values = {"old": old.get(changed[0], "?"), "new": new.get(changed[0], "?")}
            en, zh = explanation
            return (
                en.format(name=", ".join(names) or "removed", **values),
                zh.format(name="、".join(names) or "已删除", **values),
            )
    return "changed", "有改动"
