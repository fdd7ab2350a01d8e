"""Reads text and TOML files, and explains what is wrong in them."""

from __future__ import annotations

import difflib
import functools
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from catalog_imagegen.config.workspace import Workspace, defaults
from catalog_imagegen.domain.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


class Mistakes(ConfigError):
    """What is wrong with one file; speaks of the first mistake and holds the *others*."""

    def __init__(self, first: ConfigError, others: Iterable[ConfigError]) -> None:
        super().__init__(first.message_en, zh=first.message_zh, code=first.code)
        self.others = tuple(others)


class Strict(BaseModel):
    """A table whose unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def overlaid(workspace: Workspace, name: str) -> Mapping[str, Any]:
    """The packaged tables, overlaid by the workspace's: tables are merged, anything else is replaced."""
    own = workspace.root / name
    return _merge(_packaged(name), read_toml(own)) if own.is_file() else _packaged(name)


@functools.cache
def _packaged(name: str) -> Mapping[str, Any]:
    """Read once: it does not change while the program runs, and the marketplaces take 20 ms."""
    return read_toml(defaults() / name)


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


def explain(
    error: ValidationError, path: Path | str, keys: Iterable[str], elsewhere: Mapping[str, str] | None = None
) -> ConfigError:
    """Every mistake by its key, the first one foremost; *elsewhere* says which keys came from another place."""
    places, found = elsewhere or {}, error.errors()
    first, *others = (
        _explained(mistake, places.get(str(mistake["loc"][0] if mistake["loc"] else ""), path), list(keys))
        for mistake in found
        if not any(_is_inside(other, mistake) for other in found)
    )
    return Mistakes(first, others)


def _is_inside(mistake: ErrorDetails, other: ErrorDetails) -> bool:
    """Whether *mistake* is the cause of *other*, which is about the table around it."""
    depth = len(other["loc"])
    return len(mistake["loc"]) > depth and mistake["loc"][:depth] == other["loc"]


def _explained(mistake: ErrorDetails, path: Path | str, keys: list[str]) -> ConfigError:
    """One mistake; an unknown key with the one that was probably meant."""
    key = ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        name = str(mistake["loc"][-1])
        near = difflib.get_close_matches(name, [key for key in keys if key != name], n=1)
        hint = f"; did you mean {near[0]}?" if near else "; remove it"
        return ConfigError(
            f"{path}: unknown key {key}{hint}",
            zh=f"{path}：未知的键 {key}" + (f"；您是否想写 {near[0]}？" if near else "；请删除"),
            code="unknown_key",
        )
    return ConfigError(
        f"{path}: {key}: {mistake['msg']} (it is {mistake.get('input')!r:.60}); mend it there",
        zh=f"{path}：{key} 的值不正确（{_in_chinese(mistake)}）；请修改",
        code="wrong_value",
    )


_IN_CHINESE = {
    "missing": "缺少该键",
    "literal_error": "只能是 {expected}",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "string_type": "应为文字，请加引号",
    "text_or_texts": "应为带引号的文字，或文字列表",
    "tuple_type": "应为列表，如 [1, 2]",
    "dict_type": "应为表",
    "model_type": "应为表",
    "date_type": "应为日期，如 2026-11-22",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "multiple_of": "应为 {multiple_of} 的倍数",
    "too_short": "至少需要 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "string_too_short": "不能为空",
    "string_pattern_mismatch": "格式应为 {pattern}",
    "schema_name": "应为小写字母、数字和下划线，不超过 50 个，不以数字或 pg_ 开头",
    "word_without_letters": "至少需要一个文字、字母或数字",
    "naming_rule": "花括号内应为 sku、role、order、n、kind，或列名加其中之一，如 {{asin|sku}}",
    "host_or_network": "应为主机名、IP 地址或网段，不带 http:// 和端口",
}
"""What pydantic finds wrong, by its name for it."""


def _in_chinese(mistake: ErrorDetails) -> str:
    text = _IN_CHINESE.get(mistake["type"], mistake["msg"])
    return text.format(**mistake.get("ctx", {}))


def unknown(kind_en: str, kind_zh: str, place: Path | str, name: str, known: Iterable[str]) -> ConfigError:
    """A name that is not there, and those that are near it."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names
    return ConfigError(
        f"{place}: there is no {kind_en} {name!r}; did you mean {' or '.join(near) or 'another'}?",
        zh=f"{place}：没有名为 {name} 的{kind_zh}；您是否想写：{'、'.join(near) or '其他名称'}？",
        code="unknown_name",
    )
