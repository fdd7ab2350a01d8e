from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.adapters.catalogs import Way
from catalog_imagegen.adapters.catalogs.fingerprints import header_fingerprint
from catalog_imagegen.bootstrap import read_source
from catalog_imagegen.bootstrap.mapping import map_headers, write_profile
from catalog_imagegen.config import Workspace, load_settings
from catalog_imagegen.config.profiles import load_profiles
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.errors import CatalogError, ConfigError
from tests.integration.catalogs_support import csv_text, found, write_xlsx
from tests.integration.workbook_writers import encrypt

FOREIGN = ("代号", "叫法", "配色", "到店")
ROWS = (("A-001", "便携咖啡杯", "墨绿色", "89元"), ("A-002", "无线蓝牙耳机", "", "199"))
COLUMNS = '[columns]\n"代号" = "sku"\n"叫法" = "name"\n"配色" = "color"\n"到店" = "price"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    """A workspace without any profile."""
    (tmp_path / "config" / "profiles").mkdir(parents=True)
    return Workspace(tmp_path)


def profile(shop: Workspace, name: str, text: str) -> None:
    """Give the workspace a profile."""
    (shop.root / "config" / "profiles" / f"{name}.toml").write_text(text, encoding="utf-8")


def csv(shop: Workspace, *rows: Sequence[str], name: str = "供应商A-3月.csv", encoding: str = "utf-8") -> str:
    """A text catalog."""
    path = shop.root / name
    path.write_bytes(csv_text(rows).encode(encoding))
    return str(path)


def read(location: str, shop: Workspace, wanted: str = "", **way: Any) -> Reading:
    """Read it as the commands do."""
    return read_source(location, Way(**way), shop, profile=wanted, keeps_pictures=False)


def notes(reading: Reading, *codes: str) -> list[str]:
    """What is said of profiles and defaults."""
    return [issue.message_en for code in codes for issue in found(reading, code)]


def fields(product: Product, *names: str) -> tuple[Any, ...]:
    """Some of its fields."""
    return tuple(getattr(product, name) for name in names)


def test_a_profile_is_chosen_by_the_file_name(shop: Workspace) -> None:
    """Its headers are read, and a note says which and how to have another."""
    profile(shop, "甲", f'files = ["供应商a*"]\n{COLUMNS}')
    reading = read(csv(shop, FOREIGN, *ROWS), shop)
    assert [fields(p, "sku", "name", "color", "price") for p in reading.products] == [
        ("A-001", "便携咖啡杯", "墨绿色", "89"),
        ("A-002", "无线蓝牙耳机", "", "199"),
    ]
    (said,) = notes(reading, "profile_used")
    assert "'甲' (config/profiles/甲.toml)" in said
    assert "--profile NAME" in said


def test_none_is_used_where_none_is_wanted(shop: Workspace) -> None:
    """Although one fits."""
    profile(shop, "甲", f'files = ["*"]\n{COLUMNS}')
    with pytest.raises(CatalogError) as caught:
        read(csv(shop, FOREIGN, *ROWS), shop, "none")
    assert caught.value.code == "no_header_found"
    assert "甲" not in caught.value.message_zh


def test_the_one_asked_for_comes_before_all_others(shop: Workspace) -> None:
    """And one that is not there is refused."""
    profile(shop, "甲", f'files = ["*"]\n{COLUMNS}')
    profile(shop, "乙", COLUMNS.replace('"price"', '"list_price"'))
    location = csv(shop, FOREIGN, *ROWS)
    assert read(location, shop, "乙").products[0].list_price == "89"
    with pytest.raises(ConfigError, match="did you mean"):
        read(location, shop, "丙")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "sqlite"])
def test_a_profile_is_chosen_by_the_headers(shop: Workspace, kind: str) -> None:
    """Whatever the file is called and in whatever order its columns stand; it may be a database."""
    profile(shop, "甲", f'headers = "{header_fingerprint(FOREIGN)}"\n{COLUMNS}')
    profile(shop, "乙", f'headers = "{header_fingerprint(["a"])}"\n{COLUMNS}')
    turned = [row[::-1] for row in (FOREIGN, *ROWS)]
    if kind == "csv":
        location = csv(shop, ["三月报价"], *turned, name="x.csv")
    elif kind == "xlsx":
        location = str(
            write_xlsx(shop.root / "x.xlsx", 说明=[["SKU", "Name"], ["x", "y"]], 表=[["三月"], *turned])
        )
    else:
        with closing(sqlite3.connect(shop.root / "x.db")) as database, database:
            database.execute(f"create table products ({', '.join(turned[0])})")
            database.executemany("insert into products values (?, ?, ?, ?)", turned[1:])
        location = f"sqlite:///{shop.root / 'x.db'}#products"
    reading = read(location, shop)
    assert "A-001" in [p.sku for p in reading.products]
    assert "its `headers` fit" in notes(reading, "profile_used")[0]
    assert not found(reading, "profile_headers_differ")


def test_equal_fits_are_refused(shop: Workspace) -> None:
    """By name or by headers, in whichever sheet; both are named."""
    for name, wanted in (("甲", FOREIGN), ("乙", ("a", "b"))):
        profile(shop, name, f'files = ["*A*"]\nheaders = "{header_fingerprint(wanted)}"\n{COLUMNS}')
    with pytest.raises(ConfigError, match=r"乙.*甲") as caught:
        read(csv(shop, FOREIGN, *ROWS), shop)
    assert caught.value.code == "profile_ambiguous"
    book = write_xlsx(shop.root / "x.xlsx", 一=[FOREIGN, *ROWS], 二=[["b", "a"], ["1", "2"]])
    with pytest.raises(ConfigError, match=r"乙.*甲"):
        read(str(book), shop)
    assert len(read(str(book), shop, "甲").products) == 2


def test_new_headers_are_told(shop: Workspace) -> None:
    """A supplier who changes the table should not surprise anybody."""
    profile(shop, "甲", f'files = ["*A*"]\nheaders = "{header_fingerprint(FOREIGN)}"\n{COLUMNS}')
    same = read(csv(shop, FOREIGN, *ROWS), shop)
    more = read(csv(shop, (*FOREIGN, "产地"), *((*row, "杭州") for row in ROWS)), shop)
    assert not found(same, "profile_headers_differ")
    assert "catalog map" in notes(more, "profile_headers_differ")[0]
    assert more.products[0].extra == {"产地": "杭州"}


def test_what_the_profile_maps_comes_before_what_everybody_maps(shop: Workspace) -> None:
    """The known header beside it is kept as a column of its own, never under the name of a field."""
    profile(shop, "甲", 'files = ["*"]\n[columns]\n"代号" = "sku"\n"牌子名" = "brand"\n')
    rows = [("代号", "货号", "商品名称", "brand", "牌子名"), ("A-1", "X-1", "咖啡杯", "错", "对")]
    (product,) = read(csv(shop, *rows), shop).products
    assert fields(product, "sku", "brand") == ("A-1", "对")
    assert product.extra == {"货号": "X-1", "brand_2": "错"}


def test_two_headers_of_the_profile_for_one_field_are_ambiguous(shop: Workspace) -> None:
    """Unless it is a list, whose columns are read together, in the order of their numbers and then of the columns."""
    text = '[columns]\n"亮点" = "features"\n"优点2" = "features"\n"优点1" = "features"\n'
    profile(shop, "甲", f'files = ["*"]\n{text}"甲色" = "color"\n"乙色" = "color"\n')
    rows = [("亮点", "货号", "商品名称", "优点2", "优点1", "卖点"), ("a", "A-1", "咖啡杯", "c", "b", "d")]
    (product,) = read(csv(shop, *rows), shop).products
    assert product.features == ("d", "a", "b", "c")
    with pytest.raises(CatalogError) as caught:
        read(csv(shop, ("货号", "商品名称", "甲色", "乙色"), ("A-1", "杯", "黑", "白")), shop)
    assert caught.value.code == "ambiguous_columns"
    assert "甲.toml" in caught.value.message_en


def test_the_line_of_the_header_can_be_told(shop: Workspace) -> None:
    """Where another line looks more like one, or it stands far below."""
    profile(shop, "甲", f"header_row = 40\n{COLUMNS}")
    rows = [("货号", "商品名称", "颜色", "价格"), *[("x", "y", "z", "1")] * 38, FOREIGN, *ROWS]
    assert [p.sku for p in read(csv(shop, *rows), shop, "甲").products] == ["A-001", "A-002"]
    book = write_xlsx(shop.root / "x.xlsx", 表=rows)
    assert [p.where for p in read(str(book), shop, "甲").products] == ["表!41", "表!42"]


def test_a_blank_line_is_no_header(shop: Workspace) -> None:
    """A sheet is passed over with a note; where no other is left, the file is refused with the key to correct."""
    profile(shop, "甲", f"header_row = 2\n{COLUMNS}")
    good, bad = [["三月"], FOREIGN, *ROWS], [["四月"], [], FOREIGN]
    reading = read(str(write_xlsx(shop.root / "x.xlsx", 三月=good, 四月=bad)), shop, "甲")
    assert [issue.where for issue in found(reading, "header_row_blank")] == ["四月"]
    with pytest.raises(CatalogError, match="header_row") as caught:
        read(str(write_xlsx(shop.root / "y.xlsx", 四月=bad)), shop, "甲")
    assert caught.value.code == "header_row_blank"


def test_sheet_encoding_and_password(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the profile has them, unless something else was typed."""
    profile(
        shop,
        "甲",
        f'sheet = "二"\nencoding = "big5"\npassword = "${{SUPPLIER_PASSWORD}}"\nfiles = ["*"]\n{COLUMNS}',
    )
    book = write_xlsx(
        shop.root / "x.xlsx", 一=[FOREIGN, ROWS[0]], 二=[FOREIGN, ROWS[1]], 三=[FOREIGN, ("C", "杯", "", "")]
    )
    with pytest.raises(ConfigError, match="SUPPLIER_PASSWORD"):
        read(str(book), shop)
    monkeypatch.setenv("SUPPLIER_PASSWORD", "secret")
    assert [p.sku for p in read(str(book), shop).products] == ["A-002"]
    assert [p.sku for p in read(str(book), shop, table="一").products] == ["A-001"]
    assert [p.sku for p in read(f"{book}#三", shop).products] == ["C"]
    locked = encrypt(book, "secret")
    assert [p.sku for p in read(str(locked), shop).products] == ["A-002"]
    profile(shop, "甲", f'encoding = "big5"\nfiles = ["*"]\n{COLUMNS}')
    traditional = [("代號", "叫法", "配色", "到店"), ("A-1", "銀杯", "白", "1")]
    assert read(csv(shop, *traditional, encoding="big5"), shop).products[0].name == "銀杯"
    utf8 = csv(shop, FOREIGN, *ROWS)
    assert read(utf8, shop, encoding="utf-8").products[0].name == "便携咖啡杯"


DEFAULTS = '[defaults]\nbrand = "甲牌"\ncolor = "白色"\nfeatures = ["轻", "薄"]\nprice = "¥1,299"\npromo_start = "2026.1.2"\n'


@pytest.mark.parametrize("is_close", [False, True])
def test_defaults_fill_empty_cells(shop: Workspace, is_close: bool) -> None:
    """Whichever way a row is read, also where there is no column; told once, with how many."""
    profile(shop, "甲", f'files = ["*"]\n{DEFAULTS}')
    rows = [
        ("货号", "商品名称", "颜色", "卖点", "价格", "材质"),
        ("A-1", "咖啡杯", "", "", "", "无" if is_close else "钢"),
        ("A-2", "咖啡壶", "黑", "烫", "5", "-" if is_close else "钢"),
        ("合计", "", "", "", "", ""),
        ("", "", "", "", "", ""),
    ]
    reading = read(csv(shop, *rows), shop)
    names = ("brand", "color", "features", "price", "promo_start")
    assert [fields(product, *names) for product in reading.products] == [
        ("甲牌", "白色", ("轻", "薄"), "1299", "2026-01-02"),
        ("甲牌", "黑", ("烫",), "5", "2026-01-02"),
    ]
    (told,) = notes(reading, "default_used")
    assert "brand '甲牌' (2×), color '白色' (1×), features '轻、薄' (1×), price '1299' (1×)" in told
    assert not found(reading, "appearance_missing")


def test_a_required_field_may_have_a_default(shop: Workspace) -> None:
    """Then no row is refused for it, nor a catalog without the column."""
    (shop.root / "config" / "columns.toml").write_text("[fields.brand]\nrequired = true\n", encoding="utf-8")
    profile(shop, "甲", f"{DEFAULTS}")
    location = csv(shop, ("货号", "商品名称", "品牌"), ("A-1", "杯", ""))
    assert [i.severity for i in found(read(location, shop), "missing_field")] == ["error"]
    assert read(location, shop, "甲").products[0].brand == "甲牌"
    assert read(csv(shop, ("货号", "商品名称"), ("A-1", "杯")), shop, "甲").products[0].brand == "甲牌"


def test_a_default_that_is_no_value_is_refused(shop: Workspace) -> None:
    """With file and key."""
    location = csv(shop, FOREIGN, *ROWS)
    for text in ('price = "面议"', 'brand = " "', 'brand = ["a", "b"]', "features = []"):
        profile(shop, "甲", f"[defaults]\n{text}\n")
        with pytest.raises(ConfigError, match=r"甲\.toml: defaults\."):
            read(location, shop, "甲")


def test_splits_and_what_is_left_out(shop: Workspace) -> None:
    """Signs replace those of columns.toml; columns are not read and rows that begin so are skipped."""
    text = '[splits]\nusage_scenarios = ["+"]\n[ignore]\nheaders = ["内部备注", "颜色"]\nrows = ["以上"]\n'
    profile(shop, "甲", f'files = ["*"]\n{text}')
    rows = [
        ("货号", "商品名称", "内部备注", "颜色", "使用场景"),
        ("A-1", "杯", "别卖", "黑", "通勤/露营+家用"),
        ("以上为新品", "", "", "", ""),
    ]
    reading = read(csv(shop, *rows), shop)
    (product,) = reading.products
    assert product.usage_scenarios == ("通勤/露营", "家用")
    assert (product.color, product.extra) == ("", {})
    assert {issue.code for issue in reading.issues} >= {"profile_used", "footer_row_skipped"}
    assert not found(reading, "column_without_header")


@pytest.mark.parametrize("header", ["代 号", "代号*"])
def test_a_header_told_twice_is_refused(shop: Workspace, header: str) -> None:
    """However it is dressed."""
    profile(shop, "甲", f'{COLUMNS}"{header}" = "spu"\n')
    with pytest.raises(ConfigError, match="told twice"):
        read(csv(shop, FOREIGN, *ROWS), shop, "甲")


def test_errors_say_that_a_profile_was_used(shop: Workspace) -> None:
    """It may be the wrong one; of a missing file it is not to blame."""
    profile(shop, "甲", f'files = ["*"]\n{COLUMNS}')
    with pytest.raises(CatalogError, match="--profile none does without"):
        read(csv(shop, ("代号", "颜色"), ("A", "B")), shop)
    with pytest.raises(CatalogError) as caught:
        read(str(shop.root / "gone.csv"), shop)
    assert "甲" not in caught.value.message_zh


def settings(shop: Workspace, **more: str) -> Workspace:
    """A workspace with a source."""
    keys = "".join(f'{key} = "{value}"\n' for key, value in more.items())
    (shop.root / "config" / "app.toml").write_text(f'[[source]]\nname = "s"\n{keys}', encoding="utf-8")
    return shop


def test_a_source_names_its_profile(shop: Workspace) -> None:
    """And else has what fits; a folder's files each what fits them."""
    from catalog_imagegen.bootstrap.house import read_configured  # noqa: PLC0415  # beside its only use

    profile(shop, "甲", f'files = ["甲*"]\n{COLUMNS}')
    profile(shop, "乙", COLUMNS.replace('"代号"', '"编"'))
    (shop.root / "drop").mkdir()
    csv(shop, FOREIGN, ROWS[0], name="drop/甲.csv")
    csv(shop, ("货号", "商品名称"), ("B-1", "杯"), name="drop/乙.csv")
    csv(shop, ("编", *FOREIGN[1:]), ROWS[1], name="own.csv")

    def skus(**more: str) -> list[str]:
        (source,) = load_settings(settings(shop, **more)).source
        return sorted(product.sku for product in read_configured(source, shop).reading.products)

    assert skus(path="own.csv", profile="乙") == ["A-002"]
    assert skus(path="drop") == ["A-001", "B-1"]
    with pytest.raises(CatalogError):
        skus(path="drop/甲.csv", profile="none")


def test_what_is_written_reads_the_catalog(shop: Workspace) -> None:
    """Accepted suggestions make a profile that fits by name and, under another, by headers."""
    location = csv(shop, ["三月"], FOREIGN, *ROWS, name="甲.csv")
    mapped = map_headers(location, Way(), shop)
    path = write_profile(mapped, "", shop, is_accepted=True)
    assert path.name == "甲.toml"
    for name in ("甲.csv", "别的.csv"):
        reading = read(csv(shop, ["四月"], FOREIGN, *ROWS, name=name), shop)
        assert [product.sku for product in reading.products] == ["A-001", "A-002"]
    assert map_headers(location, Way(), shop).profile == "甲"


def test_suggestions_have_no_effect_until_somebody_confirms(shop: Workspace) -> None:
    """Deleting the mark is enough."""
    location = csv(shop, ("货号", *FOREIGN[1:]), *ROWS)
    path = write_profile(map_headers(location, Way(), shop), "甲", shop)
    (written,) = load_profiles(shop)
    assert written.table.columns == {"货号": "sku"}
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# ? ", ""), encoding="utf-8")
    assert [p.name for p in read(location, shop).products] == ["便携咖啡杯", "无线蓝牙耳机"]


def test_what_was_typed_is_kept(shop: Workspace) -> None:
    """Line, sheet and encoding; of a password only the name of the variable."""
    rows = [["x", "y"], ["代号", "叫法"], ["A", "B"]]
    book = encrypt(write_xlsx(shop.root / "x.xlsx", 一=rows, 二=rows), "secret")
    way = Way("二", password="secret", header_row=2)
    text = write_profile(map_headers(str(book), way, shop), "甲", shop).read_text(encoding="utf-8")
    assert '\nsheet = "二"\nheader_row = 2\n' in text
    assert '\npassword = "${CATALOG_IMAGEGEN_PASSWORD}"\n' in text
    assert "secret" not in text
    way = Way(encoding="gb18030")
    location = csv(shop, ("货号", "商品名称"), encoding="gb18030")
    assert '\nencoding = "gb18030"\n' in write_profile(
        map_headers(location, way, shop), "乙", shop
    ).read_text(encoding="utf-8")


def test_nothing_is_overwritten_unasked(shop: Workspace) -> None:
    """What a merchandiser wrote stays."""
    profile(shop, "甲", "# mine\n")
    mapped = map_headers(csv(shop, FOREIGN, *ROWS), Way(), shop)
    with pytest.raises(ConfigError) as caught:
        write_profile(mapped, "甲", shop)
    assert caught.value.code == "profile_exists"
    path = shop.root / "config" / "profiles" / "甲.toml"
    assert path.read_text(encoding="utf-8") == "# mine\n"
    assert write_profile(mapped, "甲", shop, may_replace=True) == path
    assert "mine" not in path.read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="--as"):
        write_profile(mapped, "../x", shop)


def test_without_profiles_nothing_changes(shop: Workspace) -> None:
    """Not a note, not a value."""
    location = csv(shop, ("货号", "商品名称", "颜色"), ("A-1", "杯", "白"))
    bare = read(location, shop)
    profile(shop, "甲", f'files = ["z*"]\nheaders = "{header_fingerprint(FOREIGN)}"\n{COLUMNS}{DEFAULTS}')
    other = read(location, shop)
    assert replace(other, pictures=()) == replace(bare, pictures=())
    assert bare.issues == ()
    assert isinstance(bare.products[0].cells, Mapping)
