"""A power cut at every effect of a nightly sync: nothing is lost, nothing is rendered twice, nothing is left half retired."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.imaging import Wanted
from catalog_imagegen.pipeline.nightly import Night, batches, look, retire
from catalog_imagegen.pipeline.ports import RenderBackend
from catalog_imagegen.pipeline.prepare import Services
from catalog_imagegen.pipeline.sync import carry_out
from tests.fakes import FakeBackend, NullProgress
from tests.integration.test_power_cut import CATALOG, Fuse, PowerCut, check_rows_have_bytes, power, snapshot

FIRST = (
    *CATALOG.products,
    Product("LAMP-1", "台灯", spu="LAMP", category="家居", color="白色", features=("调光",)),
    Product("LAMP-2", "落地灯", spu="LAMP", category="家居", color="黑色", features=("调光",)),
    Product("VASE-1", "花瓶", category="家居", color="白色"),
)
SECOND = (FIRST[3], replace(FIRST[1], name="新款咖啡杯"), replace(FIRST[0], price="1.00"))
"""The order is another, one has a new name, one a new price; a vase is gone, and a lamp that spoke for the other."""
MOST_EFFECTS = 75


def sync(services: Services, products: Sequence[Product], backend: FakeBackend, fuse: Fuse) -> Night:
    """One night, as the command has it."""
    wired: RenderBackend = fuse.guard("backend", backend)

    def backends(_pictures: Sequence[Wanted]) -> Sequence[RenderBackend]:
        return [wired]

    tonight = look(Reading(tuple(products)), "shop", services)
    retire(tonight, services)
    services.ledger.move(tonight.changes.moved)
    services.ledger.restate(tonight.changes.restated)
    for prepared in batches(tonight, services):
        carry_out(
            prepared,
            services,
            source="shop",
            command="sync shop",
            backends=backends,
            progress=NullProgress(),
            stop=threading.Event(),
        )
    return tonight


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FakeBackend]:
    """A workspace after its first night."""
    root, backend = tmp_path_factory.mktemp("first"), FakeBackend(in_flight=1)
    with power(root, Fuse()) as services:
        sync(services, FIRST, backend, Fuse())
    return root, backend


@pytest.fixture(scope="module")
def clean(
    first: tuple[Path, FakeBackend], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, str], Counter[str], list[str]]:
    """What a second night without trouble leaves, what it paid for, and the effects it had."""
    root = Path(shutil.copytree(first[0], tmp_path_factory.mktemp("clean") / "shop"))
    fuse, backend = Fuse(), FakeBackend(in_flight=1)
    with power(root, fuse) as services:
        sync(services, SECOND, backend, fuse)
    assert not any("LAMP-1" in path or "VASE-1" in path for path in snapshot(root))
    return snapshot(root), Counter(backend.executions), fuse.names


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("number", range(MOST_EFFECTS))
def test_power_cut_in_a_sync(
    number: int,
    after: bool,
    tmp_path: Path,
    first: tuple[Path, FakeBackend],
    clean: tuple[dict[str, str], Counter[str], list[str]],
) -> None:
    """Whatever effect dies, the next night ends as a clean one does; the one after that has nothing to do."""
    expected, executions, names = clean
    assert len(names) + 5 <= MOST_EFFECTS, "raise MOST_EFFECTS: not every effect is cut"
    root, backend = Path(shutil.copytree(first[0], tmp_path / "shop")), FakeBackend(in_flight=1)
    fuse = Fuse(number, after=after)
    with power(root, fuse) as services, suppress(PowerCut):
        sync(services, SECOND, backend, fuse)
    with power(root, Fuse()) as services:
        sync(services, SECOND, backend, Fuse())
    assert Counter(backend.executions) == executions
    assert snapshot(root) == expected
    check_rows_have_bytes(root)
    with power(root, Fuse()) as services:
        again = sync(services, SECOND, backend, Fuse())
    assert (again.changes.todo, again.changes.gone, again.changes.moved) == ((), frozenset(), {})


def test_the_effects_of_syncs_are_cut(clean: tuple[dict[str, str], Counter[str], list[str]]) -> None:
    """Retiring and moving are among them."""
    assert {"ledger.move", "ledger.retire", "ledger.settle", "listings.remove"} <= set(clean[2])
