"""Many rows at a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from catalog_imagegen.adapters.ledger import bulk
from catalog_imagegen.adapters.ledger.tables import PICTURE
from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.imaging import Blocked, ImageKey
from catalog_imagegen.domain.job import Plan, PlannedPicture
from tests.integration.ledgers_support import Home, new_home
from tests.integration.test_ledger import FIRST, SECOND, wanted

MANY = 2 * bulk.MANY
TEXTS = (
    "杯",
    "",
    "a\tb\nc\r\n",
    "C:\\new\\N",
    "\\N",
    "\\.",
    "NUL\0",
    "\x1f",
    "{a,b}",
    '"quoted"',
    "'%(key)s'",
    "😀",
)


def plan(*, name: str = "耳机", action: str = "render") -> Plan:
    """As many pictures as are written in bulk, and as many that cannot be made."""
    keys = [ImageKey(f"sku:{number}", "detail", "0" * 16) for number in range(MANY)]
    pictures = [
        wanted(name=name)._replace(key=key, order=place, item_text=TEXTS[place % len(TEXTS)])
        for place, key in enumerate(keys)
    ]
    blocked = [
        Blocked(
            key=key._replace(role="main"),
            item_text="正面",
            slot=1,
            order=0,
            sku="A/1",
            name="耳机",
            reason_en="why",
            reason_zh="原因",
            platforms=frozenset(),
        )
        for key in keys
    ]
    return Plan(
        tuple(PlannedPicture(each, action, "") for each in pictures),  # type: ignore[arg-type]
        tuple(blocked),
    )


def rows(home: Home) -> list[tuple[object, ...]]:
    """All that is recorded of pictures."""
    engine = home.engine()
    with engine.connect() as db:
        found = [tuple(row) for row in db.execute(select(PICTURE).order_by(PICTURE.c.key))]
    engine.dispose()
    return found


def test_rows_are_the_same_one_by_one_and_in_bulk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts, numbers, times, nothing, yes and no, JSON."""
    found = []
    for most in (bulk.MANY, 10**9):
        monkeypatch.setattr(bulk, "MANY", most)
        with home.opened() as (ledger, _):
            ledger.keep_plan(plan(name=f"耳机{most}"))
            ledger.keep_plan(plan(name="耳机", action="reuse"))
        found.append(rows(home))
    times = PICTURE.c.keys().index("planned_at")
    first, second = ([row[:times] + row[times + 1 :] for row in each] for each in found)
    assert len(first) == 2 * MANY
    assert first == second


def test_a_picture_that_is_planned_as_it_was_is_not_written(home: Home) -> None:
    """The time of its plan tells; what it is made of is a reason by itself."""
    with home.opened() as (ledger, _):
        ledger.keep_plan(plan())
        before = rows(home)
        ledger.keep_plan(plan())
        assert rows(home)[0] == before[0]
        ledger.keep_plan(plan(name="耳塞"))
    place = PICTURE.c.keys().index("made_of")
    changed = [row for row in rows(home) if row not in before]
    assert [row[place] for row in changed if row[place]] == [{"column:name": "耳塞"}] * MANY


def test_another_render_is_written(home: Home) -> None:
    """Also where all else is the same."""
    with home.opened() as (ledger, _):
        for key in (FIRST, SECOND):
            ledger.keep_plan(Plan((PlannedPicture(wanted(key), "render", ""),)))
            assert ledger.records({wanted().key.subject})[wanted().key].render_key == key


def test_relatives_are_those_that_are_not_at_hand(home: Home) -> None:
    """Of these families, listed ones only."""
    cups = [Product(sku=sku, name="杯", spu="F") for sku in ("A", "B", "C", "D")]
    with home.opened() as (ledger, _):
        ledger.keep_products("erp", [*enumerate(cups), (9, Product(sku="X", name="灯"))])
        ledger.retire({"D"})
        assert [p.sku for p in ledger.relatives({"F"}, but={"A", "X"})] == ["B", "C"]
        assert ledger.relatives({"F"}, but={"A", "B", "C"}) == []


def test_postgresql_knows_a_new_table_as_soon_as_it_has_rows(postgres: str, tmp_path: Path) -> None:
    """Else it reads the whole of it for each batch of a first plan, until it looks by itself."""
    home = new_home(tmp_path, postgres)
    engine = home.engine()
    with home.opened() as (ledger, _):
        ledger.keep_plan(plan())
    with engine.connect() as db:
        known = "SELECT count(*) FROM pg_stats WHERE schemaname = current_schema() AND tablename = 'picture'"
        assert db.exec_driver_sql(known).scalar_one() > 0
    engine.dispose()
