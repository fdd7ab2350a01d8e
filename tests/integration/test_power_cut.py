"""Pulls the plug before and after every effect and proves that the rerun ends as a clean run does."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.files import sweep_temporary
from catalog_imagegen.adapters.ledger.postgresql import placed
from catalog_imagegen.adapters.ledger.presence import SharedPresence
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.adapters.presence import Presence
from catalog_imagegen.bootstrap import recover
from catalog_imagegen.bootstrap.ledgers import AnyPresence
from catalog_imagegen.config import Workspace, load_setup
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.fingerprint import digest
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.ports import RenderBackend
from catalog_imagegen.pipeline.prepare import Selection, Services, choose
from catalog_imagegen.pipeline.sync import Report, carry_out
from catalog_imagegen.pipeline.want import Setup
from tests.fakes import FakeBackend, NullProgress
from tests.integration.ledgers_support import Home, new_home
from tests.small import small_sizes

ROOT = Path(__file__).parents[2]
EFFECTS = {
    "ledger": (
        "keep_products",
        "keep_plan",
        "settle",
        "move",
        "retire",
        "begin_run",
        "end_run",
        "claim",
        "release",
        "begin_attempt",
        "rename_attempt",
        "fail_attempt",
        "keep_render",
        "give_up",
    ),
    "blobs": ("put",),
    "listings": ("write", "remove"),
    "backend": ("submit", "next_ended", "fetch", "free"),
}
CATALOG = Reading(
    (
        Product(
            "EB-1",
            "无线蓝牙耳机",
            spu="EB",
            category="数码",
            color="黑色",
            usage_scenarios=("在通勤地铁上听音乐",),
            detail_features=("触控面板",),
        ),
        Product("CUP-1", "便携咖啡杯", category="家居", color="墨绿色", features=("防漏设计",)),
    )
)


class PowerCut(BaseException):
    """Nothing may catch this: the machine is off."""


class Fuse:
    """Counts effects, and blows before or after the chosen one; then nothing works any more."""

    def __init__(self, blow_at: int = -1, *, after: bool = False) -> None:
        self.count = 0
        self.names: list[str] = []
        self._blow_at = blow_at
        self._after = after
        self._is_blown = False
        self._lock = threading.Lock()

    def guard(self, part: str, target: Any) -> Any:
        """*target*, with its effects wired through this fuse."""
        return _Wired(target, {name: self._wire(part, name, getattr(target, name)) for name in EFFECTS[part]})

    def _wire(self, part: str, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def effect(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                if self._is_blown:
                    raise PowerCut
                number = self.count
                self.count += 1
                self.names.append(f"{part}.{name}")
                if number == self._blow_at and not self._after:
                    self._is_blown = True
                    raise PowerCut
            result = call(*args, **kwargs)
            if number == self._blow_at:
                self._is_blown = True
                raise PowerCut
            return result

        return effect


class _Wired:
    def __init__(self, target: Any, effects: dict[str, Callable[..., Any]]) -> None:
        self._target = target
        self.__dict__.update(effects)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def small_pictures(root: Path) -> None:
    """Give a workspace the packaged roles at a size that is quickly adapted, one of them for the SPU."""
    roles = (ROOT / "config" / "roles.toml").read_text(encoding="utf-8")
    (root / "config").mkdir(parents=True, exist_ok=True)
    small = small_sizes(roles, longest=64)
    small = small.replace("[roles.comparison]", '[roles.comparison]\nscope = "spu"')
    small = small.replace(
        "[roles.main_portrait]", "[roles.main_portrait]\nenabled = false"
    )  # main is like it
    (root / "config" / "roles.toml").write_text(small, encoding="utf-8")


@cache
def small_setup() -> Setup:
    """What such a workspace says; read once, because reading it would take a fifth of all the time."""
    with TemporaryDirectory() as folder:
        small_pictures(Path(folder))
        return load_setup(Workspace(Path(folder)))


@contextmanager
def power(place: Path | Home, fuse: Fuse) -> Iterator[Services]:
    """A process over the workspace at *place*; leaving it is the kernel taking back what it held."""
    home = place if isinstance(place, Home) else Home(place)
    small_pictures(home.root)
    workspace = Workspace(home.root)
    files = Presence(workspace.data / "processes")
    presence: AnyPresence = files
    engine = home.engine()
    if home.url:
        presence = SharedPresence(engine, placed(home.url, home.schema), files)
    ledger = SqlLedger(engine, holder=presence.holder, is_alive=presence.is_alive)
    blobs = FolderBlobs(workspace.data / "blobs")
    recover(presence, ledger, blobs, [workspace.data, workspace.output])
    try:
        yield Services(
            setup=small_setup(),
            enabled=("taobao_tmall", "amazon"),
            ledger=fuse.guard("ledger", ledger),
            blobs=fuse.guard("blobs", blobs),
            listings=fuse.guard("listings", FolderListings(workspace.output)),
            is_placeholder=False,
        )
    finally:
        engine.dispose()
        if isinstance(presence, SharedPresence):
            presence.close()
        files._file.close()  # what the kernel does for the dead: the lock goes, its file stays


def run(services: Services, backend: FakeBackend, fuse: Fuse) -> Report:
    """One `run` of the catalog."""
    wired: RenderBackend = fuse.guard("backend", backend)

    def backends(_pictures: Sequence[Wanted]) -> Sequence[RenderBackend]:
        return [wired]

    return carry_out(
        choose(CATALOG, "run", Selection(), services),
        services,
        source="run",
        command="run",
        backends=backends,
        progress=NullProgress(),
        stop=threading.Event(),
    )


def snapshot(root: Path) -> dict[str, str]:
    """Every picture and listing with its digest, and the blob names; what a user could tell apart."""
    found: dict[str, str] = {}
    for path in sorted((root / "output").rglob("*")):
        if path.is_file():
            found[str(path.relative_to(root))] = digest(path.read_bytes())
    for path in sorted((root / "data" / "blobs").rglob("*")):
        if path.is_file():
            found[f"blob {path.name}"] = digest(path.read_bytes())
    return found


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Counter[str], list[str]]:
    """What a run without trouble leaves, what it paid for, and the effects it had."""
    root = tmp_path_factory.mktemp("clean")
    fuse, backend = Fuse(), FakeBackend(in_flight=1)
    with power(root, fuse) as services:
        report = run(services, backend, fuse)
    assert report.pictures["rendered"] == report.pictures["planned"] > 5
    return snapshot(root), Counter(backend.executions), fuse.names


def check_rows_have_bytes(place: Path | Home) -> None:
    """No row without its bytes, and every blob is what its name says."""
    home = place if isinstance(place, Home) else Home(place)
    engine = home.engine()
    ledger = SqlLedger(engine, holder="", is_alive=lambda _holder: False)
    blobs = FolderBlobs(home.data / "blobs")
    for name in ledger.digests():
        assert digest(blobs.get(name)) == name
    engine.dispose()


def cases() -> list[tuple[int, bool]]:
    """Every effect of a clean run has a number below this; later ones are not reached and end clean."""
    return [(number, after) for number in range(MOST_EFFECTS) for after in (False, True)]


MOST_EFFECTS = 96


@pytest.mark.parametrize(("number", "after"), cases())
def test_power_cut_anywhere_costs_no_second_render(
    number: int,
    after: bool,
    tmp_path: Path,
    clean: tuple[dict[str, str], Counter[str], list[str]],
) -> None:
    """Whatever effect dies, the rerun ends as a clean run does, and nothing is paid for twice."""
    check_cut(number, tmp_path, clean, after=after)


@pytest.mark.parametrize(("number", "after"), cases()[::9])
def test_power_cut_with_a_ledger_in_postgresql(
    number: int,
    after: bool,
    tmp_path: Path,
    clean: tuple[dict[str, str], Counter[str], list[str]],
    postgres: str,
) -> None:
    """The same: a commit there is as durable, and the server takes back what a process held."""
    check_cut(number, new_home(tmp_path, postgres), clean, after=after)


def check_cut(
    number: int,
    place: Path | Home,
    clean: tuple[dict[str, str], Counter[str], list[str]],
    *,
    after: bool,
) -> None:
    """Cut the power at one effect, run again, and compare with a clean run."""
    root = place.root if isinstance(place, Home) else place
    expected, executions, names = clean
    assert len(names) + 5 <= MOST_EFFECTS, "raise MOST_EFFECTS: not every effect is cut"
    backend = FakeBackend(in_flight=1)
    fuse = Fuse(number, after=after)
    # The last few effects happen a little earlier or later in each run, so some cuts come too late.
    with power(place, fuse) as services, suppress(PowerCut):
        run(services, backend, fuse)
    check_rows_have_bytes(place)

    calm = Fuse()
    with power(place, calm) as services:
        report = run(services, backend, calm)

    assert report.pictures["rendered"] + report.pictures["reused"] == report.pictures["planned"]
    assert Counter(backend.executions) == executions
    assert snapshot(root) == expected
    check_rows_have_bytes(place)
    assert sweep_temporary(root) == 0


def test_every_kind_of_effect_is_cut(clean: tuple[dict[str, str], Counter[str], list[str]]) -> None:
    """The power-cut test reaches each effect of a good run; the others belong to failures."""
    _, _, names = clean
    everything = {f"{part}.{name}" for part, effects in EFFECTS.items() for name in effects}
    only_in_failures = {
        "ledger.begin_attempt",
        "ledger.rename_attempt",
        "ledger.fail_attempt",
        "ledger.give_up",
        "backend.free",
    }
    only_in_syncs = {"ledger.move", "ledger.retire", "listings.remove"}
    assert set(names) == everything - only_in_failures - only_in_syncs


def test_manifest_of_a_cut_listing_is_never_believed(tmp_path: Path) -> None:
    """A listing whose files were lost is written again, though its manifest is there."""
    fuse, backend = Fuse(), FakeBackend(in_flight=1)
    with power(tmp_path, fuse) as services:
        run(services, backend, fuse)
    before = snapshot(tmp_path)
    manifest = next((tmp_path / "output" / "amazon").rglob("listing.json"))
    picture = manifest.parent / json.loads(manifest.read_text(encoding="utf-8"))["files"][0]["name"]
    picture.write_bytes(picture.read_bytes()[:-10])

    with power(tmp_path, Fuse()) as services:
        report = run(services, backend, Fuse())

    assert report.jobs_submitted == 0
    assert snapshot(tmp_path) == before


def test_seeds_and_files_do_not_depend_on_the_workspace(tmp_path: Path) -> None:
    """Two workspaces in different places give the same pictures under the same names."""
    for name in ("one", "other"):
        fuse = Fuse()
        with power(tmp_path / name, fuse) as services:
            run(services, FakeBackend(in_flight=1), fuse)
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "other")
