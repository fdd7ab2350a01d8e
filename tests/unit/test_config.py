from __future__ import annotations

import json
import os
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.config import (
    COPIED,
    Workspace,
    defaults,
    expand,
    load_columns,
    load_gates,
    load_prompts,
    load_settings,
    load_setup,
)
from catalog_imagegen.domain.errors import EXIT_USAGE, ConfigError
from catalog_imagegen.pipeline.want import want
from tests.unit.builders import interface_graph, product

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have settings of their own in the environment."""
    for name in os.environ:
        if name.upper().startswith("CATALOG_IMAGEGEN_"):
            monkeypatch.delenv(name)


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """A workspace with files of its own, as ``init`` leaves it."""
    for name in ("config", "prompt_templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "config" / "platforms.toml").unlink()
    (tmp_path / "config" / "columns.toml").unlink()
    return Workspace(tmp_path)


def write(shop: Workspace, name: str, text: str) -> None:
    """Replace one file of a workspace."""
    (shop.root / name).write_text(text, encoding="utf-8")


def edit(shop: Workspace, name: str, old: str, new: str) -> None:
    """Change one place in one file of a workspace."""
    text = (shop.root / name).read_text(encoding="utf-8")
    assert old in text
    write(shop, name, text.replace(old, new, 1))


def refusal(shop: Workspace, load: Any = load_setup) -> ConfigError:
    """The error that a workspace gives; it always stops the run and has two languages."""
    with pytest.raises(ConfigError) as caught:
        load(shop)
    assert caught.value.exit_code == EXIT_USAGE
    assert caught.value.message_zh != caught.value.message_en
    return caught.value


# What is shipped


def test_packaged_defaults_are_found_in_a_checkout() -> None:
    """An editable install reads the files of the repository."""
    assert defaults() == ROOT
    assert all((ROOT / name).exists() for name in COPIED)


def test_shipped_config_loads(tmp_path: Path) -> None:
    """An empty folder is a shop with everything as packaged."""
    setup, settings = load_setup(Workspace(tmp_path)), load_settings(Workspace(tmp_path))
    switched_off = [
        "poster",
        "comparison_without",
        "comparison_with",
        "side_by_side",
        "main_from_photo",
        "lifestyle_from_photo",
    ]
    assert list(setup.roles) == ["main", "main_portrait", "lifestyle", "detail", "comparison", *switched_off]
    assert [name for name, role in setup.roles.items() if not role.enabled] == switched_off
    assert set(settings.platforms) <= set(setup.platforms)
    assert [server.url for server in settings.comfyui] == ["http://127.0.0.1:8188"]
    assert settings.source == ()


def test_a_fresh_workspace_is_as_packaged(shop: Workspace) -> None:
    """``init`` copies what it copies and changes nothing by it."""
    packaged = Workspace(shop.root / "nowhere")
    assert load_setup(shop).roles == load_setup(packaged).roles
    assert load_setup(shop).platforms == load_setup(packaged).platforms
    assert load_settings(shop).model_dump() == load_settings(packaged).model_dump()


def test_every_shipped_role_and_placement_can_be_made() -> None:
    """What ships fits together: sizes, workflows, templates, naming rules."""
    setup = load_setup(Workspace(ROOT))
    for role in setup.roles.values():
        assert role.width % 16 == role.height % 16 == 0
        if not role.stitch:
            assert role.workflow in setup.workflows
            assert setup.prompts.has(role.name)
    for platform in setup.platforms.values():
        for placement in platform.placements:
            assert placement.min_width <= placement.width


def test_tables_become_values(shop: Workspace) -> None:
    """Every key of roles and platforms reaches its field."""
    edit(
        shop,
        "config/roles.toml",
        "[roles.main]",
        '[roles.main]\nsteps = 9\ncfg = 1.5\napproval = "auto"\nscope = "spu"',
    )
    setup = load_setup(shop)
    main, amazon = setup.roles["main"], setup.platforms["amazon"]
    assert (main.width, main.height, main.items, main.max) == (1280, 1280, ("正面",), 1)
    assert (main.inputs, main.approval, main.scope) == ({"steps": 9, "cfg": 1.5}, "auto", "spu")
    assert setup.roles["lifestyle"].inputs == {}
    assert (amazon.title, amazon.listing_per) == ("Amazon", "sku")
    extra = amazon.placements[1]
    assert (extra.width, extra.height, extra.min_width, extra.min_height) == (1600, 1600, 1000, 500)
    assert (extra.fit, extra.count, extra.file_name, extra.format) == (
        *("contain", 8),
        *("{asin|isbn|sku}.PT{n:02}", "JPEG"),
    )
    assert extra.roles == ("lifestyle", "detail", "comparison")


# Settings and the environment


def test_app_toml_wins_over_what_is_built_in(shop: Workspace) -> None:
    """A workspace decides for itself."""
    write(
        shop,
        "config/app.toml",
        'attempts = 5\n[[comfyui]]\nurl = "https://gpu:8188"\n'
        '[[source]]\nname = "erp"\npath = "a.xlsx"\ntable = "T"\n',
    )
    settings = load_settings(shop)
    assert (settings.attempts, settings.patience_s) == (5, 60.0)
    assert [(s.url, s.in_flight) for s in settings.comfyui] == [("https://gpu:8188", None)]
    assert [(s.name, s.path, s.table, s.query) for s in settings.source] == [("erp", "a.xlsx", "T", "")]


def test_the_environment_wins_over_app_toml(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable changes one setting for one run."""
    monkeypatch.setenv("CATALOG_IMAGEGEN_ATTEMPTS", "7")
    monkeypatch.setenv("CATALOG_IMAGEGEN_PLATFORMS", '["amazon"]')
    monkeypatch.setenv("CATALOG_IMAGEGEN_COMFYUI", '[{"url": "http://gpu:1", "in_flight": 2}]')
    settings = load_settings(shop)
    assert (settings.attempts, settings.platforms, settings.job_timeout_s) == (7, ("amazon",), 900.0)
    assert [(s.url, s.in_flight) for s in settings.comfyui] == [("http://gpu:1", 2)]


def test_picture_servers_are_named_as_hosts_and_networks(shop: Workspace) -> None:
    """Without them only public ones are asked."""
    assert load_settings(shop).photos.allowed_hosts == ()
    write(
        shop, "config/app.toml", '[photos]\nallowed_hosts = ["NAS", "img.shop.cn", "10.1.2.3/8", "[::1]"]\n'
    )
    photos = load_settings(shop).photos
    assert photos.allowed_hosts == ("nas", "img.shop.cn", "10.0.0.0/8", "::1/128")
    assert (photos.fresh_s, photos.max_mb, photos.timeout_s) == (86_400.0, 25.0, 30.0)


@pytest.mark.parametrize(
    "host", ["http://nas", "nas:8080", "nas/pics", "10.0.0.0/33", "*.shop.cn", "", "1.2.3"]
)
def test_what_is_no_host_is_a_mistake(shop: Workspace, host: str) -> None:
    """It would allow nothing, silently."""
    write(shop, "config/app.toml", f'[photos]\nallowed_hosts = ["{host}"]\n')
    error = refusal(shop, load_settings)
    assert "photos.allowed_hosts.0: write a host name" in error.message_en
    assert "应为主机名" in error.message_zh


@pytest.mark.parametrize("name", ["Shop", "pg_shop", "1shop", "shop-1", "", "s" * 51, 's"; DROP'])
def test_what_is_no_schema_is_a_mistake(shop: Workspace, name: str) -> None:
    """It is written into statements, and has something behind it for placeholders."""
    assert load_settings(shop).ledger.schema_name == "catalog_imagegen"
    write(shop, "config/app.toml", f"[ledger]\nschema_name = '{name}'\n")
    error = refusal(shop, load_settings)
    assert "ledger.schema_name: write small letters" in error.message_en
    assert "应为小写字母" in error.message_zh


def test_two_workspaces_do_not_mix(shop: Workspace, tmp_path: Path) -> None:
    """Reading one shop's settings leaves no trace in the next one's."""
    write(shop, "config/app.toml", "attempts = 5\n")
    assert load_settings(shop).attempts == 5
    assert load_settings(Workspace(tmp_path / "other")).attempts == 2


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("atempts = 3", "atempts", "attempts"),
        ('[[comfyui]]\nurl = "http://a"\nin_fligth = 2', "comfyui.0.in_fligth", "in_flight"),
        ('[[source]]\nname = "a"\npath = "b"\nqeury = "c"', "source.0.qeury", "query"),
    ],
)
def test_an_unknown_setting_names_what_was_meant(shop: Workspace, text: str, key: str, meant: str) -> None:
    """A typing error is never silently ignored."""
    write(shop, "config/app.toml", text)
    error = refusal(shop, load_settings)
    assert error.code == "unknown_key"
    assert "app.toml" in error.message_en
    assert f"unknown key {key}; did you mean {meant}?" in error.message_en


def test_a_key_like_no_other_is_to_be_removed(shop: Workspace) -> None:
    """Without a near match the remedy is another."""
    write(shop, "config/app.toml", "zzz = 1")
    assert "unknown key zzz; remove it" in refusal(shop, load_settings).message_en


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("attempts = 0", "attempts"),
        ('attempts = "many"', "attempts"),
        ("patience_s = -1", "patience_s"),
        ("job_timeout_s = 0", "job_timeout_s"),
        ('platforms = "amazon"', "platforms"),
        ('[[comfyui]]\nurl = "127.0.0.1:8188"', "comfyui.0.url"),
        ('[[comfyui]]\nurl = "http://a"\nin_flight = 99', "comfyui.0.in_flight"),
        ('[[source]]\nname = "a"', "source.0.path"),
    ],
)
def test_a_wrong_setting_names_file_and_key(shop: Workspace, text: str, key: str) -> None:
    """The message leads to the line to mend."""
    write(shop, "config/app.toml", text)
    error = refusal(shop, load_settings)
    assert error.code == "wrong_value"
    assert f"app.toml: {key}:" in error.message_en


def test_a_wrong_variable_is_blamed_on_the_environment(
    shop: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is sent to a file that is right."""
    monkeypatch.setenv("CATALOG_IMAGEGEN_ATTEMPTS", "99")
    error = refusal(shop, load_settings)
    assert "CATALOG_IMAGEGEN_ATTEMPTS" in error.message_en
    assert "app.toml" not in error.message_en


def test_a_list_in_a_variable_must_be_json(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """``PLATFORMS=amazon`` is what people try first: the message shows how to write it."""
    monkeypatch.setenv("CATALOG_IMAGEGEN_PLATFORMS", "amazon")
    error = refusal(shop, load_settings)
    assert "CATALOG_IMAGEGEN_PLATFORMS" in error.message_en
    assert "JSON" in error.message_en


@pytest.mark.parametrize(
    ("name", "text"),
    [("config/app.toml", "attempts = 3\nplatforms = [\n= 5\n"), ("config/roles.toml", "\n\n[roles\n")],
)
def test_a_syntax_error_names_the_line(shop: Workspace, name: str, text: str) -> None:
    """TOML written by hand breaks; the message says where."""
    write(shop, name, text)
    error = refusal(shop, load_settings if "app" in name else load_setup)
    assert error.code == "toml_syntax"
    assert name.rpartition("/")[2] in error.message_en
    assert "at line 3" in error.message_en


# Roles, workflows and templates


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [
        ("max = 2", "maxx = 2", "max"),
        ("items_from", "item_from", "items_from"),
        ("default_items", "default_item", "default_items"),
    ],
)
def test_an_unknown_key_of_a_role_names_what_was_meant(
    shop: Workspace, old: str, new: str, meant: str
) -> None:
    """The message has the role, the key and the right spelling."""
    edit(
        shop,
        "config/roles.toml",
        f"\n{old} =" if " " not in old else old,
        f"\n{new} =" if " " not in new else new,
    )
    error = refusal(shop)
    assert error.code == "unknown_key"
    assert "roles.toml" in error.message_en
    assert (
        f"unknown key roles.lifestyle.{new.split(maxsplit=1)[0]}; did you mean {meant}?" in error.message_en
    )


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("[1104, 1472]", "1104", "roles.main_portrait.size"),
        ("[1104, 1472]", "[1104]", "roles.main_portrait.size"),
        ("[1280, 1280]", "[1280, 1000]", "roles.main.size.1"),
        ("[1280, 1280]", "[0, 1280]", "roles.main.size.0"),
        ("[1280, 1280]", "[-16, 1280]", "roles.main.size.0"),
        ('items = ["正面"]', 'items = "正面"', "roles.main.items"),
        ("max = 2", "max = 0", "roles.lifestyle.max"),
        ('"usage_scenarios"', '"usage"', "roles.lifestyle.items_from"),
        ('"evidence.compare_left"', '"evidence"', "roles.comparison.items_need"),
        ("[roles.main]", '[roles.main]\nscope = "shop"', "roles.main.scope"),
        ("[roles.main]", "[roles.main]\nsteps = 0", "roles.main.steps"),
        ('workflow = "z_image_turbo"\n', "", "roles.main.workflow"),
    ],
)
def test_a_wrong_value_of_a_role_names_its_key(shop: Workspace, old: str, new: str, key: str) -> None:
    """A size that the model cannot paint stops the run before it costs anything."""
    edit(shop, "config/roles.toml", old, new)
    error = refusal(shop)
    assert error.code == "wrong_value"
    assert f"roles.toml: {key}" in error.message_en


def test_an_unknown_workflow_names_a_near_one(shop: Workspace) -> None:
    """The names are the files in ``config/workflows``."""
    edit(shop, "config/roles.toml", '"z_image_turbo"', '"z_image_trubo"')
    error = refusal(shop)
    assert error.code == "unknown_name"
    assert "'z_image_trubo'; did you mean z_image_turbo" in error.message_en


def test_points_of_an_unknown_workflow_are_refused(shop: Workspace) -> None:
    """A mapping that nobody reads is a typing error."""
    text = (shop.root / "config/roles.toml").read_text(encoding="utf-8")
    write(shop, "config/roles.toml", text + '\n[workflows.z_image_turb.points]\nseed = "8.seed"\n')
    error = refusal(shop)
    assert error.code == "unknown_name"
    assert "z_image_turbo" in error.message_en


def test_an_unknown_point_is_refused(shop: Workspace) -> None:
    """So is a point that no workflow has."""
    text = (shop.root / "config/roles.toml").read_text(encoding="utf-8")
    write(shop, "config/roles.toml", text + '\n[workflows.z_image_turbo.points]\npositve = "5.text"\n')
    error = refusal(shop)
    assert "workflows.z_image_turbo.points.positve" in error.message_en
    assert "positive" in error.message_en.replace("positve", "")


def test_points_can_be_mapped(shop: Workspace) -> None:
    """A graph that cannot be traced works by config alone."""
    text = (shop.root / "config/roles.toml").read_text(encoding="utf-8")
    write(
        shop,
        "config/roles.toml",
        text + '\n[workflows.z_image_turbo.points]\npositive = "Positive prompt.text"\n',
    )
    assert load_setup(shop).workflows["z_image_turbo"].points["positive"].found_by == "mapping"


SETTINGS = {
    "steps": 9,
    "cfg": 1.5,
    "sampler": '"euler"',
    "scheduler": '"beta"',
    "denoise": 0.5,
    "shift": 6.0,
    "lora": '"a.safetensors"',
    "lora_strength": 0.8,
}
"""One value for each key of a role that fills an input point."""


def test_settings_of_a_role_become_values_for_points(shop: Workspace) -> None:
    """Each under the name of its point, as it is written."""
    lines = "\n".join(f"{name} = {value}" for name, value in SETTINGS.items())
    table = f'workflow = "qwen_image_edit_2511_lightning"\nsize = [64, 64]\nitems = ["x"]\nproduct = "reference"\n{lines}'
    edit(shop, "config/roles.toml", "[roles.main]", f"[roles.mine]\nenabled = false\n{table}\n\n[roles.main]")
    mine = load_setup(shop).roles["mine"]
    assert mine.inputs == {
        name: value.strip('"') if isinstance(value, str) else value for name, value in SETTINGS.items()
    }
    assert mine.reference


@pytest.mark.parametrize("setting", [f"{name} = {value}" for name, value in SETTINGS.items()])
def test_a_setting_that_the_workflow_lacks_is_refused(shop: Workspace, setting: str) -> None:
    """A value that would go nowhere is told, not dropped."""
    path = shop.root / "config/workflows/z_image_turbo.json"
    name = setting.partition(" ")[0]
    input_name = {"sampler": "sampler_name"}.get(name, name)
    text = path.read_text(encoding="utf-8").replace(f'"{input_name}":', f'"{input_name}_":')
    path.write_text(text, encoding="utf-8")
    edit(shop, "config/roles.toml", "[roles.main]", f"[roles.main]\n{setting}")
    error = refusal(shop)
    assert error.code == "workflow_point_missing"
    assert f"roles.main.{name} is set" in error.message_en


@pytest.mark.parametrize(
    "setting",
    ["denoise = 0", "denoise = 1.5", "lora_strength = 11", 'sampler = ""', 'product = "photo"', "batch = 4"],
)
def test_a_setting_out_of_range_is_refused(shop: Workspace, setting: str) -> None:
    """And one picture is kept of a job, so there is no ``batch``."""
    edit(shop, "config/roles.toml", "[roles.main]", f"[roles.main]\n{setting}")
    assert f"roles.main.{setting.partition(' ')[0]}" in refusal(shop).message_en


def test_a_role_made_from_photos_needs_a_workflow_that_takes_one(shop: Workspace) -> None:
    """The message names the node to title."""
    edit(shop, "config/roles.toml", "[roles.main]", '[roles.main]\nproduct = "reference"')
    error = refusal(shop)
    assert error.code == "workflow_point_missing"
    assert 'title its Load Image node "reference"' in error.message_en


def test_a_workflow_made_for_photos_needs_a_role_that_gives_one(shop: Workspace) -> None:
    """Otherwise it would use whatever file lies on the server under the name in the graph."""
    edit(shop, "config/roles.toml", 'product = "reference"\n', "")
    error = refusal(shop)
    assert error.code == "reference_unset"
    assert 'roles.main_from_photo.product = "reference"' in error.message_en


def test_a_picture_that_is_the_same_for_all_is_left_alone(shop: Workspace) -> None:
    """A single picture without a title may be a backdrop; the role says whether it is the product's."""
    path = shop.root / "config/workflows/qwen_image_edit_2511_lightning.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"reference"', '"Backdrop"'), encoding="utf-8")
    edit(shop, "config/roles.toml", 'product = "reference"\n', "")
    roles = load_setup(shop).roles
    assert (roles["main_from_photo"].reference, roles["lifestyle_from_photo"].reference) == (False, True)


def test_smaller_sizes_become_a_roles(shop: Workspace) -> None:
    """In the order in which they are tried."""
    edit(
        shop, "config/roles.toml", "[1104, 1472]", "[1104, 1472]\nsmaller_sizes = [[864, 1152], [768, 1024]]"
    )
    assert load_setup(shop).roles["main_portrait"].smaller_sizes == ((864, 1152), (768, 1024))


def test_tags_that_a_role_needs_become_its_own(shop: Workspace) -> None:
    """Only servers that have them render it."""
    edit(shop, "config/roles.toml", "[roles.main]", '[roles.main]\nneeds = ["24gb"]')
    assert load_setup(shop).roles["main"].needs == ("24gb",)


def test_what_pictures_are_made_by_is_kept_as_written(shop: Workspace) -> None:
    """The shop's own files, or the packaged ones where it has none; workflows that no role uses are left out."""
    write(shop, "prompt_templates/main.j2", "我的{{ product.name }}")
    write(shop, "config/workflows/unused.json", "{}")
    sources = load_setup(shop).sources
    assert sources["prompt_templates/main.j2"] == "我的{{ product.name }}"
    assert {"config/workflows/z_image_turbo.json", "prompt_templates/vocabulary.toml"} <= sources.keys()
    assert "config/workflows/unused.json" not in sources
    (shop.root / "prompt_templates" / "vocabulary.toml").unlink()
    assert load_setup(Workspace(shop.root / "nowhere")).sources.keys() == sources.keys()


@pytest.mark.parametrize(
    ("sizes", "code"),
    [
        ("[[1104, 1472]]", "smaller_sizes"),
        ("[[1280, 1712]]", "smaller_sizes"),
        ("[[1024, 1024]]", "smaller_sizes"),
        ("[[768, 1024], [864, 1152]]", "smaller_sizes"),
        ("[[860, 1150]]", "wrong_value"),
        ("[768, 1024]", "wrong_value"),
    ],
)
def test_smaller_sizes_that_are_none_are_refused(shop: Workspace, sizes: str, code: str) -> None:
    """Not smaller, of another shape, in the wrong order, off the grid."""
    edit(shop, "config/roles.toml", "[1104, 1472]", f"[1104, 1472]\nsmaller_sizes = {sizes}")
    error = refusal(shop)
    assert error.code == code
    assert "roles.main_portrait.smaller_sizes" in error.message_en


def enlarged(shop: Workspace, size: str, *, factor: str = "1.6") -> None:
    """Let main pictures be made by the workflow that enlarges."""
    edit(shop, "config/workflows/z_image_turbo_2k.json", '"scale_by": 1.6', f'"scale_by": {factor}')
    edit(
        shop,
        "config/roles.toml",
        '[roles.main]\nworkflow = "z_image_turbo"\nsize = [1280, 1280]',
        f'[roles.main]\nworkflow = "z_image_turbo_2k"\nsize = {size}',
    )


def test_a_workflow_that_enlarges_makes_sizes_of_whole_ones(shop: Workspace) -> None:
    """The smaller sizes too."""
    enlarged(shop, "[2048, 1536]\nsmaller_sizes = [[1024, 768]]")
    setup = load_setup(shop)
    assert setup.workflows["z_image_turbo_2k"].enlarges == Fraction(8, 5)
    assert setup.roles["main"].smaller_sizes == ((1024, 768),)


@pytest.mark.parametrize(
    ("size", "factor", "named", "remedy"),
    [
        ("[2000, 2000]", "1.6", "2000 × 2000", "e.g. [2048, 2048]"),
        ("[2048, 2048]\nsmaller_sizes = [[1600, 1600]]", "1.6", "1600 × 1600", "e.g. [1536, 1536]"),
        ("[4096, 16]", "1.6", "4096 × 16", "e.g. [4096, 128]"),
        ("[4096, 4096]", "1.5", "4096 × 4096", "e.g. [4080, 4080]"),
        ("[2048, 2048]", "1.3333", "2048 × 2048", "let the workflow enlarge 1.5, 1.6 or 2 times"),
    ],
)
def test_other_sizes_are_refused_with_those_that_work(
    shop: Workspace, size: str, factor: str, named: str, remedy: str
) -> None:
    """Every picture would miss its role's size by some pixels, each after the GPU's work."""
    enlarged(shop, size, factor=factor)
    error = refusal(shop)
    assert error.code == "size_not_whole"
    assert f"roles.main: {named}" in error.message_en
    assert error.message_en.endswith(remedy)


def test_a_workflow_may_be_in_either_format(shop: Workspace) -> None:
    """What ComfyUI's Save button writes is read as well."""
    path = shop.root / "config/workflows/z_image_turbo.json"
    path.write_text(json.dumps(interface_graph()), encoding="utf-8")
    points = load_setup(shop).workflows["z_image_turbo"].points
    assert {"positive", "seed", "width", "height", "filename_prefix"} <= points.keys()


@pytest.mark.parametrize("new", ["", 'items = ["正面"]\nitems_from = "features"'])
def test_a_role_has_one_source_of_items(shop: Workspace, new: str) -> None:
    """Neither or both is a mistake."""
    edit(shop, "config/roles.toml", 'items = ["正面"]', new)
    error = refusal(shop)
    assert error.code == "role_items"
    assert "roles.main" in error.message_en


def test_an_enabled_role_needs_a_template(shop: Workspace) -> None:
    """The message names the file to add."""
    (shop.root / "prompt_templates" / "detail.j2").unlink()
    error = refusal(shop)
    assert error.code == "template_missing"
    assert "prompt_templates/detail.j2" in error.message_en
    assert "prompt_templates/detail.j2" in error.message_zh


def test_a_disabled_role_needs_none(shop: Workspace) -> None:
    """The other remedy of that message works."""
    (shop.root / "prompt_templates" / "poster.j2").unlink()
    assert not load_setup(shop).roles["poster"].enabled


def test_the_poster_needs_config_only(shop: Workspace) -> None:
    """Two lines as roles.toml says: enable it, and let a placement take it."""
    edit(shop, "config/roles.toml", "enabled = false", "enabled = true")
    write(
        shop,
        "config/platforms.toml",
        '[platforms.mine]\ntitle = "我的店"\nlisting_per = "sku"\n'
        '[[platforms.mine.placements]]\nname = "poster"\nroles = ["poster"]\nsize = [750, 1000]\n',
    )
    wanted, blocked = want([(0, product())], load_setup(shop), platforms=["mine"], takes={})
    assert blocked == []
    assert [(w.key.role, w.item_text, w.width, w.height) for w in wanted] == [("poster", "促销", 1104, 1472)]
    assert "海报" in wanted[0].prompt.positive


def test_a_new_role_is_one_table_and_one_template(shop: Workspace) -> None:
    """No line of code, as the documentation promises."""
    text = (shop.root / "config/roles.toml").read_text(encoding="utf-8")
    table = '[roles.back]\nworkflow = "z_image_turbo"\nsize = [1024, 1024]\nitems = ["背面"]\n'
    write(shop, "config/roles.toml", text + "\n" + table)
    write(shop, "prompt_templates/back.j2", "{{ product.name }}的{{ item }}")
    write(
        shop,
        "config/platforms.toml",
        '[platforms.mine]\ntitle = "x"\nlisting_per = "sku"\n'
        '[[platforms.mine.placements]]\nname = "back"\nroles = ["back"]\nsize = [800, 800]\n',
    )
    (wanted,), blocked = want([(0, product())], load_setup(shop), platforms=["mine"], takes={})
    assert blocked == []
    assert wanted.prompt.positive == "电水壶的背面"


@pytest.mark.parametrize("name", ["prompt_templates/main.j2", "config/workflows/z_image_turbo.json"])
def test_a_byte_order_mark_changes_nothing(shop: Workspace, name: str) -> None:
    """Windows editors write one; it must not end up in a prompt."""
    before, _ = want([(0, product())], load_setup(shop), platforms=["amazon"], takes={})
    content = (shop.root / name).read_bytes()
    (shop.root / name).write_bytes(b"\xef\xbb\xbf" + content)
    after, _ = want([(0, product())], load_setup(shop), platforms=["amazon"], takes={})
    assert [w.render_key for w in after] == [w.render_key for w in before]


@pytest.mark.parametrize(
    "name",
    [
        "config/roles.toml",
        "prompt_templates/main.j2",
        "prompt_templates/vocabulary.toml",
        "config/workflows/z_image_turbo.json",
    ],
)
def test_a_file_in_another_encoding_is_named(shop: Workspace, name: str) -> None:
    """A file saved as GBK gives a message with its name, not a traceback."""
    (shop.root / name).write_bytes("# 白色水壶\n".encode("gbk") + (shop.root / name).read_bytes())
    error = refusal(shop)
    assert name.rpartition("/")[2] in error.message_en


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('[category]\nkeywords = ["杯"]\n', "write each as [[category]]"),
        ('category = ["杯"]\n', "write each as [[category]]"),
        ('[[category]]\nkeywords = "杯"\n', "category.keywords is '杯'; write a list of texts"),
        ("[[category]]\nkeywords = [7]\n", "category.keywords is [7]; write a list of texts"),
    ],
)
def test_a_vocabulary_of_a_wrong_shape_is_refused(shop: Workspace, text: str, remedy: str) -> None:
    """File, table and how to write it, instead of a template that stumbles over it later."""
    write(shop, "prompt_templates/vocabulary.toml", text)
    for load in (load_setup, load_prompts):
        error = refusal(shop, load)
        assert error.code == "vocabulary_shape"
        assert "vocabulary.toml: category" in error.message_en
        assert remedy in error.message_en
        assert "请" in error.message_zh


def test_an_entry_of_the_vocabulary_needs_no_keywords(shop: Workspace) -> None:
    """It matches whatever there is; and a workspace may do without a vocabulary."""
    write(shop, "prompt_templates/vocabulary.toml", '[[category]]\nname = "家居"\n')
    assert load_prompts(shop).find("category", "杯子") == {"name": "家居"}
    (shop.root / "prompt_templates/vocabulary.toml").unlink()
    assert load_prompts(shop).find("category", "杯子") is None


# Platforms and columns: the packaged ones, overlaid


def test_a_workspace_adds_a_platform_to_the_packaged_ones(shop: Workspace) -> None:
    """An upgrade brings new figures; one's own platforms stay."""
    write(
        shop,
        "config/platforms.toml",
        '[platforms.mine]\ntitle = "我的店"\nlisting_per = "spu"\n'
        '[[platforms.mine.placements]]\nname = "main"\nroles = ["main"]\nsize = [600, 600]\n',
    )
    platforms = load_setup(shop).platforms
    assert {"taobao_tmall", "amazon", "mine"} <= set(platforms)
    made = platforms["mine"].placements[0]
    assert (made.width, made.fit, made.format, made.count) == (600, "cover", "JPEG", 1)


def test_a_workspace_changes_one_figure_and_keeps_the_rest(shop: Workspace) -> None:
    """Tables merge key by key; lists are replaced whole."""
    write(shop, "config/platforms.toml", '[platforms.amazon]\nlisting_per = "spu"\n')
    packaged = load_setup(Workspace(shop.root / "nowhere")).platforms["amazon"]
    amazon = load_setup(shop).platforms["amazon"]
    assert amazon.listing_per == "spu"
    assert (amazon.title, amazon.placements) == (packaged.title, packaged.placements)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("size = [0, 800]", "size.0"),
        ('size = [800, 800]\nfit = "stretch"', "fit"),
        ("size = [800, 800]\nquality = 20", "quality"),
        ("size = [800, 800]\nmax_bytes = 5", "max_bytes"),
        ("size = [800, 800]\ncount = 0", "count"),
        ('size = [800, 800]\nfile_name = "{asin}.MAIN"', "file_name"),
        ('size = [800, 800]\nfile_name = "{sku"', "file_name"),
        ('size = [800, 800]\nfile_name = "sub/{sku}"', "file_name"),
    ],
)
def test_a_wrong_placement_is_refused_before_anything_is_rendered(
    shop: Workspace, line: str, key: str
) -> None:
    """Not after an hour of GPU time, when the first listing is written."""
    write(
        shop,
        "config/platforms.toml",
        '[platforms.mine]\ntitle = "x"\nlisting_per = "sku"\n'
        f'[[platforms.mine.placements]]\nname = "main"\nroles = ["main"]\n{line}\n',
    )
    error = refusal(shop)
    assert error.code == "wrong_value"
    assert f"platforms.toml: platforms.mine.placements.0.{key}" in error.message_en


def test_an_unknown_role_of_a_placement_names_a_near_one(shop: Workspace) -> None:
    """A platform cannot take what no role makes."""
    write(
        shop,
        "config/platforms.toml",
        '[platforms.mine]\ntitle = "x"\nlisting_per = "sku"\n'
        '[[platforms.mine.placements]]\nname = "main"\nroles = ["lifestile"]\nsize = [800, 800]\n',
    )
    error = refusal(shop)
    assert error.code == "unknown_name"
    assert "mine: there is no role 'lifestile'; did you mean lifestyle" in error.message_en


def test_column_aliases_are_overlaid(shop: Workspace) -> None:
    """A shop's own header names come on top of the packaged ones."""
    packaged = load_columns(shop)
    write(shop, "config/columns.toml", '[fields.sku]\naliases = ["我的编号"]\n')
    columns = load_columns(shop)
    assert columns["fields"]["sku"]["aliases"] == ["我的编号"]
    assert columns["fields"]["sku"]["required"] is True
    assert columns["fields"]["name"] == packaged["fields"]["name"]


def test_gates_are_overlaid(shop: Workspace) -> None:
    """A shop writes what it wants otherwise; what holds for all roles holds for its own."""
    packaged = load_gates(shop, ())
    write(shop, "config/gates.toml", "[all]\nmax_likeness = -1\n\n[roles.main]\nmin_sharpness = 5\n")
    gates = load_gates(shop, ("hero",))
    assert (gates["main"].min_sharpness, gates["main"].max_likeness) == (5, -1)
    assert gates["main"].min_product == packaged["main"].min_product > 0
    assert (gates["hero"].min_sharpness, gates["hero"].min_product, gates["hero"].max_likeness) == (20, 0, -1)
    assert gates["hero"].wordings == packaged["main"].wordings


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("[roles.mian]\nmin_sharpness = 1\n", "unknown_name", "did you mean main"),
        ("[all]\nmin_sharpnes = 1\n", "unknown_key", "did you mean min_sharpness"),
        ("[all]\nmax_shadows = 2\n", "wrong_value", "all.max_shadows"),
        ('[wordings]\nblured = ["x"]\n', "wrong_value", "wordings.blured"),
    ],
)
def test_mistakes_in_gates_are_named(text: str, code: str, said: str, shop: Workspace) -> None:
    """With what was probably meant."""
    write(shop, "config/gates.toml", text)
    error = refusal(shop, lambda place: load_gates(place, ("main",)))
    assert (error.code, said in error.message_en) == (code, True), error.message_en


def test_templates_of_the_workspace_replace_the_packaged_ones(shop: Workspace) -> None:
    """An upgrade must not change anybody's prompts."""
    write(shop, "prompt_templates/main.j2", "我的{{ product.name }}")
    assert load_prompts(shop).write("main", product(), item="x").prompt.positive == "我的电水壶"


# The workspace itself


def test_a_folder_without_config_is_no_workspace(tmp_path: Path, shop: Workspace) -> None:
    """The message says how to make one."""
    error = refusal(Workspace(tmp_path / "empty"), Workspace.check)
    assert error.code == "no_workspace"
    assert "catalog-imagegen init" in error.message_en
    shop.check()


def test_simulated_state_is_kept_apart() -> None:
    """Placeholders have a ledger, a blob store and an output folder of their own."""
    root = Path("shop")
    real, simulated = Workspace(root), Workspace(root, is_simulated=True)
    assert (real.data, real.output) == (root / "data", root / "output")
    assert (simulated.data, simulated.output) == (root / "data" / "simulated", root / "output-simulated")
    assert Workspace(root, is_simulated=True, out=Path("x")).output == Path("x")


def test_variables_in_a_source_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords stay out of files that are committed."""
    monkeypatch.setenv("SHOP_PASSWORD", "geheim")
    assert expand("pg://u:${SHOP_PASSWORD}@db/erp?a=$$", place="x") == "pg://u:geheim@db/erp?a=$$"
    assert expand("", place="x") == ""


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty password would fail later and elsewhere."""
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match=r"app\.toml: source erp: .*SHOP_PASSWORD.* not set") as caught:
        expand("pg://u:${SHOP_PASSWORD}@db", place="app.toml: source erp")
    assert caught.value.code == "environment_missing"
    assert "SHOP_PASSWORD" in caught.value.message_zh
