"""What changes is rendered again, and nothing else; through the real CLI and a real simulator."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.shop import ROWS, Shop, changed, simulator_process, tree

CHANGES = {
    "again": (ROWS, set()),
    "price": (changed(ROWS, 0, "售价", "149"), set()),
    "features reordered": (changed(ROWS, 1, "卖点", "单手开盖、防漏设计、保温保冷"), set()),
    "details reordered": (changed(ROWS, 0, "细节", "充电盒磁吸接口、耳机腔体设计"), set()),
    "rows reordered": (ROWS[::-1], set()),
    "one detail inserted": (
        changed(ROWS, 0, "细节", "触控面板、耳机腔体设计、充电盒磁吸接口"),
        {("EB-001", "detail", "触控面板")},
    ),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose pictures are all made."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    first = shop.run()
    assert first["pictures"]["rendered"] == first["pictures"]["planned"] == first["jobs_submitted"] > 8
    return shop


@pytest.fixture
def copy(shop: Shop, tmp_path: Path) -> Shop:
    """A copy of the shop, to change."""
    shutil.copytree(shop.root, tmp_path / "shop", symlinks=True)
    return Shop(tmp_path / "shop")


def planned(shop: Shop, *more: str) -> set[tuple[str, str, str]]:
    """The pictures a run would render."""
    return {(p["sku"], p["role"], p["item"]) for p in shop.plan(*more)["pictures"] if p["action"] == "render"}


@pytest.mark.parametrize("change", CHANGES)
def test_only_what_a_row_changes_is_made_again(copy: Shop, change: str) -> None:
    """Prices and order cost nothing; an inserted detail costs one picture."""
    rows, expected = CHANGES[change]
    copy.write(rows)
    assert planned(copy) == expected
    result = copy.run()
    assert result["jobs_submitted"] == result["pictures"]["rendered"] == len(expected)
    assert result["pictures"]["reused"] == result["pictures"]["planned"] - len(expected)
    assert copy.run()["jobs_submitted"] == 0


def test_a_new_name_concerns_that_sku_only(copy: Shop) -> None:
    """Every picture of the renamed SKU is made again, and none of the other."""
    copy.write(changed(ROWS, 0, "商品名称", "降噪蓝牙耳机"))
    plan = copy.plan()["pictures"]
    assert {p["sku"] for p in plan if p["action"] == "render"} == {"EB-001"}
    assert all(p["action"] == "render" for p in plan if p["sku"] == "EB-001")
    assert {p["reason"] for p in plan if p["action"] == "render"} == {"catalog changed: name"}


def test_an_edited_template_concerns_its_role_only(copy: Shop) -> None:
    """Editing lifestyle.j2 makes lifestyle pictures again, with that as the reason."""
    template = copy.root / "prompt_templates" / "lifestyle.j2"
    text = template.read_text(encoding="utf-8")
    assert "电商" in text
    template.write_text(text.replace("电商", "网店", 1), encoding="utf-8")
    again = [p for p in copy.plan()["pictures"] if p["action"] == "render"]
    assert {p["role"] for p in again} == {"lifestyle"}
    assert {p["reason"] for p in again} == {"prompt changed: lifestyle.j2"}


def test_another_platform_with_the_same_roles_is_free(tmp_path: Path) -> None:
    """Enabling a platform that uses rendered roles submits no job, and makes its files."""
    shop = Shop(tmp_path)
    assert shop.run("--platform", "amazon")["jobs_submitted"] > 0
    assert not (shop.output / "shopify").exists()
    result = shop.run("--platform", "shopify")
    assert result["jobs_submitted"] == 0
    assert result["renditions"] > 0
    assert (shop.output / "shopify" / "EB-001" / "listing.json").is_file()


def undated(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files without the reports, which say when and where they were written."""
    return {name: content for name, content in files.items() if not name.startswith("report.")}


def test_deleted_output_is_rebuilt_without_a_gpu(copy: Shop) -> None:
    """Listing folders are projections: deleting them costs no job and they come back the same, reports too."""
    before = tree(copy.output)
    shutil.rmtree(copy.output)
    assert copy.run()["jobs_submitted"] == 0
    after = tree(copy.output)
    assert after.keys() == before.keys()
    assert undated(after) == undated(before)


def test_one_deleted_file_is_rebuilt(copy: Shop) -> None:
    """A single lost file is noticed too."""
    before = tree(copy.output)
    next(copy.output.rglob("*.jpg")).unlink()
    assert copy.run()["jobs_submitted"] == 0
    assert undated(tree(copy.output)) == undated(before)


def test_a_regenerated_picture_stays(copy: Shop) -> None:
    """Regenerating makes one new picture with note and seed; every later run keeps it."""
    before = {p["key"]: p for p in copy.status("EB-001")[0]["pictures"]}
    result = copy.regenerate(
        "EB-001", "--role", "detail", "--slot", "2", "--note", "金属质感更强", "--seed", "7"
    )
    assert result["jobs_submitted"] == result["pictures"]["rendered"] == 1
    assert copy.run()["jobs_submitted"] == 0
    after = {p["key"]: p for p in copy.status("EB-001")[0]["pictures"]}
    (key,) = (k for k in after if after[k]["render"] != before[k]["render"])
    assert after[key]["role"] == "detail"
    assert after[key]["slot"] == 2
    assert (after[key]["take"], after[key]["note"], after[key]["seed"]) == (2, "金属质感更强", 7)
    listed = (copy.output / "amazon" / "EB-001" / "listing.json").read_text(encoding="utf-8")
    assert after[key]["render"] in listed
    assert before[key]["render"] not in listed


def test_csv_and_database_give_the_same_keys_as_the_workbook(tmp_path: Path) -> None:
    """The sample catalog as GB18030 CSV and as SQLite names exactly the renders of the workbook."""
    shop = Shop(tmp_path)
    plans = []
    for name in ("products.xlsx", "products.csv", "products.sqlite"):
        shop.catalog = shop.root / "sample_catalog" / name
        done = shop.command("plan", str(shop.catalog), "--workspace", str(shop.root), "--json", "--simulate")
        assert done.returncode == 1, done.stderr  # two rows are wrong on purpose
        plans.append(done.stdout)
    keys = [{p["key"]: p["render_key"] for p in json.loads(text)["pictures"]} for text in plans]
    assert keys[0] == keys[1] == keys[2]
    assert len(keys[0]) > 150


def test_placeholders_never_satisfy_a_real_plan(tmp_path: Path) -> None:
    """What the simulator made counts for nothing in the real state."""
    shop = Shop(tmp_path)
    made = shop.run()["pictures"]["rendered"]
    words = ["plan", str(shop.catalog), "--workspace", str(shop.root), "--json"]
    done = shop.command(*words)
    assert json.loads(done.stdout)["to_render"] == made
    assert not (tmp_path / "output").exists()


def test_a_named_simulator_selects_the_simulated_state(tmp_path: Path) -> None:
    """--comfyui of a server that declares itself a simulator works on the same state as --simulate."""
    with simulator_process(seconds=0.0) as url:
        shop = Shop(tmp_path, comfyui=url)
        assert shop.run()["jobs_submitted"] > 0
    assert not (tmp_path / "output").exists()
    again = Shop(tmp_path)
    assert again.run()["jobs_submitted"] == 0


def test_sync_does_what_run_does(copy: Shop) -> None:
    """A configured source is read by sync; unchanged rows cost nothing, and the source owns its SKUs."""
    settings = copy.root / "config" / "app.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(f'{text}\n[[source]]\nname = "shop"\npath = "products.xlsx"\n', encoding="utf-8")
    words = ["sync", "--workspace", str(copy.root), "--simulate", "--json"]
    done = copy.command(*words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["jobs_submitted"] == 0
    other = copy.root / "other.csv"
    other.write_text("货号,商品名称\nEB-001,别家的耳机\nNEW-1,新品台灯\n", encoding="utf-8")
    copy.catalog = other
    result = copy.run(code=1)
    assert [i["code"] for i in result["issues"] if i["severity"] == "error"] == ["owned_by"]
    assert result["skus"] == 1


def test_a_named_sku_is_not_blamed_for_other_rows(copy: Shop) -> None:
    """Who wants one SKU gets it and a clean end; who names the wrong row hears what is wrong with it."""
    nameless = ["BAD-1", "", "", *ROWS[0][3:]]
    copy.write([*ROWS, nameless])
    assert copy.run("--sku", "EB-001")["issues"] == []
    result = copy.run("--sku", "BAD-1", code=1)
    assert result["skus"] == 0
    assert {issue["sku"] for issue in result["issues"]} == {"BAD-1"}
