"""Reads text and TOML files, and explains what is wrong in them."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog_imagegen.config.workspace import Workspace, defaults
from catalog_imagegen.domain.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """A table whose unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def overlaid(workspace: Workspace, name: str) -> Mapping[str, Any]:
    """The packaged tables, overlaid by the workspace's: tables are merged, anything else is replaced."""
    packaged = read_toml(defaults() / name)
    own = workspace.root / name
    return _merge(packaged, read_toml(own)) if own.is_file() else packaged


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        both_tables = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def read_text(path: Path) -> str:
    """The text of a file that must be UTF-8, with or without a byte order mark."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: not UTF-8 text; save it again as UTF-8",
            zh=f"{path}：不是 UTF-8 文本；请另存为 UTF-8 编码",
            code="not_utf8",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); check the file and its permissions",
            zh=f"无法读取 {path}（{error.strerror}）；请检查该文件及其权限",
            code="unreadable",
        ) from error


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file. Raises ConfigError that names the line."""
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path}: {error}; mend that line",
            zh=f"{path}：{error}；请修改该行",
            code="toml_syntax",
        ) from error


def validated(model: type[M], table: Mapping[str, Any], path: Path, keys: Iterable[str]) -> M:
    """A table as its model has it; *keys* are those that could have been meant."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise explain(error, path, keys) from error


def explain(error: ValidationError, path: Path | str, keys: Iterable[str]) -> ConfigError:
    """The first mistake, by its key; an unknown key with the one that was probably meant."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(first["loc"][-1]), list(keys), n=1)
        hint = f"; did you mean {near[0]}?" if near else "; remove it"
        return ConfigError(
            f"{path}: unknown key {key}{hint}",
            zh=f"{path}：未知的键 {key}" + (f"；您是否想写 {near[0]}？" if near else "；请删除"),
            code="unknown_key",
        )
    return ConfigError(
        f"{path}: {key}: {first['msg']} (it is {first.get('input')!r:.60}); mend it there",
        zh=f"{path}：{key} 的值不正确（{first['msg']}）；请修改",
        code="wrong_value",
    )


def unknown(kind_en: str, kind_zh: str, place: Path | str, name: str, known: Iterable[str]) -> ConfigError:
    """A name that is not there, and those that are near it."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names
    return ConfigError(
        f"{place}: there is no {kind_en} {name!r}; did you mean {' or '.join(near) or 'another'}?",
        zh=f"{place}：没有名为 {name} 的{kind_zh}；您是否想写：{'、'.join(near) or '其他名称'}？",
        code="unknown_name",
    )
