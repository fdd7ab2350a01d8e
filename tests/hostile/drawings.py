"""Writes the drawings and the cell pictures of .xlsx workbooks by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.hostile.opc import DECLARATION, OFFICE, Relation

A = "http://schemas.openxmlformats.org/drawingml/2006/main"
XDR = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
WPS = "http://www.wps.cn/officeDocument/2017/etCustomData"
CELL_IMAGE = "http://www.wps.cn/officeDocument/2020/cellImage"
_EXTENT = 'cx="900000" cy="700000"'


@dataclass(frozen=True, slots=True)
class Pinned:
    """Where a drawing is pinned: cell and offset in EMU, all from 0."""

    row: int
    column: int = 2
    row_offset: int = 0

    def xml(self, name: str = "from") -> str:
        """One corner of an anchor."""
        return (
            f"<xdr:{name}><xdr:col>{self.column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>{self.row}</xdr:row>"
            f"<xdr:rowOff>{self.row_offset}</xdr:rowOff></xdr:{name}>"
        )


def picture(number: int, key: str, *, name: str = "", by: str = "embed") -> str:
    """A picture; *by* ``link`` its bytes are elsewhere."""
    return (
        f'<xdr:pic><xdr:nvPicPr><xdr:cNvPr id="{number}" name="{name or f"图片 {number}"}" descr="d{number}"/>'
        f'<xdr:cNvPicPr><a:picLocks noChangeAspect="1"/></xdr:cNvPicPr></xdr:nvPicPr><xdr:blipFill><a:blip r:{by}="{key}"/>'
        '<a:stretch><a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:xfrm><a:off x="0" y="0"/>'
        f'<a:ext {_EXTENT}/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr></xdr:pic>'
    )


def one_cell(at: Pinned, inside: str, *, extent: str = _EXTENT) -> str:
    """Pinned by its upper corner, with a size."""
    return f"<xdr:oneCellAnchor>{at.xml()}<xdr:ext {extent}/>{inside}<xdr:clientData/></xdr:oneCellAnchor>"


def two_cells(at: Pinned, to: Pinned, inside: str) -> str:
    """Pinned by two corners."""
    return f"<xdr:twoCellAnchor>{at.xml()}{to.xml('to')}{inside}<xdr:clientData/></xdr:twoCellAnchor>"


def nowhere(inside: str) -> str:
    """Pinned to the page."""
    return (
        f'<xdr:absoluteAnchor><xdr:pos x="100" y="100"/><xdr:ext {_EXTENT}/>{inside}<xdr:clientData/>'
        "</xdr:absoluteAnchor>"
    )


def grouped(*inside: str) -> str:
    """Several drawings that move together."""
    return (
        '<xdr:grpSp><xdr:nvGrpSpPr><xdr:cNvPr id="20" name="组合"/><xdr:cNvGrpSpPr/></xdr:nvGrpSpPr><xdr:grpSpPr/>'
        f"{''.join(inside)}</xdr:grpSp>"
    )


def alternative(choice: str, fallback: str = "") -> str:
    """A drawing for newer programs, and one for others."""
    return (
        '<mc:AlternateContent><mc:Choice Requires="a14" xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main">'
        f"{choice}</mc:Choice><mc:Fallback>{fallback}</mc:Fallback></mc:AlternateContent>"
    )


def drawing(*anchors: str) -> str:
    """The part with the drawings of one sheet."""
    return (
        f'{DECLARATION}<xdr:wsDr xmlns:xdr="{XDR}" xmlns:a="{A}" xmlns:r="{OFFICE}" xmlns:mc="{MC}">'
        f"{''.join(anchors)}</xdr:wsDr>"
    )


def cell_images(keys: Mapping[str, str]) -> str:
    """The part in which WPS keeps the pictures of all cells: their names → their relations."""
    every = "".join(
        f"<etc:cellImage>{picture(number, key, name=name)}</etc:cellImage>"
        for number, (name, key) in enumerate(keys.items(), 2)
    )
    return (
        f'{DECLARATION}<etc:cellImages xmlns:xdr="{XDR}" xmlns:a="{A}" xmlns:r="{OFFICE}" xmlns:etc="{WPS}">{every}'
        "</etc:cellImages>"
    )


def images(*targets: str) -> list[Relation]:
    """Relations rId1, rId2 … to pictures; a target with ``//`` is somewhere else."""
    return [
        Relation(f"rId{number}", "image", target, is_external="//" in target)
        for number, target in enumerate(targets, 1)
    ]


# --- rich values: pictures that Excel 365 places in cells ----------------------------------------------------------

RICH = "http://schemas.microsoft.com/office/spreadsheetml/2017/richdata"
_TYPES = "http://schemas.microsoft.com/office/2017/06/relationships"


@dataclass(frozen=True, slots=True)
class RichValues:
    """What ``vm`` leads to, by way of four parts."""

    values: Sequence[tuple[int, Sequence[str]]]
    """Each rich value: which structure it has, and its values in that structure's order."""
    structures: Sequence[tuple[str, Sequence[str]]]
    """Kind of value, and the names of its keys."""
    hops: Sequence[int]
    """futureMetadata: which rich value each block is."""
    cells: Sequence[int]
    """valueMetadata: which block of futureMetadata each ``vm`` (from 1) means."""
    kinds: Sequence[str] = ("XLRICHVALUE",)
    """metadataTypes; rich values are of the last one."""

    def parts(self) -> dict[str, str | bytes]:
        """The parts of this, without the pictures."""
        return {
            "xl/metadata.xml": self._metadata(),
            "xl/richData/rdrichvalue.xml": self._values(),
            "xl/richData/rdrichvaluestructure.xml": self._structures(),
        }

    def _metadata(self) -> str:
        kinds = "".join(f'<metadataType name="{kind}" minSupportedVersion="120000"/>' for kind in self.kinds)
        blocks = "".join(
            f'<bk><extLst><ext uri="{{3e2802c4-a4d2-4d8b-9148-e3be6c30e623}}"><xlrd:rvb i="{value}"/></ext></extLst></bk>'
            for value in self.hops
        )
        meant = "".join(f'<bk><rc t="{len(self.kinds)}" v="{block}"/></bk>' for block in self.cells)
        return (
            f'{DECLARATION}<metadata xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:xlrd="{RICH}">'
            f'<metadataTypes count="{len(self.kinds)}">{kinds}</metadataTypes>'
            f'<futureMetadata name="{self.kinds[-1]}" count="{len(self.hops)}">{blocks}</futureMetadata>'
            f'<valueMetadata count="{len(self.cells)}">{meant}</valueMetadata></metadata>'
        )

    def _values(self) -> str:
        every = "".join(
            f'<rv s="{kind}">{"".join(f"<v>{value}</v>" for value in values)}</rv>'
            for kind, values in self.values
        )
        return f'{DECLARATION}<rvData xmlns="{RICH}" count="{len(self.values)}">{every}</rvData>'

    def _structures(self) -> str:
        every = "".join(
            f'<s t="{kind}">{"".join(f"""<k n="{key}" t="i"/>""" for key in keys)}</s>'
            for kind, keys in self.structures
        )
        return (
            f'{DECLARATION}<rvStructures xmlns="{RICH}" count="{len(self.structures)}">{every}</rvStructures>'
        )


def rich_relations() -> list[Relation]:
    """What the workbook says of these parts."""
    return [
        Relation("rId60", "sheetMetadata", "metadata.xml"),
        Relation("rId61", f"{_TYPES}/rdRichValue", "richData/rdrichvalue.xml"),
        Relation("rId62", f"{_TYPES}/rdRichValueStructure", "richData/rdrichvaluestructure.xml"),
        Relation(
            "rId63",
            "http://schemas.microsoft.com/office/2022/10/relationships/richValueRel",
            "richData/richValueRel.xml",
        ),
        Relation(
            "rId64",
            "http://schemas.microsoft.com/office/2020/07/relationships/rdRichValueWebImage",
            "richData/rdRichValueWebImage.xml",
        ),
    ]


def rich_value_rel(*keys: str) -> str:
    """The list of local pictures, in which rich values count from 0."""
    listed = "".join(f'<rel r:id="{key}"/>' for key in keys)
    return (
        f'{DECLARATION}<richValueRels xmlns="http://schemas.microsoft.com/office/spreadsheetml/2022/richvaluerel" '
        f'xmlns:r="{OFFICE}">{listed}</richValueRels>'
    )


def web_images(*pairs: tuple[str, str]) -> str:
    """The list of fetched pictures: the relations of each one's address and of its bytes, if they were kept."""
    listed = "".join(
        f'<webImageSrd><address r:id="{address}"/>{kept and f"""<blip r:id="{kept}"/>"""}</webImageSrd>'
        for address, kept in pairs
    )
    return (
        f'{DECLARATION}<webImagesSrd xmlns="http://schemas.microsoft.com/office/spreadsheetml/2020/richdatawebimage" '
        f'xmlns:r="{OFFICE}">{listed}</webImagesSrd>'
    )
