"""Finds the listings below a folder and has them judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from catalog_imagegen.adapters.files import TEMPORARY
from catalog_imagegen.adapters.manifest import MANIFEST, read_manifest
from catalog_imagegen.bootstrap.house import open_reader
from catalog_imagegen.bootstrap.labels import read_file
from catalog_imagegen.config import Workspace, load_setup
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import Platform
from catalog_imagegen.pipeline.compliance import CheckedListing, Folder, check_listing
from catalog_imagegen.pipeline.prepare import check_names
from catalog_imagegen.stages.quality.letters import surely_read

PICTURES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".avif",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".heic",
        ".heif",
        ".svg",
        ".pdf",
    }
)


def check_listings(path: Path, workspace: Workspace, platform: str = "") -> Iterator[CheckedListing]:
    """Judge each listing below *path*, or a single picture, by *platform*, else by the one its ``listing.json`` names.

    Raises ConfigError where there are no pictures, or nobody says for which platform they are.
    """
    platforms = load_setup(workspace).platforms
    if platform:
        check_names("platform", [platform], platforms)
    folders = list(_folders(path))
    if not folders:
        raise ConfigError(
            f"{path}: there are no pictures; name a picture, a listing's folder, or a folder of listings",
            zh=f"{path} 中没有图片；请指定图片、套图文件夹，或包含套图的文件夹",
            code="no_pictures",
        )
    reader = open_reader()
    for folder, files in folders:
        manifest = read_manifest(folder)
        name = platform or manifest.platform
        placements = {file.name: file.placement for file in manifest.files if name == manifest.platform}
        yield check_listing(
            Folder(
                str(folder if path.is_dir() else path),
                {file.name: read_file(file) for file in files},
                placements,
                is_ours=bool(manifest.listing_key),
                photos=frozenset(file.name for file in manifest.files if file.origin == "photo"),
                is_whole=path.is_dir(),
            ),
            _known(name, platforms, folder),
            (lambda image: surely_read(reader.read(image))) if reader is not None else None,
        )


def _known(name: str, platforms: Mapping[str, Platform], folder: Path) -> Platform:
    if name in platforms:
        return platforms[name]
    raise ConfigError(
        f"{folder}: nothing says for which marketplace these pictures are; add --platform, e.g. --platform amazon",
        zh=f"{folder}：不知道这些图片用于哪个平台；请加 --platform，例如 --platform amazon",
        code="platform_unknown",
    )


def _folders(path: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Each folder that holds pictures, with them."""
    if path.is_file():
        yield path.parent, [path]
        return
    if not path.is_dir():
        raise ConfigError(
            f"{path} does not exist; name a picture, a listing's folder, or a folder of listings",
            zh=f"{path} 不存在；请指定图片、套图文件夹，或包含套图的文件夹",
            code="file_unreadable",
        )
    for folder in sorted(
        {path, *(p for p in path.rglob("*") if p.is_dir() and not p.name.startswith(TEMPORARY))}
    ):
        files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix.casefold() in PICTURES)
        if files or (folder / MANIFEST).is_file():
            yield folder, files
