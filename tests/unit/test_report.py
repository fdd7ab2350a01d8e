from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import FIRST_TAKE, ImageKey, Render, Take, Verdict
from catalog_imagegen.domain.job import AttemptRecord, PictureStatus
from catalog_imagegen.pipeline.publication import publications
from catalog_imagegen.pipeline.report import StandingListings, build
from catalog_imagegen.pipeline.status import overview
from catalog_imagegen.pipeline.views import ReportView, StandingFile
from tests.unit.builders import key, name_of, picture_status, placement, platform, product, render, role

AMAZON = platform(
    placement("main", title="主图", fit="pad", width=1600, height=1600),
    placement("detail", width=750, height=1200, fit="width", count=2),
    name="amazon",
)
TAOBAO = platform(placement("main", count=5), name="taobao", listing_per="spu")
START = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def report(
    *pictures: PictureStatus,
    standing: StandingListings | None = None,
    attempts: tuple[AttemptRecord, ...] = (),
    **options: Any,
) -> ReportView:
    """The report of A1 and A2, variants of A, with these pictures."""
    products = [product("A1", spu="A"), product("A2", spu="A")]
    return build(
        overview(products, pictures),
        publications([TAOBAO, AMAZON], products, pictures),
        attempts,
        standing or {},
        **options,
    )


def of(subject: str, role: str = "main", state: Any = "draft", **fields: Any) -> PictureStatus:
    """A picture of a subject with a render of its own."""
    made = picture_status(state, key=key(subject, role), **fields)
    return replace(made, render=made.render and render(f"{subject}/{role}"))


def standing(picture: PictureStatus, **fields: Any) -> StandingFile:
    """The file that shows a picture, as its listing.json tells."""
    assert picture.render is not None
    made = StandingFile(
        name="A1.MAIN.jpg",
        placement=picture.key.role,
        picture=str(picture.key),
        role=picture.key.role,
        slot=1,
        item="正面",
        width=750,
        height=500,
        bytes=9,
        is_approved=False,
        is_current=True,
        is_placeholder=False,
        render=picture.render.digest,
    )
    return replace(made, **fields)


def attempt(
    of_key: ImageKey, outcome: str = "done", *, seconds: float = 2.0, text: str = "x"
) -> AttemptRecord:
    """An attempt that took a while."""
    return AttemptRecord(
        prompt_id=f"{of_key}/{outcome}/{text}",
        key=of_key,
        render_key=name_of(text),
        server="http://gpu",
        outcome=outcome,
        error="" if outcome == "done" else "boom",
        submitted_at=START,
        started_at=START,
        finished_at=START + timedelta(seconds=seconds),
    )


def test_a_listing_of_variants_shows_each_its_own_files_under_the_listings_numbers() -> None:
    """Who looks at one variant sees where its picture comes in the listing that all share."""
    first, second = report(of("sku:A1"), of("sku:A2", order=1)).skus
    taobao = {sku.product.sku: sku.listings[0] for sku in (first, second)}
    assert [f.order for f in taobao["A1"].files] == [1]
    assert [f.order for f in taobao["A2"].files] == [2]
    assert taobao["A2"].variants == ("A1", "A2")
    assert taobao["A2"].total == 2
    assert taobao["A1"].folder == taobao["A2"].folder == "taobao/A"
    assert [listing.platform for listing in first.listings] == ["taobao", "amazon"]


def test_what_does_not_stand_is_shown_as_it_will_be() -> None:
    """A listing that was never written is no secret, and somebody is told."""
    found = report(of("sku:A1"))
    file = found.skus[0].listings[1].files[0]
    assert (file.path, file.is_there, file.size) == ("amazon/A1/A1_01_main.jpg", False, (0, 0))
    assert (file.title, file.fit, file.box) == ("主图", "pad", (1600, 1600))
    assert [c.kind for c in found.concerns] == ["unwritten", "review"]


def test_what_stands_is_shown_as_it_stands() -> None:
    """Names, sizes and verdicts are those of the files, not of today's settings."""
    picture = of("sku:A1", "detail")
    verdict = Verdict("too_small", "fail", "too small; enlarge", "太小；请放大")
    file = standing(picture, name="odd.jpg", verdicts=(verdict,))
    found = report(picture, standing={("amazon", "A1"): (file,), ("taobao", "A"): ()})
    (listing,) = found.skus[0].listings
    (shown,) = listing.files
    assert (shown.name, shown.size, shown.bytes, shown.verdicts) == ("odd.jpg", (750, 500), 9, (verdict,))
    assert shown.box == (750, 500), "a file of fixed width has its own shape, not the cap's"
    assert found.concerns[0].kind == "refused"
    assert found.concerns[0].places[0].listing == "amazon"


def test_a_placement_that_is_gone_still_shows_its_file() -> None:
    """Settings change faster than folders."""
    picture = of("sku:A1")
    files = (standing(picture, placement="banner"),)
    (shown,) = (
        report(picture, standing={("amazon", "A1"): files}, roles={"main": role("main")})
        .skus[0]
        .listings[1]
        .files
    )
    assert (shown.title, shown.fit, shown.box) == ("banner", "contain", (750, 500))


@pytest.mark.parametrize(
    ("is_approved", "is_current", "word"),
    [
        (True, True, "approved"),
        (True, False, "stale"),
        (False, True, "draft"),
        (False, False, "outdated"),
    ],
)
def test_how_a_file_stands(is_approved: bool, is_current: bool, word: str) -> None:
    """Approved and of today are two different things."""
    picture = of("sku:A1")
    file = standing(picture, is_approved=is_approved, is_current=is_current)
    found = report(picture, standing={("amazon", "A1"): (file,)})
    assert found.skus[0].listings[1].files[0].standing == word


def test_new_pictures_are_seen_beside_the_approved_ones_that_are_listed() -> None:
    """A reviewer can compare; what was never made is shown apart."""
    old = Render(name_of("old"), Digest("0" * 64), 64, 64)
    stale = replace(of("sku:A1", state="stale"), approved=old)
    missing = of("sku:A1", "detail", "blocked", reason_en="SKU A1: no colour; add it")
    sku = report(stale, missing).skus[0]
    assert [p.status.key for p in sku.replacing] == [stale.key]
    assert [p.status.key for p in sku.unlisted] == [missing.key]
    assert stale.render is not None
    assert {stale.render.digest, old.digest} == set(report(stale, missing).renders())


def test_one_cause_is_told_once_and_the_urgent_first() -> None:
    """Fifty pictures that lack a column are one thing to do."""
    blocked = [
        of(
            f"sku:{sku}",
            "detail",
            "blocked",
            reason_en=f"detail.j2: SKU {sku}: no column for '产地'; add it",
            reason_zh=f"detail.j2：SKU {sku}：缺少 产地 列；请补上",
        )
        for sku in ("A1", "A2")
    ]
    failure = Failure("out_of_memory", "4 GB")
    failed = of("sku:A2", "main", "failed", failure=failure)
    found = report(*blocked, failed, of("sku:A1", state="draft"))
    kinds = [c.kind for c in found.concerns if c.kind != "unwritten"]
    assert kinds == ["failed", "blocked", "review"]
    first, second = found.concerns[:2]
    assert (first.reason_en, first.remedy_en) == ("4 GB", failure.remedy_en)
    assert second.reason_en == "detail.j2: no column for '产地'; add it"
    assert second.reason_zh == "detail.j2：缺少 产地 列；请补上"
    assert [place.sku for place in second.skus] == ["A1", "A2"]


def test_totals_count_what_is_shared_once() -> None:
    """The figures at the top are of pictures, not of the cards they are on."""
    shared = of("spu:A", state="approved")
    tries = (
        attempt(shared.key, "timeout"),
        attempt(shared.key, seconds=4),
        attempt(shared.key, "open", text="y"),
        attempt(key("sku:elsewhere")),
    )
    totals = report(shared, of("sku:A1", "detail", "planned"), attempts=tries).totals
    assert totals.pictures == {"approved": 1, "planned": 1}
    assert totals.skus == {"working": 1, "ready": 1}
    assert (totals.attempts, totals.good_attempts, totals.mean_seconds) == (2, 1, 4.0)
    assert totals.made == 1


def test_a_picture_names_the_attempt_that_made_it() -> None:
    """Not the failed one of a later take."""
    picture = of("sku:A1")
    assert picture.render is not None
    made = replace(attempt(picture.key), render_key=picture.render.render_key)
    later = attempt(picture.key, "error", text="later")
    (view,) = report(picture, attempts=(made, later)).skus[0].pictures
    assert view.latest == made
    (view,) = report(of("sku:A1", state="failed"), attempts=(later,)).skus[0].pictures
    assert view.latest == later


def test_pictures_come_in_the_order_of_the_roles() -> None:
    """As the shop lists its roles, not as their names are spelled."""
    sku = report(
        of("sku:A1", "detail"), of("sku:A1", "main"), roles={name: role(name) for name in ("main", "detail")}
    ).skus[0]
    assert [p.status.key.role for p in sku.pictures] == ["main", "detail"]


def test_the_state_changes_with_what_is_shown_and_with_nothing_else() -> None:
    """A report of the same is not written again; any change is."""
    picture = of("sku:A1")
    same = report(picture).state
    assert report(of("sku:A1")).state == same
    noted = replace(picture, take=Take(2, note="亮一点"))
    assert picture.take == FIRST_TAKE
    for other in (
        report(noted),
        report(replace(picture, state="approved")),
        report(picture, attempts=(attempt(picture.key),)),
        report(picture, standing={("amazon", "A1"): (standing(picture),)}),
    ):
        assert other.state != same


def test_what_is_not_shown_is_no_reason_to_write_a_report_again() -> None:
    """A price is nowhere on the page; a name is."""

    def state(**fields: Any) -> str:
        products = [replace(product("A1", spu="A"), **fields)]
        return build(overview(products, [of("sku:A1")]), (), (), {}).state

    assert state(price="9.90") == state()
    assert state(name="头戴式耳机") != state()


def test_the_state_is_worked_out_once() -> None:
    """A page and a workbook ask for it, and it takes a while."""
    shown = report(of("sku:A1"))
    assert shown.state is shown.state


def test_a_handed_on_folder_shows_what_is_in_it_and_nothing_more() -> None:
    """A customer does not see drafts, failures and what is still to be made."""
    good, draft = of("sku:A1", state="approved"), of("sku:A1", "detail")
    other = of("sku:A2", "main", "failed", failure=Failure("timeout", "slow"))
    files = (standing(good, is_approved=True),)
    found = report(good, draft, other, standing={("amazon", "A1"): files}, only_standing=True)
    (sku,) = found.skus
    assert (sku.product.sku, sku.status) == ("A1", "ready")
    assert [p.status.key for p in sku.pictures] == [good.key]
    assert found.concerns == ()
    assert found.totals.pictures == {"approved": 1}


def test_placeholders_are_known_to_be_some() -> None:
    """The page can warn of them."""
    assert not report(of("sku:A1")).has_placeholders
    assert report(replace(of("sku:A1"), render=render(placeholder=True))).has_placeholders


def test_a_file_of_two_pictures_is_a_file_of_each() -> None:
    """Each is listed by it, and is handed on with it."""
    halves = [of("sku:A1", name) for name in ("without", "with")]
    whole = str(key("sku:A1", "pair"))
    pair = replace(standing(halves[0]), picture=whole, role="pair", name="A1.PT01.jpg")
    roles = {name: role(name) for name in ("without", "with")} | {
        "pair": role("pair", stitch=("without", "with"))
    }
    found = report(*halves, standing={("amazon", "A1"): [pair]}, roles=roles, only_standing=True).skus[0]
    assert [(p.status.key.role, p.files) for p in found.pictures] == [
        ("without", ("amazon/A1/A1.PT01.jpg",)),
        ("with", ("amazon/A1/A1.PT01.jpg",)),
    ]
