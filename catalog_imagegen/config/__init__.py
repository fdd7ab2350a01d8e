"""Reads a workspace's files into frozen values; every mistake names file, key and remedy."""

from catalog_imagegen.config.gates import load_gates
from catalog_imagegen.config.settings import ServerSettings, Settings, SourceSettings, expand, load_settings
from catalog_imagegen.config.setup import load_columns, load_points, load_prompts, load_setup
from catalog_imagegen.config.workspace import COPIED, Workspace, defaults

__all__ = [
    "COPIED",
    "ServerSettings",
    "Settings",
    "SourceSettings",
    "Workspace",
    "defaults",
    "expand",
    "load_columns",
    "load_gates",
    "load_points",
    "load_prompts",
    "load_settings",
    "load_setup",
]
