"""Reports of a real workspace, read back as a browser and Excel read them."""

from __future__ import annotations

import io
import random
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import openpyxl
import pytest
from PIL import Image, ImageFilter

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.reports import excel, html
from catalog_imagegen.adapters.reports.excel import ExcelReport, clean
from catalog_imagegen.adapters.reports.heading import Heading
from catalog_imagegen.adapters.reports.html import HtmlReport
from catalog_imagegen.adapters.reports.thumbnails import SIDES, Thumbnails, encoded, is_whole
from catalog_imagegen.bootstrap import House, Servers, open_house
from catalog_imagegen.bootstrap.reports import write_report, write_reports
from catalog_imagegen.config import Workspace
from catalog_imagegen.domain.catalog import Product, Reading
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.fingerprint import digest
from catalog_imagegen.domain.imaging import Placement, Platform, Prompt, Render
from catalog_imagegen.language import Language, language
from catalog_imagegen.pipeline.prepare import Selection, choose
from catalog_imagegen.pipeline.publication import publications
from catalog_imagegen.pipeline.report import build
from catalog_imagegen.pipeline.status import overview
from catalog_imagegen.pipeline.sync import carry_out
from catalog_imagegen.pipeline.views import ReportView
from tests.fakes import NullProgress
from tests.integration.test_power_cut import small_pictures
from tests.unit.builders import key, name_of, picture_status

ENGLISH = language("en")
EVIL = '=HYPERLINK("http://evil.example","x")</script><script>alert(1)</script><img src=x onerror=alert(2)>'
CATALOG = Reading(
    (
        Product("EB-1", "无线蓝牙耳机", spu="EB", category="数码", color="黑色"),
        Product("eb-2", EVIL, spu="EB", category="+1", color="@x", brand='"><b>'),
        Product("CON/<i>%41", "耳机 & 盒", color="白色"),
        Product("00731", "电水壶", color="红色"),
    )
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A shop whose four products are all made, by the simulator."""
    root = tmp_path_factory.mktemp("shop")
    small_pictures(root)
    with open_house(Workspace(root), Servers(simulate=True)) as house:
        prepared = choose(CATALOG, "run", Selection(), house.services)
        carry_out(
            prepared,
            house.services,
            source="run",
            command="run",
            backends=house.fleet.backends,
            progress=NullProgress(),
            stop=threading.Event(),
        )
        yield house


@dataclass
class Page(HTMLParser):
    """What a browser makes of a page."""

    source: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._raw = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element and its attributes."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._raw = tag if tag in ("script", "style") else ""

    def handle_data(self, data: str) -> None:
        """Keep text that is shown."""
        if not self._raw:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every such element."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def words(self) -> str:
        """All text that is read without script."""
        return " ".join(" ".join(self.text).split())

    @property
    def links(self) -> list[str]:
        """The files and folders that are linked to, as paths."""
        hrefs = [a["href"] for a in self.all("a")]
        return [unquote(h) for h in hrefs if not h.startswith("#")]


def page(path: Path) -> Page:
    """A page read from the disk."""
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def written(shop: House) -> Page:
    """The page in the shop's output."""
    destination = shop.workspace.output / "report.html"
    assert write_report(shop, destination, language=ENGLISH)
    return page(destination)


def test_every_file_of_every_listing_is_on_the_page(shop: House, written: Page) -> None:
    """Each is linked by a path that leads to it from where the page lies."""
    output = shop.workspace.output
    pictures = {str(p.relative_to(output)) for p in output.rglob("*.jpg")}
    assert len(pictures) > 20
    assert pictures <= set(written.links)
    for link in written.links:
        assert (output / link).exists(), link


def test_a_page_needs_nothing_from_outside_and_runs_nothing_but_its_own(written: Page) -> None:
    """It can be opened from a disk or a mail, and no name in a catalog can do anything."""
    for tag, attributes in written.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("href", "src", "action", "data", "poster", "srcset"):
                assert (tag, name) == ("a", "href")
                assert not urlsplit(value).scheme
                assert not urlsplit(value).netloc
    assert written.source.count("url(") == written.source.count("url(data:image/webp;base64,") > 5
    assert "@import" not in written.source
    assert len(written.all("script")) == 1
    assert written.all("img") == []
    policy = next(m["content"] for m in written.all("meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "script-src 'sha256-" in policy
    assert EVIL in written.words


def test_a_page_is_read_without_script(shop: House, written: Page) -> None:
    """Every product, picture and command is in its text; only the filters, which do nothing then, are hidden."""
    for product in CATALOG.products:
        assert product.sku in written.words
        assert product.name in written.words
    for picture in shop.services.ledger.pictures():
        assert picture.item_text in written.words
        assert " ".join(picture.prompt.positive.split()) in written.words
        assert str(picture.seed) in written.words
    assert "catalog-imagegen review approve" in written.words
    assert [tag for tag, attributes in written.tags if "hidden" in attributes] == ["form"]


def test_anchors_lead_to_cards(written: Page) -> None:
    """The list of what needs attention leads somewhere, whatever a SKU is called."""
    anchors = [unquote(a["href"][1:]) for a in written.all("a") if a["href"].startswith("#")]
    ids = [attributes["id"] for _, attributes in written.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert set(anchors) <= set(ids)
    assert {a["id"] for a in written.all("article")} <= set(anchors)
    assert all(not any(c.isspace() for c in name) for name in ids)


def test_placeholders_cannot_be_mistaken(written: Page) -> None:
    """A banner on the page and a mark on every picture, also for those who hear the page."""
    assert "Do not publish them." in written.words
    tiles = [a for a in written.all("a") if a.get("class", "").startswith("i ")]
    assert tiles
    for tile in tiles:
        assert "ph" in tile["class"].split()
        assert "PREVIEW" in tile["aria-label"]


def test_each_render_is_embedded_once(shop: House, written: Page) -> None:
    """However many places show it."""
    renders = {p.render.digest for p in shop.services.ledger.pictures() if p.render}
    assert written.source.count("base64,") == len(renders)


def test_an_unchanged_report_is_not_written_again(shop: House, tmp_path: Path) -> None:
    """Who has it open is not disturbed; another place, language or listing is another report."""
    first, second = tmp_path / "a.html", tmp_path / "a.xlsx"
    for destination in (first, second):
        assert write_report(shop, destination, language=ENGLISH)
        before = destination.stat().st_mtime_ns
        assert not write_report(shop, destination, language=ENGLISH)
        assert destination.stat().st_mtime_ns == before
        assert write_report(shop, destination, language=ENGLISH, skus=["00731"])
        destination.write_bytes(b"damaged")
        assert write_report(shop, destination, language=ENGLISH)
    assert [path.name for path in tmp_path.iterdir()] in (["a.html", "a.xlsx"], ["a.xlsx", "a.html"])


def test_a_report_elsewhere_links_back(shop: House, tmp_path: Path) -> None:
    """Links are relative, and lead from the report to the listings wherever both lie."""
    destination = tmp_path / "sub" / "monday.HTML"
    assert write_report(shop, destination, language=ENGLISH, skus=["00731"])
    found = page(destination)
    assert len(found.all("article")) == 1
    assert found.links
    for link in found.links:
        assert (destination.parent / link).exists(), link


def test_a_folder_of_listings_gets_both_reports_of_what_is_in_it(shop: House, tmp_path: Path) -> None:
    """An export holds some listings; its reports show these and no others."""
    source = shop.workspace.output / "amazon" / "00731"
    target = tmp_path / "amazon" / "00731"
    target.mkdir(parents=True)
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    written = write_reports(shop, tmp_path, language=ENGLISH, platforms=["amazon"])
    assert written == [tmp_path / "report.html", tmp_path / "report.xlsx"]
    found = page(tmp_path / "report.html")
    assert [a["id"] for a in found.all("article")] == ["sku-00731"]
    assert all((tmp_path / link).exists() for link in found.links)
    assert write_reports(shop, tmp_path, language=ENGLISH, platforms=["amazon"]) == []


def test_a_listing_that_lost_a_file_says_so(shop: House, tmp_path: Path) -> None:
    """A file somebody deleted is told as missing, not as there."""
    output = shop.workspace.output
    victim = next((output / "amazon" / "00731").glob("*.jpg"))
    content = victim.read_bytes()
    victim.unlink()
    try:
        write_report(shop, tmp_path / "a.html", language=ENGLISH, skus=["00731"])
    finally:
        victim.write_bytes(content)
    assert "not written" in page(tmp_path / "a.html").words


@pytest.mark.parametrize("name", ["report", "report.pdf", "folder.html"])
def test_a_report_of_another_kind_is_refused(name: str, shop: House, tmp_path: Path) -> None:
    """Before anything is made, and with the remedy in both languages."""
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ConfigError) as refused:
        write_report(shop, tmp_path / name, language=ENGLISH)
    assert "catalog-imagegen report monday.html" in refused.value.message_en
    assert "catalog-imagegen report monday.html" in refused.value.message_zh


@pytest.fixture(scope="module")
def workbook_path(shop: House) -> Path:
    """The workbook in the shop's output."""
    destination = shop.workspace.output / "report.xlsx"
    assert write_report(shop, destination, language=ENGLISH)
    return destination


@pytest.fixture(scope="module")
def workbook(workbook_path: Path) -> Iterator[Any]:
    """The workbook as a program reads it."""
    book = openpyxl.load_workbook(workbook_path)
    yield book
    book.close()


def test_texts_stay_texts(workbook: Any, workbook_path: Path) -> None:
    """No name is a formula, no SKU a number, and no cell has text that Excel would run."""
    with zipfile.ZipFile(workbook_path) as package:
        for name in package.namelist():
            if name.startswith("xl/worksheets/sheet"):
                assert b"<f>" not in package.read(name)
                assert b"<f " not in package.read(name)
    rows = [[cell.value for cell in row] for row in workbook["Products"].iter_rows(min_row=5)]
    assert [row[0] for row in rows] == ["EB-1", "eb-2", "CON/<i>%41", "00731"]
    assert rows[1][1] == EVIL
    assert {"+1", "@x"} <= set(rows[1])
    seeds = [row[7].value for row in workbook["Pictures"].iter_rows(min_row=5)]
    assert all(isinstance(seed, str) and seed.isdecimal() for seed in seeds)


def test_headers_stay_in_sight_and_filter(workbook: Any) -> None:
    """Both sheets are for looking things up."""
    for sheet, frozen in (("Products", "C5"), ("Pictures", "E5")):
        page = workbook[sheet]
        assert page.freeze_panes == frozen
        assert page.auto_filter.ref.startswith("A4:")
        assert page.auto_filter.ref.endswith(str(page.max_row))
        assert page.print_title_rows == "$4:$4"
        assert page.page_setup.orientation == "landscape"
    assert workbook["Products"]["A4"].value == "SKU"
    assert "Do not publish them." in workbook["Products"]["A3"].value


def test_pictures_lie_in_the_rows_of_their_products(workbook: Any) -> None:
    """One of each role, within its cell."""
    products = workbook["Products"]
    assert len(products._images) >= 4 * 3
    for image in products._images:
        start = image.anchor._from
        header = products.cell(4, start.col + 1).value
        assert header in ("Main picture", "Main, upright", "In use", "Detail")
        assert start.row >= 4
        assert (image.anchor.to.row, image.anchor.to.col) == (start.row, start.col)
    assert {image.anchor._from.row for image in products._images} == {4, 5, 6, 7}


def test_links_of_a_workbook_lead_to_listings(workbook: Any, workbook_path: Path) -> None:
    """Whatever a folder is called, also where its name looks quoted already."""
    links = [cell.hyperlink for row in workbook["Products"].iter_rows() for cell in row if cell.hyperlink]
    assert len(links) == 8
    for link in links:
        place = workbook_path.parent / unquote(link.target).replace("\\", "/")
        assert (place / "listing.json").is_file(), link.target


def test_a_picture_has_its_story(shop: House, workbook: Any) -> None:
    """Who made it when, from what, in how many seconds, and where it went."""
    sheet = workbook["Pictures"]
    headers = [cell.value for cell in sheet[4]]
    rows = [dict(zip(headers, (c.value for c in row), strict=True)) for row in sheet.iter_rows(min_row=5)]
    pictures = shop.services.ledger.pictures()
    assert len(rows) == len(pictures)
    shared = [row for row in rows if row["SKU"] == "EB-1, eb-2"]
    assert [row["Picture"] for row in shared] == ["Comparison"] * len(shared)
    for row in rows:
        assert isinstance(row["Submitted"], datetime)
        assert row["Started"] <= row["Finished"]
        assert row["Seconds"] >= 0
        assert row["Server"].startswith("http://")
        assert row["Prompt"]
        assert row["State"] == "draft"
        assert row["Placeholder"] == "yes"
    assert {row["Render"] for row in rows} == {p.render.digest[:12] for p in pictures if p.render}


def test_what_a_cell_cannot_hold_is_dropped_or_cut() -> None:
    """Excel repairs a workbook that breaks its limits, which frightens people."""
    assert clean("a\x00\x0b\x1f\ud800b\nc\t\uffff") == "ab\nc\t"
    assert clean("字" * 32_767) == "字" * 32_767
    assert clean("字" * 32_768) == "字" * 32_766 + "…"
    assert len(clean("😀" * 20_000).encode("utf-16-le")) // 2 <= 32_767


def test_thumbnails_are_made_once_and_again_when_they_are_lost(tmp_path: Path) -> None:
    """They are a projection of the renders: deleting or damaging them costs nothing but time."""
    blobs = FolderBlobs(tmp_path / "blobs")
    buffer = io.BytesIO()
    Image.new("RGBA", (600, 300), (255, 0, 0, 0)).save(buffer, "PNG")
    name = blobs.put(buffer.getvalue())
    thumbnails = Thumbnails(tmp_path / "thumbnails", blobs)
    small = thumbnails.get(name, SIDES[-1])
    assert size(small) == (128, 64)
    kept = sorted(p.name for p in (tmp_path / "thumbnails" / name[:2]).iterdir())
    assert kept == sorted([f"{name}-{SIDES[-1]}.webp", f"{name}-{SIDES[0]}.webp"])
    blobs.drop(name)
    assert thumbnails.get(name, SIDES[-1]) == small
    assert size(thumbnails.get(name, SIDES[1])) == (SIDES[1], SIDES[1] // 2)
    assert thumbnails.all([name, digest(b"gone")], SIDES[0]).keys() == {name}
    blobs.put(buffer.getvalue())
    path = tmp_path / "thumbnails" / name[:2] / f"{name}-{SIDES[0]}.webp"
    path.write_bytes(b"damaged")
    assert size(thumbnails.get(name, SIDES[2])) == (SIDES[2], SIDES[2] // 2)


@pytest.mark.parametrize("damage", ["cut off", "hole", "empty"])
def test_a_thumbnail_that_a_power_cut_damaged_is_made_again(damage: str, tmp_path: Path) -> None:
    """They are not brought to the disk at once, so half of one may be there, or zeros."""
    blobs = FolderBlobs(tmp_path / "blobs")
    buffer = io.BytesIO()
    noise(1).save(buffer, "PNG")
    name = blobs.put(buffer.getvalue())
    thumbnails = Thumbnails(tmp_path / "thumbnails", blobs)
    whole = thumbnails.get(name, SIDES[0])
    assert is_whole(whole)
    (path,) = (tmp_path / "thumbnails").rglob("*.webp")
    half = len(whole) // 2
    damaged = {"cut off": whole[:half], "hole": whole[:half] + bytes(len(whole) - half), "empty": b""}
    path.write_bytes(damaged[damage])
    assert thumbnails.get(name, SIDES[0]) == whole
    assert path.read_bytes() == whole


@pytest.mark.parametrize("side", SIDES)
def test_a_plain_thumbnail_counts_as_whole(side: int) -> None:
    """One colour compresses to next to nothing, but not to a hole."""
    for color in ("black", "white", "red"):
        assert is_whole(encoded(Image.new("RGB", (1280, 1280), color), side))


@pytest.mark.parametrize(
    "damage", ["empty", "no zip", "cut off", "garbled", "locked", "packed oddly", "foreign"]
)
def test_a_damaged_workbook_is_written_anew(damage: str, shop: House, tmp_path: Path) -> None:
    """Whatever reading it raises: nobody but us is to blame for a report."""
    path = tmp_path / "a.xlsx"
    assert write_report(shop, path, language=ENGLISH, skus=["00731"])
    good = path.read_bytes()
    path.write_bytes(damaged_workbook(good, damage))
    assert excel.state_of(path.read_bytes()) == ""
    assert write_report(shop, path, language=ENGLISH, skus=["00731"])
    assert excel.state_of(path.read_bytes()) == excel.state_of(good) != ""


def damaged_workbook(good: bytes, damage: str) -> bytes:
    """A workbook that was damaged in some way."""
    if damage in ("empty", "no zip", "cut off"):
        return {"empty": b"", "no zip": b"PK" + bytes(99), "cut off": good[: len(good) // 2]}[damage]
    if damage == "foreign":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as package:
            package.writestr("a.txt", "a")
        return buffer.getvalue()
    found = bytearray(good)
    with zipfile.ZipFile(io.BytesIO(good)) as package:
        start = package.getinfo("docProps/custom.xml").header_offset
    body = start + 30 + int.from_bytes(good[start + 26 : start + 28], "little")
    entry = good.index(b"docProps/custom.xml", body) - 46
    if damage == "garbled":
        found[body : body + 40] = b"\xff" * 40
    elif damage == "locked":
        found[entry + 8] |= 1
        found[start + 6] |= 1
    else:
        found[entry + 10 : entry + 12] = found[start + 8 : start + 10] = (97).to_bytes(2, "little")
    return bytes(found)


def test_a_decoded_picture_need_not_be_decoded_again(tmp_path: Path) -> None:
    """Who has just opened a render hands it over; the picture itself stays as it was."""
    thumbnails = Thumbnails(tmp_path / "thumbnails", FolderBlobs(tmp_path / "blobs"))
    picture = Image.new("RGB", (1280, 1280), (0, 128, 0))
    thumbnails.keep(digest(b"x"), picture)
    assert picture.size == (1280, 1280)
    assert size(thumbnails.get(digest(b"x"), SIDES[0])) == (SIDES[0], SIDES[0])


def size(webp: bytes) -> tuple[int, int]:
    """The size of an encoded picture."""
    with Image.open(io.BytesIO(webp)) as image:
        return image.size


PLATFORMS = [
    Platform(
        name=f"market_{n}",
        title=f"Market {n}",
        listing_per="sku",
        placements=(
            Placement("main", ("main",), 800, 800, title="主图"),
            Placement("more", ("detail",), 750, 1000, count=5, title="详情"),
        ),
    )
    for n in range(8)
]
SKUS, PICTURES = 300, 6


def large(skus: int = SKUS) -> ReportView:
    """A shop of many products, six pictures each, on eight marketplaces."""
    products = [
        Product(f"SKU-{n:04}", f"无线蓝牙耳机 第{n}款", category="数码", color="黑色") for n in range(skus)
    ]
    pictures = [
        replace(
            picture_status(),
            key=key(f"sku:{product.sku}", "detail" if slot else "main", f"细节{slot}"),
            item_text=f"细节{slot}",
            slot=slot or 1,
            order=order,
            seed=order,
            prompt=Prompt(
                "电商产品主图，纯白背景，柔和的侧光从左上方照来，写实摄影。" * 8, "模糊，低画质，" * 10
            ),
            render=Render(name_of(f"{order}/{slot}"), digest(f"{order}/{slot}".encode()), 1280, 1280),
        )
        for order, product in enumerate(products)
        for slot in range(PICTURES)
    ]
    return build(overview(products, pictures), publications(PLATFORMS, products, pictures), (), {})


def noise(seed: int) -> Image.Image:
    """A picture as hard to compress as a photograph: noise of several sizes, blurred."""
    source = random.Random(seed)
    image = Image.new("RGB", (SIDES[0], SIDES[0]))
    for grain in (6, 24, 96, SIDES[0]):
        layer = Image.frombytes("RGB", (grain, grain), source.randbytes(3 * grain * grain))
        image = Image.blend(image, layer.resize(image.size, Image.Resampling.BICUBIC), 0.4)
    return image.filter(ImageFilter.GaussianBlur(1.0))


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Thumbnails:
    """Thumbnails of every picture of a large shop, in every size, of photograph-like noise."""
    folder = tmp_path_factory.mktemp("thumbnails")
    originals = []
    for seed in range(8):
        image = noise(seed)
        originals.append({side: encoded(image, side) for side in SIDES})
    assert min(len(o[SIDES[0]]) for o in originals) > 15_000, "no easier than a photograph"
    for number, name in enumerate(large().renders()):
        place = folder / name[:2]
        place.mkdir(exist_ok=True)
        for side, content in originals[number % len(originals)].items():
            path = place / f"{name}-{side}.webp"
            path.write_bytes(content)
    return Thumbnails(folder, FolderBlobs(tmp_path_factory.mktemp("blobs")))


HEADING = Heading("shop", datetime(2026, 11, 22, tzinfo=UTC))


def test_a_page_of_300_products_is_light(crowd: Thumbnails) -> None:
    """1,800 photograph-like pictures on eight marketplaces stay below 25 MB, each with its preview."""
    report = large()
    content = HtmlReport(report, HEADING, ENGLISH).render(crowd)
    assert len(content) < 25_000_000
    assert content.count(b"base64,") == SKUS * PICTURES
    assert content.count(b"<article") == SKUS
    assert content.count(b' data-r="') == SKUS * PICTURES * len(PLATFORMS)


def test_pictures_that_do_not_fit_get_a_link_and_the_page_says_so(
    crowd: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words come first; the previews that fit are those at the top."""
    monkeypatch.setattr(html, "PAGE_BYTES", 2_000_000)
    report = large(60)
    content = HtmlReport(report, HEADING, ENGLISH).render(crowd)
    assert len(content) <= 2_000_000
    shown = content.count(b"base64,")
    assert 0 < shown < 60 * PICTURES
    assert f"{60 * PICTURES - shown} pictures are shown without a preview".encode() in content
    found = Page(content.decode())
    assert len([link for link in found.links if link.endswith(".jpg")]) == 60 * PICTURES * len(PLATFORMS)
    assert "open the file" in found.words


def test_a_page_of_a_huge_shop_shows_those_that_need_somebody(
    crowd: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the catalog; the figures are of all, and no link leads nowhere."""
    monkeypatch.setattr(html, "MAX_CARDS", 3)
    report = large(5)
    ready = [replace(sku, status="ready") for sku in report.skus[:3]]
    found = Page(
        HtmlReport(replace(report, skus=(*ready, *report.skus[3:])), HEADING, ENGLISH).render(crowd).decode()
    )
    assert [a["id"] for a in found.all("article")] == ["sku-SKU-0000", "sku-SKU-0003", "sku-SKU-0004"]
    assert "5 products" in found.words
    assert "3 of 5 products are shown" in found.words
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    assert {a["href"][1:] for a in found.all("a") if a["href"].startswith("#")} <= ids


def test_a_page_speaks_the_readers_language(crowd: Thumbnails) -> None:
    """What comes in both languages is told in the one that is read."""
    products = [Product("A1", "电水壶")]
    blocked = picture_status("blocked", reason_en="no colour; add it", reason_zh="缺少颜色；请补上")
    report = build(overview(products, [blocked]), (), (), {})
    for words, code, there, not_there in (
        (Language("zh"), "zh-CN", "缺少颜色；请补上", "no colour"),
        (ENGLISH, "en", "no colour; add it", "缺少颜色"),
    ):
        found = Page(HtmlReport(report, HEADING, words).render(crowd).decode())
        assert found.all("html") == [{"lang": code}]
        assert there in found.words
        assert not_there not in found.words


def test_an_empty_shop_is_told_how_to_begin(crowd: Thumbnails) -> None:
    """Not an empty page."""
    report = build((), (), (), {})
    content = HtmlReport(report, HEADING, ENGLISH).render(crowd).decode()
    assert "start with: catalog-imagegen run CATALOG" in Page(content).words
    assert ExcelReport(report, HEADING, ENGLISH).render(crowd)


def test_a_picture_whose_bytes_are_gone_has_no_preview(tmp_path: Path) -> None:
    """A deleted blob costs its preview, not the report."""
    none = Thumbnails(tmp_path / "thumbnails", FolderBlobs(tmp_path / "blobs"))
    report = large(2)
    assert b"base64," not in HtmlReport(report, HEADING, ENGLISH).render(none)
    assert ExcelReport(report, HEADING, ENGLISH).render(none)


def test_a_workbook_of_300_products_is_light(crowd: Thumbnails) -> None:
    """With two pictures of each."""
    content = ExcelReport(large(), HEADING, ENGLISH).render(crowd)
    assert len(content) < 10_000_000
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.read("xl/drawings/drawing1.xml").count(b"<xdr:pic>") == 2 * SKUS


def test_a_huge_workbook_leaves_pictures_out_and_says_so(
    crowd: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written row by row; what it holds is the same."""
    monkeypatch.setattr(excel, "MAX_SKUS_WITH_PICTURES", 20)
    content = ExcelReport(large(21), HEADING, ENGLISH).render(crowd)
    book = openpyxl.load_workbook(io.BytesIO(content))
    products: Any = book["Products"]
    assert products._images == []
    assert "shows no pictures" in products["A3"].value
    assert [row[0].value for row in products.iter_rows(min_row=5)] == [f"SKU-{n:04}" for n in range(21)]
    assert book["Pictures"].max_row == 4 + 21 * PICTURES
    assert excel.state_of(content) == ExcelReport(large(21), HEADING, ENGLISH).state
    book.close()
