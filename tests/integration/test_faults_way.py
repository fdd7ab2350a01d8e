"""What fails on the way to a server: nothing is paid twice, nothing fails for it, and it is told once."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import urllib3

from catalog_imagegen.adapters.comfyui import client, listener
from catalog_imagegen.bootstrap import House, servers
from catalog_imagegen.domain.errors import BackendUnavailable, ConfigError
from catalog_imagegen.pipeline.drive import Driver
from catalog_imagegen.simulator import Simulator
from tests.comfyui.peer import free_port
from tests.comfyui.proxy import FaultyProxy
from tests.servers import Certificate, self_signed, serving
from tests.workroom import (
    DEADLINE_S,
    check_stored,
    counts,
    executed,
    goods,
    hurry,
    make,
    numbered,
    opened,
    outcomes,
    running,
    told,
    until,
    work,
)

COUNT = 4


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes longer than it must."""
    hurry(monkeypatch)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Of 127.0.0.1."""
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A server that does nothing wrong."""
    with Simulator() as simulator:
        yield simulator


def nobody() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


# --- what passes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["lose-reply:3", "lose-reply%2", "reset:2", "http-500:2"])
def test_what_passes_within_seconds_is_waited_out(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost reply, a reset, a plain-text 500: each picture is executed once, and nobody is told."""
    monkeypatch.setattr(servers, "PATIENCE_S", 5)
    with Simulator(faults=[fault]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == []
        assert set(executed(server).values()) == {1}
        check_stored(house, COUNT)


@pytest.mark.parametrize(("method", "path"), [("GET", "/history"), ("GET", "/queue"), ("GET", "/view")])
def test_a_proxy_s_errors_are_no_answers(
    method: str, path: str, simulator: Simulator, tmp_path: Path
) -> None:
    """502 as a page of HTML, for a moment: what was asked is asked again."""
    with FaultyProxy(simulator.url) as proxy, opened(work(tmp_path), proxy.url) as house:
        page = b"<html>Bad Gateway</html>"
        proxy.answer_instead(502, page, path=path, method=method, times=2, content_type="text/html")
        assert counts(make(house, numbered(COUNT))) == (COUNT, 0, 0)
        assert set(executed(simulator).values()) == {1}
        check_stored(house, COUNT)


# --- what stays ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [("reset%1", "reset"), ("http-500%1", "server_error"), ("forbidden", "forbidden")],
)
def test_what_stays_leaves_the_pictures_to_a_later_run(
    fault: str, code: str, simulator: Simulator, tmp_path: Path
) -> None:
    """One incident; nothing has failed; once the server behaves, a run makes everything."""
    with opened(work(tmp_path), simulator.url) as house:
        assert house.fleet.all()
        simulator.misbehave(fault)
        report = make(house, numbered(COUNT)) if code != "forbidden" else forbidden_halfway(house, simulator)
        assert counts(report) == (0, 0, COUNT)
        assert told(report) == [(simulator.url, code)]
        assert [error.code for error in report.unavailable] == [code]
        assert report.problems == ()
        simulator.behave()
    with opened(tmp_path, simulator.url) as house:
        assert counts(make(house, numbered(COUNT))) == (COUNT, 0, 0)
        assert set(executed(simulator).values()) == {1}
        check_stored(house, COUNT)


def forbidden_halfway(house: House, simulator: Simulator) -> Any:
    """It answers while it is looked at, and refuses us once it is to work."""
    simulator.behave()
    present = house.fleet.backends

    def backends(pictures: Any) -> Any:
        found = present(pictures)
        simulator.misbehave("forbidden")
        return found

    house.fleet.backends = backends  # type: ignore[method-assign]  # at the moment in between
    return make(house, numbered(COUNT))


@pytest.mark.parametrize("fault", ["1/reset%1", "1/http-500%1", "1/die%1", "1/view-html%1"])
def test_others_make_what_one_server_does_not(fault: str, tmp_path: Path) -> None:
    """The run ends whole; the server that never worked has one incident, however often it failed."""
    with (
        Simulator(number=1, faults=[fault]) as bad,
        Simulator(number=2, faults=[fault]) as good,
        opened(work(tmp_path), bad.url, good.url) as house,
    ):
        report = make(house, numbered(3 * COUNT))
        assert counts(report) == (3 * COUNT, 0, 0)
        assert [server for server, _ in told(report)] == [bad.url]
        assert max(executed(good).values()) == 1
        check_stored(house, 3 * COUNT)


def test_a_name_that_cannot_be_resolved(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told by its own code, and the other server does the work."""
    look_up = socket.getaddrinfo

    def resolved(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host == "gpu.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with opened(work(tmp_path), "http://gpu.example:8188", simulator.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [("http://gpu.example:8188", "unknown_host")]
        assert "DNS" in report.incidents[0].message_en


def test_a_server_that_takes_connections_and_says_nothing(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for longer than a request may take; another server makes the pictures."""
    monkeypatch.setattr(client, "TIMEOUT", urllib3.Timeout(connect=1, read=0.3))
    with (
        Simulator(faults=["no-answer%1"]) as silent,
        opened(work(tmp_path), silent.url, simulator.url) as house,
    ):
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [(silent.url, "no_answer")]


class Homepage(BaseHTTPRequestHandler):
    """Any other server."""

    def do_GET(self) -> None:
        """A page for every address."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"<p>Hi</p>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing."""


def test_another_kind_of_server(simulator: Simulator, tmp_path: Path) -> None:
    """A wrong port shows a web page: told as that, and not used."""
    with serving(Homepage) as url, opened(work(tmp_path), url, simulator.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [(url, "not_comfyui")]


# --- who comes and goes --------------------------------------------------------------------------------------


def test_a_server_that_is_away_at_first_helps_when_it_comes(tmp_path: Path) -> None:
    """It was refused before anything was sent, is looked at again and again, and makes its share."""
    late = Simulator(seconds=0.1)
    late.start()
    late.stop()
    with (
        Simulator(seconds=0.1) as early,
        opened(work(tmp_path, "patience_s = 30"), late.url, early.url) as house,
        running(house, numbered(30)) as run,
    ):
        until(lambda: len(early.executions) > 2)
        late.start()
        try:
            report = run.result(DEADLINE_S)
        finally:
            late.stop()
        assert counts(report) == (30, 0, 0)
        assert told(report) == [(late.url, "refused")]
        assert report.unavailable == ()
        assert late.executions
        assert set(executed(early, late).values()) == {1}
        check_stored(house, 30)


def test_a_server_that_goes_away_for_a_moment_goes_on(tmp_path: Path) -> None:
    """Its queue is gone: what it was at and what waited there are made after all, and the server is told of once."""
    with (
        Simulator(seconds=0.1, folder=tmp_path / "server") as server,
        opened(work(tmp_path / "shop", "patience_s = 30"), server.url) as house,
        running(house, numbered(8)) as run,
    ):
        until(lambda: len(server.executions) > 2)
        server.stop()
        until(lambda: house.fleet.all()[0].name)
        server.start()
        report = run.result(DEADLINE_S)
        assert counts(report) == (8, 0, 0)
        assert len(told(report)) == 1
        assert max(executed(server).values()) <= 2
        check_stored(house, 8)


def test_a_network_that_is_cut_loses_no_picture(simulator: Simulator, tmp_path: Path) -> None:
    """The server goes on meanwhile; what it has made is fetched later, not made again."""
    with (
        FaultyProxy(simulator.url) as proxy,
        opened(work(tmp_path, "patience_s = 30"), proxy.url) as house,
        running(house, goods("一号 [[slow:0.3]]", "二号", "三号")) as run,
    ):
        until(lambda: proxy.prompts_forwarded == 2)
        proxy.refuse()
        proxy.cut()
        until(lambda: len([each for each in simulator.timeline if each.completed]) == 2)
        proxy.accept()
        report = run.result(DEADLINE_S)
        assert counts(report) == (3, 0, 0)
        assert set(executed(simulator).values()) == {1}
        assert len(told(report)) <= 1
        check_stored(house, 3)


def test_a_server_that_dies_while_its_picture_is_fetched(tmp_path: Path) -> None:
    """The picture is made already: it is fetched when the server is back, and the fetching is no failure."""
    with (
        Simulator(faults=["slow-view=2"]) as server,
        FaultyProxy(server.url) as proxy,
        opened(work(tmp_path, "patience_s = 30"), proxy.url) as house,
        running(house, numbered(1)) as run,
    ):
        until(lambda: server.timeline and server.timeline[0].completed)
        proxy.refuse()
        proxy.cut()
        assert outcomes(house) == {"耳机1号": ["open"]}
        proxy.accept()
        report = run.result(DEADLINE_S)
        assert counts(report) == (1, 0, 0)
        assert set(executed(server).values()) == {1}
        check_stored(house, 1)


def test_pictures_that_cannot_be_fetched_are_no_failures(tmp_path: Path) -> None:
    """A proxy that shows its login page instead of every picture: the run ends, and nothing was paid for in vain."""
    with Simulator(faults=["view-html%1"]) as server, opened(work(tmp_path), server.url) as house:
        report = make(house, numbered(COUNT))
        assert counts(report) == (0, 0, COUNT)
        assert told(report) == [(server.url, "not_comfyui")]
        server.behave()
        assert counts(make(house, numbered(COUNT))) == (COUNT, 0, 0)
        assert set(executed(server).values()) == {1}
        check_stored(house, COUNT)


def test_a_failing_server_is_looked_at_less_and_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its probation grows, its incident stays one, and when it has recovered it works as before."""
    waits: list[float] = []
    quarantine = Driver._wait_in_quarantine

    def watched(driver: Any) -> None:
        waits.append(driver._probation_s)
        quarantine(driver)

    monkeypatch.setattr(Driver, "_wait_in_quarantine", watched)
    with (
        Simulator(faults=["reset:8"]) as server,
        opened(work(tmp_path, "patience_s = 30"), server.url) as house,
    ):
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [(server.url, "reset")]
        assert report.unavailable == ()
        assert waits == sorted(waits)
        assert set(executed(server).values()) == {1}


# --- who is let in -------------------------------------------------------------------------------------------


def test_headers_of_the_settings_open_a_proxy(
    simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the secret from the environment, for requests and for the websocket; without it nobody gets in."""
    with FaultyProxy(simulator.url) as proxy:
        proxy.require("Authorization", "Bearer geheim")
        with pytest.raises(BackendUnavailable) as refused, opened(work(tmp_path), proxy.url):
            pass
        assert refused.value.code == "forbidden"

        monkeypatch.setenv("GPU_TOKEN", "geheim")
        table = f'[[comfyui]]\nurl = "{proxy.url}"\nheaders = {{ Authorization = "Bearer ${{GPU_TOKEN}}" }}'
        heard = steps(monkeypatch)
        with opened(work(tmp_path, table), proxy.url) as house:
            report = make(house, goods("一号 [[slow:0.3]]"))
            assert counts(report) == (1, 0, 0)
            assert told(report) == []
        assert heard


def test_a_certificate_that_is_not_trusted(
    certificate: Certificate, simulator: Simulator, tmp_path: Path
) -> None:
    """Nothing is sent to whoever that is; the remedy names the setting."""
    with (
        FaultyProxy(simulator.url, tls=certificate.context) as proxy,
        opened(work(tmp_path), proxy.url, simulator.url) as house,
    ):
        report = make(house, numbered(COUNT))
        assert counts(report) == (COUNT, 0, 0)
        assert told(report) == [(proxy.url, "tls")]
        assert "ca_file" in report.incidents[0].message_en


def test_a_certificate_of_one_s_own_is_trusted_by_its_file(
    certificate: Certificate, simulator: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests, downloads and the websocket go over https."""
    heard = steps(monkeypatch)
    with FaultyProxy(simulator.url, tls=certificate.context) as proxy:
        table = f'[[comfyui]]\nurl = "{proxy.url}"\nca_file = "{certificate.file}"'
        with opened(work(tmp_path, table), proxy.url) as house:
            report = make(house, goods("一号 [[slow:0.3]]", "二号"))
            assert counts(report) == (2, 0, 0)
            assert told(report) == []
            check_stored(house, 2)
    assert heard


@pytest.fixture(params=["http", "https"])
def behind_a_proxy(
    request: pytest.FixtureRequest, certificate: Certificate, simulator: Simulator, tmp_path: Path
) -> Iterator[tuple[House, FaultyProxy]]:
    """A workspace that reaches the simulator through a proxy."""
    with FaultyProxy(simulator.url, tls=certificate.context if request.param == "https" else None) as proxy:
        table = f'[[comfyui]]\nurl = "{proxy.url}"\nca_file = "{certificate.file}"'
        with opened(work(tmp_path, table), proxy.url) as house:
            yield house, proxy


@pytest.mark.parametrize("path", ["/view", "/history"])
def test_an_answer_that_trickles_is_cut_off_and_asked_for_again(
    path: str,
    behind_a_proxy: tuple[House, FaultyProxy],
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of its bytes comes in time, be it a picture, read in one piece, or something shorter."""
    monkeypatch.setattr(servers, "PATIENCE_S", 5)
    monkeypatch.setattr(client, "WHOLE_ANSWER_S", 0.3)
    monkeypatch.setattr(client, "CHUNK_BYTES", 64 if path == "/view" else client.CHUNK_BYTES)
    house, proxy = behind_a_proxy
    proxy.drip_next(path, 20)
    began = time.monotonic()
    report = make(house, numbered(COUNT))
    assert time.monotonic() - began < 15, "it was read to its end"
    assert counts(report) == (COUNT, 0, 0)
    assert set(executed(simulator).values()) == {1}
    check_stored(house, COUNT)


class HangingUp(socketserver.BaseRequestHandler):
    """Hears what a client has to say first, and goes."""

    def handle(self) -> None:
        """No handshake comes of it."""
        self.request.recv(65536)


def test_a_handshake_that_breaks_off_is_no_bad_certificate(
    certificate: Certificate, simulator: Simulator, tmp_path: Path
) -> None:
    """A server behind https that is being restarted is told like any other."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangingUp) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        url = f"https://127.0.0.1:{server.server_address[1]}"
        table = f'[[comfyui]]\nurl = "{url}"\nca_file = "{certificate.file}"'
        with opened(work(tmp_path, table), url, simulator.url) as house:
            report = make(house, numbered(COUNT))
        server.shutdown()
    assert counts(report) == (COUNT, 0, 0)
    assert told(report) == [(url, "reset")]


def test_an_authority_s_file_that_is_not_there(tmp_path: Path) -> None:
    """Is said before anything is asked."""
    table = f'[[comfyui]]\nurl = "https://127.0.0.1:{free_port()}"\nca_file = "nowhere.pem"'
    with (
        opened(work(tmp_path, table)) as house,
        pytest.raises(ConfigError, match=r"no ca_file nowhere\.pem"),
    ):
        make(house, numbered(1))


def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The prompts whose steps are heard from now on."""
    heard: list[str] = []
    note = listener.Listener._note

    def noted(ear: listener.Listener, kind: str, data: Any) -> None:
        if kind == "progress":
            heard.append(data["prompt_id"])
        note(ear, kind, data)

    monkeypatch.setattr(listener.Listener, "_note", noted)
    return heard


# --- one picture, one server ---------------------------------------------------------------------------------


def test_a_picture_that_the_server_chokes_on_does_not_hold_up_the_others(
    simulator: Simulator, tmp_path: Path
) -> None:
    """It gets a 500 each time it is sent; all the others are made, and it stays planned."""
    with FaultyProxy(simulator.url) as proxy, opened(work(tmp_path), proxy.url) as house:
        proxy.answer_instead(500, b"500 Internal Server Error", containing="毒药".encode("unicode-escape"))
        report = make(house, goods("一号", "毒药", "三号", "四号", "五号"))
        assert counts(report) == (4, 0, 1)
        assert told(report) == [(proxy.url, "server_error")]
        assert set(executed(simulator).values()) == {1}


def test_a_simulator_in_the_place_of_a_server_is_not_used(tmp_path: Path) -> None:
    """Whoever listens there when the server is back: placeholders are never taken for pictures."""
    with Simulator() as simulator, opened(work(tmp_path), simulator.url) as house:
        for backend in house.fleet.all():
            backend.must_be_simulator = False
        report = make(house, numbered(COUNT))
        assert counts(report) == (0, 0, COUNT)
        assert told(report) == [(simulator.url, "not_comfyui")]
        assert simulator.executions == []
