"""Approving and rejecting: what goes out, what is made again, and what a word is about."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shop import ROWS, Shop, changed

RETAKES = 3
"""The default of ``retakes`` in config/app.toml."""
SKU = ROWS[0][0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose pictures are made; nobody decides anything in it."""
    made = Shop(tmp_path_factory.mktemp("review") / "shop")
    made.run()
    return made


@pytest.fixture
def shop(made: Shop, tmp_path: Path) -> Shop:
    """A copy of it."""
    return made.copy(tmp_path / "shop")


def review(shop: Shop, decision: str, *words: str, code: int = 0) -> list[dict[str, Any]]:
    """Review pictures; what became of each."""
    line = ["review", decision, *words, "--workspace", str(shop.root), "--simulate", "--json"]
    done = shop.command(*line)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    found: list[dict[str, Any]] = json.loads(done.stdout)["reviewed"]
    return found


def picture(shop: Shop, role: str = "main", sku: str = SKU) -> dict[str, Any]:
    """How one picture stands."""
    (found,) = [p for p in shop.status(sku)[0]["pictures"] if p["role"] == role and p["slot"] == 1]
    return dict(found)


def listed(shop: Shop, role: str = "main", sku: str = SKU) -> list[dict[str, Any]]:
    """The file of that picture in the Amazon listing, swatches left out."""
    path = shop.output / "amazon" / sku / "listing.json"
    files: list[dict[str, Any]] = json.loads(path.read_bytes())["files"] if path.exists() else []
    shown = [file for file in files if file["placement"] != "swatch"]
    return [file for file in shown if file["role"] == role and file["slot"] == 1]


def test_an_approved_picture_stays_listed_until_its_successor_is_approved(shop: Shop) -> None:
    """A row changes after approval: the old picture stays out there, stale, and the new one waits."""
    assert [one["outcome"] for one in review(shop, "approve", SKU, "--role", "main")] == ["approved"]
    old = picture(shop)["render"]
    assert picture(shop)["state"] == "approved"
    assert [file["state"] for file in listed(shop)] == ["approved"]

    shop.write(changed(ROWS, 0, "商品名称", "头戴式蓝牙耳机"))
    counts = shop.run()["pictures"]
    assert counts["rendered"] > 0

    stale = picture(shop)
    assert stale["state"] == "stale"
    assert stale["render"] != old
    assert [(file["render"], file["state"], file["is_current"]) for file in listed(shop)] == [
        (old, "approved", False)
    ]
    assert shop.status(SKU)[0]["status"] == "review"

    review(shop, "approve", SKU, "--role", "main")
    assert picture(shop)["state"] == "approved"
    assert [(file["render"], file["is_current"]) for file in listed(shop)] == [(stale["render"], True)]


def test_a_row_that_changes_back_is_approved_as_it_was(shop: Shop) -> None:
    """The approval is of a picture, and that picture is what is wanted again."""
    review(shop, "approve", SKU, "--role", "main")
    shop.write(changed(ROWS, 0, "商品名称", "头戴式蓝牙耳机"))
    shop.run()
    assert picture(shop)["state"] == "stale"
    shop.write(ROWS)
    assert shop.run()["jobs_submitted"] == 0
    assert picture(shop)["state"] == "approved"


def test_rejecting_again_and_again_makes_a_bounded_number_of_takes(shop: Shop) -> None:
    """Each rejection is worth one new take, N at most; then the picture is blocked and says why."""
    renders, outcomes = {picture(shop)["render"]}, []
    for _ in range(RETAKES + 4):
        if picture(shop)["state"] == "blocked":
            outcomes.append(review(shop, "reject", SKU, "--role", "main", code=1)[0]["outcome"])
        else:
            outcomes.append(
                review(shop, "reject", SKU, "--role", "main", "--reason", "颜色不对")[0]["outcome"]
            )
        code = 1 if "used_up" in outcomes else 0
        result = shop.run(code=code)
        renders.add(picture(shop)["render"])
    assert outcomes == ["rejected"] * RETAKES + ["used_up"] + ["refused"] * 3
    assert len(renders) == RETAKES + 1
    assert result["pictures"]["blocked"] == 1
    assert result["jobs_submitted"] == 0
    (problem,) = result["problems"]
    assert (problem["sku"], problem["role"], problem["state"]) == (SKU, "main", "blocked")
    assert "颜色不对" in problem["reason_zh"]
    blocked = picture(shop)
    assert blocked["state"] == "blocked"
    assert "颜色不对" in blocked["reason_zh"]
    assert [(r["decision"], r["reason"]) for r in blocked["reviews"]] == [("rejected", "颜色不对")] * (
        RETAKES + 1
    )
    assert "regenerate" in blocked["reason_en"]
    assert shop.status(SKU)[0]["status"] == "blocked"
    assert listed(shop) == []

    shop.regenerate(SKU, "--role", "main", "--note", "哑光黑色")
    assert picture(shop)["state"] == "draft"
    assert [file["render"] for file in listed(shop)] == [picture(shop)["render"]]


def test_a_changed_row_unblocks_a_rejected_picture(shop: Shop) -> None:
    """The remedy works: after a change of the row the picture is made and counted anew."""
    for _ in range(RETAKES + 1):
        review(shop, "reject", SKU, "--role", "main", "--reason", "不像")
        shop.run(code=None)
    assert picture(shop)["state"] == "blocked"
    shop.write(changed(ROWS, 0, "颜色", "珍珠白"))
    shop.run()
    assert picture(shop)["state"] == "draft"


def test_a_picture_that_was_replaced_cannot_be_approved(shop: Shop) -> None:
    """The reviewer looked at one picture; approving another in its place is refused, with the reason."""
    seen = picture(shop)["render"]
    shop.regenerate(SKU, "--role", "main", "--seed", "7")
    (one,) = review(shop, "approve", SKU, "--role", "main", "--render", seen[:10], code=1)
    assert one["outcome"] == "refused"
    assert "replaced" in one["reason_en"]
    assert "替换" in one["reason_zh"]
    assert picture(shop)["state"] == "draft"
    (one,) = review(shop, "approve", SKU, "--role", "main", "--render", picture(shop)["render"][:10])
    assert one["outcome"] == "approved"


def test_a_rejection_is_taken_back_by_approving(shop: Shop) -> None:
    """A slip of the hand costs no picture, as long as no run has acted on it."""
    seen = picture(shop)["render"]
    review(shop, "reject", SKU, "--role", "main", "--reason", "看错了")
    assert picture(shop)["state"] == "rejected"
    assert listed(shop) == []
    review(shop, "approve", SKU, "--role", "main")
    assert picture(shop)["state"] == "approved"
    assert shop.run()["jobs_submitted"] == 0
    assert [file["render"] for file in listed(shop)] == [seen]


def test_a_rejected_approval_leaves_the_listing(shop: Shop) -> None:
    """Somebody finds the fault later: the picture goes, a new take comes."""
    review(shop, "approve", SKU, "--role", "main")
    review(shop, "reject", SKU, "--role", "main", "--reason", "商标错误", "--note", "无商标")
    assert listed(shop) == []
    assert shop.run()["jobs_submitted"] == 1
    again = picture(shop)
    assert (again["state"], again["take"], again["note"]) == ("draft", 2, "无商标")
    assert [file["state"] for file in listed(shop)] == ["draft"]


def test_all_that_waits_is_approved_at_once_or_by_filter(shop: Shop) -> None:
    """--all takes everything that waits; role and category narrow it; a second time there is nothing left."""
    lifestyle = review(shop, "approve", "--all", "--role", "lifestyle", "--category", "家居")
    assert {(one["sku"], one["role"]) for one in lifestyle} == {("CUP-1", "lifestyle")}
    everything = review(shop, "approve", "--all")
    total = sum(len(entry["pictures"]) for entry in shop.status())
    assert len(everything) == total - len(lifestyle)
    assert {entry["status"] for entry in shop.status()} == {"ready"}
    assert review(shop, "approve", "--all") == []


def test_all_leaves_alone_what_is_decided(shop: Shop) -> None:
    """--all with a role is still about pictures that wait: no rejection is taken back, no approval withdrawn."""
    review(shop, "reject", SKU, "--role", "main", "--reason", "不像")
    assert {one["sku"] for one in review(shop, "approve", "--all", "--role", "main")} == {"CUP-1"}
    assert picture(shop)["state"] == "rejected"
    done = shop.command("review", "reject", "--all", "--role", "main", "-w", str(shop.root), "--simulate")
    assert done.returncode == 2, "nothing waits"
    assert picture(shop, sku="CUP-1")["state"] == "approved"


def test_a_review_that_was_cut_off_is_completed_by_the_next(shop: Shop) -> None:
    """Killed between the ledger and the listing: saying it again brings the listing up to date."""
    path = shop.output / "amazon" / SKU
    before = {p.name: p.read_bytes() for p in path.iterdir()}
    review(shop, "reject", SKU, "--role", "main")
    for name, content in before.items():
        (path / name).write_bytes(content)
    assert listed(shop) != []
    review(shop, "reject", SKU, "--role", "main", code=1)
    assert listed(shop) == []


def test_lost_bytes_take_no_intact_file_away(shop: Shop) -> None:
    """The blobs are gone, the listings stand: a review rewrites them from the files that are there."""
    review(shop, "approve", SKU, "--role", "detail")
    before = {file["name"] for file in listed(shop, "detail")}
    shutil.rmtree(shop.root / "data" / "simulated" / "blobs")
    review(shop, "reject", SKU, "--role", "main", "--reason", "不像")
    assert listed(shop) == []
    assert {file["name"] for file in listed(shop, "detail")} == before
    assert all((shop.output / "amazon" / SKU / name).is_file() for name in before)


def test_a_listing_that_loses_its_last_picture_is_removed(shop: Shop) -> None:
    """No listing without pictures, no pictures that somebody refused."""
    review(shop, "reject", SKU, "--reason", "全部重拍")
    assert not (shop.output / "amazon" / SKU).exists()
    shop.run()
    assert (shop.output / "amazon" / SKU / "listing.json").exists()


def test_roles_that_need_nobody_are_approved_at_once(shop: Shop) -> None:
    """Approval = "auto"; a rejection counts there too."""
    roles = shop.root / "config" / "roles.toml"
    text = roles.read_text(encoding="utf-8")
    roles.write_text(
        text.replace("[roles.main]\n", '[roles.main]\napproval = "auto"\nproduct = "generate"\n'),
        encoding="utf-8",
    )
    assert shop.run()["jobs_submitted"] == 0
    assert picture(shop)["state"] == "approved"
    review(shop, "reject", SKU, "--role", "main", "--reason", "模糊")
    assert picture(shop)["state"] == "rejected"
    assert listed(shop) == []


@pytest.mark.parametrize(
    ("words", "hints"),
    [
        (("approve",), ("--all", "货号")),
        (("approve", SKU, "--all"), ("--all", "货号")),
        (("approve", "EB-01"), ("did you mean EB-001", "EB-001")),
        (("approve", SKU, "--role", "mian"), ("did you mean main", "main")),
        (("approve", SKU, "--slot", "9"), ("waits for review", "没有待审核")),
        (("approve", SKU, "--render", ""), ("at least 8 characters", "前 8 位")),
        (("approve", SKU, "--render", "5f"), ("at least 8 characters", "前 8 位")),
        (("approve", "--all", "--render", "0" * 10), ("no renders here begin with", "有 0 张")),
        (("reject", "--all", "--category", "数马"), ("use one of 数码", "没有名为 数马 的类目")),
    ],
)
def test_mistakes_are_explained(made: Shop, words: tuple[str, ...], hints: tuple[str, str]) -> None:
    """What is meant must be there and waiting; else the message says what is."""
    done = made.command("review", *words, "--workspace", str(made.root), "--simulate")
    assert done.returncode == 2
    assert all(hint in done.stderr for hint in hints), done.stderr
    assert "Traceback" not in done.stderr
