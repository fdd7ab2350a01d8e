from __future__ import annotations

import csv
import functools
import io
import os
import re
import runpy
import sqlite3
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.imaging import Prompt, TextMode
from catalog_imagegen.stages.prompt import PromptBook

ROOT = Path(__file__).parents[2]
OFF = ("comparison_without", "comparison_with", "poster")
GOLDEN = Path(__file__).parent / "golden"
SAMPLES = ROOT / "sample_catalog"
ROLES = (
    "main",
    "main_portrait",
    "lifestyle",
    "detail",
    "comparison",
    "comparison_without",
    "comparison_with",
    "poster",
)
TEXTS = {
    "货号": "sku",
    "款号": "spu",
    "商品名称": "name",
    "品牌": "brand",
    "类目": "category",
    "颜色": "color",
    "材质": "material",
    "形状": "shape",
    "尺寸": "size",
    "规格": "spec",
    "售价": "price",
    "原价": "list_price",
    "促销文案": "promo_text",
    "促销开始": "promo_start",
    "促销结束": "promo_end",
}
LISTS = {
    "卖点": "features",
    "使用场景": "usage_scenarios",
    "细节": "detail_features",
    "优势": "advantages",
    "配件": "accessories",
}
CATEGORIES = ("数码", "家居", "服饰", "美妆", "食品", "母婴", "户外", "说不清")
DANGLING = re.compile(
    r"[，。；：、]{2}|的的|色色|的[，。；、]|的$|^[，。；、]|[，；、：]$|，配(?=[，。；])|^的"
)
MONEY_AND_TIME = ("price", "list_price", "currency", "promo_text", "promo_start", "promo_end", "date")


@functools.cache
def vocabulary() -> dict[str, Any]:
    """Read the packaged vocabulary."""
    return tomllib.loads((ROOT / "prompt_templates" / "vocabulary.toml").read_text(encoding="utf-8"))


@functools.cache
def book() -> PromptBook:
    """Compile the packaged templates."""
    folder = ROOT / "prompt_templates"
    return PromptBook({p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.j2")}, vocabulary())


def _product(row: dict[str, str]) -> Product:
    texts: dict[str, Any] = {field: row[header] for header, field in TEXTS.items()}
    lists: dict[str, Any] = {
        field: tuple(text for text in re.split("[、；\n]", row[header]) if text)
        for header, field in LISTS.items()
    }
    return Product(**texts, **lists, extra={"容量": row["容量"]})


@functools.cache
def samples() -> dict[str, Product]:
    """Read the good rows of the sample catalog by SKU."""
    rows = csv.DictReader(io.StringIO((SAMPLES / "products.csv").read_text(encoding="gb18030"), newline=""))
    return {row["货号"]: _product(row) for row in rows if row["商品名称"] and "E+" not in row["货号"]}


def pictures(product: Product) -> Iterator[tuple[str, str]]:
    """Yield role and item of every picture that the packaged roles make of a product, and the poster."""
    yield "main", "正面"
    yield "main_portrait", "正面"
    for item in (product.usage_scenarios or ("日常使用",))[:2]:
        yield "lifestyle", item
    for item in (product.detail_features or ("材质与边缘",))[:3]:
        yield "detail", item
    for item in book().matching("evidence", product.features, "compare_left")[:1]:
        yield "comparison", item
        yield "comparison_without", item
        yield "comparison_with", item
    yield "poster", "促销"


def write(role: str, product: Product, item: str, note: str = "", text: TextMode = "model") -> Prompt:
    """Write one prompt with the packaged templates."""
    return book().write(role, product, item=item, note=note, text=text).prompt


def every_prompt(product: Product) -> list[tuple[str, str, Prompt]]:
    """Write all prompts of a product."""
    return [(role, item, write(role, product, item)) for role, item in pictures(product)]


def block(product: Product) -> str:
    """Cut the product block out of the main picture's prompt."""
    sentence = write("main", replace(product, accessories=()), "正面").positive.split("。")[1]
    assert sentence
    return sentence


@pytest.mark.parametrize("sku", samples())
def test_prompts_of_the_sample_catalog_read_well(sku: str) -> None:
    """Length, punctuation and characters of every prompt that the sample catalog leads to."""
    for role, item, prompt in every_prompt(samples()[sku]):
        where = f"{sku} {role} {item}: {prompt.positive}"
        assert 150 <= len(prompt.positive) <= 350, where
        for text in (prompt.positive, prompt.negative):
            assert not DANGLING.search(text.rstrip("。")), where
            assert not re.search(r"None|undefined|keywords|[{}\[\]\n]", text, re.IGNORECASE), where
            assert not set(text) & set("“”「」『』《》【】"), where
        assert prompt.positive.endswith("。"), where
        assert prompt.positive.count('"') in ((0, 2) if role == "poster" else (0,)), where
        assert not re.search(r"杰作|大师|8K|4K|\(.+:\d", prompt.positive, re.IGNORECASE), where
        assert not re.search(r"没有|不要|无文字|禁止", prompt.positive), f"absence is not drawable: {where}"
        assert prompt.negative.startswith("模糊，"), where


@pytest.mark.parametrize("sku", samples())
def test_every_role_shows_the_same_product(sku: str) -> None:
    """The product block stands word for word in each prompt of a SKU."""
    product = samples()[sku]
    same = block(product)
    assert product.name.removeprefix(product.brand).strip() in same
    for role, item, prompt in every_prompt(product):
        shown = 0 if role == "comparison_without" else 1
        assert prompt.positive.count(same) == shown, f"{role} {item}: {prompt.positive}"


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("role", ROLES)
def test_a_bare_row_degrades_gracefully(category: str, role: str) -> None:
    """A name is enough: no gaps in the sentence, and every role assumes the same looks."""
    product = Product(sku="1", name="木羽三号", category=category)
    item = "防漏" if role.startswith("comparison") else ""
    item = {"lifestyle": "日常使用", "detail": "材质与边缘"}.get(role, item)
    text = write(role, product, item).positive
    assert 140 <= len(text) <= 350, text
    assert not DANGLING.search(text.rstrip("。")), text
    assert (block(product) in text) == (role != "comparison_without")


@pytest.mark.parametrize("missing", ["color", "material", "shape", "features", "brand", "category"])
def test_any_single_column_may_be_empty(missing: str) -> None:
    """Each gap closes without leaving punctuation behind."""
    gap: Any = () if missing == "features" else ""
    product = replace(samples()["LS-E100-BK"], **{missing: gap})
    for role, item, prompt in every_prompt(product):
        assert not DANGLING.search(prompt.positive.rstrip("。")), f"{role} {item}: {prompt.positive}"


@given(st.fixed_dictionaries({name: st.text(max_size=30) for name in ("name", "color", "material", "shape")}))
@settings(max_examples=60, deadline=None)
def test_nothing_a_cell_holds_can_draw_text(cells: dict[str, Any]) -> None:
    """Quotes and embeddings from any cell stay out of the roles that draw no text."""
    product = Product(sku="1", **cells)
    for role, item in (("main", ""), ("lifestyle", "日常使用"), ("detail", "边角"), ("comparison", "防水")):
        text = write(role, product, item).positive
        assert not set(text) & set('"“”「」《》\n')
        assert "embedding:" not in text.casefold()


@pytest.mark.parametrize("sku", samples())
def test_the_note_of_a_take_reaches_every_role(sku: str) -> None:
    """What somebody asks for when regenerating is in the positive prompt, once, and only then."""
    for role, item in pictures(samples()[sku]):
        plain = write(role, samples()[sku], item)
        noted = write(role, samples()[sku], item, note="背景换成浅灰色。")
        assert noted.positive.count("背景换成浅灰色。") == 1
        assert "特别要求" not in plain.positive
        assert noted.negative == plain.negative
        assert not DANGLING.search(noted.positive.rstrip("。"))


@pytest.mark.parametrize("sku", samples())
def test_price_promotion_and_order_change_no_picture(sku: str) -> None:
    """A new price, another campaign or reordered lists give the same prompts, but for the poster."""
    product = samples()[sku]
    changed = replace(
        product,
        price="1",
        list_price="2",
        promo_text="全场八折",
        promo_start="",
        features=product.features[::-1],
        accessories=product.accessories[::-1],
        advantages=(),
        size="1cm",
    )
    for role, item in pictures(product):
        if role != "poster":
            assert write(role, changed, item) == write(role, product, item)


@pytest.mark.parametrize("role", ROLES)
def test_only_the_poster_reads_money_and_campaigns(role: str) -> None:
    """The record of columns read proves it for every branch the sample reaches."""
    for product in samples().values():
        for name, item in pictures(product):
            if name == role:
                read = set(book().write(role, product, item=item).made_of)
                money = {column for column in MONEY_AND_TIME if f"column:{column}" in read}
                assert bool(money) == (role == "poster")


@pytest.mark.parametrize(
    ("change", "drawn"),
    [
        ({}, "限时优惠"),
        ({"promo_text": "“限时优惠”！"}, "限时优惠"),
        ({"promo_text": "年终大促全场八折"}, "年终大促全场八折"),
        ({"promo_text": "年终大促全场八折起"}, ""),
        ({"promo_text": ""}, ""),
        ({"promo_start": ""}, ""),
        ({"promo_end": ""}, ""),
    ],
)
def test_the_poster_draws_only_short_dated_text(change: dict[str, Any], drawn: str) -> None:
    """Long text comes out garbled and a limited offer needs its dates; otherwise room is left for it."""
    text = write("poster", replace(samples()["LS-E100-BK"], **change), "促销").positive
    assert re.findall('"(.*?)"', text) == ([drawn] if drawn else [])
    assert ("留给后期排字" in text) is not bool(drawn)


def test_an_unknown_scenario_is_used_as_it_stands() -> None:
    """A merchandiser's own scenario is not replaced by one of ours."""
    text = write("lifestyle", samples()["BY-C350-GN"], "在陶艺教室").positive
    assert "使用情景是在陶艺教室" in text
    assert "客厅" not in text


@pytest.mark.parametrize("category", CATEGORIES)
def test_everyday_use_shows_no_people(category: str) -> None:
    """Faces and hands are the riskiest part of a picture, so nobody is added who was not asked for."""
    text = write("lifestyle", Product(sku="1", name="无线耳机", category=category), "日常使用").positive
    assert not re.search("女性|男性|一位|人物", text)
    assert "日常使用" not in text


def test_people_appear_where_a_product_is_worn() -> None:
    """Earphones on the underground are worn; a cup in the office stands on the desk."""
    worn = write("lifestyle", samples()["LS-E100-BK"], "在通勤地铁上听音乐").positive
    assert "耳朵里戴着一副石墨黑色的无线蓝牙耳机" in worn
    assert "中国女性" in worn
    stood = write("lifestyle", samples()["BY-C350-GN"], "在办公室").positive
    assert "办公桌上立着一只墨绿色的便携咖啡杯" in stood
    assert "一位" not in stood


def test_an_unknown_detail_is_used_as_it_stands() -> None:
    """The generic macro names the part in the merchandiser's words."""
    assert "镜头贴近背夹弹片这一处" in write("detail", samples()["LS-E100-BK"], "背夹弹片").positive


def test_an_invisible_structure_is_shown_where_it_can_be_seen() -> None:
    """A vacuum between two walls shows as the thick rim they meet in; a cut-away would be invented."""
    prompt = write("detail", samples()["BY-C350-GN"], "双层真空结构")
    assert "口沿" in prompt.positive
    assert "墨绿色外壁" in prompt.positive
    assert "剖" not in prompt.positive
    assert "剖面图" in prompt.negative


@pytest.mark.parametrize(
    ("color", "words"),
    [
        ("石墨黑", "一副石墨黑色的无线蓝牙耳机"),
        ("燕麦", "一副燕麦色的无线蓝牙耳机"),
        ("白色", "一副白色的无线蓝牙耳机"),
        ("蓝白条纹", "一副蓝白条纹的无线蓝牙耳机"),
        ("透明", "一副透明的无线蓝牙耳机"),
        ("Black", "一副Black的无线蓝牙耳机"),
        ("无线", "一副无线蓝牙耳机"),
        (" ，", "一副无线蓝牙耳机"),
    ],
)
def test_a_colour_reads_as_a_colour(color: str, words: str) -> None:
    """Oatmeal is a colour here, not a food; a colour already in the name is not said twice."""
    assert block(replace(samples()["LS-E100-BK"], color=color)).startswith(words + "，")


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("头戴式降噪耳机", "一副"),
        ("婴儿奶瓶", "一只"),
        ("咖啡杯垫", "一件"),
        ("马克杯", "一只"),
        ("山茶花护手霜", "一支"),
        ("茉莉花茶", "一盒"),
        ("机械键盘", "一把"),
        ("露营灯", "一盏"),
        ("婴儿连体衣", "一件"),
        ("防晒皮肤衣外套", "一件"),
        ("跑步鞋", "一双"),
        ("化妆刷", "一套"),
        ("儿童安全座椅", "一台"),
        ("纸尿裤", "一包"),
        ("谁也没见过的东西", "一件"),
    ],
)
def test_things_are_counted_as_chinese_counts_them(name: str, start: str) -> None:
    """The measure word tells the model how many there are; a wrong one reads as another thing."""
    assert block(Product(sku="1", name=name)).startswith(start + name)


def test_a_brand_in_the_name_is_left_out() -> None:
    """A brand name invites the model to draw a logo of its own invention."""
    assert "岭声" not in block(samples()["6970012340158"])
    assert "白榆" in block(Product(sku="1", name="白榆", brand="白榆"))


def test_comparisons_show_no_rival() -> None:
    """Left is an ordinary unbranded thing; neither side carries a trade mark."""
    for entry in vocabulary()["evidence"]:
        if "compare_left" in entry:
            assert {"compare_scene", "compare_left", "compare_right"} <= set(entry)
            assert "{product}" in entry["compare_right"]
            assert not re.search("竞品|品牌|同行|其他家|对手", entry["compare_left"])


def test_every_category_is_complete() -> None:
    """All categories hold the same words, so no product fails for want of one; the last is the default."""
    tables = vocabulary()["category"]
    for entry in tables:
        assert set(entry) | {"keywords"} == set(tables[0]), entry["name"]
        assert set(entry["default_scene"]) == set(tables[0]["default_scene"]), entry["name"]
    assert "keywords" not in tables[-1]
    assert [entry["name"] for entry in tables[:-1] if entry["name"] not in CATEGORIES] == []


def test_scenes_and_parts_are_complete() -> None:
    """Each scene can hold small, large and standing products; each part names its point of focus."""
    for entry in vocabulary()["scene"]:
        wanted = {"place", "surface", "ground", "props", "background", "light"}
        assert entry.get("default") or wanted <= set(entry), entry["keywords"]
    for entry in vocabulary()["part"]:
        assert {"keywords", "subject", "focus"} == set(entry), entry["keywords"]


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for name, child in node.items():
            if name != "keywords":
                yield from _texts(child)
    elif isinstance(node, list):
        for child in node:
            yield from _texts(child)


def test_vocabulary_leaves_punctuation_to_the_templates() -> None:
    """No entry ends in punctuation or holds a quote, a line break or an absence."""
    for text in _texts(vocabulary()):
        assert not re.search(r'[，。；：、]$|^[，。]|["“”\n]|没有|不要', text), text


@pytest.mark.parametrize("table", ["category", "noun", "companion", "wearer", "scene", "evidence", "part"])
def test_every_entry_can_be_reached(table: str) -> None:
    """No keyword is shadowed by an earlier entry: each finds the entry it stands in."""
    for entry in vocabulary()[table]:
        for word in entry.get("keywords", ()):
            assert book().find(table, word) == entry, f"{table}: an earlier entry already takes {word}"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("sku", ["LS-E100-BK", "BY-C350-GN"])
def test_golden_prompts(sku: str, role: str) -> None:
    """A changed word renews every picture that uses it; this shows the change before it is paid for."""
    product = samples()[sku]
    item = next(item for name, item in pictures(product) if name == role)
    prompt = write(role, product, item)
    file = GOLDEN / f"prompt-{sku}-{role}.txt"
    text = f"{item}\n\n{prompt.positive}\n\n{prompt.negative}\n"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.exists(), f"no {file.name}; run UPDATE_GOLDEN=1 pytest {Path(__file__).name}"
    assert text == file.read_text(encoding="utf-8"), (
        f"{file.name} reads differently. If that is meant, run UPDATE_GOLDEN=1 pytest {Path(__file__).name} "
        "and commit the golden files; every picture of this role will be rendered again."
    )


def test_the_sample_makes_a_days_work() -> None:
    """30 good rows in 7 categories lead to between 180 and 210 pictures."""
    assert len(samples()) == 30
    assert sum(1 for p in samples().values() for role, _ in pictures(p) if role not in OFF) in range(180, 211)
    used = {(book().find("category", f"{p.category} {p.name}") or {})["name"] for p in samples().values()}
    assert used == set(CATEGORIES[:7])


def test_the_sample_files_come_from_its_script() -> None:
    """The three files hold the rows of make_samples.py; after editing it, run it and commit them."""
    made = runpy.run_path(str(SAMPLES / "make_samples.py"))
    stale = "run python sample_catalog/make_samples.py"
    assert (SAMPLES / "products.csv").read_bytes() == made["table"](), stale
    with (
        zipfile.ZipFile(SAMPLES / "products.xlsx") as kept,
        zipfile.ZipFile(io.BytesIO(made["workbook"]())) as new,
    ):
        assert {n: kept.read(n) for n in kept.namelist()} == {n: new.read(n) for n in new.namelist()}, stale
    fresh, stored = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    fresh.deserialize(made["database"]())
    stored.deserialize((SAMPLES / "products.sqlite").read_bytes())
    rows = [database.execute("SELECT * FROM products").fetchall() for database in (fresh, stored)]
    fresh.close()
    stored.close()
    assert rows[0] == rows[1], stale
    assert len(rows[0]) == 32
