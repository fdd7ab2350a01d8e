"""Every packaged marketplace gets its pictures in its places, shapes, names and order."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import Ran, assert_explains, cli
from tests.e2e.output_checker import cropped

ROOT = Path(__file__).parents[2]
CHINESE = ("taobao_tmall", "jd", "pinduoduo", "douyin", "xiaohongshu")
GLOBAL = ("amazon", "shopify", "google_merchant")
VARIANTS = ("LS-E100-BK", "LS-E100-WH")
SKUS = (*VARIANTS, "HS-PC12", "YJ-L5")
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
        first = json.loads(manifest.read_bytes())["files"][0]
        assert (first["placement"], first["role"], first["slot"]) == ("main", "main", 1), manifest


def test_nothing_is_cropped_to_another_shape(output: Path, platforms: Tables) -> None:
    """Upright places show upright renders: 3:4 from 3:4, squares from squares."""
    roles = toml("config/roles.toml")["roles"]
    assert cropped(output, platforms, roles) == []
    uprights = {
        f["role"] for name in CHINESE for f in files(output, name, "HS-PC12") if "3x4" in f["placement"]
    }
    assert uprights == {"main_portrait", "lifestyle"}
    square = roles | {"main_portrait": roles["main"]}
    assert cropped(output, platforms, square), "a square render in a 3:4 place must be seen"


@pytest.mark.parametrize("platform", CHINESE)
def test_each_variant_has_its_own_picture(output: Path, platform: str) -> None:
    """A shopper who picks black sees black: one 规格图 per SKU, named after it."""
    names = [f["name"] for f in files(output, platform, "LS-E100") if f["placement"] == "sku"]
    assert names == [f"{sku}_sku.jpg" for sku in VARIANTS]


@pytest.mark.parametrize("sku", SKUS)
def test_names_for_amazon(output: Path, sku: str) -> None:
    """MAIN, then PT01 and on without a gap, dots only."""
    names = [file["name"] for file in files(output, "amazon", sku)]
    assert names == [f"{sku}.MAIN.jpg", *(f"{sku}.PT{n:02}.jpg" for n in range(1, len(names)))]


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
    """The caption of a placeholder stains the white border: unofficial figures warn of that, and only warn."""
    severities = Counter(
        (verdict["code"], verdict["severity"])
        for manifest in output.glob("*/*/listing.json")
        for f in json.loads(manifest.read_bytes())["files"]
        for verdict in f["verdicts"]
    )
    assert set(severities) <= {("platform_background", "warn")}


# The platforms command


def test_the_table_of_platforms(tmp_path: Path) -> None:
    """Outside a workspace the packaged ones are shown, with what is enabled by default."""
    ran = cli("platforms", "--json", "-w", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    found = {p["name"]: p for p in ran.json["platforms"]}
    assert tuple(found) == (*CHINESE, *GLOBAL)
    assert {name for name, p in found.items() if p["enabled"]} == {"taobao_tmall", "amazon"}
    assert found["jd"]["title"] == "京东"
    assert (found["jd"]["listing_per"], found["amazon"]["listing_per"]) == ("spu", "sku")
    assert found["amazon"]["placements"] == ["main", "additional"]
    assert found["amazon"]["files_at_most"] == 9
    shown = cli("platforms", "-w", tmp_path)
    assert (shown.code, shown.err) == (0, "")
    assert all(shown.says(word) for p in found.values() for word in (p["name"], p["title"]))


@pytest.mark.parametrize("name", [*CHINESE, *GLOBAL])
def test_one_platform_place_by_place(tmp_path: Path, platforms: Tables, name: str) -> None:
    """What we make, and each figure with its confidence, source, age, address and note."""
    ran = cli("platforms", name, "--json", "-w", tmp_path)
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
    ran: Ran = cli("platforms", "pinduoduo", "-w", tmp_path, env={"COLUMNS": "200"})
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
    found = {p["name"]: p["enabled"] for p in cli("platforms", "--json", "-w", tmp_path).json["platforms"]}
    assert [name for name, is_enabled in found.items() if is_enabled] == ["mine"]
    ran = cli("platforms", "mine", "-w", tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.says("600 × 600 cover")
    assert ran.says("nothing known of the rules of the platform")


def test_an_unknown_platform_names_a_near_one(tmp_path: Path) -> None:
    """The message has the right spelling, in two languages."""
    assert_explains(cli("platforms", "pingduoduo", "-w", tmp_path), 2, "pinduoduo", "pingduoduo")
