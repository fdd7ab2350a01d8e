"""Cases about nightly syncs of large catalogs: what nothing new costs, and what a first plan does."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, update

from bench.clients import Timing
from bench.report import Figure, Report, Tell, seconds
from bench.tables import FOLDER, HEADER, text_table
from catalog_imagegen.adapters.ledger.tables import PICTURE, RENDER, now
from catalog_imagegen.bootstrap import Servers, init_workspace, open_house
from catalog_imagegen.config import Workspace
from catalog_imagegen.pipeline.changes import setup_name
from catalog_imagegen.pipeline.nightly import batches, look
from tests.servers import postgresql

if TYPE_CHECKING:
    from catalog_imagegen.bootstrap import House
    from catalog_imagegen.domain.catalog import Reading
    from catalog_imagegen.domain.fingerprint import Digest

ROWS = 100_000
_SOURCE = "shop"


def shop(catalog: Path, name: str) -> Path:
    """A workspace with this catalog as its source, every picture planned and taken for made; made once and kept."""
    root = FOLDER / name
    if (root / "ready").exists():
        return root
    new_workspace(root)
    settings = root / "config" / "app.toml"
    source = f'\n[[source]]\nname = "{_SOURCE}"\npath = "{catalog.resolve()}"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + source, encoding="utf-8")
    with a_house(root) as house:
        plan_all(house, is_made=True)
        pretend_made(house)
    (root / "ready").touch()
    return root


def new_workspace(root: Path) -> None:
    """One that takes no photos: the catalog names web addresses where there are none, and fetching is another matter."""
    init_workspace(root)
    roles = root / "config" / "roles.toml"
    text = roles.read_text(encoding="utf-8")
    roles.write_text(text.replace("on_white = true", 'product = "generate"'), encoding="utf-8")


@contextmanager
def a_house(root: Path) -> Iterator[House]:
    """A workspace whose servers are simulated."""
    with open_house(Workspace(root.resolve()), Servers(simulate=True)) as house:
        yield house


def plan_all(house: House, *, is_made: bool = False) -> int:
    """Read the source, plan and record whatever is new (and take it for made); returns how many pictures were planned."""
    return plan_these(house, read(house), is_made=is_made)


def read(house: House) -> Reading:
    """The one source, to products."""
    return house.read(house.settings.source[0]).reading


def plan_these(house: House, reading: Reading, *, is_made: bool = False) -> int:
    """The same with rows that were read."""
    source, ledger = house.settings.source[0].name, house.services.ledger
    tonight = look(reading, source, house.services)
    ledger.restate(tonight.changes.restated)
    count = 0
    for prepared in batches(tonight, house.services):
        token = ledger.keep_products(source, prepared.rows)
        ledger.keep_plan(prepared.plan, leaving=prepared.leaving)
        count += len(prepared.plan.pictures)
        if is_made:
            name = setup_name(house.services.setup, house.services.enabled)
            ledger.settle(token, {product.sku for product in prepared.products}, name)
    return count


def pretend_made(house: House) -> None:
    """Record a render for every picture, all of the same bytes."""
    take_for_made(house, [house.services.blobs.put(b"stands for every picture")], side=8, is_placeholder=True)


def take_for_made(house: House, pictures: Sequence[Digest], *, side: int, is_placeholder: bool) -> None:
    """Record a render for every picture, of these bytes in turns."""
    made = {
        "width": side,
        "height": side,
        "is_placeholder": is_placeholder,
        "prompt_id": "",
        "made_at": now(),
    }
    engine = create_engine(f"sqlite:///{house.workspace.data / 'ledger.sqlite'}")
    with engine.begin() as db:
        keys = db.execute(PICTURE.select().with_only_columns(PICTURE.c.render_key).distinct()).scalars().all()
        rows = [
            made | {"render_key": key, "digest": name}
            for key, name in zip(filter(None, keys), cycle(pictures), strict=False)
        ]
        db.execute(RENDER.insert().prefix_with("OR IGNORE"), rows)
        db.execute(update(PICTURE).values(shown_key=PICTURE.c.render_key))
    engine.dispose()


def carried_out(what: str, root: Path) -> Mapping[str, Any]:
    """A night (*what* is ``sync``), or only its reading (``read``).

    Gives seconds once the program is loaded, those of the whole process, its peak memory, and what it said.
    """
    began = time.perf_counter()
    line = [sys.executable, "-m", "bench.syncing", what, str(root)]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "whole": time.perf_counter() - began}


def nothing_new(about: str, repeats: int, tell: Tell) -> Report:
    """100,000 SKUs of which none is another; and 1 % of them at another price."""
    catalog = text_table(ROWS)
    root = shop(catalog, f"shop-{ROWS}")
    carried_out("sync", root)  # so that its pages are in memory, as those of the catalog are
    runs: dict[str, list[Timing]] = {"reading alone": [], "sync, nothing new": [], "sync, with its start": []}
    peaks: list[float] = []
    for repeat in range(repeats):
        runs["reading alone"].append(Timing(carried_out("read", root)["seconds"], ""))
        found = carried_out("sync", root)
        if (found["told"]["jobs_submitted"], found["told"]["unchanged"]) != (0, ROWS):
            raise AssertionError(found["told"])
        runs["sync, nothing new"].append(Timing(found["seconds"], ""))
        runs["sync, with its start"].append(Timing(found["whole"], ""))
        peaks.append(found["peak_mb"])
        tell(f"  {repeat + 1}/{repeats} sync {found['seconds']:.2f} s, {found['peak_mb']:.0f} MB")
    ratio = seconds(runs["sync, nothing new"]) / seconds(runs["reading alone"])
    small = _small(tell)
    figures = [
        Figure("seconds, sync / reading that catalog", ratio, 1.5),
        Figure("peak memory of the command", median(peaks), 600, unit="MB"),
        Figure("10,000 SKUs, the whole command", small, 5.0, unit="s"),
        Figure("seconds, 1 % changed / nothing new", _changed(root, catalog, repeats, tell), 1.3),
    ]
    return Report(
        about,
        "100,000 SKUs, all their pictures in the ledger",
        is_simulated=False,
        pictures=ROWS,
        runs=runs,
        figures=figures,
    )


def _small(tell: Tell) -> float:
    root = shop(text_table(ROWS // 10), f"shop-{ROWS // 10}")
    took = float(median(carried_out("sync", root)["whole"] for _ in range(3)))
    tell(f"  10,000 SKUs: {took:.2f} s")
    return took


def _changed(root: Path, catalog: Path, repeats: int, tell: Tell) -> float:
    """How much longer it takes to plan and record a hundredth of the rows at other prices, rendering nothing."""
    other = _at_other_prices(catalog)
    nothing, some = [], []
    for _ in range(repeats):
        copy = root.with_name("changed")  # its ledger will know other prices
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(root, copy)
        with a_house(copy) as house:
            plan_all(house)
            nothing.append(_timed(lambda house=house: plan_all(house)))  # type: ignore[misc]
        settings = copy / "config" / "app.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(str(catalog.resolve()), str(other.resolve())), encoding="utf-8")
        with a_house(copy) as house:
            some.append(_timed(lambda house=house: plan_all(house)))  # type: ignore[misc]
        tell(f"  nothing new {nothing[-1]:.2f} s, 1 % changed {some[-1]:.2f} s")
        shutil.rmtree(copy)
    return median(some) / median(nothing)


def _at_other_prices(catalog: Path) -> Path:
    """A catalog of which each hundredth row has another price."""
    other, price = catalog.with_name("changed.csv"), HEADER.index("价格")
    lines = catalog.read_text(encoding="utf-8").split("\n")
    for number in range(1, len(lines) - 1, 200):  # a record has two lines here
        cells = lines[number].split(",")
        if len(cells) > price and cells[price].replace(".", "").isdigit():
            cells[price] = "1.23"
            lines[number] = ",".join(cells)
    other.write_text("\n".join(lines), encoding="utf-8")
    return other


def _timed(work: Callable[[], object]) -> float:
    began: float = time.perf_counter()
    work()
    return time.perf_counter() - began


def first_plan(about: str, repeats: int, tell: Tell) -> Report:
    """100,000 SKUs into an empty ledger: every prompt is written, every graph named, every row recorded."""
    runs: dict[str, list[Timing]] = {"SQLite": [], "PostgreSQL": []}
    count = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        for repeat in range(repeats):
            for name, its in runs.items():
                with postgresql(folder / f"{repeat}") if name == "PostgreSQL" else nullcontext("") as url:
                    count, took = _planned(url)
                its.append(Timing(took, ""))
                tell(f"  {name}: {count} pictures in {took:.1f} s")
    figures = [
        Figure(
            "pictures a second, SQLite", count / seconds(runs["SQLite"]), 12_000, is_floor=True, unit="/s"
        ),
        Figure(
            "pictures a second, PostgreSQL",
            count / seconds(runs["PostgreSQL"]),
            8_000,
            is_floor=True,
            unit="/s",
        ),
    ]
    return Report(
        about, "100,000 SKUs, an empty ledger", is_simulated=False, pictures=count, runs=runs, figures=figures
    )


def _planned(url: str) -> tuple[int, float]:
    """How many pictures, and in how many seconds after the reading; the start of other processes counts."""
    root = FOLDER / "first"
    shutil.rmtree(root, ignore_errors=True)
    new_workspace(root)
    settings = root / "config" / "app.toml"
    ledger = f'\n[ledger]\nurl = "{url}"\n' if url else ""
    source = f'\n[[source]]\nname = "{_SOURCE}"\npath = "{text_table(ROWS).resolve()}"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + ledger + source, encoding="utf-8")
    with a_house(root) as house:
        reading = read(house)
        began = time.perf_counter()
        count = plan_these(house, reading)
        took = time.perf_counter() - began
    shutil.rmtree(root)
    return count, took
