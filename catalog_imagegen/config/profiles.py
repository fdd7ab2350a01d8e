"""Import profiles: how the catalogs of one supplier are read, ``config/profiles/*.toml``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from catalog_imagegen.config.files import Strict, read_toml, unknown, validated
from catalog_imagegen.config.workspace import Workspace
from catalog_imagegen.domain.catalog import LIST_FIELDS, TEXT_FIELDS
from catalog_imagegen.domain.errors import ConfigError

FOLDER = "config/profiles"
NO_PROFILE = "none"
"""Said in place of a profile's name by whoever wants none."""
FIELDS = (*TEXT_FIELDS, *LIST_FIELDS)
SPLIT_FIELDS = tuple(name for name in LIST_FIELDS if name != "images")
DEFAULT_FIELDS = tuple(name for name in FIELDS if name not in ("sku", "name", "images"))
"""A SKU and a name are what tells products apart, and no two products have the same picture."""
_NO_FILE_NAME = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_LONGEST_NAME = 80


def _texts(value: Any) -> Any:
    """One text or a list of texts."""
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise PydanticCustomError("text_or_texts", "write a text in quotes, or a list of them")
    return tuple(texts)


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class IgnoreTable(Strict):
    """The ``[ignore]`` table."""

    headers: tuple[str, ...] = Field(default=(), description="Columns that are not read at all")
    rows: tuple[str, ...] = Field(
        default=(),
        description="Beginnings of rows to skip, beside `footers`: where the first cell begins so and the SKU or the name is empty",
    )


class ProfileTable(Strict):
    """A whole file."""

    name: str = Field(default="", description="What it is called; without it as its file is")
    files: tuple[str, ...] = Field(
        default=(), description="The files it is for, by name: `供应商A*.xlsx`; capitals do not matter"
    )
    headers: str = Field(
        default="",
        pattern=r"^([0-9a-f]{16})?$",
        description="The fingerprint of the headers it is for, as `catalog map` tells it",
    )
    sheet: str = Field(default="", description="Read this sheet or table only")
    header_row: int | None = Field(
        default=None,
        ge=1,
        description="The line of a file that has the headers; without it they are looked for",
    )
    encoding: str = Field(default="", description="Of a text file: `gb18030`, `big5`")
    password: str = Field(
        default="", description="Opens a spreadsheet saved with one; write `${NAME}`, not the password"
    )
    columns: dict[str, str] = Field(
        default={}, description="`[columns]`: header = field; comes before `config/columns.toml`"
    )
    defaults: dict[str, Texts] = Field(
        default={}, description="`[defaults]`: field = text (or list of texts) where its cell is empty"
    )
    splits: dict[str, tuple[str, ...]] = Field(
        default={}, description="`[splits]`: list field = signs that part its items; replaces its `splitters`"
    )
    ignore: IgnoreTable = Field(default_factory=IgnoreTable, description="`[ignore]`: what is left out")


_KEYS = [name for table in (ProfileTable, IgnoreTable) for name in table.model_fields]


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile and the file it stands in."""

    path: Path
    table: ProfileTable

    @property
    def name(self) -> str:
        """What it is called."""
        return self.table.name or self.path.stem

    def is_for(self, file_name: str) -> bool:
        """Whether a file of this name is read by it."""
        return any(fnmatchcase(_folded(file_name), _folded(pattern)) for pattern in self.table.files)


def load_profiles(workspace: Workspace) -> tuple[Profile, ...]:
    """All profiles of a workspace. Raises ConfigError for a mistake in any, and for two of one name."""
    profiles: dict[str, Profile] = {}
    for path in profile_files(workspace):
        profile = load_profile(path)
        other = profiles.setdefault(_folded(profile.name), profile)
        if other is not profile:
            raise ConfigError(
                f"{path} and {other.path} have the same name {profile.name!r}; change `name` in one of them",
                zh=f"{path} 与 {other.path} 的名称都是“{profile.name}”；请修改其中一个的 name",
                code="profile_twice",
            )
    return tuple(profiles.values())


def profile_files(workspace: Workspace) -> list[Path]:
    """Their files."""
    return sorted((workspace.root / FOLDER).glob("*.toml"))


def load_profile(path: Path) -> Profile:
    """One profile. Raises ConfigError with file and key."""
    table = validated(ProfileTable, _read(path), path, _KEYS)
    profile = Profile(path, table)
    check_name(profile.name, f"{path}: name")
    for header, name in table.columns.items():
        if name not in FIELDS:
            raise unknown("product field", "商品字段", f"{path}: columns.{header}", name, FIELDS)
    _check_fields("defaults", table.defaults, DEFAULT_FIELDS, path)
    _check_fields("splits", table.splits, SPLIT_FIELDS, path)
    return profile


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return read_toml(path)
    except ConfigError as error:
        if error.code == "toml_syntax":
            error.message_en += ' (a header stands in quotes: "产品代号" = "sku")'
            error.message_zh += '（表头要加英文引号："产品代号" = "sku"）'
        raise


def _check_fields(key: str, names: Iterable[str], known: Sequence[str], path: Path) -> None:
    for name in names:
        if name in known:
            continue
        if name not in FIELDS:
            raise unknown("product field", "商品字段", f"{path}: {key}", name, known)
        raise ConfigError(
            f"{path}: {key}.{name}: this field can have none; remove it (possible: {', '.join(known)})",
            zh=f"{path}：{key}.{name}：该字段不能这样设置；请删除（可用的字段：{'、'.join(known)}）",
            code="profile_field",
        )


def check_name(name: str, place: str) -> None:
    """Raises ConfigError for what cannot be the name of a profile and of its file."""
    if (
        not name.strip()
        or _NO_FILE_NAME.search(name)
        or name.startswith(".")
        or len(name) > _LONGEST_NAME
        or name.casefold() == NO_PROFILE
    ):
        raise ConfigError(
            f"{place}: {name!r} cannot name a profile; use up to {_LONGEST_NAME} letters or digits, without / \\ : * ? "
            f'" < > |, and not {NO_PROFILE!r}',
            zh=f"{place}：“{name}”不能作为方案名称；请使用不超过 {_LONGEST_NAME} 个字，"
            f'不含 / \\ : * ? " < > |，也不能是 {NO_PROFILE}',
            code="profile_name",
        )


def possible_name(text: str) -> str:
    """A name for a profile that is like *text*."""
    name = _NO_FILE_NAME.sub("_", text).strip().lstrip(".")[:_LONGEST_NAME]
    return name if name and name.casefold() != NO_PROFILE else "profile"


def named(profiles: Sequence[Profile], name: str) -> Profile:
    """The profile called so. Raises ConfigError."""
    for profile in profiles:
        if _folded(profile.name) == _folded(name):
            return profile
    if profiles:
        raise unknown("import profile", "导入方案", FOLDER, name, [profile.name for profile in profiles])
    raise ConfigError(
        f"there is no import profile {name!r}, as {FOLDER} is empty; "
        f"make one: catalog-imagegen catalog map FILE --as {name} --write",
        zh=f"没有导入方案“{name}”（{FOLDER} 为空）；请先生成：catalog-imagegen catalog map 文件 --as {name} --write",
        code="unknown_name",
    )


def only_one(fitting: Sequence[Profile], why: str, why_zh: str) -> Profile | None:
    """The profile that fits, if any does. Raises ConfigError where several fit equally."""
    if len(fitting) > 1:
        names = [f"{profile.name} ({profile.path.name})" for profile in fitting]
        raise ConfigError(
            f"several import profiles fit {why}: {' and '.join(names)}; narrow `files` or `headers` in one of them, "
            "or choose with --profile NAME (a source: its key profile)",
            zh=f"有多个导入方案符合{why_zh}：{' 和 '.join(names)}；请缩小其中一个的 files 或 headers 范围，"
            "或用 --profile 名称 指定（来源用 profile 项）",
            code="profile_ambiguous",
        )
    return fitting[0] if fitting else None


def _folded(text: str) -> str:
    """As names are compared: macOS spells some letters in two parts."""
    return unicodedata.normalize("NFC", text).casefold()
