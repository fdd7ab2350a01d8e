"""Pictures that show the product's own photo: cut out on white, or in a scene that a simulator renders."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook
from PIL import Image, ImageFilter

from catalog_imagegen.adapters.photos.cuttings import Cuttings
from catalog_imagegen.domain.errors import PhotoError
from catalog_imagegen.domain.fingerprint import digest
from catalog_imagegen.domain.imaging import Placement
from catalog_imagegen.stages.label import COMPOSITE, aigc_text, packet, read_labels
from catalog_imagegen.stages.rendition import Marks
from catalog_imagegen.stages.rendition.encoding import encode
from tests.e2e.cli import assert_explains, called, wait_for
from tests.e2e.shop import Shop, executed, simulator_process, start
from tests.unit.studio import Shot, Studio, shoot

PLATFORM = """
[platforms.mine]
title = "我的店"
listing_per = "sku"
[[platforms.mine.placements]]
name = "main"
roles = ["main"]
size = [96, 96]
background = "white"
visible_label = "always"
[[platforms.mine.placements]]
name = "scene"
roles = ["lifestyle"]
size = [96, 128]
"""
SKU, BARE = "CUP-1", "EB-001"
JAR = Studio(shape="jar", colour=(40, 110, 90), shadow=0.25, size=(400, 400))
MUG = Studio(shape="mug", colour=(60, 80, 150), shadow=0.25, size=(400, 400))


def write_photo(shop: Shop, of: Studio | Image.Image) -> Shot | None:
    """Put a photo into the workspace that is called after the SKU."""
    shot = shoot(of) if isinstance(of, Studio) else None
    folder = shop.root / "photos"
    folder.mkdir(exist_ok=True)
    (shot.photo if shot else of).save(folder / f"{SKU}.png")  # type: ignore[union-attr]  # one of the two
    return shot


def shop_in(root: Path, product: str = "composite", main: str = "", comfyui: str = "") -> Shop:
    """Two products with a main picture and a scene each."""
    shop = Shop(root, comfyui=comfyui)
    (shop.root / "config" / "platforms.toml").write_text(PLATFORM, encoding="utf-8")
    app = shop.root / "config" / "app.toml"
    app.write_text(app.read_text("utf-8").replace('["taobao_tmall", "amazon"]', '["mine"]'), "utf-8")
    roles = shop.root / "config" / "roles.toml"
    text = roles.read_text("utf-8")
    text = text.replace("[roles.main]\n", f"[roles.main]\n{main}\n")
    roles.write_text(
        text.replace("[roles.lifestyle]\n", f'[roles.lifestyle]\nproduct = "{product}"\n'), "utf-8"
    )
    book = Workbook()
    for row in (
        ("货号", "商品名称", "类目", "颜色", "使用场景"),
        (SKU, "便携咖啡杯", "家居", "墨绿色", "在办公室使用"),
        (BARE, "无线蓝牙耳机", "数码", "黑色", "在通勤地铁上听音乐"),
    ):
        book.worksheets[0].append(list(row))
    book.save(shop.catalog)
    book.close()
    return shop


def pictures(shop: Shop, sku: str) -> dict[str, Any]:
    """Role → its picture, as ``status`` tells."""
    (found,) = shop.status(sku)
    return {picture["role"]: picture for picture in found["pictures"]}


def raw(shop: Shop, sku: str, role: str) -> Image.Image:
    """The kept picture that listings are made of."""
    (name,) = {file["render"] for file in manifest(shop, sku) if file["role"] == role}
    return Image.open(blob(shop, name)).convert("RGB")


def blob(shop: Shop, name: str) -> Path:
    """Where these bytes are kept."""
    return next((shop.root / "data").rglob(name))


def manifest(shop: Shop, sku: str) -> list[Any]:
    """The files of a listing, as it names them."""
    found: list[Any] = json.loads((shop.output / "mine" / sku / "listing.json").read_text("utf-8"))["files"]
    return found


def listed(shop: Shop, sku: str, role: str) -> bytes:
    """The file of a role in the listing."""
    (name,) = [str(file["name"]) for file in manifest(shop, sku) if file["role"] == role]
    return (shop.output / "mine" / sku / name).read_bytes()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Shot, Any]:
    """A shop after its first run: one product has a photo, and no scene is to be had for the other."""
    shop = shop_in(tmp_path_factory.mktemp("shop"))
    shot = write_photo(shop, JAR)
    assert shot is not None
    return shop, shot, shop.run(code=1)


def test_a_photo_is_shown_without_a_server(made: tuple[Shop, Shot, Any]) -> None:
    """One scene and one main picture are rendered; the main picture of the photo is not."""
    _, _, first = made
    counts = {name: count for name, count in first["pictures"].items() if count}
    assert counts == {"planned": 4, "rendered": 3, "blocked": 1}
    assert first["jobs_submitted"] == 2
    (blocked,) = first["problems"]
    assert (blocked["sku"], blocked["role"]) == (BARE, "lifestyle")
    assert "没有照片" in blocked["reason_zh"]


def test_its_product_keeps_every_pixel_and_its_shadow(made: tuple[Shop, Shot, Any]) -> None:
    """What the product covers wholly is the photo's, bit by bit; around it there is white, and under it a shadow."""
    shop, shot, _ = made
    image, photo = (np.asarray(each).astype(int) for each in (raw(shop, SKU, "main"), shot.photo))
    inside = (
        np.asarray(shot.mask.filter(ImageFilter.MinFilter(3))) == 255
    )  # but for the edge, which has white in it
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    part, covered = photo[place], inside[place]
    height, width = covered.shape
    found = [
        (y, x)
        for y in range(image.shape[0] - height + 1)
        for x in range(image.shape[1] - width + 1)
        if (image[y + height // 2, x + width // 2] == part[height // 2, width // 2]).all()
        and (image[y : y + height, x : x + width][covered] == part[covered]).all()
    ]
    assert len(found) == 1
    assert (image[:3] == 255).all()
    assert (image[:, :3] == 255).all()
    (y, x) = found[0]
    below = image[y + height + 2 : y + height + 6, x : x + width]
    assert 150 < below.min() < 250


def test_it_is_called_no_machines_work(made: tuple[Shop, Shot, Any]) -> None:
    """Neither in its metadata nor in letters on it; the scene is called a composite; both are well by measure."""
    shop, _, _ = made
    main, scene = read_labels(listed(shop, SKU, "main")), read_labels(listed(shop, SKU, "lifestyle"))
    assert (len(main.aigc), len(scene.aigc)) == (0, 1)
    assert scene.source_types == (COMPOSITE,)
    assert len(read_labels(listed(shop, BARE, "main")).aigc) == 1
    corner = Image.open(io.BytesIO(listed(shop, SKU, "main"))).convert("L").crop((60, 86, 96, 96))
    assert corner.histogram()[:250] == [0] * 250
    done = shop.command("listing", "check", str(shop.output / "mine" / SKU), "-w", str(shop.root), "--json")
    (listing,) = json.loads(done.stdout)["listings"]
    assert [v["code"] for file in listing["files"] for v in file["verdicts"] if "label" in v["code"]] == []


def test_an_invented_product_is_told_to_be_one(made: tuple[Shop, Shot, Any]) -> None:
    """Where there is no photo the reason stands at the picture; where there is one it does not."""
    shop, _, _ = made
    assert "不是实物图" in pictures(shop, BARE)["main"]["reason_zh"]
    assert {picture["reason_zh"] for picture in pictures(shop, SKU).values()} == {""}


def test_again_nothing_is_to_do(made: tuple[Shop, Shot, Any]) -> None:
    """Neither here nor there."""
    shop, _, _ = made
    again = shop.run(code=1)
    assert (again["jobs_submitted"], again["pictures"]["rendered"], again["pictures"]["reused"]) == (0, 0, 3)


def test_another_photo_costs_no_job(made: tuple[Shop, Shot, Any], tmp_path: Path) -> None:
    """The scene that was rendered takes the other photo; what was made of the first is not called current."""
    shop = made[0].copy(tmp_path / "shop")
    before = raw(shop, SKU, "lifestyle")
    write_photo(shop, MUG)
    plan = json.loads(shop.command("plan", *shop.run_words()[1:]).stdout)
    assert (plan["to_render"], plan["to_make"]) == (0, 2)
    told = shop.run(code=1)
    assert (told["jobs_submitted"], told["pictures"]["rendered"]) == (0, 2)
    after = raw(shop, SKU, "lifestyle")
    where = np.nonzero((np.asarray(before) != np.asarray(after)).any(2))
    assert where[0].min() > 0.15 * after.height  # the room of the product, and its shadow
    blues = [np.asarray(image.convert("HSV"))[..., 0][40:110, 40:60].mean() for image in (before, after)]
    assert blues[1] > blues[0]


def test_a_lost_picture_of_a_photo_is_made_again_the_same(
    made: tuple[Shop, Shot, Any], tmp_path: Path
) -> None:
    """Without a server."""
    shop = made[0].copy(tmp_path / "shop")
    files = {role: listed(shop, SKU, role) for role in ("main", "lifestyle")}
    for file in manifest(shop, SKU):
        blob(shop, file["render"]).unlink()
    shutil.rmtree(shop.output / "mine" / SKU)
    assert shop.run(code=1)["jobs_submitted"] == 0
    assert {role: listed(shop, SKU, role) for role in files} == files


def test_a_photo_that_nothing_can_be_cut_out_of_is_told(tmp_path: Path) -> None:
    """Where nobody insists a model invents the product, and says why; where somebody does, the picture waits."""
    shop = shop_in(tmp_path / "shop", product="generate")
    noise = np.random.default_rng(3).integers(0, 255, (300, 300, 3), np.uint8)
    write_photo(shop, Image.fromarray(noise))
    told = shop.run()
    assert told["jobs_submitted"] == 4
    (issue,) = told["issues"]
    assert (issue["code"], issue["sku"]) == ("photo_not_used", SKU)
    assert "背景" in issue["message_zh"]
    assert "不是实物图" in pictures(shop, SKU)["main"]["reason_zh"]
    roles = shop.root / "config" / "roles.toml"
    roles.write_text(
        roles.read_text("utf-8").replace("[roles.main]\n", '[roles.main]\nproduct = "cutout"\n'), "utf-8"
    )
    blocked = shop.run(code=1)["problems"]
    assert [(p["sku"], p["state"]) for p in blocked] == [(SKU, "blocked"), (BARE, "blocked")]


@pytest.mark.parametrize(("product", "state"), [("auto", "draft"), ("generate", "approved")])
def test_an_invented_product_waits_for_somebody(product: str, state: str, tmp_path: Path) -> None:
    """Whatever the role's approval says, unless it asks for invention itself."""
    shop = shop_in(tmp_path / "shop", product="generate", main=f'approval = "auto"\nproduct = "{product}"')
    shop.run()
    assert pictures(shop, BARE)["main"]["state"] == state


def test_a_label_that_the_photo_came_with_stays_alone(tmp_path: Path) -> None:
    """Somebody's generated photo is still called one when it was cut out."""
    shop = shop_in(tmp_path / "shop", product="generate")
    text = aigc_text(producer="001191310000MA1FL000XX00002", produce_id="theirs")
    xmp = packet(text, "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia")
    png = encode(shoot(JAR).photo, Placement("main", ("main",), 400, 400, format="PNG"), Marks(xmp))
    (shop.root / "photos").mkdir()
    (shop.root / "photos" / f"{SKU}.png").write_bytes(png)
    shop.run()
    (label,) = read_labels(listed(shop, SKU, "main")).aigc
    assert label.text == text


def test_the_scene_of_a_composite_can_be_rendered_again(tmp_path: Path) -> None:
    """What a server made of it is compared, not what was placed in it; a photo is nothing to render."""
    with simulator_process(seconds=0) as url:
        shop = shop_in(tmp_path / "shop", comfyui=url)
        write_photo(shop, JAR)
        shop.run("--sku", SKU)
        where = ["--workspace", str(shop.root), "--comfyui", url]
        assert called("reproduce", SKU, "--role", "lifestyle", "--json", *where).json["is_same"]
        assert_explains(called("reproduce", SKU, "--role", "main", *where), 2, "own photo")


def test_a_run_that_is_killed_between_scene_and_listing_loses_nothing(tmp_path: Path) -> None:
    """The scene is executed once, whoever dies when."""
    with simulator_process(seconds=0.2) as url:
        shop = shop_in(tmp_path / "shop", comfyui=url)
        write_photo(shop, JAR)
        for delay in (0.0, 0.1, 0.3):
            process = start(shop, *shop.run_words("--sku", SKU))
            wait_for(lambda: executed(url))
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=delay)
            process.kill()
            process.communicate()
        shop.run("--sku", SKU)
        assert len(executed(url)) == 1
    assert {picture["state"] for picture in pictures(shop, SKU).values()} == {"draft"}


def test_what_is_said_of_a_photo_by_reviewers(made: tuple[Shop, Shot, Any], tmp_path: Path) -> None:
    """It can be approved by its digits; another take of it is refused, and a rejected one waits for another photo."""
    shop = made[0].copy(tmp_path / "shop")
    where = ["--workspace", str(shop.root), "--simulate"]
    (name,) = {file["render"] for file in manifest(shop, SKU) if file["role"] == "main"}
    assert called("review", "approve", SKU, "--render", name[:12], *where).code == 0
    assert pictures(shop, SKU)["main"]["state"] == "approved"
    assert_explains(called("regenerate", SKU, "--role", "main", *where), 2, "its own photo")
    assert called("review", "reject", SKU, "--role", "main", "--reason", "歪", *where).code == 0
    shop.run(code=1)
    found = pictures(shop, SKU)["main"]
    assert (found["state"], found["take"]) == ("blocked", 1)
    assert "更换照片" in found["reason_zh"]
    write_photo(shop, MUG)
    shop.run(code=1)
    assert pictures(shop, SKU)["main"]["state"] == "draft"


@pytest.mark.parametrize("side", [300, 5000])
def test_a_white_product_that_is_cut_out_already(side: int, tmp_path: Path) -> None:
    """Its own transparency tells it from white; one of many pixels is made smaller first."""
    shop = shop_in(tmp_path / "shop", product="generate")
    photo = Image.new("RGBA", (side, side // 4))
    photo.paste((255, 255, 255, 255), (side // 5, side // 16, 4 * side // 5, side // 5))
    write_photo(shop, photo)
    assert shop.run()["jobs_submitted"] == 3
    made_of = next(file for file in manifest(shop, SKU) if file["role"] == "main")
    assert made_of["origin"] == "photo"
    assert max(raw(shop, SKU, "main").size) <= 4096


def test_a_thumbnail_is_no_main_picture(tmp_path: Path) -> None:
    """It is told, and not used."""
    shop = shop_in(tmp_path / "shop", product="generate")
    photo = Image.new("RGBA", (60, 60))
    photo.paste((90, 20, 20, 255), (10, 10, 50, 50))
    write_photo(shop, photo)
    (issue,) = shop.run()["issues"]
    assert issue["code"] == "photo_not_used"


def test_a_photo_is_of_the_sku_that_it_is_called_after(tmp_path: Path) -> None:
    """Though that stands in another file: CUP-1.png is not the first photo of CUP."""
    shop = shop_in(tmp_path / "shop", product="generate")
    write_photo(shop, JAR)
    shop.run()
    rows = Workbook()
    rows.worksheets[0].append(["货号", "商品名称", "类目"])
    rows.worksheets[0].append(["CUP", "马克杯", "家居"])
    rows.save(shop.catalog)
    shop.run()
    assert [file["origin"] for file in manifest(shop, "CUP")] == ["generated", "generated"]


def test_what_cannot_be_read_now_is_not_remembered(tmp_path: Path) -> None:
    """A drive that is away for a moment does not make a photo useless for ever."""
    name, content = digest(b"photo"), io.BytesIO()
    shoot(JAR).photo.save(content, "PNG")
    for _ in range(2):
        cuttings = Cuttings(tmp_path / "cuttings.json")
        with pytest.raises(PhotoError):
            cuttings.objection(name, lambda: None)
        cuttings.close()
    again = Cuttings(tmp_path / "cuttings.json")
    assert again.objection(name, content.getvalue) is None
