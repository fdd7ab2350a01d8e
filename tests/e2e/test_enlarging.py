"""Places that want more pixels than a model makes at once: told beforehand, filled by the workflow that enlarges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.e2e.cli import called

PLATFORM = """
[platforms.big]
title = "Big"
listing_per = "sku"
placements = [{ name = "main", roles = ["main"], size = [2000, 2000] }]
"""
NORMAL = '[roles.main]\nworkflow = "z_image_turbo"\nsize = [1280, 1280]\n'
LARGE = '[roles.main]\nworkflow = "z_image_turbo_2k"\nsize = [2048, 2048]\n'
CATALOG = "货号,商品名称,类目,颜色\nCUP-1,便携咖啡杯,家居,白色\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace whose one place is larger than what is rendered."""
    root = tmp_path / "shop"
    assert called("init", root).code == 0
    (root / "config" / "platforms.toml").write_text(PLATFORM, encoding="utf-8")
    settings = root / "config" / "app.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace('["taobao_tmall", "amazon"]', '["big"]'), encoding="utf-8")
    (root / "spring.csv").write_text(CATALOG, encoding="utf-8")
    return root


def told(root: Path) -> list[dict[str, Any]]:
    """What the doctor says of the place."""
    findings = called("doctor", "-w", root, "--json").json["findings"]
    return [finding for finding in findings if finding.get("code") == "place_too_large"]


def made(root: Path) -> tuple[list[dict[str, Any]], tuple[int, int]]:
    """The verdicts on the one file, and its size."""
    ran = called("run", root / "spring.csv", "-w", root, "--simulate", "--json")
    assert ran.json["jobs_submitted"] == 1
    checked = called("listing", "check", root / "output-simulated", "-w", root, "--json").json
    (file,) = checked["listings"][0]["files"]
    with Image.open(next((root / "output-simulated").rglob("*.jpg"))) as image:
        assert image.size == (file["width"], file["height"])
    return [verdict for verdict in file["verdicts"] if verdict["severity"] == "fail"], image.size


def test_what_the_doctor_says_fills_the_place(shop: Path) -> None:
    """In one job; without it the file is too small, and says so with the same remedy."""
    (warning,) = told(shop)
    assert warning["status"] == "warning"
    assert 'workflow = "z_image_turbo_2k", size = [2048, 2048]' in warning["remedy_en"]
    verdicts, size = made(shop)
    assert [verdict["code"] for verdict in verdicts] == ["too_small"]
    assert 'workflow = "z_image_turbo_2k"' in verdicts[0]["message_en"]
    assert size == (1600, 1600)

    roles = shop / "config" / "roles.toml"
    text = roles.read_text(encoding="utf-8")
    assert NORMAL in text
    roles.write_text(text.replace(NORMAL, LARGE), encoding="utf-8")
    assert told(shop) == []
    assert made(shop) == ([], (2000, 2000))
