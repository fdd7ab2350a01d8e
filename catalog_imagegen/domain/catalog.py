"""Products as the catalog describes them, and what is wrong with its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from operator import attrgetter
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]
PictureKind = Literal["floating", "dispimg", "place_in_cell", "image_function", "url", "path"]

TEXT_FIELDS = (
    "sku",
    "spu",
    "name",
    "brand",
    "category",
    "color",
    "material",
    "shape",
    "size",
    "spec",
    "price",
    "list_price",
    "currency",
    "promo_text",
    "promo_start",
    "promo_end",
    "date",
)
LIST_FIELDS = (
    "features",
    "usage_scenarios",
    "detail_features",
    "advantages",
    "accessories",
    "images",
)
FIELD_WORDS: Mapping[str, str] = {
    "sku": "货号", "spu": "款号", "name": "商品名称", "brand": "品牌", "category": "类目", "color": "颜色", "material": "材质",
    "shape": "形状", "size": "尺寸", "spec": "规格", "price": "售价", "list_price": "原价", "currency": "币种",
    "features": "卖点", "usage_scenarios": "使用场景", "detail_features": "细节", "advantages": "优势",
    "accessories": "配件", "promo_text": "促销文案", "promo_start": "促销开始", "promo_end": "促销结束",
    "images": "图片", "date": "上架日期",
}  # fmt: skip
"""What merchandisers call the fields."""
APPEARANCE_FIELDS = ("color", "material", "shape")
"""Without these every role invents another product."""


@dataclass(frozen=True, slots=True)
class Product:
    """One catalog row. Prices are decimal text as written; empty text or tuple means "not given"."""

    sku: str
    name: str
    spu: str = ""
    brand: str = ""
    category: str = ""
    color: str = ""
    material: str = ""
    shape: str = ""
    size: str = ""
    spec: str = ""
    price: str = ""
    list_price: str = ""
    currency: str = ""
    features: tuple[str, ...] = ()
    usage_scenarios: tuple[str, ...] = ()
    detail_features: tuple[str, ...] = ()
    advantages: tuple[str, ...] = ()
    accessories: tuple[str, ...] = ()
    promo_text: str = ""
    promo_start: str = ""
    promo_end: str = ""
    images: tuple[str, ...] = ()
    date: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Every other column under its own header."""
    where: str = field(default="", compare=False)
    """The row it came from, e.g. ``Sheet1!5``."""
    cells: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Field (or header of an extra column) → the cell its value came from, e.g. ``Sheet1!C5``."""
    known_digest: str = field(default="", init=False, compare=False, repr=False)
    """Its digest, where whoever read it had all columns at hand; a copy has none."""

    @property
    def family(self) -> str:
        """The SPU it is a variant of; a product without one, such as a parent row, is its own."""
        return self.spu or self.sku

    def standing_at(self, where: str) -> Product:
        """The same row, told to be elsewhere."""
        made = replace(self, where=where)
        object.__setattr__(made, "known_digest", self.known_digest)
        return made

    @property
    def digest(self) -> str:
        """Names all that the row says, so that another reading of it can be compared: 32 hex digits."""
        return self.known_digest or row_digest(
            (*_texts_of(self), *map(one_text, _lists_of(self)), *self.extra, *self.extra.values())
        )


def row_digest(parts: Iterable[str]) -> str:
    """Names a row by its `TEXT_FIELDS`, its `LIST_FIELDS` each as `one_text`, and its other columns: headers, then values."""
    return blake2b("\x1f".join(parts).encode(errors="surrogatepass"), digest_size=16).hexdigest()


one_text: Callable[[Iterable[str]], str] = "\x1e".join
"""A list as a row is named by it."""


def differences(old: Product, new: Product) -> set[str]:
    """The fields, and headers of other columns, in which two rows differ."""
    names = {name for name in (*TEXT_FIELDS, *LIST_FIELDS) if getattr(old, name) != getattr(new, name)}
    extras = {*old.extra, *new.extra}
    return names | {name for name in extras if old.extra.get(name) != new.extra.get(name)}


_texts_of = attrgetter(*TEXT_FIELDS)
_lists_of = attrgetter(*LIST_FIELDS)


class Standing(NamedTuple):
    """What is recorded of a row, as far as a sync has to know it."""

    source: str
    digest: str
    position: int
    family: str
    is_retired: bool = False


Settled = tuple[str, str, int, str]
"""SKU, digest, position and family of a row about which nothing is left to do; bare, because most rows are such."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Something to tell the merchandiser about one cell, row or file; each message ends with the remedy."""

    where: str
    code: str
    severity: Severity
    message_zh: str
    message_en: str
    sku: str = ""


@dataclass(frozen=True, slots=True)
class CatalogPicture:
    """A picture found in or named by a catalog row."""

    where: str
    kind: PictureKind
    sha1: str = ""
    reference: str = ""
    """The path or URL that a product has for it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one catalog says: the good rows, and every issue; nothing is dropped silently."""

    products: tuple[Product, ...]
    issues: tuple[Issue, ...] = ()
    pictures: Iterable[CatalogPicture] = ()
    """Those found in its cells and those that its rows name."""
    header_rows: Mapping[str, int] = field(default_factory=dict)
    """Sheet → the row of its header, where rows have numbers."""
