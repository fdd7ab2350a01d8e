"""The rows as last read and the takes asked for."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, not_, select, update

from catalog_imagegen.adapters.ledger.sql import Sql, among
from catalog_imagegen.adapters.ledger.tables import DROP, PICTURE, PRODUCT, TAKE, now
from catalog_imagegen.adapters.ledger.takes import next_number
from catalog_imagegen.domain.catalog import Issue, Product, Settled, Standing
from catalog_imagegen.domain.imaging import ImageKey, Take

_IS_LISTED = PRODUCT.c.retired_at.is_(None)
_UNDER_WAY = "under way "
UNOWNED = "run"
"""The source of rows that a plain ``run`` read; any configured source may claim them."""


def _is_settled(source: str, setup: str) -> ColumnElement[bool]:
    """Asked in a way that keeps to the index which has all that a sync wants to know."""
    is_its = func.coalesce(PRODUCT.c.source, "") == source  # SQLite would take the index by sources
    return is_its & (PRODUCT.c.settled == setup) & _IS_LISTED


class CatalogRows(Sql):
    """The CatalogLedger port."""

    def foreign(self, source: str, products: Sequence[Product], sources: Collection[str]) -> list[Issue]:
        """An issue for each row whose SKU belongs to another of the *sources* there are."""
        with self._reading() as db:
            query = select(PRODUCT.c.sku, PRODUCT.c.source).where(
                _IS_LISTED,
                among(PRODUCT.c.sku, {p.sku for p in products}),
                PRODUCT.c.source.in_(set(sources) - {source}),
            )
            owners = {row.sku: row.source for row in db.execute(query)}
        return [_owned_by(p, owners[p.sku]) for p in products if p.sku in owners]

    def keep_products(self, source: str, products: Sequence[tuple[int, Product]]) -> str:
        """Record rows with their positions in the catalog; see the port."""
        read_at, token = now(), f"{_UNDER_WAY}{uuid.uuid4().hex}"
        with self._writing() as db:
            self._upsert(
                db,
                PRODUCT,
                [
                    {
                        "sku": product.sku,
                        "source": source,
                        "spu": product.family,
                        "position": position,
                        "row": _document(product),
                        "read_at": read_at,
                        "digest": product.digest,
                        "settled": token,
                        "retired_at": None,
                    }
                    for position, product in products
                ],
            )
        return token

    def products(
        self, *, skus: Collection[str] | None = None, spus: Collection[str] | None = None
    ) -> list[Product]:
        """Recorded products in catalog order; see the port."""
        return [product for _, product in self.rows(skus=skus, spus=spus)]

    def rows(
        self, *, skus: Collection[str] | None = None, spus: Collection[str] | None = None
    ) -> list[tuple[int, Product]]:
        """Recorded products with their positions in the catalogs they came from; see the port."""
        query = select(PRODUCT.c.position, PRODUCT.c.sku, PRODUCT.c.row).where(_IS_LISTED)
        with self._reading() as db:
            if skus is None and spus is None:
                found = {sku: (position, row) for position, sku, row in db.execute(query)}
            else:
                found = {
                    sku: (position, row)
                    for column, values in ((PRODUCT.c.sku, skus), (PRODUCT.c.spu, spus))
                    if values
                    for position, sku, row in db.execute(query.where(among(column, values)))
                }
        in_order = sorted(found.items(), key=lambda item: (item[1][0], item[0]))
        return [(position, _product(row)) for _, (position, row) in in_order]

    def skus(self) -> set[str]:
        """Every SKU that is recorded, listed or retired."""
        with self._reading() as db:
            return set(db.execute(select(PRODUCT.c.sku)).scalars())

    def relatives(self, spus: Collection[str], *, but: Collection[str]) -> list[Product]:
        """The recorded products of families but some; see the port."""
        with self._reading() as db:
            skus = db.execute(select(PRODUCT.c.sku).where(among(PRODUCT.c.spu, spus), _IS_LISTED)).scalars()
            others = set(skus).difference(but)
        return self.products(skus=others) if others else []

    def settled(self, source: str, setup: str) -> Mapping[str, Settled]:
        """Rows about which nothing is left to do; see the port."""
        columns = PRODUCT.c.sku, PRODUCT.c.digest, PRODUCT.c.position, PRODUCT.c.spu
        with self._reading() as db:
            cursor: Any = db.execute(select(*columns).where(_is_settled(source, setup))).cursor
            return {
                row[0]: row for row in cursor.fetchall()
            }  # SQLAlchemy's own rows take three times as long

    def standings(self, *, but: tuple[str, str] | None = None) -> Mapping[str, Standing]:
        """What is recorded of the other rows; see the port."""
        columns = PRODUCT.c.sku, PRODUCT.c.source, PRODUCT.c.digest, PRODUCT.c.position, PRODUCT.c.spu
        query = select(*columns, PRODUCT.c.retired_at.is_not(None))
        if but is not None:
            query = query.where(not_(_is_settled(*but)))
        with self._reading() as db:
            return {row[0]: Standing._make(row[1:]) for row in db.execute(query)}

    def settle(self, token: str, skus: Collection[str], setup: str) -> None:
        """All pictures of these products are made and listed; see the port."""
        same = among(PRODUCT.c.sku, skus) & (PRODUCT.c.settled == token)
        with self._writing() as db:
            db.execute(update(PRODUCT).where(same).values(settled=setup))

    def move(self, positions: Mapping[str, int]) -> None:
        """Rows stand elsewhere in their catalog and are the same otherwise."""
        if not positions:
            return
        statement = (
            update(PRODUCT).where(PRODUCT.c.sku == bindparam("moved")).values(position=bindparam("to"))
        )
        with self._writing() as db:
            db.execute(statement, [{"moved": sku, "to": position} for sku, position in positions.items()])

    def restate(self, products: Sequence[tuple[int, Product]]) -> None:
        """Record rows that decide no picture anew; see the port."""
        if not products:
            return
        names = ("position", "row", "digest", "read_at")
        statement = (
            update(PRODUCT)
            .where(PRODUCT.c.sku == bindparam("of"))
            .values({name: bindparam(f"new_{name}", type_=PRODUCT.c[name].type) for name in names})
        )
        read_at = now()
        rows = [(p.sku, position, _document(p), p.digest, read_at) for position, p in products]
        keys = ("of", *(f"new_{name}" for name in names))
        with self._writing() as db:
            db.execute(statement, [dict(zip(keys, row, strict=True)) for row in rows])

    def retire(self, skus: Collection[str], families: Collection[str] = ()) -> None:
        """Products left their source; see the port."""
        gone = among(PRODUCT.c.sku, skus)
        related = select(PRODUCT.c.spu).where(gone)
        subjects = [*(f"sku:{sku}" for sku in skus), *(f"spu:{family}" for family in families)]
        with self._writing() as db:
            db.execute(update(PRODUCT).where(PRODUCT.c.spu.in_(related)).values(settled=""))
            db.execute(update(PRODUCT).where(gone).values(retired_at=now()))
            db.execute(update(PICTURE).where(among(PICTURE.c.subject, subjects)).values(is_wanted=False))

    def take_drop(self, digest: str, name: str) -> bool:
        """Take a dropped catalog by its content, unless that was done before. One that failed may be taken again."""
        with self._writing() as db:
            known = db.execute(select(DROP.c.outcome).where(DROP.c.digest == digest)).scalar()
            if known == "done":
                return False
            self._upsert(
                db,
                DROP,
                [
                    {
                        "digest": digest,
                        "name": name.encode(errors="replace").decode(),
                        "outcome": "taken",
                        "taken_at": now(),
                    }
                ],
            )
        return True

    def end_drop(self, digest: str, outcome: str) -> None:
        """A dropped catalog is dealt with: *done*, or *failed* with nothing imported."""
        with self._writing() as db:
            db.execute(update(DROP).where(DROP.c.digest == digest).values(outcome=outcome))

    def retired(self) -> list[Product]:
        """Products that left their source."""
        query = select(PRODUCT.c.row).where(PRODUCT.c.retired_at.is_not(None)).order_by(PRODUCT.c.sku)
        with self._reading() as db:
            return [_product(row) for (row,) in db.execute(query)]

    def takes(self) -> Mapping[ImageKey, Take]:
        """The current take of every key that has more than its first."""
        with self._reading() as db:
            rows = db.execute(
                select(TAKE.c.key, TAKE.c.number, TAKE.c.seed, TAKE.c.note).order_by(TAKE.c.number)
            )
            return {
                ImageKey.parse(key): Take(number, int(seed) if seed is not None else None, note)
                for key, number, seed, note in rows
            }

    def add_take(self, key: ImageKey, *, seed: int | None, note: str) -> Take:
        """Ask for another picture of a key; it is made by the next plan that wants the key."""
        with self._writing() as db:
            take = Take(next_number(db, key), seed, note)
            row = {"key": str(key), "number": take.number, "note": note, "made_at": now()}
            db.execute(TAKE.insert(), {**row, "seed": None if seed is None else str(seed)})
            unsettle(db, key)
        return take


def unsettle(db: Connection, key: ImageKey) -> None:
    """Something is to be done about a picture: the next sync looks at its products whatever their rows say."""
    scope, _, name = key.subject.partition(":")
    column = PRODUCT.c.sku if scope == "sku" else PRODUCT.c.spu
    db.execute(update(PRODUCT).where(column == name).values(settled=""))


_FIELDS = tuple(field.name for field in fields(Product) if field.init)
_values_of = attrgetter(*_FIELDS)


def _document(product: Product) -> dict[str, Any]:
    values = dict(zip(_FIELDS, _values_of(product), strict=True))
    return values | {"extra": dict(product.extra), "cells": dict(product.cells)}


def _product(row: Mapping[str, Any]) -> Product:
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Product(**fields)


def _owned_by(product: Product, owner: str) -> Issue:
    return Issue(
        where=product.where,
        code="owned_by",
        severity="error",
        message_zh=f"货号 {product.sku} 属于数据源 {owner}；请在那里修改，或从其中一处删除",
        message_en=f"SKU {product.sku} belongs to the source {owner!r}; change it there, or remove it from one of them",
        sku=product.sku,
    )
