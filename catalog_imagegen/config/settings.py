"""Settings of a workspace: environment over ``config/app.toml`` over what is built in."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from catalog_imagegen.config.files import Strict, explain, read_toml
from catalog_imagegen.config.workspace import Workspace
from catalog_imagegen.domain.errors import ConfigError

PREFIX = "CATALOG_IMAGEGEN_"


class ServerSettings(Strict):
    """A ``[[comfyui]]`` table."""

    url: str = Field(pattern=r"^https?://")
    in_flight: int = Field(default=3, ge=1, le=8)


class SourceSettings(Strict):
    """A ``[[source]]`` table: a catalog that ``sync`` reads."""

    name: str = Field(min_length=1)
    path: str = Field(min_length=1)
    table: str = ""
    query: str = ""


class Settings(BaseSettings):
    """``config/app.toml``; environment variables ``CATALOG_IMAGEGEN_…`` come first."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    platforms: tuple[str, ...] = ("taobao_tmall", "amazon")
    attempts: int = Field(default=2, ge=1, le=10)
    patience_s: float = Field(default=60.0, ge=0)
    job_timeout_s: float = Field(default=900.0, gt=0)
    comfyui: tuple[ServerSettings, ...] = (ServerSettings(url="http://127.0.0.1:8188"),)
    source: tuple[SourceSettings, ...] = ()


def load_settings(workspace: Workspace) -> Settings:
    """Environment over ``config/app.toml`` over what is built in."""
    path = workspace.root / "config" / "app.toml"
    table = read_toml(path) if path.is_file() else {}

    class FromFile(PydanticBaseSettingsSource):
        """The table of this workspace."""

        def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
            return table.get(field_name), field_name, False

        def __call__(self) -> dict[str, Any]:
            return table

    class InWorkspace(Settings):
        """Settings that know their file."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class names it
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, FromFile(settings_cls)

    try:
        return InWorkspace()
    except SettingsError as error:
        names = ", ".join(name for name in _variables() if not _is_json(os.environ[name]))
        raise ConfigError(
            f'the environment variable {names} is not JSON; write lists and tables as JSON, e.g. ["amazon"]',
            zh=f'环境变量 {names} 不是 JSON；列表请写成 JSON，例如 ["amazon"]',
            code="environment_syntax",
        ) from error
    except ValidationError as error:
        variable = f"{PREFIX}{error.errors()[0]['loc'][0]}".upper()
        keys = [name for m in (Settings, ServerSettings, SourceSettings) for name in m.model_fields]
        raise explain(error, variable if variable in os.environ else path, keys) from error


def _variables() -> list[str]:
    """The environment variables that are set for settings."""
    names = (f"{PREFIX}{field}".upper() for field in Settings.model_fields)
    return [name for name in names if name in os.environ]


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def expand(text: str, *, place: str) -> str:
    """``${NAME}`` replaced by environment variables. Raises ConfigError for one that is not set."""

    def value(match: re.Match[str]) -> str:
        if (found := os.environ.get(match[1])) is not None:
            return found
        raise ConfigError(
            f"{place}: the environment variable {match[1]} is not set; set it and run again",
            zh=f"{place}：未设置环境变量 {match[1]}；请设置后重新运行",
            code="environment_missing",
        )

    return re.sub(r"\$\{(\w+)\}", value, text)
