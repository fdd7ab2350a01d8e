"""Checks every moving part of a workspace; changes nothing on disk but a probe that it removes again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalog_imagegen.bootstrap.doctor import files, prompts, server, state
from catalog_imagegen.bootstrap.doctor.finding import Finding, fine, wrong
from catalog_imagegen.config import Settings, Workspace, defaults
from catalog_imagegen.config.checkup import mistakes
from catalog_imagegen.config.settings import sound_settings

__all__ = ["Finding", "examine"]


def examine(workspace: Workspace, urls: Sequence[str] = ()) -> Iterator[Finding]:
    """What is well and what is not, part by part; *urls* are the servers to look at instead of the configured.

    No part hides another, except that a folder that is no workspace has no parts.
    """
    troubles = mistakes(workspace.check)
    if troubles:
        yield from (wrong("workspace", str(workspace.root), error) for error in troubles)
        packaged = Workspace(defaults())
        yield state.fonts()
        yield from server.examine_servers(packaged, Settings.model_construct(), urls, only_named=True)
        return
    yield fine("workspace", str(workspace.root), "a workspace", "是工作区")
    settings = sound_settings(workspace)
    yield from files.examine_files(workspace, settings)
    headers = yield from files.examine_sources(workspace, settings)
    recorded = yield from state.examine_ledgers(workspace, settings)
    yield from prompts.examine_workflows(workspace)
    yield from prompts.examine_templates(workspace, headers | recorded)
    yield state.text_reader()
    yield state.fonts()
    yield from state.examine_disks(workspace, settings.min_free_gb)
    yield from server.examine_servers(workspace, settings, urls)
