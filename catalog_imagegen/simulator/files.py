"""The server's folders: names of saved pictures, uploads, and what may be looked at."""

import asyncio
import itertools
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from catalog_imagegen.simulator.stock import Stock, chunks

Kept = tuple[bytes, bytes, bytes]  # head, text chunks and tail of a PNG that is in memory
KINDS = ("output", "input", "temp")
ANNOTATION = re.compile(r"^(?P<name>.*) \[(?P<kind>output|input|temp)\]$")


class OutsideFolderError(Exception):
    """A name leads out of the folder it belongs to."""


@dataclass(frozen=True)
class Folders:
    """The output, input and temp folders under one root."""

    root: Path

    def create(self) -> None:
        """Make the folders, empty the temporary one: a restart forgets previews."""
        for kind in KINDS:
            (self.root / kind).mkdir(parents=True, exist_ok=True)
        for left in (self.root / "temp").iterdir():
            if left.is_file():
                left.unlink()

    def path(self, kind: str, subfolder: str, name: str) -> Path:
        """Resolve a stored file; raises OutsideFolderError if *subfolder* leads outside."""
        top = self.root / kind
        folder = Path(os.path.normpath(top / subfolder))
        if not folder.is_relative_to(top):
            raise OutsideFolderError(f"{subfolder!r} leads out of the {kind} folder; use a name inside it")
        return folder / name

    def input_file(self, value: str) -> Path:
        """Resolve what LoadImage names: "sub/name.png", or "name.png [temp]"."""
        match = ANNOTATION.match(value)
        name, kind = (match["name"], match["kind"]) if match else (value, "input")
        return self.path(kind, os.path.dirname(name), os.path.basename(name))  # noqa: PTH119, PTH120 -- "" stays ""

    def has_input(self, value: str) -> bool:
        """Say whether LoadImage would find *value*."""
        try:
            return self.input_file(value).is_file()
        except OutsideFolderError:
            return False

    def inputs(self) -> list[str]:
        """List the pictures LoadImage offers."""
        return sorted(entry.name for entry in (self.root / "input").iterdir() if entry.is_file())

    def stored(self, kind: str, subfolder: str, name: str) -> Path | Kept | None:
        """Find a file to be looked at, on disk or in memory; None if it is not there."""
        path = self.path(kind, subfolder, name)
        return path if name and path.is_file() else None

    def remove(self, image: Mapping[str, str]) -> None:
        """Delete a saved picture, named as in outputs."""
        self.path(image["type"], image["subfolder"], image["filename"]).unlink(missing_ok=True)

    async def save(
        self, pictures: Sequence[Image.Image], prefix: str, *, texts: Mapping[str, str], kind: str, tail: str
    ) -> list[dict[str, str]]:
        """Save *pictures* as "{prefix}_{number}{tail}.png" and say where; one text chunk per text.

        Raises OutsideFolderError for a prefix that escapes, OSError for a name too long.
        """
        return await asyncio.to_thread(self._write, pictures, prefix, texts, kind, tail)

    def _write(
        self, pictures: Sequence[Image.Image], prefix: str, texts: Mapping[str, str], kind: str, tail: str
    ) -> list[dict[str, str]]:
        subfolder, stem, folder = self._place(prefix, pictures[0].size, kind)
        folder.mkdir(parents=True, exist_ok=True)
        info = PngInfo()
        for key, text in texts.items():
            info.add_text(key, text)
        names = _names(stem, _next_number(folder, stem), len(pictures), tail)
        for name, picture in zip(names, pictures, strict=True):
            picture.save(folder / name, "PNG", pnginfo=info, compress_level=1)
        return [{"filename": name, "subfolder": subfolder, "type": kind} for name in names]

    def _place(self, prefix: str, size: tuple[int, int], kind: str) -> tuple[str, str, Path]:
        """Give subfolder, beginning of the name and folder of what is saved under *prefix*."""
        subfolder, stem = os.path.split(os.path.normpath(_fill_in(prefix, *size)))
        try:
            return subfolder, stem, self.path(kind, subfolder, "")
        except OutsideFolderError:
            raise OutsideFolderError(
                "**** ERROR: Saving image outside the output folder is not allowed.\n"
                f" full_output_folder: {subfolder}\n         output_dir: {kind}\n"
            ) from None

    def upload(self, data: bytes, name: str, *, kind: str, subfolder: str, overwrite: bool) -> str:
        """Store *data*; another file of that name is kept and the new one numbered. Gives the final name."""
        target = self.path(kind, subfolder, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 -- Path.stem would read "a/.." differently
        number = 1
        while not overwrite and target.exists() and target.read_bytes() != data:
            target = target.with_name(f"{stem} ({number}){suffix}")
            number += 1
        target.write_bytes(data)
        return target.name


@dataclass(frozen=True)
class Shelf(Folders):
    """Folders whose pictures are kept in memory, as pieces that they share; uploads are files all the same."""

    stock: Stock = field(default_factory=Stock)
    kept: dict[tuple[str, str, str], Kept] = field(default_factory=dict)
    numbers: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def stored(self, kind: str, subfolder: str, name: str) -> Path | Kept | None:
        """Find a file as on disk."""
        self.path(kind, subfolder, name)
        return self.kept.get((kind, subfolder, name)) or super().stored(kind, subfolder, name)

    def remove(self, image: Mapping[str, str]) -> None:
        """Delete a saved picture."""
        self.kept.pop((image["type"], image["subfolder"], image["filename"]), None)

    async def save(
        self, pictures: Sequence[Image.Image], prefix: str, *, texts: Mapping[str, str], kind: str, tail: str
    ) -> list[dict[str, str]]:
        """Keep *pictures* under the names they would have on disk."""
        subfolder, stem, _ = self._place(prefix, pictures[0].size, kind)
        first = self.numbers.get((kind, subfolder, stem), 0) + 1
        self.numbers[kind, subfolder, stem] = first + len(pictures) - 1
        names = _names(stem, first, len(pictures), tail)
        for name, picture in zip(names, pictures, strict=True):
            head, tail_of_file = await self.stock.file(picture)
            self.kept[kind, subfolder, name] = (head, chunks(texts), tail_of_file)
        return [{"filename": name, "subfolder": subfolder, "type": kind} for name in names]


def _names(stem: str, first: int, count: int, tail: str) -> list[str]:
    numbers = itertools.islice(itertools.count(first), count)
    return [
        f"{stem.replace('%batch_num%', str(place))}_{number:05}{tail}.png"
        for place, number in enumerate(numbers)
    ]


def _fill_in(prefix: str, width: int, height: int) -> str:
    now = time.localtime()
    values = {
        "width": str(width),
        "height": str(height),
        "year": f"{now.tm_year}",
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }
    for token, value in values.items():
        prefix = prefix.replace(f"%{token}%", value)
    return prefix


def _next_number(folder: Path, stem: str) -> int:
    start = f"{stem}_"
    rests = (entry.name[len(start) :] for entry in folder.iterdir() if entry.name.startswith(start))
    numbers = [int(match[0]) for rest in rests if (match := re.match(r"\d+", rest))]
    return max(numbers, default=0) + 1
