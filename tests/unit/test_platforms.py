from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog_imagegen.config import Workspace, load_setup
from catalog_imagegen.domain.errors import EXIT_USAGE, ConfigError
from catalog_imagegen.domain.imaging import Figure, Placement, Platform
from catalog_imagegen.pipeline.shapes import check_shapes
from catalog_imagegen.pipeline.want import Setup, want
from catalog_imagegen.stages.rendition import Negative, adapt
from catalog_imagegen.stages.verdict import judge_file
from tests.unit.builders import product

ROOT = Path(__file__).parents[2]
CHINESE = ("taobao_tmall", "jd", "pinduoduo", "douyin", "xiaohongshu")
GLOBAL = ("amazon", "shopify", "google_merchant")
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


def test_eight_marketplaces_are_packaged(packaged: Setup) -> None:
    """Chinese ones list a family, the others a variant; the figures say when they were looked up."""
    assert tuple(packaged.platforms) == (*CHINESE, *GLOBAL)
    for name, platform in packaged.platforms.items():
        assert platform.listing_per == ("spu" if name in CHINESE else "sku")
        assert platform.checked == date(2026, 11, 22)
        assert all(placement.title for placement in platform.placements)
        assert len({placement.name for placement in platform.placements}) == len(platform.placements)


def test_the_main_picture_comes_first(packaged: Setup) -> None:
    """Nothing is listed before it, on any platform."""
    for platform in packaged.platforms.values():
        assert platform.placements[0].name == platform.placements[0].roles[0] == "main"


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_marketplaces_get_their_places(packaged: Setup, name: str) -> None:
    """Square and upright main pictures, white background, variants, details: as far as each has them."""
    found = {p.name: p for p in packaged.platforms[name].placements}
    assert {"main", "sku", "detail"} <= set(found)
    assert ("main_3x4" in found) is (name != "pinduoduo")
    assert ("white_bg" in found) is (name != "xiaohongshu")
    assert found["main"].roles == ("main", "detail")
    assert (found["sku"].roles, found["sku"].file_name) == (("main",), "{sku}_sku")
    for square in {"main", "white_bg", "sku"} & set(found):
        assert (found[square].width, found[square].height, found[square].fit) == (800, 800, "cover")
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
            assert figure.source.url or kind in {"article", "code", "memory"}, where


def test_what_we_make_keeps_every_figure(packaged: Setup) -> None:
    """A white render of each role, adapted to each place that takes it, has no verdict."""
    for platform, placement in places(packaged):
        for role in (packaged.roles[name] for name in placement.roles):
            made = adapt(Negative(Image.new("RGB", (role.width, role.height), (255, 255, 255))), placement)
            assert judge_file(made.content, placement) == (), f"{platform.name} {placement.name} {role.name}"


def test_our_caps_and_counts_keep_the_platforms(packaged: Setup) -> None:
    """What no single file can show: the cap for heavy ones, the number of files, the width of a page."""
    for platform, placement in places(packaged):
        said: dict[str, Any] = {figure.about: figure.value for figure in placement.figures}
        where = f"{platform.name} {placement.name}"
        assert placement.max_bytes <= said.get("max_bytes", placement.max_bytes), where
        assert placement.count <= said.get("count", (0, placement.count))[1], where
        assert placement.width == said.get("width", placement.width), where


def test_upright_places_ask_for_upright_renders(packaged: Setup) -> None:
    """A cover placement takes only roles of its shape: nothing of a product is cut away."""
    for platform, placement in places(packaged):
        if placement.fit == "cover":
            for role in (packaged.roles[name] for name in placement.roles):
                shapes = placement.width / placement.height, role.width / role.height
                assert min(shapes) / max(shapes) > 0.98, f"{platform.name} {placement.name} {role.name}"


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
