"""``watch`` as a real process over a real drop folder."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.e2e.cli import command, environment
from tests.e2e.shop import ROWS, Shop
from tests.e2e.test_bad_input import mounting
from tests.hostile.catalogs import GIVEN
from tests.workroom import until

TIMEOUT_S = 60.0
FULL = """
mount -t tmpfs -o size=300k tmpfs "$1" || exit 97
head -c 280000 /dev/zero > "$1/ballast"
shift
exec "$@"
"""


class Watching:
    """A watcher at work, and what it says of the files that it dealt with."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._said: queue.Queue[Any] = queue.Queue()
        self._complaints: list[str] = []
        self._threads = [
            threading.Thread(target=self._hear, daemon=True),
            threading.Thread(target=self._listen, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def next(self) -> Any:
        """What it says next."""
        return self._said.get(timeout=TIMEOUT_S)

    def is_silent(self) -> bool:
        """Whether it has said nothing that was not heard yet."""
        return self._said.empty()

    @property
    def complaints(self) -> str:
        """What it wrote to stderr."""
        return "".join(self._complaints)

    def end(self) -> int:
        """Stop it as a service manager does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(TIMEOUT_S)

    def close(self) -> None:
        """It has ended."""
        for thread in self._threads:
            thread.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _hear(self) -> None:
        decoder, text = json.JSONDecoder(), ""
        for line in self.process.stdout or ():
            text += line
            try:
                told, end = decoder.raw_decode(text)
            except ValueError:
                continue
            text = text[end:].lstrip()
            self._said.put(told)

    def _listen(self) -> None:
        self._complaints.extend(self.process.stderr or ())


class Drop:
    """A shop with a drop folder beside it."""

    def __init__(self, shop: Shop, root: Path) -> None:
        self.shop = shop
        self.folder = root / "drop"
        self.folder.mkdir()

    def line(self, *more: str) -> list[str]:
        """The command line of the watcher."""
        quick = ["--settle", "0.4", "--interval", "0.1", "--retry", "0.3"]
        return command("watch", self.folder, "-w", self.shop.root, "--simulate", "--json", *quick, *more)

    @contextmanager
    def watched(self, *before: str | Path) -> Iterator[Watching]:
        """A watcher, in its own process (behind the words *before*)."""
        line = [*map(str, before), *self.line()]
        process = subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(LANG="C.UTF-8")
        )
        watching = Watching(process)
        try:
            yield watching
        finally:
            process.kill()
            process.wait()
            watching.close()

    def lying(self, folder: str = "") -> set[str]:
        """The files that lie in the drop folder, or in one of its folders."""
        place = self.folder / folder
        return {path.name for path in place.iterdir() if path.is_file()} if place.is_dir() else set()

    def imports(self) -> int:
        """How many imports the ledger knows of."""
        done = self.shop.command("status", "--workspace", str(self.shop.root), "--simulate", "--json")
        assert done.returncode == 0, done.stderr
        return len(json.loads(done.stdout)["skus"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A workspace, to be copied."""
    return Shop(tmp_path_factory.mktemp("made"))


@pytest.fixture
def drop(made: Shop, tmp_path: Path) -> Drop:
    """A drop folder of its own for each test; the shop's catalog lies elsewhere."""
    return Drop(made.copy(tmp_path / "shop"), tmp_path)


def catalog(shop: Shop, rows: Sequence[Sequence[str]] = ROWS) -> bytes:
    """A catalog's bytes."""
    shop.write(rows)
    return shop.catalog.read_bytes()


def renders(shop: Shop) -> int:
    """How many pictures the ledger knows to be made."""
    path = shop.root / "data" / "simulated" / "ledger.sqlite"
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM render").fetchone()[0])
    return 0


def test_a_dropped_catalog_is_imported_and_answered(drop: Drop) -> None:
    """It goes to done/ beside a workbook that says what became of each row."""
    content = catalog(drop.shop)
    with drop.watched() as watching:
        (drop.folder / "春季.xlsx").write_bytes(content)
        told = watching.next()
        assert (told["file"], told["outcome"], told["skus"]) == ("春季.xlsx", "done", len(ROWS))
        assert told["pictures"]["rendered"] == told["pictures"]["planned"] > 0
        assert watching.end() == 0
    assert drop.lying() == set()
    assert (drop.folder / "done" / "春季.xlsx").read_bytes() == content
    answer = load_workbook(told["answer"])
    sheet = answer.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    assert any("status" in str(text).casefold() for text in header), header
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [row[0] for row in ROWS]


def test_a_slow_copy_is_waited_for(drop: Drop) -> None:
    """Half a file that lies still is no file while somebody has it open."""
    content = catalog(drop.shop)
    with drop.watched() as watching, (drop.folder / "slow.xlsx").open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        (drop.folder / "quick.csv").write_text("货号,商品名称,颜色\nQ-1,杯,红\n", encoding="utf-8")
        assert watching.next()["file"] == "quick.csv", "much longer than a file must lie still"
        assert watching.is_silent()
        file.write(content[len(content) // 2 :])
        file.close()
        told = watching.next()
        assert (told["file"], told["outcome"], told["skus"]) == ("slow.xlsx", "done", len(ROWS))


def test_a_file_that_somebody_has_open_in_excel_is_left_alone(drop: Drop) -> None:
    """Until its lock goes."""
    lock = drop.folder / "~$edited.xlsx"
    lock.write_bytes(b"\x05Li")
    (drop.folder / "edited.xlsx").write_bytes(catalog(drop.shop))
    with drop.watched() as watching:
        (drop.folder / "other.csv").write_text("货号,商品名称,颜色\nQ-1,杯,红\n", encoding="utf-8")
        assert watching.next()["file"] == "other.csv"
        assert drop.lying() == {"~$edited.xlsx", "edited.xlsx"}
        lock.unlink()
        assert watching.next()["file"] == "edited.xlsx"


def test_the_same_content_is_imported_once(drop: Drop) -> None:
    """Under another name, and after a restart: it is put away, and costs nothing."""
    content = catalog(drop.shop)
    (drop.folder / "one.xlsx").write_bytes(content)
    with drop.watched() as watching:
        first = watching.next()
        assert first["jobs_submitted"] > 0
        (drop.folder / "two.xlsx").write_bytes(content)
        again = watching.next()
        assert (again["file"], again["outcome"]) == ("two.xlsx", "again")
        assert "jobs_submitted" not in again
    (drop.folder / "three.xlsx").write_bytes(content)
    with drop.watched() as watching:
        assert watching.next()["outcome"] == "again"
        assert watching.is_silent()
    assert drop.lying() == set()
    assert {"one.xlsx", "two.xlsx", "three.xlsx"} <= drop.lying("done")


def test_what_a_killed_watcher_had_taken_is_gone_on_with(drop: Drop) -> None:
    """Killed in the middle of an import: the next one finishes it, and no picture is made twice."""
    (drop.folder / "one.xlsx").write_bytes(catalog(drop.shop))
    with drop.watched() as watching:
        until(lambda: renders(drop.shop) > 2)
        watching.process.kill()
    with drop.watched() as watching:
        told = watching.next()
        assert (told["file"], told["outcome"]) == ("one.xlsx", "done")
        assert told["pictures"]["planned"] == told["pictures"]["rendered"] + told["pictures"]["reused"]
        assert told["jobs_submitted"] < told["pictures"]["planned"]


def test_a_file_that_cannot_be_read_is_answered_too(drop: Drop) -> None:
    """It goes to failed/, beside a workbook that says why in both languages; mended and dropped again it is taken."""
    (drop.folder / "plan.csv").write_bytes(b"%PDF-1.7 nothing")
    with drop.watched() as watching:
        told = watching.next()
        assert (told["outcome"], told["error"]["code"]) == ("failed", "unknown_format")
        texts = [cell.value for cell in load_workbook(told["answer"]).worksheets[0]["A"]]
        assert "另存为" in texts[0]
        assert "save it" in texts[1]
        (drop.folder / "plan.csv").write_text("货号,商品名称,颜色\nQ-1,杯,红\n", encoding="utf-8")
        assert watching.next()["outcome"] == "done"
    assert "plan.csv" in drop.lying("failed") & drop.lying("done")


def test_a_full_disk_is_waited_for(drop: Drop) -> None:
    """Told once; when there is room again the import goes on by itself, and happens once."""
    output = drop.shop.root / "output-simulated"
    output.mkdir()
    (drop.folder / "one.xlsx").write_bytes(catalog(drop.shop))
    with drop.watched(*mounting(), "sh", "-c", FULL, "sh", output) as watching:
        until(lambda: "is full" in watching.complaints)
        assert watching.is_silent()
        assert drop.lying() == {"one.xlsx"}
        ballast = Path(f"/proc/{watching.process.pid}/root{output}/ballast")
        ballast.unlink()
        subprocess.run(
            [
                "nsenter",
                "-t",
                str(watching.process.pid),
                "-m",
                "mount",
                "-o",
                "remount,size=64m",
                str(output),
            ],
            check=True,
        )
        told = watching.next()
        assert (told["file"], told["outcome"]) == ("one.xlsx", "done")
        assert told["pictures"]["planned"] == told["pictures"]["rendered"] + told["pictures"]["reused"]
        assert watching.complaints.count("is full") <= 2, "trouble that lasts is told once"
        assert watching.is_silent()


def test_pictures_in_wps_cells_come_back_in_the_answer(drop: Drop) -> None:
    """Its cell pictures are the products' photos, and they are still in the answer."""
    (wps,) = (each for each in GIVEN if each.name == "b1_wps_dispimg.xlsx")
    (drop.folder / "wps.xlsx").write_bytes(wps.make())
    with drop.watched() as watching:
        told = watching.next()
        assert told["outcome"] == "done"
    kept = {path.name for path in (drop.shop.root / "data" / "pictures").iterdir()}
    assert kept, "pictures of cells are kept in the workspace"
    checked = drop.shop.command(
        "catalog", "check", told["answer"], "--json", "--workspace", str(drop.shop.root)
    )
    before = drop.shop.command(
        "catalog", "check", told["place"], "--json", "--workspace", str(drop.shop.root)
    )
    pictures = [
        [
            (p["where"], p["kind"], p["sha1"])
            for p in json.loads(ran.stdout)["pictures"]
            if p["kind"] == "dispimg"
        ]
        for ran in (before, checked)
    ]
    assert pictures[0] == pictures[1] != []


def test_two_watchers_of_one_folder_are_refused(drop: Drop) -> None:
    """The second says so and ends."""
    with drop.watched() as watching:
        (drop.folder / "a.csv").write_text("货号,商品名称,颜色\nQ-1,杯,红\n", encoding="utf-8")
        watching.next()
        second = subprocess.run(
            drop.line("--once"),
            capture_output=True,
            text=True,
            env=environment(),
            check=False,
            timeout=TIMEOUT_S,
        )
        assert second.returncode == 75
        assert "another process watches" in second.stderr


def test_once_ends_when_nothing_is_left(drop: Drop) -> None:
    """For a timer, or a script."""
    shutil.copy(drop.shop.catalog, drop.folder / "a.xlsx")
    done = subprocess.run(
        drop.line("--once"), capture_output=True, text=True, env=environment(), check=False, timeout=TIMEOUT_S
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "done"
    assert drop.lying() == set()


def test_going_back_to_an_earlier_version_is_a_change(drop: Drop) -> None:
    """Red, then blue, then red again: the third is no repetition."""
    with drop.watched() as watching:
        for color in ("红", "蓝", "红"):
            text = f"货号,商品名称,颜色\nQ-1,杯,{color}\n"
            (drop.folder / "cups.csv").write_text(text, encoding="utf-8")
            assert watching.next()["outcome"] == "done", color
    assert len([name for name in drop.lying("done") if name.endswith(".csv")]) == 2


def test_a_correction_that_is_saved_meanwhile_is_taken_too(drop: Drop) -> None:
    """What was there when it was taken is imported and answered; the file that is another by now stays, and is next."""
    path = drop.folder / "cups.csv"
    path.write_text("货号,商品名称,颜色\nQ-1,杯,红\n", encoding="utf-8")
    with drop.watched() as watching:
        until(lambda: renders(drop.shop) > 0)
        path.write_text("货号,商品名称,颜色\nQ-1,杯,蓝\n", encoding="utf-8")
        assert watching.next()["outcome"] == "done"
        assert watching.next()["outcome"] == "done"
    done = sorted((drop.folder / "done").glob("*.csv"))
    assert "蓝" in done[-1].read_text(encoding="utf-8")


def test_a_name_in_another_encoding_blocks_nobody(drop: Drop) -> None:
    """Unpacked from an archive made in China: its bytes are no UTF-8."""
    bad = os.fsencode(drop.folder) + b"/" + "价格表".encode("gbk") + b".csv"
    with open(bad, "wb") as file:  # noqa: PTH123 - pathlib takes no bytes
        file.write("货号,商品名称,颜色\nQ-1,杯,红\n".encode())
    (drop.folder / "z.csv").write_text("货号,商品名称,颜色\nQ-2,杯,红\n", encoding="utf-8")
    with drop.watched() as watching:
        assert [watching.next()["outcome"], watching.next()["outcome"]] == ["done", "done"]
    assert drop.lying() == set()


def test_answers_do_not_overwrite_each_other(drop: Drop) -> None:
    """Two files that differ in their extension only have an answer each."""
    text = "货号,商品名称,颜色\nQ-1,杯,红\n"
    with drop.watched() as watching:
        (drop.folder / "a.csv").write_text(text, encoding="utf-8")
        (drop.folder / "a.txt").write_text(text.replace("Q-1", "Q-2"), encoding="utf-8")
        answers = {watching.next()["answer"], watching.next()["answer"]}
    assert len(answers) == 2
    assert all(Path(answer).is_file() for answer in answers)


def test_a_folder_that_is_not_there_is_told(drop: Drop) -> None:
    """At the start it is a mistake of whoever typed it."""
    drop.folder.rmdir()
    done = subprocess.run(
        drop.line(), capture_output=True, text=True, env=environment(), check=False, timeout=TIMEOUT_S
    )
    assert done.returncode == 2
    assert "cannot be looked into" in done.stderr
