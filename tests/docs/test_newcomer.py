"""The path of the README, word by word from an empty folder on, in both languages: in English as a shell goes it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import Line, blocks, lines
from tests.docs.reader import PROGRAM, Reader
from tests.docs.stand_in import nobody
from tests.e2e.shop import environment

LANGUAGES = ("README.md", "README.zh-CN.md")
TIMEOUT_S = 110
MARK = "----- ended with"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """An empty folder with the ``.venv/`` that ``make demo`` or pip would have put there."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    program = programs / "catalog-imagegen"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -W error -m catalog_imagegen "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n', encoding="utf-8")
    return tmp_path


def script(page: str) -> Iterator[tuple[str, int]]:
    """What the page tells a newcomer to type after the two make commands, with the code it ends with."""
    _, *own_shop = (block for block in blocks(page) if block.language == "sh")
    for block in own_shop:
        for line in lines(block):
            yield line.text, line.code


def test_word_by_word(empty: Path) -> None:
    """One shell, every line as it is written; every line ends as the page says."""
    page = "README.md"
    typed = list(script(page))
    path = empty / "newcomer.sh"
    text = "".join(f"{line}\nprintf '\\n%s %s\\n' '{MARK}' $?\n" for line, _ in typed)
    path.write_text(text, encoding="utf-8")
    with nobody() as url:
        server = {"CATALOG_IMAGEGEN_COMFYUI": f'[{{"url": "{url}"}}]'}
        done = subprocess.run(
            ["/bin/sh", str(path)],
            cwd=empty,
            env=environment() | {"LANG": "en_US.UTF-8", "PATH": os.defpath} | server,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=TIMEOUT_S,
            check=False,
        )
    codes = [int(code) for code in re.findall(rf"^{MARK} (\d+)$", done.stdout, re.MULTILINE)]
    assert codes == [code for _, code in typed], done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    assert_shop(empty / "my-shop", "marketplace")


def test_the_same_in_chinese(tmp_path: Path) -> None:
    """The lines are the same, so the program does them without a shell, and what it writes is Chinese."""
    with nobody() as url:
        reader = Reader(tmp_path, url)
        for text, code in script("README.zh-CN.md"):
            if text.startswith("cd "):
                reader.folder /= text.removeprefix("cd ")
            elif text.startswith(PROGRAM):
                done = reader.type(Line(text, code), is_chinese=True)
                assert done.code == code, done
    assert_shop(tmp_path / "my-shop", "平台")


def assert_shop(shop: Path, word: str) -> None:
    """What the page promises is there; the report has this word."""
    assert (shop / "output-simulated" / "report.html").stat().st_size > 10_000
    assert (shop / "approved.zip").is_file()
    assert word in (shop / "output-simulated" / "report.html").read_text(encoding="utf-8")


def test_both_languages_tell_the_same() -> None:
    """The same lines with the same exit codes; only the words of reasons differ."""
    english, chinese = ([(_plain(line), code) for line, code in script(page)] for page in LANGUAGES)
    assert english == chinese


def _plain(line: str) -> str:
    return re.sub(r"--reason (\"[^\"]*\"|\S+)", "--reason …", line)
