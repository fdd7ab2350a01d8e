"""Reads catalogs by their import profiles: chosen by name, by the file's name, or by its headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from catalog_imagegen.adapters.catalogs import Columns, Way, map_catalog, read_catalog, split_location
from catalog_imagegen.adapters.catalogs.columns import plain
from catalog_imagegen.adapters.catalogs.defaults import as_read
from catalog_imagegen.adapters.catalogs.fingerprints import fingerprints
from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.config import Workspace, expand, load_columns
from catalog_imagegen.config.profiles import FOLDER, NO_PROFILE, Profile, load_profiles, named, only_one
from catalog_imagegen.domain.errors import CatalogError, ConfigError

if TYPE_CHECKING:
    from catalog_imagegen.adapters.catalogs.grid import Row
    from catalog_imagegen.adapters.catalogs.mapping import TableMapping
    from catalog_imagegen.domain.catalog import Issue, Reading

Why = Literal["asked", "name", "headers"]
_WHYS: dict[Why, tuple[str, str]] = {
    "asked": ("as was asked for", "由 --profile 或来源的 profile 指定"),
    "name": ("as its `files` fit the file's name", "因为文件名符合 files"),
    "headers": ("as its `headers` fit", "因为表头符合 headers"),
}
_MAYBE_BY_RULES = frozenset({
    "ambiguous_columns", "empty_catalog", "encoding_wrong", "header_row_blank", "no_header_found", "not_a_database",
    "password_wrong", "required_column_missing", "table_not_found",
})  # fmt: skip
"""Errors that a profile may be the reason of."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A profile, and why it is taken."""

    profile: Profile
    why: Why


def read_by_profile(location: str, way: Way, workspace: Workspace, *, wanted: str = "") -> Reading:
    """Read a catalog by the profile that is *wanted* or fits, else by the workspace's columns alone."""
    reading, chosen, looking = _by_profile(read_catalog, location, way, workspace, wanted)
    if chosen is None:
        return reading
    return replace(reading, issues=(*_notes(chosen, looking), *reading.issues))


def map_by_profile(
    location: str, way: Way, workspace: Workspace, *, wanted: str = ""
) -> tuple[tuple[TableMapping, ...], str]:
    """What the headers of a catalog mean, and the name of the profile that says so, if one does."""
    tables, chosen, _ = _by_profile(map_catalog, location, way, workspace, wanted)
    return tables, chosen.profile.name if chosen else ""


def check_profile(profile: Profile, columns: Columns) -> None:
    """Raises ConfigError for a profile that cannot be used."""
    _adapted(columns, profile)


def _by_profile(
    read: Callable[..., T], location: str, way: Way, workspace: Workspace, wanted: str
) -> tuple[T, Chosen | None, _Looking]:
    columns = Columns.from_toml(load_columns(workspace))
    profiles = load_profiles(workspace)
    is_none = wanted.casefold() == NO_PROFILE
    chosen = None if is_none else _chosen(profiles, wanted, location)
    looking = _Looking([] if is_none else [each for each in profiles if each.table.headers], chosen)
    if chosen is None:
        try:
            return read(location, columns=columns, way=way, look=looking.look), None, looking
        except _Fits as found:
            chosen = Chosen(found.profile, "headers")
    looking = _Looking(looking.profiles, chosen)
    place, way = _adapted_way(location, way, chosen.profile)
    columns = _adapted(columns, chosen.profile)
    try:
        return read(place, columns=columns, way=way, look=looking.look), chosen, looking
    except CatalogError as error:
        _explain(error, chosen.profile)


def _chosen(profiles: Sequence[Profile], wanted: str, location: str) -> Chosen | None:
    """The profile that can be told without looking into the catalog."""
    if wanted:
        return Chosen(named(profiles, wanted), "asked")
    if "://" in location or not profiles:
        return None
    name = split_location(location)[0].name
    fitting = [profile for profile in profiles if profile.is_for(name)]
    found = only_one(fitting, f"the file name {name}", f"文件名 {name}")
    return Chosen(found, "name") if found else None


class _Fits(Exception):  # no error: it ends a reading that begins anew
    """A profile was made for headers like these."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile.name)
        self.profile = profile


class _Looking:
    """Looks at the first rows of every table for headers that profiles were made for."""

    def __init__(self, profiles: Sequence[Profile], chosen: Chosen | None) -> None:
        self.profiles = profiles
        self._chosen = chosen
        self.seen: set[str] = set()

    def look(self, rows: Sequence[Row]) -> None:
        """Raises _Fits while no profile is chosen, and ConfigError where several fit equally."""
        if not self.profiles:
            return
        found = fingerprints(rows)
        self.seen |= found
        chosen = self._chosen
        if chosen is not None and chosen.why != "headers":
            return
        fitting = {profile.path: profile for profile in self.profiles if profile.table.headers in found}
        if chosen is not None:
            fitting[chosen.profile.path] = chosen.profile
        profile = only_one(list(fitting.values()), "its headers", "它的表头")
        if chosen is None and profile is not None:
            raise _Fits(profile)


def _notes(chosen: Chosen, looking: _Looking) -> list[Issue]:
    """What was chosen, and whether the catalog still looks as it did then."""
    profile, (why, why_zh) = chosen.profile, _WHYS[chosen.why]
    path = f"{FOLDER}/{profile.path.name}"
    notes = [issue("profile_used", "file", name=profile.name, path=path, why=why, why_zh=why_zh)]
    if profile.table.headers and profile.table.headers not in looking.seen:
        notes.append(issue("profile_headers_differ", "file", name=profile.name))
    return notes


def _adapted_way(location: str, way: Way, profile: Profile) -> tuple[str, Way]:
    """How a catalog is read: what was typed comes before what the profile says."""
    table = profile.table
    password = way.password or expand(table.password, place=f"{profile.path}: password")
    way = replace(
        way,
        password=password,
        encoding=way.encoding or table.encoding,
        header_row=way.header_row or table.header_row,
    )
    if "://" in location:
        is_told = way.table or way.query or "#" in location
        return location, way if is_told else replace(way, table=table.sheet)
    path, told = split_location(location, way.table)
    return str(path), replace(way, table=told or table.sheet)


def _adapted(columns: Columns, profile: Profile) -> Columns:
    """The columns as the profile has them. Raises ConfigError for what contradicts itself."""
    table = profile.table
    headers: dict[str, str] = {}
    for header, field in [*table.columns.items(), *((header, "") for header in table.ignore.headers)]:
        name = plain(header, columns.ignored_in_brackets)
        if headers.setdefault(name, field) != field:
            raise ConfigError(
                f"{profile.path}: columns: {header!r} is told twice and differently; remove one of the lines",
                zh=f"{profile.path}：columns：表头“{header}”出现了两次且含义不同；请删除其中一行",
                code="profile_header_twice",
            )
    return columns.adapted(
        table.columns,
        splitters=table.splits,
        defaults={field: _default(profile, field, texts) for field, texts in table.defaults.items()},
        ignored=table.ignore.headers,
        footers=table.ignore.rows,
    )


def _default(profile: Profile, field: str, texts: tuple[str, ...]) -> Any:
    value = as_read(field, texts)
    if value is None:
        raise ConfigError(
            f"{profile.path}: defaults.{field}: {', '.join(texts)!r} is no value of this field; write one text "
            "(a price as digits), or remove the line",
            zh=f"{profile.path}：defaults.{field}：“{'、'.join(texts)}”不能作为该字段的值；"
            "请写一个不为空的文字（价格只写数字），或删除该行",
            code="profile_default",
        )
    return value


def _explain(error: CatalogError, profile: Profile) -> NoReturn:
    """Where the profile may be the reason, say that it was used."""
    if error.code in _MAYBE_BY_RULES:
        error.message_en += (
            f" (read by the import profile {profile.name!r}, {profile.path.name}; --profile NAME takes another, "
            f"--profile {NO_PROFILE} does without)"
        )
        error.message_zh += (
            f"（按导入方案“{profile.name}”读取，文件 {profile.path.name}；要换方案请用 --profile 名称，"
            f"不用方案请用 --profile {NO_PROFILE}）"
        )
    raise error
