"""The implicit label of GB 45438-2025: seven fields that say what made a picture and who spread it."""

from __future__ import annotations

import json
import re

FIELDS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
"""In the order of the standard."""
KINDS = {"1": "AI-made", "2": "may be AI-made", "3": "suspected to be AI-made"}
_ALLOWED = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]*")
"""No space, quote, backslash, nor anything but ASCII."""


def is_allowed(value: str) -> bool:
    """Whether the standard lets a field hold this."""
    return _ALLOWED.fullmatch(value) is not None


def aigc_text(*, producer: str, produce_id: str) -> str:
    """The label of a picture that we made: plain JSON. Whoever makes a file first is also who spreads it.

    *producer* and *produce_id* must be allowed (``is_allowed``).
    """
    values = ("1", producer, produce_id, "", producer, produce_id, "")
    return json.dumps(dict(zip(FIELDS, values, strict=True)), separators=(",", ":"))


def fields_of(text: str) -> dict[str, str] | None:
    """The fields of a label, also one wrapped in ``{"AIGC": …}``; None where it is not JSON of that kind."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if isinstance(found, dict) and isinstance(found.get("AIGC"), dict):
        found = found["AIGC"]
    return (
        {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) and "Label" in found else None
    )


def problems_of(text: str) -> list[str]:
    """What the standard would not accept in a label, in English; empty when all is well."""
    fields = fields_of(text)
    if fields is None:
        return ["it is no JSON with the field Label"]
    found = [f"the field {name} is missing" for name in FIELDS if name not in fields]
    found += [
        f"the field {name} holds a sign that is not allowed"
        for name, value in fields.items()
        if not is_allowed(value)
    ]
    if fields["Label"] not in KINDS:
        found.append(f"Label is {fields['Label']!r}, not 1, 2 or 3")
    return found
