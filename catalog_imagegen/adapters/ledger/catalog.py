"""The rows as last read and the takes asked for."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select

from catalog_imagegen.adapters.ledger.sql import Sql, chunks
from catalog_imagegen.adapters.ledger.tables import PRODUCT, TAKE, now
from catalog_imagegen.domain.catalog import Issue, Product
from catalog_imagegen.domain.imaging import FIRST_TAKE, ImageKey, Take

UNOWNED = "run"
"""The source of rows that a plain ``run`` read; any configured source may claim them."""


class CatalogRows(Sql):
    """The CatalogLedger port."""

    def foreign(self, source: str, products: Sequence[Product], sources: Collection[str]) -> list[Issue]:
        """An issue for each row whose SKU belongs to another of the *sources* there are."""
        with self._reading() as db:
            owners = {
                sku: owner
                for chunk in chunks([p.sku for p in products])
                for sku, owner in db.execute(
                    select(PRODUCT.c.sku, PRODUCT.c.source).where(
                        PRODUCT.c.sku.in_(chunk), PRODUCT.c.source.in_(set(sources) - {source})
                    )
                )
            }
        return [_owned_by(p, owners[p.sku]) for p in products if p.sku in owners]

    def keep_products(self, source: str, products: Sequence[tuple[int, Product]]) -> None:
        """Record rows with their positions in the catalog."""
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
                        "row": json.loads(json.dumps(asdict(product), ensure_ascii=False)),
                        "read_at": now(),
                    }
                    for position, product in products
                ],
            )

    def products(
        self, *, skus: Collection[str] | None = None, spus: Collection[str] | None = None
    ) -> list[Product]:
        """Recorded products in catalog order; see the port."""
        return [product for _, product in self.rows(skus=skus, spus=spus)]

    def rows(
        self, *, skus: Collection[str] | None = None, spus: Collection[str] | None = None
    ) -> list[tuple[int, Product]]:
        """Recorded products with their positions in the catalogs they came from; see the port."""
        query = select(PRODUCT.c.position, PRODUCT.c.sku, PRODUCT.c.row)
        with self._reading() as db:
            if skus is None and spus is None:
                found = {sku: (position, row) for position, sku, row in db.execute(query)}
            else:
                found = {
                    sku: (position, row)
                    for column, values in ((PRODUCT.c.sku, skus), (PRODUCT.c.spu, spus))
                    for chunk in chunks(sorted(values or ()))
                    for position, sku, row in db.execute(query.where(column.in_(chunk)))
                }
        in_order = sorted(found.items(), key=lambda item: (item[1][0], item[0]))
        return [(position, _product(row)) for _, (position, row) in in_order]

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
            last = db.execute(select(func.max(TAKE.c.number)).where(TAKE.c.key == str(key))).scalar()
            take = Take((last or FIRST_TAKE.number) + 1, seed, note)
            row = {"key": str(key), "number": take.number, "note": note, "made_at": now()}
            db.execute(TAKE.insert(), {**row, "seed": None if seed is None else str(seed)})
        return take


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
