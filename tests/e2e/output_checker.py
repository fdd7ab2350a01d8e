"""Proves an output tree against platforms.toml; written from the contract, shares no code with the product."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

MANIFEST = "listing.json"
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png"}
DEFAULT_NAME = "{sku}_{order:02}_{role}"
Table = Mapping[str, Any]


def check_tree(output: Path, platforms: Mapping[str, Table], *, is_placeholder: bool) -> list[str]:
    """Everything wrong below *output*, a line each; empty when all is as *platforms* promises."""
    files = sorted(p for p in output.rglob("*") if p.is_file())
    found = [f"{p}: stands outside a listing" for p in files if len(p.relative_to(output).parts) != 3]
    for folder in sorted(p for p in output.glob("*/*") if p.is_dir()):
        name = folder.parent.name
        if name not in platforms:
            found.append(f"{folder}: no such platform")
            continue
        found += (f"{folder}: {wrong}" for wrong in _listing(folder, name, platforms[name], is_placeholder))
    return found


def _listing(folder: Path, name: str, platform: Table, is_placeholder: bool) -> Iterator[str]:
    if not (folder / MANIFEST).is_file():
        yield f"no {MANIFEST}"
        return
    listing = json.loads((folder / MANIFEST).read_bytes())
    files = listing["files"]
    if listing["platform"] != name:
        yield f"{MANIFEST} is of the platform {listing['platform']}"
    if not listing["subject"].startswith(f"{platform['listing_per']}:") and not _is_lone(listing, platform):
        yield f"the subject {listing['subject']} is no {platform['listing_per']}"
    if listing["placeholder"] is not is_placeholder:
        yield f"{MANIFEST} says placeholder: {listing['placeholder']}"
    names = [file["name"] for file in files]
    if len({n.casefold() for n in names}) < len(names):
        yield f"two files have one name: {sorted(names)}"
    for stray in sorted({p.name for p in folder.iterdir()} - {MANIFEST, *names}):
        yield f"{stray} is in no listing"
    yield from _arrangement(files, platform["placements"])
    placements = {placement["name"]: placement for placement in platform["placements"]}
    for file in files:
        placement = placements.get(file["placement"])
        if placement is None:
            yield f"{file['name']}: no placement {file['placement']}"
        elif not (folder / file["name"]).is_file():
            yield f"{file['name']} is missing"
        else:
            wrongs = _file(folder / file["name"], file, placement, is_placeholder)
            yield from (f"{file['name']}: {wrong}" for wrong in wrongs)


def _is_lone(listing: Table, platform: Table) -> bool:
    """A product without an SPU has a listing per SPU all the same."""
    return platform["listing_per"] == "spu" and str(listing["subject"]).startswith("sku:")


def _arrangement(files: list[Table], placements: list[Table]) -> Iterator[str]:
    """Placements in their order, roles in theirs, no more than count, and numbers that say so."""
    order = [placement["name"] for placement in placements]
    ranks = []
    for file in files:
        if file["placement"] not in order:
            return
        placement = placements[order.index(file["placement"])]
        if file["role"] not in placement["roles"]:
            yield f"{file['name']}: the placement {placement['name']} does not take {file['role']}"
            return
        ranks.append((order.index(file["placement"]), placement["roles"].index(file["role"])))
    if ranks != sorted(ranks):
        yield "the files are out of order"
    for placement in placements:
        mine = [(i, f) for i, f in enumerate(files, start=1) if f["placement"] == placement["name"]]
        if len(mine) > placement.get("count", 1):
            yield f"{len(mine)} files in {placement['name']}, which takes {placement.get('count', 1)}"
        for n, (position, file) in enumerate(mine, start=1):
            rule = placement.get("file_name", DEFAULT_NAME)
            tail = rule.format(sku="", order=position, n=n, role=file["role"], kind="")
            if not re.fullmatch(f".+{re.escape(tail)}\\.[a-z]+", file["name"]):
                yield f"{file['name']} does not end in {tail}"


def _file(path: Path, file: Table, placement: Table, is_placeholder: bool) -> Iterator[str]:
    if path.suffix != SUFFIXES[placement.get("format", "JPEG")]:
        yield f"ends in {path.suffix}, which is not the suffix of its format"
    size_bytes = path.stat().st_size
    if size_bytes > placement["max_bytes"] and "too_heavy" not in file["verdicts"]:
        yield f"{size_bytes} bytes, the cap is {placement['max_bytes']}"
    if size_bytes != file["bytes"]:
        yield f"{size_bytes} bytes, listed with {file['bytes']}"
    if file["placeholder"] is not is_placeholder:
        yield f"listed with placeholder: {file['placeholder']}"
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError, ValueError) as error:
        yield f"does not decode: {error}"
        return
    yield from _picture(image, file, placement, is_placeholder)


def _picture(image: Image.Image, file: Table, placement: Table, is_placeholder: bool) -> Iterator[str]:
    wanted = placement.get("format", "JPEG")
    if image.format != wanted:
        yield f"is {image.format}, not {wanted}"
    if image.mode != "RGB":
        yield f"has the mode {image.mode}"
    if image.getexif():
        yield "carries EXIF data"
    if image.size != (file["width"], file["height"]):
        yield f"is {image.size}, listed as {file['width']} × {file['height']}"
    yield from _size(image.size, placement, file["verdicts"])
    comment = image.info.get("comment") or image.info.get("Comment") or b""
    text = comment.decode(errors="replace") if isinstance(comment, bytes) else str(comment)
    if ("placeholder" in text) is not is_placeholder:
        yield f"its comment is {text!r}"


def _size(size: tuple[int, int], placement: Table, verdicts: list[str]) -> Iterator[str]:
    """Whether a size is what the placement's fit promises."""
    (width, height), (box_width, box_height) = size, placement["size"]
    fit = placement.get("fit", "cover")
    fits = {
        "cover": size == (box_width, box_height),
        "pad": size == (box_width, box_height),
        "contain": width == box_width or height == box_height,
        "width": width == box_width,
    }[fit]
    if width > box_width or height > box_height:
        yield f"{width} × {height} is beyond the box {box_width} × {box_height}"
    elif not fits and "too_small" not in verdicts:
        yield f"{width} × {height} is not what {fit} makes of {box_width} × {box_height}"
    least = placement.get("min_size", (0, 0))
    is_below = width < least[0] or height < least[1]
    if is_below and "too_small" not in verdicts:
        yield f"{width} × {height} is below {least[0]} × {least[1]} without the verdict too_small"
    if "too_small" in verdicts and fits and not is_below:
        yield f"{width} × {height} is large enough, but has the verdict too_small"
