"""Pictures made from the products' own photos, through the real CLI and a real simulator."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from PIL import Image

from tests.e2e.shop import Shop
from tests.servers import serving

PLATFORM = """
[platforms.mine]
title = "我的店"
listing_per = "sku"
[[platforms.mine.placements]]
name = "main"
roles = ["main_from_photo"]
size = [96, 96]
"""
PHOTO_SKU, BARE_SKU = "CUP-1", "EB-001"


def write_photo(shop: Shop, colour: str) -> None:
    """Put a photo of the cup into the workspace."""
    folder = shop.root / "photos"
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (90, 70), colour).save(folder / "杯子.jpg")


def write_rows(shop: Shop, photo: str = "杯子.jpg") -> None:
    """A cup with a photo, and earphones without."""
    book = Workbook()
    for row in (
        ("货号", "商品名称", "类目", "颜色", "图片"),
        (PHOTO_SKU, "便携咖啡杯", "家居", "墨绿色", photo),
        (BARE_SKU, "无线蓝牙耳机", "数码", "黑色", ""),
    ):
        book.worksheets[0].append(list(row))
    book.save(shop.catalog)
    book.close()


def edit(path: Path, old: str, new: str) -> None:
    """Change one place of a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose one role is made from photos, after its first run."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    roles = shop.root / "config" / "roles.toml"
    edit(roles, 'product = "reference"\nenabled = false', 'product = "reference"\nsmaller_sizes = [[64, 64]]')
    edit(shop.root / "config" / "app.toml", '["taobao_tmall", "amazon"]', '["mine"]')
    (shop.root / "config" / "platforms.toml").write_text(PLATFORM, encoding="utf-8")
    write_photo(shop, "green")
    write_rows(shop)
    first = shop.run(code=1)
    assert {name: count for name, count in first["pictures"].items() if count} == {
        "planned": 2,
        "rendered": 1,
        "blocked": 1,
    }
    return shop


@pytest.fixture
def shop(made: Shop, tmp_path: Path) -> Shop:
    """A copy of that shop, to change."""
    return made.copy(tmp_path / "shop")


def plan(shop: Shop) -> Any:
    """What a run would do; a picture that is blocked ends it with 1."""
    words = ["plan", str(shop.catalog), "--workspace", str(shop.root), "--simulate", "--json"]
    done = shop.command(*words)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)


def test_a_photo_becomes_a_picture_and_then_nothing_is_to_do(shop: Shop) -> None:
    """The same photo gives the same picture: a second run sends nothing."""
    listed = shop.output / "mine" / PHOTO_SKU
    assert len([path for path in listed.iterdir() if path.suffix == ".jpg"]) == 1
    (picture,) = plan(shop)["pictures"]
    assert (picture["sku"], picture["action"]) == (PHOTO_SKU, "reuse")
    assert shop.run(code=1)["jobs_submitted"] == 0


def test_a_product_without_a_photo_is_told_what_to_do(shop: Shop) -> None:
    """In both languages, in the plan and at the end of a run."""
    (blocked,) = plan(shop)["blocked"]
    assert blocked["sku"] == BARE_SKU
    assert "photos/" in blocked["reason_en"]
    assert "photos 文件夹" in blocked["reason_zh"]
    done = shop.command("plan", str(shop.catalog), "--workspace", str(shop.root), "--simulate")
    assert "EB-001 has no photo" in done.stdout


def test_another_photo_is_another_picture(shop: Shop) -> None:
    """Planned again with the reason, rendered once, and then it rests."""
    write_photo(shop, "darkgreen")
    (picture,) = plan(shop)["pictures"]
    assert (picture["action"], picture["reason"]) == ("render", "photo changed")
    again = shop.run(code=1)
    assert again["jobs_submitted"] == again["pictures"]["rendered"] == 1
    assert shop.run(code=1)["jobs_submitted"] == 0


def test_a_new_take_is_made_from_the_recorded_row(shop: Shop) -> None:
    """``regenerate`` reads no catalog, and finds the photo all the same."""
    again = shop.regenerate(PHOTO_SKU, "--role", "main_from_photo", "--note", "光线更暖")
    assert again["jobs_submitted"] == again["pictures"]["rendered"] == 1
    (picture,) = plan(shop)["pictures"]
    assert (picture["action"], picture["take"]) == ("reuse", 2)


def test_a_new_name_of_the_same_photo_changes_nothing(shop: Shop) -> None:
    """Its bytes are what counts, not where it lies."""
    (shop.root / "photos" / "杯子.jpg").rename(shop.root / "cup.jpg")
    write_rows(shop, "cup.jpg")
    (picture,) = plan(shop)["pictures"]
    assert picture["action"] == "reuse"


def test_a_photo_that_is_called_after_its_sku_needs_no_column(shop: Shop) -> None:
    """The earphones have one now."""
    Image.new("RGB", (50, 50), "black").save(shop.root / "photos" / f"{BARE_SKU}_主图.png")
    made = shop.run(code=0)
    assert {name: count for name, count in made["pictures"].items() if count} == {
        "planned": 2,
        "rendered": 1,
        "reused": 1,
    }


def test_a_photo_at_a_web_address_becomes_a_picture(shop: Shop) -> None:
    """Fetched from a server that the shop allows; the next run needs no server."""
    served = (shop.root / "photos" / "杯子.jpg").read_bytes()
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Give the same photo."""
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(served)

        def log_message(self, *words: Any) -> None:
            """Keep quiet."""

    edit(shop.root / "config" / "app.toml", "allowed_hosts = []", 'allowed_hosts = ["127.0.0.1"]')
    with serving(Handler) as url:
        write_rows(shop, f"{url}/cup.jpg")
        (picture,) = plan(shop)["pictures"]
        assert picture["action"] == "reuse", "the bytes are those of the file"
    (picture,) = plan(shop)["pictures"]
    assert picture["action"] == "reuse"
    assert asked == ["/cup.jpg"]
    assert len(list((shop.root / "data" / "pictures").glob("*.jpg"))) == 1


@pytest.mark.parametrize(
    ("photo", "said"),
    [
        ("weg.jpg", "there is no photo weg.jpg"),
        ("http://127.0.0.1:8188/a.jpg", "which is no public address"),
        ("b.jpg", "damaged"),
    ],
)
def test_a_photo_that_cannot_be_used_blocks_its_picture(shop: Shop, photo: str, said: str) -> None:
    """The approved or drafted picture stays; the row says what is wrong."""
    (shop.root / "photos" / "b.jpg").write_bytes(b"no picture")
    write_rows(shop, photo)
    blocked = {row["sku"]: row["reason_en"] for row in plan(shop)["blocked"]}
    assert said in blocked[PHOTO_SKU]
