"""``sync`` through the real CLI and a real simulator: sources, what leaves, and when it holds back."""

from __future__ import annotations

import csv
import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.e2e.shop import Shop
from tests.integration.catalogs_support import write_xlsx
from tests.unit.studio import Studio, shoot

HEADER = ("货号", "商品名称", "类目", "颜色", "售价")


def rows(count: int) -> list[tuple[str, ...]]:
    """So many mugs."""
    return [(f"M-{number:02}", f"马克杯{number:02}", "家居", "白色", "9.90") for number in range(count)]


def write(path: Path, products: Sequence[Sequence[str]]) -> None:
    """A catalog as a text table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *products])


class Nightly(Shop):
    """A shop whose catalog is a source."""

    def __init__(self, root: Path, source: str, **limits: float) -> None:
        super().__init__(root)
        settings = root / "config" / "app.toml"
        text = settings.read_text(encoding="utf-8")
        for name, limit in limits.items():
            text = text.replace(f"[sync]\n{name} = ", f"[sync]\n{name} = {limit} # ")
            lines = [
                f"{name} = {limit}" if line.startswith(f"{name} =") else line for line in text.splitlines()
            ]
            text = "\n".join(lines)
        text += f'\n[[source]]\nname = "shop"\npath = "{source}"\n'
        settings.write_text(text, encoding="utf-8")
        roles = root / "config" / "roles.toml"
        for role in ("main_portrait", "lifestyle", "detail", "comparison"):
            text = roles.read_text(encoding="utf-8")
            roles.write_text(
                text.replace(f"[roles.{role}]", f"[roles.{role}]\nenabled = false"), encoding="utf-8"
            )

    def sync(self, *more: str, code: int = 0) -> Any:
        """One night; returns the JSON object it ends with."""
        done = self.command("sync", "--workspace", str(self.root), "--simulate", "--json", *more)
        assert done.returncode == code, done.stderr or done.stdout
        return json.loads(done.stdout)

    def listed(self) -> set[str]:
        """The products that have a listing for Taobao."""
        return {place.parent.name for place in self.root.glob("output-simulated/taobao_tmall/*/listing.json")}


@pytest.fixture
def shop(tmp_path: Path) -> Nightly:
    """A shop of ten mugs, all made."""
    shop = Nightly(tmp_path, "mugs.csv", max_new_renders=12)
    write(tmp_path / "mugs.csv", rows(10))
    first = shop.sync()
    assert first["pictures"]["rendered"] == first["pictures"]["planned"] == 10
    return shop


def test_an_unchanged_source_costs_nothing(shop: Nightly) -> None:
    """Nothing is planned, sent or written."""
    again = shop.sync()
    assert (again["skus"], again["unchanged"], again["jobs_submitted"]) == (10, 10, 0)
    assert again["pictures"] == dict.fromkeys(again["pictures"], 0)


def test_a_code_that_is_filled_in_names_files_the_next_night(shop: Nightly) -> None:
    """Nothing is rendered."""
    table = "货号,商品名称,类目,颜色,售价,ASIN\n"
    path = shop.root / "mugs.csv"
    lines = [",".join(row) for row in rows(10)]
    path.write_text(
        table + "".join(f"{line},{'B0ABCDEF01' * (not i)}\n" for i, line in enumerate(lines)), "utf-8"
    )
    named = shop.sync()
    assert (named["jobs_submitted"], named["pictures"]["reused"]) == (0, 10)
    assert listing_names(shop, "M-00") == {"B0ABCDEF01.MAIN.jpg", "B0ABCDEF01.SWCH.jpg"}
    assert listing_names(shop, "M-01") == {"M-01.MAIN.jpg", "M-01.SWCH.jpg"}


def listing_names(shop: Nightly, sku: str) -> set[str]:
    """The pictures of a product's Amazon listing."""
    return {path.name for path in (shop.root / "output-simulated" / "amazon" / sku).glob("*.jpg")}


def test_what_leaves_the_source_leaves_the_listings_and_may_come_back(shop: Nightly) -> None:
    """One product goes: its listing goes, its pictures stay, and its return costs no job."""
    assert shop.listed() == {f"M-{number:02}" for number in range(10)}
    write(shop.root / "mugs.csv", rows(10)[1:])
    gone = shop.sync()
    assert (gone["retired"], gone["skus"], gone["jobs_submitted"]) == (1, 9, 0)
    assert shop.listed() == {f"M-{number:02}" for number in range(1, 10)}
    assert shop.status("M-00")[0]["status"] == "retired"
    write(shop.root / "mugs.csv", rows(10))
    back = shop.sync()
    assert (back["retired"], back["jobs_submitted"], back["pictures"]["reused"]) == (0, 0, 1)
    assert "M-00" in shop.listed()


def test_a_half_exported_file_holds_the_sync_back(shop: Nightly) -> None:
    """Nothing leaves, nothing is rendered, the exit code is 1; --yes goes on."""
    write(shop.root / "mugs.csv", [*rows(5), *rows(12)[10:]])
    held = shop.sync(code=1)
    assert [brake["code"] for brake in held["brakes"]] == ["too_many_retired"]
    assert "sync --yes" in held["brakes"][0]["message_zh"]
    assert (held["retired"], held["jobs_submitted"]) == (0, 0)
    assert len(shop.listed()) == 10
    again = shop.sync(code=1)
    assert again["brakes"] == held["brakes"], "nothing was recorded"
    agreed = shop.sync("--yes")
    assert (agreed["retired"], agreed["pictures"]["rendered"]) == (5, 2)
    assert len(shop.listed()) == 7


def test_too_many_new_pictures_hold_the_sync_back(shop: Nightly) -> None:
    """More than max_new_renders: told with the number, and nothing is rendered without --yes."""
    write(shop.root / "mugs.csv", rows(30))
    held = shop.sync(code=1)
    assert [brake["code"] for brake in held["brakes"]] == ["too_many_renders"]
    assert held["forecasts"][0]["new_renders"] == 20
    assert (held["jobs_submitted"], held["pictures"]["pending"]) == (0, 20)
    assert shop.sync("--yes")["pictures"]["rendered"] == 20
    assert shop.sync()["unchanged"] == 30


def test_a_row_that_is_broken_tonight_does_not_leave(shop: Nightly) -> None:
    """Its SKU still stands in the file; somebody will mend its name."""
    broken = [(sku, "", *rest) if sku == "M-03" else (sku, name, *rest) for sku, name, *rest in rows(10)]
    write(shop.root / "mugs.csv", broken)
    told = shop.sync(code=1)
    assert [issue["code"] for issue in told["issues"] if issue["severity"] == "error"] == ["missing_name"]
    assert told["retired"] == 0
    assert "M-03" in shop.listed()


def test_an_unreadable_source_retires_nothing(shop: Nightly) -> None:
    """A file that is being written is empty for a moment."""
    (shop.root / "mugs.csv").write_text("", encoding="utf-8")
    done = shop.command("sync", "--workspace", str(shop.root), "--simulate")
    assert done.returncode == 2
    assert "empty" in done.stderr or "空文件" in done.stderr
    assert len(shop.listed()) == 10


@pytest.mark.parametrize("path", ["drop", "drop/*.csv"])
def test_a_folder_of_files_is_one_source(tmp_path: Path, path: str) -> None:
    """All its catalogs are read, in the order of their names; one that cannot be read retires nothing."""
    shop = Nightly(tmp_path, path)
    drop = tmp_path / "drop"
    drop.mkdir()
    write(drop / "a.csv", rows(2))
    write(drop / "b.csv", rows(4)[2:])
    (drop / "~$b.csv").write_bytes(b"lock")
    assert shop.sync()["pictures"]["rendered"] == 4
    (drop / "b.csv").write_bytes(b"%PDF-1.7")
    told = shop.sync(code=1)
    assert [(issue["where"], issue["code"]) for issue in told["issues"]] == [("b.csv", "unknown_format")]
    assert (told["retired"], len(shop.listed())) == (0, 4)
    (drop / "b.csv").unlink()
    assert shop.sync("--yes")["retired"] == 2


def test_an_empty_folder_empties_no_shop(tmp_path: Path) -> None:
    """A drive that is not mounted looks like that."""
    shop = Nightly(tmp_path, "drop")
    (tmp_path / "drop").mkdir()
    done = shop.command("sync", "--workspace", str(tmp_path), "--simulate")
    assert done.returncode == 2
    assert "no catalog in" in done.stderr or "没有商品资料文件" in done.stderr


class Quiet(SimpleHTTPRequestHandler):
    """Prints nothing where we look for what commands print."""

    def log_message(self, *_args: object) -> None:
        """Nobody reads it."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on a real socket."""
    handler = partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_web_address_is_a_source(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An export that the shop system puts on its own web server; while that is away nothing leaves."""
    folder = tmp_path_factory.mktemp("web")
    write(folder / "export.csv", rows(3))
    with served(folder) as address:
        shop = Nightly(tmp_path, f"{address}/export.csv?token=${{TOKEN}}")
        done = shop.command("sync", "--workspace", str(tmp_path), "--simulate")
        assert done.returncode == 2, "the variable is not set"
        path = tmp_path / "config" / "app.toml"
        path.write_text(
            path.read_text(encoding="utf-8").replace("?token=${TOKEN}", "?token=s3cret"), encoding="utf-8"
        )
        assert shop.sync()["pictures"]["rendered"] == 3
        (folder / "export.csv").unlink()
        missing = shop.command("sync", "--workspace", str(tmp_path), "--simulate")
        assert missing.returncode == 2
        assert "404" in missing.stderr
    away = shop.command("sync", "--workspace", str(tmp_path), "--simulate")
    assert away.returncode == 75
    assert "s3cret" not in away.stderr + missing.stderr
    assert len(shop.listed()) == 3


def test_money_is_told_where_it_has_a_price(shop: Nightly) -> None:
    """The plan says pictures, minutes and money before anything is paid."""
    settings = shop.root / "config" / "app.toml"
    text = settings.read_text(encoding="utf-8").replace("# gpu_hour_price = 8.5", "gpu_hour_price = 3600.0")
    settings.write_text(text, encoding="utf-8")
    write(shop.root / "mugs.csv", rows(12))
    planned = shop.command("plan", str(shop.root / "mugs.csv"), "--workspace", str(shop.root), "--simulate")
    assert "CNY" in planned.stdout, planned.stderr
    assert shop.sync()["pictures"]["rendered"] == 2


def test_thorough_looks_at_what_is_open_too(shop: Nightly) -> None:
    """A rejected picture is made again by a thorough sync as by any other; a deleted listing is written again."""
    rejected = shop.command("review", "reject", "M-01", "--workspace", str(shop.root), "--simulate")
    assert rejected.returncode == 0, rejected.stderr
    shutil.rmtree(shop.root / "output-simulated")
    told = shop.sync("--thorough")
    assert (told["jobs_submitted"], told["unchanged"]) == (1, 0)
    assert len(shop.listed()) == 10
    assert shop.sync()["unchanged"] == 10


def test_a_run_of_one_role_agrees_to_nothing_else(shop: Nightly) -> None:
    """What a run planned beside what it was asked for is still new to the sync that comes after it."""
    write(shop.root / "mugs.csv", rows(30))
    done = shop.command(
        "run",
        str(shop.root / "mugs.csv"),
        "--workspace",
        str(shop.root),
        "--simulate",
        "--sku",
        "M-11",
        "--json",
    )
    assert json.loads(done.stdout)["pictures"]["rendered"] == 1
    shop.command(
        "run",
        str(shop.root / "mugs.csv"),
        "--workspace",
        str(shop.root),
        "--simulate",
        "--role",
        "poster",
        "--json",
    )
    held = shop.sync(code=1)
    assert [brake["code"] for brake in held["brakes"]] == ["too_many_renders"]
    assert held["forecasts"][0]["new_renders"] == 19


def test_listings_elsewhere_settle_nothing(shop: Nightly, tmp_path: Path) -> None:
    """A run with --out leaves the usual listings to the next sync."""
    write(shop.root / "mugs.csv", rows(12))
    elsewhere = ("--out", str(tmp_path / "elsewhere"), "--workspace", str(shop.root), "--simulate", "--json")
    assert shop.command("run", str(shop.root / "mugs.csv"), *elsewhere).returncode == 0
    assert shop.sync()["jobs_submitted"] == 0
    assert len(shop.listed()) == 12


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("M-03,马克杯03,家居,白色,9.90,一格太多", "too_many_cells"),
        (",马克杯03,家居,白色,9.90", "missing_sku"),
        ("6.9E+12,马克杯03,家居,白色,9.90", "scientific_text"),
    ],
)
def test_a_row_without_a_readable_sku_retires_nobody(shop: Nightly, broken: str, why: str) -> None:
    """It may be any of those that are missing; that is told, and nobody leaves."""
    path = shop.root / "mugs.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:4], broken, *lines[5:]]) + "\n", encoding="utf-8")
    told = shop.sync(code=1)
    assert {issue["code"] for issue in told["issues"]} >= {why, "gone_in_doubt"}
    assert told["retired"] == 0
    assert "M-03" in shop.listed()


def test_a_sheet_that_was_hidden_takes_nobody_along(tmp_path: Path) -> None:
    """Its products are not read tonight, and stay."""
    shop = Nightly(tmp_path, "book.xlsx", max_retired_share=0.9)
    write_xlsx(tmp_path / "book.xlsx", 甲=[HEADER, *rows(4)], 乙=[HEADER, *rows(8)[4:]])
    assert shop.sync()["pictures"]["rendered"] == 8
    book = load_workbook(tmp_path / "book.xlsx")
    book["乙"].sheet_state = "hidden"
    book.save(tmp_path / "book.xlsx")
    told = shop.sync()
    assert told["retired"] == 0
    assert "gone_in_doubt" in {issue["code"] for issue in told["issues"]}
    assert len(shop.listed()) == 8


def test_names_of_sources_are_their_own(tmp_path: Path) -> None:
    """Two of one name would retire each other's products; run is the name of what no source has."""
    shop = Nightly(tmp_path, "mugs.csv")
    settings = tmp_path / "config" / "app.toml"
    text = settings.read_text(encoding="utf-8")
    for wrong in (
        text.replace('name = "shop"', 'name = "run"'),
        f'{text}\n[[source]]\nname = "shop"\npath = "b.csv"\n',
    ):
        settings.write_text(wrong, encoding="utf-8")
        done = shop.command("sync", "--workspace", str(tmp_path), "--simulate")
        assert done.returncode == 2, done.stderr
        assert "source" in done.stderr


@pytest.mark.parametrize("address", ["http://[::1", "http://host:port/x.csv", "http:///x.csv"])
def test_an_address_that_is_none_is_told_as_a_mistake(tmp_path: Path, address: str) -> None:
    """Trying again later would not help."""
    shop = Nightly(tmp_path, address)
    done = shop.command("sync", "--workspace", str(tmp_path), "--simulate")
    assert done.returncode == 2, done.stderr
    assert "config/app.toml" in done.stderr


def test_rows_with_photos_are_looked_at_and_others_passed_over(tmp_path: Path) -> None:
    """A photo that comes, is another, or goes again is seen although its row says the same; none costs a job."""
    shop = Nightly(tmp_path / "shop", "rows.csv")
    write(shop.root / "rows.csv", rows(3))
    assert shop.sync()["jobs_submitted"] == 3
    photo = shop.root / "photos" / "M-01.png"
    photo.parent.mkdir()
    for studio in (Studio(shape="mug"), Studio(shape="mug", colour=(40, 90, 160))):
        shoot(studio).photo.save(photo)
        told = shop.sync()
        assert (told["unchanged"], told["pictures"]["rendered"], told["jobs_submitted"]) == (2, 1, 0)
        assert (told := shop.sync())["pictures"]["reused"] == 1, told
    photo.unlink()
    told = shop.sync()
    assert (told["unchanged"], told["pictures"]["reused"], told["jobs_submitted"]) == (
        2,
        1,
        0,
    )  # made in the first night
    assert shop.sync()["unchanged"] == 3
