"""Sees that a time-limited offer says from when to when."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Protocol

from catalog_imagegen.stages.lettering.errors import LetteringError

PROMOTIONS = re.compile(
    r"限[时時期]|秒[杀殺]|[抢搶][购購]|[闪閃][购購]|促[销銷]|大促|特[价價]|特惠|特[卖賣]|直降|立[减減]|[满滿]\d*[减減]|折扣|清[仓倉]"
    r"|活[动動][价價]|[优優]惠(?![装裝])|limitedtime|flashsale"
)
"""Words that announce an offer that ends, as ``_read`` has them. 规范促销行为暂行规定 (2020, SAMR order 32) has the seller
tell its period."""


class Text(Protocol):
    """A text with what messages call it."""

    @property
    def name(self) -> str:
        """Of a box, or of the setting that has it."""
        ...

    @property
    def text(self) -> str:
        """As it is to be set."""
        ...


def check_promotion(texts: Iterable[Text], *, starts: str, ends: str) -> None:
    """Raise ``LetteringError`` if a text announces an offer and the product lacks its dates, or ends before it starts."""
    for box in texts:
        said = PROMOTIONS.search(_read(box.text))
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


def _read(text: str) -> str:
    """What is read in a text: one width and case, nothing between the letters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] not in "ZCPM")


def _is_reversed(starts: str, ends: str) -> bool:
    """Whether both are dates, as catalogs are read (ISO 8601), in the wrong order."""
    try:
        return date.fromisoformat(ends.strip()[:10]) < date.fromisoformat(starts.strip()[:10])
    except ValueError:
        return False
