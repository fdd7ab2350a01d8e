"""A reader who does what a page says, in a workspace that was prepared for it."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from catalog_imagegen.__main__ import main
from tests.docs.pages import Block, Line, blocks, lines
from tests.e2e.shop import environment

PROGRAM = "catalog-imagegen"
DEFAULT_URL = "http://127.0.0.1:8188"
FILE = re.compile(r"^(?:# |\{# )(\S+?\.(?:toml|j2))(?:, above the first (\S+))?(?: #\})?\n")
"""The first line of a block that belongs into a file."""
_VARIABLE = re.compile(r"^(\w+)=(\S*)$")
_HEADING = re.compile(r"^\[.*\]$")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was typed, and what came of it."""

    line: Line
    code: int
    out: str
    err: str


@dataclass(slots=True)
class Reader:
    """Types what a page says; *url* stands in for the server at the usual address."""

    folder: Path
    url: str
    done: list[Done] = field(default_factory=list)

    def follow(self, page: str) -> None:
        """Do everything a page says, in order; each command must end as the page announces."""
        for block in blocks(page):
            if block.language == "sh":
                for line in lines(block):
                    done = self.type(line, is_chinese=block.is_chinese)
                    self.done.append(done)
                    said = f"{page}: {line.text}\nends with {done.code}\n{done.out}\n{done.err}"
                    assert done.code == line.code, said
                    assert "Traceback" not in done.err, said
            elif found := FILE.match(block.text):
                edit(self.folder / found[1], block, above=found[2] or "")

    def type(self, line: Line, *, is_chinese: bool) -> Done:
        """Run one line: the program in this process, anything else in a shell."""
        words = shlex.split(line.text.replace(DEFAULT_URL, self.url))
        variables = {"LANG": "zh_CN.UTF-8" if is_chinese else "en_US.UTF-8"}
        variables["CATALOG_IMAGEGEN_COMFYUI"] = f'[{{"url": "{self.url}"}}]'
        while match := _VARIABLE.match(words[0]):
            variables[match[1]] = match[2]
            words = words[1:]
        if words[0] == PROGRAM:
            return Done(line, *called(words[1:], self.folder, variables))
        ran = subprocess.run(
            ["/bin/sh", "-c", line.text],
            cwd=self.folder,
            env=environment() | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(line, ran.returncode, ran.stdout, ran.stderr)

    def last(self, words: str) -> Done:
        """The last command that begins so."""
        return next(done for done in reversed(self.done) if done.line.text.startswith(words))


def called(words: list[str], folder: Path, variables: dict[str, str]) -> tuple[int, str, str]:
    """Run the program in this process: exit code, stdout and stderr."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        _as_if(folder, [PROGRAM, *words], variables),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
    return code, out.getvalue(), err.getvalue()


@contextlib.contextmanager
def _as_if(folder: Path, argv: list[str], variables: dict[str, str]) -> Iterator[None]:
    """For a while, this process is in another folder, with other words and a clean environment."""
    old_argv, old_environment = sys.argv, dict(os.environ)
    with contextlib.chdir(folder):
        sys.argv = argv
        os.environ.clear()
        os.environ.update(environment() | variables)
        try:
            yield
        finally:
            gc.unfreeze()  # the program's process would be over, and its garbage with it
            sys.argv = old_argv
            os.environ.clear()
            os.environ.update(old_environment)


def edit(path: Path, block: Block, *, above: str) -> None:
    """Bring a file to what a block says: keys replace those of the same table, other tables are added."""
    text = block.text.partition("\n")[2]
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    if path.suffix == ".j2" or not old:
        new = block.text if path.suffix == ".j2" else text
    elif above:
        assert above in old, (path, above)
        new = old.replace(above, f"{text}\n{above}", 1)
    else:
        new = old
        for heading, keys in _tables(text):
            new = _set(new, heading, keys)
    path.write_text(new, encoding="utf-8")
    if path.suffix == ".toml":
        tomllib.loads(new)


def _tables(text: str) -> Iterator[tuple[str, list[str]]]:
    """Heading → its lines; the first may have no heading."""
    heading, keys = "", list[str]()
    for line in text.splitlines():
        if _HEADING.match(line):
            yield heading, keys
            heading, keys = line, []
        else:
            keys.append(line)
    yield heading, keys


def _set(text: str, heading: str, keys: list[str]) -> str:
    is_there = not heading or (f"\n{heading}\n" in text and not heading.startswith("[["))
    if not is_there:
        return text.rstrip("\n") + "\n\n" + "\n".join([heading, *keys]) + "\n"
    before, mark, after = text.partition(f"\n{heading}\n") if heading else ("", "", text)
    end = next(re.finditer(r"^\[", after, re.MULTILINE), None)
    body, rest = (after[: end.start()], after[end.start() :]) if end else (after, "")
    for key in filter(None, keys):
        name = re.escape(key.partition(" = ")[0])
        body, count = re.subn(rf"^{name} = .*$", key.replace("\\", r"\\"), body, flags=re.MULTILINE)
        if not count:
            body = f"{key}\n{body}"
    return before + mark + body + rest
