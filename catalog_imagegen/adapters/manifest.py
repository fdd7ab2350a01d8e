"""Reads ``listing.json`` back, whichever version wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, field_validator

from catalog_imagegen.domain.imaging import Verdict

MANIFEST = "listing.json"


class ListedFile(BaseModel):
    """One file of a listing; an interim ``listing.json`` has names only."""

    name: str = Field(pattern=r"^[^/\\]+$")
    placement: str = ""
    role: str = ""
    slot: int = 0
    item: str = ""
    picture: str = Field(default="", pattern=r"^((sku|spu):.*/[^/]+/[^/]+)?$")
    width: int = 0
    height: int = 0
    bytes: int = -1
    sha256: str = ""
    state: str = "draft"
    is_current: bool = True
    placeholder: bool = False
    origin: str = "generated"
    render: str = ""
    rendition_key: str = ""
    verdicts: tuple[Verdict, ...] = ()

    @field_validator("verdicts", mode="before")
    @classmethod
    def _with_words(cls, found: Any) -> Any:
        """Version 0.1 wrote bare codes."""
        verdicts = found if isinstance(found, list) else []
        return [Verdict(one, "warn", "", "") if isinstance(one, str) else one for one in verdicts]

    def is_whole(self, folder: Path) -> bool:
        """Whether the file stands in *folder* with its size."""
        try:
            return (folder / self.name).stat().st_size == self.bytes
        except OSError:
            return False


class Manifest(BaseModel):
    """A listing as its ``listing.json`` has it; without a key it is not whole."""

    listing_key: str = ""
    platform: str = ""
    files: tuple[ListedFile, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """The manifest that stands in a folder; an odd one counts for nothing, for it can be made again."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return Manifest()
