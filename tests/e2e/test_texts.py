"""Texts on pictures and pictures side by side, through the real CLI: who sets them, what they cost, what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from tests.e2e.cli import Ran, called
from tests.e2e.shop import tree
from tests.small import small_sizes

HEADER = "货号,商品名称,类目,颜色,售价,卖点,促销文案,促销开始,促销结束\n"
CUP = "CUP-1,便携咖啡杯,家居,白色,89,防漏设计,限时优惠,2026-12-01,2026-12-12\n"
MUG = "MUG-2,马克杯,家居,黑色,39,,新品上市,,\n"
PLATFORMS = """
[platforms.mine]
title = "Mine"
listing_per = "sku"

[[platforms.mine.placements]]
name = "main"
roles = ["main"]
size = [96, 96]

[[platforms.mine.placements]]
name = "poster"
roles = ["poster"]
size = [180, 240]
format = "PNG"

[[platforms.mine.placements]]
name = "comparison"
roles = ["side_by_side"]
size = [300, 200]
format = "PNG"
"""
SOURCE = '\n[[source]]\nname = "shop"\npath = "shop.csv"\n'
PAIR = ("[roles.comparison_without]", "[roles.comparison_with]", "[roles.side_by_side]")


class Shop:
    """A workspace whose one marketplace takes a main picture, a poster and a comparison of two."""

    def __init__(self, root: Path) -> None:
        self.root, self.catalog = root, root / "shop.csv"
        assert called("init", root).code == 0
        roles = root / "config" / "roles.toml"
        roles.write_text(small_sizes(roles.read_text(encoding="utf-8"), longest=256), encoding="utf-8")
        for table in (*PAIR, "[roles.poster]"):
            self.change_role(table, "enabled = false", "enabled = true")
        app = root / "config" / "app.toml"
        text = app.read_text(encoding="utf-8").replace('["taobao_tmall", "amazon"]', '["mine"]') + SOURCE
        app.write_text(text, encoding="utf-8")
        self.config("platforms", PLATFORMS)
        self.write(CUP)

    def config(self, name: str, text: str) -> None:
        """Write a config file."""
        (self.root / "config" / f"{name}.toml").write_text(text, encoding="utf-8")

    def change_role(self, table: str, before: str, after: str) -> None:
        """Change a line of one role's table."""
        path = self.root / "config" / "roles.toml"
        head, name, rest = path.read_text(encoding="utf-8").partition(table)
        own, mark, others = rest.partition("\n[")
        assert before in own
        path.write_text(head + name + own.replace(before, after) + mark + others, encoding="utf-8")

    def write(self, *rows: str) -> None:
        """Write the catalog."""
        self.catalog.write_text(HEADER + "".join(rows), encoding="utf-8")

    def do(self, *words: str | Path) -> Ran:
        """Run a command in this workspace, with placeholders."""
        return called(*words, "-w", self.root, "--simulate")

    def sync(self, code: int = 0) -> Any:
        """What a sync did."""
        ran = self.do("sync", "--json", "--yes")
        assert ran.code == code, ran.err + ran.out
        return ran.json

    def listed(self, sku: str = "CUP-1") -> dict[str, Mapping[str, Any]]:
        """Role → its file in the listing, with its path."""
        folder = self.root / "output-simulated" / "mine" / sku
        files = json.loads((folder / "listing.json").read_bytes())["files"]
        return {file["role"]: {**file, "path": folder / file["name"]} for file in files}

    def pixels(self, role: str, sku: str = "CUP-1") -> Image.Image:
        """The file of a role."""
        return Image.open(self.listed(sku)[role]["path"]).convert("RGB")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop of its own."""
    return Shop(tmp_path / "shop")


def test_texts_stand_in_their_boxes_and_nowhere_else(shop: Shop, tmp_path: Path) -> None:
    """Slogan, name, price and dates; the product between them is as the model made it."""
    shop.sync()
    lettered = shop.pixels("poster")
    bare = Shop(tmp_path / "bare")
    bare.change_role("[roles.poster]", 'text = "overlay"\nlayout = "poster"\n', "")
    bare.sync()
    changed = ImageChops.difference(lettered, bare.pixels("poster")).convert("L")
    for top, bottom in ((0.045, 0.185), (0.19, 0.24), (0.25, 0.325), (0.89, 1)):
        assert changed.crop((0, round(top * 240), 180, round(bottom * 240))).getbbox(), (top, bottom)
    assert changed.crop((0, round(0.33 * 240), 180, round(0.885 * 240))).getbbox() is None
    assert shop.listed()["main"]["sha256"] == bare.listed()["main"]["sha256"]


def test_a_new_price_is_a_new_file_and_no_new_picture(shop: Shop) -> None:
    """The next sync sends nothing, keeps what was approved, and writes that file alone; then nothing is left to do."""
    shop.write(CUP, MUG)
    assert shop.sync()["jobs_submitted"] == 6
    assert shop.do("review", "approve", "CUP-1").code == 0
    before, other = shop.listed(), tree(shop.root / "output-simulated" / "mine" / "MUG-2")
    shop.write(CUP.replace(",89,", ",79,"), MUG)
    done = shop.sync()
    assert (done["jobs_submitted"], done["pictures"]["rendered"]) == (0, 0)
    after = shop.listed()
    assert {role: file["state"] for role, file in after.items()} == dict.fromkeys(before, "approved")
    assert all(file["is_current"] for file in after.values())
    changed = {role for role, file in after.items() if file["sha256"] != before[role]["sha256"]}
    assert changed == {"poster"}
    assert tree(shop.root / "output-simulated" / "mine" / "MUG-2") == other
    assert shop.sync()["unchanged"] == 2


def test_another_layout_writes_files_anew(shop: Shop) -> None:
    """Without a job."""
    shop.sync()
    before = shop.listed()
    shop.config("layouts", '[layouts.poster.slogan]\ncolour = "#004488"\n')
    assert shop.sync()["jobs_submitted"] == 0
    after = shop.listed()
    changed = {role for role, file in after.items() if file["sha256"] != before[role]["sha256"]}
    assert changed == {"poster"}


@pytest.mark.parametrize(
    ("row", "english", "chinese"),
    [
        (
            MUG.replace("新品上市", "限时优惠"),
            "slogan: 限时 needs its dates, and the row has no promo_start, promo_end",
            "slogan：“限时”必须写明活动起止日期，表格缺少 promo_start, promo_end；请补上日期，或删去该文字",
        ),
        (
            MUG.replace("新品上市", "新品ﷺ"),
            "slogan: ﷺ",
            "slogan：字符 ﷺ",
        ),
    ],
)
def test_words_that_cannot_be_set_block_before_any_rendering(
    shop: Shop, row: str, english: str, chinese: str
) -> None:
    """The poster waits for its row; the main picture is made."""
    shop.write(row)
    done = shop.sync(code=1)
    assert done["jobs_submitted"] == 1
    (problem,) = done["problems"]
    assert (problem["role"], problem["state"]) == ("poster", "blocked")
    assert problem["reason_en"].startswith(english)
    assert problem["reason_zh"].startswith(chinese)


def test_a_text_that_does_not_fit_is_left_out_and_nothing_wrong_goes_out(shop: Shop, tmp_path: Path) -> None:
    """The file says so; what is exported has everything else."""
    shop.write(MUG.replace("新品上市", "新品上市" * 20))
    shop.sync()
    (verdict,) = [v for v in shop.listed("MUG-2")["poster"]["verdicts"] if v["severity"] == "fail"]
    assert verdict["code"] == "text_overflow"
    assert "放不下" in verdict["message_zh"]
    assert shop.do("review", "approve", "MUG-2").code == 0
    ran = shop.do("export", tmp_path / "out", "--json")
    assert ran.code == 1
    names = {path.name for path in (tmp_path / "out" / "mine" / "MUG-2").iterdir()}
    assert names == {"MUG-2_01_main.jpg", "listing.json"}


def test_a_screened_word_in_a_text_blocks_with_its_cell(shop: Shop) -> None:
    """The name only steers the main picture, where it is told; the poster would show it."""
    shop.write(CUP.replace("便携咖啡杯", "顶级咖啡杯"))
    planned = shop.do("plan", shop.catalog, "--json").json
    (blocked,) = planned["blocked"]
    assert "/poster/" in blocked["key"]
    assert blocked["reason_en"].startswith("shop.csv!B2: name has “顶级”")
    shop.write(CUP)
    shop.config("layouts", '[layouts.poster.name]\ntext = "全网最低价"\n')
    (blocked,) = shop.do("plan", shop.catalog, "--json").json["blocked"]
    assert "layouts.poster.name" in blocked["reason_en"]


def test_a_place_that_wants_no_text_is_told(shop: Shop) -> None:
    """As it is told of text that is read on a picture."""
    figure = (
        'figures = [{ about = "forbidden", value = ["text"], confidence = "official", source = "help" }]\n'
    )
    source = '[sources.help]\ntitle = "Help"\nkind = "official"\n'
    poster = 'roles = ["poster"]\n'
    shop.config("platforms", PLATFORMS.replace(poster, poster + figure) + source)
    shop.sync()
    (verdict,) = [v for v in shop.listed()["poster"]["verdicts"] if v["severity"] == "fail"]
    assert verdict["code"] == "text_on_picture"
    assert "¥89" in verdict["message_en"]


def test_a_pair_is_shown_with_both_halves_or_not_at_all(shop: Shop) -> None:
    """Each is reviewed by itself; the pair is approved with both and gone with either."""
    done = shop.sync()
    assert done["pictures"]["rendered"] == 4
    pair = shop.listed()["side_by_side"]
    assert (pair["width"], pair["height"], pair["state"]) == (300, 200, "draft")
    image = shop.pixels("side_by_side")
    left, right = image.crop((20, 120, 130, 190)), image.crop((170, 120, 280, 190))
    assert ImageChops.difference(left, right).getbbox() is not None
    assert {image.getpixel((150, y)) for y in (5, 100, 195)} == {(255, 255, 255)}

    assert shop.do("review", "approve", "CUP-1", "--role", "comparison_without").code == 0
    assert shop.listed()["side_by_side"]["state"] == "draft"
    assert shop.do("review", "approve", "CUP-1", "--role", "side_by_side").code == 0
    assert shop.listed()["side_by_side"]["state"] == "approved"
    reject = ("review", "reject", "CUP-1", "--role", "comparison_with", "--reason", "歪了")
    assert shop.do(*reject).code == 0
    assert "side_by_side" not in shop.listed()


def test_one_half_that_is_not_made_leaves_the_pair_out(shop: Shop) -> None:
    """And the half alone is nowhere."""
    ran = shop.do("run", shop.catalog, "--role", "comparison_with", "--json")
    assert ran.json["jobs_submitted"] == 1
    assert not (shop.root / "output-simulated" / "mine").exists()
    ran = shop.do("run", shop.catalog, "--role", "side_by_side", "--json")
    assert ran.json["jobs_submitted"] == 1
    assert set(shop.listed()) == {"side_by_side"}


def test_a_label_that_names_others_goods_blocks_both_halves(shop: Shop) -> None:
    """Its words may come from the row."""
    shop.change_role("[roles.side_by_side]", '"没有它"', '"{{ product.promo_text }}的同行"')
    done = shop.sync(code=1)
    told = {problem["role"]: problem["reason_zh"] for problem in done["problems"]}
    assert set(told) == {"comparison_without", "comparison_with"}
    assert "提到了他人商品（同行）" in told["comparison_with"]


def test_the_model_draws_what_is_short_and_the_layout_the_rest(shop: Shop) -> None:
    """Quoted in the prompt, the text is not set again; too long, it is left to the layout."""
    shop.change_role("[roles.poster]", '"overlay"', '"model"')
    shop.write(CUP, MUG.replace("新品上市,,", "新品上市全场八折起售,2026-12-01,2026-12-12"))
    planned = shop.do("plan", shop.catalog, "--json", "--role", "poster").json["pictures"]
    drawn = {picture["sku"]: '"' in picture["positive"] for picture in planned}
    assert drawn == {"CUP-1": True, "MUG-2": False}
    shop.sync()
    bands = {sku: shop.pixels("poster", sku).crop((150, 218, 178, 222)).convert("L") for sku in drawn}
    is_dark = {sku: band.resize((1, 1)).tobytes()[0] < 90 for sku, band in bands.items()}
    assert is_dark == {"CUP-1": False, "MUG-2": True}


def test_a_pair_that_is_switched_off_is_no_picture(shop: Shop) -> None:
    """Naming it reviews nothing else."""
    shop.sync()
    shop.change_role("[roles.side_by_side]", "enabled = true", "enabled = false")
    ran = shop.do("review", "approve", "CUP-1", "--role", "side_by_side")
    assert ran.code == 2
    assert ran.says("no picture here waits for review")
    shop.sync()
    assert set(shop.listed()) == {"main", "poster"}


def test_a_text_that_is_refused_is_not_set_on_what_was_approved(shop: Shop) -> None:
    """The approved poster stays, without the new words, and is not exported: nobody has seen what it would say."""
    shop.sync()
    assert shop.do("review", "approve", "CUP-1").code == 0
    shop.write(CUP.replace("限时优惠", "全网最低价，限时优惠"))
    assert {problem["role"] for problem in shop.sync(code=1)["problems"]} == {"poster"}
    poster = shop.listed()["poster"]
    assert [verdict["code"] for verdict in poster["verdicts"]] == ["text_blocked"]
    assert "全网最" in poster["verdicts"][0]["message_zh"]
    out = shop.root / "out"
    assert shop.do("export", out).code == 1
    assert [path.name for path in out.rglob("*poster*")] == []


def test_labels_of_a_pair_that_announce_an_offer_need_its_dates(shop: Shop) -> None:
    """As texts of layouts do."""
    shop.change_role("[roles.side_by_side]", "labels = [", 'labels = ["限时优惠", "有了它"] # [')
    shop.write(CUP.replace("2026-12-01,2026-12-12", ",").replace("限时优惠", "新品上市"))
    problems = shop.sync(code=1)["problems"]
    assert {problem["role"] for problem in problems} == {"comparison_without", "comparison_with"}
    assert all("起止日期" in problem["reason_zh"] for problem in problems)
