"""Finds photos of a folder by name: as other computers write it, or by the SKU they are called after."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from catalog_imagegen.adapters.photos import errors
from catalog_imagegen.adapters.photos.packed import Packed

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""What is taken for a photo where no row names it."""
_MAIN = re.compile(r"主图|(?<![a-z])main(?![a-z])")
_CALLED = re.compile(
    r"(.+?)(?:(?:[-_ ]?(主图)|[-_ ](main))[-_ ]?(\d{0,3})|[-_ ](\d{1,3})|[-_ ]?[(（](\d{1,3})[)）])"
)
"""A SKU with what people append: ``-主图``, ``_main``, ``-1``, ``(2)``."""
_DIGITS = re.compile(r"(\d+)")

Rank = tuple[int, int, tuple[tuple[int, str], ...]]
"""Plain name, main picture, numbers, folder; then by number and name."""


@dataclass(frozen=True, slots=True)
class Found:
    """A photo of the folder: a file, or a *member* of a zip."""

    location: str
    """Its path from the workspace on; that of a zip goes on inside."""
    path: Path
    member: str = ""
    size: int = 0
    """In bytes, of a member."""


@dataclass(slots=True)
class Names:
    """The names in ``photos/``, read once: it may have thousands of files on a slow drive."""

    root: Path
    packed: Packed
    _by_name: dict[str, list[Found]] | None = None
    _by_sku: dict[str, list[tuple[Rank, str, Found]]] = field(default_factory=lambda: defaultdict(list))

    def find(self, location: str) -> Found | None:
        """The photo that has this file name, whatever its case and folder.

        Of several, the one in the folders that *location* ends with. Raises PhotoError where that decides nothing.
        """
        parts = _parts(location)
        found = self._names().get(parts[-1], []) if parts else []
        if len(found) > 1:
            alike = [_common(parts, _parts(one.location)) for one in found]
            found = [one for one, count in zip(found, alike, strict=True) if count == max(alike)]
        if len(found) > 1:
            raise errors.ambiguous(location, [one.location for one in found])
        return found[0] if found else None

    def has_any(self) -> bool:
        """Whether any photo is called after something."""
        self._names()
        return bool(self._by_sku)

    def by_sku(self, sku: str, others: Collection[str] = ()) -> tuple[str, ...]:
        """The photos called after a SKU: ``{sku}.jpg``, its main picture, numbered ones, the folder ``{sku}/``.

        A file that is called as one of the *others* is not its: ``A-1.jpg`` may be of the SKU A-1.
        """
        self._names()
        found = self._by_sku.get(folded(sku), [])
        mine = [
            (rank, one.location)
            for rank, stem, one in found
            if folded(stem) == folded(sku) or {stem, stem.upper(), stem.lower()}.isdisjoint(others)
        ]
        return tuple(dict.fromkeys(location for _, location in sorted(mine)))

    def _names(self) -> dict[str, list[Found]]:
        if self._by_name is None:
            self._by_name = defaultdict(list)
            for one in self._walk():
                self._by_name[_parts(one.location)[-1]].append(one)
                self._call(one)
        return self._by_name

    def _call(self, one: Found) -> None:
        """Note which SKUs a photo may be of."""
        path = PurePosixPath(one.location)
        if path.suffix.lower() not in PICTURES:
            return
        stem = unicodedata.normalize("NFC", path.stem)
        self._by_sku[folded(stem)].append(((0, 0, _natural(one.location)), stem, one))
        if match := _CALLED.fullmatch(folded(stem)):
            sku, main, main_en, *numbers = match.groups()
            rank = (1 if main or main_en else 2, int(next(filter(None, numbers), 0)), _natural(one.location))
            self._by_sku[sku].append((rank, stem, one))
        for depth, folder in enumerate(path.parts[1:-1], start=2):
            name = folder[:-4] if folder.lower().endswith(".zip") else folder
            inside = "/".join(path.parts[depth:])
            is_main = _MAIN.search(folded(inside)) is not None
            self._by_sku[folded(name)].append(((3, not is_main, _natural(inside)), name, one))

    def _walk(self) -> Iterator[Found]:
        """Every file, those of zips at the top behind the others."""
        zips: list[Path] = []
        top = self.root / errors.FOLDER
        for folder, folders, files in os.walk(top):
            folders[:] = sorted(name for name in folders if not _is_hidden(name))
            for name in sorted(files):
                path = Path(folder, name)
                if not _is_hidden(name):
                    yield Found(path.relative_to(self.root).as_posix(), path)
                    zips += [path] if name.lower().endswith(".zip") and path.parent == top else []
        for path in zips:
            for member, size in self.packed.members(path).items():
                inside = [part for part in re.split(r"[\\/]", member) if part]
                if inside and not any(map(_is_hidden, inside)):
                    location = "/".join([path.relative_to(self.root).as_posix(), *inside])
                    yield Found(location, path, member, size)


def folded(text: str) -> str:
    """A name without the differences that file systems make: case, and how accents are written."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX"))


def _parts(location: str) -> list[str]:
    """A path's names, as any system writes it."""
    return [part for part in re.split(r"[\\/]", folded(location).strip()) if part not in {"", "."}]


def _common(one: list[str], other: list[str]) -> int:
    """How many names two paths have in common, from the end."""
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """By number, so that 2 comes before 10."""
    return tuple(
        (int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(folded(text)) if part
    )
