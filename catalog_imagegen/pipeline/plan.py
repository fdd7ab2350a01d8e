"""PURE: compares what is wanted with what is recorded and says what to do, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Render, Wanted
from catalog_imagegen.domain.job import Plan, PlannedPicture, Record

# Ingredients in the order in which they explain a change best: a new take also changes the seed.
_EXPLANATIONS = {
    "take": "new take {new}",
    "workflow:": "workflow changed: {name}",
    "size": "size changed: {old} → {new}",
    "inputs": "settings changed",
    "template:": "prompt changed: {name}",
    "column:": "catalog changed: {name}",
    "vocabulary": "prompt changed: vocabulary.toml",
    "seed": "seed changed",
    "item": "item reworded",
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
    if wanted.render_key in renders:
        return PlannedPicture(wanted, "reuse", "reused")
    if record is not None and record.failure is not None and record.failed_key == wanted.render_key:
        return PlannedPicture(wanted, "failed", str(record.failure), record.failure)
    return PlannedPicture(wanted, "render", _why(wanted, record))


def _why(wanted: Wanted, record: Record | None) -> str:
    if record is None or record.render_key is None:
        return "new" if wanted.take.number == 1 else f"new take {wanted.take.number}"
    if record.render_key == wanted.render_key:
        return "not made yet"
    old, new = record.made_of, wanted.made_of
    for kind, explanation in _EXPLANATIONS.items():
        changed = sorted(
            name
            for name in old.keys() | new.keys()
            if name.startswith(kind) and old.get(name) != new.get(name)
        )
        if changed:
            return explanation.format(
                name=", ".join(name.partition(":")[2] for name in changed if name in new) or "removed",
                old=old.get(changed[0], "?"),
                new=new.get(changed[0], "?"),
            )
    return "changed"
