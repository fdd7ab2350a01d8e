"""The documentation is complete: what exists is documented, in both languages, and what it links is there."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
import typer
from PIL import Image

from catalog_imagegen.cli import app
from catalog_imagegen.config import Settings
from catalog_imagegen.config.setup import _RoleTable
from catalog_imagegen.domain import errors
from tests.docs import configuration
from tests.docs.pages import PAGES, ROOT, blocks, text_of

READMES = ("README.md", "README.zh-CN.md")
SHEET_BYTES = 400_000
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", READMES)
def test_the_two_commands_come_first_and_exist(page: str) -> None:
    """The first block is make demo and make test, and the Makefile has both."""
    first = next(block for block in blocks(page) if block.language == "sh")
    assert [line.split("#")[0].strip() for line in first.text.splitlines()] == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {"demo", "test", "check", "bench", "test-comfyui", "test-mariadb", "test-ocr", "clean"}
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_ci_calls_the_readme_test_command() -> None:
    """CI proves what the README promises."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    made = {word for line in script.splitlines() if line.startswith("make ") for word in line.split()}
    assert {"check", "demo", "test", "test-comfyui", "test-mariadb", "test-ocr"} <= made


def commands() -> dict[str, str]:
    """Every command with its help."""
    group = typer.main.get_command(app)
    found = {}
    for name, command in group.commands.items():  # type: ignore[attr-defined]  # a group of commands
        subs = getattr(command, "commands", {})
        if not subs or command.invoke_without_command:
            found[name] = command.help or ""
        for sub, body in subs.items():
            found[f"{name} {sub}"] = body.help or ""
    return found


@pytest.mark.parametrize("page", READMES)
@pytest.mark.parametrize("name", commands())
def test_every_command_is_in_the_readme(name: str, page: str) -> None:
    """A command that the README does not tell of does not exist for its readers."""
    assert re.search(rf"^\| `{name}[ `]", text_of(page), re.MULTILINE), name


@pytest.mark.parametrize("page", READMES)
def test_every_command_of_the_table_exists(page: str) -> None:
    """No row promises what the program does not have."""
    table = text_of(page).split("|---|---|")[1]
    rows = re.findall(r"^\| `([a-z]+(?: [a-z]+)?)", table, re.MULTILINE)
    assert set(rows) <= set(commands())


@pytest.mark.parametrize("name", commands())
def test_every_command_has_an_example(name: str) -> None:
    """Help without an example is half a help."""
    assert f"Example: `catalog-imagegen {name}" in commands()[name]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_explained_in_app_toml(name: str) -> None:
    """The shipped app.toml shows each key."""
    text = (ROOT / "config" / "app.toml").read_text(encoding="utf-8")
    assert re.search(rf"^(# )?(\[?\[{name}\]\]?|{name} =)", text, re.MULTILINE)


@pytest.mark.parametrize("name", _RoleTable.model_fields)
def test_every_key_of_a_role_is_explained(name: str) -> None:
    """On the page about roles, in its table of keys."""
    rows = [row for row in text_of("docs/roles.md").splitlines() if row.startswith("| `")]
    assert any(f"`{name}`" in row.split(" | ")[0] for row in rows)


@pytest.mark.parametrize("page", READMES)
def test_every_exit_code_is_in_the_readme(page: str) -> None:
    """Other programs rely on them."""
    for name, code in vars(errors).items():
        if name.startswith("EXIT_"):
            assert re.search(rf"^\| {code} \| ", text_of(page), re.MULTILINE), name


def test_every_marketplace_is_on_its_page() -> None:
    """With what its listings cover, and no other."""
    packaged = tomllib.loads((ROOT / "config" / "platforms.toml").read_text(encoding="utf-8"))["platforms"]
    rows = re.findall(
        r"^\| `([a-z0-9_]+)` \| .+ \| .*\b(SPU|SKU)\b", text_of("docs/platforms.md"), re.MULTILINE
    )
    assert dict(rows) == {name: table["listing_per"].upper() for name, table in packaged.items()}


def test_the_page_of_settings_is_up_to_date() -> None:
    """It is made from the program: ``python -m tests.docs.configuration`` makes it again."""
    assert configuration.PAGE.read_text(encoding="utf-8") == configuration.page()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Files are there, and so are the headings that are linked to."""
    for target in _LINK.findall(re.sub(r"```.*?```", "", text_of(page), flags=re.DOTALL)):
        name, _, anchor = unquote(target).partition("#")
        if "://" in name:
            continue
        place = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        assert place.exists(), f"{page} links {target}"
        if anchor:
            assert anchor in set(anchors(place.read_text(encoding="utf-8"))), f"{page} links {target}"


def anchors(text: str) -> Iterator[str]:
    """What the headings of a page are called in links."""
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        words = [c for c in heading.casefold() if c in "-_ " or unicodedata.category(c)[0] in "LN"]
        yield "".join(words).replace(" ", "-")


@pytest.mark.parametrize("page", READMES)
def test_placeholders_are_called_so(page: str) -> None:
    """The contact sheet is light, and is said to be painted by the simulator."""
    below = text_of(page).partition("(docs/contact-sheet.jpg)")[2].split("\n## ")[0]
    assert re.search(r"not generated pictures|不是生成的图片", below)
    with Image.open(ROOT / "docs" / "contact-sheet.jpg") as sheet:
        assert sheet.width > 1000
    assert (ROOT / "docs" / "contact-sheet.jpg").stat().st_size < SHEET_BYTES


def test_every_page_is_in_the_index() -> None:
    """A page that nothing links is read by nobody."""
    index = text_of("docs/README.md")
    for page in PAGES:
        if page.startswith("docs/") and page.count("/") == 1 and page != "docs/README.md":
            assert f"({page.removeprefix('docs/')})" in index, page
