"""Every packaged marketplace gets its pictures in its places, shapes, names and order."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import Ran, assert_explains, called
from tests.e2e.conftest import FEW
from tests.e2e.output_checker import cropped

ROOT = Path(__file__).parents[2]
CHINESE = (
    *("taobao_tmall", "jd", "pinduoduo", "douyin", "xiaohongshu"),
    *("alibaba_1688", "kuaishou", "weixin_shop"),
)
GLOBAL = (
    *(
        "amazon",
        "ebay",
        "walmart",
        "shopify",
        "etsy",
        "shopee",
        "lazada",
        "aliexpress",
        "temu",
        "tiktok_shop",
    ),
    *("google_merchant", "meta_catalog", "instagram", "rakuten", "coupang", "mercadolibre"),
)
VARIANTS = ("LS-E100-BK", "LS-E100-WH")
SKUS = FEW
FAMILIES = ("LS-E100", "HS-PC12", "YJ-L5")
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("sample")]  # the first waits for the run
Tables = dict[str, Any]


def toml(name: str) -> Tables:
    """A table file of the checkout."""
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def files(output: Path, platform: str, subject: str) -> list[Tables]:
    """The files of a listing, in their order."""
    found: list[Tables] = json.loads((output / platform / subject / "listing.json").read_bytes())["files"]
    return found


def test_output_are_there(output: Path) -> None:
    """Each with listings; what their files are worth is checked in test_output_tree.py."""
    assert {p.name for p in output.iterdir() if p.is_dir()} == {*CHINESE, *GLOBAL}


def test_no_place_is_left_empty(output: Path, platforms: Tables) -> None:
    """Each placement of each platform has a file, for every family or variant."""
    for name, platform in platforms.items():
        for subject in FAMILIES if name in CHINESE else SKUS:
            filled = {file["placement"] for file in files(output, name, subject)}
            assert filled == {p["name"] for p in platform["placements"]}, (name, subject)


def test_the_main_picture_comes_first(output: Path) -> None:
    """A listing opens with the main picture, whatever else it holds."""
    for manifest in output.glob("*/*/listing.json"):
        listing = json.loads(manifest.read_bytes())
        first, opening = listing["files"][0], "ads" if listing["platform"] == "instagram" else "main"
        assert (first["placement"], first["role"], first["slot"]) == (opening, "main", 1), manifest


def test_nothing_is_cropped_to_another_shape(output: Path, platforms: Tables) -> None:
    """Upright places show upright renders: 3:4 from 3:4, squares from squares."""
    roles = toml("config/roles.toml")["roles"]
    assert cropped(output, platforms, roles) == []
    uprights = {
        f["role"] for name in CHINESE for f in files(output, name, "HS-PC12") if "3x4" in f["placement"]
    }
    assert uprights == {"main_portrait", "lifestyle"}  # of 2:3 places an eighth may go
    square = roles | {"main_portrait": roles["main"]}
    assert cropped(output, platforms, square), "a square render in a 3:4 place must be seen"


@pytest.mark.parametrize("platform", CHINESE[:5])
def test_each_variant_has_its_own_picture(output: Path, platform: str) -> None:
    """A shopper who picks black sees black: one 规格图 per SKU, named after it."""
    names = [f["name"] for f in files(output, platform, "LS-E100") if f["placement"] == "sku"]
    assert names == [f"{sku}_sku.jpg" for sku in VARIANTS]


@pytest.mark.parametrize("sku", SKUS)
def test_names_for_amazon(output: Path, sku: str) -> None:
    """MAIN, then PT01 and on without a gap, then SWCH, dots only; by SKU, for the sample has no ASIN."""
    names = [file["name"] for file in files(output, "amazon", sku)]
    numbered = [f"{sku}.PT{n:02}.jpg" for n in range(1, len(names) - 1)]
    assert names == [f"{sku}.MAIN.jpg", *numbered, f"{sku}.SWCH.jpg"]


@pytest.mark.parametrize("platform", ["jd", "shopify"])
def test_names_by_the_default_rule(output: Path, platform: str) -> None:
    """SKU, order in the listing, role; folders of files sort as the listing shows them."""
    for subject in FAMILIES if platform in CHINESE else SKUS:
        for order, file in enumerate(files(output, platform, subject), start=1):
            sku = file["picture"].partition(":")[2].partition("/")[0]
            tail = {"white_bg": "white"}.get(file["placement"], file["role"])
            if file["placement"] != "sku":
                assert file["name"] == f"{sku}_{order:02}_{tail}.jpg"


def test_files_of_google_are_named_by_attribute(output: Path) -> None:
    """The lifestyle picture goes into an attribute of its own, and keeps the shape of its render."""
    found = {f["placement"]: f for f in files(output, "google_merchant", "YJ-L5")}
    assert found["lifestyle"]["name"].endswith("_lifestyle_image_link.jpg")
    assert (found["lifestyle"]["width"], found["lifestyle"]["height"]) == (1125, 1500)
    assert (found["main"]["width"], found["main"]["height"]) == (1500, 1500)


def test_one_render_serves_every_platform(output: Path) -> None:
    """The square main picture of a SKU is one render, however many marketplaces show it."""
    renders = {
        f["render"]
        for manifest in output.glob("*/*/listing.json")
        for f in json.loads(manifest.read_bytes())["files"]
        if f["picture"].startswith("sku:YJ-L5/main/")
    }
    assert len(renders) == 1


def test_hearsay_never_fails_a_file(output: Path) -> None:
    """What others say of a platform may warn of a placeholder; nothing that is certain is broken."""
    found = {
        (verdict["code"], verdict["severity"])
        for manifest in output.glob("*/*/listing.json")
        for f in json.loads(manifest.read_bytes())["files"]
        for verdict in f["verdicts"]
    }
    assert found <= {(code, "warn") for code in ("platform_background", "platform_fill", "off_centre")}


def test_listings_pass_their_check(output: Path, tmp_path: Path) -> None:
    """Measured again from the files as they lie there: a listing of every marketplace."""
    platforms = sorted(path for path in output.iterdir() if path.is_dir())
    for platform in platforms:
        for place in sorted(platform.iterdir())[:1]:
            shutil.copytree(place, tmp_path / platform.name / place.name)
    ran = called("listing", "check", str(tmp_path), "--json", "--workspace", str(output.parent))
    checked = ran.json["listings"]
    assert {each["platform"] for each in checked} == {platform.name for platform in platforms}
    broken = [
        (each["platform"], file["name"], verdict["code"])
        for each in checked
        for file in each["files"]
        for verdict in (*file["verdicts"], *each["verdicts"])
        if verdict["severity"] == "fail"
    ]
    assert (broken, ran.code) == ([], 0)
    assert all(file["placement"] and file["width"] for each in checked for file in each["files"])


CODES = "货号,商品名称,颜色,{asin},国际条码\nEB-001,耳机,黑色,{value},6901234567892\n"


def test_codes_of_the_catalog_name_files(tmp_path: Path) -> None:
    """A column ASIN names the files of Amazon, a bar code those of Walmart; a new code costs names, no render."""
    shop = tmp_path / "shop"
    assert called("init", shop).code == 0
    words = ["--platform", "amazon", "--platform", "walmart", "--role", "main", "--simulate", "--json"]
    for header, value, jobs in (("备注", "x", 1), ("Asin", "B0ABCDE123", 0)):
        (shop / "codes.csv").write_text(CODES.format(asin=header, value=value), encoding="utf-8")
        ran = called("run", shop / "codes.csv", "-w", shop, *words)
        assert (ran.code, ran.json["jobs_submitted"]) == (0, jobs)
        stem = value if header == "Asin" else "EB-001"
        names = [file["name"] for file in files(shop / "output-simulated", "amazon", "EB-001")]
        assert names == [f"{stem}.MAIN.jpg", f"{stem}.SWCH.jpg"]
        names = [file["name"] for file in files(shop / "output-simulated", "walmart", "EB-001")]
        assert names == ["06901234567892.jpg", "06901234567892_swatch.jpg"]


# The platforms command


def test_every_marketplace_has_a_line_however_narrow(tmp_path: Path) -> None:
    """Two dozen of them in a terminal of 100 columns: each on one line, its name whole."""
    shown = called("platforms", "-w", tmp_path, env={"COLUMNS": "100"})
    lines = [line for line in shown.out.splitlines() if line.partition(" ")[0] in {*CHINESE, *GLOBAL}]
    assert [line.partition(" ")[0] for line in lines] == [*CHINESE, *GLOBAL]
    assert len(shown.out.splitlines()) <= len(lines) + 3


def test_the_table_of_platforms(tmp_path: Path) -> None:
    """Outside a workspace the packaged ones are shown, with what is enabled by default."""
    ran = called("platforms", "--json", "-w", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    found = {p["name"]: p for p in ran.json["platforms"]}
    assert tuple(found) == (*CHINESE, *GLOBAL)
    assert {name for name, p in found.items() if p["enabled"]} == {"taobao_tmall", "amazon"}
    assert found["jd"]["title"] == "京东"
    assert (found["jd"]["listing_per"], found["amazon"]["listing_per"]) == ("spu", "sku")
    assert found["amazon"]["placements"] == ["main", "additional", "swatch"]
    assert found["amazon"]["files_at_most"] == 10
    shown = called("platforms", "-w", tmp_path)
    assert (shown.code, shown.err) == (0, "")
    assert all(shown.says(word) for p in found.values() for word in (p["name"], p["title"]))


@pytest.mark.parametrize("name", [*CHINESE, *GLOBAL])
def test_one_platform_place_by_place(tmp_path: Path, platforms: Tables, name: str) -> None:
    """What we make, and each figure with its confidence, source, age, address and note."""
    ran = called("platforms", name, "--json", "-w", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.json["checked"] == toml("config/platforms.toml")["checked"].isoformat()
    for shown, written in zip(ran.json["placements"], platforms[name]["placements"], strict=True):
        assert [shown["width"], shown["height"]] == written["size"]
        assert (shown["name"], shown["title"]) == (written["name"], written["title"])
        assert shown["roles"] == written["roles"]
        figures = [f | {"source": f["source"]["id"]} for f in shown["figures"]]
        assert figures == [{"note": ""} | f for f in written.get("figures", [])]


def test_one_platform_for_people(tmp_path: Path) -> None:
    """The page has our choice, the platform's figures and where they were read."""
    ran: Ran = called("platforms", "pinduoduo", "-w", tmp_path, env={"COLUMNS": "200"})
    assert (ran.code, ran.err) == (0, "")
    for word in (
        *("拼多多", "轮播图", "800 × 800 cover", "at most 1 MB", "10 files", "from main, detail"),
        *("{sku}_sku", "official", "secondary", "memory", "480 × 480", "255, 255, 255", "2026-11-22"),
        *(
            "拼多多开放平台 pdd.goods.add",
            "copies of 2019–2024",
            "https://open.pinduoduo.com/",
            "hints of a newer form",
        ),
    ):
        assert ran.says(word), word


def test_a_workspace_shows_its_own_platforms(tmp_path: Path) -> None:
    """What is enabled here, and a platform of one's own without figures."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "app.toml").write_text('platforms = ["mine"]\n', encoding="utf-8")
    (tmp_path / "config" / "platforms.toml").write_text(
        '[platforms.mine]\ntitle = "我的店"\nlisting_per = "sku"\n'
        '[[platforms.mine.placements]]\nname = "main"\nroles = ["main"]\nsize = [600, 600]\n',
        encoding="utf-8",
    )
    found = {p["name"]: p["enabled"] for p in called("platforms", "--json", "-w", tmp_path).json["platforms"]}
    assert [name for name, is_enabled in found.items() if is_enabled] == ["mine"]
    ran = called("platforms", "mine", "-w", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.says("600 × 600 cover")
    assert ran.says("nothing known of the rules of the platform")


def test_an_unknown_platform_names_a_near_one(tmp_path: Path) -> None:
    """The message has the right spelling, in two languages."""
    assert_explains(called("platforms", "pingduoduo", "-w", tmp_path), 2, "pinduoduo", "pingduoduo")
