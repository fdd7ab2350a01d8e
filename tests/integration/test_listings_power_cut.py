"""What a disk may hold of a listing after a power cut, whatever it did with what it was not told to keep."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.adapters.files import TEMPORARY
from catalog_imagegen.adapters.listings import FolderListings

MANIFEST = "listing.json"
Names = Mapping[str, int]
"""What a folder has: name → inode."""
Change = Callable[[dict[str, int]], None]


class Disk:
    """Keeps what was synced. Of the renames and removals since then it may have carried out any, in their order or not."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.content: dict[int, bytes] = {}
        """Of files whose bytes are kept."""
        self.kept: dict[int, Names] = {}
        self.changes: dict[int, list[Change]] = {}
        self.cuts: list[tuple[Mapping[int, bytes], Mapping[int, Names], Mapping[int, Sequence[Change]]]] = []
        for path in [root, *root.rglob("*")]:
            self._keep(path)

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """See every sync, rename and removal."""
        sync, replace, rename, unlink = os.fsync, Path.replace, Path.rename, Path.unlink

        def synced(descriptor: int) -> None:
            sync(descriptor)
            number = os.fstat(descriptor).st_ino
            self._keep(next(p for p in [self.root, *self.root.rglob("*")] if p.stat().st_ino == number))
            self._cut()

        def moved(move: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
            def to(path: Path, target: Path) -> Path:
                number = path.stat().st_ino
                self._change(path.parent, lambda names: _moved(names, path.name, target.name, number))
                done = move(path, target)
                self._cut()
                return done

            return to

        def removed(path: Path, *, missing_ok: bool = False) -> None:
            self._change(path.parent, lambda names: _gone(names, path.name))
            unlink(path, missing_ok=missing_ok)
            self._cut()

        patch.setattr(os, "fsync", synced)
        patch.setattr(Path, "replace", moved(replace))
        patch.setattr(Path, "rename", moved(rename))
        patch.setattr(Path, "unlink", removed)

    def found(self, *folders: str) -> Iterator[Mapping[str, bytes | None]]:
        """What the folder may hold after a cut at any moment: name → bytes, None where they may be anything."""
        for content, kept, changes in self.cuts:
            yield from self._within(self.root.stat().st_ino, folders, content, kept, changes)

    def _within(
        self,
        number: int,
        folders: Sequence[str],
        content: Mapping[int, bytes],
        kept: Mapping[int, Names],
        changes: Mapping[int, Sequence[Change]],
    ) -> Iterator[Mapping[str, bytes | None]]:
        pending = changes.get(number, ())
        for chosen in product((True, False), repeat=len(pending)):
            names = dict(kept.get(number, {}))
            for change, is_done in zip(pending, chosen, strict=True):
                if is_done:
                    change(names)
            if not folders:
                yield {name: content.get(each) for name, each in names.items()}
            elif folders[0] in names:
                yield from self._within(names[folders[0]], folders[1:], content, kept, changes)

    def _keep(self, path: Path) -> None:
        number = path.stat().st_ino
        if stat.S_ISDIR(path.stat().st_mode):
            self.kept[number] = {each.name: each.stat().st_ino for each in path.iterdir()}
            self.changes[number] = []
        else:
            self.content[number] = path.read_bytes()

    def _change(self, folder: Path, change: Change) -> None:
        self.changes.setdefault(folder.stat().st_ino, []).append(change)

    def _cut(self) -> None:
        changes = {number: tuple(each) for number, each in self.changes.items()}
        self.cuts.append((dict(self.content), dict(self.kept), changes))


def _gone(names: dict[str, int], name: str) -> None:
    names.pop(name, None)


def _moved(names: dict[str, int], source: str, target: str, number: int) -> None:
    names.pop(source, None)
    names[target] = number


def listing(key: str, files: Mapping[str, bytes]) -> tuple[str, list[tuple[str, bytes]], dict[str, Any]]:
    """A listing of these files, under a key that tells them."""
    named = [{"name": name, "bytes": len(content)} for name, content in files.items()]
    return key, list(files.items()), {"listing_key": key, "files": named}


OLD = listing("old", {"1.jpg": b"one", "2.jpg": b"two", "3.jpg": b"three"})
NEW = listing("new", {"1.jpg": b"eins", "2.jpg": b"zwei"})


def check(found: Mapping[str, bytes | None]) -> str:
    """No file that is shown is half there, and a listing that says it is whole is; its key."""
    shown = {name: content for name, content in found.items() if not name.startswith(TEMPORARY)}
    assert None not in shown.values()
    key = str(json.loads(shown.get(MANIFEST) or b"{}").get("listing_key", ""))
    if key:
        files = dict({"old": OLD, "new": NEW}[key][1])
        assert {name: shown.get(name) for name in files} == files
        assert shown.keys() == files.keys() | {MANIFEST}
    return key


def test_a_new_listing_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder gets its name when everything in it is on the disk."""
    (tmp_path / "jd").mkdir()
    disk = Disk(tmp_path)
    with monkeypatch.context() as patch:
        disk.watch(patch)
        FolderListings(tmp_path).write("jd", "A1", NEW[1], NEW[2])
    keys = [check(found) for found in disk.found("jd", "A1")]
    assert set(keys) == {"new"}
    assert (
        len(disk.cuts) == len(NEW[1]) + 4
    )  # the bytes, their names, the folder's name, and it again for good
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(TEMPORARY)]


def test_a_listing_that_changes_is_never_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the old one, the new one, or one that says that it is neither."""
    listings = FolderListings(tmp_path)
    listings.write("jd", "A1", OLD[1], OLD[2])
    disk = Disk(tmp_path)
    with monkeypatch.context() as patch:
        disk.watch(patch)
        listings.write("jd", "A1", NEW[1], NEW[2])
    keys = [check(found) for found in disk.found("jd", "A1")]
    assert (keys[0], keys[-1]) == ("old", "new")
    assert set(keys) == {"old", "", "new"}
    assert listings.listing_key("jd", "A1") == "new"


def test_a_folder_that_has_something_else_keeps_it(tmp_path: Path) -> None:
    """Somebody put a note where no listing is yet."""
    (tmp_path / "jd" / "A1").mkdir(parents=True)
    (tmp_path / "jd" / "A1" / "note.txt").write_bytes(b"mine")
    listings = FolderListings(tmp_path)
    listings.write("jd", "A1", NEW[1], NEW[2])
    assert listings.listing_key("jd", "A1") == "new"
    assert (tmp_path / "jd" / "A1" / "note.txt").read_bytes() == b"mine"
    assert not list(tmp_path.rglob(f"{TEMPORARY}*"))
