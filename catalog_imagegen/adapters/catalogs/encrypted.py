"""Open a workbook that was saved with a password."""

from __future__ import annotations

import struct
from io import BytesIO
from xml.parsers.expat import ExpatError

import msoffcrypto
import olefile
from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError, ParseError

from catalog_imagegen.adapters.catalogs.files import refuse_corrupt, refuse_format, refuse_password

DEFAULT_PASSWORD = "VelvetSweatshop"  # noqa: S105  # known to everybody
"""What Excel encrypts a workbook with that is only protected against changes, and tries by itself without asking."""

_UNREADABLE = (
    ParseError, ExpatError, struct.error, OSError, ValueError, KeyError, IndexError, AttributeError, TypeError,
    AssertionError,
)  # fmt: skip
"""What the libraries let through when a structure is cut off or makes no sense."""


def decrypted(data: bytes, *, name: str, password: str = "") -> bytes:
    """The workbook itself, if *data* is an encrypted one, else *data*.

    Raises CatalogError: ``password_protected``, ``password_wrong``, ``corrupt_file``; ``unknown_format`` for an OLE2
    file that holds no workbook.
    """
    try:
        if olefile.OleFileIO(BytesIO(data)).exists("Book"):  # Excel 5 and 95, which msoffcrypto does not know
            return data
        file = msoffcrypto.OfficeFile(BytesIO(data))
        if not file.is_encrypted():
            return data
        tried = (_opened(file, each) for each in (password, DEFAULT_PASSWORD) if each)
        opened = next((content for content in tried if content is not None), None)
    except FileFormatError:
        refuse_format(name, "no workbook that is known", "无法识别的文件")
    except DecryptionError:
        refuse_format(name, "encrypted in a way that is not known", "采用了不支持的加密方式")
    except _UNREADABLE as error:
        raise refuse_corrupt(name, type(error).__name__, "文件结构有误") from error
    if opened is None:
        refuse_password(name, is_wrong=bool(password))
    return opened


def _opened(file: msoffcrypto.format.base.BaseOfficeFile, password: str) -> bytes | None:
    opened = BytesIO()
    try:
        file.load_key(password=password)
        file.decrypt(opened)
    except InvalidKeyError:
        return None
    return opened.getvalue()
