from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import socket
import ssl
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

from catalog_imagegen import __version__
from catalog_imagegen.adapters.photos import FolderPhotos
from catalog_imagegen.adapters.photos.cuttings import Cuttings
from catalog_imagegen.adapters.remote_photos import Reach, RemotePhotos
from catalog_imagegen.adapters.remote_photos.addresses import ForbiddenAddressError, Hosts, target
from catalog_imagegen.adapters.remote_photos.doorman import Doorman
from catalog_imagegen.bootstrap.photos import ShopPhotos
from catalog_imagegen.domain.errors import ConfigError, PhotoError
from catalog_imagegen.domain.fingerprint import digest
from tests.servers import self_signed

SHOP = "img.shop.example"
DAY_S = 86_400.0
Answer = Callable[[BaseHTTPRequestHandler], None]


def encoded(size: tuple[int, int] = (8, 6), kind: str = "PNG", **options: Any) -> bytes:
    """A picture as a file has it."""
    file = io.BytesIO()
    Image.new("RGB", size, "green").save(file, kind, **options)
    return file.getvalue()


PICTURE = encoded()


@dataclass
class Asked:
    """One request as a server saw it."""

    path: str
    headers: dict[str, str]
    at: float


@dataclass
class Web:
    """A picture server on a real socket: what it answers by path, and what it was asked."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def url(self, path: str = "/a.png", host: str = SHOP, scheme: str = "http") -> str:
        """An address there."""
        return f"{scheme}://{host}:{self.port}{path}"

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [one.path for one in self.asked]


def give(content: bytes = PICTURE, status: int = 200, /, **headers: str) -> Answer:
    """An answer of these bytes; ``_`` in a header's name is a dash."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def tagged(content: bytes = PICTURE, /, **marks: str) -> Answer:
    """A picture with marks, which is not given again to who has it."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        has = handler.headers.get("If-None-Match"), handler.headers.get("If-Modified-Since")
        is_known = has == (marks.get("ETag"), marks.get("Last_Modified"))
        (give(b"", 304, **marks) if is_known else give(content, **marks))(handler)

    return answer


@contextmanager
def web_server(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    """A server on loopback, each connection in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        web: ClassVar[Web]

        def do_GET(self) -> None:
            """Answer as the test says."""
            self.web.asked.append(Asked(self.path, dict(self.headers), time.monotonic()))
            with suppress(ConnectionError):  # a client that has had enough
                self.web.answers.get(self.path.partition("?")[0], give(b"no", 404))(self)

        def log_message(self, *words: Any) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *words: Any) -> None:
            """A client that went away in the middle of TLS is what a test is about."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Handler.web = Web(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Handler.web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    """A picture server with one picture."""
    with web_server() as found:
        found.answers["/a.png"] = give()
        yield found


@dataclass
class Clock:
    """The time of day, as a test sets it."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        """It stands still."""
        return self.now


@dataclass
class Names:
    """A resolver: every name leads to loopback unless told otherwise; the last answer stays."""

    answers: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        """One look-up."""
        self.asked.append(host)
        queue = self.answers.get(host, [["127.0.0.1"]])
        if not queue[0]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return queue.pop(0) if len(queue) > 1 else queue[0]


Opened = Callable[..., RemotePhotos]


@pytest.fixture
def run(tmp_path: Path) -> Opened:
    """Begins a run: the same folder, its own memory."""

    def begin(
        *allowed: str,
        names: Names | None = None,
        clock: Clock | None = None,
        real: bool = False,
        **reach: Any,
    ) -> RemotePhotos:
        resolve = None if real else names or Names()
        return RemotePhotos(
            tmp_path / "pictures",
            Reach(allowed_hosts=allowed or (SHOP,), **reach),
            resolve=resolve,
            clock=clock or Clock(),
        )

    return begin


def refused(photos: RemotePhotos, location: str) -> PhotoError:
    """Why there is no photo."""
    with pytest.raises(PhotoError) as caught:
        photos.look(location)
    return caught.value


def refusal(photos: RemotePhotos, location: str, code: str) -> PhotoError:
    """Why there is no photo, with the remedy in both languages."""
    error = refused(photos, location)
    assert error.code == code, error
    assert "; " in error.message_en
    assert "；请" in error.message_zh
    assert "photos" in error.message_en
    assert "photos" in error.message_zh
    return error


def notes(folder: Path) -> list[Path]:
    """What is remembered of addresses."""
    return sorted((folder / "pictures" / "index").iterdir())


# What is fetched


def test_a_picture_is_fetched_once_and_kept_by_its_bytes(run: Opened, web: Web, tmp_path: Path) -> None:
    """Three roles look at it; the next run asks nobody as long as it is fresh."""
    photos = run()
    found = [photos.look(web.url()) for _ in range(3)]
    assert {(one.digest, one.extension, one.width) for one in found} == {(digest(PICTURE), "png", 8)}
    assert photos.read(digest(PICTURE)) == PICTURE
    assert (tmp_path / "pictures" / f"{digest(PICTURE)}.png").read_bytes() == PICTURE
    again = run()
    assert again.look(web.url()) == found[0]
    assert again.read(digest(PICTURE)) == PICTURE
    (asked,) = web.asked
    assert asked.headers["Host"] == f"{SHOP}:{web.port}"
    assert asked.headers["User-Agent"] == f"catalog-imagegen/{__version__}"


def test_a_picture_is_made_upright_as_those_in_files_are(run: Opened, web: Web) -> None:
    """Kept as it came; what servers get is made of it each time."""
    exif = Image.Exif()
    exif[0x0112] = 6
    web.answers["/a.png"] = give(encoded((80, 60), "JPEG", exif=exif.tobytes()))
    photos = run()
    photo = photos.look(web.url())
    assert (photo.width, photo.height, photo.extension) == (60, 80, "png")
    assert digest(photos.read(photo.digest) or b"") == photo.digest
    assert run().look(web.url()) == photo


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF", "BMP"])
def test_every_usual_format_is_read(run: Opened, web: Web, kind: str) -> None:
    """By its bytes, whatever the address and the server call it."""
    web.answers["/a.png"] = give(encoded(kind=kind), Content_Type="text/html")
    assert run().look(web.url()).width == 8


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("/a.png?sig=A%2Fb%2B%3d&x=1+2", "/a.png?sig=A%2Fb%2B%3d&x=1+2"),
        ("/a.png?名=图 片", "/a.png?%E5%90%8D=%E5%9B%BE%20%E7%89%87"),
        ("/a.png#part", "/a.png"),
        ("/%E5%9B%BE//a.png", "/%E5%9B%BE//a.png"),
    ],
)
def test_an_address_is_asked_for_as_it_is_written(run: Opened, web: Web, written: str, asked: str) -> None:
    """A signed one is valid word by word; what no address may hold is escaped."""
    web.answers["/%E5%9B%BE//a.png"] = give()
    assert run().look(web.url(written)).width == 8
    assert web.paths() == [asked]


def test_an_address_without_a_scheme_is_secure() -> None:
    """As browsers take it from a page of today."""
    photos = RemotePhotos(Path("/nonexistent"), resolve=Names())
    assert (
        "https://127.0.0.1/a.png"
        in refusal(photos, "//127.0.0.1/a.png", "photo_address_forbidden").message_en
    )


def test_packed_answers_are_unpacked(run: Opened, web: Web) -> None:
    """Some servers pack whatever is asked of them."""
    for name, content, packing in (
        ("/gzip", gzip.compress(PICTURE), "gzip"),
        ("/deflate", zlib.compress(PICTURE), "deflate"),
    ):
        web.answers[name] = give(content, Content_Encoding=packing)
        assert run().look(web.url(name)).digest == digest(PICTURE)


def test_proxies_of_the_environment_are_not_asked(
    run: Opened, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would resolve the name themselves."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert run().look(web.url()).width == 8


def test_no_cookie_is_given_back(run: Opened, web: Web) -> None:
    """Nobody is followed from picture to picture."""
    web.answers |= {"/a.png": give(Set_Cookie="id=1; Path=/"), "/b.png": give()}
    photos = run()
    photos.fetch([web.url("/a.png")])
    photos.fetch([web.url("/b.png")])
    assert [one.headers.get("Cookie") for one in web.asked] == [None, None]


# Where nobody is sent


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::127.0.0.1]",
        "[2002:7f00:1::]",
        "[2001:0:5ef5:79fd::1]",
        "[2001:db8::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "localhost",
        "LOCALHOST",
    ],
)
def test_no_private_address_is_asked_however_it_is_written(run: Opened, web: Web, host: str) -> None:
    """With the system's own resolver, and a server that would answer on loopback."""
    refusal(run(real=True), web.url(host=host), "photo_address_forbidden")
    assert web.asked == []


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::"],
)
def test_public_addresses_are_asked(address: str) -> None:
    """Also those that stand for an IPv4 address, as networks without one see it."""
    hosts = Hosts()
    hosts.check("shop.example", address)
    with pytest.raises(ForbiddenAddressError):
        hosts.check("shop.example", "127.0.0.1")


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["::1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "fd00::1"]]
)
def test_a_name_is_judged_by_all_its_addresses(run: Opened, web: Web, addresses: list[str]) -> None:
    """One that leads inside, too, leads inside."""
    names = Names({"evil.example": [addresses]})
    error = refusal(run(names=names), web.url(host="evil.example"), "photo_address_forbidden")
    assert "evil.example (" in error.message_en
    assert '"evil.example"' in error.message_zh
    assert web.asked == []


def test_a_name_is_resolved_once(run: Opened, web: Web) -> None:
    """What it leads to the second time is never asked, so nothing else can be put in its place."""
    names = Names({"turns.example": [["127.0.0.1"], ["127.0.0.2"]]})
    web.answers["/b.png"] = give(encoded((9, 9)))
    photos = run("127.0.0.1/32", names=names)
    photos.fetch([web.url(path, host="turns.example") for path in ("/a.png", "/b.png", "/c.png")])
    assert names.asked == ["turns.example"]
    assert sorted(web.paths()) == ["/a.png", "/b.png", "/c.png"]
    again = run("127.0.0.1/32", names=names, fresh_s=0)
    refusal(again, web.url("/d.png", host="turns.example"), "photo_address_forbidden")
    assert len(web.asked) == 3


def test_no_socket_is_opened_to_an_address_that_nobody_judged() -> None:
    """Whatever a later version of the client takes for an address."""
    doorman = Doorman(Hosts(), Names())
    doorman.admit_literal("8.8.8.8")
    doorman.opened((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("8.8.8.8", 80))).close()
    with pytest.raises(ForbiddenAddressError):
        doorman.opened((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("8.8.4.4", 80)))
    with pytest.raises(ForbiddenAddressError):
        asyncio.run(Doorman(Hosts(), lambda _host, _port: ["not an address"]).resolve("x.example", 80))


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        (SHOP, SHOP),
        (SHOP.upper(), SHOP + "."),
        ("127.0.0.0/8", "other.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("图片.example", "图片.example"),
        ("::1", "[::1]"),
    ],
)
def test_a_shop_allows_its_own_picture_server(run: Opened, web: Web, allowed: str, host: str) -> None:
    """By name, by address, by network; beside it nothing else."""
    photos = run(allowed)
    if host == "[::1]":
        refusal(photos, web.url(host=host), "photo_away")  # asked, but this server listens on IPv4 only
    else:
        assert photos.look(web.url(host=host)).width == 8
    refusal(photos, web.url(host="10.0.0.1"), "photo_address_forbidden")


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://", "photo_url_wrong"),
        ("http://[::1/a.png", "photo_url_wrong"),
        ("http://shop.example:99999/", "photo_url_wrong"),
        ("http://shop\\evil/", "photo_url_wrong"),
        ("http://a b/x.png", "photo_url_wrong"),
        ("https://anna:secret@shop.example/a.png", "photo_url_login"),
        ("https://anna@shop.example/a.png", "photo_url_login"),
        ("http://shop.example:22/a.png", "photo_url_port"),
        ("http://shop.example:25/a.png", "photo_url_port"),
        ("http://shop.example:0/a.png", "photo_url_port"),
        (f"http://{'x' * 70}.example/a.png", "photo_away"),
        ("http://gone..example/a.png", "photo_away"),
    ],
)
def test_an_address_that_cannot_be_asked_says_why(run: Opened, location: str, code: str) -> None:
    """Passwords are not repeated in messages, which end up in reports."""
    error = refusal(run(real=True), location, code)
    assert "secret" not in str(error)


@pytest.mark.parametrize("port", [80, 443, 1024, 8080, 9000, 65535])
def test_ports_of_picture_servers_are_asked(port: int) -> None:
    """The web's own, and those above."""
    assert target(f"http://shop.example:{port}/a.png").port == port


# Redirects


@pytest.mark.parametrize(
    ("leads_to", "code"),
    [
        ("http://127.0.0.1:{port}/a.png", "photo_address_forbidden"),
        ("http://169.254.169.254/latest/meta-data/", "photo_address_forbidden"),
        ("//localhost:{port}/a.png", "photo_address_forbidden"),
        ("http://evil.example:{port}/a.png", "photo_address_forbidden"),
        ("file:///etc/passwd", "photo_url_scheme"),
        ("ftp://shop.example/a.png", "photo_url_scheme"),
        ("javascript:alert(1)", "photo_url_scheme"),
        ("http://u:secret@img.shop.example:{port}/a.png", "photo_url_login"),
        ("http://img.shop.example:22/a.png", "photo_url_port"),
        ("/from", "photo_redirects"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_judged_like_an_address(
    run: Opened, web: Web, leads_to: str, code: str, status: int
) -> None:
    """Each one again: into the house, out of the web, round in circles."""
    web.answers["/from"] = give(b"", status, Location=leads_to.format(port=web.port))
    refusal(run(names=Names({"evil.example": [["10.0.0.1"]]})), web.url("/from"), code)
    assert "/a.png" not in web.paths()


def test_five_redirects_are_followed(run: Opened, web: Web) -> None:
    """To paths and to other hosts; six are too many."""
    for number in range(1, 7):
        web.answers[f"/{number}"] = give(b"", 302, Location=f"/{number - 1}")
    web.answers["/0"] = give(b"", 302, Location=web.url(host="cdn.example"))
    photos = run("127.0.0.1")
    assert photos.look(web.url("/4")).width == 8
    refusal(photos, web.url("/5"), "photo_redirects")
    assert web.asked[5].headers["Host"] == f"cdn.example:{web.port}"


# What one picture may cost


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Bytes for ever."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(PICTURE + bytes(100_000))


def bomb(handler: BaseHTTPRequestHandler) -> None:
    """Much from little, without end."""
    packer = zlib.compressobj(wbits=31)
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    while True:
        handler.wfile.write(packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH))


def tail(handler: BaseHTTPRequestHandler) -> None:
    """A packed picture, and rubbish behind it without end."""
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.end_headers()
    handler.wfile.write(gzip.compress(PICTURE))
    while True:
        handler.wfile.write(bytes(100_000))


@pytest.mark.parametrize(
    "answer",
    [
        endless,
        bomb,
        tail,
        give(bytes(1_000_001)),
        give(gzip.compress(bytes(5_000_000)), Content_Encoding="gzip"),
    ],
)
def test_no_more_is_read_than_is_allowed(run: Opened, web: Web, answer: Answer) -> None:
    """Whatever the server announces, packed or not."""
    web.answers["/a.png"] = answer
    error = refusal(run(max_bytes=1_000_000), web.url(), "photo_too_large")
    assert "1 MB" in error.message_en


def test_a_length_that_is_announced_is_believed_where_it_is_too_much(run: Opened, web: Web) -> None:
    """Nothing is read of it."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "99000000")
        handler.end_headers()

    web.answers["/a.png"] = answer
    refusal(run(), web.url(), "photo_too_large")


def trickle(head: bytes) -> Answer:
    """A byte now and then, until the client has gone."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(head)
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.02)

    return answer


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK"])
def test_a_trickle_is_cut_off(run: Opened, web: Web, head: bytes) -> None:
    """In the head as in the body: the whole request has its time."""
    web.answers["/a.png"] = trickle(head)
    began = time.monotonic()
    refusal(run(timeout_s=0.3), web.url(), "photo_too_slow")
    assert time.monotonic() - began < 5


def test_a_server_that_says_nothing_is_left(run: Opened) -> None:
    """It accepts and is silent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://{SHOP}:{server.getsockname()[1]}/a.png"
        refusal(run(timeout_s=0.2), url, "photo_too_slow")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (give(b"<html><h1>Not found</h1></html>", Content_Type="image/jpeg"), "photo_not_picture"),
        (give(b""), "photo_not_picture"),
        (give(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "photo_not_picture"),
        (give(PICTURE, Content_Encoding="br"), "photo_not_picture"),
        (give(b"no gzip", Content_Encoding="gzip"), "photo_damaged"),
        (give(encoded((64, 64))[:-30]), "photo_damaged"),
        (give(encoded((7_000, 6_000))), "photo_too_large"),
        (give(b"", 404), "photo_gone"),
        (give(b"", 410), "photo_gone"),
        (give(b"", 403), "photo_refused"),
        (give(b"", 401), "photo_refused"),
        (give(b"", 500), "photo_away"),
        (give(b"", 304), "photo_away"),
        (give(b"", 204), "photo_away"),
        (give(b"", 503), "photo_busy"),
        (lambda handler: handler.wfile.write(b"220 mail ready\r\n"), "photo_away"),
    ],
)
def test_what_is_no_picture_says_what_to_do(
    run: Opened, web: Web, answer: Answer, code: str, tmp_path: Path
) -> None:
    """Pages with a 200, half files, large ones, refusals; none is asked for twice in a run, none is kept."""
    web.answers["/a.png"] = answer
    photos = run()
    refusal(photos, web.url(), code)
    refusal(photos, web.url(), code)
    assert len(web.asked) == 1
    assert not (tmp_path / "pictures").exists()


def test_a_connection_that_is_closed_without_a_word_is_no_answer(run: Opened, web: Web) -> None:
    """It is tried once more at once: a server may have closed it just when it was to be used again."""
    web.answers["/a.png"] = lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)
    refusal(run(), web.url(), "photo_away")
    assert len(web.asked) == 2


def test_a_body_that_breaks_off_is_no_picture(run: Opened, web: Web) -> None:
    """Fewer bytes than were announced."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(PICTURE)))
        handler.end_headers()
        handler.wfile.write(PICTURE[:-10])
        handler.close_connection = True

    web.answers["/a.png"] = answer
    refusal(run(), web.url(), "photo_away")


# What is kept


@pytest.mark.parametrize(
    "marks", [{"ETag": '"v1"'}, {"Last_Modified": formatdate(1_700_000_000, usegmt=True)}]
)
def test_a_picture_that_is_the_same_costs_no_download(run: Opened, web: Web, marks: dict[str, str]) -> None:
    """Asked for once a day by its marks, and not at all before."""
    web.answers["/a.png"] = tagged(**marks)
    clock = Clock()
    photo = run(clock=clock).look(web.url())
    clock.now += DAY_S - 1
    run(clock=clock).look(web.url())
    assert len(web.asked) == 1
    clock.now += 1
    photos = run(clock=clock)
    assert [photos.look(web.url()), photos.look(web.url())] == [photo, photo]
    assert photos.read(photo.digest) == PICTURE
    assert len(web.asked) == 2
    clock.now += DAY_S - 1
    run(clock=clock).look(web.url())
    assert len(web.asked) == 2, "the answer that nothing changed is remembered"


@pytest.mark.parametrize("mark", ['"\xe9\xff"', '"a\tb"'])
def test_a_mark_that_cannot_be_sent_back_is_none(run: Opened, web: Web, mark: str) -> None:
    """The picture is good all the same."""
    web.answers["/a.png"] = give(PICTURE, ETag=mark)
    assert run(fresh_s=0).look(web.url()).width == 8
    assert run(fresh_s=0).look(web.url()).width == 8
    assert [one.headers.get("If-None-Match") for one in web.asked] == [None, None]


def test_a_redirect_that_nobody_can_read_is_refused(run: Opened, web: Web) -> None:
    """Bytes that are no text."""
    web.answers["/from"] = give(b"", 302, Location="/\xff\xfe.png")
    refusal(run(), web.url("/from"), "photo_url_wrong")


def test_another_picture_at_the_same_address_is_another(run: Opened, web: Web) -> None:
    """With a mark of its own."""
    web.answers["/a.png"] = tagged(ETag='"v1"')
    before = run(fresh_s=0).look(web.url())
    web.answers["/a.png"] = tagged(encoded((9, 9)), ETag='"v2"')
    photos = run(fresh_s=0)
    after = photos.look(web.url())
    assert after != before
    assert photos.read(after.digest) == encoded((9, 9))
    assert web.asked[1].headers["If-None-Match"] == '"v1"'


def test_marks_are_shown_to_who_gave_them_only(run: Opened, web: Web) -> None:
    """An address that leads elsewhere now may have another picture of the same date."""
    old = formatdate(1_700_000_000, usegmt=True)
    web.answers |= {
        "/from": give(b"", 302, Location="/1.png"),
        "/1.png": tagged(Last_Modified=old),
        "/2.png": tagged(encoded((9, 9)), Last_Modified=old),
    }
    assert run(fresh_s=0).look(web.url("/from")).width == 8
    assert run(fresh_s=0).look(web.url("/from")).width == 8
    assert [one.headers.get("If-Modified-Since") for one in web.asked] == [None, None, None, old]
    web.answers["/from"] = give(b"", 302, Location="/2.png")
    assert run(fresh_s=0).look(web.url("/from")).width == 9


@pytest.mark.parametrize("trouble", [give(b"", 500), give(b"", 503), trickle(b"HTTP/1.1 200 OK\r\n\r\n")])
def test_a_server_in_trouble_does_not_take_pictures_away(
    run: Opened, web: Web, trouble: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that were fetched are used, with one warning for all of them."""
    web.answers["/b.png"] = give(encoded((9, 9)))
    urls = [web.url("/a.png"), web.url("/b.png")]
    run().fetch(urls)
    web.answers |= {"/a.png": trouble, "/b.png": trouble}
    photos = run(fresh_s=0, timeout_s=0.3)
    photos.fetch(urls)
    assert [photos.look(url).width for url in urls] == [8, 9]
    assert photos.read(digest(PICTURE)) == PICTURE
    assert caplog.text.count("are used as they were when last fetched") == 1


def test_a_server_that_is_down_does_not_take_pictures_away(
    run: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does a name that is not known any more; a picture that was never fetched says that it is away."""
    with web_server() as web:
        web.answers["/a.png"] = give()
        run().look(web.url())
    for names in (Names(), Names({SHOP: [[]]})):
        photos = run(fresh_s=0, names=names)
        assert photos.look(web.url()).width == 8
        refusal(photos, web.url("/b.png"), "photo_away")
    assert caplog.text.count(f"{SHOP}:{web.port}: ") == 2


def test_a_picture_that_is_gone_is_gone(run: Opened, web: Web) -> None:
    """The server says so: what was fetched is used no longer."""
    run().look(web.url())
    web.answers["/a.png"] = give(b"", 410)
    refusal(run(fresh_s=0), web.url(), "photo_gone")


def test_an_address_that_is_no_longer_allowed_is_refused(run: Opened, web: Web) -> None:
    """What it once gave does not count."""
    run().look(web.url())
    refusal(run("other.example", fresh_s=0), web.url(), "photo_address_forbidden")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note.write_bytes(b""),
        lambda note: note.write_bytes(note.read_bytes()[: len(note.read_bytes()) // 2]),
        lambda note: note.write_bytes(b"[]"),
        lambda note: note.write_bytes(note.read_bytes().replace(b'"format":1', b'"format":0')),
        lambda note: note.write_bytes(note.read_bytes().replace(b".png", b".png/../../../etc/passwd")),
        lambda note: note.unlink(),
    ],
)
def test_a_spoiled_note_costs_one_download(
    run: Opened, web: Web, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """A kill or a power cut may leave one behind; the others stay."""
    web.answers["/b.png"] = give(encoded((9, 9)))
    urls = [web.url("/a.png"), web.url("/b.png")]
    run().fetch(urls)
    (spoiled,) = (note for note in notes(tmp_path) if b"/a.png" in note.read_bytes())
    spoil(spoiled)
    photos = run()
    photos.fetch(urls)
    assert [photos.look(url).width for url in urls] == [8, 9]
    assert sorted(web.paths()) == ["/a.png", "/a.png", "/b.png"]


@pytest.mark.parametrize("content", [b"", bytes(len(PICTURE)), None])
def test_damaged_bytes_are_never_given(run: Opened, web: Web, tmp_path: Path, content: bytes | None) -> None:
    """After a power cut a file may be empty or zeros; the next run fetches it again."""
    run().look(web.url())
    path = tmp_path / "pictures" / f"{digest(PICTURE)}.png"
    path.unlink() if content is None else path.write_bytes(content)
    photos = run()
    photo = photos.look(web.url())
    assert photos.read(photo.digest) in (None, PICTURE)
    last = run()
    last.look(web.url())
    assert last.read(photo.digest) == PICTURE
    assert len(web.asked) == 2


def test_another_version_of_the_program_makes_its_own_of_what_is_kept(
    run: Opened, web: Web, tmp_path: Path
) -> None:
    """Without asking for it again."""
    photo = run().look(web.url())
    (note,) = notes(tmp_path)
    document = json.loads(note.read_bytes())
    document |= {"version": 0, "photo": {**document["photo"], "width": 1}}
    note.write_text(json.dumps(document))
    assert run().look(web.url()) == photo
    assert len(web.asked) == 1


def test_two_processes_keep_what_each_fetched(run: Opened, web: Web) -> None:
    """Begun at once, in the same folder, about different products and one that both have."""
    web.answers |= {"/b.png": give(encoded((9, 9))), "/c.png": give(encoded((10, 10)))}
    one, other = run(), run()
    threads = [
        threading.Thread(target=photos.fetch, args=([web.url(path) for path in paths],))
        for photos, paths in ((one, ("/a.png", "/b.png")), (other, ("/a.png", "/c.png")))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = len(web.asked)
    last = run()
    assert [last.look(web.url(path)).width for path in ("/a.png", "/b.png", "/c.png")] == [8, 9, 10]
    assert len(web.asked) == count


def test_what_the_dead_left_half_written_is_swept(run: Opened, web: Web, tmp_path: Path) -> None:
    """After a day; before, somebody may be writing it."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, age_s in ((".writing-old", 2 * DAY_S), (".writing-new", 0)):
        (folder / name).write_bytes(b"x")
        os.utime(folder / name, (time.time() - age_s, time.time() - age_s))
    run().look(web.url())
    assert [path.name for path in folder.glob(".writing-*")] == [".writing-new"]


# Manners


@dataclass
class Crowd:
    """Counts who is inside at once, and holds everybody until a number of them is."""

    meeting: threading.Barrier
    inside: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    most: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """One request."""
        places = ("all", handler.headers["Host"])
        with self.lock:
            for place in places:
                self.inside[place] += 1
                self.most[place] = max(self.most[place], self.inside[place])
        self.meeting.wait(10)
        with self.lock:
            for place in places:
                self.inside[place] -= 1
        give()(handler)


def test_two_at_a_time_of_one_host(run: Opened, web: Web) -> None:
    """Not one, or it takes all night; not more, or we are the trouble."""
    crowd = Crowd(threading.Barrier(2))
    urls = [web.url(f"/{number}.png") for number in range(6)]
    web.answers |= {f"/{number}.png": crowd for number in range(6)}
    photos = run()
    photos.fetch(urls)
    assert crowd.most["all"] == 2
    assert {photos.look(url).width for url in urls} == {8}
    assert len(web.asked) == 6


def test_eight_at_a_time_altogether(run: Opened, web: Web) -> None:
    """Eight hosts with two pictures each."""
    crowd = Crowd(threading.Barrier(8))
    web.answers |= {"/1.png": crowd, "/2.png": crowd}
    urls = [web.url(f"/{n}.png", host=f"h{host}.example") for host in range(8) for n in (1, 2)]
    photos = run("127.0.0.1")
    photos.fetch(urls)
    assert crowd.most["all"] == 8
    assert max(count for place, count in crowd.most.items() if place != "all") == 2
    assert {photos.look(url).width for url in urls} == {8}


def busy_at_first(status: int, times: int, **headers: str) -> Answer:
    """Busy so many times, then a picture."""
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        (give(b"", status, **headers) if left[0] >= 0 else give())(handler)

    return answer


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says(run: Opened, web: Web, status: int) -> None:
    """Not before, and not for ever."""
    web.answers["/a.png"] = busy_at_first(status, 1, Retry_After="1")
    web.answers["/b.png"] = busy_at_first(status, 3, Retry_After="0")
    photos = run()
    assert photos.look(web.url()).width == 8
    first, second = web.asked
    assert second.at - first.at >= 1.0
    refusal(photos, web.url("/b.png"), "photo_busy")
    assert web.paths().count("/b.png") == 3


@pytest.mark.parametrize(
    "wait",
    # named, because a name that holds the clock differs from one test worker to the next
    [
        pytest.param("3600", id="seconds"),
        pytest.param(formatdate(time.time() + 3600, usegmt=True), id="date"),
    ],
)
def test_a_long_wait_is_for_another_run(run: Opened, web: Web, wait: str) -> None:
    """And the host is left alone with everything else."""
    web.answers |= {"/a.png": give(b"", 429, Retry_After=wait), "/b.png": give()}
    photos = run()
    refusal(photos, web.url("/a.png"), "photo_busy")
    refusal(photos, web.url("/b.png"), "photo_busy")
    assert web.paths() == ["/a.png"]


@pytest.mark.parametrize("wait", ["soon", "-1", "Wed, 99 Foo 2026", "1e9"])
def test_a_wait_that_nobody_understands_is_none(run: Opened, web: Web, wait: str) -> None:
    """Then the server is not asked again in this run."""
    web.answers["/a.png"] = give(b"", 503, Retry_After=wait)
    refusal(run(), web.url(), "photo_busy")
    assert len(web.asked) == 1


def test_a_host_that_does_not_answer_is_not_tried_for_every_product(run: Opened) -> None:
    """Thousands of products times ten seconds would be the night."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        urls = [f"http://{SHOP}:{port}/{number}.png" for number in range(40)]
        photos = run(timeout_s=0.2)
        began = time.monotonic()
        photos.fetch(urls)
        assert time.monotonic() - began < 3
    codes = {refused(photos, url).code for url in urls}
    assert codes == {"photo_too_slow", "photo_away"}
    assert "no whole answer" in refused(photos, urls[-1]).message_en


def test_a_server_with_errors_of_its_own_is_asked_for_the_rest(run: Opened, web: Web) -> None:
    """Ten pictures that it cannot make say nothing of the eleventh."""
    urls = [web.url(f"/{number}.png") for number in range(10)]
    web.answers |= {f"/{number}.png": give(b"", 500) for number in range(10)}
    photos = run()
    photos.fetch([*urls, web.url()])
    assert photos.look(web.url()).width == 8


# Certificates


def test_a_certificate_is_checked_against_the_name_of_the_host(run: Opened, tmp_path: Path) -> None:
    """The connection goes to the address that was judged, and the server must be who the address names."""
    certificate = self_signed(tmp_path, f"DNS:{SHOP}")
    said: list[str | None] = []
    certificate.context.sni_callback = lambda _socket, name, _context: said.append(name)
    with web_server(certificate.context) as web:
        web.answers["/a.png"] = give()
        photos = run(SHOP, "other.example", ca_file=str(certificate.file))
        assert photos.look(web.url(scheme="https")).width == 8
        assert web.asked[0].headers["Host"] == f"{SHOP}:{web.port}"
        refusal(photos, web.url(host="other.example", scheme="https"), "photo_away")
        refusal(run(), web.url("/b.png", scheme="https"), "photo_away")
    assert said == [SHOP, "other.example", SHOP]
    assert len(web.asked) == 1


def test_an_authority_that_cannot_be_read_stops_the_run(run: Opened, web: Web, tmp_path: Path) -> None:
    """It is the shop's own setting."""
    for content in (None, b"no PEM"):
        if content is not None:
            (tmp_path / "ca.pem").write_bytes(content)
        with pytest.raises(ConfigError, match="ca_file"):
            run(ca_file=str(tmp_path / "ca.pem")).look(web.url())


# Beside photos in files


def test_a_shop_has_photos_in_files_and_at_addresses(run: Opened, web: Web, tmp_path: Path) -> None:
    """Each is looked at where it leads; far ones are asked for together."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "A1.png").write_bytes(encoded((9, 9)))
    shop = ShopPhotos(
        FolderPhotos(tmp_path, tmp_path / "memory.json"), run(), Cuttings(tmp_path / "cuttings.json")
    )
    shop.prefetch([web.url(), web.url("/b.png"), "A1.png", "nowhere.png"])
    assert sorted(web.paths()) == ["/a.png", "/b.png"]
    near, far = shop.look("A1.png"), shop.look(web.url())
    assert (shop.read(near.digest), shop.read(far.digest)) == (encoded((9, 9)), PICTURE)
    assert shop.by_sku("A1", ()) == ("photos/A1.png",)
    with pytest.raises(PhotoError, match="any more"):
        shop.look(web.url("/b.png"))
    shop.close()
    assert len(web.asked) == 2


def test_who_looks_at_nothing_asks_nobody(run: Opened, tmp_path: Path) -> None:
    """Most shops have no role that needs a photo."""
    run().fetch([])
    assert not (tmp_path / "pictures").exists()
    assert run().read(digest(PICTURE)) is None
