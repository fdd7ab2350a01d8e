"""A supplier's catalog, from unknown headers to pictures, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from tests.e2e.cli import Ran, assert_explains, called, cli

FOREIGN = ("代号", "叫法", "配色", "到店", "内部备注")
ROWS = (("A-001", "便携咖啡杯", "墨绿色", "89元", "x"), ("A-002", "无线蓝牙耳机", "黑色", "199元", ""))
CHINESE = {"LANG": "zh_CN.UTF-8"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace with a supplier's workbook, whose headers are below a title."""
    root = tmp_path / "shop"
    assert called("init", root).code == 0
    book = Workbook()
    for row in (("供应商A 三月报价",), (), FOREIGN, *ROWS):
        book.worksheets[0].append(list(row))
    book.save(root / "供应商A-3月.xlsx")
    book.close()
    return root


def at(shop: Path, *words: str, env: dict[str, str] | None = None) -> Ran:
    """A command about the supplier's workbook."""
    at_word = 2 if words[0] == "catalog" else 1
    line: list[str | Path] = [*words[:at_word], shop / "供应商A-3月.xlsx", *words[at_word:]]
    return called(*line, "--workspace", shop, env=env)


def test_from_unknown_headers_to_a_plan(shop: Path) -> None:
    """Refused; mapped; written; confirmed; read, with a note; planned."""
    assert_explains(at(shop, "catalog", "check"), 2, "catalog map")
    shown = at(shop, "catalog", "map", env=CHINESE)
    assert shown.code == 0
    for text in ("代号", "sku?", "内容是互不相同的短编码", "缺少对应的列：sku、name", "--write"):
        assert shown.says(text), text
    assert not (shop / "config" / "profiles").exists()

    written = at(shop, "catalog", "map", "--as", "供应商A", "--write", "--json")
    path = shop / "config" / "profiles" / "供应商A.toml"
    assert written.json["written"] == str(path)
    text = path.read_text(encoding="utf-8")
    assert '# ? "代号" = "sku"  # 货号：内容是互不相同的短编码' in text
    assert_explains(at(shop, "catalog", "check"), 2, "供应商A.toml", "--profile none")

    confirmed = text.replace("# ? ", "").replace("[ignore]\n", '[ignore]\nheaders = ["内部备注"]\n')
    path.write_text(confirmed, encoding="utf-8")
    checked = at(shop, "catalog", "check", "--json")
    assert checked.code == 0
    (row, _) = checked.json["rows"]
    assert (row["where"], row["sku"], row["price"], row["extra"]) == ("Sheet!4", "A-001", "89", {})
    assert [issue["code"] for issue in checked.json["issues"]] == ["profile_used"]
    planned = at(shop, "plan", "--json", "--simulate", "--role", "main")
    assert {picture["sku"] for picture in planned.json["pictures"]} == {"A-001", "A-002"}
    assert "profile_used" in {issue["code"] for issue in planned.json["issues"]}
    assert at(shop, "catalog", "map", "--json").json["profile"] == "供应商A"


def test_accepted_suggestions_take_effect(shop: Path) -> None:
    """At once; a process of its own reads the workbook in another one."""
    file = shop / "供应商A-3月.xlsx"
    assert cli("catalog", "map", file, "-w", shop, "--write", "--accept").code == 0
    ran = cli(
        "run", file, "-w", shop, "--simulate", "--limit", "1", "--role", "main", "--json", timeout_s=120
    )
    assert ran.code == 0, ran.err
    assert ran.json["pictures"]["rendered"] >= 1


def test_what_cannot_be_written_is_explained(shop: Path) -> None:
    """A profile that is there, a name that is none, an option without effect, a folder that is no workspace."""
    assert at(shop, "catalog", "map", "--write").code == 0
    assert_explains(at(shop, "catalog", "map", "--write"), 2, "--force")
    assert at(shop, "catalog", "map", "--write", "--force").code == 0
    assert_explains(at(shop, "catalog", "map", "--write", "--as", "a/b"), 2, "--as")
    assert_explains(at(shop, "catalog", "map", "--accept"), 2, "--write")
    elsewhere = called("catalog", "map", shop / "供应商A-3月.xlsx", "--write", "-w", shop / "sample_catalog")
    assert_explains(elsewhere, 2, "no workspace")


def test_what_cannot_be_read_is_explained(shop: Path) -> None:
    """To people, and to programs as an object; a broken profile with file and key."""
    assert_explains(called("catalog", "map", shop / "gone.xlsx", "-w", shop), 2, "does not exist")
    gone = called("catalog", "map", shop / "gone.xlsx", "-w", shop, "--json")
    assert (gone.code, gone.json["error"]["code"]) == (2, "file_not_found")
    folder = shop / "config" / "profiles"
    folder.mkdir()
    (folder / "甲.toml").write_text('[columns]\n"代号" = "skuu"\n', encoding="utf-8")
    assert_explains(at(shop, "catalog", "check"), 2, "甲.toml", "columns.代号", "sku")
    doctor = called("doctor", "--workspace", shop, "--json")
    assert "config/profiles/甲.toml" in doctor.out


def test_profiles_that_fit_equally_are_named(shop: Path) -> None:
    """By run, plan and catalog check alike; --profile decides."""
    for name in ("甲", "乙"):
        done = at(shop, "catalog", "map", "--write", "--accept", "--as", name, "--profile", "none")
        assert done.code == 0
    for words in (("catalog", "check"), ("plan", "--simulate"), ("run", "--simulate")):
        assert_explains(at(shop, *words), 2, "甲.toml", "乙.toml", "--profile")
    assert at(shop, "catalog", "check", "--profile", "乙").code == 0
    assert_explains(at(shop, "catalog", "check", "--profile", "丙"), 2, "甲", "乙")
