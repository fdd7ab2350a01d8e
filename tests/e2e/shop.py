"""A shop in a temporary folder: a workspace, a catalog file, and the CLI as a merchandiser uses it."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from openpyxl import Workbook
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.e2e.cli import called
from tests.small import small_sizes

HEADERS = ("货号", "款号", "商品名称", "类目", "颜色", "材质", "售价", "卖点", "使用场景", "细节")
ROWS: tuple[tuple[str, ...], ...] = (
    (
        "EB-001",
        "EB",
        "无线蓝牙耳机",
        "数码",
        "黑色",
        "塑料",
        "199",
        "降噪功能、长续航、舒适佩戴",
        "在通勤地铁上听音乐",
        "耳机腔体设计、充电盒磁吸接口",
    ),
    (
        "CUP-1",
        "CUP",
        "便携咖啡杯",
        "家居",
        "墨绿色",
        "不锈钢",
        "89",
        "保温保冷、防漏设计、单手开盖",
        "在办公室使用",
        "硅胶密封圈、杯口饮用设计",
    ),
)


class Shop:
    """A workspace with a catalog of its own."""

    def __init__(self, root: Path, *, comfyui: str = "") -> None:
        """*comfyui* are the servers to use, with spaces between; without any, the built-in simulator is."""
        self.root = root
        self.catalog = root / "products.xlsx"
        self._where = [w for url in comfyui.split() for w in ("--comfyui", url)] or ["--simulate"]
        self.command("init", str(root), check=True)
        roles = root / "config" / "roles.toml"
        small = small_sizes(roles.read_text(encoding="utf-8"), longest=128)
        roles.write_text(small, encoding="utf-8")  # what these tests are about does not depend on size
        self.write(ROWS)

    def copy(self, root: Path) -> Shop:
        """The same shop in another place."""
        shutil.copytree(self.root, root)
        twin = copy.copy(self)
        twin.root, twin.catalog = root, root / self.catalog.name
        return twin

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write the catalog as a workbook."""
        book = Workbook()
        sheet = book.worksheets[0]
        sheet.title = "商品"
        for row in (HEADERS, *rows):
            sheet.append(list(row))
        book.save(self.catalog)
        book.close()

    def arguments(self, *words: str) -> list[str]:
        """The command line of a command that works in this workspace."""
        return [sys.executable, "-m", "catalog_imagegen", *words]

    def command(self, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in this process; ``start`` of test_kill.py has processes of their own."""
        ran = called(*words)
        done = subprocess.CompletedProcess(list(words), ran.code, ran.out, ran.err)
        assert not check or done.returncode == 0, done.stderr
        return done

    def run_words(self, *more: str) -> list[str]:
        """The words of a ``run`` of this shop's catalog."""
        return ["run", str(self.catalog), "--workspace", str(self.root), "--json", *self._where, *more]

    def run(self, *more: str, code: int | None = 0) -> Any:
        """Run the catalog; returns the JSON object it ends with. A code of None takes any."""
        return self._json(*self.run_words(*more), code=code)

    def plan(self, *more: str) -> Any:
        """What a run would do."""
        words = ["plan", str(self.catalog), "--workspace", str(self.root), "--json", *self._where]
        return self._json(*words, *more)

    def regenerate(self, *words: str) -> Any:
        """Regenerate pictures."""
        return self._json("regenerate", *words, "--workspace", str(self.root), "--json", *self._where)

    def status(self, sku: str = "") -> Any:
        """How the SKUs stand in the simulator's state."""
        return self._json(
            "status", *([sku] if sku else []), "--workspace", str(self.root), "--simulate", "--json"
        )["skus"]

    def _json(self, *words: str, code: int | None = 0) -> Any:
        done = self.command(*words)
        assert code in (None, done.returncode), f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    @property
    def output(self) -> Path:
        """Where placeholders are listed."""
        return self.root / "output-simulated"


def environment() -> dict[str, str]:
    """The environment without settings of ours, in UTF-8."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CATALOG_IMAGEGEN_")}
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        kept.pop(name, None)
    return kept | {"PYTHONUTF8": "1"}


def start(shop: Shop, *words: str) -> subprocess.Popen[str]:
    """A command, or a ``run`` of the shop's catalog, that goes on while the test does something else."""
    return subprocess.Popen(
        shop.arguments(*(words or shop.run_words())),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def changed(rows: Sequence[Sequence[str]], row: int, column: str, value: str) -> list[list[str]]:
    """The rows with one cell changed."""
    copies = [list(r) for r in rows]
    copies[row][HEADERS.index(column)] = value
    return copies


@contextmanager
def simulator_process(*, seconds: float, more: Sequence[str] = ()) -> Iterator[str]:
    """A simulator in a process of its own; its URL."""
    with simulators_process(1, seconds=seconds, more=more) as (url,):
        yield url


@contextmanager
def simulators_process(count: int, *, seconds: float, more: Sequence[str] = ()) -> Iterator[list[str]]:
    """So many simulators in one process of their own; their URLs."""
    words = ["simulator", "--port", "0", "--seconds", str(seconds), "--servers", str(count), *more]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "catalog_imagegen", *words],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    try:
        yield [process.stdout.readline().rpartition(" ")[2].strip() for _ in range(count)]
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@retry(
    retry=retry_if_exception_type(requests.ConnectionError), wait=wait_fixed(0.05), stop=stop_after_delay(20)
)
def executed(url: str) -> list[Mapping[str, Any]]:
    """What a simulator really executed, in order: prompt_id, graph, started_ms, ended_ms, completed.

    Waits for one that is just being restarted.
    """
    found: list[Mapping[str, Any]] = requests.get(f"{url}/simulator/executions", timeout=30).json()
    return found


def executions(url: str) -> Counter[str]:
    """What a simulator really executed: graph without its file name → times."""
    return Counter(bare(entry["graph"]) for entry in executed(url))


def bare(graph: Mapping[str, Any]) -> str:
    """A graph as text, without the name of the file: the same for the same picture."""
    bare = {
        node: [body["class_type"], {k: v for k, v in body["inputs"].items() if k != "filename_prefix"}]
        for node, body in graph.items()
    }
    return json.dumps(bare, sort_keys=True, ensure_ascii=False)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its content."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
