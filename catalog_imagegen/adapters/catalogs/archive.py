"""Look into a workbook's zip before any parser does, and refuse what would harm us."""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from io import BytesIO
from typing import NoReturn

from catalog_imagegen.adapters.catalogs.files import FileKind, refuse_corrupt, refuse_format, refuse_password
from catalog_imagegen.domain.errors import CatalogError

MAX_TOTAL_BYTES = 500 * 1024 * 1024
MAX_RATIO = 200
BIG_MEMBER_BYTES = 10 * 1024 * 1024
"""Small members may be very repetitive; real sheets stay below a ratio of about 50."""

BROKEN_ZIP = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, LookupError, OSError, RuntimeError, ValueError,
)  # fmt: skip
"""What comes of a damaged zip, by how its members are packed and what its headers say."""
_CHUNK_BYTES = 1024 * 1024
_LONGEST_PATTERN = 32
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\0!\0(?:D\0O|E\0N)|\0<\0!\0(?:D\0O|E\0N)")
_SIGNS = (b"!DOCTYPE", b"!ENTITY", b"!\0D\0O", b"!\0E\0N")
"""One of them is in every declaration; they are found five times as fast."""


def look_into(data: bytes, name: str) -> FileKind:
    """Check that *data* is a harmless workbook, and tell which.

    Raises CatalogError: ``corrupt_file``, ``unknown_format``, ``password_protected``, ``unsafe_archive``, ``unsafe_xml``.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = archive.infolist()
            kind = _kind(archive, members, name)
            _check_size(members, name)
            for member in filter(_is_xml, members):
                _scan(archive, member, name)
            return kind
    except BROKEN_ZIP as error:
        raise refuse_corrupt(name, "its zip structure is broken", "压缩结构有误") from error


def _kind(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str) -> FileKind:
    names = {member.filename.replace("\\", "/").lstrip("/").lower(): member for member in members}
    if any(member.flag_bits & 1 for member in members):
        refuse_password(name)
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    kind = names.get("mimetype")
    if kind is None or b"opendocument.spreadsheet" not in archive.read(kind)[:200]:
        refuse_format(name, "a zip archive without a workbook", "不含工作簿的压缩包")
    return "ods"


def _check_size(members: list[zipfile.ZipInfo], name: str) -> None:
    total = sum(member.file_size for member in members)
    swollen = [
        member
        for member in members
        if member.file_size > BIG_MEMBER_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1)
    ]
    if total > MAX_TOTAL_BYTES or swollen:
        _refuse_size(name, total)


def _refuse_size(name: str, total: int) -> None:
    megabytes = total // (1024 * 1024)
    raise CatalogError(
        f"{name} would unpack to {megabytes} MB, more than a catalog needs; delete empty formatted rows and columns "
        "or split the file, then save it as .xlsx",
        zh=f"{name} 解压后有 {megabytes} MB，超出正常范围；请删除带格式的空行空列或拆分文件，再另存为 .xlsx",
        code="unsafe_archive",
    )


def _is_xml(member: zipfile.ZipInfo) -> bool:
    return member.filename.lower().endswith((".xml", ".rels", ".vml"))


def _scan(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    """Look through one XML part for a DTD, which is refused."""
    seen, tail = 0, b""
    with archive.open(member) as part:
        while chunk := part.read(_CHUNK_BYTES):
            seen += len(chunk)
            if seen > member.file_size:
                _refuse_size(name, seen)
            window = tail + chunk
            if any(sign in window for sign in _SIGNS) and _DTD.search(window):
                refuse_dtd(name)
            tail = window[-_LONGEST_PATTERN:]


def refuse_dtd(name: str) -> NoReturn:
    """Say that no honest spreadsheet holds such declarations."""
    raise CatalogError(
        f"{name} contains XML declarations that no spreadsheet program writes; open it in Excel/WPS "
        "and save it as a new .xlsx",
        zh=f"{name} 含有正常表格软件不会写入的 XML 声明；请用 Excel/WPS 打开后另存为新的 .xlsx",
        code="unsafe_xml",
    )
