"""Pictures in .xlsx workbooks that are kept in the same ways as in the shared ones, with other turns."""

from __future__ import annotations

from io import BytesIO

import xlsxwriter

from tests.hostile.catalog import HostileCatalog, Shown, row
from tests.hostile.cell_pictures import (
    BLUE,
    DRAWING,
    GREEN,
    HEADER,
    IDS,
    PRODUCTS,
    PURPLE,
    RED,
    YELLOW,
    address,
    catalog_rows,
    cell_image_parts,
    dispimg,
    with_drawing,
)
from tests.hostile.drawings import (
    CELL_IMAGE,
    Pinned,
    RichValues,
    alternative,
    drawing,
    images,
    one_cell,
    picture,
    rich_relations,
    rich_value_rel,
    two_cells,
    web_images,
)
from tests.hostile.opc import (
    Book,
    Relation,
    Rows,
    Xml,
    formula,
    merged,
    parts,
    relations,
    sheet,
    workbook,
    zipped,
)
from tests.hostile.pictures import sha1
from tests.hostile.workbooks import CREATED

_LOCAL = ("_localImage", ("_rvRel:LocalImageIdentifier", "CalcOrigin", "Text"))
_TURNED = ("_localImage", ("Text", "CalcOrigin", "_rvRel:LocalImageIdentifier"))
_WEB = ("_webimage", ("CalcOrigin", "WebImageIdentifier", "ComputedImage"))
_ERROR = ("_error", ("errorType",))


def _rich(number: int) -> Xml:
    return Xml(f't="e" vm="{number}"', "<v>#VALUE!</v>")


def permuted_places() -> bytes:
    """c2: no index on the way from a cell to its picture is the one before; a rich value that is an error; two types."""
    rich = RichValues(
        kinds=("XLDAPR", "XLRICHVALUE"),
        structures=(_ERROR, _TURNED, _LOCAL),
        values=((0, ("8",)), (1, ("说明", "5", "2")), (2, ("0", "5", "")), (1, ("", "5", "1"))),
        hops=(3, 0, 1, 2),
        cells=(2, 0, 3, 1),
    )
    media = {"xl/media/image1.png": GREEN, "xl/media/image2.png": BLUE, "xl/media/image3.png": RED}
    listed = images("../media/image2.png", "/xl/media/image3.png", "../media/image1.png")
    rows = catalog_rows(_rich(1), _rich(2), _rich(3)) | {5: ("00126", "帽子", None, _rich(4))}
    book = Book(
        {"商品": sheet(rows)},
        parts={
            **rich.parts(),
            "xl/richData/richValueRel.xml": rich_value_rel("rId3", "rId1", "rId2"),
            "xl/richData/_rels/richValueRel.xml.rels": relations(*listed),
            **media,
        },
        relations=rich_relations()[:4],
    )
    return workbook(book)


def kept_web_image() -> bytes:
    """d2: =IMAGE() calculated by Excel: the first picture's bytes are kept, of the second only the address is."""
    rich = RichValues(
        structures=(_WEB,), values=((0, ("1", "0", "1")), (0, ("1", "1", "1"))), hops=(0, 1), cells=(0, 1)
    )
    cells = [
        Xml(
            f't="e" vm="{number}"',
            f'<f>_xlfn.IMAGE("{address(sku).replace("&", "&amp;")}")</f><v>#VALUE!</v>',
        )
        for number, sku in ((1, "00123"), (2, "00124"))
    ]
    listed = (
        Relation("rId1", "hyperlink", address("00123"), is_external=True),
        Relation("rId2", "image", "../media/image1.png"),
        Relation("rId3", "hyperlink", address("00124"), is_external=True),
    )
    book = Book(
        {"商品": sheet(catalog_rows(*cells))},
        parts={
            **rich.parts(),
            "xl/richData/rdRichValueWebImage.xml": web_images(("rId1", "rId2"), ("rId3", "")),
            "xl/richData/_rels/rdRichValueWebImage.xml.rels": relations(*listed),
            "xl/media/image1.png": RED,
        },
        relations=[each for each in rich_relations() if each.key != "rId63"],
    )
    return workbook(book)


def dispimg_without_pictures() -> bytes:
    """b3: another program has saved the workbook again and dropped the pictures of its cells."""
    return workbook(Book({"商品": sheet(catalog_rows(*map(dispimg, IDS)))}))


def other_spellings_of_dispimg() -> bytes:
    """The part is named from the root and in another case; the formula has no prefix, small letters, or blanks."""
    first, second, third = IDS
    cells = (
        formula(f'DISPIMG("{first}",1)', f'=DISPIMG("{first}",1)', kind="str"),
        formula(f'_xlfn.dispimg( "{second}" , 1 )', f'=dispimg("{second}",1)', kind="str"),
        Xml('t="str"', f"<v>=_xlfn.DISPIMG(&quot;{third}&quot;,1)</v>"),
    )
    every = cell_image_parts()
    renamed = {name.replace("cellimages", "cellImages"): data for name, data in every.items()}
    book = Book(
        {"商品": sheet(catalog_rows(*cells))},
        parts=renamed,
        relations=[Relation("rId5", CELL_IMAGE, "/xl/CellImages.xml")],
    )
    return workbook(book)


def leading_stroke() -> bytes:
    """XlsxWriter, working in memory, names one of its parts from the root of the zip."""
    saved = BytesIO()
    with xlsxwriter.Workbook(saved, {"in_memory": True}) as book:
        book.set_properties({"created": CREATED})
        page = book.add_worksheet("商品")
        for number, cells in catalog_rows().items():
            page.write_row(number - 1, 0, cells)
        page.embed_image(1, 2, "1.png", {"image_data": BytesIO(RED)})
        page.embed_image(2, 2, "2.png", {"image_data": BytesIO(RED)})
    return saved.getvalue()


def logo_and_overlaps() -> bytes:
    """A logo above the header, a picture that covers two merged rows, one shown twice, one for each kind of program."""
    rows: Rows = {
        1: ["XX公司"],
        2: HEADER,
        3: ("00123", "纯棉T恤", None, "红"),
        4: ("00124", "牛仔裤", None, "绿"),
        5: ("00125", "连衣裙", None, "蓝"),
    }
    heights = dict.fromkeys(range(1, 6), 'ht="60" customHeight="1"')
    page = sheet(rows, attributes=heights, after=merged("C3:C4") + DRAWING)
    anchors = drawing(
        one_cell(Pinned(0, column=0), picture(1, "rId1")),
        two_cells(Pinned(2), Pinned(3, row_offset=500000), picture(2, "rId2")),
        two_cells(Pinned(3, row_offset=700000), Pinned(4, row_offset=600000), picture(3, "rId3")),
        alternative(
            one_cell(Pinned(4), picture(4, "rId4"), extent='cx="90000" cy="70000"'),
            one_cell(Pinned(4), picture(4, "rId1"), extent='cx="90000" cy="70000"'),
        ),
    )
    targets = images(*(f"../media/image{number}.png" for number in (1, 2, 3, 2)))
    media = {"image1.png": PURPLE, "image2.png": RED, "image3.png": YELLOW}
    return with_drawing(page, anchors, targets, media)


def two_drawn_sheets() -> bytes:
    """Each sheet has a drawing, and their numbers are crossed."""
    pages = {
        name: sheet({1: HEADER, 2: (sku, "杯", None, "白")}, after=DRAWING)
        for name, sku in (("甲", "A1"), ("乙", "B1"))
    }
    every = parts(
        Book(
            pages,
            sheet_relations={
                "甲": [Relation("rId1", "drawing", "../drawings/drawing2.xml")],
                "乙": [Relation("rId1", "drawing", "/xl/drawings/drawing1.xml")],
            },
        )
    )
    shown = drawing(one_cell(Pinned(1), picture(1, "rId1"), extent='cx="90000" cy="70000"'))
    for number, data in ((1, RED), (2, GREEN)):
        every[f"xl/drawings/drawing{number}.xml"] = shown
        target = f"..\\media\\Image{number}.PNG"
        every[f"xl/drawings/_rels/drawing{number}.xml.rels"] = relations(*images(target))
        every[f"xl/media/image{number}.png"] = data
    return zipped(every)


def _products(first: int = 2) -> list[dict[str, str]]:
    return [
        dict(row(f"商品!{number}", sku, name, color=color))
        for number, (sku, name, color) in enumerate(PRODUCTS, first)
    ]


def _shown(kind: str, *pictures: tuple[str, bytes]) -> list[Shown]:
    return [Shown(f"商品!{place}", kind, sha1(data)) for place, data in pictures]


VARIATIONS = (
    HostileCatalog(
        "c2_permuted_places.xlsx",
        permuted_places,
        "every hop from vm to the picture must be followed; a rich value may be a real error",
        rows=_products(),
        issues=[("商品!D5", "error_cell")],
        pictures=_shown("place_in_cell", ("C2", RED), ("C3", BLUE), ("C4", GREEN)),
    ),
    HostileCatalog(
        "d2_kept_web_image.xlsx",
        kept_web_image,
        "bytes that were kept are better than an address",
        rows=[
            {**_products()[0]},
            {**_products()[1], "images": (address("00124"),)},
            {**_products()[2]},
        ],
        pictures=[
            *_shown("image_function", ("C2", RED)),
            Shown("商品!C3", "image_function", address("00124")),
        ],
    ),
    HostileCatalog(
        "b3_dispimg_without_pictures.xlsx",
        dispimg_without_pictures,
        "what is gone is said to be gone",
        rows=_products(),
        issues=[(f"商品!C{number}", "image_id_dangling") for number in (2, 3, 4)],
    ),
    HostileCatalog(
        "dispimg_spellings.xlsx",
        other_spellings_of_dispimg,
        "case, blanks and prefixes say nothing",
        rows=_products(),
        pictures=_shown("dispimg", ("C2", RED), ("C3", GREEN), ("C4", BLUE)),
    ),
    HostileCatalog(
        "leading_stroke.xlsx",
        leading_stroke,
        "a part whose name in the zip begins with a stroke; one picture in two cells",
        rows=_products(),
        pictures=_shown("place_in_cell", ("C2", RED), ("C3", RED)),
    ),
    HostileCatalog(
        "logo_and_overlaps.xlsx",
        logo_and_overlaps,
        "a logo is no product's picture, merged cells are one place, and of two alternatives one counts",
        rows=_products(3),
        issues=[("商品!A1", "picture_outside_table")],
        pictures=_shown("floating", ("C3", RED), ("C5", YELLOW), ("C5", RED)),
    ),
    HostileCatalog(
        "two_drawn_sheets.xlsx",
        two_drawn_sheets,
        "a drawing belongs to the sheet that says so",
        rows=(row("甲!2", "A1", "杯", color="白"), row("乙!2", "B1", "杯", color="白")),
        pictures=(Shown("甲!C2", "floating", sha1(GREEN)), Shown("乙!C2", "floating", sha1(RED))),
    ),
)
