from __future__ import annotations

import itertools
from dataclasses import replace
from typing import get_args

import pytest

from catalog_imagegen.domain.failure import REMEDIES, Failure, FailureCode
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.job import PictureState, PictureStatus, SkuStatus
from catalog_imagegen.pipeline.status import overview, sku_status
from tests.unit.builders import key, picture_status, product, render

STATES: tuple[PictureState, ...] = get_args(PictureState)


def status_of(*states: PictureState) -> SkuStatus:
    """The status of a SKU whose pictures are in these states."""
    return sku_status(picture_status(state) for state in states)


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ((), "working"),
        (("approved",), "ready"),
        (("approved", "approved"), "ready"),
        (("draft",), "review"),
        (("approved", "draft"), "review"),
        (("planned",), "working"),
        (("rendering",), "working"),
        (("approved", "planned"), "working"),
        (("draft", "rendering"), "working"),
        (("failed",), "failed"),
        (("approved", "failed"), "failed"),
        (("planned", "failed"), "failed"),
        (("rendering", "draft", "failed"), "failed"),
        (("blocked",), "blocked"),
        (("approved", "blocked"), "blocked"),
        (("blocked", "failed"), "blocked"),
        (STATES, "blocked"),
    ],
)
def test_the_worst_picture_decides(states: tuple[PictureState, ...], status: SkuStatus) -> None:
    """What a human must do comes first, then what broke, then what is under way."""
    assert status_of(*states) == status


@pytest.mark.parametrize("states", list(itertools.product(STATES, repeat=2)))
def test_ready_means_every_picture_is_approved(states: tuple[PictureState, ...]) -> None:
    """No other mixture may be exported, and the order of pictures does not matter."""
    assert (status_of(*states) == "ready") is (set(states) == {"approved"})
    assert status_of(*states) == status_of(*reversed(states))


def test_a_sku_shows_its_own_and_its_shared_pictures() -> None:
    """Variants share the pictures of their SPU; a product without one does not see its own twice."""
    own = picture_status("approved", key=key("sku:A1"))
    shared = picture_status("draft", key=key("spu:S"))
    other = picture_status("failed", key=key("sku:B1"))
    products = [product("A1", spu="S"), product("A2", spu="S"), product("B1"), product("C1")]
    found = overview(products, [shared, own, other])
    assert [(o.product.sku, o.status, o.pictures) for o in found] == [
        ("A1", "review", (own, shared)),
        ("A2", "review", (shared,)),
        ("B1", "failed", (other,)),
        ("C1", "working", ()),
    ]


def test_a_parent_row_shows_the_pictures_of_its_family() -> None:
    """SKU ``X`` without an SPU is the parent of SPU ``X``; SKU ``Y`` is not."""
    shared = picture_status("failed", key=key("spu:X"))
    parent, stranger = overview([product("X"), product("Y")], [shared])
    assert parent.pictures == (shared,)
    assert stranger.pictures == ()


@pytest.mark.parametrize("code", get_args(FailureCode))
def test_every_failure_has_a_remedy_in_both_languages(code: FailureCode) -> None:
    """A merchandiser is never left with a bare code."""
    failure = Failure(code, "what happened")
    assert failure.remedy_en
    assert failure.remedy_en.isascii()
    assert any(c >= "一" for c in failure.remedy_zh)
    assert str(failure) == f"{code}: what happened"
    assert set(REMEDIES) == set(get_args(FailureCode))


@pytest.mark.parametrize(
    ("picture", "status"),
    [
        (picture_status("stale"), "review"),
        (replace(picture_status("stale"), is_current=False), "working"),
        (picture_status("rejected"), "working"),
    ],
)
def test_a_stale_picture_waits_for_its_successor_or_for_somebody(
    picture: PictureStatus, status: SkuStatus
) -> None:
    """Once the new picture is there somebody must look; before, and after a rejection, a server must work."""
    assert sku_status([picture]) == status
    assert picture.is_waiting is (status == "review")


def test_what_a_listing_shows_of_a_picture() -> None:
    """The approved one, be it older; else the newest; a rejected one never."""
    newest, older = render(), replace(render(), digest=Digest("0" * 64))
    draft = picture_status("draft")
    assert draft.listed == draft.render == newest
    assert replace(draft, approved=older).listed == older
    assert replace(draft, is_rejected=True).listed is None
    assert replace(draft, is_rejected=True, approved=older).listed == older
