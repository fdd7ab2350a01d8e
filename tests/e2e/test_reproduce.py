"""Any picture can be rendered again from what was recorded of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog_imagegen.domain.fingerprint import digest
from tests.e2e.cli import assert_explains, called
from tests.e2e.shop import ROWS, Shop, changed, executed, simulator_process

SKU = ROWS[0][0]


def reproduced(shop: Shop, url: str, *more: str, code: int = 0) -> Any:
    """What ``reproduce`` says of the main picture."""
    words = ["--workspace", str(shop.root), "--json", "--comfyui", url]
    ran = called("reproduce", SKU, "--role", "main", *more, *words)
    assert ran.code == code, ran.err
    return ran.json


def test_the_same_bytes_come_again_on_another_server(tmp_path: Path) -> None:
    """Though row, template and seed of everything have changed since."""
    with simulator_process(seconds=0) as first:
        shop = Shop(tmp_path / "shop", comfyui=first)
        shop.run("--role", "main")
    shop.write(changed(ROWS, 0, "颜色", "白色"))
    template = shop.root / "prompt_templates" / "main.j2"
    template.write_text("{% extends 'base.j2' %}", encoding="utf-8")
    again = tmp_path / "again.png"
    with simulator_process(seconds=0) as second:
        found = reproduced(shop, second, "--to", str(again))
        assert len(executed(second)) == 1
    assert found["is_same"]
    assert (found["made_on"], found["reproduced_on"]) == (first, second)
    assert digest(again.read_bytes()) == found["original"]
    assert (shop.root / "data" / "simulated" / "blobs" / found["original"][:2] / found["original"]).exists()


def test_it_is_really_rendered_where_it_was_made(tmp_path: Path) -> None:
    """Not answered from the server's cache; and nothing is recorded."""
    with simulator_process(seconds=0) as url:
        shop = Shop(tmp_path / "shop", comfyui=url)
        shop.run("--role", "main", "--sku", SKU)
        before = shop.status(SKU)
        assert reproduced(shop, url)["is_same"]
        assert len(executed(url)) == 2
        assert shop.status(SKU) == before
        assert shop.run("--role", "main", "--sku", SKU)["jobs_submitted"] == 0


def test_another_picture_is_said_to_be_one(tmp_path: Path) -> None:
    """Another version of the server writes other bytes: exit 1, and both servers are named."""
    with simulator_process(seconds=0) as first:
        shop = Shop(tmp_path / "shop", comfyui=first)
        shop.run("--role", "main", "--sku", SKU)
        faults = ["--faults", "uniform:99"]
        with simulator_process(seconds=0, more=faults) as second:
            found = reproduced(shop, second, code=1)
            assert not found["is_same"]
            shown = called("reproduce", SKU, "--role", "main", "--comfyui", second, "--workspace", shop.root)
    assert shown.code == 1
    assert shown.says(first)
    assert shown.says(second)


def test_what_cannot_be_reproduced_is_explained(tmp_path: Path) -> None:
    """More than one picture meant, none made yet, an unknown SKU."""
    shop = Shop(tmp_path / "shop")
    shop.run("--role", "main", "--sku", SKU)
    at = ("--workspace", shop.root, "--simulate")
    assert_explains(called("reproduce", SKU, *at), 2, "--role main --slot 1")
    assert_explains(called("reproduce", SKU, "--role", "lifestyle", *at), 2, "never made", "status")
    assert_explains(called("reproduce", "nobody", *at), 2, "nobody")
