"""What may stand in ``columns.toml``; the processes that parse workbooks go without it, for it takes long to load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog_imagegen.domain.errors import ConfigError


class FieldTable(BaseModel):
    """``[fields.<field>]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    aliases: tuple[str, ...] = ()
    splitters: tuple[str, ...] = ()
    required: bool = False


class HeaderTable(BaseModel):
    """``[headers]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ignored_in_brackets: tuple[str, ...] = ()
    footers: tuple[str, ...] = ()
    row_numbers: tuple[str, ...] = ()


class Document(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    headers: HeaderTable = HeaderTable()
    fields: dict[str, FieldTable] = {}


def document_of(data: Mapping[str, Any], fields: Sequence[str]) -> Document:
    """Check the tables of the file. Raises ConfigError for an unknown key, and for what is none of the product's *fields*."""
    try:
        document = Document.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"columns.toml: {key}: {first['msg']}; correct that key",
            zh=f"columns.toml：{key} 有误（{first['msg']}）；请改正该项",
            code="columns_invalid",
        ) from error
    if unknown := [name for name in document.fields if name not in fields]:
        raise ConfigError(
            f"columns.toml: fields.{unknown[0]} is no product field; use one of {', '.join(fields)}",
            zh=f"columns.toml：fields.{unknown[0]} 不是商品字段；可用的字段：{'、'.join(fields)}",
            code="columns_invalid",
        )
    return document
