"""Sees that a time-limited offer says from when to when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from catalog_imagegen.domain.lettering import TextBox
from catalog_imagegen.stages.lettering.errors import LetteringError

PROMOTIONS = re.compile(
    r"限时|限期|秒杀|抢购|促销|大促|特价|特惠|直降|立减|活动价|优惠(?!装)|limited[- ]time|flash sale",
    re.IGNORECASE,
)
"""Words that announce an offer that ends. 规范促销行为暂行规定 (2020, SAMR order 32) has the seller tell its period."""


def check_promotion(boxes: Iterable[TextBox], *, starts: str, ends: str) -> None:
    """Raise ``LetteringError`` if a text announces an offer and the product lacks its dates, or ends before it starts."""
    for box in boxes:
        said = PROMOTIONS.search(box.text)
        if said is None:
            continue
        lacking = [
            field for field, value in (("promo_start", starts), ("promo_end", ends)) if not value.strip()
        ]
        if lacking:
            fields = ", ".join(lacking)
            raise LetteringError(
                f"{box.name}: {said.group()} needs its dates, and the row has no {fields}; fill them in, or take the words out",
                zh=f"{box.name}：“{said.group()}”必须写明活动起止日期，表格缺少 {fields}；请补上日期，或删去该文字",
                code="promotion_dates",
            )
        if _is_reversed(starts, ends):
            raise LetteringError(
                f"{box.name}: the offer ends on {ends}, before it starts on {starts}; mend the dates in the row",
                zh=f"{box.name}：活动结束日期 {ends} 早于开始日期 {starts}；请在表格中更正日期",
                code="promotion_reversed",
            )


def _is_reversed(starts: str, ends: str) -> bool:
    """Whether both are dates, as catalogs are read (ISO 8601), in the wrong order."""
    try:
        return date.fromisoformat(ends.strip()[:10]) < date.fromisoformat(starts.strip()[:10])
    except ValueError:
        return False
