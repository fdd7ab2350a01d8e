"""What a check found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from catalog_imagegen.domain.errors import CatalogImagegenError

Check = Literal[
    "workspace",
    "config",
    "environment",
    "source",
    "workflow",
    "template",
    "fonts",
    "text",
    "disk",
    "ledger",
    "server",
]
Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One part that was looked at: how it is, and what to do about it unless it is well."""

    check: Check
    status: Status
    what: str
    """The file, folder, server or name that was looked at."""
    message_en: str
    message_zh: str
    remedy_en: str = ""
    remedy_zh: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Figures for programs; JSON values."""


def fine(check: Check, what: str, en: str, zh: str, **facts: Any) -> Finding:
    """A part that is well."""
    return Finding(check, "ok", what, en, zh, facts=facts)


def wrong(
    check: Check, what: str, error: CatalogImagegenError, *, status: Status = "error", **facts: Any
) -> Finding:
    """A part that raised an error. Our messages end with the remedy, behind their last semicolon."""
    message_en, _, remedy_en = error.message_en.rpartition("; ")
    message_zh, _, remedy_zh = error.message_zh.rpartition("；")
    return Finding(
        check,
        status,
        what,
        message_en or remedy_en,
        message_zh or remedy_zh,
        remedy_en,
        remedy_zh,
        facts={"code": error.code, **facts},
    )
