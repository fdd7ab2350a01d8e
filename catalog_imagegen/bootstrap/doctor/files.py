"""Checks of what a shop writes down: config files, environment variables, sources."""

from __future__ import annotations

import stat
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

from catalog_imagegen.adapters.catalogs import Columns
from catalog_imagegen.bootstrap.doctor.finding import Finding, Status, fine, wrong
from catalog_imagegen.bootstrap.house import credentials_of, located, read_configured
from catalog_imagegen.bootstrap.profiles import check_profile
from catalog_imagegen.config import (
    Settings,
    SourceSettings,
    Workspace,
    defaults,
    load_columns,
    load_gates,
    load_settings,
)
from catalog_imagegen.config.checkup import check_layouts, load_platforms, load_roles, misfits, mistakes
from catalog_imagegen.config.profiles import FOLDER, load_profile, load_profiles, profile_files
from catalog_imagegen.config.screening import load_screen
from catalog_imagegen.config.settings import stray_variables
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.domain.errors import CatalogError, ConfigError
from catalog_imagegen.pipeline.shapes import too_large

T = TypeVar("T")
SOUND = ("as it should be", "正常")
MOST = 8
"""Mistakes told of one file; the others are often of the same kind."""
PACKAGED = ("as packaged", "使用内置文件")


def examine_files(workspace: Workspace, settings: Settings) -> Iterator[Finding]:
    """Each config file by itself, then against the others, then the environment."""
    roles = _or_none(lambda: load_roles(workspace))
    platforms = _or_none(lambda: load_platforms(workspace, roles))
    looks: dict[str, Callable[[], object]] = {
        "config/app.toml": lambda: load_settings(workspace),
        "config/roles.toml": lambda: load_roles(workspace),
        "config/platforms.toml": lambda: load_platforms(workspace, roles),
        "config/layouts.toml": lambda: check_layouts(workspace),
        "config/screening.toml": lambda: load_screen(workspace, roles, platforms),
        "config/gates.toml": lambda: load_gates(workspace, roles),
        "config/columns.toml": lambda: Columns.from_toml(load_columns(workspace)),
    }
    found = {name: mistakes(look) for name, look in looks.items()} | _profiles(workspace)
    for name, error in misfits(workspace, settings, roles, platforms):
        found[name].append(error)
    found["config/app.toml"] += mistakes(lambda: credentials_of(settings.labels, workspace.root))
    for name, errors in found.items():
        yield from (wrong("config", name, error) for error in errors[:MOST])
        if len(errors) > MOST:
            yield _more(name, len(errors) - MOST)
        if not errors:
            yield fine("config", name, *(SOUND if (workspace.root / name).exists() else PACKAGED))
    enabled = [platforms[name] for name in settings.platforms if name in platforms] if platforms else []
    places = list(too_large(enabled, roles or {}))
    for error in places[:MOST]:
        yield wrong("config", "config/platforms.toml", error, status="warning")
    if len(places) > MOST:
        yield _more("config/platforms.toml", len(places) - MOST, status="warning")
    for error in stray_variables():
        yield wrong("environment", "CATALOG_IMAGEGEN_…", error, status="warning")


def _profiles(workspace: Workspace) -> dict[str, list[ConfigError]]:
    """What is wrong with each import profile, then with all of them together."""
    columns = Columns.from_toml(load_columns(_sound_columns(workspace)))
    found = {
        f"{FOLDER}/{path.name}": mistakes(lambda path=path: check_profile(load_profile(path), columns))  # type: ignore[misc]  # bound now
        for path in profile_files(workspace)
    }
    if not any(found.values()) and (errors := mistakes(lambda: load_profiles(workspace))):
        found[FOLDER] = errors
    return found


def _or_none(load: Callable[[], T]) -> T | None:
    try:
        return load()
    except ConfigError:
        return None


def _more(name: str, count: int, *, status: Status = "error") -> Finding:
    error = ConfigError(
        f"{count} mistakes more; mend those above first",
        zh=f"另有 {count} 处错误；请先修改以上各项",
        code="more_mistakes",
    )
    return wrong("config", name, error, status=status)


def examine_sources(workspace: Workspace, settings: Settings) -> Generator[Finding, None, frozenset[str]]:
    """Whether each source can be read, without asking databases; returns the extra columns of those that are files."""
    headers: set[str] = set()
    for source in settings.source:
        finding, reading = _source(workspace, source)
        yield finding
        headers |= {header for product in (reading.products if reading else ()) for header in product.extra}
    return frozenset(headers)


def _source(workspace: Workspace, source: SourceSettings) -> tuple[Finding, Reading | None]:
    try:
        location, _ = located(source, workspace.root)
        if "://" in location:
            en, zh = "a database or web address, not asked now", "数据库或网址，此处未连接"
            return fine("source", source.name, en, zh), None
        _check_regular(location)
        place = _sound_columns(workspace)
        other = None if place is workspace else place
        reading = read_configured(source, workspace, columns_of=other, keeps_pictures=False).reading
    except (CatalogError, ConfigError) as error:
        return wrong("source", source.name, error, status="warning"), None
    rows = len(reading.products)
    refused = sum(issue.severity == "error" for issue in reading.issues)
    en = f"{rows} products" + (f", {refused} cells with errors: see catalog check" if refused else "")
    zh = f"{rows} 个商品" + (f"，{refused} 处错误：见 catalog check" if refused else "")
    return fine("source", source.name, en, zh, products=rows, errors=refused), reading


def _check_regular(location: str) -> None:
    """Raises CatalogError for a pipe, a socket or a device, which may let its reader wait for ever."""
    for path in (Path(location), Path(location.rpartition("#")[0])):
        try:
            mode = path.stat().st_mode
        except OSError:  # the reader says it better
            continue
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise CatalogError(
                f"{path} is no regular file and was not opened; name a file or a database in config/app.toml",
                zh=f"{path} 不是普通文件，未打开；请在 config/app.toml 中填写文件或数据库",
                code="not_a_file",
            )


def _sound_columns(workspace: Workspace) -> Workspace:
    """The workspace, or the packaged defaults while its columns cannot be read."""
    return (
        Workspace(defaults()) if mistakes(lambda: Columns.from_toml(load_columns(workspace))) else workspace
    )
