"""Words that pictures must not show: the packaged lists, overlaid by the workspace's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from catalog_imagegen.config.files import Strict, overlaid, read_toml, unknown, validated
from catalog_imagegen.config.workspace import Workspace, defaults
from catalog_imagegen.stages.screening import Screen, WordList, letters

NAME = "config/screening.toml"


def _has_letters(text: str) -> str:
    if not letters(text):
        raise PydanticCustomError("word_without_letters", "a word needs a letter or a figure")
    return text


_Word = Annotated[str, AfterValidator(_has_letters)]


class _ListTable(Strict):
    words: tuple[_Word, ...] = Field(
        min_length=1,
        description="What is looked for, however it is spaced, widened or spelt with letters that look alike",
    )
    exceptions: tuple[_Word, ...] = Field(
        default=(), alias="except", description="Phrases in which these words are harmless: 最佳赏味期"
    )
    severity: Literal["block", "warn"] = Field(
        default="block", description="What is done where the picture would show a word"
    )
    elsewhere: Literal["block", "warn", "ignore"] = Field(
        default="warn", description="What is done where a word is only part of what the model is told"
    )
    roles: tuple[str, ...] = Field(default=(), description="Only for pictures of these roles; empty is all")
    platforms: tuple[str, ...] = Field(
        default=(), description="Only for pictures that one of these marketplaces takes; empty is all"
    )
    categories: tuple[_Word, ...] = Field(
        default=(),
        description="Only for products whose category (or name, where it has none) has one of these words; empty is all",
    )
    not_categories: tuple[_Word, ...] = Field(default=(), description="Not for products of these")
    suggestion_zh: str = Field(default="", description="What to write instead, in Chinese")
    suggestion_en: str = Field(default="", description="The same in English")
    source: str = Field(
        min_length=1, description="The rule that the list is drawn from; it is told with each word"
    )
    enabled: bool = Field(default=True, description="`false` switches the list off")


class ScreeningFile(Strict):
    """``screening.toml``: the lists by their names, and phrases that no list is about."""

    exceptions: tuple[_Word, ...] = Field(
        default=(),
        alias="except",
        description="Phrases in which words of any list are harmless, such as a brand",
    )
    lists: dict[Annotated[str, Field(min_length=1)], _ListTable] = Field(
        default={}, description="The lists, each a table of its own"
    )


KEYS = ["except", *ScreeningFile.model_fields, *_ListTable.model_fields]


def load_screen(
    workspace: Workspace, roles: Collection[str] | None, platforms: Collection[str] | None
) -> Screen:
    """The lists that are switched on, their roles and platforms compared with those there are (unless None).

    The packaged roles are known too: the workspace's may be older than the packaged lists.
    """
    file = validated(ScreeningFile, overlaid(workspace, NAME), workspace.root / NAME, KEYS)
    if roles is not None:
        roles = {*roles, *read_toml(defaults() / "config" / "roles.toml")["roles"]}
    for name, table in file.lists.items():
        _check_known("role", "图片角色", name, table.roles, roles)
        _check_known("platform", "平台", name, table.platforms, platforms)
    lists = [_word_list(name, table) for name, table in file.lists.items() if table.enabled]
    return Screen(lists, file.exceptions)


def _check_known(
    kind_en: str, kind_zh: str, of: str, named: Collection[str], known: Collection[str] | None
) -> None:
    for name in named:
        if known is not None and name not in known:
            raise unknown(kind_en, kind_zh, f"{NAME}: lists.{of}", name, known)


def _word_list(name: str, table: _ListTable) -> WordList:
    fields: dict[str, Any] = table.model_dump(exclude={"enabled", "roles", "platforms"})
    return WordList(name=name, roles=frozenset(table.roles), platforms=frozenset(table.platforms), **fields)
