"""Every command of every page runs, in order, and ends as the page says."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from PIL import Image

from tests.docs.pages import PAGES, ROOT, Block, blocks, lines
from tests.docs.reader import FILE, PROGRAM, Reader, called, edit
from tests.docs.stand_in import nobody, stand_in
from tests.e2e.shop import HEADERS, ROWS

WORD_BY_WORD = ("README.md", "README.zh-CN.md")
"""Pages that test_newcomer.py follows as processes, from an empty folder on."""
FIRST, WRONG = 2, (11, 25)
"""Rows of the sample catalog: the first product, and those that are wrong on purpose."""


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose first two products are placeholders; all processes of a test run share it."""
    place = tmp_path_factory.getbasetemp()
    place = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    folder = place / "docs-shop"
    with (place / "docs-shop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = place / "docs-shop-half-made"
            assert called(["init", str(made)], place, {})[0] == 0
            words = ["run", "sample_catalog/products.xlsx", "--limit", "2", "--simulate"]
            assert called(words, made, {})[0] == 1
            made.rename(folder)
    return folder


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a page takes for granted, and what must have come of it in the end."""

    prepare: Callable[[Path], None] = lambda folder: None  # noqa: ARG005 - nothing to prepare
    check: Callable[[Reader], None] = lambda reader: None  # noqa: ARG005 - the exit codes say it all
    has_server: bool = False


def workbook(path: Path, *skus: str) -> None:
    """A catalog with these products of the test shop."""
    book = Workbook()
    for row in (HEADERS, *(row for row in ROWS if row[0] in skus)):
        book.worksheets[0].append(list(row))
    book.save(path)
    book.close()


def with_own_catalog(folder: Path) -> None:
    """EB-001 in products.xlsx, and a sample catalog that is quickly made: one product, two wrong rows."""
    workbook(folder / "products.xlsx", "EB-001")
    path = folder / "sample_catalog" / "products.xlsx"
    book = load_workbook(path)
    sheet = book.worksheets[0]
    for row in range(sheet.max_row, FIRST, -1):
        if row not in WRONG:
            sheet.delete_rows(row)
    book.save(path)
    book.close()


def with_sources(folder: Path) -> None:
    """The files that the sources of the page name, and a ledger of pictures to back up."""
    workbook(folder / "products.xlsx", "CUP-1")
    with closing(sqlite3.connect(folder / "erp.sqlite")) as erp, erp:
        erp.execute("create table products (sku text, name text, color text)")
        erp.execute("insert into products values ('ERP-1', '便携咖啡杯', '白色')")
    assert called(["status"], folder, {})[0] == 0


def with_a_supplier(folder: Path) -> None:
    """A catalog whose headers nobody knows."""
    rows = "代号,叫法,配色,到店,内部备注\nA-001,便携咖啡杯,墨绿色,89元,x\nA-002,无线蓝牙耳机,黑色,199元,\n"
    (folder / "supplier-a.csv").write_text(rows, encoding="utf-8")


def supplier_is_read(reader: Reader) -> None:
    """By the profile, with its brand."""
    ran = reader.last("catalog-imagegen catalog check supplier-a.csv").out
    assert "便携咖啡杯" in ran
    assert "甲牌" in ran


def with_a_drop(folder: Path) -> None:
    """A folder into which somebody has just dropped a catalog."""
    (folder / "drop").mkdir()
    (folder / "drop" / "spring.csv").write_text(
        "货号,商品名称,类目,颜色\nCUP-1,咖啡杯,家居,白色\n", encoding="utf-8"
    )


def drop_is_answered(reader: Reader) -> None:
    """The catalog was put away, beside the answer."""
    lying = {path.name for path in (reader.folder / "drop" / "done").iterdir()}
    assert "spring.csv" in lying
    assert any(name.startswith("spring.") and name.endswith(".xlsx") for name in lying)


def with_pets(folder: Path) -> None:
    """A catalog of a category that the vocabulary does not know."""
    rows = "货号,商品名称,类目,颜色\nPET-1,狗窝,宠物,米色\n"
    (folder / "pets.csv").write_text(rows, encoding="utf-8")


def with_graph_and_photos(folder: Path) -> None:
    """A graph of the shop's own in which no sampler stands out, and a catalog of two products, one with a photo."""
    workflows = folder / "config" / "workflows"
    graph = json.loads((workflows / "z_image_base.json").read_text(encoding="utf-8"))
    graph["11"] = graph["8"] | {"_meta": {"title": "Second sampler"}}
    blended = {"samples1": ["8", 0], "samples2": ["11", 0], "blend_factor": 0.5}
    graph["12"] = {"class_type": "LatentBlend", "inputs": blended}
    graph["9"]["inputs"]["samples"] = ["12", 0]
    (workflows / "my_graph.json").write_text(json.dumps(graph), encoding="utf-8")
    (folder / "photos").mkdir()
    Image.new("RGB", (90, 70), "white").save(folder / "photos" / "cup.jpg")
    rows = "货号,商品名称,类目,颜色,图片\nCUP-1,咖啡杯,家居,白色,cup.jpg\nCUP-2,咖啡杯,家居,黑色,\n"
    (folder / "photos.csv").write_text(rows, encoding="utf-8")


def real_pictures(reader: Reader) -> None:
    """The first pictures are in output/, with the reports above them."""
    names = {path.name for path in (reader.folder / "output" / "amazon" / "LS-E100-BK").iterdir()}
    assert {"LS-E100-BK.MAIN.jpg", "listing.json"} <= names
    assert (reader.folder / "output" / "report.html").is_file()
    assert (reader.folder / "output" / "report.xlsx").is_file()


def pets_look_different(reader: Reader) -> None:
    """The new category speaks in the prompt."""
    plan = json.loads(reader.last("catalog-imagegen plan pets.csv").out)
    assert "左上方大面积的柔光" in plan["pictures"][0]["positive"]


def box_is_listed(reader: Reader) -> None:
    """The new role has a picture, a prompt from the catalog, and a place."""
    plan = json.loads(reader.last("catalog-imagegen plan sample_catalog/products.xlsx --sku").out)
    assert [p["role"] for p in plan["pictures"]] == ["in_the_box"]
    assert "旁边整齐地排开" in plan["pictures"][0]["positive"]
    manifest = reader.folder / "output-simulated" / "amazon" / "LS-E100-BK" / "listing.json"
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    assert files[-1]["role"] == "in_the_box"
    assert "poster" in reader.last("catalog-imagegen plan sample_catalog/products.xlsx --limit 1 --pl").out


def photo_became_a_picture(reader: Reader) -> None:
    """The product with a photo is listed; of the other it is said what it lacks."""
    listed = reader.folder / "output-simulated" / "my_shop"
    assert [folder.name for folder in listed.iterdir()] == ["CUP-1"]
    assert "CUP-2 has no photo" in reader.last("catalog-imagegen plan photos.csv").out


def with_words(folder: Path) -> None:
    """A catalog with words that pictures should not show."""
    rows = "货号,商品名称,类目,颜色\nCUP-1,最佳咖啡杯,家居,白色\nCUP-2,清仓咖啡杯,家居,黑色\n"
    (folder / "spring.csv").write_text(rows, encoding="utf-8")


def words_are_told(reader: Reader) -> None:
    """With their cells; the list of one's own blocks."""
    assert "spring.csv!B2" in reader.last("catalog-imagegen catalog check spring.csv").out
    planned = reader.last("catalog-imagegen plan spring.csv").out
    assert "spring.csv!B3" in planned
    assert "write it into the promotion only" in planned


def corner_shop_has_a_listing(reader: Reader) -> None:
    """The marketplace of one's own gets its file under its own name."""
    assert (reader.folder / "output-simulated" / "corner_shop" / "LS-E100-BK" / "LS-E100-BK-1.jpg").is_file()
    assert "contract with Corner Shop" in reader.last("catalog-imagegen platforms corner_shop").out


def second_sync_rests(reader: Reader) -> None:
    """It renders nothing; and the copy of the ledger is one."""
    report = json.loads(reader.last("ERP_FILE=erp.sqlite catalog-imagegen sync --simulate --json").out)
    assert (report["skus"], report["jobs_submitted"]) == (2, 0)
    with closing(sqlite3.connect(reader.folder / "backup" / "data" / "ledger.sqlite")) as copy:
        assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
        assert copy.execute("select count(*) from product").fetchone() is not None


def reports_inside(reader: Reader) -> None:
    """What was exported has its pictures and its reports."""
    everything = reader.folder / "everything"
    assert {"report.html", "report.xlsx", "amazon"} <= {path.name for path in everything.iterdir()}
    assert (reader.folder / "已通过.zip").is_file()
    assert (reader.folder / "monday.xlsx").is_file()


def label_is_shown(reader: Reader) -> None:
    """With the producer that the page configures, and the listing was measured."""
    shown = reader.last("catalog-imagegen labels show output-simulated/amazon/LS-E100-BK/LS-E100-BK.MAIN.jpg")
    assert "001191310000MA1FL000XX00001" in shown.out
    checked = reader.last(
        "catalog-imagegen listing check output-simulated/amazon/LS-E100-BK --platform amazon --json"
    )
    assert json.loads(checked.out)["fails"] == 0


SCENARIOS: Mapping[str, Scenario] = {
    "config/workspace.md": Scenario(with_own_catalog, has_server=True),
    "docs/catalogs.md": Scenario(with_a_supplier, supplier_is_read),
    "docs/getting-started.md": Scenario(check=real_pictures, has_server=True),
    "docs/drop-folder.md": Scenario(with_a_drop, drop_is_answered),
    "docs/files.md": Scenario(check=label_is_shown),
    "docs/ledger.md": Scenario(),
    "docs/nightly-sync.md": Scenario(with_sources, second_sync_rests),
    "docs/platforms.md": Scenario(check=corner_shop_has_a_listing),
    "docs/reviewing.md": Scenario(check=reports_inside),
    "docs/screening.md": Scenario(with_words, words_are_told),
    "docs/servers.md": Scenario(),
    "docs/roles.md": Scenario(check=box_is_listed),
    "docs/templates.md": Scenario(with_pets, pets_look_different, has_server=True),
    "docs/troubleshooting.md": Scenario(has_server=True),
    "docs/workflows.md": Scenario(with_graph_and_photos, photo_became_a_picture, has_server=True),
}


def has_commands(page: str) -> bool:
    """Whether a reader is told to type something."""
    return any(block.language == "sh" for block in blocks(page))


def test_every_page_with_commands_is_followed() -> None:
    """A page with commands has a scenario, or is followed word by word."""
    assert {page for page in PAGES if has_commands(page)} == {*SCENARIOS, *WORD_BY_WORD}


@pytest.fixture
def url(page: str) -> Iterator[str]:
    """The server of a page's scenario."""
    with stand_in() if SCENARIOS[page].has_server else nobody() as found:
        yield found


@pytest.mark.parametrize("page", SCENARIOS)
def test_a_page_is_true(page: str, url: str, shop: Path, tmp_path: Path) -> None:
    """Its commands end as it says, and what it promises is there."""
    scenario = SCENARIOS[page]
    reader = Reader(tmp_path / "shop", url)
    shutil.copytree(shop, reader.folder)
    scenario.prepare(reader.folder)
    reader.follow(page)
    assert reader.done
    scenario.check(reader)


SHELL_WORDS = {"make", "cd", ".", "mkdir", "cp", "python3"}
"""What a reader types besides the program."""


@pytest.mark.parametrize("page", [page for page in PAGES if has_commands(page)])
def test_nothing_else_is_typed(page: str) -> None:
    """A command that a test cannot run stands in a block of another kind, such as console or ini."""
    typed = [line.text for block in blocks(page) if block.language == "sh" for line in lines(block)]
    first = {next(word for word in text.split() if "=" not in word) for text in typed}
    assert first <= {PROGRAM, *SHELL_WORDS}


def test_the_program_stands_only_where_it_is_run() -> None:
    """No block of another kind hides one of its commands, but those of timers."""
    hidden = [
        (page, line)
        for page in PAGES
        for block in blocks(page)
        if block.language not in ("sh", "ini", "text", "python")
        for line in block.text.splitlines()
        if line.startswith(PROGRAM)
    ]
    assert hidden == []


def test_edits_are_edits(tmp_path: Path) -> None:
    """A key replaces the one that is there, wherever the comments stand; other tables are added."""
    path = tmp_path / "config.toml"
    path.write_text("a = 1\n# b\nb = 2\n\n[t.x]\n# c\nc = 3\n\n[t.y]\nc = 4\n", encoding="utf-8")
    edit(
        path,
        Block("toml", "# config.toml\nb = 5\n\n[t.x]\nc = 6\nd = 7\n\n[t.z]\nc = 8\n", is_chinese=False),
        above="",
    )
    text = path.read_text(encoding="utf-8")
    assert text.startswith("a = 1\n# b\nb = 5\n")
    assert FILE.match("# config.toml\n")
    assert "[t.x]\nd = 7\n# c\nc = 6\n" in text
    assert text.endswith("[t.y]\nc = 4\n\n[t.z]\nc = 8\n")


def test_blocks_name_files_of_a_workspace() -> None:
    """What is to be put into a file says which, and the file is one that the program reads."""
    for page in PAGES:
        for block in blocks(page):
            if block.language in ("toml", "jinja"):
                found = FILE.match(block.text)
                assert found, (page, block.text)
                known = (
                    "config/app.toml",
                    "config/roles.toml",
                    "config/layouts.toml",
                    "config/platforms.toml",
                    "config/columns.toml",
                    "config/screening.toml",
                    "config/gates.toml",
                )
                folders = ("prompt_templates/", "config/profiles/")
                assert found[1] in known or found[1].startswith(folders), (page, found[1])
    assert (ROOT / "docs").is_dir()
