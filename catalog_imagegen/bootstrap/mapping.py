"""Shows what the headers of a catalog mean, and keeps it as an import profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog_imagegen.adapters.catalogs import Way, split_location
from catalog_imagegen.bootstrap.house import write_file
from catalog_imagegen.bootstrap.profile_text import Draft, profile_text
from catalog_imagegen.bootstrap.profiles import map_by_profile
from catalog_imagegen.config import Workspace
from catalog_imagegen.config.profiles import FOLDER, check_name, possible_name
from catalog_imagegen.domain.errors import ConfigError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.mapping import TableMapping


@dataclass(frozen=True, slots=True)
class Mapped:
    """The headers of a catalog, and how they were read."""

    location: str
    way: Way
    tables: tuple[TableMapping, ...]
    profile: str
    """The import profile that fits already."""


def map_headers(location: str, way: Way, workspace: Workspace, *, profile: str = "") -> Mapped:
    """Read the headers of a catalog. Raises CatalogError."""
    tables, name = map_by_profile(location, way, workspace, wanted=profile)
    return Mapped(location, way, tables, name)


def write_profile(
    found: Mapped, name: str, workspace: Workspace, *, is_accepted: bool = False, may_replace: bool = False
) -> Path:
    """Write an import profile, called as its file where no *name* is given. Raises ConfigError where there is one."""
    workspace.check()
    path = None if "://" in found.location else split_location(found.location)[0]
    if name:
        check_name(name, "--as")
    name = name or possible_name(path.stem if path else found.tables[0].name)
    place = workspace.root / FOLDER / f"{name}.toml"
    if place.exists() and not may_replace:
        raise ConfigError(
            f"{place} exists already and was left as it is; edit it, choose another name with --as NAME, "
            "or replace it with --force",
            zh=f"{place} 已存在，未改动；请直接修改该文件，用 --as 名称 另取名字，或用 --force 覆盖",
            code="profile_exists",
        )
    draft = Draft(
        name=name,
        file_name=path.name if path else "",
        tables=found.tables,
        sheet=split_location(found.location, found.way.table)[1] if path else found.way.table,
        header_row=found.way.header_row,
        encoding=found.way.encoding,
        has_password=bool(found.way.password),
        is_accepted=is_accepted,
    )
    write_file(place, profile_text(draft).encode())
    return place
