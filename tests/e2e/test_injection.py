"""What a catalog says is text: it names no path, runs in no template, calculates in no workbook, and is no markup."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.e2e.shop import HEADERS, Shop

TEMPLATE = "{{ 7 * 7 }}{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}"
FORMULA = "=cmd|'/C calc'!A0"
MARKUP = '<img src=x onerror=alert(1)>"><b>粗'
SKUS = (
    "../../../evil",
    "..\\..\\evil",
    "/etc/cron.d/evil",
    "C:\\evil",
    "a/../../b",
    "..",
    "CON",
    "%2e%2e%2fevil",
)


def row(sku: str, name: str, material: str = "棉") -> list[str]:
    """A product that is otherwise like others."""
    given = {"货号": sku, "商品名称": name, "类目": "家居", "颜色": "白色", "材质": material, "售价": "9.90"}
    return [given.get(header, "") for header in HEADERS]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that ran a catalog of somebody who means harm."""
    shop = Shop(tmp_path_factory.mktemp("yard") / "inner" / "shop")
    names = (TEMPLATE, FORMULA, MARKUP, "+1+1", "-2+3", "@SUM(A1)", "正常", "正常")
    shop.catalog = shop.root / "evil.csv"
    with shop.catalog.open("w", encoding="utf-8", newline="") as file:
        rows = [row(sku, name, TEMPLATE) for sku, name in zip(SKUS, names, strict=True)]
        csv.writer(file).writerows([HEADERS, *rows])
    told = shop.run()
    assert told["pictures"]["rendered"] == told["pictures"]["planned"] > 0
    return shop


def test_no_sku_leaves_the_output(attacked: Shop) -> None:
    """Every product has a folder of its own below its marketplace, and nothing lies beside the workspace."""
    yard = attacked.root.parent.parent
    assert {path.relative_to(yard).parts[:2] for path in yard.rglob("*") if path.is_file()} == {
        ("inner", "shop")
    }
    for market in (attacked.root / "output-simulated").iterdir():
        if market.is_dir():
            folders = [path for path in market.iterdir() if (path / "listing.json").is_file()]
            assert len(folders) == len(SKUS)
    assert not Path("/etc/cron.d/evil").exists()


def test_no_cell_is_a_template(attacked: Shop) -> None:
    """The braces reach the prompt as braces, or not at all; nothing is calculated."""
    for picture in attacked.plan()["pictures"]:
        assert "49" not in picture["positive"]
        assert "<class" not in picture["positive"]
        assert "subclasses" not in picture["positive"] or "{%" in picture["positive"]


def test_no_cell_is_a_formula_in_a_workbook_of_ours(attacked: Shop, tmp_path: Path) -> None:
    """Neither in the report nor in the answer that comes back from a drop folder."""
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "evil.csv").write_bytes(attacked.catalog.read_bytes())
    watched = ("watch", str(drop), "--once", "--settle", "0", "--interval", "0.1", "--simulate")
    done = attacked.command(*watched, "--json", "--workspace", str(attacked.root))
    assert done.returncode == 0, done.stderr
    answer = Path(json.loads(done.stdout)["answer"])
    report = attacked.root / "output-simulated" / "report.xlsx"
    for path in (answer, report):
        cells = [cell for sheet in load_workbook(path) for line in sheet.iter_rows() for cell in line]
        assert any(cell.value == FORMULA for cell in cells), "it is there, as text"
        suspicious = [cell for cell in cells if str(cell.value).startswith(("=cmd", "+1+1", "-2+3", "@SUM"))]
        assert {cell.data_type for cell in suspicious} <= {"s", "inlineStr"}
        with zipfile.ZipFile(path) as archive:
            sheets = [archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name]
        assert not any(b"<f>" in sheet and b"cmd|" in sheet.split(b"<f>", 1)[1] for sheet in sheets)


def test_no_cell_is_markup_in_the_report(attacked: Shop) -> None:
    """The page shows the signs; the browser reads no element from them."""
    page = (attacked.root / "output-simulated" / "report.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
