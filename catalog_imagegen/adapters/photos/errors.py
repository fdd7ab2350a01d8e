"""What can be wrong with a photo in a file, each with its remedy."""

from __future__ import annotations

from collections.abc import Sequence

from catalog_imagegen.domain.errors import PhotoError

FOLDER = "photos"
"""Of the workspace: where photos lie that the catalog names by file name alone."""


def is_web_address(location: str) -> PhotoError:
    """Nobody here reads web addresses."""
    return PhotoError(
        f"{location} is a web address, and photos are read from files only; download it into the folder {FOLDER}/ of the "
        "workspace and write its file name into the catalog",
        zh=f"{location} 是网址，目前只能读取本地照片；请下载到工作区的 {FOLDER} 文件夹，并在商品表中填写文件名",
        code="photo_is_url",
    )


def not_found(location: str) -> PhotoError:
    """No file of that name."""
    return PhotoError(
        f"there is no photo {location}; put it into the folder {FOLDER}/ of the workspace, or write its full path into "
        "the catalog",
        zh=f"找不到照片 {location}；请把它放入工作区的 {FOLDER} 文件夹，或在商品表中填写完整路径",
        code="photo_not_found",
    )


def ambiguous(location: str, places: Sequence[str]) -> PhotoError:
    """Several files of that name in different folders."""
    there = ", ".join(places[:3]) + (", …" if len(places) > 3 else "")  # noqa: PLR2004 - a line's worth
    return PhotoError(
        f"several photos are called {location}: {there}; write the folder before the name into the catalog, or leave "
        "only one of them",
        zh=f"有多张照片名为 {location}：{there}；请在商品表的文件名前写上文件夹，或只保留其中一张",
        code="photo_ambiguous",
    )


def leads_out(location: str) -> PhotoError:
    """A relative path to somewhere else."""
    return PhotoError(
        f"{location} leads out of the workspace; put the photo into its folder {FOLDER}/, or write the full path into "
        "the catalog",
        zh=f"{location} 指向工作区之外；请把照片放入工作区的 {FOLDER} 文件夹，或在商品表中填写完整路径",
        code="photo_outside",
    )


def no_file(location: str) -> PhotoError:
    """A folder, a pipe, a device."""
    return PhotoError(
        f"{location} is no file with a photo; write the path of a JPEG, PNG or WebP file into the catalog",
        zh=f"{location} 不是照片文件；请在商品表中填写 JPEG、PNG 或 WebP 文件的路径",
        code="photo_no_file",
    )


def unreadable(location: str, error: Exception) -> PhotoError:
    """A file that the system does not open."""
    reason = getattr(error, "strerror", None) or str(error)
    return PhotoError(
        f"the photo {location} cannot be read ({reason}); check the file and its permissions",
        zh=f"无法读取照片 {location}（{reason}）；请检查该文件及其权限",
        code="photo_unreadable",
    )


def damaged(location: str) -> PhotoError:
    """A file that does not decode."""
    return PhotoError(
        f"{location} is damaged, or no JPEG, PNG or WebP photo; open it in an image program and save it as JPEG",
        zh=f"{location} 已损坏，或不是 JPEG、PNG、WebP 照片；请用图片软件打开并另存为 JPEG",
        code="photo_damaged",
    )


def too_large(location: str, has: str, allowed: str) -> PhotoError:
    """More bytes or pixels than servers take."""
    return PhotoError(
        f"the photo {location} is too large ({has}; at most {allowed}); save it smaller",
        zh=f"照片 {location} 太大（{has}，最大 {allowed}）；请缩小后保存",
        code="photo_too_large",
    )
