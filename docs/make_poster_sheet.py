"""Makes docs/poster.jpg of placeholders: two posters by the packaged layout, and two pictures side by side."""  # noqa: INP001 - a script beside the page it is for

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
HEIGHT, GAP, MARGIN, PAPER = 560, 20, 24, "#f6f4ef"
SHOWN = (("LS-E100-BK", "poster"), ("HS-DC10", "poster"), ("LS-E100-BK", "side_by_side"))
PLATFORM = """
[platforms.page]
title = "The page about roles"
listing_per = "sku"

[[platforms.page.placements]]
name = "poster"
roles = ["poster"]
size = [900, 1200]
visible_label = "always"
file_name = "poster"

[[platforms.page.placements]]
name = "pair"
roles = ["side_by_side"]
size = [1200, 800]
visible_label = "always"
file_name = "side_by_side"
"""


def run(workspace: Path, *words: str) -> None:
    """A command of the program."""
    command = [sys.executable, "-m", "catalog_imagegen", *words]
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):  # the sample catalog has rows that are wrong on purpose
        sys.exit(done.stderr)


def files(workspace: Path) -> list[Image.Image]:
    """The files that are shown, as the program made them."""
    run(HERE.parent, "init", str(workspace))
    roles = workspace / "config" / "roles.toml"
    head, photos, rest = roles.read_text(encoding="utf-8").partition("# The product's own photo")
    switched_on = head.replace("enabled = false", "enabled = true")
    roles.write_text(switched_on + photos + rest, encoding="utf-8")
    (workspace / "config" / "platforms.toml").write_text(PLATFORM, encoding="utf-8")
    skus = [word for sku in dict.fromkeys(sku for sku, _ in SHOWN) for word in ("--sku", sku)]
    catalog = str(workspace / "sample_catalog" / "products.xlsx")
    run(HERE.parent, "run", catalog, "-w", str(workspace), "--platform", "page", "--simulate", *skus)
    output = workspace / "output-simulated" / "page"
    return [Image.open(output / sku / f"{role}.jpg").convert("RGB") for sku, role in SHOWN]


def main() -> None:
    """Set them in a row."""
    with tempfile.TemporaryDirectory() as folder:
        found = files(Path(folder) / "shop")
    shown = [
        each.resize((each.width * HEIGHT // each.height, HEIGHT), Image.Resampling.LANCZOS) for each in found
    ]
    width = sum(each.width for each in shown) + GAP * (len(shown) - 1) + 2 * MARGIN
    page = Image.new("RGB", (width, HEIGHT + 2 * MARGIN), PAPER)
    left = MARGIN
    for each in shown:
        page.paste(each, (left, MARGIN))
        left += each.width + GAP
    page.save(HERE / "poster.jpg", "JPEG", quality=86, optimize=True)


if __name__ == "__main__":
    main()
