from __future__ import annotations

from pathlib import Path

import pytest

from catalog_imagegen.config import Workspace
from catalog_imagegen.config.profiles import (
    Profile,
    ProfileTable,
    check_name,
    load_profiles,
    named,
    only_one,
    possible_name,
)
from catalog_imagegen.domain.errors import ConfigError


def write(root: Path, **files: str) -> Workspace:
    """A workspace with these profiles."""
    folder = root / "config" / "profiles"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return Workspace(root)


def test_a_workspace_may_have_none(tmp_path: Path) -> None:
    """Not even the folder."""
    assert load_profiles(Workspace(tmp_path)) == ()


def test_a_profile_is_called_as_its_file_or_as_it_says(tmp_path: Path) -> None:
    """And is found under that name, whatever its case."""
    profiles = load_profiles(write(tmp_path, a='name = "供应商A"\n', b=""))
    assert [profile.name for profile in profiles] == ["供应商A", "b"]
    assert named(profiles, "B") is profiles[1]
    with pytest.raises(ConfigError, match="did you mean 供应商A"):
        named(profiles, "供应商")
    with pytest.raises(ConfigError, match="catalog map"):
        named((), "甲")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('header = "x"', "unknown key header; did you mean headers?"),
        ('[ignore]\nheader = ["a"]', "unknown key ignore.header"),
        ('headers = "XYZ"', "headers: String should match"),
        ("header_row = 0", "header_row: "),
        ('[columns]\n"编号" = "skuu"', "columns.编号: there is no product field 'skuu'; did you mean sku"),
        ('[columns]\n编号 = "sku"', 'a header stands in quotes: "产品代号" = "sku"'),
        ("[defaults]\nprice = 3", "defaults.price: write a text in quotes"),
        ('[defaults]\nsku = "A"', "defaults.sku: this field can have none"),
        ('[defaults]\nbrnad = "A"', "there is no product field 'brnad'; did you mean brand"),
        ('[splits]\ncolor = ["/"]', "splits.color: this field can have none"),
        ('[splits]\nimages = ["/"]', "splits.images: this field can have none"),
        ('name = "none"', "'none' cannot name a profile"),
        ('name = "a/b"', "'a/b' cannot name a profile"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(text: str, told: str, tmp_path: Path) -> None:
    """In both languages, with what to do."""
    with pytest.raises(ConfigError) as caught:
        load_profiles(write(tmp_path, a=text))
    assert told in caught.value.message_en
    assert "profiles/a.toml" in caught.value.message_en
    assert caught.value.message_zh != caught.value.message_en


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    """Both files are named."""
    with pytest.raises(ConfigError, match=r"b\.toml and .*a\.toml have the same name"):
        load_profiles(write(tmp_path, a='name = "甲"', b='name = "甲"'))


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("供应商A*.xlsx", "供应商A-3月.XLSX", True),
        ("供应商A*.xlsx", "供应商B.xlsx", False),
        ("caf\u00e9.csv", "cafe\u0301.csv", True),
        ("a[[]1].csv", "a[1].csv", True),
        ("??.csv", "12.csv", True),
    ],
)
def test_files_are_known_by_name(pattern: str, name: str, fits: bool) -> None:
    """Whatever their case, and as macOS spells them."""
    profile = Profile(Path("a.toml"), ProfileTable(files=(pattern,)))
    assert profile.is_for(name) is fits


def test_equal_fits_are_refused_by_name() -> None:
    """Nobody can tell which is meant; one that fits alone is taken."""
    one, two = (Profile(Path(f"{name}.toml"), ProfileTable()) for name in "ab")
    assert only_one([], "it", "它") is None
    assert only_one([one], "it", "它") is one
    with pytest.raises(ConfigError, match=r"a \(a\.toml\) and b \(b\.toml\)") as caught:
        only_one([one, two], "it", "它")
    assert "--profile" in caught.value.message_en


@pytest.mark.parametrize("text", ["供应商A", "..", "a/b:c", "none", "  ", "x" * 300, "\x00"])
def test_any_file_gives_a_possible_name(text: str) -> None:
    """Whatever it is called."""
    check_name(possible_name(text), "--as")
