"""Proves an output tree against platforms.toml; written from the contract, shares no code with the product."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MANIFEST = "listing.json"
REPORTS = ("report.html", "report.xlsx")
"""What a run leaves beside the platforms' folders."""
SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "AVIF": ".avif"}
DEFAULT_NAME = "{sku}_{order:02}_{role}"
EXTENSIONS = {"JPEG": {"jpg", "jpeg"}, "PNG": {"png"}, "WEBP": {"webp"}, "AVIF": {"avif"}}
BAND = 0.02
"""The border where a background is looked at, as a share of the shorter side."""
Table = Mapping[str, Any]


def check_tree(output: Path, platforms: Mapping[str, Table], *, is_placeholder: bool) -> list[str]:
    """Everything wrong below *output*, a line each; empty when all is as *platforms* promises."""
    files = sorted(p for p in output.rglob("*") if p.is_file())
    found = [
        f"{p}: stands outside a listing"
        for p in files
        if len(p.relative_to(output).parts) != 3 and p not in {output / name for name in REPORTS}
    ]
    for folder in sorted(p for p in output.glob("*/*") if p.is_dir()):
        name = folder.parent.name
        if name not in platforms:
            found.append(f"{folder}: no such platform")
            continue
        found += (f"{folder}: {wrong}" for wrong in _listing(folder, name, platforms[name], is_placeholder))
    return found


def cropped(output: Path, platforms: Mapping[str, Table], roles: Mapping[str, Table]) -> list[str]:
    """Files of ``cover`` places whose role is rendered in another shape: more than an eighth was cut away."""
    found = []
    for manifest in sorted(output.glob(f"*/*/{MANIFEST}")):
        listing = json.loads(manifest.read_bytes())
        placements = {p["name"]: p for p in platforms[listing["platform"]]["placements"]}
        for file in listing["files"]:
            placement, rendered = placements[file["placement"]], roles[file["role"]]["size"]
            shape = placement["size"][0] / placement["size"][1]
            lost = abs(shape / (rendered[0] / rendered[1]) - 1)
            if placement.get("fit", "cover") == "cover" and lost > 0.12:
                found.append(f"{manifest.parent / file['name']}: cropped from {rendered}")
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
            rule = re.sub(
                r"\{[^{}]*\|", "{", placement.get("file_name", DEFAULT_NAME)
            )  # no column has a code
            tail = rule.format(sku="", order=position, n=n, role=file["role"], kind="")
            if not re.fullmatch(f".+{re.escape(tail)}\\.[a-z]+", file["name"]):
                yield f"{file['name']} does not end in {tail}"


def _file(path: Path, file: Table, placement: Table, is_placeholder: bool) -> Iterator[str]:
    if path.suffix != SUFFIXES[placement.get("format", "JPEG")]:
        yield f"ends in {path.suffix}, which is not the suffix of its format"
    size_bytes = path.stat().st_size
    if size_bytes > placement["max_bytes"] and "too_heavy" not in _codes(file):
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
    yield from _verdicts(image, size_bytes, file, placement)


def _codes(file: Table) -> set[str]:
    return {verdict["code"] for verdict in file["verdicts"]}


def _verdicts(image: Image.Image, size_bytes: int, file: Table, placement: Table) -> Iterator[str]:
    """Each verdict is whole, and the platform's figures that the file misses are exactly those it names."""
    for verdict in file["verdicts"]:
        if set(verdict) != {"code", "severity", "message_en", "message_zh"} or not all(verdict.values()):
            yield f"has the odd verdict {verdict}"
    told = {v["code"]: v["severity"] for v in file["verdicts"] if v["code"].startswith("platform_")}
    missed = {}
    for figure in placement.get("figures", ()):
        is_missed = _misses(image, size_bytes, figure["about"], figure["value"])
        code = f"platform_{figure['about']}"
        if is_missed is None:
            told.pop(code, None)  # too close to call
        elif is_missed:
            missed[code] = "fail" if figure["confidence"] == "official" else "warn"
    if told != missed:
        yield f"is told to miss {told}, and misses {missed}"


def _misses(image: Image.Image, size_bytes: int, about: str, value: Any) -> bool | None:
    """Whether a picture misses a figure; None where another way of counting could say otherwise."""
    width, height = image.size
    if about == "background" and isinstance(value, list):
        stained = _stained(image, value)
        return None if 0.005 < stained < 0.02 else stained >= 0.02
    if about in {"fill", "fill_min"}:
        return None  # where a product ends is a matter of opinion
    if about == "ratio":
        ratios = [value] if isinstance(value, str) else value
        shapes = [int(a) / int(b) for a, b in (ratio.split(":") for ratio in ratios)]
        return all(abs(width / height / shape - 1) > 0.02 for shape in shapes)
    if about == "formats":
        return not EXTENSIONS[str(image.format)] & set(value)
    checks: Mapping[str, Callable[[], bool]] = {
        "min_size": lambda: width < value[0] or height < value[1],
        "max_size": lambda: width > value[0] or height > value[1],
        "min_width": lambda: width < value,
        "min_long": lambda: max(image.size) < value,
        "max_long": lambda: max(image.size) > value,
        "width_range": lambda: not value[0] <= width <= value[1],
        "max_height": lambda: height > value,
        "max_megapixels": lambda: width * height > value * 10**6,
        "max_bytes": lambda: size_bytes > value,
    }
    return about in checks and checks[about]()


def _stained(image: Image.Image, colour: list[int]) -> float:
    """The share of pixels in the border that differ from *colour* by more than JPEG explains."""
    band = max(2, round(min(image.size) * BAND))
    differences = np.abs(np.asarray(image.convert("RGB"), dtype=int) - colour).max(axis=2)
    is_border = np.ones(differences.shape, dtype=bool)
    is_border[band:-band, band:-band] = False
    return float((differences[is_border] > 6).mean())


def _picture(image: Image.Image, file: Table, placement: Table, is_placeholder: bool) -> Iterator[str]:
    wanted = placement.get("format", "JPEG")
    if image.format != wanted:
        yield f"is {image.format}, not {wanted}"
    mode = "RGBA" if placement.get("background") == "transparent" else "RGB"
    if image.mode != mode and "wrong_mode" not in _codes(file):
        yield f"has the mode {image.mode}"
    if image.getexif():
        yield "carries EXIF data"
    if image.size != (file["width"], file["height"]):
        yield f"is {image.size}, listed as {file['width']} × {file['height']}"
    yield from _size(image.size, placement, _codes(file))
    comment = image.info.get("comment") or image.info.get("Comment") or b""
    text = comment.decode(errors="replace") if isinstance(comment, bytes) else str(comment)
    if ("placeholder" in text) is not is_placeholder:
        yield f"its comment is {text!r}"


def _size(size: tuple[int, int], placement: Table, verdicts: set[str]) -> Iterator[str]:
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
