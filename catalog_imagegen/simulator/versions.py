"""What ComfyUI's versions do differently, as far as it was observed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Version:
    """One version of the protocol."""

    name: str
    is_old: bool
    """Fewer keys in what /object_info and /system_stats tell."""
    os: str
    has_jobs: bool
    """The routes below /api/jobs."""
    names_missing_class: bool
    """An unknown class is refused as missing_node_type, with the class in extra_info."""
    wants_uuid: bool
    """A prompt_id must be a canonical UUID; else any text will do."""
    sees_cycles: bool
    refuses_cross_site: bool
    """Sec-Fetch-Site: cross-site is forbidden."""
    throttles_progress: bool
    """At most about ten progress events a second; else one for every step."""
    sends_previews: bool
    """A prompt can ask for previews by extra_data.preview_method."""
    refuses_editor_files: bool
    """A graph in the editor's format is a 400; else a plain 500."""
    remembers_cached_for_nobody: bool
    """History names cached files also of prompts without a client id (upstream PR 14939)."""


VERSIONS = {
    "0.33.0": Version(
        "0.33.0",
        is_old=False,
        os="linux",
        has_jobs=True,
        names_missing_class=True,
        wants_uuid=True,
        sees_cycles=True,
        refuses_cross_site=True,
        throttles_progress=True,
        sends_previews=True,
        refuses_editor_files=False,
        remembers_cached_for_nobody=True,
    ),
    "0.3.75": Version(
        "0.3.75",
        is_old=True,
        os="posix",
        has_jobs=False,
        names_missing_class=False,
        wants_uuid=False,
        sees_cycles=False,
        refuses_cross_site=False,
        throttles_progress=False,
        sends_previews=False,
        refuses_editor_files=True,
        remembers_cached_for_nobody=False,
    ),
}


def version(name: str) -> Version:
    """Find a version; raises ValueError for one that was never observed."""
    if name not in VERSIONS:
        raise ValueError(f"no version {name!r} was observed; use one of {', '.join(VERSIONS)}")
    return VERSIONS[name]
