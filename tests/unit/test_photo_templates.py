from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from catalog_imagegen.domain.catalog import Product
from tests.unit.test_prompt_templates import (
    CATEGORIES,
    DANGLING,
    GOLDEN,
    MONEY_AND_TIME,
    book,
    samples,
    write,
)

ROLES = {"main_from_photo": ("正面",), "lifestyle_from_photo": ("日常使用", "在陶艺教室")}
LOOKS = ("color", "material", "shape")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("sku", samples())
def test_edits_of_the_sample_catalog_read_well(sku: str, role: str) -> None:
    """Length and punctuation of every instruction, also for the scenes that the rows name."""
    product = samples()[sku]
    items = ROLES[role] + (product.usage_scenarios[:2] if role == "lifestyle_from_photo" else ())
    for item in items:
        prompt = write(role, product, item)
        assert 180 <= len(prompt.positive) <= 350, prompt.positive
        for text in (prompt.positive, prompt.negative):
            assert not DANGLING.search(text.rstrip("。")), text
            assert not set(text) & set('"“”「」『』《》【】{}[]\n'), text
        assert prompt.positive.endswith("。")
        assert prompt.negative.startswith("模糊，")


@pytest.mark.parametrize("role", ROLES)
def test_an_edit_says_what_stays_and_leaves_looks_to_the_photo(role: str) -> None:
    """Words of the row could contradict the photo, so colour, material and shape are not said."""
    product = samples()["LS-E100-BK"]
    text = write(role, product, ROLES[role][0]).positive
    assert "本身原样保留" in text
    assert "同原图完全一致" in text
    assert "标志与印字逐笔照原样保留" in text
    for field in LOOKS:
        value = getattr(product, field)
        assert value
        assert value not in text
    other = replace(product, color="粉色", material="木", shape="方", price="1", promo_text="全场八折")
    assert write(role, other, ROLES[role][0]) == write(role, product, ROLES[role][0])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("category", CATEGORIES)
def test_a_bare_row_is_enough(category: str, role: str) -> None:
    """The photo shows the rest; a note of a take is heard."""
    product = Product(sku="1", name="木羽三号", category=category)
    for item in ROLES[role]:
        text = write(role, product, item, note="背景换成浅灰色").positive
        assert not DANGLING.search(text.rstrip("。")), text
        assert text.count("背景换成浅灰色。") == 1


@pytest.mark.parametrize("role", ROLES)
def test_an_edit_reads_neither_money_nor_campaigns(role: str) -> None:
    """A new price edits no photo again."""
    read = set(book().write(role, samples()["BY-C350-GN"], item=ROLES[role][0]).made_of)
    assert not read & {f"column:{column}" for column in MONEY_AND_TIME}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("sku", ["LS-E100-BK", "BY-C350-GN"])
def test_golden_edits(sku: str, role: str) -> None:
    """A changed word renews every picture that uses it; this shows the change before it is paid for."""
    item = (samples()[sku].usage_scenarios if role == "lifestyle_from_photo" else ROLES[role])[0]
    prompt = write(role, samples()[sku], item)
    file = GOLDEN / f"prompt-{sku}-{role}.txt"
    text = f"{item}\n\n{prompt.positive}\n\n{prompt.negative}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert file.exists(), f"no {file.name}; run UPDATE_GOLDEN=1 pytest {Path(__file__).name}"
    assert text == file.read_text(encoding="utf-8"), f"run UPDATE_GOLDEN=1 pytest {Path(__file__).name}"
    assert not re.search(r"None|undefined", text)
