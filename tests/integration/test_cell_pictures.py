"""Pictures inside workbooks: floating, in cells, linked; of Excel, WPS and LibreOffice; whole and damaged."""

from __future__ import annotations

import random
import struct
import zipfile
from io import BytesIO

import openpyxl
import pytest
import xlsxwriter
import xlwt
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image

from catalog_imagegen.adapters.catalogs.issues import issue
from catalog_imagegen.adapters.catalogs.pictures import (
    SheetPicture,
    SheetPictures,
    found,
    pictures_in_ods,
    pictures_in_xls,
)
from catalog_imagegen.adapters.catalogs.pictures.bands import RowBands
from tests.integration import picture_workbooks_xls as old
from tests.integration.picture_workbooks import (
    BLUE,
    GREEN,
    OFFICE,
    RED,
    RICH,
    ROW_EMU,
    book,
    cell,
    corner,
    drawn,
    frame,
    group,
    images,
    inline,
    media,
    ods,
    ods_rows,
    one_cell,
    pic,
    png,
    read_xlsx,
    relations,
    two_cells,
    wps,
)

ADDRESS = "https://img.example.com/a.jpg?x=1&y=2"
C2, C3, C4, C5 = (2, 2), (3, 2), (4, 2), (5, 2)
FALLBACK = f"<mc:Fallback>{one_cell(3, pic('rId1'))}</mc:Fallback></mc:AlternateContent>"
NAMES = {RED: "red", GREEN: "green", BLUE: "blue", b"": ""}


def told(pictures: SheetPictures) -> list[tuple[object, str]]:
    """Where each picture is, and its color, address or the cell that has the address."""
    return [
        (each.place, NAMES[each.content] or each.address or f"={each.cell}") for each in pictures.pictures
    ]


def kinds(pictures: SheetPictures) -> set[str]:
    """The kinds of the pictures."""
    return {each.kind for each in pictures.pictures}


# --- floating --------------------------------------------------------------------------------------------------------


def test_pictures_that_openpyxl_places() -> None:
    """One-cell anchors, absolute targets, namespaces without prefix."""
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    for place, content in (("C2", RED), ("C3", GREEN)):
        sheet.add_image(SheetImage(BytesIO(content)), place)
    saved = BytesIO()
    workbook.save(saved)
    pictures = read_xlsx(saved.getvalue())
    assert [each.place for each in pictures.pictures] == [C2, C3]
    assert kinds(pictures) == {"floating"}
    assert [Image.open(BytesIO(each.content)).getpixel((0, 0)) for each in pictures.pictures] == [
        (255, 0, 0),
        (0, 128, 0),
    ]


def test_a_picture_belongs_to_the_row_that_it_covers_most() -> None:
    """Anchored at the lower end of C2 it is the picture of C3; in merged cells, of their first; order is kept."""
    saved = BytesIO()
    with xlsxwriter.Workbook(saved) as workbook:
        sheet = workbook.add_worksheet()
        for row in range(1, 8):
            sheet.set_row(row, 72)
        sheet.merge_range("C5:C7", "")
        for place, content, options in (
            ("C2", png("red", 90), {"y_offset": 80}),
            ("C4", GREEN, {}),
            ("C4", BLUE, {"x_offset": 30}),
            ("C7", RED, {"object_position": 1}),
        ):
            sheet.insert_image(place, "x.png", {"image_data": BytesIO(content), **options})
    pictures = read_xlsx(saved.getvalue())
    assert [each.place for each in pictures.pictures] == [C3, C4, C4, C5]
    assert [each.content for each in pictures.pictures][1:] == [GREEN, BLUE, RED]


@pytest.mark.parametrize(
    ("anchor", "place"),
    [
        (one_cell(1, pic("rId1"), offset=ROW_EMU - 9, height=ROW_EMU), C3),
        (one_cell(1, pic("rId1"), offset=ROW_EMU - 9, height=0), C2),
        (one_cell(1, pic("rId1"), offset=99 * ROW_EMU, height=9999), C3),
        (one_cell(1, pic("rId1"), height=2 * ROW_EMU), C2),
        (two_cells(corner("from", 1, ROW_EMU - 9), corner("to", 2, 99), pic("rId1")), C3),
        (two_cells(corner("from", 1), corner("to", 4), pic("rId1")), C2),
        (two_cells(corner("from", 2), corner("to", 1), pic("rId1")), C3),
        (f"<mc:AlternateContent><mc:Choice>{one_cell(2, pic('rId1'))}</mc:Choice>{FALLBACK}", C3),
    ],
)  # fmt: skip
def test_where_an_anchor_puts_a_picture(anchor: str, place: tuple[int, int]) -> None:
    """Offsets end with their row; equal rows: the first; no height: where it begins; of alternatives, the choice."""
    assert told(read_xlsx(drawn(anchor, "../media/1.png"))) == [(place, "red")]


def test_rows_with_heights_of_their_own_count() -> None:
    """A low row is not the one that a picture covers, though it begins and has its middle there."""
    cells = '<row r="2" ht="9"/><row r="3" ht="9" hidden="1"/><row r="4" ht="200"/>'
    anchors = one_cell(1, pic("rId1"), height=2 * ROW_EMU) + one_cell(2, pic("rId2"), height=6 * 12700)
    pictures = read_xlsx(drawn(anchors, "../media/1.png", "../media/2.png", cells=cells))
    assert told(pictures) == [(C4, "red"), (C3, "green")]


def test_groups_place_each_of_their_pictures() -> None:
    """A group over three rows shows three products; where it says nothing of its parts, all are on one."""
    inner = group(pic("rId3", y=210, height=80), y=200, height=100)
    tall = group(pic("rId1", y=0, height=90), pic("rId2", y=105, height=90), inner, y=0, height=300)
    anchors = two_cells(corner("from", 1), corner("to", 4), tall) + one_cell(
        4, group(pic("rId1"), pic("rId2"))
    )
    pictures = read_xlsx(drawn(anchors, "../media/1.png", "../media/2.png", "../media/3.png"))
    assert told(pictures) == [(C2, "red"), (C3, "green"), (C4, "blue"), (C5, "red"), (C5, "green")]


def test_linked_pictures_targets_and_pictures_on_the_page() -> None:
    """A link has an address; targets may be absolute, with other strokes and cases; the page is no cell."""
    page = f'<xdr:absoluteAnchor><xdr:pos x="1" y="1"/><xdr:ext cx="1" cy="1"/>{pic("rId3")}</xdr:absoluteAnchor>'
    anchors = one_cell(1, pic("rId1", by="link")) + one_cell(2, pic("rId2")) + page
    pictures = read_xlsx(drawn(anchors, ADDRESS, "/XL/media/1.PNG", "..\\media\\%32.png"))
    assert told(pictures) == [(C2, ADDRESS), (C3, "red"), (None, "green")]
    assert pictures.troubles == (("image_without_cell", None),)


def test_shapes_and_comments_filled_with_a_picture() -> None:
    """A shape with a stretched picture shows it, a texture and a chart show none; a comment's is its cell's."""
    shapes = '<xdr:sp><xdr:spPr><a:blipFill><a:blip r:embed="rId1"/><a:{}/></a:blipFill></xdr:spPr></xdr:sp>'.format
    vml = (
        '<xml xmlns:v="v" xmlns:o="o" xmlns:x="x"><v:shape><v:fill o:relid="rId2" type="frame"/>'
        '<x:ClientData ObjectType="Note"><x:Row>2</x:Row><x:Column>2</x:Column></x:ClientData></v:shape>'
        '<v:shape><v:imagedata o:relid="rId1"/><x:ClientData ObjectType="Pict"/></v:shape></xml>'
    )
    anchors = (
        one_cell(1, shapes("stretch")) + one_cell(2, shapes("tile")) + one_cell(3, "<xdr:graphicFrame/>")
    )
    pictures = read_xlsx(
        book(
            end='<drawing r:id="a"/><legacyDrawing r:id="b"/><legacyDrawingHF r:id="c"/>',
            sheet={
                "a": (f"{OFFICE}/drawing", "/xl/d.xml"),
                "b": (f"{OFFICE}/vmlDrawing", "/xl/v.vml"),
            },
            parts={
                "xl/d.xml": f'<xdr:wsDr xmlns:xdr="x" xmlns:a="a" xmlns:r="{OFFICE}">{anchors}</xdr:wsDr>',
                "xl/_rels/d.xml.rels": images("media/1.png"),
                "xl/v.vml": vml,
                "xl/_rels/v.vml.rels": images("media/1.png", "media/2.png"),
                **media("xl/media/"),
            },
        )
    )
    assert told(pictures) == [(C2, "red"), (C3, "green")]
    assert not pictures.troubles


# --- DISPIMG ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("xl/cellimages.xml", "http://www.wps.cn/officeDocument/2020/cellImage"),
        ("xl/wps/Pictures.xml", "cellImage"),
        ("xl/cellImages.xml", "something/else"),
    ],
)
def test_pictures_that_wps_puts_in_cells(part: str, kind: str) -> None:
    """By formula with and without prefix, after Excel made it an error, as text; ids that are nowhere are told."""
    shown = (
        cell("C2", formula='_xlfn.DISPIMG("ID_1",1)', value='=DISPIMG("ID_1",1)', attributes='t="str"')
        + cell("C3", formula='DISPIMG( "ID_2",1)', value="#NAME?", attributes='t="e"')
        + inline("C4", "=DISPIMG(“id_1”,1)")
        + cell("C5", formula='_xlfn.DISPIMG("ID_3",1)', value="#NAME?", attributes='t="e"')
        + cell("C6", formula='_xlfn.DISPIMG("ID_9",1)')
        + cell("C7", formula="_xlfn.DISPIMG(A1,1)")
    )
    pictures = read_xlsx(wps(shown, part=part, kind=kind))
    web = "https://img.example.com/3.jpg"
    assert told(pictures) == [(C2, "red"), (C3, "green"), (C4, "red"), (C5, web)]
    assert kinds(pictures) == {"dispimg"}
    assert pictures.pictures[0].content is pictures.pictures[2].content
    assert pictures.troubles == (("image_id_dangling", (6, 2)), ("image_id_dangling", (7, 2)))


def test_a_cell_shows_what_its_value_names() -> None:
    """A formula may choose between pictures; a workbook whose pictures were dropped has none."""
    chosen = cell(
        "C2",
        formula='IF(A2,DISPIMG("ID_1",1),DISPIMG("ID_2",1))',
        value='=DISPIMG("ID_2",1)',
        attributes='t="str"',
    )
    assert told(read_xlsx(wps(chosen))) == [(C2, "green")]
    assert read_xlsx(book(chosen)).troubles == (("image_id_dangling", C2),)


# --- rich values -----------------------------------------------------------------------------------------------------


def test_pictures_that_excel_places_in_cells() -> None:
    """As XlsxWriter embeds them; the same picture twice is one part."""
    saved = BytesIO()
    with xlsxwriter.Workbook(saved) as workbook:
        sheet = workbook.add_worksheet()
        for row, content in enumerate((RED, GREEN, RED), 1):
            sheet.embed_image(row, 2, f"{row}.png", {"image_data": BytesIO(content)})
    pictures = read_xlsx(saved.getvalue())
    assert told(pictures) == [(C2, "red"), (C3, "green"), (C4, "red")]
    assert kinds(pictures) == {"place_in_cell"}
    assert pictures.pictures[0].content is pictures.pictures[2].content


FUTURE = "".join(f'<bk><extLst><ext><x:rvb i="{index}"/></ext></extLst></bk>' for index in (2, 0, 1, 3, 4, 5))
METADATA = (
    '<metadata xmlns:x="x"><metadataTypes><metadataType name="XLDAPR"/><metadataType name="XLRICHVALUE"/></metadataTypes>'
    f'<futureMetadata name="XLDAPR"/><futureMetadata name="XLRICHVALUE">{FUTURE}</futureMetadata><valueMetadata>'
    '<bk><rc t="2" v="1"/></bk><bk><rc t="1" v="0"/><rc t="2" v="2"/></bk><bk><rc t="2" v="0"/></bk>'
    '<bk><rc t="2" v="3"/></bk><bk><rc t="2" v="4"/></bk><bk><rc t="2" v="5"/></bk><bk><rc t="1" v="0"/></bk>'
    "</valueMetadata></metadata>"
)
VALUES = (
    '<rvData><rv s="1"><v>5</v><v>1</v></rv><rv s="0"><v>0</v><v>6</v><v>x</v></rv><rv s="2"><v>1</v></rv>'
    '<rv s="2"><v>0</v></rv><rv s="3"><v>4</v></rv><rv s="0"><v>-1</v></rv></rvData>'
)
STRUCTURES = (
    '<rvStructures><s t="_localImage"><k n="_rvRel:LocalImageIdentifier" t="i"/><k n="CalcOrigin"/></s>'
    '<s t="_localImage"><k n="CalcOrigin"/><k n="_rvRel:LocalImageIdentifier"/></s>'
    '<s t="_webimage"><k n="WebImageIdentifier"/></s><s t="_error"><k n="errorType"/></s></rvStructures>'
)
WEB = (
    f'<webImagesSrd xmlns:r="{OFFICE}"><webImageSrd><address r:id="a"/></webImageSrd>'
    '<webImageSrd><address r:id="a"/><blip r:id="b"/></webImageSrd></webImagesSrd>'
)
RICH_PARTS: dict[str, str | bytes] = {
    "xl/metadata.xml": METADATA,
    "xl/richData/v.xml": VALUES,
    "xl/richData/s.xml": STRUCTURES,
    "xl/richData/r.xml": f'<richValueRels xmlns:r="{OFFICE}"><rel r:id="rId2"/><rel r:id="rId1"/></richValueRels>',
    "xl/richData/_rels/r.xml.rels": images("../media/1.png", "../media/2.png"),
    "xl/richData/rdRichValueWebImage.xml": WEB,
    "xl/richData/_rels/rdRichValueWebImage.xml.rels": relations(
        {"a": (f"{OFFICE}/hyperlink", ADDRESS), "b": (f"{OFFICE}/image", "../media/3.png")}
    ),
    **media("xl/media/"),
}
RICH_RELATIONS = {
    "m": (f"{OFFICE}/sheetMetadata", "metadata.xml"),
    "v": (f"{RICH}/2017/06/relationships/rdRichValue", "richData/v.xml"),
    "s": (f"{RICH}/2017/06/relationships/rdRichValueStructure", "richData/s.xml"),
    "r": (f"{RICH}/2022/10/relationships/richValueRel", "richData/r.xml"),
}


def rich(cells: str, parts: dict[str, str | bytes] | None = None) -> SheetPictures:
    """Read an .xlsx in which no index of a rich value is that of another table."""
    return read_xlsx(book(cells, workbook=RICH_RELATIONS, parts={**RICH_PARTS, **(parts or {})}))


def rich_cell(place: str, number: int, formula: str = "") -> str:
    """A cell that older programs take for an error."""
    return cell(place, formula=formula, value="#VALUE!", attributes=f't="e" vm="{number}"')


def test_every_hop_to_a_rich_value_is_followed() -> None:
    """Permuted indices, slots by name; what was fetched before the address; errors and other types are no pictures."""
    pictures = rich(
        rich_cell("C2", 1)
        + rich_cell("C3", 2)
        + rich_cell("C4", 3, "_xlfn.IMAGE(Z9)")
        + rich_cell("C5", 4)
        + rich_cell("C6", 5)
        + rich_cell("C7", 7)
    )
    assert told(pictures) == [(C2, "red"), (C3, "green"), (C4, "blue"), (C5, ADDRESS)]
    assert [each.kind for each in pictures.pictures] == ["place_in_cell"] * 2 + ["image_function"] * 2
    assert not pictures.troubles


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/metadata.xml": "<metadata"},
        {"xl/richData/s.xml": "<rvStructures/>"},
        {"xl/richData/v.xml": '<rvData><rv s="x"/></rvData>'},
        {"xl/richData/r.xml": "no xml"},
        {"xl/richData/_rels/r.xml.rels": "no xml"},
        {"xl/media/1.png": b"", "xl/media/2.png": b""},
    ],
)
def test_a_broken_trail_to_a_rich_value_is_told(parts: dict[str, str | bytes]) -> None:
    """No picture is guessed, and a formula still has the address."""
    pictures = rich(
        rich_cell("C2", 1)
        + rich_cell("C3", 6)
        + rich_cell("C4", 99)
        + rich_cell("C5", 99, f'IMAGE("{ADDRESS}")'),
        parts,
    )
    assert told(pictures) == [(C5, ADDRESS)]
    assert pictures.troubles == tuple(("image_unreadable", place) for place in (C2, C3, C4))


# --- formulas and links ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (f'_xlfn.IMAGE("{ADDRESS}")', ADDRESS),
        (f'IF(A2="","",image( "{ADDRESS}" ,"alt",1))', ADDRESS),
        ('IMAGE("https://x/a""b.jpg")', 'https://x/a"b.jpg'),
        ("_xlfn.IMAGE(E4)", "=(4, 4)"),
        ("_xlfn.IMAGE('商品'!$E$4,1)", "=(4, 4)"),
        ("_xlfn.IMAGE(其他!E4)", None),
        ('IMAGE("https://x/"&A2&".jpg")', None),
        ("IMAGE(Table1[[#This Row],[图]])", None),
        ("IMAGE(E4:E5)", None),
        ("IMAGE(ZZZ9)", None),
        ("IMAGE()", None),
    ],
)
def test_what_the_image_function_shows(formula: str, shown: str | None) -> None:
    """Its first argument where it is a text or one cell of the sheet; else that it has to be calculated."""
    pictures = read_xlsx(book(cell("C2", formula=formula, value="0")))
    if shown is None:
        assert pictures == SheetPictures((), (("image_formula_not_literal", C2),))
    else:
        assert told(pictures) == [(C2, shown)]
        assert kinds(pictures) == {"image_function"}


def test_hyperlinks_of_cells_and_formulas() -> None:
    """Addresses of the web only; one for merged cells, one for each cell of a range, one for a whole column."""
    cells = (
        cell("C2", formula=f'HYPERLINK("{ADDRESS}","查看")')
        + cell("C3", formula='HYPERLINK("#A1","x")')
        + cell("C4", formula='MYIMAGE("x")')
    )
    links = "".join(
        f'<hyperlink ref="{ref}" tooltip="a > b" {by}/>'
        for ref, by in (
            ("B2", 'r:id="a"'), ("D2:D3", "r:id='a'"), ("F2:F4", 'r:id="a"'), ("G1:G1048576", 'r:id="a"'),
            ("H2", 'r:id="b"'), ("H3", 'location="A1"'), ("H4", 'r:id="z"'), ("ZZZ1", 'r:id="a"'),
        )
    )  # fmt: skip
    end = f'<mergeCells><mergeCell ref="F2:F4"/></mergeCells><hyperlinks>{links}</hyperlinks>'
    targets = {"a": (f"{OFFICE}/hyperlink", ADDRESS), "b": (f"{OFFICE}/hyperlink", "mailto:a@example.com")}
    pictures = read_xlsx(book(cells, end=end, sheet=targets))
    places = [(1, 6), (2, 1), C2, (2, 3), (2, 5), (3, 3)]
    assert told(pictures) == [(place, ADDRESS) for place in places]
    assert kinds(pictures) == {"url"}


# --- damaged packages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("anchor", "place"),
    [
        (one_cell(1, pic("rId9")), C2),
        (one_cell(1, "<xdr:pic/>"), C2),
        (one_cell(1, pic("rId2")), C2),
        (one_cell(1, pic("rId3")), C2),
        (one_cell(-1, pic("rId1")), None),
        (one_cell(1 << 20, pic("rId1")), None),
        (one_cell(10**400, pic("rId1")), None),
        (f"<xdr:oneCellAnchor>{pic('rId1')}</xdr:oneCellAnchor>", None),
        (two_cells(corner("from", 1), "<xdr:to/>", pic("rId1")), None),
        (one_cell(1, pic("rId1")).replace('cy="', 'cy="x'), None),
    ],
)
def test_a_damaged_picture_does_not_cost_the_others(anchor: str, place: tuple[int, int] | None) -> None:
    """Each is told, on its cell where that is known."""
    around = one_cell(2, pic("rId1"))
    targets = ("../media/1.png", "../media/nowhere.png", "../media/empty.png")
    data = drawn(around + anchor + around, *targets)
    with zipfile.ZipFile(BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    pictures = read_xlsx(_zip({**parts, "xl/media/empty.png": b""}))
    assert told(pictures) == [(C3, "red")] * 2
    assert pictures.troubles == (("image_unreadable", place),)


def _zip(parts: dict[str, bytes]) -> bytes:
    saved = BytesIO()
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return saved.getvalue()


def test_a_heap_of_groups_is_no_trap() -> None:
    """Groups in groups, and alternatives in alternatives, deeper than any call may nest."""
    deep = "<xdr:grpSp>" * 9000 + pic("rId1") + "</xdr:grpSp>" * 9000
    choices = "<mc:AlternateContent><mc:Choice>" * 9000 + one_cell(2, pic("rId1"))
    choices += "</mc:Choice></mc:AlternateContent>" * 9000
    pictures = read_xlsx(drawn(one_cell(1, deep) + choices, "../media/1.png"))
    assert told(pictures) == [(C2, "red"), (C3, "red")]


def test_a_drawing_or_a_part_that_is_broken_is_told_once() -> None:
    """What is in cells is still found; a member whose bytes are wrong is a damaged picture."""
    data = book(
        cell("C2", formula=f'IMAGE("{ADDRESS}")'),
        end='<drawing r:id="rId1"/><drawing r:id="nowhere"/>',
        sheet={"rId1": (f"{OFFICE}/drawing", "/xl/d.xml")},
        parts={"xl/d.xml": "<wsDr><oneCellAnchor>"},
    )
    pictures = read_xlsx(data)
    assert told(pictures) == [(C2, ADDRESS)]
    assert pictures.troubles == (("image_unreadable", None),)
    good = drawn(one_cell(1, pic("rId1")) * 3 + one_cell(2, pic("rId2")), "../media/1.png", "../media/2.png")
    start = good.index(b"xl/media/1.png") + len("xl/media/1.png")
    wrong = good[: start + 9] + bytes(9) + good[start + 18 :]
    pictures = read_xlsx(wrong)
    assert told(pictures) == [(C3, "green")]
    assert pictures.troubles == (("image_unreadable", C2),)


def test_a_picture_that_is_far_too_large_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, with its cell."""
    monkeypatch.setattr(found, "MAX_BYTES", len(RED) - 1)
    pictures = read_xlsx(drawn(one_cell(1, pic("rId1")), "../media/1.png"))
    assert pictures == SheetPictures((), (("image_too_large", C2),))


def test_every_trouble_has_words() -> None:
    """In both languages."""
    codes = (
        "without_cell",
        "unreadable",
        "too_large",
        "id_dangling",
        "formula_not_literal",
        "in_et_unreadable",
    )
    for code in codes:
        said = issue(f"image_{code}", "商品!C2")
        assert said.severity == "warning"
        assert said.message_zh != said.message_en


# --- .xls ------------------------------------------------------------------------------------------------------------


def one_sheet(data: bytes) -> SheetPictures:
    """The pictures of the only sheet."""
    (pictures,) = pictures_in_xls(data).values()
    return pictures


def test_pictures_of_an_xls() -> None:
    """Two sheets, entries with names and two ids, the row that is covered most, merged cells; charts have their own."""
    entries = (old.png_entry(RED), old.png_entry(GREEN, with_two_ids=True), old.png_entry(BLUE, name=b"n\0"))
    first = old.drawing(
        old.shape(2, old.Anchor(1, offset=240, last_row=2, last_offset=200).art()),
        old.shape(1, old.Anchor(3).art()),
        old.shape(1, old.Anchor(8).art(), is_deleted=True),
        old.shape(0, old.Anchor(8).art()),
    )
    second = old.drawing(old.shape(3, old.Anchor(6).art()))
    sheets = {
        "商品": old.sheet(old.as_one(first), merged=[(3, 4, 1, 2)]),
        "其他": old.sheet(old.as_one(second)),
        "空": old.sheet(),
    }
    pictures = pictures_in_xls(old.xls(sheets, *entries))
    assert {title: told(each) for title, each in pictures.items()} == {
        "商品": [(C3, "green"), ((4, 1), "red")],
        "其他": [((7, 2), "blue")],
        "空": [],
    }
    assert not any(each.troubles for each in pictures.values())


def test_rows_of_an_xls_with_heights_of_their_own() -> None:
    """The offset is a part of the height of the row."""
    rows = old.row_height(1, 10) + old.row_height(2, 300)
    drawn_ = old.drawing(old.shape(1, old.Anchor(1, last_row=2, last_offset=10).art()))
    data = old.xls({"s": old.sheet(old.as_one(drawn_), rows=rows)}, old.png_entry(RED))
    assert told(one_sheet(data)) == [(C3, "red")]


def test_a_long_drawing_that_goes_on_elsewhere() -> None:
    """In CONTINUE records of its own, or after those of objects and of the text of a box."""
    shapes = [old.shape(1 + row % 2, old.Anchor(row).art()) for row in range(200)]
    content = old.drawing(*shapes)
    entries = old.png_entry(RED + bytes(old.LONGEST)), old.png_entry(GREEN)
    for sheet in (old.as_one(content), old.object_by_object(content, 300, 9000)):
        pictures = one_sheet(old.xls({"s": old.sheet(sheet)}, *entries))
        assert [each.place for each in pictures.pictures] == [(row + 1, 2) for row in range(200)]
        assert [each.content == GREEN for each in pictures.pictures] == [False, True] * 100
        assert not pictures.troubles


def test_groups_of_an_xls() -> None:
    """Each picture of a group is on the row where it lies; without coordinates, on that of the group."""
    three_rows = old.Anchor(1, last_row=3, last_offset=256).art()
    inner = old.group(old.child(200, 300), 0, 10, old.shape(3, old.child(0, 9)))
    content = old.drawing(
        old.group(
            three_rows, 0, 300, old.shape(1, old.child(0, 90)), old.shape(2, old.child(110, 190)), inner
        ),
        old.group(old.Anchor(4).art(), 0, 0, old.shape(1, old.child(0, 90))),
        old.shape(2),
    )
    pictures = one_sheet(
        old.xls({"s": old.sheet(old.as_one(content))}, *map(old.png_entry, (RED, GREEN, BLUE)))
    )
    assert told(pictures) == [(C2, "red"), (C3, "green"), (C4, "blue"), (C5, "red"), (None, "green")]
    assert pictures.troubles == (("image_without_cell", None),)


@pytest.mark.parametrize("mode", ["1", "P", "RGB"])
def test_bitmaps_and_metafiles_of_an_xls(mode: str) -> None:
    """A bitmap gets the head that it has in a file; a metafile is unpacked."""
    saved = BytesIO()
    Image.new(mode, (5, 3), 1 if mode != "RGB" else (1, 2, 3)).save(saved, "BMP")
    bitmap = saved.getvalue()
    metafile = struct.pack("<II", 1, 100) + bytes(92)
    entries = (
        old.dib_entry(bitmap[14:]),
        old.emf_entry(metafile),
        old.emf_entry(metafile, packed=b"broken"),
        old.entry(b""),
        old.entry(old.art(0xF0FF, bytes(99))),
    )
    content = old.drawing(*(old.shape(number, old.Anchor(number).art()) for number in (1, 2, 3, 4, 5, 9)))
    pictures = one_sheet(old.xls({"s": old.sheet(old.as_one(content))}, *entries))
    assert [each.content for each in pictures.pictures] == [bitmap, metafile]
    assert pictures.troubles == tuple(("image_unreadable", (row, 2)) for row in (4, 5, 6, 10))


def test_pictures_in_cells_of_an_et() -> None:
    """Nobody knows where WPS keeps them: each cell is told, unless a picture lies on it."""
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet("商品")
    sheet.write(1, 2, '=DISPIMG("ID_1",1)')
    sheet.write(2, 2, "DISPIMG is a function")
    sheet.write(3, 2, xlwt.Formula('"ID_0123"'))
    saved = BytesIO()
    workbook.save(saved)
    pictures = pictures_in_xls(saved.getvalue())
    assert pictures == {
        "商品": SheetPictures((), (("image_in_et_unreadable", C2), ("image_in_et_unreadable", C4)))
    }
    formula = struct.pack("<HH18x", 1, 2) + b"\x17\x06\0ID_012"
    row = old.record(0x0006, formula) + old.record(0x0207, b"DISPIMG")
    content = old.as_one(old.drawing(old.shape(1, old.Anchor(1).art())))
    data = old.xls({"s": old.sheet(content, rows=row)}, old.png_entry(RED))
    assert one_sheet(data) == SheetPictures((SheetPicture(C2, "floating", RED),))


def test_old_files_without_pictures_and_no_files() -> None:
    """There is nothing to find in Excel 95 or in what is no OLE2 file."""
    assert pictures_in_xls(b"") == {}
    assert pictures_in_xls(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)) == {}
    assert pictures_in_xls(old.ole2(b"")) == {}


# --- .ods ------------------------------------------------------------------------------------------------------------


def test_pictures_of_an_ods() -> None:
    """Repeated rows and cells are counted, however many; covered cells are cells; charts are no pictures."""
    shown = frame("Pictures/1.png")
    cells = (
        '<table:table-row table:number-rows-repeated="4"><table:table-cell table:number-columns-repeated="9"/></table:table-row>'
        '<table:table-row><table:table-cell/><table:covered-table-cell table:number-columns-repeated="2"/>'
        f"<table:table-cell>{shown}</table:table-cell></table:table-row>"
        '<table:table-row><table:table-cell table:number-rows-spanned="2" table:number-columns-spanned="2"/></table:table-row>'
        f"<table:table-row><table:covered-table-cell/><table:covered-table-cell>{frame('./Pictures/2.png')}"
        f"</table:covered-table-cell><table:table-cell>{frame('ObjectReplacements/o', inside='<drawing:object/>')}"
        '</table:table-cell></table:table-row><table:table-row table:number-rows-repeated="1048565"/>'
        f"<table:table-row><table:table-cell>{frame('Pictures/3.svg', 'Pictures/3.png')}</table:table-cell></table:table-row>"
    )
    page = f"<table:shapes>{frame('https://img.example.com/4.jpg')}</table:shapes>"
    pictures = pictures_in_ods(
        ods(f'<table:table table:name="商品">{page}{cells}</table:table><table:table table:name="空"/>')
    )
    assert told(pictures["商品"]) == [
        (None, "https://img.example.com/4.jpg"),
        ((5, 3), "red"),
        ((6, 0), "green"),
        ((1048573, 0), "blue"),
    ]
    assert pictures["商品"].troubles == (("image_without_cell", None),)
    assert pictures["空"] == SheetPictures(())


def test_rows_that_a_frame_of_an_ods_covers() -> None:
    """A frame that begins at the lower end of a row is on the next; in a group its offset is of no known origin."""
    low = 'svg:y="2.4cm" svg:height="1in"'
    rows = ods_rows(
        ["", frame("Pictures/1.png", attributes=low)],
        [],
        [frame("Pictures/2.png", attributes='svg:y="0.1in" svg:height="20mm"')],
        [f"<drawing:g>{frame('Pictures/3.png', attributes=low)}</drawing:g>"],
    )
    pictures = pictures_in_ods(ods(f'<table:table table:name="s">{rows}</table:table>'))["s"]
    assert told(pictures) == [((2, 1), "red"), ((3, 0), "green"), ((4, 0), "blue")]


def test_links_and_lost_pictures_of_an_ods() -> None:
    """Hyperlinks as text and as formula; a DISPIMG that only WPS could show; a picture within the content."""
    link = f'<table:table-cell table:formula="of:=HYPERLINK(&quot;{ADDRESS.replace("&", "&amp;")}&quot;;&quot;x&quot;)"/>'
    rows = f"<table:table-row>{link}</table:table-row>" + ods_rows(
        ['<text:p><text:a xlink:href="https://a.example/b.jpg">x</text:a></text:p>'],
        ["<text:p>=DISPIMG(&quot;ID_1&quot;,1)</text:p>"],
        [frame(inside="<drawing:image><office:binary-data>aGk=</office:binary-data></drawing:image>")],
        [frame("Pictures/9.png"), frame("Pictures/%31.png")],
    )
    pictures = pictures_in_ods(ods(f'<table:table table:name="s">{rows}</table:table>'))["s"]
    assert [(each.place, each.content or each.address) for each in pictures.pictures] == [
        ((4, 0), b"hi"),
        ((5, 1), RED),
        ((1, 0), ADDRESS),
        ((2, 0), "https://a.example/b.jpg"),
    ]
    assert pictures.troubles == (("image_unreadable", (5, 0)), ("image_id_dangling", (3, 0)))


def test_a_damaged_ods_gives_what_comes_before() -> None:
    """The sheet where it breaks off says so."""
    rows = ods_rows([frame("Pictures/1.png")])
    broken = f'<table:table table:name="s">{rows}</table:tablet>'
    pictures = pictures_in_ods(ods(broken))["s"]
    assert told(pictures) == [((1, 0), "red")]
    assert pictures.troubles == (("image_unreadable", None),)
    assert pictures_in_ods(b"PK") == {}
    assert pictures_in_ods(ods("")) == {}


# --- anything may be damaged -----------------------------------------------------------------------------------------


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The same with some bytes changed, and perhaps an end cut off."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))
    return bytes(changed[: chance.choice((len(changed), chance.randrange(len(changed)) + 1))])


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_raised_whatever_is_damaged(seed: int) -> None:
    """Records and XML with a few wrong bytes, and cut off anywhere, end in pictures and troubles."""
    chance = random.Random(seed)
    content = old.drawing(*(old.shape(1 + row % 2, old.Anchor(row).art()) for row in range(20)))
    stream = old.workbook(
        {"商品": old.sheet(old.object_by_object(content, 300), merged=[(1, 2, 1, 2)])},
        old.png_entry(RED),
        old.emf_entry(BLUE),
    )
    anchors = one_cell(1, group(pic("rId1", y=1, height=2), y=0, height=9)) + one_cell(2, pic("rId2"))
    tables = f'<table:table table:name="s">{ods_rows([frame("Pictures/1.png")])}</table:table>'
    for _ in range(10):
        pictures_in_xls(old.ole2(damaged(stream, chance)))
        pictures_in_xls(damaged(old.ole2(stream), chance))
        parts = {"xl/drawings/drawing1.xml", "xl/drawings/_rels/drawing1.xml.rels"}
        read_xlsx(_with_damage(drawn(anchors, "../media/1.png"), parts, chance))
        read_xlsx(_with_damage(wps(inline("C2", '=DISPIMG("ID_1",1)')), {"xl/cellimages.xml"}, chance))
        pictures_in_ods(_with_damage(ods(tables), {"content.xml"}, chance))
        whole = book(rich_cell("C2", 1) + rich_cell("C3", 4), workbook=RICH_RELATIONS, parts=RICH_PARTS)
        read_xlsx(
            _with_damage(whole, {name for name in RICH_PARTS if name.endswith(("xml", "rels"))}, chance)
        )


def _with_damage(data: bytes, names: set[str], chance: random.Random) -> bytes:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return _zip({name: damaged(part, chance) if name in names else part for name, part in parts.items()})


# --- rows ------------------------------------------------------------------------------------------------------------


def test_where_rows_lie() -> None:
    """Runs of rows may be long, overlap or make no sense; far below, the last row is the last."""
    bands = RowBands([(3, 1 << 20, 10.0), (2, 1, 0.0), (4, 1, 99.0), (2, 1, float("nan"))], 20.0)
    assert [bands.top(row) for row in (1, 2, 3, 4)] == [0.0, 20.0, 20.0, 30.0]
    assert bands.row_at(19.9) == 1
    assert bands.row_at(20.0) == 3
    assert bands.row_at(-5.0) == 1
    assert bands.row_at(float("inf")) == 1 << 20
    assert bands.covered_most(15.0, 45.0) == 3
    assert RowBands([], 0.0).height(7) == 15.0
