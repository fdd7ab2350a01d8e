"""The server's folders: names of saved pictures, uploads, and what may be looked at."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

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

    def save(
        self, pictures: list[Image.Image], prefix: str, *, texts: dict[str, str], kind: str, tail: str
    ) -> list[dict[str, str]]:
        """Save *pictures* as "{prefix}_{number}{tail}.png" and say where; one text chunk per text.

        Raises OutsideFolderError for a prefix that escapes, OSError for a name too long.
        """
        width, height = pictures[0].size
        whole = os.path.normpath(_fill_in(prefix, width, height))
        subfolder, stem = os.path.split(whole)
        try:
            folder = self.path(kind, subfolder, "")
        except OutsideFolderError:
            raise OutsideFolderError(
                "**** ERROR: Saving image outside the output folder is not allowed.\n"
                f" full_output_folder: {subfolder}\n         output_dir: {kind}\n"
            ) from None
        folder.mkdir(parents=True, exist_ok=True)
        number = _next_number(folder, stem)
        info = PngInfo()
        for key, text in texts.items():
            info.add_text(key, text)
        saved = []
        for position, picture in enumerate(pictures):
            name = f"{stem.replace('%batch_num%', str(position))}_{number + position:05}{tail}.png"
            picture.save(folder / name, "PNG", pnginfo=info, compress_level=1)
            saved.append({"filename": name, "subfolder": subfolder, "type": kind})
        return saved

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
