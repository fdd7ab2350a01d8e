"""The shared files with pictures, made again: the digest of each picture is that of the one that was put there."""

from __future__ import annotations

from tests.hostile import binaries, cell_pictures
from tests.hostile.catalog import HostileCatalog, Shown, row
from tests.hostile.cell_pictures import BLUE, GREEN, PHOTO, PRODUCTS, PURPLE, RED, YELLOW, address
from tests.hostile.pictures import sha1


def _shown(kind: str, *pictures: bytes) -> list[Shown]:
    """One picture per product, in column C."""
    return [Shown(f"商品!C{number}", kind, sha1(data)) for number, data in enumerate(pictures, 2)]


_PRODUCTS = [
    row(f"商品!{number}", sku, name, color=color) for number, (sku, name, color) in enumerate(PRODUCTS, 2)
]
_FLOATING_TWOCELL = (
    Shown("商品!C3", "floating", sha1(RED)),
    Shown("商品!C4", "floating", sha1(BLUE)),
    Shown("商品!C4", "floating", sha1(YELLOW)),
    Shown("商品!C6", "floating", sha1(PURPLE)),
)
_LEFT_OVER = [(f"商品!B{number}", "missing_name") for number in (6, 7, 8)]

PICTURES = (
    HostileCatalog(
        "a1_floating_openpyxl.xlsx",
        cell_pictures.floating_openpyxl,
        "floating pictures, with targets from the root and no prefixes",
        rows=_PRODUCTS,
        pictures=_shown("floating", RED, GREEN, BLUE),
    ),
    *(
        HostileCatalog(
            name,
            cell_pictures.floating_twocell,
            "a picture belongs to the row that it covers most, or to the merged cells it lies in",
            rows=_PRODUCTS,
            issues=_LEFT_OVER,
            pictures=_FLOATING_TWOCELL,
        )
        for name in ("a2_floating_twocell.xlsx", "36_a2_floating_twocell.xlsx")
    ),
    HostileCatalog(
        "a3_floating_odd_anchors.xlsx",
        cell_pictures.floating_odd_anchors,
        "pictures in a group, in an alternative, by a link, and on no cell at all",
        rows=({**_PRODUCTS[0], "images": ("https://img.example.com/p/00123.jpg",)}, *_PRODUCTS[1:]),
        issues=[("商品", "image_without_cell")],
        pictures=(
            Shown("商品!C2", "floating", sha1(RED)),
            Shown("商品!E2", "floating", "https://img.example.com/p/00123.jpg"),
            Shown("商品!C3", "floating", sha1(GREEN)),
            Shown("商品!C3", "floating", sha1(PHOTO)),
            Shown("商品!C4", "floating", sha1(BLUE)),
        ),
    ),
    *(
        HostileCatalog(
            name,
            cell_pictures.wps_dispimg,
            "WPS keeps pictures of cells in a part of its own",
            rows=_PRODUCTS,
            pictures=_shown("dispimg", RED, GREEN, BLUE),
        )
        for name in ("b1_wps_dispimg.xlsx", "36_b1_wps_dispimg.xlsx")
    ),
    HostileCatalog(
        "b2_wps_dispimg_resaved_by_excel.xlsx",
        cell_pictures.wps_dispimg_resaved_by_excel,
        "the value is an error and only the formula knows the picture, or the formula has become a text",
        rows=[
            *(row(f"商品!{number}", *product[:2]) for number, product in enumerate(PRODUCTS, 2)),
            row("商品!5", "00126", "帽子"),
        ],
        issues=[("商品!C4", "image_id_dangling")],
        pictures=(*_shown("dispimg", RED, RED), Shown("商品!C5", "dispimg", sha1(BLUE))),
    ),
    HostileCatalog(
        "c1_place_in_cell_xlsxwriter.xlsx",
        cell_pictures.place_in_cell,
        "#VALUE! with a rich value is a picture and no error",
        rows=_PRODUCTS,
        pictures=_shown("place_in_cell", RED, GREEN, BLUE),
    ),
    HostileCatalog(
        "d1_image_function.xlsx",
        cell_pictures.image_function,
        "the cell's value is 0, and what it shows is behind an address",
        rows=[{**fields, "images": (address(fields["sku"]),)} for fields in _PRODUCTS],
        pictures=[
            Shown(f"商品!{column}{number}", kind, address(sku))
            for number, (sku, *_) in enumerate(PRODUCTS, 2)
            for column, kind in (("C", "image_function"), ("E", "url"))
        ],
    ),
    HostileCatalog(
        "e1_url_path_columns.xlsx",
        cell_pictures.url_path_columns,
        "pictures by address, file name, drive, share and link",
        rows=(
            row(
                "商品!2",
                "00123",
                "纯棉T恤",
                images=(
                    "https://img.example.com/a.jpg",
                    "https://img.example.com/b.jpg",
                    "00123.jpg",
                    "D:\\商品图\\2024\\00123 主图.JPG",
                    "https://img.example.com/p/00123.png",
                ),
            ),
            row(
                "商品!3",
                "00124",
                "牛仔裤",
                images=(
                    "//img.example.com/c.webp",
                    "https://img.example.com/d.png",
                    "00124-1.jpg",
                    "00124-2.jpg",
                    "\\\\NAS\\pics\\00124.png",
                    "https://img.example.com/p/00124.jpg",
                ),
            ),
        ),
        pictures=[
            Shown(f"商品!{place}", kind, reference)
            for place, kind, reference in (
                ("C2", "url", "https://img.example.com/a.jpg"),
                ("C2", "url", "https://img.example.com/b.jpg"),
                ("D2", "path", "00123.jpg"),
                ("E2", "path", "D:\\商品图\\2024\\00123 主图.JPG"),
                ("F2", "url", "https://img.example.com/p/00123.png"),
                ("C3", "url", "//img.example.com/c.webp"),
                ("C3", "url", "https://img.example.com/d.png"),
                ("D3", "path", "00124-1.jpg"),
                ("D3", "path", "00124-2.jpg"),
                ("E3", "path", "\\\\NAS\\pics\\00124.png"),
                ("F3", "url", "https://img.example.com/p/00124.jpg"),
            )
        ],
    ),
    HostileCatalog(
        "g1_xls_biff8_images_by_libreoffice.xls",
        binaries.drawn_biff8,
        "the same pictures in records of 1997",
        rows=_PRODUCTS,
        pictures=_shown("floating", RED, GREEN, BLUE),
    ),
)
