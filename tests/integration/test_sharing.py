"""What the reviews found: families, order, takes, damage and other people's files."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from catalog_imagegen.bootstrap import House, Servers, open_house
from catalog_imagegen.config import Workspace
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import ImageKey
from catalog_imagegen.pipeline import publish
from catalog_imagegen.pipeline.prepare import (
    Prepared,
    Selection,
    choose,
    from_ledger,
    pictures_of,
    regenerate,
)
from catalog_imagegen.pipeline.publish import Publisher
from catalog_imagegen.pipeline.sync import Report, carry_out
from catalog_imagegen.simulator import Simulator
from tests.e2e.shop import tree
from tests.fakes import NullProgress, graph_key
from tests.integration.test_power_cut import small_pictures

FAMILY = Reading(
    (
        Product("EB", "耳机套装", category="数码", color="黑色", features=("降噪功能",)),
        Product("EB-2", "白色耳机", spu="EB", category="数码", color="白色", features=("降噪功能",)),
        Product("EB-1", "黑色耳机", spu="EB", category="数码", color="黑色", features=("降噪功能",)),
    )
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with small pictures; comparison is shared by the family."""
    small_pictures(tmp_path)
    (tmp_path / "config" / "app.toml").write_text("patience_s = 2\n", encoding="utf-8")
    return tmp_path


def simulated(root: Path) -> Servers:
    """The built-in simulator."""
    assert root.is_dir()
    return Servers(simulate=True)


def finish(house: House, prepared: Prepared, source: str = "run") -> Report:
    """Carry out a plan."""
    return carry_out(
        prepared,
        house.services,
        source=source,
        command="run",
        backends=house.fleet.backends,
        progress=NullProgress(),
        stop=threading.Event(),
    )


def make(house: House, reading: Reading = FAMILY, selection: Selection = Selection()) -> Report:  # noqa: B008 - frozen
    """Run a catalog."""
    return finish(house, choose(reading, "run", selection, house.services))


def test_a_parent_row_and_its_variants_share_one_listing(root: Path) -> None:
    """A SKU called like the SPU is the parent of it, not a second listing in the same folder."""
    with open_house(Workspace(root), simulated(root)) as house:
        first = make(house)
        before = tree(house.workspace.output)
        assert make(house).jobs_submitted == 0
        assert tree(house.workspace.output) == before
        mains = [name for name in before if name.startswith("taobao_tmall/EB/") and "main." in name]
        assert len(mains) == 3
        assert first.problems == ()


def test_a_part_of_a_family_never_takes_pictures_from_the_rest(root: Path) -> None:
    """`run --sku` then `regenerate` of another role leaves the shared picture in the listing."""
    with open_house(Workspace(root), simulated(root)) as house:
        make(house, selection=Selection(skus=("EB-2",)))
        shared = [p for p in house.services.ledger.pictures({"spu:EB"}) if p.render]
        assert shared
        finish(house, regenerate("EB-2", role="main", slot=1, seed=None, note="", services=house.services))
        assert [p.key for p in house.services.ledger.pictures({"spu:EB"}) if p.is_current] == [
            p.key for p in shared
        ]


def test_regenerating_keeps_the_order_of_the_listing(root: Path) -> None:
    """Variants stand as in their catalog, also when a plan is made from the ledger."""
    with open_house(Workspace(root), simulated(root)) as house:
        make(house)
        make(house, Reading((Product("AA", "别的商品", category="家居"),)))
        names = sorted(name for name in tree(house.workspace.output) if name.endswith(".jpg"))
        finish(house, regenerate("EB-1", role="main", slot=1, seed=5, note="", services=house.services))
        assert sorted(name for name in tree(house.workspace.output) if name.endswith(".jpg")) == names


def test_a_plan_made_before_a_regenerate_does_not_undo_it(root: Path) -> None:
    """Another process asked for a new take between this run's plan and its recording."""
    with open_house(Workspace(root), simulated(root)) as house:
        make(house)
        old_plan = choose(FAMILY, "run", Selection(), house.services)
        again = regenerate("EB-1", role="main", slot=1, seed=5, note="", services=house.services)
        finish(house, again)
        (key,) = again.chosen
        new = next(p.render for p in house.services.ledger.pictures() if p.key == key)
        finish(house, old_plan)
        assert next(p.render for p in house.services.ledger.pictures() if p.key == key) == new


def test_only_pictures_that_a_platform_takes_can_be_regenerated(root: Path) -> None:
    """Without a platform that shows it, a picture gets no take and stays what it is."""
    with open_house(Workspace(root), simulated(root)) as house:
        make(house)
    (root / "config" / "app.toml").write_text('platforms = ["bare"]\n', encoding="utf-8")
    (root / "config" / "platforms.toml").write_text(
        '[platforms.bare]\ntitle = "x"\nlisting_per = "sku"\n'
        '[[platforms.bare.placements]]\nname = "main"\nroles = ["main"]\nsize = [64, 64]\n',
        encoding="utf-8",
    )
    with open_house(Workspace(root), simulated(root)) as house:
        with pytest.raises(ConfigError, match="no enabled platform takes detail"):
            regenerate("EB-1", role="detail", slot=1, seed=None, note="", services=house.services)
        assert house.services.ledger.takes() == {}
        assert pictures_of("EB-1", role="detail", slot=1, services=house.services)


def test_a_listing_that_another_process_writes_is_waited_for(root: Path) -> None:
    """The others of its family, which are written together with it, do not wait; it is written in the end, once."""
    with open_house(Workspace(root), simulated(root)) as house:
        make(house)
        services, output = house.services, house.workspace.output
        before = tree(output)
        shutil.rmtree(output)
        platforms = [services.setup.platforms[name] for name in services.enabled]
        per_sku = next(platform.name for platform in platforms if platform.listing_per == "sku")
        held = f"listing:{per_sku}:sku:EB-1"
        assert services.ledger.lease(held)
        meanwhile: list[dict[str, bytes]] = []

        def let_go(_seconds: float) -> None:
            meanwhile.append(tree(output))
            services.ledger.release(held)

        publisher = Publisher(services.ledger, services.listings, services.developing, wait=let_go)
        assert publisher.publish(platforms, ["EB-2"]) > 0
        (others,) = meanwhile
        late = {name for name in before if name.startswith(f"{per_sku}/EB-1/")}
        assert late
        assert {name: of for name, of in before.items() if name not in late} == others
        assert tree(output) == before
        assert services.ledger.lease(held)


def test_families_are_published_page_by_page(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, each once, in pages of any size; variants stay together."""
    others = tuple(Product(f"P-{number}", f"杯子{number}号", category="家居") for number in range(4))
    with open_house(Workspace(root), simulated(root)) as house:
        made = make(house, Reading((others[0], *FAMILY.products, *others[1:])), Selection(roles=("main",)))
        services, output = house.services, house.workspace.output
        before = tree(output)
        shutil.rmtree(output)
        monkeypatch.setattr(publish, "FIRST_FAMILIES", 1)
        monkeypatch.setattr(publish, "MOST_FAMILIES", 2)
        publisher = Publisher(services.ledger, services.listings, services.developing)
        platforms = [services.setup.platforms[name] for name in services.enabled]
        skus = [product.sku for product in services.ledger.products()]
        assert publisher.publish(platforms, skus) == made.renditions
        assert tree(output) == before


def test_damaged_bytes_are_made_again_and_the_rest_is_published(root: Path) -> None:
    """A blob whose bytes are not what its name says is dropped, said, and rendered again."""
    with open_house(Workspace(root), simulated(root)) as house:
        make(house)
        before = tree(house.workspace.output)
        blobs = (root / "data" / "simulated" / "blobs").glob("??/*")
        blob = next(path for path in blobs if path.read_bytes().startswith(b"\x89PNG"))
        blob.write_bytes(b"junk")
        for path in house.workspace.output.rglob("*.jpg"):
            path.unlink()
        damaged = make(house)
        assert damaged.jobs_submitted == 0
        assert 0 < len(tree(house.workspace.output)) < len(before)
        assert make(house).jobs_submitted == 1
        assert tree(house.workspace.output).keys() == before.keys()


def test_files_of_others_in_the_output_stay(root: Path) -> None:
    """Only what a listing.json named is removed; an odd listing.json counts for nothing."""
    with open_house(Workspace(root), simulated(root)) as house:
        mine = house.workspace.output / "amazon" / "EB-1" / "my_own_photo.jpg"
        mine.parent.mkdir(parents=True)
        mine.write_bytes(b"mine")
        (mine.parent / "listing.json").write_text('{"files": [{"odd": 1}]}', encoding="utf-8")
        make(house)
        assert mine.read_bytes() == b"mine"
        stale = mine.parent / "EB-1.PT01.jpg"
        assert stale.is_file()
        (root / "config" / "app.toml").write_text("patience_s = 2\n", encoding="utf-8")
        changed = Product("EB-1", "黑色耳机", spu="EB", category="数码", color="黑色", features=())
        make(house, Reading((*FAMILY.products[:2], changed)))
        assert mine.read_bytes() == b"mine"


def test_a_picture_sent_to_another_of_our_servers_is_left_to_it(root: Path) -> None:
    """A process died with a picture on server A: a run with A and B asks A, and B does not make it again."""
    with Simulator(seconds=0.2) as a, Simulator() as b:
        stop = threading.Event()
        with open_house(Workspace(root), Servers((a.url,))) as house:
            prepared = choose(FAMILY, "run", Selection(), house.services)
            threading.Timer(0.3, stop.set).start()
            carry_out(
                prepared,
                house.services,
                source="run",
                command="run",
                backends=house.fleet.backends,
                progress=NullProgress(),
                stop=stop,
            )
        with open_house(Workspace(root), Servers((a.url, b.url))) as house:
            report = make(house)
            assert report.pictures["rendered"] + report.pictures["reused"] == report.pictures["planned"]
        graphs = [graph_key(graph) for server in (a, b) for _, graph in server.executions]
        assert len(graphs) == len(set(graphs)) == report.pictures["planned"]


def test_a_source_that_is_gone_gives_up_its_skus(root: Path) -> None:
    """Renaming a [[source]] must not lock its products."""
    with open_house(Workspace(root), simulated(root)) as house:
        finish(house, choose(FAMILY, "old name", Selection(), house.services), source="old name")
        report = make(house)
        assert report.issues == ()
        assert report.jobs_submitted == 0


def test_an_empty_prompt_is_blocked(root: Path) -> None:
    """A template that writes nothing costs no GPU second; the other roles go on."""
    with open_house(Workspace(root), simulated(root)) as house:
        make(house)
    templates = root / "prompt_templates"
    packaged = Path(__file__).parents[2] / "prompt_templates"
    templates.mkdir()
    for path in packaged.iterdir():
        (templates / path.name).write_bytes(path.read_bytes())
    (templates / "main.j2").write_text("", encoding="utf-8")
    with open_house(Workspace(root), simulated(root)) as house:
        report = make(house)
        assert report.pictures["blocked"] == 3
        assert report.jobs_submitted == 0
        assert {p.role for p in report.problems} == {"main"}
        kept = from_ledger(Selection(), house.services)
        assert ImageKey("sku:EB-1", "main", kept.plan.blocked[0].key.item) in {
            b.key for b in kept.plan.blocked
        }
