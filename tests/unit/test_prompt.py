from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.stages.prompt import DIVIDER, MAX_CHARACTERS, PromptBook, PromptError, sanitise

EARPHONES = Product(
    sku="E1",
    name="无线耳机",
    category="数码",
    color="黑",
    features=("长续航", "降噪"),
    price="299",
    extra={"容量": "500mAh"},
)
VOCABULARY: Mapping[str, list[dict[str, Any]]] = {
    "category": [
        {"keywords": ["数码"], "word": "数码词"},
        {"keywords": [], "word": "通用词"},
    ],
    "evidence": [
        {"keywords": ["降噪"], "visible": "神情安静", "compare_left": "嘈杂"},
        {"keywords": ["续航"], "visible": "绿色指示灯"},
        {"keywords": ["USB"], "compare_left": "线乱"},
    ],
}


def book(**templates: str) -> PromptBook:
    """Compile templates given by role."""
    return PromptBook({f"{name}.j2": text for name, text in templates.items()}, VOCABULARY)


def positive(template: str, product: Product = EARPHONES, *, item: str = "x", note: str = "") -> str:
    """Write the positive prompt of one template."""
    return book(main=template).write("main", product, item=item, note=note).prompt.positive


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ('显示"HELLO"字样', "显示HELLO字样"),
        ("“弯引号”「直角」『双角』《书名》【方头】〈尖〉", "弯引号直角双角书名方头尖"),
        ("＂全角＂ „低„ `反` <尖>", "全角 低 反 尖"),
        ("embedding:bad 黑色", "bad 黑色"),
        ("黑 EMBEDDING : bad", "黑 bad"),
        ("embeddembedding:ing:bad", "bad"),
        ("em\u200bbedding:bad", "bad"),
        ("第一行\r\n第二行\t末尾", "第一行 第二行 末尾"),
        ("零\u200b宽\ufeff字\u2060符", "零宽字符"),
        (f"分{DIVIDER}隔", "分 隔"),
        ("行\u2028段\u2029落", "行 段 落"),
        ("  多   空格\u3000全角  ", "多 空格 全角"),
        ("(黑色:1.2)", "(黑色:1.2)"),
        ("", ""),
    ],
)
def test_catalog_text_is_made_harmless(raw: str, clean: str) -> None:
    """Quotes draw text, embeddings load files, invisible characters hide both: none reaches a prompt."""
    assert sanitise(raw) == clean


def test_long_catalog_text_is_capped() -> None:
    """A pasted product description cannot push the picture out of the prompt."""
    assert sanitise("长" * 500) == "长" * MAX_CHARACTERS
    assert sanitise("甲 乙丙", limit=2) == "甲"


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_sanitised_text_stays_sanitised(text: str) -> None:
    """Whatever is typed, nothing dangerous is left, and cleaning twice changes nothing."""
    clean = sanitise(text)
    assert not set(clean) & set('"“”「」『』《》<>`\r\n\t' + DIVIDER)
    assert not re.search(r"embedding\s*[:：]", clean, re.IGNORECASE)
    assert sanitise(clean) == clean


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__ }}",
        "{{ product.__class__.__mro__ }}",
        "{{ product._product }}",
        "{{ find.__globals__ }}",
        "{{ visible.__code__ }}",
        "{{ product.features.append('x') }}",
        "{{ dict.update(category, {'noun': 'x'}) }}",
        "{{ dict.pop(category, 'noun') }}",
        "{% for i in range(999999999) %}{% endfor %}",
    ],
)
def test_templates_stay_in_the_sandbox(attack: str) -> None:
    """A template downloaded from somewhere cannot reach Python, change the product or run for ever."""
    with pytest.raises(PromptError, match=r"main\.j2 line 2: SKU E1"):
        positive(f"甲\n{attack}")


def test_a_sandbox_refusal_is_not_called_a_missing_column() -> None:
    """The remedy for unsafe code is to mend the template, not to add a column."""
    with pytest.raises(PromptError, match="unsafe") as caught:
        positive("{{ ''.__class__ }}")
    assert caught.value.code == "template_error"


def test_catalog_text_never_runs() -> None:
    """Braces in a cell are text to the template, not code, wherever they arrive."""
    hostile = "{{ 7 * 7 }}{% raw %}"
    product = Product(sku="E1", name=hostile, color=hostile, features=(hostile,))
    text = "{{ product.name }}|{{ product.color }}|{{ product.features[0] }}|{{ item }}|{{ note }}"
    assert positive(text, product, item=hostile, note=hostile) == "|".join([hostile] * 5)


def test_a_missing_column_names_template_line_sku_and_column() -> None:
    """The merchandiser learns which column to add, in Chinese and in English."""
    with pytest.raises(PromptError) as caught:
        positive("第一行\n\n{{ product['功率'] }}")
    assert caught.value.code == "column_missing"
    for part in ("main.j2", "3", "E1", "功率"):
        assert part in caught.value.message_en
        assert part in caught.value.message_zh


@pytest.mark.parametrize(
    "use",
    [
        "{{ product.voltage }}",
        "{{ product.voltage ~ '伏' }}",
        "{{ product.voltage.upper() }}",
        "{{ product.voltage + 1 }}",
        "{% if product.voltage %}有{% endif %}",
        "{% for v in product.voltage %}{{ v }}{% endfor %}",
        "{{ product.voltage == '5' }}",
        "{{ product.voltage | length }}",
    ],
)
def test_a_missing_column_is_noticed_however_it_is_used(use: str) -> None:
    """Undefined values never turn into empty text on the quiet."""
    with pytest.raises(PromptError, match="voltage"):
        positive(use)


def test_a_template_may_give_a_missing_column_a_default() -> None:
    """Optional columns are read with default() or a test."""
    template = "{{ product['功率'] | default('未知') }}{{ '有' if product['产地'] is defined else '无' }}"
    assert positive(template) == "未知无"


def test_an_error_in_the_parent_template_is_placed_there() -> None:
    """The line is that of the file that failed, not of the file that extends it."""
    prompts = book(base="\n{% block a %}{% endblock %}\n{{ 1 // 0 }}", main='{% extends "base.j2" %}')
    with pytest.raises(PromptError, match=r"base\.j2 line 3: SKU E1"):
        prompts.write("main", EARPHONES, item="x")


@pytest.mark.parametrize(
    ("template", "place"),
    [
        ("好\n{% if %}\n{% endif %}", "line 2"),
        ("好\n好\n{{ 1 +", "line 3"),
        ("{{ name | 没有这个过滤器 }}", "line 1"),
    ],
)
def test_a_syntax_error_stops_the_run_with_its_line(template: str, place: str) -> None:
    """Templates are compiled when they are loaded, so a typing error costs no render."""
    with pytest.raises(ConfigError, match=rf"prompt_templates/main\.j2 {place}"):
        book(main=template)


def test_a_template_that_does_not_exist_is_named() -> None:
    """Extending a file that is not there is a configuration error."""
    with pytest.raises(ConfigError, match=r"base\.j2"):
        book(main='{% extends "base.j2" %}')


def test_positive_and_negative_are_divided() -> None:
    """One file holds both texts; layout newlines vanish, other white space becomes one space."""
    written = book(main="  甲\n    乙  b\n\n{{ divider }}\n  丙，\n丁\n").write("main", EARPHONES, item="x")
    assert (written.prompt.positive, written.prompt.negative) == ("甲乙 b", "丙，丁")


def test_a_template_without_divider_has_no_negative() -> None:
    """The negative text is optional."""
    written = book(main="甲").write("main", EARPHONES, item="x")
    assert (written.prompt.positive, written.prompt.negative) == ("甲", "")


def test_item_note_role_and_category_reach_the_template() -> None:
    """What one picture shows is sanitised like the catalog's own text."""
    text = positive("{{ role }}|{{ item }}|{{ note }}|{{ category.word }}", item='充"电"盒', note="换\n背景")
    assert text == "main|充电盒|换 背景|数码词"


def test_the_entry_without_keywords_is_the_default() -> None:
    """An unknown category gets the last entry."""
    assert positive("{{ category.word }}", Product(sku="1", name="陶罐")) == "通用词"


def test_columns_read_are_recorded() -> None:
    """A changed price can be told from a changed name, because only what was read is in the record."""
    made_of = book(main="{{ product.name }}{{ product['容量'] }}").write("main", EARPHONES, item="x").made_of
    assert {name for name in made_of if name.startswith("column:")} == {"column:name", "column:容量"}
    assert {"template:main.j2", "vocabulary"} <= set(made_of)


def test_every_template_that_took_part_is_recorded() -> None:
    """Editing base.j2 is a reason to make main again; editing another role's template is none."""
    templates = {"base": "{% include 'part.j2' %}", "part": "丙", "other": "丁"}
    made_of = book(main='{% extends "base.j2" %}', **templates).write("main", EARPHONES, item="x").made_of
    assert {name for name in made_of if name.startswith("template:")} == {
        "template:main.j2",
        "template:base.j2",
        "template:part.j2",
    }


@pytest.mark.parametrize(
    "part",
    [
        "{% include ['part.j2'] %}",
        "{% include ['part.j2', 'words.j2'] ignore missing %}",
        "{% set names = ['none.j2', 'part.j2'] %}{% include names %}",
        "{% include ('part' ~ '.j2') | escape %}",
        "{% include 'none' ~ '.j2' ignore missing %}丙",
        "{% import 'words.j2' as words %}{{ words.third }}",
        "{% from 'words' ~ '.j2' import third %}{{ third }}",
    ],
)
def test_a_template_is_found_however_it_is_named(part: str) -> None:
    """By one of several names too, or by one that is put together."""
    templates = {"main": f"甲{part}", "part": "丙", "words": "{% set third = '丙' %}"}
    assert book(**templates).write("main", EARPHONES, item="x").prompt.positive == "甲丙"


def test_has_knows_the_roles() -> None:
    """A role needs a template of its name."""
    assert book(main="").has("main")
    assert not book(main="").has("poster")


def test_find_ignores_width_and_case() -> None:
    """Full-width and lower-case spellings match the keyword."""
    found = book(main="").find("evidence", "带ｕｓｂ接口")
    assert found is not None
    assert found["compare_left"] == "线乱"
    assert book(main="").find("evidence", "好看") is None
    assert book(main="").find("no such table", "降噪") is None


def test_visible_keeps_the_tables_order() -> None:
    """The catalog says 长续航 first; the table says 降噪 first, and the table wins."""
    assert positive("{{ visible(product.features) | join('，') }}") == "神情安静，绿色指示灯"
    assert positive("{{ visible(product.features, 'compare_left') | join('，') }}") == "嘈杂"


@given(
    st.lists(st.sampled_from(["降噪", "主动降噪", "长续航", "续航久", "USB 口", "好看", ""])), st.randoms()
)
@settings(max_examples=100, deadline=None)
def test_the_order_of_features_does_not_matter(features: list[str], random: Any) -> None:
    """Reordering or repeating a list in the catalog changes no picture."""
    shuffled = [*features, *features]
    random.shuffle(shuffled)
    prompts = book(main="")
    for having in ("", "visible", "compare_left"):
        found = prompts.matching("evidence", features, having)
        assert prompts.matching("evidence", shuffled, having) == found
        assert len(found) <= len(VOCABULARY["evidence"])


class TestWhatPicturesOfAProductShare:
    """The template ``product.j2``."""

    def test_its_names_are_known_in_every_role(self) -> None:
        """Also its macros; what it writes itself goes nowhere."""
        prompts = book(
            product='{% set hue = product.color ~ "色" %}{% macro loud(text) %}{{ text }}！{% endmacro %}无处可去',
            main="{{ hue }}{{ loud(item) }}",
            detail="近看{{ hue }}",
        )
        assert prompts.write("main", EARPHONES, item="杯").prompt.positive == "黑色杯！"
        assert prompts.write("detail", EARPHONES, item="杯").prompt.positive == "近看黑色"

    def test_each_product_has_its_own(self) -> None:
        """Also one that is equal to the last one in all that was read of it before."""
        prompts = book(product="{% set hue = product.color %}", main="{{ hue }}")
        white = replace(EARPHONES, color="白")
        asked = [EARPHONES, EARPHONES, white, EARPHONES]
        assert [prompts.write("main", each, item="x").prompt.positive for each in asked] == [
            "黑",
            "黑",
            "白",
            "黑",
        ]

    def test_a_role_changes_nothing_for_the_next_one(self) -> None:
        """A namespace is the one thing that a template can change."""
        prompts = book(product="{% set seen = namespace(count=0) %}", main="{{ seen is defined }}")
        assert prompts.write("main", EARPHONES, item="x").prompt.positive == "False"

    @pytest.mark.parametrize(
        ("shared", "role"),
        [
            ('{% set parts = product.features | map("trim") %}', '{{ parts | join("+") }}'),
            ('{% set comma = joiner("，") %}', "{{ comma is defined }}"),
            ('{% set turn = cycler("a", "b") %}', "{{ turn is defined }}"),
            ("{% set held = [namespace(n=1)] %}", "{{ held is defined }}"),
            ("{% set held = {'a': joiner()} %}", "{{ held is defined }}"),
        ],
    )
    def test_nothing_is_used_up(self, shared: str, role: str) -> None:
        """Whichever pictures of a product were written before: a prompt names its render."""
        prompts = book(product=shared, main=role, detail=role)
        written = [
            prompts.write(name, EARPHONES, item="x").prompt.positive for name in ("main", "detail", "main")
        ]
        assert written == [written[0]] * 3
        assert (
            book(product=shared, main=role).write("main", EARPHONES, item="x").prompt.positive == written[0]
        )

    @pytest.mark.parametrize("held", ["namespace(n=0)", 'joiner("，")', 'product.features | map("trim")'])
    def test_a_macro_may_not_use_anything_up(self, held: str) -> None:
        """It is told what, and what to do."""
        prompts = book(
            product=f"{{% set held = {held} %}}{{% macro m() %}}{{{{ held }}}}{{% endmacro %}}",
            main="{{ m() }}",
        )
        with pytest.raises(PromptError, match=r"a macro uses held, which changes .*set it inside the macro"):
            prompts.write("main", EARPHONES, item="x")

    def test_what_a_macro_reads_belongs_to_who_calls_it(self) -> None:
        """In whatever order the pictures are written."""
        prompts = book(
            product="{% macro cost() %}{{ product.price }}{% endmacro %}{{ product.color }}",
            main="白底",
            poster="{{ cost() }}",
        )
        for order in (("main", "poster", "main"), ("poster", "main", "poster")):
            read = {role: set(prompts.write(role, EARPHONES, item="x").made_of) for role in order}
            assert "column:price" in read["poster"]
            assert "column:price" not in read["main"]
            assert {"column:color"} <= read["main"] & read["poster"]

    def test_a_picture_is_made_of_it(self) -> None:
        """Of the columns it read too: a new colour is why the picture is made again."""
        prompts = book(product="{% set hue = product.color %}", main="{{ product.name }}", detail="近看")
        main = prompts.write("main", EARPHONES, item="x").made_of
        assert {"template:product.j2", "template:main.j2", "column:color", "column:name"} <= main.keys()
        detail = prompts.write("detail", EARPHONES, item="x").made_of
        assert "column:color" in detail
        assert "column:name" not in detail

    def test_its_faults_are_told_with_its_name(self) -> None:
        """And with the product, like those of any template."""
        prompts = book(product="\n{% set size = product['容积'] ~ 'x' %}", main="{{ size }}")
        with pytest.raises(PromptError, match=r"product.j2 line 2: SKU E1: no column for '容积'"):
            prompts.write("main", EARPHONES, item="x")

    @pytest.mark.parametrize("escape", ["namespace().__class__", "shared.__init__", "loud.__class__"])
    def test_the_sandbox_holds(self, escape: str) -> None:
        """Ways that are short for what is harmless lead nowhere else."""
        prompts = book(
            product="{% macro loud() %}{% endmacro %}",
            main=f"{{% set shared = namespace(a=1) %}}{{{{ {escape} }}}}",
        )
        with pytest.raises(PromptError):
            prompts.write("main", EARPHONES, item="x")

    def test_it_travels(self) -> None:
        """To processes that plan."""
        prompts = book(product="{% set hue = product.color %}", main="{{ hue }}")
        sent = pickle.loads(pickle.dumps(prompts))  # noqa: S301 - our own
        assert sent.write("main", EARPHONES, item="x") == prompts.write("main", EARPHONES, item="x")


class TestColumns:
    """What a role's prompts can depend on, without writing any."""

    @pytest.mark.parametrize(
        ("template", "columns"),
        [
            ("{{ product.color }}{{ product['容量'] }}", {"color", "容量"}),
            ("{% if product.promo_text %}{{ product.price }}{% endif %}", {"promo_text", "price"}),
            ("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(product.shape) | trim }}", {"shape"}),
            ("{% for f in product.features | sort %}{{ f }}{% endfor %}", {"features"}),
            ("只有字", set()),
        ],
    )
    def test_are_those_that_it_names(self, template: str, columns: set[str]) -> None:
        """Beside those that its category is found by."""
        assert book(main=template).columns_of("main") == frozenset(columns | {"category", "name"})

    @pytest.mark.parametrize(
        "template",
        [
            "{% set it = product %}{{ it.price }}",
            "{% macro m(x) %}{{ x.price }}{% endmacro %}{{ m(product) }}",
            "{{ product | attr('price') }}",
            "{{ product[item] }}",
            "{{ product['pri' ~ 'ce'] }}",
            "{{ [product] | map(attribute='price') | first }}",
            "{% with p = product %}{{ p.price }}{% endwith %}",
            "{% include item %}",
        ],
    )
    def test_may_be_any_where_it_does_something_else(self, template: str) -> None:
        """Nothing is guessed: a prompt that is not written again must be the same."""
        assert book(main=template).columns_of("main") is None

    def test_are_those_of_all_its_files(self) -> None:
        """Of what it extends, includes or imports, and of ``product.j2``; not of another role."""
        prompts = book(
            product="{% set hue = product.color %}",
            base="{{ product.size }}{% block a %}{% endblock %}{% include 'extra.j2' %}",
            extra="{{ product.brand }}",
            main="{% extends 'base.j2' %}{% block a %}{{ product.shape }}{% endblock %}",
            poster="{{ product.price }}",
        )
        named = {"category", "name", "color", "size", "brand", "shape"}
        assert prompts.columns_of("main") == frozenset(named)
