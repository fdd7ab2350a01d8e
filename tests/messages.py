"""Collects every text that merchandisers read and keeps the Chinese catalog in step: ``make messages``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import typer
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from catalog_imagegen.cli import app
from catalog_imagegen.cli.help import texts

PACKAGE = Path(__file__).parents[1] / "catalog_imagegen"
PO = PACKAGE / "language" / "zh" / "LC_MESSAGES" / "messages.po"
METHODS = [("**.py", "python"), ("**.j2", "jinja2.ext:babel_extract")]
KEYWORDS = {"tr": None, "mark": None}


class Texts(Catalog):
    """A catalog whose header has no clocks, people or versions, so that the same texts are the same file."""

    mime_headers = [  # noqa: RUF012 - as Babel has it
        ("Project-Id-Version", "catalog-imagegen"),
        ("Language", "zh"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
    ]


def used() -> Iterator[tuple[str, str]]:
    """(text, where it is used) of everything that goes through ``tr``, and of every ``--help``."""
    options = {"**.j2": {"trimmed": "true", "keyword": "tr"}}
    for name, line, text, _comments, _context in extract_from_dir(
        PACKAGE, METHODS, options_map=options, keywords=KEYWORDS
    ):
        yield (text if isinstance(text, str) else text[0]), f"{name}:{line}"
    for text in texts(typer.main.get_command(app)):
        yield text, "--help"


def chinese() -> Catalog:
    """The translations there are."""
    return read_po(io.BytesIO(PO.read_bytes()), locale="zh")


def updated() -> Texts:
    """The translations with every text in use, and no other; new ones are still empty."""
    standing = chinese()
    catalog = Texts(locale="zh", fuzzy=False, header_comment=standing.header_comment)
    for text, _ in used():
        known = standing.get(text)
        catalog.add(text, string=known.string if known else "")
    return catalog


def written(catalog: Texts) -> bytes:
    """The file that is translated."""
    file = io.BytesIO()
    write_po(file, catalog, sort_output=True, width=110)
    return file.getvalue()


def compiled(catalog: Texts) -> bytes:
    """What an installed program reads."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main() -> None:
    """Bring both files up to date and say what is not translated."""
    catalog = updated()
    PO.write_bytes(written(catalog))
    PO.with_suffix(".mo").write_bytes(compiled(catalog))
    missing = [str(message.id) for message in catalog if message.id and not message.string]
    print(f"{len(catalog)} texts, {len(missing)} without a translation")
    for text in missing:
        print(f"  {text}")


if __name__ == "__main__":
    main()
