"""The sample catalog's output tree is what the marketplaces were promised, file by file."""

from __future__ import annotations

import io
import json
import shutil
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog_imagegen.stages.rendition import plain_png
from tests.e2e.cli import Ran, assert_whole, cli
from tests.e2e.conftest import FEW, WHOLE
from tests.e2e.output_checker import check_tree

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("sample")]  # the first waits for the run
Rows = list[dict[str, Any]]
Tables = dict[str, Any]


def toml(name: str) -> Tables:
    """A table file of the checkout."""
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(workspace: Path) -> Rows:
    """The rows of the sample catalog that were read."""
    found: Rows = cli(
        "catalog", "check", workspace / "sample_catalog" / "products.xlsx", "-w", workspace, "--json"
    ).json["rows"]
    return found


def test_renders_are_decoded_in_the_fast_way(workspace: Path) -> None:
    """Whatever texts they carry, they are plain PNGs."""
    blobs = (workspace / "data" / "simulated" / "blobs").glob("??/[!.]*")
    renders = [content for blob in blobs if (content := blob.read_bytes()).startswith(b"\x89PNG")]
    assert len(renders) > 50
    assert [plain_png.decoded(content) is None for content in renders].count(True) == 0


def listings(output: Path) -> dict[tuple[str, str], Tables]:
    """Every listing.json by platform and subject."""
    found = [json.loads(path.read_bytes()) for path in output.glob("*/*/listing.json")]
    return {(listing["platform"], listing["subject"]): listing for listing in found}


def has_comparison(features: Iterable[str], evidence: list[Tables]) -> bool:
    """Whether one of the features has two sides that a picture can show."""
    for feature in features:
        text = unicodedata.normalize("NFKC", feature).casefold()
        entry = next((e for e in evidence if any(k.casefold() in text for k in e["keywords"])), {})
        if "compare_left" in entry:
            return True
    return False


def wanted_of(rows: Rows) -> dict[str, dict[str, int]]:
    """SKU → role → pictures, counted from the catalog's lists."""
    roles = toml("config/roles.toml")["roles"]
    evidence = toml("prompt_templates/vocabulary.toml")["evidence"]
    return {
        row["sku"]: {
            "main": len(roles["main"]["items"]),
            "main_portrait": len(roles["main_portrait"]["items"]),
            "lifestyle": min(roles["lifestyle"]["max"], len(row["usage_scenarios"]) or 1),
            "detail": min(roles["detail"]["max"], len(row["detail_features"]) or 1),
            "comparison": int(has_comparison(row["features"], evidence)),
        }
        for row in rows
    }


def filled(placements: list[Tables], available: Mapping[str, int]) -> int:
    """How many files the placements hold of so many pictures per role."""
    return sum(min(p.get("count", 1), sum(available[role] for role in p["roles"])) for p in placements)


def test_the_run_made_everything(finished: Ran) -> None:
    """Only the two bad rows of the sample are missing, and the counts add up."""
    report = finished.json
    counts = report["pictures"]
    assert finished.code == 1, "the sample has two rows with mistakes"
    assert finished.err == ""
    assert counts["planned"] == counts["rendered"] > 0
    assert not counts["failed"] + counts["blocked"] + counts["pending"] + counts["reused"]
    assert report["jobs_submitted"] == counts["rendered"]
    assert len([issue for issue in report["issues"] if issue["severity"] == "error"]) == 2


def test_every_file_keeps_the_promise_of_its_placement(
    workspace: Path, output: Path, finished: Ran, few: Ran, platforms: Tables
) -> None:
    """Every file decodes and has the format, mode, size, cap, name and mark it should; none is unlisted."""
    assert check_tree(output, platforms, is_placeholder=True) == []
    found = sum(len(pictures(listing)) for listing in output.glob("*/*"))
    assert found == finished.json["renditions"] + few.json["renditions"]
    assert_whole(workspace)


def test_other_marketplaces_cost_few_renders(few: Ran) -> None:
    """They show what is rendered; only a role that nobody took before would be new."""
    counts = few.json["pictures"]
    assert counts["rendered"] == few.json["jobs_submitted"] == 0
    assert counts["reused"] == counts["planned"] > 0


def test_every_product_has_its_listings(output: Path, platforms: Tables, rows: Rows) -> None:
    """One listing per SKU or per 款号, as the platform has it, each with as many files as the catalog asks for."""
    wanted = wanted_of(rows)
    found = {key: len(listing["files"]) for key, listing in listings(output).items()}
    expected: dict[tuple[str, str], int] = {}
    for name, platform in platforms.items():
        chosen = [row for row in rows if name in WHOLE or row["sku"] in FEW]
        if platform["listing_per"] == "sku":
            for row in chosen:
                expected[name, f"sku:{row['sku']}"] = filled(platform["placements"], wanted[row["sku"]])
            continue
        for spu in {row["spu"] for row in chosen}:
            variants = [wanted[row["sku"]] for row in chosen if row["spu"] == spu]
            together = {role: sum(v[role] for v in variants) for role in variants[0]}
            expected[name, f"spu:{spu}"] = filled(platform["placements"], together)
    assert found == expected


def test_file_names_of_amazon_begin_with_the_sku(output: Path) -> None:
    """Amazon files a picture under the SKU its name begins with, also one that variants share."""
    for (platform, _), listing in listings(output).items():
        if platform == "amazon":
            stems = {file["name"].rpartition(".")[0].rpartition(".")[0] for file in listing["files"]}
            assert len(stems) == 1, (listing["subject"], stems)


def pictures(listing: Path) -> list[Path]:
    """The files of a listing, of whatever format."""
    return [path for path in listing.iterdir() if path.name != "listing.json"]


def first_file(listing: Path) -> Path:
    """The file that a listing shows first."""
    return listing / str(json.loads((listing / "listing.json").read_bytes())["files"][0]["name"])


def relist(listing: Path, **changes: Any) -> None:
    """Write *changes* into the first entry of a listing, so that only one thing is wrong."""
    manifest = json.loads((listing / "listing.json").read_bytes())
    manifest["files"][0].update(changes)
    (listing / "listing.json").write_text(json.dumps(manifest), encoding="utf-8")


def replaced(listing: Path, change: Callable[[Image.Image], Image.Image], **options: Any) -> None:
    """Put a changed picture in place of the first one, and list its size and bytes correctly."""
    path = first_file(listing)
    with Image.open(path) as image:
        image.load()
        buffer = io.BytesIO()
        options = {"format": "JPEG", "comment": image.info["comment"]} | options
        changed = change(image)
    changed.save(buffer, **options)
    path.write_bytes(buffer.getvalue())
    relist(listing, bytes=len(buffer.getvalue()), width=changed.width, height=changed.height)


def verdict(code: str, **changes: str) -> dict[str, str]:
    """A verdict as listings have it."""
    return {"code": code, "severity": "fail", "message_en": "x; y", "message_zh": "甲；乙"} | changes


def truncate(listing: Path) -> None:
    """Cut the first file in half, and list it so."""
    path = first_file(listing)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    relist(listing, bytes=path.stat().st_size)


DEFECTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (truncate, "does not decode"),
    "resized": (lambda at: replaced(at, lambda i: i.resize((790, 790))), "is not what cover makes"),
    "enlarged": (lambda at: replaced(at, lambda i: i.resize((900, 900))), "beyond the box"),
    "tiny": (lambda at: replaced(at, lambda i: i.resize((400, 400))), "misses {'platform_min_size': 'warn'}"),
    "flat": (lambda at: replaced(at, lambda i: i.resize((800, 500))), "'platform_ratio': 'warn'"),
    "cmyk": (lambda at: replaced(at, lambda i: i.convert("CMYK")), "mode CMYK"),
    "grey": (lambda at: replaced(at, lambda i: i.convert("L")), "mode L"),
    "png": (lambda at: replaced(at, lambda i: i, format="PNG"), "is PNG, not JPEG"),
    "unmarked": (lambda at: replaced(at, lambda i: i, comment=b"nice"), "its comment is"),
    "extra": (lambda at: shutil.copy(first_file(at), at / "extra.jpg"), "extra.jpg is in no listing"),
    "temporary": (lambda at: (at / ".writing-1").write_bytes(b"x"), ".writing-1 is in no listing"),
    "astray": (lambda at: (at.parent / "astray.jpg").write_bytes(b"x"), "stands outside a listing"),
    "gone": (lambda at: first_file(at).unlink(), "is missing"),
    "unlisted": (lambda at: (at / "listing.json").unlink(), "no listing.json"),
    "relisted": (lambda at: relist(at, bytes=1), "listed with 1"),
    "real": (lambda at: relist(at, placeholder=False), "listed with placeholder: False"),
    "misplaced": (lambda at: relist(at, placement="detail"), "does not take main"),
    "boastful": (lambda at: relist(at, verdicts=[verdict("too_small")]), "is large enough"),
    "slandered": (lambda at: relist(at, verdicts=[verdict("platform_ratio")]), "and misses {}"),
    "silent": (lambda at: relist(at, verdicts=[verdict("too_small", message_zh="")]), "odd verdict"),
}


@pytest.fixture
def sound(output: Path, tmp_path: Path) -> Path:
    """A copy of one Taobao listing, with nothing wrong yet."""
    original = min((output / "taobao_tmall").iterdir())
    return Path(shutil.copytree(original, tmp_path / "taobao_tmall" / original.name))


@pytest.mark.parametrize("name", DEFECTS)
def test_the_checker_sees(name: str, sound: Path, platforms: Tables) -> None:
    """A defect planted in a sound listing is reported, so that silence means something."""
    assert check_tree(sound.parents[1], platforms, is_placeholder=True) == []
    plant, complaint = DEFECTS[name]
    plant(sound)
    assert complaint in "\n".join(check_tree(sound.parents[1], platforms, is_placeholder=True))


def test_the_checker_sees_one_byte_too_many(sound: Path, platforms: Tables) -> None:
    """A cap one byte below the heaviest file is reported once."""
    heaviest = max(path.stat().st_size for path in pictures(sound))
    taobao = platforms["taobao_tmall"]
    placements = [p | {"max_bytes": heaviest - 1} for p in taobao["placements"]]
    lowered = {"taobao_tmall": taobao | {"placements": placements}}
    (complaint,) = check_tree(sound.parents[1], lowered, is_placeholder=True)
    assert f"{heaviest} bytes, the cap is {heaviest - 1}" in complaint


def test_the_checker_sees_placeholders_among_real_pictures(sound: Path, platforms: Tables) -> None:
    """Placeholders in a tree of real pictures are reported file by file."""
    found = check_tree(sound.parents[1], platforms, is_placeholder=False)
    assert len(found) == 1 + 2 * len(pictures(sound))


def test_the_checker_sees_two_names_that_some_disks_merge(sound: Path, platforms: Tables) -> None:
    """Names that differ in case alone are one file on Windows and macOS."""
    manifest = json.loads((sound / "listing.json").read_bytes())
    manifest["files"].append(manifest["files"][-1] | {"name": manifest["files"][-1]["name"].swapcase()})
    (sound / "listing.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert "two files have one name" in "\n".join(
        check_tree(sound.parents[1], platforms, is_placeholder=True)
    )
