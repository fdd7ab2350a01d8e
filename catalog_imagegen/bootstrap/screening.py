"""Screens a catalog that nobody plans yet."""

from __future__ import annotations

from dataclasses import replace

from catalog_imagegen.config import Workspace, load_settings, load_setup
from catalog_imagegen.domain.catalog import Reading
from catalog_imagegen.pipeline.prepare import screened


def with_screening(reading: Reading, workspace: Workspace) -> Reading:
    """The same reading, also with what is to be said of its words. Raises ConfigError."""
    setup = load_setup(workspace)
    enabled = [name for name in load_settings(workspace).platforms if name in setup.platforms]
    return replace(reading, issues=(*reading.issues, *screened(reading.products, setup, enabled)))
