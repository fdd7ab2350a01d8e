"""The messages that the troubleshooting page quotes are messages of the program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from catalog_imagegen.domain import errors
from catalog_imagegen.domain.failure import REMEDIES
from tests.docs.pages import ROOT, text_of

PAGE = "docs/troubleshooting.md"
ANYTHING = "…"
HOLE = "\0"


def texts() -> Iterator[str]:
    """Every text in the program's code; what is filled in at run time is a hole."""
    for path in sorted((ROOT / "catalog_imagegen").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(p.value if isinstance(p, ast.Constant) else HOLE for p in node.values)  # type: ignore[misc]  # of an f-string they are texts
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"\{\w*(![rs])?\}", HOLE, node.value)


TEXTS = list(texts())


def quoted() -> list[str]:
    """The messages in the first column of the page's tables."""
    rows = [line for line in text_of(PAGE).splitlines() if line.startswith("| ") and "---" not in line]
    cells = [row.split(" | ")[0] for row in rows]
    return [message for cell in cells for message in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("message", quoted())
def test_a_quoted_message_exists(message: str) -> None:
    """Its parts stand in one text of the program, in this order."""
    parts = [re.escape(part.strip()) for part in message.split(ANYTHING) if part.strip()]
    assert parts, "a message cannot be all dots"
    pattern = re.compile(".*".join(parts), re.DOTALL)
    assert any(pattern.search(text) for text in TEXTS), message


def test_every_failure_of_a_server_has_a_message_there() -> None:
    """Codes that people meet in reports and on the page are the same."""
    known = {"out_of_memory", "timeout", "lost"}
    assert known <= set(REMEDIES)
    assert known <= set(quoted())


def test_every_exit_code_is_explained() -> None:
    """On its page, by its number."""
    page = text_of("docs/exit-codes.md")
    for name, code in vars(errors).items():
        if name.startswith("EXIT_"):
            assert re.search(rf"^\| {code} \| ", page, re.MULTILINE), name


def test_the_timer_tries_again_only_what_may_pass() -> None:
    """The systemd service of the page restarts on 75 and on no other exit code of the program."""
    page = text_of("docs/nightly-sync.md")
    prevented = re.search(r"^RestartPreventExitStatus=(.*)$", page, re.MULTILINE)
    assert prevented
    codes = {code for name, code in vars(errors).items() if name.startswith("EXIT_")}
    assert set(map(int, prevented[1].split())) == codes - {errors.EXIT_OK, errors.EXIT_TRY_LATER}
    assert "Restart=on-failure\n" in page
