"""Writes docs/configuration.md from the program's own tables: ``python -m tests.docs.configuration``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from catalog_imagegen.adapters.catalogs.columns_file import FieldTable, HeaderTable
from catalog_imagegen.config import platforms, screening, setup
from catalog_imagegen.config.gates import GateTable
from catalog_imagegen.config.layouts import BoxTable, LayoutsFile, PlateTable, StrokeTable
from catalog_imagegen.config.profiles import IgnoreTable, ProfileTable
from catalog_imagegen.config.settings import (
    PREFIX,
    LedgerSettings,
    PhotosSettings,
    ServerSettings,
    Settings,
    SourceSettings,
    SyncSettings,
)
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "configuration.md"
HEAD = """\
# Every setting

This page is made from the program's own tables and is never edited by hand: `python -m tests.docs.configuration`.

Flags of a command come before environment variables, which come before the files of the workspace, which come before what is
packaged. In a variable write lists and tables as JSON: `CATALOG_IMAGEGEN_PLATFORMS='["amazon"]'`. An unknown key is an error, so that no
typing mistake goes unnoticed; `doctor` lists everything that is wrong at once.
"""
VARIABLES = """\
## Environment variables

| variable | meaning |
|---|---|
| `CATALOG_IMAGEGEN_…` | each key of `config/app.toml`, as listed there |
| `CATALOG_IMAGEGEN_WORKSPACE` | the workspace, where `--workspace` does not name it |
| `CATALOG_IMAGEGEN_PASSWORD` | opens a workbook that was saved with a password, where `--password` does not |
| `LC_ALL`, `LC_MESSAGES`, `LANG` | the language while `language` is `"auto"`: Chinese where it begins with `zh`, else English; where none is set, or `C`, tables are English and messages come in both |
| `${NAME}` | in `path`, `query` and `password` of a source and in `url` of the ledger: any variable, for passwords |
"""
PLATFORM_WORDS: Mapping[str, str] = {
    "title": "What the marketplace is called",
    "listing_per": "`sku`: every variant has a listing of its own; `spu`: one shows all variants",
    "checked": "The day its figures were looked up; a date at the top of the file is that of all",
    "placements": "The places of a listing, in their order",
}
PLACEMENT_WORDS: Mapping[str, str] = {
    "name": "Its name, also in `listing.json`",
    "title": "What merchandisers call it",
    "roles": "The roles it is filled from, in this order",
    "size": "The box in pixels: width, height",
    "min_size": "Smaller files fail, beside the box",
    "crop": "what `cover` keeps: where most is to be seen, or the middle",
    "background": (
        "`keep`; `white`: a light background becomes pure white; `transparent` (not JPEG); `#RRGGBB`: another colour; "
        "`blur`: what `pad` leaves free shows the picture itself, blurred"
    ),
    "fill": "the product's longer side as a share of the frame; 0 leaves it as it is",
    "shadow": "whether a soft shadow stays on a new background",
    "safe_zone": "share of the frame at each edge that the product stays out of",
    "sharpen": "percent of unsharp masking after resizing, 0 to 200",
    "visible_label": "`always`: generated pictures say so in a corner; `never`: only in their metadata",
    "fit": "`cover`: fill and crop; `contain`: inside; `pad`: inside, white around; `width`: exact width, capped height",
    "format": "Of the file",
    "quality": "JPEG quality to begin with; it goes down to 40 as far as `max_bytes` asks",
    "max_bytes": "Our cap in bytes, metadata included",
    "count": "Files at most",
    "file_name": (
        "Name without extension; may use `{sku}` `{role}` `{order}` `{n}` `{kind}`, and columns of the catalog with one of "
        "these to stand in: `{asin|sku}`"
    ),
    "figures": "What the platform itself says",
}
FIGURE_WORDS: Mapping[str, str] = {
    "about": "One of " + " ".join(f"`{about}`" for about in platforms.ABOUTS),
    "value": "A number, a text, a list or true/false, as its subject asks for",
    "confidence": "`official`: a file that misses it fails; `secondary` or `memory`: it is warned of",
    "source": "A table of `[sources]`",
    "note": "For people",
}
CITATION_WORDS: Mapping[str, str] = {
    "title": "What it is",
    "kind": "How close it is to the marketplace",
    "age": "Of when it is",
    "url": "Where it can be read",
}
COLUMNS = """\
Each key is a word of `file_name`, its value a list of headers: the first whose column has a value is taken. Packaged are `asin`, `isbn`,
`gtin` and `barcode`. More: [file names](platforms.md#files).
"""
HEADER_WORDS: Mapping[str, str] = {
    "ignored_in_brackets": "Remarks in brackets that are no part of a header: 售价（元）is 售价",
    "footers": "Beginnings of totals and remarks rows, which are skipped",
    "row_numbers": "Columns that only count the rows",
}
FIELD_WORDS: Mapping[str, str] = {
    "aliases": "Headers that mean this field; a list here replaces the packaged one",
    "splitters": "Further signs that part the items of a list field",
    "required": "A row without it is refused",
}
PROFILE_HEAD = """\
How the catalogs of one supplier are read; any number of files. More: [import profiles](catalogs.md#headers-of-a-supplier-import-profiles).
"""
LAYOUTS_HEAD = """\
Laid over the packaged file in the same way, so that a box can be changed key by key; `text = ""` leaves one out. More:
[texts on pictures](roles.md#texts-on-pictures).
"""
GATES_HEAD = """\
Laid over the packaged file in the same way; a role's table goes before `[all]`. `[wordings]` has for each gate the list of what prompts of new takes
say in addition. The packaged figures stand in the file, beside what they were measured on. More: [gates](gates.md).
"""
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
}


def page() -> str:
    """The whole page."""
    return (
        "\n".join(
            [
                HEAD,
                "## config/app.toml\n",
                *_table(Settings, variables=True),
                "### `[[comfyui]]`: a render server; may be repeated\n",
                *_table(ServerSettings),
                "### `[photos]`: pictures that the catalog names by web address\n",
                *_table(PhotosSettings),
                "### `[sync]`: how much a sync may do by itself\n",
                *_table(SyncSettings),
                "### `[ledger]`: where the ledger is, if not in the workspace\n",
                "More: [the ledger in PostgreSQL](ledger.md).\n",
                *_table(LedgerSettings),
                "### `[[source]]`: a catalog that `sync` reads; may be repeated\n",
                *_table(SourceSettings),
                VARIABLES,
                "## config/roles.toml\n",
                "What the keys are for: [roles](roles.md).\n",
                "### `[roles.NAME]`\n",
                *_table(setup._RoleTable),
                "### `[workflows.NAME]`\n",
                *_table(setup._WorkflowTable),
                "## config/platforms.toml\n",
                "Laid over the packaged file: tables are merged, lists replaced. More: [marketplaces](platforms.md).\n",
                "### `[platforms.NAME]`\n",
                *_table(platforms._PlatformTable, PLATFORM_WORDS),
                "### `[[platforms.NAME.placements]]`\n",
                *_table(platforms._PlacementTable, PLACEMENT_WORDS),
                "### `figures` of a placement\n",
                *_table(platforms._FigureTable, FIGURE_WORDS),
                "### `[sources.NAME]`\n",
                *_table(platforms._SourceTable, CITATION_WORDS),
                "### `[columns]`\n",
                COLUMNS,
                "## config/layouts.toml\n",
                LAYOUTS_HEAD,
                *_table(LayoutsFile),
                "### `[layouts.NAME.BOX]`\n",
                *_table(BoxTable),
                "### `stroke` of a box\n",
                *_table(StrokeTable),
                "### `plate` of a box\n",
                *_table(PlateTable),
                "## config/screening.toml\n",
                "Laid over the packaged file in the same way. More: [words that pictures must not show](screening.md).\n",
                *_table(screening.ScreeningFile),
                "### `[lists.NAME]`\n",
                *_table(screening._ListTable),
                "## config/gates.toml\n",
                GATES_HEAD,
                "### `[all]`, `[roles.NAME]`\n",
                *_table(GateTable),
                "## config/columns.toml\n",
                "Laid over the packaged file in the same way.\n",
                "### `[headers]`\n",
                *_table(HeaderTable, HEADER_WORDS),
                "### `[fields.NAME]`\n",
                *_table(FieldTable, FIELD_WORDS),
                "## config/profiles/NAME.toml\n",
                PROFILE_HEAD,
                *_table(ProfileTable),
                "### `[ignore]`\n",
                *_table(IgnoreTable),
            ]
        ).rstrip("\n")
        + "\n"
    )


def _table(
    model: type[BaseModel], words: Mapping[str, str] | None = None, *, variables: bool = False
) -> Iterator[str]:
    """One row per key of a model: meaning, type, default, range, environment variable."""
    schema = model.model_json_schema()
    columns = ["key", "meaning", "type", "default", "range", *(["environment variable"] if variables else [])]
    yield "| " + " | ".join(columns) + " |"
    yield "|---" * len(columns) + "|"
    required = schema.get("required", [])
    for name, key in schema["properties"].items():
        meaning = (words or {}).get(name) or key.get("description", "")
        if not meaning:
            raise LookupError(f"{model.__name__}.{name} has no description; add one")
        cells = [f"`{name}`", meaning, _type(key), _default(name, key, required), _range(key)]
        if variables:
            cells.append(f"`{PREFIX}{name.upper()}`")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _type(key: Mapping[str, Any]) -> str:
    """What a value is, in words."""
    if "anyOf" in key:
        return " or ".join(_type(one) for one in key["anyOf"] if one.get("type") != "null")
    if "enum" in key:
        return " ".join(f"`{json.dumps(value)}`" for value in key["enum"])
    if key.get("type") == "array":
        return _list_type(key)
    if key.get("format") == "date":
        return "date"
    return "table" if "$ref" in key else _TYPES.get(key.get("type", ""), "any")


def _list_type(key: Mapping[str, Any]) -> str:
    if "prefixItems" in key:
        return "[" + ", ".join(_type(one) for one in key["prefixItems"]) + "]"
    inner = _type(key["items"])
    return "tables" if inner == "table" else f"list of {inner}s"


def _default(name: str, key: Mapping[str, Any], required: list[str]) -> str:
    if name in required:
        return "required"
    value = key.get("default")
    return "" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"


def _range(key: Mapping[str, Any]) -> str:
    """What limits a value, in words."""
    if "anyOf" in key:
        return "; ".join(filter(None, map(_range, key["anyOf"])))
    if "prefixItems" in key:
        return f"each {each}" if (each := _range(key["prefixItems"][0])) else ""
    low, high = key.get("minimum"), key.get("maximum")
    parts = []
    if low is not None and high is not None:
        parts.append(f"{low} to {high}")
    elif low is not None:
        parts.append(f"{low} or more")
    if (above := key.get("exclusiveMinimum")) is not None:
        parts.append(f"more than {above}")
    if step := key.get("multipleOf"):
        parts.append(f"a multiple of {step}")
    if key.get("minLength"):
        parts.append("not empty")
    if key.get("minItems") and "prefixItems" not in key:
        parts.append("at least one")
    return ", ".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
