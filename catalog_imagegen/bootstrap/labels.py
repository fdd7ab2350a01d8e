"""Reads the labels of picture files."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from catalog_imagegen.adapters.content_credentials import state_of
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.label import UNREADABLE, Labels, read_labels


def labels_of(file: Path) -> tuple[Labels, str]:
    """What a picture file says about how it was made, and what C2PA says of its signature, empty without one.

    Raises ConfigError where it cannot be read, or is no picture.
    """
    content = read_file(file)
    try:
        with Image.open(io.BytesIO(content)):
            return read_labels(content), state_of(content)
    except UNREADABLE as error:
        raise ConfigError(
            f"{file} is no picture that can be read; name JPEG, PNG, WebP, AVIF or TIFF files",
            zh=f"{file} 不是可读取的图片；请指定 JPEG、PNG、WebP、AVIF 或 TIFF 文件",
            code="not_a_picture",
        ) from error


def read_file(file: Path) -> bytes:
    """The bytes of a file that somebody named. Raises ConfigError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read ({error.strerror}); check the name and your permissions",
            zh=f"无法读取 {file}（{error.strerror}）；请检查文件名和读取权限",
            code="file_unreadable",
        ) from error
