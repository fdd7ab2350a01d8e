from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog_imagegen.config import Workspace, load_setup
from catalog_imagegen.domain.errors import EXIT_USAGE, ConfigError
from catalog_imagegen.domain.imaging import JUDGED, Figure, Placement, Platform
from catalog_imagegen.pipeline.shapes import (
    GRID,
    TRAINED,
    UPSCALED,
    UPSCALER,
    UPSCALER_STEP,
    check_shapes,
    too_large,
)
from catalog_imagegen.pipeline.want import Setup, want
from catalog_imagegen.stages.listing import arrange, name_pattern
from catalog_imagegen.stages.rendition import MAX_ENLARGEMENT, Negative, adapt, file_shape, frame_for
from catalog_imagegen.stages.verdict import judge_file
from catalog_imagegen.stages.workflow import parse_workflow
from tests.unit import builders
from tests.unit.builders import key, product, shown

ROOT = Path(__file__).parents[2]
CHINESE = (
    *("taobao_tmall", "jd", "pinduoduo", "douyin", "xiaohongshu"),
    *("alibaba_1688", "kuaishou", "weixin_shop"),
)
GLOBAL = (
    *(
        "amazon",
        "ebay",
        "walmart",
        "shopify",
        "etsy",
        "shopee",
        "lazada",
        "aliexpress",
        "temu",
        "tiktok_shop",
    ),
    *("google_merchant", "meta_catalog", "instagram", "rakuten", "coupang", "mercadolibre"),
)
SOURCE = '[sources.guide]\ntitle = "A guide"\nkind = "article"\nage = "2026"\n'
FIGURE = '{ about = "min_size", value = [500, 500], confidence = "secondary", source = "guide" }'


@pytest.fixture(scope="module")
def packaged() -> Setup:
    """What ships."""
    return load_setup(Workspace(ROOT / "nowhere"))


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """A workspace with nothing of its own yet."""
    (tmp_path / "config").mkdir()
    return Workspace(tmp_path)


def places(setup: Setup) -> Iterator[tuple[Platform, Placement]]:
    """Every placement of every platform."""
    for platform in setup.platforms.values():
        for placement in platform.placements:
            yield platform, placement


def own(shop: Workspace, *lines: str, roles: str = '["main"]', size: str = "[600, 600]") -> None:
    """Give a workspace a platform of its own with one placement."""
    text = "\n".join(
        (
            SOURCE,
            '[platforms.mine]\ntitle = "我的店"\nlisting_per = "sku"',
            f'[[platforms.mine.placements]]\nname = "main"\nroles = {roles}\nsize = {size}',
            *lines,
        )
    )
    (shop.root / "config" / "platforms.toml").write_text(text, encoding="utf-8")


def roles(shop: Workspace, old: str, new: str) -> None:
    """Change one place in the workspace's roles.toml, which starts as packaged."""
    path = shop.root / "config" / "roles.toml"
    text = (path if path.exists() else ROOT / "config" / "roles.toml").read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def checked(shop: Workspace) -> Setup:
    """What a workspace gives when its own platform is used."""
    setup = load_setup(shop)
    check_shapes([setup.platforms["mine"]] if "mine" in setup.platforms else [], setup.roles)
    return setup


def refusal(shop: Workspace) -> ConfigError:
    """The error that a workspace gives; it stops the run and has two languages."""
    with pytest.raises(ConfigError) as caught:
        checked(shop)
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.message_zh != caught.value.message_en
    return caught.value


# What is shipped


def test_the_marketplaces_are_packaged(packaged: Setup) -> None:
    """Chinese ones list a family, the others a variant; the figures say when they were looked up."""
    assert tuple(packaged.platforms) == (*CHINESE, *GLOBAL)
    for name, platform in packaged.platforms.items():
        assert platform.listing_per == ("spu" if name in CHINESE else "sku")
        assert platform.checked == date(2026, 11, 22)
        assert all(placement.title for placement in platform.placements)
        assert len({placement.name for placement in platform.placements}) == len(platform.placements)


def test_the_main_picture_comes_first(packaged: Setup) -> None:
    """Nothing is listed before it, on any platform; Instagram has advertisements and no listing."""
    for name, platform in packaged.platforms.items():
        first = platform.placements[0]
        assert (first.name, first.roles[0]) == ("ads" if name == "instagram" else "main", "main")


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_marketplaces_get_their_places(packaged: Setup, name: str) -> None:
    """Square and upright main pictures, white background, variants, details: as far as each has them."""
    found = {p.name: p for p in packaged.platforms[name].placements}
    with_variants = {"taobao_tmall", "jd", "pinduoduo", "douyin", "xiaohongshu"}
    assert ("sku" in found) is (name in with_variants)
    assert ("main_3x4" in found) is (name in with_variants - {"pinduoduo"})
    assert ("white_bg" in found) is (name in with_variants - {"xiaohongshu"})
    assert ("detail" in found) is (name != "kuaishou")
    assert found["main"].roles == ("main", "detail")
    if "sku" in found:
        assert (found["sku"].roles, found["sku"].file_name) == (("main",), "{sku}_sku")
    for square in {"main", "white_bg", "sku", "transparent", "video_cover", "ad"} & set(found):
        side = 750 if name == "alibaba_1688" else 800
        assert (found[square].width, found[square].height, found[square].fit) == (side, side, "cover")
    if "main_3x4" in found:
        assert found["main_3x4"].roles == ("main_portrait", "lifestyle")


def test_every_figure_has_a_fitting_source(packaged: Setup) -> None:
    """Official figures come from the platform itself, and recollections are called that."""
    for platform, placement in places(packaged):
        for figure in placement.figures:
            kind = figure.source.kind
            where = f"{platform.name} {placement.name} {figure.about}"
            assert (figure.confidence == "official") is kind.startswith("official"), where
            assert (figure.confidence == "memory") is (kind == "memory"), where
            assert figure.source.age or kind == "memory", where
            assert figure.source.url or kind in {"article", "code", "memory"} or is_pathless(figure), where


def is_pathless(figure: Figure) -> bool:
    """A copy of an official text that has no public address, which its title says."""
    return figure.source.kind == "official_copy" and figure.source.title.startswith("copy of")


def test_only_what_somebody_published_is_packaged(packaged: Setup) -> None:
    """No place stands on recollection alone, but the pictures of variants and the cover of a video."""
    for platform, placement in places(packaged):
        if placement.name not in {"sku", "video_cover"}:
            first = platform.placements[0]
            of_all = first.figures if placement.name == "additional" else ()
            better = {f.confidence for f in (*placement.figures, *of_all)} & {"official", "secondary"}
            assert better, f"{platform.name} {placement.name}"


def test_what_we_make_keeps_every_figure(packaged: Setup) -> None:
    """A white render of each role, cut out where a place asks for that, has no verdict in any place that takes it."""
    made: dict[tuple[str, Placement], bytes] = {}
    for platform, placement in places(packaged):
        for role in (packaged.roles[name] for name in placement.roles):
            shape = role.name, file_shape(replace(placement, max_bytes=10**9))
            if shape not in made:
                render = Image.new("RGB", (role.width, role.height), (255, 255, 255))
                if placement.background == "transparent":
                    render.putalpha(0)
                made[shape] = adapt(Negative(render), placement).content
            assert judge_file(made[shape], placement) == (), f"{platform.name} {placement.name} {role.name}"


OF_THE_SIZE: dict[str, Callable[[int, int, Any], bool]] = {
    "min_size": lambda width, height, v: width >= v[0] and height >= v[1],
    "max_size": lambda width, height, v: width <= v[0] and height <= v[1],
    "zoom_min_size": lambda width, height, v: width >= v[0] and height >= v[1],
    "min_long": lambda width, height, v: max(width, height) >= v,
    "max_long": lambda width, height, v: max(width, height) <= v,
    "zoom_min_long": lambda width, height, v: max(width, height) >= v,
    "recommended_min_long": lambda width, height, v: max(width, height) >= v,
    "width": lambda width, _, v: width == v,
    "min_width": lambda width, _, v: width >= v,
    "zoom_min_width": lambda width, _, v: width >= v,
    "width_range": lambda width, _, v: v[0] <= width <= v[1],
    "max_height": lambda _, height, v: height <= v,
    "max_megapixels": lambda width, height, v: width * height <= v * 1e6,
    "ratio": lambda width, height, v: any(
        abs(width / height / float(Fraction(ratio.replace(":", "/"))) - 1) < 0.02
        for ratio in ([v] if isinstance(v, str) else v)
    ),
}
OF_THE_PLACE: dict[str, Callable[[Placement, Any], bool]] = {
    "max_bytes": lambda place, v: place.max_bytes <= v,
    "formats": lambda place, v: {"JPEG": "jpg"}.get(place.format, place.format.lower()) in v,
    "background": lambda place, v: place.background == "white" and v == (255, 255, 255),
    "count": lambda place, v: place.count <= v[1],
    "min_jpeg_quality": lambda place, v: place.quality >= v,
    "safe_zone": lambda place, v: place.safe_zone >= v,
    "shadow": lambda place, v: place.shadow == ("keep" if v else "remove"),
    "fill_min": lambda place, v: place.fill > v or place.roles != ("main",),
    "fill": lambda place, v: place.fill == 0 or v[0] < place.fill < v[1],
}
"""By what a figure is about: whether our choice keeps it. More of them than are judged on files."""


def test_our_choice_keeps_every_figure_by_reckoning(packaged: Setup) -> None:
    """Sizes, caps, formats, counts and backgrounds of every place are within what is said of it, by whomever."""
    assert {*OF_THE_SIZE, *OF_THE_PLACE} >= JUDGED
    for platform, placement in places(packaged):
        renders = {(packaged.roles[name].width, packaged.roles[name].height) for name in placement.roles}
        sizes = {frame_for(render, placement).canvas for render in renders}
        for figure in placement.figures:
            where = f"{platform.name} {placement.name} {figure.about} {figure.value}"
            if figure.about in OF_THE_SIZE:
                assert all(OF_THE_SIZE[figure.about](*size, figure.value) for size in sizes), (where, sizes)
            elif figure.about in OF_THE_PLACE and (figure.is_judged or figure.about != "background"):
                assert OF_THE_PLACE[figure.about](placement, figure.value), where


SHARE = 0.72
"""Of the longer side: main.j2 asks that the product take about four fifths of the picture, and models give somewhat less."""


def test_products_fill_what_they_can(packaged: Setup) -> None:
    """Only where the product stands alone, and no more than a render of it can be enlarged to."""
    filled = [(platform, p) for platform, p in places(packaged) if p.fill]
    assert {f"{platform.name} {p.name}" for platform, p in filled} == {
        *("taobao_tmall white_bg", "amazon main", "lazada main", "tiktok_shop main", "coupang main"),
        "mercadolibre main",
    }
    for platform, placement in filled:
        assert placement.roles == ("main",)
        drawn = packaged.roles["main"].width * SHARE * MAX_ENLARGEMENT
        assert placement.width * placement.fill <= drawn, f"{platform.name} {placement.name}"


def test_places_of_one_count_share_it(packaged: Setup) -> None:
    """Where the main picture is one of so many, the others do not take its place."""
    for platform in packaged.platforms.values():
        found = {placement.name: placement for placement in platform.placements}
        said = [f.value for f in found.get("main", platform.placements[0]).figures if f.about == "count"]
        if "additional" in found and said:
            most = said[0][1] if isinstance(said[0], tuple) else 0
            assert found["main"].count + found["additional"].count <= int(most), platform.name


def test_scenes_in_china_are_labelled_and_main_pictures_are_not(packaged: Setup) -> None:
    """A visible label stands where text is allowed: Chinese law asks for it, and main pictures may have no text."""
    labelled = {
        f"{platform.name} {p.name}" for platform, p in places(packaged) if p.visible_label == "always"
    }
    assert labelled == {
        *(f"{name} detail" for name in CHINESE if name != "kuaishou"),
        *("taobao_tmall banner", "xiaohongshu note_cover"),
    }


def test_every_place_can_be_filled(packaged: Setup) -> None:
    """Some role that is on fills it, and none is cropped by more than a fifth."""
    check_shapes(packaged.platforms.values(), packaged.roles)
    for platform, placement in places(packaged):
        assert any(packaged.roles[name].enabled for name in placement.roles), (
            f"{platform.name} {placement.name}"
        )


def test_no_packaged_place_wants_more_than_its_roles_give(packaged: Setup) -> None:
    """Nothing is enlarged more than 1.25 times."""
    assert list(too_large(packaged.platforms.values(), packaged.roles)) == []


@pytest.mark.parametrize(
    ("size", "fields", "wish", "remedy"),
    [
        ((2000, 2000), {}, {}, 'workflow = "z_image_turbo_2k", size = [2048, 2048] in config/roles.toml: roles.main'),
        ((1500, 2000), {"width": 1104, "height": 1472}, {}, "size = [1536, 2048]"),
        ((2400, 2400), {}, {}, 'workflow = "z_image_turbo_2k", size = [1920, 1920]'),
        ((1601, 900), {}, {"fit": "width"}, 'workflow = "z_image_turbo_2k", size = [1664, 1664]'),
        ((1280, 1280), {"width": 1008, "height": 1008}, {}, "set size = [1024, 1024] in config/roles.toml"),
        ((4000, 4000), {}, {}, "lower the placement's size"),
        ((2000, 2000), {"product": "reference"}, {}, "lower the placement's size"),
        ((1600, 1600), {}, {}, ""),
        ((2000, 1600), {}, {"fit": "pad"}, ""),
        ((2000, 2000), {"enabled": False}, {}, ""),
    ],
)  # fmt: skip
def test_a_place_that_wants_more_is_told_with_what_to_set(
    size: tuple[int, int], fields: dict[str, Any], wish: dict[str, Any], remedy: str
) -> None:
    """What is told suffices: with it nothing is told any more."""
    of = builders.role("main", **{"width": 1280, "height": 1280} | fields)
    shop = builders.platform(
        builders.placement("hero", width=size[0], height=size[1], roles=("main",), **wish)
    )
    found = [error.message_en for error in too_large([shop], {"main": of})]
    assert len(found) == bool(remedy)
    for message in found:
        assert message.startswith("config/platforms.toml: platforms.shop: hero")
        assert remedy in message
        if written := re.search(r"size = \[(\d+), (\d+)\]", message):
            mended = replace(of, width=int(written[1]), height=int(written[2]))
            assert list(too_large([shop], {"main": mended})) == []


def test_what_is_said_of_the_upscaler_is_so() -> None:
    """The remedy names a workflow that ships, and sizes that it makes."""
    text = (ROOT / "config" / "workflows" / f"{UPSCALER}.json").read_text(encoding="utf-8")
    workflow = parse_workflow(UPSCALER, text)
    assert workflow.step == UPSCALER_STEP
    assert UPSCALER_STEP % GRID == 0
    assert UPSCALED / workflow.enlarges**2 <= 1.25 * TRAINED


CROPPED = {("taobao_tmall", "long_2x3"): 0.89, ("meta_catalog", "feed_4x5"): 0.93}
"""Places of a shape that nothing is rendered in: the share of a picture that stays."""


def test_upright_places_ask_for_upright_renders(packaged: Setup) -> None:
    """A cover placement takes only roles of its shape: nothing of a product is cut away, but for two places."""
    for platform, placement in places(packaged):
        if placement.fit == "cover":
            for role in (packaged.roles[name] for name in placement.roles):
                shapes = placement.width / placement.height, role.width / role.height
                least = CROPPED.get((platform.name, placement.name), 0.99) - 0.01
                assert min(shapes) / max(shapes) > least, f"{platform.name} {placement.name} {role.name}"


@pytest.mark.parametrize("name", [*CHINESE, *GLOBAL])
def test_files_have_good_names(packaged: Setup, name: str) -> None:
    """Whatever a catalog holds: different names, each by its place's rule, and by the SKU where no code is known."""
    platform = packaged.platforms[name]
    roles_taken = {role for placement in platform.placements for role in placement.roles}
    pictures = [
        shown(key(f"sku:{sku}", role, str(n)), slot=n, order=order)
        for order, sku in enumerate(("LS-1", "LS-2") if platform.listing_per == "spu" else ("LS-1",))
        for role in roles_taken
        for n in ((1,) if role.startswith("main") else (1, 2, 3))
    ]
    entries = arrange(platform, pictures, products=[product("LS-1"), product("LS-2")])
    assert len({entry.file_name.casefold() for entry in entries}) == len(entries)
    for entry in entries:
        pattern = name_pattern(entry.placement)
        assert pattern is None or pattern.fullmatch(entry.file_name), entry.file_name
        assert entry.file_name.startswith("LS-")


AMAZON_NAMES = ["B0ABCDE123.MAIN.jpg", "B0ABCDE123.PT01.jpg", "B0ABCDE123.PT02.jpg", "B0ABCDE123.SWCH.jpg"]
WALMART_NAMES = [f"06901234567892{tail}.jpg" for tail in ("", "_1", "_2", "_swatch")]


@pytest.mark.parametrize(
    "header", ["ASIN", "asin", "ＡＳＩＮ", "Amazon ASIN", "亚马逊 ASIN（必填）", "ASIN码"]
)
def test_amazon_names_files_by_asin(packaged: Setup, header: str) -> None:
    """As its help says: dots only. The column may be called in several ways."""
    row = product("LS-1", extra={"备注": "x", header: " B0ABCDE123 "})
    pictures = [shown(key("sku:LS-1", role)) for role in ("main", "lifestyle", "detail")]
    entries = arrange(packaged.platforms["amazon"], pictures, products=[row])
    assert [entry.file_name for entry in entries] == AMAZON_NAMES
    assert not any(entry.lacks for entry in entries)


@pytest.mark.parametrize(
    "header", ["GTIN", "GTIN-14", "EAN", "EAN-13", "UPC", "条码", "国际条码", "商品条形码"]
)
def test_walmart_names_files_by_gtin(packaged: Setup, header: str) -> None:
    """A shorter code is the same GTIN with zeros before it."""
    row = product("LS-1", extra={header: "6901234567892"})
    pictures = [shown(key("sku:LS-1", role)) for role in ("main", "lifestyle", "detail")]
    entries = arrange(packaged.platforms["walmart"], pictures, products=[row])
    assert [entry.file_name for entry in entries] == WALMART_NAMES


def test_who_has_no_code_is_named_by_sku_and_told_apart(packaged: Setup) -> None:
    """What is missing is known, so that somebody can say so."""
    for name, lacks in (("amazon", ("asin", "isbn")), ("walmart", ("gtin",))):
        (entry,) = arrange(packaged.platforms[name], [shown(key("sku:LS-1"))], products=[product("LS-1")])[:1]
        assert entry.file_name.startswith("LS-1")
        assert entry.lacks == lacks


@pytest.mark.parametrize("name", [*CHINESE, *GLOBAL])
def test_each_platform_alone_gets_its_pictures(packaged: Setup, name: str) -> None:
    """Whichever is enabled, its roles can be prompted and bound."""
    wanted, blocked = want([(0, product())], packaged, platforms=[name], takes={})
    assert blocked == []
    taken = {role for placement in packaged.platforms[name].placements for role in placement.roles}
    assert {w.key.role for w in wanted} == taken - {"comparison"}  # this product has no features


def test_the_upright_main_picture_is_asked_for_upright(packaged: Setup) -> None:
    """Its prompt names the canvas that is rendered, and not the square one."""
    wanted, _ = want([(0, product())], packaged, platforms=["jd"], takes={})
    upright = next(w for w in wanted if w.key.role == "main_portrait")
    square = next(w for w in wanted if w.key.role == "main")
    assert upright.width * 4 == upright.height * 3
    assert "竖版构图" in upright.prompt.positive
    assert "正方形" not in upright.prompt.positive
    assert "正方形构图" in square.prompt.positive


# Figures of a workspace


def test_a_figure_becomes_a_value(shop: Workspace) -> None:
    """Its source is resolved; the platform is dated by its own table, or else by the file."""
    own(shop, f'title = "主图"\nfigures = [{FIGURE}]')
    mine = load_setup(shop).platforms["mine"]
    (figure,) = mine.placements[0].figures
    assert (figure.about, figure.value, figure.confidence) == ("min_size", (500, 500), "secondary")
    assert (figure.source.id, figure.source.title, figure.source.kind) == ("guide", "A guide", "article")
    assert (mine.placements[0].title, mine.checked) == ("主图", date(2026, 11, 22))


def test_a_platform_without_figures_is_fine_and_undated(shop: Workspace) -> None:
    """Nobody looked anything up for it."""
    own(shop)
    mine = load_setup(shop).platforms["mine"]
    assert (mine.placements[0].figures, mine.checked) == ((), None)


def test_a_workspace_may_use_a_packaged_source_and_date_its_own_figures(shop: Workspace) -> None:
    """Tables merge, so a source need not be written twice."""
    own(shop, f"figures = [{FIGURE.replace('guide', 'baicheng')}]")
    path = shop.root / "config" / "platforms.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"我的店"', '"我的店"\nchecked = 2027-01-02'), encoding="utf-8")
    mine = load_setup(shop).platforms["mine"]
    assert mine.placements[0].figures[0].source.title == "白橙铺 article"
    assert mine.checked == date(2027, 1, 2)


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ('"min_size"', '"min_siez"', "min_size"),
        ('"secondary"', '"secondery"', "secondary"),
        ('"guide"', '"giude"', "guide"),
    ],
)
def test_an_unknown_word_of_a_figure_names_what_was_meant(
    shop: Workspace, old: str, new: str, meant: str
) -> None:
    """Subject, confidence and source are words of a list."""
    own(shop, f"figures = [{FIGURE.replace(old, new)}]")
    error = refusal(shop)
    assert error.code == "unknown_name"
    assert "platforms.mine: main" in error.message_en
    assert f"did you mean {meant}" in error.message_en


@pytest.mark.parametrize("key", ["confidence", "source", "value", "about"])
def test_a_figure_without_its_origin_is_refused(shop: Workspace, key: str) -> None:
    """A figure that nobody can check is worth nothing."""
    parts = [part for part in FIGURE.strip("{ }").split(", ") if not part.strip().startswith(key)]
    text = ", ".join(parts) if key != "value" else FIGURE.strip("{ }").replace("value = [500, 500], ", "")
    own(shop, f"figures = [{{ {text} }}]")
    error = refusal(shop)
    assert error.code == "wrong_value"
    assert f"platforms.mine.placements.0.figures.0.{key}" in error.message_en


@pytest.mark.parametrize(
    ("about", "value", "written"),
    [
        ("min_size", "500", "[width, height]"),
        ("min_size", "[500]", "[width, height]"),
        ("size", '["800", "800"]', "[width, height]"),
        ("size", "[800, 0]", "[width, height]"),
        ("min_long", "[500, 500]", "a whole number"),
        ("max_bytes", '"3 MB"', "a whole number"),
        ("max_bytes", "true", "a whole number"),
        ("ratio", '"square"', '"3:4"'),
        ("ratio", '["1:1", "0:4"]', '"3:4"'),
        ("formats", '"jpg"', '["jpg", "png"]'),
        ("formats", '["jpgg"]', '["jpg", "png"]'),
        ("formats", "[]", '["jpg", "png"]'),
        ("background", "[256, 255, 255]", "[red, green, blue]"),
        ("fill_min", "85", "a share between 0 and 1"),
        ("count", "5", "[least, most]"),
    ],
)
def test_a_figure_that_could_not_be_measured_is_refused(
    shop: Workspace, about: str, value: str, written: str
) -> None:
    """When files are judged nobody is there to explain; the message shows how to write it."""
    own(
        shop,
        f'figures = [{{ about = "{about}", value = {value}, confidence = "memory", source = "memory" }}]',
    )
    error = refusal(shop)
    assert error.code == "wrong_value"
    assert f"platforms.mine: main: the figure {about}" in error.message_en
    assert written in error.message_en
    assert written in error.message_zh


@pytest.mark.parametrize(
    ("kind", "fitting"),
    [("memory", "memory"), ("article", "secondary"), ("code", "secondary"), ("integrator", "secondary")],
)
def test_hearsay_is_never_official(shop: Workspace, kind: str, fitting: str) -> None:
    """An official figure fails files, so its source must be the platform; the message says what to write."""
    own(shop, f"figures = [{FIGURE.replace('secondary', 'official')}]")
    path = shop.root / "config" / "platforms.toml"
    text = path.read_text(encoding="utf-8").replace('kind = "article"', f'kind = "{kind}"')
    path.write_text(text, encoding="utf-8")
    error = refusal(shop)
    assert error.code == "not_official"
    for message in (error.message_en, error.message_zh):
        assert "config/platforms.toml: platforms.mine: main" in message
        assert f"guide 的 kind 是 {kind}" in message or f"guide is of kind {kind}" in message
        assert f'confidence = "{fitting}"' in message
        assert "official_copy" in message


@pytest.mark.parametrize("kind", ["official", "official_copy"])
def test_the_platforms_own_word_is_official(shop: Workspace, kind: str) -> None:
    """First hand, or as a copy of it."""
    own(shop, f"figures = [{FIGURE.replace('secondary', 'official')}]")
    path = shop.root / "config" / "platforms.toml"
    text = path.read_text(encoding="utf-8").replace('kind = "article"', f'kind = "{kind}"')
    path.write_text(text, encoding="utf-8")
    assert checked(shop).platforms["mine"].placements[0].figures[0].confidence == "official"


@pytest.mark.parametrize(
    ("line", "key"),
    [('kind = "rumour"', "kind"), ('kind = "code"\nurl = "somewhere"', "url"), ("", "kind")],
)
def test_a_wrong_source_is_refused(shop: Workspace, line: str, key: str) -> None:
    """Its key is named."""
    (shop.root / "config" / "platforms.toml").write_text(
        f'[sources.guide]\ntitle = "A guide"\n{line}\n', encoding="utf-8"
    )
    error = refusal(shop)
    assert error.code == "wrong_value"
    assert f"platforms.toml: sources.guide.{key}" in error.message_en


# Names of files


@pytest.mark.parametrize(
    "rule",
    [
        *(
            "{sku}",
            "{sku}-{n}",
            "{asin|sku}.PT{n:02}",
            "{gtin:014|sku}",
            "{品牌 方|brand|kind}",
            "x",
            "{n:2}",
        ),
        *("{a.b|role}{order}",),
    ],
)
def test_rules_for_names(shop: Workspace, rule: str) -> None:
    """Text, and words that have a value whatever the catalog holds."""
    own(shop, f'file_name = "{rule}"')
    assert checked(shop).platforms["mine"].placements[0].file_name == rule


@pytest.mark.parametrize(
    "rule",
    [
        *(
            "",
            "{skuu}",
            "{asin}",
            "{sku|asin}",
            "{asin|}",
            "{|sku}",
            "{}",
            "{sku",
            "sku}",
            "a/{sku}",
            "{a/b|sku}",
        ),
        *("{sku!r}", "{sku.x}", "{n:>5}", "{asin:x|sku}", "{a{sku}}"),
    ],
)
def test_a_rule_that_leaves_a_file_without_a_name_is_refused(shop: Workspace, rule: str) -> None:
    """The message shows what a word may be, in both languages."""
    own(shop, f'file_name = "{rule}"')
    error = refusal(shop)
    assert error.code == "wrong_value"
    for message in (error.message_en, error.message_zh):
        assert "platforms.mine.placements.0.file_name" in message
        assert "{asin|sku}" in message


def test_a_workspace_adds_headers_of_a_code(shop: Workspace) -> None:
    """Its list replaces the packaged one; the other codes stay."""
    own(shop, 'file_name = "{asin|sku}"')
    path = shop.root / "config" / "platforms.toml"
    path.write_text(f'[columns]\nasin = ["亚马逊编码"]\n{path.read_text(encoding="utf-8")}', encoding="utf-8")
    mine = load_setup(shop).platforms["mine"]
    assert mine.columns["asin"] == ("亚马逊编码",)
    assert "条码" in mine.columns["gtin"]
    (entry,) = arrange(mine, [shown()], products=[product(extra={"亚马逊编码": "B0X"})])
    assert entry.file_name == "B0X.jpg"


# Crops, and roles that a workspace does not have


@pytest.mark.parametrize(
    ("role", "size", "cropped"),
    [
        ("main", "[600, 800]", "25%"),
        ("lifestyle", "[800, 800]", "25%"),
        ("comparison", "[800, 800]", "33%"),
        ("main", "[1200, 300]", "75%"),
    ],
)
def test_a_crop_that_cuts_the_product_is_refused(shop: Workspace, role: str, size: str, cropped: str) -> None:
    """The message has the place, the role, both sizes and every way out."""
    own(shop, roles=f'["{role}"]', size=size)
    error = refusal(shop)
    assert error.code == "crop_too_deep"
    wide = " × ".join(size.strip("[]").split(", "))
    rendered = {"main": "1280 × 1280", "lifestyle": "1104 × 1472", "comparison": "1536 × 1024"}[role]
    for message in (error.message_en, error.message_zh):
        for part in ("platforms.mine", "main", role, wide, rendered, cropped, '"pad"', '"contain"'):
            assert part in message


@pytest.mark.parametrize("fit", ["pad", "contain", "width"])
def test_other_fits_cut_nothing_and_are_allowed(shop: Workspace, fit: str) -> None:
    """The remedies of that message work."""
    own(shop, f'fit = "{fit}"', size="[600, 800]")
    assert checked(shop).platforms["mine"].placements[0].fit == fit


def test_a_role_of_that_shape_is_the_other_remedy(shop: Workspace) -> None:
    """And a fifth may go: 4:5 from a square is cut at the very limit."""
    own(shop, roles='["main_portrait", "lifestyle"]', size="[600, 800]")
    checked(shop)
    own(shop, size="[800, 1000]")
    checked(shop)
    own(shop, size="[799, 1000]")
    assert refusal(shop).code == "crop_too_deep"


def test_a_role_that_is_off_may_have_any_shape(shop: Workspace) -> None:
    """Nothing is made of it; enabling it shows the mistake."""
    own(shop, roles='["main", "poster"]')
    checked(shop)
    (shop.root / "prompt_templates").symlink_to(ROOT / "prompt_templates")
    roles(shop, "enabled = false", "enabled = true")
    assert refusal(shop).code == "crop_too_deep"


def test_a_workspace_older_than_a_role_keeps_working(shop: Workspace) -> None:
    """Packaged platforms are newer than roles.toml, which is the shop's own: a new role is left out."""
    roles(shop, "[roles.main_portrait]", "[roles.my_portrait]")
    (shop.root / "prompt_templates").mkdir()
    for path in (ROOT / "prompt_templates").iterdir():
        name = path.name.replace("main_portrait", "my_portrait")
        (shop.root / "prompt_templates" / name).symlink_to(path)
    found = {p.name: p for p in load_setup(shop).platforms["jd"].placements}
    assert found["main_3x4"].roles == ("lifestyle",)
    roles(shop, "[roles.lifestyle]", "[roles.my_scene]")
    (shop.root / "prompt_templates" / "my_scene.j2").symlink_to(ROOT / "prompt_templates" / "lifestyle.j2")
    assert "main_3x4" not in {p.name for p in load_setup(shop).platforms["jd"].placements}


def test_figures_are_plain_values(packaged: Setup) -> None:
    """Frozen through and through, so that placements can be compared and hashed."""
    for _, placement in places(packaged):
        assert hash(placement)
        for figure in placement.figures:
            assert isinstance(figure, Figure)
            assert not isinstance(asdict(figure)["value"], list)
