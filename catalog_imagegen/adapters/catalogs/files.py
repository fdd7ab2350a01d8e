"""Find a catalog file and tell what it is by its bytes; its extension is only compared afterwards."""

from __future__ import annotations

import codecs
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, NoReturn

from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from pathlib import Path

FileKind = Literal["csv", "xlsx", "xlsb", "ods", "ole2", "xls", "html", "xml", "sqlite"]
"""*ole2* is an old workbook, or one with a password; what it turns out to be is known once it is opened."""

_SUFFIXES: dict[FileKind, tuple[str, ...]] = {
    "csv": (".csv", ".tsv", ".txt", ".tab"),
    "xlsx": (".xlsx", ".xlsm", ".xltx", ".xltm"),
    "xlsb": (".xlsb",),
    "ods": (".ods", ".ots"),
    "ole2": (),
    "xls": (".xls", ".xlt", ".et", ".ett"),
    "html": (".html", ".htm", ".xls"),
    "xml": (".xml", ".xls"),
    "sqlite": (".db", ".db3", ".sqlite", ".sqlite3"),
}
_SQLITE = b"SQLite format 3\0"
_OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")
_MARKUP = re.compile(
    rb"\s*<(?:!doctype|!--|html|head|meta|table|body|style|\?xml|div|workbook)", re.IGNORECASE
)
_XML_2003 = b"urn:schemas-microsoft-com:office:spreadsheet"
_BEGINNING = 4096
_BLANK = codecs.BOM_UTF8 + b"\r\n\t \0"
_BOM_BYTES = codecs.BOM_UTF8 + codecs.BOM_UTF16_LE
_NO_TABLES = (
    b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"PK\5\6", b"PK\7\x08",
)  # fmt: skip
_SAVE_AS = "open it in Excel/WPS and save it as .xlsx"
_SAVE_AS_ZH = "请用 Excel/WPS 打开后另存为 .xlsx"


def existing_file(path: Path) -> Path:
    """Give *path* back if a file is there; CatalogError naming files that are spelled alike if not."""
    if path.is_dir():
        raise CatalogError(
            f"{path} is a folder; name the catalog file in it",
            zh=f"{path} 是文件夹；请指定其中的商品资料文件",
            code="file_is_directory",
        )
    if path.exists():
        return path
    folder = path.parent
    if not folder.is_dir():
        raise CatalogError(
            f"the folder {folder} does not exist; check the path of {path.name}",
            zh=f"文件夹 {folder} 不存在；请检查 {path.name} 的路径",
            code="file_not_found",
        )
    alike = get_close_matches(path.name, sorted(entry.name for entry in folder.iterdir()), cutoff=0.5)
    raise CatalogError(
        f"{path} does not exist; " + (f"did you mean {', '.join(alike)}?" if alike else "check the path"),
        zh=f"{path} 不存在；" + (f"您是不是要找 {'、'.join(alike)}？" if alike else "请检查路径"),
        code="file_not_found",
    )


def read_bytes(path: Path) -> bytes:
    """Read a whole file, of a SQLite database only the beginning; CatalogError if it is empty or locked."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
            data = head if head == _SQLITE else head + file.read()
    except OSError as error:
        raise CatalogError(
            f"{path} cannot be read ({error.strerror}); check its permissions and that no program locks it",
            zh=f"无法读取 {path}（{error.strerror}）；请检查文件权限，并关闭占用它的程序",
            code="file_unreadable",
        ) from error
    if not (data[:_BEGINNING].strip(_BLANK) or data.strip(_BLANK)):  # stripping copies all of a file
        raise CatalogError(
            f"{path.name} is empty; if it is still being copied or synchronised, wait and try again",
            zh=f"{path.name} 是空文件；如果文件还在复制或同步，请稍候再试",
            code="empty_file",
        )
    return data


def recognise(data: bytes, name: str) -> FileKind:
    """Tell tables by their bytes; CatalogError for what holds none.

    Any zip is *xlsx* here; what it really is can be seen where it is looked into.
    """
    if data.startswith(b"PK\x03\x04"):
        return "xlsx"
    if data.startswith(_SQLITE):
        return "sqlite"
    if data.startswith(_OLE2):
        return "ole2"
    if data.startswith(_NO_TABLES):
        refuse_format(name, "no table (a PDF, a picture or an archive?)", "不是表格（PDF、图片或压缩包？）")
    beginning = (
        data[:_BEGINNING].replace(b"\0", b"").lstrip(_BOM_BYTES)
    )  # UTF-16 has a zero beside each letter
    if _MARKUP.match(beginning):
        return "xml" if _XML_2003 in beginning else "html"
    return "csv"


def fitting_suffix(kind: FileKind, suffix: str) -> bool:
    """Tell whether a file of *kind* may be called so; a name without an extension promises nothing."""
    return not suffix or suffix.lower() in _SUFFIXES[kind]


def catalog_suffixes() -> frozenset[str]:
    """What the files in a folder of catalogs may end in."""
    return frozenset(suffix for kind in _SUFFIXES.values() for suffix in kind) - {
        ".db",
        ".html",
        ".htm",
        ".xml",
    }


def refuse_format(name: str, what: str, what_zh: str) -> NoReturn:
    """Say that a file of this format is not read, and what to do."""
    raise CatalogError(
        f"{name} is {what}, which is not read; {_SAVE_AS}",
        zh=f"{name} 是{what_zh}，无法读取；{_SAVE_AS_ZH}",
        code="unknown_format",
    )


def refuse_password(name: str, *, is_wrong: bool = False) -> NoReturn:
    """Say that a file needs its password, or another one."""
    if is_wrong:
        raise CatalogError(
            f"the password for {name} is not the right one; check it, or save the file without a password",
            zh=f"{name} 的打开密码不正确；请检查密码，或取消密码后另存",
            code="password_wrong",
        )
    raise CatalogError(
        f"{name} is protected by a password; give it with --password (a source: its key password), or open the file in Excel/WPS, remove the "
        "password and save it as .xlsx",
        zh=f"{name} 设置了打开密码；请用 --password（来源用 password 项）提供密码，或用 Excel/WPS 打开，取消密码后另存为 .xlsx",
        code="password_protected",
    )


def refuse_too_large(name: str) -> CatalogError:
    """Say that a file takes too much memory; raised by the caller, to keep the cause."""
    return CatalogError(
        f"{name} takes more memory than a catalog may; delete cells far below and beside the table "
        "(Ctrl+End shows the last one), or split the file",
        zh=f"{name} 需要的内存超出限制；请删除表格下方和右侧很远处的单元格（按 Ctrl+End 可看到最后一格），或拆分文件",
        code="file_too_large",
    )


def refuse_corrupt(name: str, why: str, why_zh: str) -> CatalogError:
    """Say that a file is damaged; raised by the caller, to keep the cause."""
    return CatalogError(
        f"{name} is damaged or incomplete ({why}); copy it again, or {_SAVE_AS}",
        zh=f"{name} 已损坏或不完整（{why_zh}）；请重新复制该文件，或{_SAVE_AS_ZH.removeprefix('请')}",
        code="corrupt_file",
    )
