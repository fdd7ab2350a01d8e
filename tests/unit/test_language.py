"""Which language is spoken, and that every text there is has a good translation."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator, Mapping

import pytest

from catalog_imagegen.language import Code, Language, language, spoken_here
from tests.messages import PACKAGE, PO, chinese, compiled, updated, used, written

REMEDY = "run: make messages"
CATALOG = {str(message.id): str(message.string) for message in chinese() if message.id}


def blanks(text: str) -> list[str]:
    """The names in braces."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def marked(tree: ast.AST) -> Iterator[str]:
    """The literal texts that are given to ``tr`` or ``mark``, wherever they stand."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            first = node.args[0]
            if name in ("tr", "mark") and isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "ZH_cn.gb18030"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE"}, "en"),
        ({"LANG": "C"}, None),
        ({"LANG": "C.UTF-8"}, None),
        ({"LANG": "POSIX"}, None),
        ({"LANG": ""}, None),
        ({}, None),
        ({"CATALOG_IMAGEGEN_LANGUAGE": "zh", "LC_ALL": "en_US"}, "zh"),
        ({"CATALOG_IMAGEGEN_LANGUAGE": "en", "LANG": "zh_CN"}, "en"),
        ({"CATALOG_IMAGEGEN_LANGUAGE": "auto", "LANG": "zh_CN"}, "zh"),
        ({"CATALOG_IMAGEGEN_LANGUAGE": "auto"}, None),
        ({"LC_ALL": "zh_CN", "LC_MESSAGES": "en_US", "LANG": "en_US"}, "zh"),
        ({"LC_MESSAGES": "zh_CN", "LANG": "en_US"}, "zh"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_CN"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN"}, None),
    ],
)
def test_the_language_of_a_locale(environment: Mapping[str, str], code: Code | None) -> None:
    """Our own variable first, then the locale's three in their order; nothing and C say nothing."""
    assert spoken_here(environment) == code


def test_the_missing_half_of_a_text_does_not_leave_a_hole() -> None:
    """Records of an earlier version may hold one language only."""
    assert Language("zh").pick("only", "") == "only"
    assert Language("en").pick("", "只有") == "只有"
    assert (Language("en").pick("en", "zh"), Language("zh").pick("en", "zh")) == ("en", "zh")


def test_a_text_in_either_language() -> None:
    """English texts are their own keys, and an unknown one stays as it is."""
    assert language("en").tr("{n} files", n=3) == "3 files"
    assert language("zh").tr("{n} files", n=3) == "3 个文件"
    assert language("zh").tr("[default: {}]") == "[默认：{}]"
    assert language("zh").tr("nobody translated this {n}", n=1) == "nobody translated this 1"


def test_every_text_in_use_is_translated_and_no_other() -> None:
    """A new text shows here before it shows as English to a Chinese reader."""
    assert {text for text, _ in used()} == set(CATALOG), REMEDY
    assert [text for text, translation in CATALOG.items() if not translation] == []


def test_no_marked_text_escapes_the_extraction() -> None:
    """Babel does not look into f-strings on Python 3.11; this does."""
    known = {text for text, _ in used()}
    for path in sorted(PACKAGE.rglob("*.py")):
        found = set(marked(ast.parse(path.read_text(encoding="utf-8"))))
        assert found <= known, f"{path.relative_to(PACKAGE)}: take the text out of its f-string"


def test_both_files_are_up_to_date() -> None:
    """What is installed is what was translated."""
    assert written(updated()) == PO.read_bytes(), REMEDY
    assert compiled(updated()) == PO.with_suffix(".mo").read_bytes(), REMEDY


@pytest.mark.parametrize("text", CATALOG)
def test_a_translation_fits_its_text(text: str) -> None:
    """The same blanks, the same example, the same commands and options, and Chinese in between."""
    translation = CATALOG[text]
    assert blanks(translation) == blanks(text)
    assert translation.partition("`")[1:] == text.partition("`")[1:]
    assert [word for word in text.split() if word.startswith("--") and word not in translation] == []
    assert not translation.isascii() or text == "{count} {name}"
