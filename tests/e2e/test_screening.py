"""Words that pictures must not show, through the real CLI: told before anything is rendered, by cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.e2e.cli import Ran, called
from tests.small import small_sizes

HEADER = "货号,商品名称,类目,颜色,促销文案,促销开始,促销结束,备注\n"
ROWS = (
    "CUP-1,便携咖啡杯,家居,白色,音质最\u200b佳,2026-12-01,2026-12-12,最佳\n"
    "CUP-2,顶级咖啡杯,家居,黑色,限时优惠,2026-12-01,2026-12-12,\n"
    "CUP-3,咖啡杯,家居,米色,限时优惠,2026-12-01,2026-12-12,\n"
)
MENDED = ROWS.replace("音质最\u200b佳", "限时优惠")
PLATFORMS = """
[platforms.amazon]
title = "Amazon"
listing_per = "sku"
placements = [
  { name = "main", roles = ["main"], size = [64, 64] },
  { name = "poster", roles = ["poster"], size = [48, 64] },
]
"""
OVERLAID, DRAWN = 'text = "overlay"\nlayout = "poster"\nenabled = false', 'text = "model"'
SOURCE = '\n[[source]]\nname = "spring"\npath = "spring.csv"\n'


class Shop:
    """A workspace that makes a main picture and a poster of each product."""

    def __init__(self, root: Path) -> None:
        self.root, self.catalog = root, root / "spring.csv"
        assert called("init", root).code == 0
        self.edit("config/roles.toml", lambda text: small_sizes(text, longest=64))
        self.edit("config/roles.toml", lambda text: text.replace(OVERLAID, DRAWN))
        self.edit(
            "config/app.toml", lambda text: text.replace('["taobao_tmall", "amazon"]', '["amazon"]') + SOURCE
        )
        (root / "config" / "platforms.toml").write_text(PLATFORMS, encoding="utf-8")
        self.write(ROWS)

    def edit(self, name: str, change: Any) -> None:
        """Change a file of the workspace."""
        path = self.root / name
        before = path.read_text(encoding="utf-8")
        after = change(before)
        assert after != before
        path.write_text(after, encoding="utf-8")

    def write(self, rows: str) -> None:
        """Write the catalog."""
        self.catalog.write_text(HEADER + rows, encoding="utf-8")

    def do(self, *words: str | Path) -> Ran:
        """Run a command in this workspace, with placeholders."""
        return called(*words, "-w", self.root, "--simulate")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop of its own."""
    return Shop(tmp_path / "shop")


def told(ran: Ran) -> list[tuple[str, str]]:
    """Cell and beginning of each warning."""
    return [
        (issue["where"], issue["message_en"].partition(" (")[0])
        for issue in ran.json["issues"]
        if issue["code"] == "screened_words"
    ]


NAME_IS_TOLD = ("spring.csv!B3", "name has “顶级”")


def test_plan_and_check_tell_by_cell(shop: Shop) -> None:
    """The poster that would show a word is blocked; the name that steers is told; a column nobody reads is not."""
    planned = shop.do("plan", shop.catalog, "--json")
    assert planned.code == 1
    assert told(planned) == [NAME_IS_TOLD]
    (blocked,) = planned.json["blocked"]
    assert blocked["sku"] == "CUP-1"
    assert blocked["reason_en"].startswith(
        "spring.csv!E2: promo_text has “最\u200b佳” (最佳) (list absolutes: "
    )
    assert blocked["reason_zh"].startswith("spring.csv!E2：促销文案中有“最\u200b佳”")
    assert planned.json["to_render"] == 5

    checked = called("catalog", "check", shop.catalog, "-w", shop.root, "--json")
    assert checked.code == 0
    assert told(checked) == [
        ("spring.csv!E2", "no picture poster is made: promo_text has “最\u200b佳”"),
        NAME_IS_TOLD,
    ]
    shown = called("catalog", "check", shop.catalog, "-w", shop.root)
    assert shown.says("spring.csv!E2")
    assert shown.says("不会生成 poster 图")


def test_a_run_spends_nothing_on_what_is_blocked(shop: Shop) -> None:
    """Mended, the picture is made, and no other is made again."""
    first = shop.do("run", shop.catalog, "--json")
    assert first.code == 1
    assert (first.json["pictures"]["rendered"], first.json["pictures"]["blocked"]) == (5, 1)
    assert told(first) == [NAME_IS_TOLD]
    (problem,) = first.json["problems"]
    assert (problem["sku"], problem["role"], problem["state"]) == ("CUP-1", "poster", "blocked")
    standing = shop.do("status", "CUP-1")
    assert standing.says("promo_text has")

    shop.write(MENDED)
    second = shop.do("run", shop.catalog, "--json")
    assert second.code == 0, second.err
    assert (second.json["jobs_submitted"], second.json["pictures"]["reused"]) == (1, 5)


def test_a_sync_tells_what_is_new_and_all_when_the_lists_are(shop: Shop) -> None:
    """A row that stands is not told of every night; other lists render nothing again."""
    shop.write(MENDED)
    first = shop.do("sync", "--json", "--yes")
    assert (first.code, told(first)) == (0, [NAME_IS_TOLD])
    second = shop.do("sync", "--json")
    assert (second.json["unchanged"], told(second)) == (3, [])
    lists = '[lists.house]\nwords = ["便携"]\nsource = "our own rule"\n'
    (shop.root / "config" / "screening.toml").write_text(lists, encoding="utf-8")
    third = shop.do("sync", "--json")
    assert told(third) == [("spring.csv!B2", "name has “便携”"), NAME_IS_TOLD]
    assert third.json["jobs_submitted"] == 0


def test_the_sample_catalog_has_no_such_word(shop: Shop) -> None:
    """Posters included."""
    sample = shop.root / "sample_catalog" / "products.csv"
    assert told(called("catalog", "check", sample, "-w", shop.root, "--json")) == []


def test_a_mistake_in_the_lists_stops_the_command(shop: Shop) -> None:
    """With file, key and remedy."""
    lists = '[lists.house]\nwords = ["便携"]\nsource = "ours"\nplatforms = ["amazn"]\n'
    (shop.root / "config" / "screening.toml").write_text(lists, encoding="utf-8")
    for words in (("plan", shop.catalog), ("catalog", "check", shop.catalog)):
        ran = called(*words, "-w", shop.root)
        assert ran.code == 2
        assert ran.says(
            "config/screening.toml: lists.house: there is no platform 'amazn'; did you mean amazon"
        )


def test_the_answer_of_a_drop_folder_tells_in_the_cells(shop: Shop) -> None:
    """What is told as a comment of the cell, what is blocked in its row."""
    drop = shop.root / "drop"
    drop.mkdir()
    shop.catalog.rename(drop / "spring.csv")
    assert shop.do("watch", drop, "--once", "--settle", "0").code == 0
    book = load_workbook(next((drop / "done").glob("*.xlsx")))
    sheet = book.worksheets[0]
    assert "顶级" in sheet["B3"].comment.text
    row = " ".join(str(cell.value) for cell in sheet[2])
    assert "spring.csv!E2" in row
    assert "《广告法》第九条第三项" in row
    book.close()
