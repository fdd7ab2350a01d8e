"""Reads a workspace's files into frozen values; every mistake names file, key and remedy."""

from __future__ import annotations

import difflib
import os
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import ImageRole, Placement, Platform
from catalog_imagegen.pipeline.want import Setup
from catalog_imagegen.stages.prompt import PromptBook
from catalog_imagegen.stages.workflow import POINTS, Workflow, parse_workflow

M = TypeVar("M", bound=BaseModel)
RenderSide = Annotated[int, Field(ge=16, le=4096, multiple_of=16)]
FileSide = Annotated[int, Field(ge=1, le=20_000)]

COPIED = ("config/app.toml", "config/roles.toml", "config/workflows", "prompt_templates", "sample_catalog")
"""What ``init`` copies: an upgrade must not change anybody's prompts. The rest is overlaid."""


def defaults() -> Path:
    """The folder with the packaged ``config``, ``prompt_templates`` and ``sample_catalog``.

    In a wheel they lie inside the package, in an editable checkout at its top.
    """
    package = Path(__file__).parent
    for folder in (package / "packaged", package.parent):
        if (folder / "config" / "roles.toml").is_file():
            return folder
    raise ConfigError(
        f"{package}: the packaged defaults are missing; install catalog-imagegen again",
        zh=f"{package}：缺少内置默认文件；请重新安装 catalog-imagegen",
        code="defaults_missing",
    )


@dataclass(frozen=True, slots=True)
class Workspace:
    """One shop's folder. With *is_simulated* its state is kept apart, so placeholders never mix in."""

    root: Path
    is_simulated: bool = False
    out: Path | None = None
    """Where listings go instead of the workspace's own folder."""

    @property
    def data(self) -> Path:
        """Where the ledger and the blobs are."""
        return self.root / "data" / "simulated" if self.is_simulated else self.root / "data"

    @property
    def output(self) -> Path:
        """Where the listing folders are."""
        return self.out or self.root / ("output-simulated" if self.is_simulated else "output")

    def check(self) -> None:
        """Raises ConfigError unless this is a workspace."""
        if not (self.root / "config").is_dir():
            raise ConfigError(
                f"{self.root} is no workspace (it has no config folder); make one with "
                "catalog-imagegen init DIR, or name one with --workspace DIR",
                zh=f"{self.root} 不是工作区（没有 config 文件夹）；请先运行 catalog-imagegen init DIR，"
                "或用 --workspace DIR 指定",
                code="no_workspace",
            )


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(_Strict):
    """A ``[[comfyui]]`` table."""

    url: str = Field(pattern=r"^https?://")
    in_flight: int = Field(default=3, ge=1, le=8)


class SourceSettings(_Strict):
    """A ``[[source]]`` table: a catalog that ``sync`` reads."""

    name: str = Field(min_length=1)
    path: str = Field(min_length=1)
    table: str = ""
    query: str = ""


class Settings(BaseSettings):
    """``config/app.toml``; environment variables ``CATALOG_IMAGEGEN_…`` come first."""

    model_config = SettingsConfigDict(env_prefix="CATALOG_IMAGEGEN_", extra="forbid", frozen=True)

    platforms: tuple[str, ...] = ("taobao_tmall", "amazon")
    attempts: int = Field(default=2, ge=1, le=10)
    patience_s: float = Field(default=60.0, ge=0)
    job_timeout_s: float = Field(default=900.0, gt=0)
    comfyui: tuple[ServerSettings, ...] = (ServerSettings(url="http://127.0.0.1:8188"),)
    source: tuple[SourceSettings, ...] = ()


class _RoleTable(_Strict):
    workflow: str
    size: tuple[RenderSide, RenderSide]
    items: tuple[str, ...] = ()
    items_from: Literal["", "features", "usage_scenarios", "detail_features", "advantages", "accessories"] = (
        ""
    )
    items_need: str = Field(default="", pattern=r"^([^.]+\.[^.]+)?$")
    default_items: tuple[str, ...] = ()
    max: int = Field(default=1, ge=1, le=50)
    scope: Literal["sku", "spu"] = "sku"
    approval: Literal["human", "auto"] = "human"
    enabled: bool = True
    steps: int | None = Field(default=None, ge=1)
    cfg: float | None = Field(default=None, ge=0)


class _WorkflowTable(_Strict):
    points: dict[Annotated[str, Field(pattern=f"^({'|'.join(POINTS)})$")], str] = {}


class _RolesFile(_Strict):
    roles: dict[str, _RoleTable]
    workflows: dict[str, _WorkflowTable] = {}


class _PlacementTable(_Strict):
    name: str
    roles: tuple[str, ...] = Field(min_length=1)
    size: tuple[FileSide, FileSide]
    min_size: tuple[int, int] = (0, 0)
    fit: Literal["cover", "contain", "pad", "width"] = "cover"
    format: Literal["JPEG", "PNG"] = "JPEG"
    quality: int = Field(default=92, ge=40, le=95)
    max_bytes: int = Field(default=3 * 1024 * 1024, ge=10_000)
    count: int = Field(default=1, ge=1)
    file_name: str = Field(
        default="{sku}_{order:02}_{role}", pattern=r"^([^{}/\\]|\{(sku|role|order|n|kind)(:0?\d)?\})+$"
    )


class _PlatformTable(_Strict):
    title: str
    listing_per: Literal["sku", "spu"]
    placements: tuple[_PlacementTable, ...] = Field(min_length=1)


class _PlatformsFile(_Strict):
    platforms: dict[str, _PlatformTable]


def load_settings(workspace: Workspace) -> Settings:
    """Environment over ``config/app.toml`` over what is built in."""
    path = workspace.root / "config" / "app.toml"
    table = _read_toml(path) if path.is_file() else {}

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
    except ValidationError as error:
        variable = f"CATALOG_IMAGEGEN_{error.errors()[0]['loc'][0]}".upper()
        keys = [name for m in (Settings, ServerSettings, SourceSettings) for name in m.model_fields]
        raise _explain(error, variable if variable in os.environ else path, keys) from error


def load_setup(workspace: Workspace) -> Setup:
    """Roles, platforms, workflows and templates, checked against each other."""
    roles_path = _own_or_packaged(workspace, "config/roles.toml")
    file = _validated(_RolesFile, _read_toml(roles_path), roles_path)
    workflows = _load_workflows(workspace, file)
    prompts = load_prompts(workspace)
    for name, table in file.roles.items():
        _check_role(name, table, roles_path, workflows, prompts)
    platforms = _load_platforms(workspace)
    known = list(file.roles)
    for platform in platforms.values():
        for role in {role for placement in platform.placements for role in placement.roles}:
            if role not in file.roles:
                raise _unknown(f"config/platforms.toml: {platform.name} takes the role", role, known)
    return Setup(
        roles={name: _role(name, table) for name, table in file.roles.items()},
        platforms=platforms,
        workflows=workflows,
        prompts=prompts,
    )


def load_prompts(workspace: Workspace) -> PromptBook:
    """The templates and the vocabulary beside them."""
    folder = _own_or_packaged(workspace, "prompt_templates")
    templates = {path.name: path.read_text(encoding="utf-8-sig") for path in sorted(folder.glob("*.j2"))}
    vocabulary_path = folder / "vocabulary.toml"
    return PromptBook(templates, _read_toml(vocabulary_path) if vocabulary_path.is_file() else {})


def load_columns(workspace: Workspace) -> Mapping[str, Any]:
    """Header aliases: the packaged ones, overlaid by the workspace's."""
    return _overlaid(workspace, "config/columns.toml")


def expand(text: str, *, place: str) -> str:
    """``${NAME}`` replaced by environment variables. Raises ConfigError for one that is not set."""
    try:
        return string.Template(text).substitute(os.environ)
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"{place}: the environment variable {error} is not set; set it and run again",
            zh=f"{place}：未设置环境变量 {error}；请设置后重新运行",
            code="environment_missing",
        ) from error


def _load_workflows(workspace: Workspace, file: _RolesFile) -> Mapping[str, Workflow]:
    folder = _own_or_packaged(workspace, "config/workflows")
    paths = {path.stem: path for path in sorted(folder.glob("*.json"))}
    for name in file.workflows:
        if name not in paths:
            raise _unknown(f"{folder}: there is no workflow", name, paths)
    found = {}
    for name in dict.fromkeys(table.workflow for table in file.roles.values()):
        if name not in paths:
            raise _unknown(f"{folder}: there is no workflow", name, paths)
        points = file.workflows[name].points if name in file.workflows else {}
        found[name] = parse_workflow(name, paths[name].read_text(encoding="utf-8-sig"), points)
    return found


def _load_platforms(workspace: Workspace) -> Mapping[str, Platform]:
    path = workspace.root / "config" / "platforms.toml"
    file = _validated(_PlatformsFile, _overlaid(workspace, "config/platforms.toml"), path)
    return {name: _platform(name, table) for name, table in file.platforms.items()}


def _check_role(
    name: str, table: _RoleTable, path: Path, workflows: Mapping[str, Workflow], prompts: PromptBook
) -> None:
    if table.enabled and not prompts.has(name):
        raise ConfigError(
            f"{path}: the role {name} has no prompt_templates/{name}.j2; add the template or set enabled = false",
            zh=f"{path}：图片角色 {name} 没有模板 prompt_templates/{name}.j2；请添加模板或设 enabled = false",
            code="template_missing",
        )
    if bool(table.items) == bool(table.items_from):
        raise ConfigError(
            f"{path}: roles.{name} needs either items or items_from, not both",
            zh=f"{path}：roles.{name} 需要 items 或 items_from 其中之一",
            code="role_items",
        )
    for point in ("steps", "cfg"):
        if getattr(table, point) is not None and workflows[table.workflow].lacks(point):
            raise ConfigError(
                f"{path}: roles.{name}.{point} is set, but the workflow {table.workflow} has no such input; remove it",
                zh=f"{path}：设置了 roles.{name}.{point}，但工作流 {table.workflow} 没有该输入；请删除",
                code="workflow_point_missing",
            )


def _role(name: str, table: _RoleTable) -> ImageRole:
    fixed = {"steps": table.steps, "cfg": table.cfg}
    width, height = table.size
    return ImageRole(
        name=name,
        width=width,
        height=height,
        inputs={point: value for point, value in fixed.items() if value is not None},
        **table.model_dump(exclude={"size", "steps", "cfg"}),
    )


def _platform(name: str, table: _PlatformTable) -> Platform:
    placements = tuple(
        Placement(
            width=p.size[0],
            height=p.size[1],
            min_width=p.min_size[0],
            min_height=p.min_size[1],
            **p.model_dump(exclude={"size", "min_size"}),
        )
        for p in table.placements
    )
    return Platform(name=name, title=table.title, listing_per=table.listing_per, placements=placements)


def _own_or_packaged(workspace: Workspace, name: str) -> Path:
    own = workspace.root / name
    return own if own.exists() else defaults() / name


def _overlaid(workspace: Workspace, name: str) -> Mapping[str, Any]:
    packaged = _read_toml(defaults() / name)
    own = workspace.root / name
    return _merge(packaged, _read_toml(own)) if own.is_file() else packaged


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        both_tables = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: {error}; mend that line",
            zh=f"{path}：{error}；请修改该行",
            code="toml_syntax",
        ) from error


def _validated(model: type[M], table: Mapping[str, Any], path: Path) -> M:
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise _explain(error, path, _keys(model)) from error


def _keys(model: type[BaseModel]) -> list[str]:
    return [name for m in (model, _RoleTable, _PlatformTable, _PlacementTable) for name in m.model_fields]


def _explain(error: ValidationError, path: Path | str, keys: Iterable[str]) -> ConfigError:
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


def _unknown(what: str, name: str, known: Iterable[str]) -> ConfigError:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names
    return ConfigError(
        f"{what} {name!r}; did you mean {' or '.join(near)}?",
        zh=f"{what} {name}：不存在；您是否想写：{'、'.join(near)}？",
        code="unknown_name",
    )
