"""A nightly sync of a large catalog plans exactly what changed, on a real ledger."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine, update
from sqlalchemy.dialects import postgresql, sqlite

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.ledger.store import SqlLedger
from catalog_imagegen.adapters.ledger.tables import PICTURE, RENDER, now
from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.config import Workspace, load_setup
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.pipeline import nightly
from catalog_imagegen.pipeline.brakes import Limits, brakes
from catalog_imagegen.pipeline.changes import setup_name
from catalog_imagegen.pipeline.nightly import Night, batches, forecast, look, retire
from catalog_imagegen.pipeline.prepare import Services
from catalog_imagegen.pipeline.want import PlannerHere, Setup
from catalog_imagegen.stages.prompt import PromptBook
from tests.integration.ledgers_support import Home, new_home

ROWS = 10_000
FEWER = 2_000
"""Rows where it is the database that is tried; how many statements take is tried in test_ledger.py."""
GENEROUS = Limits(max_new_renders=10**9, max_new_share=1.0, max_retired_share=1.0)
Picture = tuple[str, str, str]
"""Subject, role and item."""


def catalog(count: int) -> list[Product]:
    """Mugs and lamps, three variants to a family."""
    return [
        Product(
            sku=f"SK-{number:05}",
            spu=f"F-{number // 3}",
            name=f"马克杯{number:05}" if number % 2 else f"台灯{number:05}",
            category="家居",
            color=("白色", "黑色", "米色")[number % 3],
            price=f"{number}.90",
            usage_scenarios=("客厅",) if number % 5 else ("卧室", "书房"),
        )
        for number in range(count)
    ]


def roles(setup: Setup, *enabled: str) -> Setup:
    """The setup with these roles only; detail pictures are shared by a family."""
    chosen = {
        name: replace(role, enabled=name in enabled, scope="spu" if name == "detail" else "sku")
        for name, role in setup.roles.items()
    }
    return replace(setup, roles=chosen)


@contextmanager
def shop(place: Path | Home) -> Iterator[tuple[Services, Engine]]:
    """A workspace with the packaged templates."""
    home = place if isinstance(place, Home) else Home(place)
    workspace, engine = Workspace(home.root), home.engine()
    services = Services(
        setup=roles(load_setup(workspace), "main", "lifestyle", "detail"),
        enabled=("taobao_tmall",),
        ledger=SqlLedger(engine, holder="test", is_alive=lambda _: True),
        blobs=FolderBlobs(workspace.data / "blobs"),
        listings=FolderListings(workspace.output),
        is_placeholder=False,
    )
    try:
        yield services, engine
    finally:
        engine.dispose()


def night(services: Services, products: Sequence[Product], *, is_whole: bool = True) -> Night:
    """What the sync of a source sees."""
    return look(Reading(tuple(products)), "erp", services, is_whole=is_whole)


def make_all(services: Services, engine: Engine, tonight: Night) -> set[Picture]:
    """Carry out a night as if every picture had been rendered in no time; returns those that needed rendering."""
    retire(tonight, services)
    services.ledger.move(tonight.changes.moved)
    rendered: set[Picture] = set()
    picture = services.blobs.put(encoded(Image.new("RGB", (8, 8), "teal")))
    for prepared in batches(tonight, services):
        token = services.ledger.keep_products("erp", prepared.rows)
        services.ledger.keep_plan(prepared.plan, leaving=prepared.leaving)
        made = [p.wanted for p in prepared.plan.pictures if p.action == "render"]
        rows = {
            wanted.render_key: {
                "render_key": wanted.render_key,
                "digest": picture,
                "width": 8,
                "height": 8,
                "is_placeholder": False,
                "prompt_id": "",
                "made_at": now(),
            }
            for wanted in made
        }
        with engine.begin() as db:
            if rows:
                insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
                db.execute(insert(RENDER).on_conflict_do_nothing(), list(rows.values()))
            is_other = PICTURE.c.shown_key.is_distinct_from(PICTURE.c.render_key)
            db.execute(
                update(PICTURE).where(PICTURE.c.is_wanted, is_other).values(shown_key=PICTURE.c.render_key)
            )
        services.ledger.settle(
            token,
            {product.sku for product in prepared.products},
            setup_name(services.setup, services.enabled),
        )
        rendered |= {(w.key.subject, w.key.role, w.item_text) for w in made}
    return rendered


def encoded(image: Image.Image) -> bytes:
    """As a PNG."""
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def pictures_of(product: Product, *only: str) -> set[Picture]:
    """What one product of this catalog has, worked out by hand."""
    own = {(f"sku:{product.sku}", "main", "")}
    own |= {(f"sku:{product.sku}", "lifestyle", place) for place in product.usage_scenarios}
    return {picture for picture in own if not only or picture[1] in only}


def without_items(pictures: Iterable[Picture]) -> set[Picture]:
    """Main pictures show the product; what their item is called does not matter here."""
    return {(subject, role, "" if role == "main" else item) for subject, role, item in pictures}


def edited(setup: Setup) -> Setup:
    """The same after somebody wrote another word into the template of lifestyle pictures."""
    texts = {name: text for name, text in setup.sources.items() if name.endswith(".j2")}
    name = next(name for name in texts if name.endswith("lifestyle.j2"))
    changed = texts[name].replace("真实的生活摄影", "真实的生活抓拍")
    assert changed != texts[name]
    templates = {Path(key).name: text for key, text in (texts | {name: changed}).items()}
    book = PromptBook(templates, setup.prompts._vocabulary)
    return replace(setup, prompts=book, sources={**setup.sources, name: changed})


def tomorrow(products: Sequence[Product]) -> tuple[list[Product], dict[str, list[Product]]]:
    """30 other prices, 12 other names, 5 new products, 3 gone; apart from each other."""
    rows = list(products)
    what: dict[str, list[Product]] = {"priced": [], "renamed": [], "new": [], "gone": []}
    for number in range(30):
        place = 100 + number * 7
        rows[place] = replace(rows[place], price="1.00")
        what["priced"].append(rows[place])
    for number in range(12):
        place = len(products) // 5 + number * 11
        rows[place] = replace(rows[place], name=f"新款{rows[place].name}")
        what["renamed"].append(rows[place])
    for place in (len(products) * 9 // 10 + 1, len(products) // 2, len(products) * 2 // 5):
        what["gone"].append(rows.pop(place))
    for number in range(5):
        new = replace(products[0], sku=f"NEW-{number}", spu=f"N-{number}", name=f"新杯{number}")
        rows.insert(50 * number, new)
        what["new"].append(new)
    return rows, what


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after its first night, all pictures made."""
    root = tmp_path_factory.mktemp("nightly")
    make_first(root)
    return root


@pytest.fixture
def first_night(made: Path, tmp_path: Path) -> Path:
    """The same, of this test alone."""
    return shutil.copytree(made, tmp_path / "nightly")


def make_first(place: Path | Home, count: int = ROWS) -> None:
    """The first night of a workspace, with exactly the pictures that there must be."""
    products = catalog(count)
    with shop(place) as (services, engine):
        made = make_all(services, engine, night(services, products))
    own = set().union(*map(pictures_of, products))
    assert without_items(p for p in made if p[1] != "detail") == own
    assert len({p[0] for p in made if p[1] == "detail"}) == len({p.spu for p in products})


def test_a_night_plans_exactly_what_changed(first_night: Path) -> None:
    """Prices cost nothing; names and new products cost their own pictures; the template costs lifestyle only; then nothing."""
    check_second(first_night)


def test_nights_with_a_ledger_in_postgresql(tmp_path: Path, postgres: str) -> None:
    """Plan the same, from its first on."""
    home = new_home(tmp_path, postgres)
    make_first(home, FEWER)
    check_second(home, FEWER)


def check_second(place: Path | Home, count: int = ROWS) -> None:
    """The night after, with another template."""
    products = catalog(count)
    rows, what = tomorrow(products)
    with shop(place) as (before, engine):
        services = replace(before, setup=edited(before.setup))
        tonight = night(services, rows)
        assert {product.sku for product in what["gone"]} == tonight.changes.gone
        made = make_all(services, engine, tonight)
        expected = {picture for product in rows for picture in pictures_of(product, "lifestyle")}
        for product in (*what["renamed"], *what["new"]):
            expected |= pictures_of(product)
        assert without_items(p for p in made if p[1] != "detail") == expected
        assert details(made) == speakers_changed(products, rows)

        again = night(services, rows)
        assert (again.changes.todo, again.changes.gone, again.changes.moved) == ((), frozenset(), {})
        assert again.unchanged == len(rows)
        statuses = services.ledger.pictures({f"sku:{product.sku}" for product in what["gone"]})
        assert statuses == [], "what is gone is wanted no longer"


def details(made: Collection[Picture]) -> set[str]:
    """The families whose shared picture was made."""
    return {subject.removeprefix("spu:") for subject, role, _ in made if role == "detail"}


def speakers_changed(before: Sequence[Product], after: Sequence[Product]) -> set[str]:
    """Families for which another product speaks, or the same with other words that the picture is made of."""

    def speakers(products: Sequence[Product]) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for product in sorted(products, key=lambda p: p.sku):
            found.setdefault(product.spu, (product.name, product.color))
        return found

    old, new = speakers(before), speakers(after)
    return {family for family, said in new.items() if old.get(family) != said}


def test_what_comes_back_costs_nothing(first_night: Path) -> None:
    """A product that left for a night finds its pictures again."""
    with shop(first_night) as (services, engine):
        rows = [p for p in services.ledger.products() if p.sku != "SK-00030"]
        assert "SK-00030" in night(services, rows).changes.gone
        make_all(services, engine, night(services, rows))
        assert [p.sku for p in services.ledger.retired() if p.sku == "SK-00030"] == ["SK-00030"]
        returned = [*rows, catalog(31)[30]]
        assert make_all(services, engine, night(services, returned)) == set()
        assert services.ledger.pictures({"sku:SK-00030"})


def test_a_half_exported_file_does_not_empty_the_shop(first_night: Path) -> None:
    """Half of the rows are gone: that is told, and nothing is done about it."""
    with shop(first_night) as (services, _engine):
        tonight = night(services, services.ledger.products()[: ROWS // 2])
        told = forecast(tonight, services, Limits(), servers=1, is_agreed=False)
        assert [brake.code for brake in brakes(told, Limits())] == ["too_many_retired"]


def test_an_edited_base_template_does_not_burn_a_night(first_night: Path) -> None:
    """Every picture would be made again: that is told, with hours and pictures, before anything is recorded."""
    with shop(first_night) as (before, _engine):
        rows = before.ledger.products()
        services = replace(before, setup=edited_base(before.setup))
        tonight = night(services, rows)
        told = forecast(tonight, services, Limits(), servers=2, is_agreed=False)
        assert [brake.code for brake in brakes(told, Limits())] == ["too_many_renders"]
        assert told.renders == told.new_renders == told.wanted_before > ROWS
        assert told.minutes > 60
        assert night(services, rows).changes.todo, "nothing was recorded"


def edited_base(setup: Setup) -> Setup:
    """Another word in the skeleton of all templates."""
    templates = {Path(key).name: text for key, text in setup.sources.items() if key.endswith(".j2")}
    templates["product.j2"] = templates["product.j2"].replace("{{ quantity }}", "{{ quantity }}全新的", 1)
    sources = {key: templates.get(Path(key).name, text) for key, text in setup.sources.items()}
    book = PromptBook(templates, setup.prompts._vocabulary)
    return replace(setup, prompts=book, sources=sources)


def test_a_source_of_which_a_part_is_missing_retires_nothing(first_night: Path) -> None:
    """One of its files could not be read: whose rows are missing nobody knows."""
    with shop(first_night) as (services, _engine):
        rows = services.ledger.products()[:100]
        assert night(services, rows, is_whole=False).changes.gone == frozenset()


def test_another_take_is_noticed_the_next_night(first_night: Path) -> None:
    """The process that asked for it may have died before it planned it."""
    with shop(first_night) as (services, engine):
        rows = services.ledger.products()
        (key, *_) = services.ledger.wanted_keys({"sku:SK-00042"})
        services.ledger.add_take(key, seed=None, note="")
        tonight = night(services, rows)
        assert [product.sku for _, product in tonight.changes.todo] == ["SK-00042"]
        assert {p[0] for p in make_all(services, engine, tonight)} == {"sku:SK-00042"}


def test_rows_that_only_moved_are_moved(first_night: Path) -> None:
    """Reports follow the order of the catalog; no prompt is written for that."""
    with shop(first_night) as (services, engine):
        rows = services.ledger.products()[::-1]
        tonight = night(services, rows)
        assert tonight.changes.todo == ()
        make_all(services, engine, tonight)
        assert [p.sku for p in services.ledger.products()] == [p.sku for p in rows]


def test_another_price_writes_no_prompt(first_night: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is recorded and stays settled; where a prompt reads promotions it is looked at."""
    with shop(first_night) as (services, _engine):
        rows = services.ledger.products()
        rows[7] = replace(rows[7], price="7.77", promo_text="直降", where="表!9")
        rows[8] = replace(rows[8], price="8.88", name="另一只杯")
        tonight = night(services, rows)
        assert [p.sku for _, p in tonight.changes.restated] == [rows[7].sku]
        assert [p.sku for _, p in tonight.changes.todo] == [rows[8].sku]
        assert tonight.unchanged == len(rows) - 1

        poster = replace(services.setup.roles["poster"], enabled=True)
        setup = replace(services.setup, roles={**services.setup.roles, "poster": poster})
        monkeypatch.setattr(nightly, "setup_name", lambda *_: setup_name(services.setup, services.enabled))
        assert not night(replace(services, setup=setup), rows).changes.restated

        services.ledger.restate(tonight.changes.restated)
        (recorded,) = services.ledger.products(skus=[rows[7].sku])
        assert (recorded, recorded.where) == (rows[7], "表!9")
        again = night(services, rows)
        assert [p.sku for _, p in again.changes.todo] == [rows[8].sku]
        assert not again.changes.restated


@pytest.mark.parametrize("ahead", [0, 3])
def test_who_left_a_family_does_not_speak_for_it(
    first_night: Path, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    """Also where its family is planned before its own row is recorded."""
    monkeypatch.setattr(nightly, "LARGE", 1)
    monkeypatch.setattr(nightly, "BATCH_SKUS", 1)
    with shop(first_night) as (before, _engine):
        services = replace(before, planner=PlannerHere(before.setup, ahead=ahead))
        rows = services.ledger.products()
        place = next(place for place, product in enumerate(rows) if product.sku == "SK-00000")
        rows[place] = replace(rows[place], spu="F-900")
        speakers: dict[str, str] = {}
        for prepared in batches(night(services, rows), services):
            services.ledger.keep_products("erp", prepared.rows)
            speakers |= {p.wanted.key.subject: p.wanted.sku for p in prepared.plan.pictures}
        assert speakers["spu:F-0"] == "SK-00001"
        assert speakers["spu:F-900"] == "SK-00000"
