"""The report command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog_imagegen.bootstrap import init_workspace, reports
from catalog_imagegen.cli import refresh
from catalog_imagegen.domain.errors import StorageFull
from tests.e2e.cli import Ran, called, cli
from tests.e2e.shop import ROWS, Shop, changed

SKU = ROWS[0][0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose pictures are made; nobody decides anything in it."""
    made = Shop(tmp_path_factory.mktemp("report") / "shop")
    made.run()
    return made


@pytest.fixture
def shop(made: Shop, tmp_path: Path) -> Shop:
    """A copy of it, whose reports are known to be those of this place."""
    shop = made.copy(tmp_path / "shop")
    shop.run()
    return shop


def times(shop: Shop) -> list[int]:
    """When the reports were written."""
    return [(shop.output / name).stat().st_mtime_ns for name in reports.NAMES]


def at(shop: Shop, *words: str, **environment: str) -> Ran:
    """What a command says that works in the simulator's state of a shop."""
    return called(*words, "--workspace", shop.root, "--simulate", env=environment)


@pytest.mark.parametrize("name", ["monday.html", "new folder/monday.xlsx"])
def test_a_report_is_written_where_it_was_asked_for(name: str, tmp_path: Path) -> None:
    """And a second time only if something changed."""
    init_workspace(tmp_path / "shop")
    words = ("report", tmp_path / name, "--workspace", tmp_path / "shop", "--simulate")
    first, again = cli(*words), cli(*words)
    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert (tmp_path / name).stat().st_size > 1000
    assert first.says(f"Report written: {tmp_path / name}")
    assert again.says("Nothing changed")


def test_a_report_of_another_kind_is_a_usage_error(tmp_path: Path) -> None:
    """Said before a workspace is even looked for."""
    found = cli("report", tmp_path / "monday.pdf", "--workspace", tmp_path)
    assert found.code == 2
    assert found.says("catalog-imagegen report monday.html")
    assert not (tmp_path / "monday.pdf").exists()


def test_a_run_with_nothing_to_do_reads_nothing_for_reports(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That nothing changed is seen at once, also in a shop of thousands."""
    before = times(shop)
    monkeypatch.delattr(reports, "gather")
    assert shop.run()["jobs_submitted"] == 0
    assert times(shop) == before


def report(shop: Shop, **environment: str) -> None:
    """Bring the page up to date."""
    ran = at(shop, "report", str(shop.output / "report.html"), **environment)
    assert ran.code == 0, ran.err


def rename(shop: Shop) -> None:
    """Another name in a row."""
    shop.write(changed(ROWS, 0, "商品名称", "头戴式蓝牙耳机"))
    shop.run()


def remove_listing(shop: Shop) -> None:
    """Somebody deletes a folder."""
    shutil.rmtree(shop.output / "amazon" / SKU)
    report(shop)


def remove_file(shop: Shop) -> None:
    """Somebody deletes a picture."""
    next((shop.output / "amazon" / SKU).glob("*.jpg")).unlink()
    report(shop)


def enable_another(shop: Shop) -> None:
    """One more marketplace in config/app.toml."""
    path = shop.root / "config" / "app.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('platforms = ["taobao_tmall", ', 'platforms = ["taobao_tmall", "shopify", '))
    assert path.read_text(encoding="utf-8") != text
    report(shop)


CHANGES: dict[str, Callable[[Shop], object]] = {
    "approved": lambda shop: at(shop, "review", "approve", SKU, "--role", "main"),
    "rejected": lambda shop: at(shop, "review", "reject", SKU, "--role", "main"),
    "made again": lambda shop: shop.regenerate(SKU, "--role", "main"),
    "language": lambda shop: report(shop, CATALOG_IMAGEGEN_LANGUAGE="zh"),
    "renamed": rename,
    "listing removed": remove_listing,
    "file removed": remove_file,
    "platform enabled": enable_another,
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_is_in_the_report(change: str, shop: Shop) -> None:
    """No stamp hides it, whichever command it was."""
    page = shop.output / "report.html"
    before = page.read_bytes()
    CHANGES[change](shop)
    assert page.read_bytes() != before
    after = times(shop)
    if change != "language":
        at(shop, "report", str(page))
        assert times(shop) == after


def test_a_small_change_in_a_large_shop_leaves_the_report_to_the_next_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take longer than the change; somebody who wants it now is told how."""
    monkeypatch.setattr(reports, "MAX_SKUS_FOR_SMALL_CHANGES", 1)
    before = times(shop)
    for words in (("regenerate", SKU, "--role", "main"), ("review", "approve", SKU, "--role", "main")):
        ran = at(shop, *words)
        assert ran.code == 0, ran.err
        assert f"catalog-imagegen report {shop.output / 'report.html'} --simulate" in ran.err
        assert times(shop) == before
    shop.run()
    assert all(new > old for new, old in zip(times(shop), before, strict=True))


@pytest.mark.parametrize("name", reports.NAMES)
def test_a_report_that_cannot_be_written_costs_no_result(name: str, shop: Shop) -> None:
    """A folder is in its way: the result is shown, the other report is written, a warning says what to do."""
    (shop.output / name).unlink()
    (shop.output / name / "notes").mkdir(parents=True)
    other = shop.output / next(n for n in reports.NAMES if n != name)
    before = other.stat().st_mtime_ns
    ran = at(shop, "review", "approve", SKU, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["reviewed"]
    assert "move it away" in ran.err
    assert "请移走" in ran.err
    assert "Traceback" not in ran.err
    assert other.stat().st_mtime_ns > before
    ran = called(*shop.run_words())
    assert (ran.code, json.loads(ran.out)["pictures"]["failed"]) == (0, 0)
    assert "move it away" in ran.err


def test_a_disk_that_is_full_for_reports_is_told_after_the_result(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 75 all the same: a later run writes them."""

    def full(*_args: object, **_options: object) -> bool:
        raise StorageFull("the disk is full; free some space", zh="磁盘已满；请清理", code="disk_full")

    monkeypatch.setattr(refresh, "refresh_reports", full)
    ran = called(*shop.run_words())
    assert ran.code == 75
    assert json.loads(ran.out)["pictures"]["planned"] > 0
    assert "free some space" in ran.err
