"""What is handed on: approved pictures, whole, with a report of what is inside."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shop import ROWS, Shop
from tests.small import small_sizes

SKU = ROWS[0][0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop with one product approved and one in draft; its pictures are large enough to pass."""
    made = Shop(tmp_path_factory.mktemp("export") / "shop")
    packaged = Path(__file__).parents[2] / "config" / "roles.toml"
    roles = small_sizes(packaged.read_text(encoding="utf-8"), longest=1472)
    (made.root / "config" / "roles.toml").write_text(roles, encoding="utf-8")
    made.run("--platform", "amazon", "--role", "main")
    done = made.command("review", "approve", SKU, "--workspace", str(made.root), "--simulate")
    assert done.returncode == 0, done.stderr
    return made


def export(shop: Shop, destination: Path, *words: str, code: int = 0) -> Any:
    """Export; the JSON it ends with, or the message if it fails."""
    line = ["export", str(destination), *words, "--workspace", str(shop.root), "--simulate", "--json"]
    done = shop.command(*line)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout) if done.stdout else done.stderr


def names(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_only_approved_pictures_go_out(made: Shop, tmp_path: Path) -> None:
    """The folder holds the approved product's listing as it stands in the output, and the reports."""
    done = export(made, tmp_path / "out", "--platform", "amazon")
    assert (done["files"], done["left_out"]) == (2, [])
    assert names(tmp_path / "out") == {
        f"amazon/{SKU}/{SKU}.MAIN.jpg",
        f"amazon/{SKU}/{SKU}.SWCH.jpg",
        f"amazon/{SKU}/listing.json",
        "report.html",
        "report.xlsx",
    }
    file = f"amazon/{SKU}/{SKU}.MAIN.jpg"
    assert (tmp_path / "out" / file).read_bytes() == (made.output / file).read_bytes()
    listing = json.loads((tmp_path / "out" / "amazon" / SKU / "listing.json").read_bytes())
    assert [f["state"] for f in listing["files"]] == ["approved"] * 2
    assert not list(tmp_path.glob(".writing-*"))


def test_drafts_go_out_when_somebody_says_so(made: Shop, tmp_path: Path) -> None:
    """--drafts takes both products; --sku narrows it down."""
    export(made, tmp_path / "all", "--platform", "amazon", "--drafts")
    assert {n.split("/")[1] for n in names(tmp_path / "all") if "/" in n} == {SKU, "CUP-1"}
    export(made, tmp_path / "one", "--platform", "amazon", "--drafts", "--sku", "CUP-1")
    assert {n.split("/")[1] for n in names(tmp_path / "one") if "/" in n} == {"CUP-1"}


def test_a_zip_holds_the_same_and_replaces_an_older_one(made: Shop, tmp_path: Path) -> None:
    """A zip of last week is replaced whole; it opens anywhere."""
    place = tmp_path / "week.zip"
    place.write_bytes(b"last week")
    export(made, place, "--platform", "amazon")
    with zipfile.ZipFile(place) as archive:
        assert archive.testzip() is None
        assert f"amazon/{SKU}/{SKU}.MAIN.jpg" in archive.namelist()
        assert {"report.html", "report.xlsx"} <= set(archive.namelist())
    assert {p.name for p in tmp_path.iterdir()} == {"week.zip"}


def test_the_report_inside_shows_what_is_inside(made: Shop, tmp_path: Path) -> None:
    """Its links lead to files that went along."""
    export(made, tmp_path / "out", "--platform", "amazon")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert f"amazon/{SKU}/" in page
    assert "amazon/CUP-1/" not in page


def test_files_that_fail_stay_behind(made: Shop, tmp_path: Path) -> None:
    """An approved picture too small for its placement is not handed on, and the command says so."""
    shop = made.copy(tmp_path / "shop")
    roles = shop.root / "config" / "roles.toml"
    roles.write_text(small_sizes(roles.read_text(encoding="utf-8"), longest=128), encoding="utf-8")
    shop.run("--platform", "amazon", "--role", "main")
    shop.command("review", "approve", "--all", "--workspace", str(shop.root), "--simulate")
    message = export(shop, tmp_path / "out", "--platform", "amazon", code=2)
    assert "the product fills" in message
    assert "--drafts" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["full", "file.txt"])
def test_what_stands_there_is_not_overwritten(name: str, made: Shop, tmp_path: Path) -> None:
    """Pictures of an earlier export must not mix with these."""
    place = tmp_path / name
    if name == "full":
        place.mkdir()
        (place / "old.jpg").write_bytes(b"")
    else:
        place.write_bytes(b"")
    message = export(made, place, code=2)
    assert "name a new folder" in message
    assert "新的文件夹" in message


def test_nothing_approved_is_said(made: Shop, tmp_path: Path) -> None:
    """Rather than an empty zip."""
    message = export(made, tmp_path / "out.zip", "--sku", "CUP-1", code=2)
    assert "review approve" in message
    assert "--drafts" in message
    assert not (tmp_path / "out.zip").exists()


def test_a_sku_goes_out_alone(made: Shop, tmp_path: Path) -> None:
    """A variant's sibling has a listing of its own; nobody asked for it."""
    shop = made.copy(tmp_path / "shop")
    shop.write([ROWS[0], ["EB-002", *ROWS[0][1:4], "白色", *ROWS[0][5:]]])
    shop.run("--platform", "amazon", "--role", "main")
    export(shop, tmp_path / "out", "--platform", "amazon", "--drafts", "--sku", SKU)
    assert {n.split("/")[1] for n in names(tmp_path / "out") if "/" in n} == {SKU}


def test_lost_and_spoiled_pictures_are_told(made: Shop, tmp_path: Path) -> None:
    """Neither bytes that are gone nor a file somebody overwrote goes out as the approved picture."""
    shop = made.copy(tmp_path / "shop")
    file = shop.output / "amazon" / SKU / f"{SKU}.MAIN.jpg"
    good = file.read_bytes()
    file.write_bytes(b"x" * len(good))
    export(shop, tmp_path / "made-again", "--platform", "amazon")
    assert (tmp_path / "made-again" / "amazon" / SKU / f"{SKU}.MAIN.jpg").read_bytes() == good
    shutil.rmtree(shop.root / "data" / "simulated" / "blobs")
    message = export(shop, tmp_path / "nothing", "--platform", "amazon", code=2)
    assert "are lost" in message
    file.write_bytes(good)
    assert export(shop, tmp_path / "from-output", "--platform", "amazon")["files"] == 2


def test_a_killed_export_is_swept_up(made: Shop, tmp_path: Path) -> None:
    """Its workbench is a folder; the next command removes it and works."""
    shop = made.copy(tmp_path / "shop")
    bench = shop.output / ".writing-export" / "amazon"
    bench.mkdir(parents=True)
    (bench / ".writing-file").write_bytes(b"half")
    (shop.root / "data" / "simulated" / "processes" / "dead.lock").write_bytes(b"")
    assert shop.status()
    assert not list(shop.output.glob(".writing-*"))


def test_a_listing_without_its_first_picture_is_told(made: Shop, tmp_path: Path) -> None:
    """Details alone are approved: they go out, and the command says that the main picture does not."""
    shop = made.copy(tmp_path / "shop")
    shop.run("--platform", "amazon", "--role", "detail", "--sku", "CUP-1")
    line = ["review", "approve", "CUP-1", "--role", "detail", "--workspace", str(shop.root), "--simulate"]
    assert shop.command(*line).returncode == 0
    done = export(shop, tmp_path / "out", "--platform", "amazon", "--sku", "CUP-1", code=1)
    assert done["files"] == 2
    assert [one["verdicts"][0]["code"] for one in done["left_out"]] == ["no_main_picture"]
