"""Listing folders as another version left them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.domain.imaging import Verdict

HEAVY = Verdict("too_heavy", "fail", "too heavy; make it smaller", "太大；请减小")


def leave(folder: Path, verdicts: list[object], **more: str) -> None:
    """A listing of one file, with these verdicts on it."""
    folder.mkdir(parents=True)
    (folder / "old.jpg").write_bytes(b"old")
    file = {
        "name": "old.jpg",
        "bytes": 3,
        "width": 1,
        "height": 1,
        "rendition_key": "k",
        "verdicts": verdicts,
        **more,
    }
    (folder / "listing.json").write_text(json.dumps({"listing_key": "l", "files": [file]}), encoding="utf-8")


def test_verdicts_are_read_back_whole(tmp_path: Path) -> None:
    """A file that stands is listed again with all that was said of it."""
    leave(tmp_path / "jd" / "A1", [asdict(HEAVY)], sha256=hashlib.sha256(b"old").hexdigest())
    assert FolderListings(tmp_path).renditions("jd", "A1")["k"].verdicts == (HEAVY,)


def test_a_file_that_somebody_changed_is_made_again(tmp_path: Path) -> None:
    """Its size is as listed, its bytes are not."""
    leave(tmp_path / "jd" / "A1", [], sha256=hashlib.sha256(b"was").hexdigest())
    assert FolderListings(tmp_path).renditions("jd", "A1") == {}


def test_a_listing_of_an_older_version_is_replaced_without_rest(tmp_path: Path) -> None:
    """It named bare codes and no digests: its files must still be known, or they would stand there for ever."""
    leave(tmp_path / "jd" / "A1", ["too_heavy"])
    listings = FolderListings(tmp_path)
    assert listings.renditions("jd", "A1") == {}
    listings.write("jd", "A1", [("new.jpg", b"new")], {"listing_key": "n", "files": [{"name": "new.jpg"}]})
    assert {p.name for p in (tmp_path / "jd" / "A1").iterdir()} == {"new.jpg", "listing.json"}
