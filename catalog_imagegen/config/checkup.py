"""A workspace's files one by one, so that what is wrong in one does not hide what is wrong in another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from catalog_imagegen.config import platforms as marketplaces
from catalog_imagegen.config.designs import check_designs
from catalog_imagegen.config.files import Mistakes, read_text, read_toml, unknown, validated
from catalog_imagegen.config.layouts import load_layouts
from catalog_imagegen.config.settings import Settings
from catalog_imagegen.config.setup import (
    KEYS,
    RolesFile,
    check_role,
    load_vocabulary,
    make_roles,
    read_workflow,
    template_files,
)
from catalog_imagegen.config.workspace import Workspace, defaults
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import ImageRole, Platform
from catalog_imagegen.pipeline.designing import text_templates
from catalog_imagegen.pipeline.shapes import check_shapes
from catalog_imagegen.stages.prompt import PromptBook
from catalog_imagegen.stages.workflow import POINTS, Point, Workflow

Templates = Mapping[str, str]


def mistakes(look: Callable[[], object]) -> list[ConfigError]:
    """Everything wrong that *look* stumbles over; empty when nothing is."""
    try:
        look()
    except Mistakes as error:
        return [error, *error.others]
    except ConfigError as error:
        return [error]
    return []


def load_roles(workspace: Workspace) -> Mapping[str, ImageRole]:
    """The roles of ``roles.toml`` alone, not compared with anything."""
    return make_roles(_roles_file(workspace))


def load_platforms(workspace: Workspace, roles: Mapping[str, ImageRole] | None) -> Mapping[str, Platform]:
    """The platforms, compared with the roles unless these cannot be read (None)."""
    if roles is None:
        return marketplaces.load_platforms(workspace, {}, packaged_roles=_Everything())
    packaged = read_toml(defaults() / "config" / "roles.toml")["roles"]
    return marketplaces.load_platforms(workspace, roles, packaged_roles=packaged)


class _Everything(tuple[str, ...]):
    """All names there may be."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return True


def load_workflow(workspace: Workspace, name: str) -> Workflow:
    """One workflow, with the points that ``roles.toml`` maps where that can be read."""
    folder = workspace.own_or_packaged("config/workflows")
    paths = {path.stem: path for path in sorted(folder.glob("*.json"))}
    if name not in paths:
        raise unknown("workflow", "工作流", folder, name, paths)
    try:
        tables = _roles_file(workspace).workflows
    except ConfigError:
        tables = {}
    return read_workflow(paths[name], tables[name].points if name in tables else {})


def workflow_names(workspace: Workspace) -> list[str]:
    """The workflows that enabled roles name, however wrong the rest of ``roles.toml`` may be.

    Those of the packaged roles where it cannot be read at all.
    """
    for path in (workspace.own_or_packaged("config/roles.toml"), defaults() / "config" / "roles.toml"):
        try:
            tables = read_toml(path).get("roles", {})
        except ConfigError:
            continue
        found = (
            table.get("workflow")
            for table in (tables.values() if isinstance(tables, dict) else ())
            if isinstance(table, dict) and table.get("enabled", True) is not False
        )
        return list(dict.fromkeys(name for name in found if isinstance(name, str)))
    return []


def misfits(
    workspace: Workspace,
    settings: Settings,
    roles: Mapping[str, ImageRole] | None,
    platforms: Mapping[str, Platform] | None,
) -> list[tuple[str, ConfigError]]:
    """Names in one file that another has not, by the file to mend; None for a file that cannot be read."""
    place = "config/app.toml: platforms"
    found = [
        ("config/app.toml", unknown("platform", "平台", place, name, platforms or ()))
        for name in settings.platforms
        if platforms is not None and name not in platforms
    ]
    enabled = [platforms[name] for name in settings.platforms if name in platforms] if platforms else []
    shapes = mistakes(lambda: check_shapes(enabled, roles or {}))
    found += [("config/platforms.toml", error) for error in shapes]
    misfitting = [*_misfitting_roles(workspace, roles or {}), *_misfitting_designs(workspace, roles or {})]
    return found + [("config/roles.toml", error) for error in misfitting]


def _misfitting_roles(workspace: Workspace, roles: Mapping[str, ImageRole]) -> list[ConfigError]:
    """Roles that lack a template, or ask of their workflow what it does not offer."""
    if not roles:
        return []
    path = workspace.own_or_packaged("config/roles.toml")
    names = PromptBook({file.name: "" for file in template_files(workspace)}, {})
    workflows = {}
    for role in roles.values():
        try:
            workflows[role.workflow] = load_workflow(workspace, role.workflow)
        except ConfigError:  # is reported with the workflow; as far as the role goes it may offer anything
            anything = {point: Point("", "", "tracing") for point in POINTS}
            workflows[role.workflow] = Workflow(role.workflow, {}, anything, "")
    tables = _roles_file(workspace).roles
    return [
        error
        for name, table in tables.items()
        for error in mistakes(lambda n=name, t=table: check_role(n, t, path, workflows, names))  # type: ignore[misc]  # bound now
    ]


def _misfitting_designs(workspace: Workspace, roles: Mapping[str, ImageRole]) -> list[ConfigError]:
    """Roles whose layout or parts are not there; nothing while the layouts cannot be read."""
    try:
        layouts = load_layouts(workspace).by_name
    except ConfigError:
        return []
    path = workspace.own_or_packaged("config/roles.toml")
    return mistakes(lambda: check_designs(roles, layouts, path))


def check_layouts(workspace: Workspace) -> None:
    """Raises ConfigError for a layout that is wrong, or a text in it that is no template."""
    PromptBook({}, {}, text_templates({}, load_layouts(workspace).by_name))


def load_templates(workspace: Workspace) -> tuple[PromptBook, Mapping[str, ConfigError]]:
    """The templates that work, and what is wrong with each of the others (and with the vocabulary).

    A template that only needs one that does not work is in neither.
    """
    good: dict[str, str] = {}
    wrong: dict[str, ConfigError] = {}
    for path in template_files(workspace):
        try:
            good[path.name] = read_text(path)
        except ConfigError as error:
            wrong[path.name] = error
    vocabulary: Mapping[str, list[Mapping[str, object]]] = {}
    try:
        vocabulary = load_vocabulary(workspace)
    except ConfigError as error:
        wrong["vocabulary.toml"] = error
    if not wrong:
        with suppress(ConfigError):  # what is wrong with which is found out below
            return PromptBook(good, vocabulary), {}
    wrong |= _uncompilable(good, everything={*good, *wrong})
    good = {name: text for name, text in good.items() if name not in wrong}
    while lost := _uncompilable(good, everything={*good}):
        good = {name: text for name, text in good.items() if name not in lost}
    return PromptBook(good, vocabulary), wrong


def _uncompilable(templates: Templates, *, everything: set[str]) -> dict[str, ConfigError]:
    """What is wrong with each template, as if all others there are were empty."""
    blank = dict.fromkeys(everything, "")
    return {
        name: error
        for name, text in templates.items()
        for error in mistakes(lambda n=name, t=text: PromptBook(blank | {n: t}, {}))  # type: ignore[misc]  # bound now
    }


def _roles_file(workspace: Workspace) -> RolesFile:
    path = workspace.own_or_packaged("config/roles.toml")
    return validated(RolesFile, read_toml(path), path, KEYS)
