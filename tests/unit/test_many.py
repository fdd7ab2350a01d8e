"""Objects that are made many at once."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, fields, replace
from itertools import repeat
from typing import Any

import pytest

from catalog_imagegen.adapters.catalogs.many import maker_of
from catalog_imagegen.domain.catalog import LIST_FIELDS, Product


def test_they_are_what_their_class_makes() -> None:
    """Equal, hashable as far as those are, frozen, and able to travel."""
    columns = [[f"{field.name} {number}" for number in range(3)] for field in fields(Product)]
    made = maker_of(Product)(zip(*columns, strict=True))
    assert made == [Product(*row[:-1]) for row in zip(*columns, strict=True)]  # none is made with its digest
    assert [each.known_digest for each in made] == columns[-1]
    assert {type(each) for each in made} == {Product}
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - our own
    with pytest.raises(FrozenInstanceError):
        made[0].sku = "another"  # type: ignore[misc]  # that is the point


def test_a_copy_is_named_by_what_it_says_itself() -> None:
    """Not by the digest of the one it was copied from."""
    row: list[Any] = ["SK-1"] * len(fields(Product))
    for place, each in enumerate(fields(Product)):
        if each.name in (*LIST_FIELDS, "extra", "cells"):
            row[place] = () if each.name in LIST_FIELDS else {}
    (made,) = maker_of(Product)([tuple(row)])
    assert made.digest == "SK-1"
    assert replace(made).digest == Product(*row[:-1]).digest
    assert made.standing_at("Sheet2!7") == replace(made, where="Sheet2!7")
    assert made.standing_at("Sheet2!7").digest == "SK-1"
    assert replace(made, name="other").digest != replace(made).digest


def test_a_field_may_be_the_same_for_all() -> None:
    """The shortest column says how many there are."""
    columns = [["A", "B"], *(repeat("") for _ in fields(Product)[1:])]
    assert [each.sku for each in maker_of(Product)(zip(*columns, strict=False))] == ["A", "B"]
