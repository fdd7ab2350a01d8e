"""Runs the command line as a user does: a process of its own, a clean environment, both streams captured."""

from __future__ import annotations

import gc
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

from catalog_imagegen.__main__ import main

TIMEOUT_S = 60
SCREEN_LINES = 15
_LAYOUT = re.compile(r"[\s─-╿]+")
_CHINESE = re.compile(r"[一-鿿]")
_ENGLISH = re.compile(r"[a-z]{3,} [a-z]{2,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON on stdout, which must hold nothing else."""
        return json.loads(self.out)

    def says(self, text: str) -> bool:
        """Whether *text* is on the screen, however a terminal wraps and frames it."""
        return _squeezed(text) in _squeezed(self.out + self.err)


def command(*arguments: str | Path) -> list[str]:
    """The command line of the checkout, in which a warning is an error."""
    return [sys.executable, "-W", "error", "-m", "catalog_imagegen", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """No settings and no proxies from outside; a terminal of 80 columns."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"LANG": "C.UTF-8", "COLUMNS": "80"} | more


def run(
    line: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Ran:
    """Run any command line to its end."""
    done = subprocess.run(
        [str(part) for part in line],
        cwd=cwd,
        env=dict(env if env is not None else environment()),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def cli(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Ran:
    """Run ``catalog-imagegen`` with these arguments; *env* is added to the clean environment."""
    return run(command(*arguments), cwd=cwd, env=environment(**(env or {})), timeout_s=timeout_s)


def called(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
    """The same without a process of its own, ten times as quick: for what a process has no part in."""
    kept, argv = dict(os.environ), sys.argv
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        sys.argv = ["catalog-imagegen", *map(str, arguments)]
        os.environ.clear()
        os.environ.update(environment(**(env or {})))
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        gc.unfreeze()  # the command's process would be over, and its garbage with it
        sys.argv = argv
        os.environ.clear()
        os.environ.update(kept)
    return Ran(code, out.getvalue(), err.getvalue())


def assert_explains(ran: Ran, code: int, *words: str, in_chinese: bool = True) -> None:
    """The command failed as it should: exit code, one screen, place and remedy, no traceback."""
    assert ran.code == code, (ran.code, ran.out, ran.err)
    assert "Traceback" not in ran.err, ran.err
    assert len(ran.err.splitlines()) <= SCREEN_LINES, ran.err
    for word in words:
        assert ran.says(word), (word, ran.out, ran.err)
    assert _ENGLISH.search(ran.err), ran.err
    if in_chinese:
        assert _CHINESE.search(ran.err), ran.err
    assert not ran.out or ran.json, ran.out


def assert_whole(workspace: Path) -> None:
    """Nothing is half-written: no temporary files, every listing complete, every ledger sound."""
    assert not list(workspace.rglob(".writing-*"))
    for output in workspace.glob("output*"):
        for folder in (p for p in output.glob("*/*") if p.is_dir()):
            names = {p.name for p in folder.iterdir()}
            assert not names or "listing.json" in names, (folder, names)
            files = json.loads((folder / "listing.json").read_bytes())["files"] if names else []
            assert names == {"listing.json", *(f["name"] for f in files)} or not names, folder
            assert all((folder / f["name"]).stat().st_size == f["bytes"] for f in files), folder
    for ledger in workspace.rglob("ledger.sqlite"):
        with closing(sqlite3.connect(ledger)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), ledger


def wait_for(found: Callable[[], object], *, seconds: float = 20) -> None:
    """Wait until *found* gives something true."""
    deadline = monotonic() + seconds
    while not found():
        assert monotonic() < deadline, "waited too long"
        Event().wait(0.02)


def _squeezed(text: str) -> str:
    return _LAYOUT.sub("", text)
