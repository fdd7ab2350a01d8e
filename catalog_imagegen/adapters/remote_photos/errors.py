"""What can be wrong with a photo at a web address, each with its remedy."""

from __future__ import annotations

import re

from catalog_imagegen.domain.errors import PhotoError

INSTEAD = "or put the picture into the folder photos/ and its file name into the catalog"
INSTEAD_ZH = "，或把图片放入 photos 文件夹并在商品表中填写文件名"
_LOGIN = re.compile(r"//[^/?#]*@")


class PhotoAway(PhotoError):
    """A server that does not give a photo just now; one that was fetched before is as good."""

    reason = ""
    is_answer = False
    """Whether the server said so itself."""


class PhotoBusy(PhotoAway):
    """A server that asks to be left alone for some seconds."""

    def __init__(self, message_en: str, *, zh: str, wait_s: float | None) -> None:
        super().__init__(message_en, zh=zh, code="photo_busy")
        self.reason = "busy"
        self.wait_s = wait_s


def away(location: str, reason: str) -> PhotoAway:
    """No answer, or that of a server in trouble."""
    error = PhotoAway(
        f"{location} cannot be fetched ({reason}); run again later, {INSTEAD}",
        zh=f"无法下载 {location}（{reason}）；请稍后重新运行{INSTEAD_ZH}",
        code="photo_away",
    )
    error.reason = reason
    return error


def in_trouble(location: str, status: int) -> PhotoAway:
    """An answer that speaks of the server, not of the picture."""
    error = away(location, f"HTTP {status}")
    error.is_answer = True
    return error


def busy(location: str, status: int, wait_s: float | None) -> PhotoBusy:
    """Too many requests, or maintenance."""
    return PhotoBusy(
        f"the server of {location} is busy (HTTP {status}); run again later, {INSTEAD}",
        zh=f"{location} 所在的服务器繁忙（HTTP {status}）；请稍后重新运行{INSTEAD_ZH}",
        wait_s=wait_s,
    )


def too_slow(location: str, timeout_s: float) -> PhotoAway:
    """An answer that does not end in time."""
    error = PhotoAway(
        f"{location} took longer than {timeout_s:g} s; run again later, raise timeout_s under [photos] in "
        f"config/app.toml, {INSTEAD}",
        zh=f"下载 {location} 超过 {timeout_s:g} 秒；请稍后重新运行，或在 config/app.toml 的 [photos] 中调大 timeout_s"
        f"{INSTEAD_ZH}",
        code="photo_too_slow",
    )
    error.reason = f"no whole answer within {timeout_s:g} s"
    return error


def gone(location: str, status: int) -> PhotoError:
    """The server says that there is no such picture."""
    return PhotoError(
        f"there is no picture at {location} any more (HTTP {status}); correct the address in the catalog, {INSTEAD}",
        zh=f"{location} 已没有图片（HTTP {status}）；请更正商品表中的网址{INSTEAD_ZH}",
        code="photo_gone",
    )


def refused(location: str, status: int) -> PhotoError:
    """The server does not give it to us: a login, a protection against links from elsewhere."""
    return PhotoError(
        f"the server of {location} refuses it (HTTP {status}); open the address in a browser that is not logged in: "
        f"use one that shows the picture, {INSTEAD}",
        zh=f"服务器拒绝提供 {location}（HTTP {status}）；请改用未登录的浏览器也能打开的网址{INSTEAD_ZH}",
        code="photo_refused",
    )


def forbidden(location: str, host: str, address: str) -> PhotoError:
    """A computer of somebody's own network."""
    leads = host if host == address else f"{host} ({address})"
    return PhotoError(
        f"{location} leads to {leads}, which is no public address; if it is your own picture server, add "
        f'"{host}" to allowed_hosts under [photos] in config/app.toml, {INSTEAD}',
        zh=f'{location} 指向非公网地址 {leads}；请把 "{host}" 加入 config/app.toml 中 [photos] 的 allowed_hosts'
        f"（如果是您自己的图片服务器）{INSTEAD_ZH}",
        code="photo_address_forbidden",
    )


def wrong_address(location: str) -> PhotoError:
    """No web address, though it begins like one."""
    return PhotoError(
        f"{without_login(location)} is no web address that can be asked; correct it in the catalog, {INSTEAD}",
        zh=f"{without_login(location)} 不是有效的网址；请在商品表中更正{INSTEAD_ZH}",
        code="photo_url_wrong",
    )


def wrong_scheme(location: str, scheme: str) -> PhotoError:
    """Something else than the web."""
    return PhotoError(
        f"{location} leads to an address of the kind {scheme}:, and only http and https are read; correct it in the "
        f"catalog, {INSTEAD}",
        zh=f"{location} 指向 {scheme}: 类地址，仅支持 http 和 https；请在商品表中更正{INSTEAD_ZH}",
        code="photo_url_scheme",
    )


def wrong_port(location: str, port: int) -> PhotoError:
    """A port that is of other services."""
    return PhotoError(
        f"{location} leads to port {port}; pictures are fetched from the ports 80, 443 and 1024 to 65535 only: correct it in "
        f"the catalog, {INSTEAD}",
        zh=f"{location} 指向端口 {port}，仅支持 80、443 及 1024–65535 端口；请在商品表中更正{INSTEAD_ZH}",
        code="photo_url_port",
    )


def has_login(location: str) -> PhotoError:
    """A password in a catalog, which many people see."""
    shown = without_login(location)
    return PhotoError(
        f"{shown} holds, or leads to, a user name or password; use an address that needs none, {INSTEAD}",
        zh=f"{shown} 含有或指向带用户名、密码的网址；请改用无需登录的网址{INSTEAD_ZH}",
        code="photo_url_login",
    )


def too_many_redirects(location: str, count: int) -> PhotoError:
    """A loop, mostly."""
    return PhotoError(
        f"{location} is redirected more than {count} times; open it in a browser and write the address of the picture "
        f"itself into the catalog, {INSTEAD}",
        zh=f"{location} 的重定向超过 {count} 次；请在浏览器中打开，并把图片本身的网址填入商品表{INSTEAD_ZH}",
        code="photo_redirects",
    )


def not_picture(location: str) -> PhotoError:
    """A page, a text, a format that nobody reads."""
    return PhotoError(
        f"what {location} gives is no JPEG, PNG, WebP, GIF or BMP picture; open it in a browser and write the address of "
        f"the picture itself into the catalog, {INSTEAD}",
        zh=f"{location} 返回的不是 JPEG、PNG、WebP、GIF 或 BMP 图片；请在浏览器中打开，并把图片本身的网址填入商品表{INSTEAD_ZH}",
        code="photo_not_picture",
    )


def damaged(location: str) -> PhotoError:
    """A picture that does not decode."""
    return PhotoError(
        f"the picture at {location} is damaged; upload it again, {INSTEAD}",
        zh=f"{location} 的图片已损坏；请重新上传{INSTEAD_ZH}",
        code="photo_damaged",
    )


def too_large(location: str, has: str, allowed: str) -> PhotoError:
    """More bytes or pixels than are taken."""
    return PhotoError(
        f"the picture at {location} is too large ({has}; at most {allowed}); save it smaller and upload it again, {INSTEAD}",
        zh=f"{location} 的图片太大（{has}，最大 {allowed}）；请缩小后重新上传{INSTEAD_ZH}",
        code="photo_too_large",
    )


def without_login(location: str) -> str:
    """An address that can be shown to everybody."""
    return _LOGIN.sub("//***@", location)
