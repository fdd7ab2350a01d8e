"""Fetches a catalog that a source names by web address."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

from catalog_imagegen import __version__
from catalog_imagegen.adapters.files import make_folder, write_whole
from catalog_imagegen.domain.errors import CatalogError, SourceUnreachable

MAX_BYTES = 200_000_000
TIMEOUT_S = 300.0
_ANSWER_S = (10.0, 60.0)
"""To connect, and between two pieces."""
_PIECE_BYTES = 1 << 16
_SERVER_ERROR = 500


def download(address: str, folder: Path) -> Path:
    """Bring a catalog to *folder* and return its file, named as the address ends.

    The address is the shop's own configuration, so it may well be of its own network.
    Raises SourceUnreachable where another try may help, and CatalogError where the address does not.
    """
    shown = _shown(address)
    if not shown:
        raise _no_address(address)
    try:
        with requests.get(
            address,
            stream=True,
            timeout=_ANSWER_S,
            headers={"User-Agent": f"catalog-imagegen/{__version__}"},
        ) as answer:
            if answer.status_code >= _SERVER_ERROR:
                raise _unreachable(shown, f"{answer.status_code} {answer.reason}")
            if not answer.ok:
                raise CatalogError(
                    f"{shown} answers {answer.status_code} {answer.reason}; check the path of the source in config/app.toml",
                    zh=f"{shown} 返回 {answer.status_code}；请检查 config/app.toml 中该数据源的地址",
                    code="source_not_found",
                )
            content = _content(answer, shown)
    except (InvalidURL, InvalidSchema, MissingSchema) as error:
        raise _no_address(shown) from error
    except requests.RequestException as error:
        raise _unreachable(shown, type(error).__name__) from None  # its text may repeat a password
    make_folder(folder)
    path = folder / (Path(unquote(urlsplit(address).path)).name or "catalog")
    write_whole(path, content)
    return path


def _content(answer: requests.Response, shown: str) -> bytes:
    ends, content = time.monotonic() + TIMEOUT_S, bytearray()
    for piece in answer.iter_content(_PIECE_BYTES):
        content += piece
        if len(content) > MAX_BYTES:
            raise CatalogError(
                f"{shown} is larger than {MAX_BYTES // 1_000_000} MB; split the catalog into several sources",
                zh=f"{shown} 超过 {MAX_BYTES // 1_000_000} MB；请拆分为多个数据源",
                code="file_too_large",
            )
        if time.monotonic() > ends:
            raise _unreachable(shown, f"not complete after {TIMEOUT_S:.0f} s")
    told = answer.headers.get("Content-Length", "")
    if told.isdigit() and "Content-Encoding" not in answer.headers and len(content) < int(told):
        raise _unreachable(shown, "it was cut off")
    return bytes(content)


def _shown(address: str) -> str:
    """The address without what may be secret; empty where it is none."""
    try:
        parts = urlsplit(address)
        if not parts.hostname or parts.port == 0:
            return ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _no_address(shown: str) -> CatalogError:
    scheme = shown.partition(":")[0]
    return CatalogError(
        f"the path of a source is no web address ({scheme}://…); write it in config/app.toml as https://host/file.xlsx",
        zh=f"数据源的地址不正确（{scheme}://…）；请在 config/app.toml 中写成 https://主机/文件.xlsx",
        code="source_address_invalid",
    )


def _unreachable(shown: str, reason: str) -> SourceUnreachable:
    return SourceUnreachable(
        f"{shown} cannot be fetched ({reason}); check the server and the address, and run again later",
        zh=f"无法下载 {shown}（{reason}）；请检查服务器与地址，稍后重新运行",
        code="source_unreachable",
    )
