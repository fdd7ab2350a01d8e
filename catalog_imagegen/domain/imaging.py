"""What is to be pictured, and the pictures that came of it."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from catalog_imagegen.domain.catalog import Issue
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint, as_json, named

Scope = Literal["sku", "spu"]
Approval = Literal["human", "auto"]
Fit = Literal["cover", "contain", "pad", "width"]
FileFormat = Literal["JPEG", "PNG", "WEBP", "AVIF"]
Confidence = Literal["official", "secondary", "memory"]
Severity = Literal["fail", "warn"]
ProductSource = Literal["auto", "generate", "reference", "cutout", "composite"]
"""Where the product in a role's pictures comes from; ``auto`` takes its photo where one is of use."""
Origin = Literal["generated", "photo", "composite", "scene"]
"""What a render shows: a model's work, the product's photo, that photo in a model's scene, or such a scene by itself."""
Doubt = Literal["", "not_real", "unlike"]
"""Why somebody has to look at a picture although its role asks nobody: it was invented without a photo, or does not
resemble it."""
TextMode = Literal["none", "overlay", "model"]
DEFAULT_FILE_NAME = "{sku}_{order:02}_{role}"
"""Of files of places that no marketplace has a rule for."""
FigureValue = str | bool | int | float | tuple[str | int | float, ...]
JUDGED = frozenset(
    {
        "background",
        "fill",
        "fill_min",
        "formats",
        "max_bytes",
        "max_height",
        "max_long",
        "max_megapixels",
        "max_size",
        "min_long",
        "min_size",
        "min_width",
        "ratio",
        "width_range",
    }
)
"""What figures are about that a file can be measured against; the others are told."""


@lru_cache(maxsize=20_000)
def item_id(text: str) -> str:
    """The identity of an item: a digest of its normalised text, so order and spacing do not matter."""
    normal = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.sha256(normal.encode()).hexdigest()[:16]


class ImageKey(NamedTuple):
    """The identity of one wanted picture: (subject ``sku:…`` or ``spu:…``, role, item id)."""

    subject: str
    role: str
    item: str

    def __str__(self) -> str:
        return f"{self.subject}/{self.role}/{self.item}"

    @classmethod
    def parse(cls, text: str) -> ImageKey:
        """The inverse of ``str``; a subject may itself hold slashes."""
        subject, role, item = text.rsplit("/", 2)
        return cls(subject, role, item)


@dataclass(frozen=True, slots=True)
class Take:
    """A creative retry: part of the render key; its note is the template variable ``note``."""

    number: int = 1
    seed: int | None = None
    note: str = ""


FIRST_TAKE = Take()
SEED_SPACE = 2**53
"""Seeds stay below what JavaScript front ends represent exactly, though ComfyUI takes 64 bits."""


def seed_for(key: ImageKey, take: Take) -> int:
    """The seed of a take: its own, or one derived from what it pictures."""
    if take.seed is not None:
        return take.seed
    text = f'["seed",1,[{as_json(str(key))},{take.number}]]'  # of as_json([…]) in a third of the time
    return int(named(text), 16) % SEED_SPACE


@dataclass(frozen=True, slots=True)
class ImageRole:
    """A kind of picture that is rendered; one table in ``config/roles.toml`` and one template."""

    name: str
    workflow: str
    width: int
    """Pixels, a multiple of 16."""
    height: int
    items: tuple[str, ...] = ()
    """A constant list of items; used when ``items_from`` is not set."""
    items_from: str = ""
    """The list column of the catalog that items come from."""
    items_need: str = ""
    """Take only items whose visible evidence has this entry, in the vocabulary's order."""
    default_items: tuple[str, ...] = ()
    max: int = 1
    scope: Scope = "sku"
    approval: Approval = "human"
    enabled: bool = True
    inputs: Mapping[str, float | str] = field(default_factory=dict)
    """Further input points with fixed values, e.g. ``steps``."""
    product: ProductSource = "auto"
    """Where the product comes from."""
    on_white: bool = False
    """Whether its pictures show the product alone on white, as a photo cleaned of its background does."""
    room: tuple[float, float, float, float] = (0.2, 0.3, 0.8, 0.9)
    """Where a composite's product stands: left, top, right and bottom as shares of the picture."""
    needs: tuple[str, ...] = ()
    """Tags that a server must have to render it."""
    smaller_sizes: tuple[tuple[int, int], ...] = ()
    """Sizes that may be tried, in this order, when every server runs out of memory."""
    text: TextMode = "none"
    """Who sets words on the picture: nobody, the layout, or the model, for which the layout may stand in."""
    layout: str = ""
    stitch: tuple[str, ...] = ()
    """Two roles whose pictures stand side by side in its own; then nothing is rendered for it."""
    labels: tuple[str, ...] = ()
    """Templates of what is written on the two."""

    @property
    def reference(self) -> bool:
        """Whether the graph is given the product's own photo."""
        return self.product == "reference"

    @property
    def is_photographic(self) -> bool:
        """Whether its pictures can be made from the product's photo, if there is one."""
        return self.on_white if self.product == "auto" else self.product != "generate"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a figure was read; *url* is empty where the page has no public address."""

    id: str
    title: str
    kind: str
    age: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a platform itself asks of a file, as far as somebody knows."""

    about: str
    value: FigureValue
    confidence: Confidence
    source: Citation
    note: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether files are measured against it; a background can also be told in words."""
        return self.about in JUDGED and (self.about != "background" or isinstance(self.value, tuple))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a file: ``fail`` breaks a rule that is certain, ``warn`` one that is hearsay."""

    code: str
    severity: Severity
    message_en: str
    message_zh: str


@dataclass(frozen=True, slots=True)
class Placement:
    """A place in a platform's listing and the file it wants."""

    name: str
    roles: tuple[str, ...]
    """Filled from these roles, in this order."""
    width: int
    height: int
    """The box in pixels. ``fit = "width"`` fixes the width and caps the height."""
    fit: Fit = "cover"
    crop: Literal["subject", "centre"] = "subject"
    """What ``fit = "cover"`` keeps: where most is to be seen, or the middle."""
    background: str = "keep"
    """``keep``; ``white``: the product's light background becomes pure white; ``transparent``; ``#RRGGBB``: another colour
    behind the product; ``blur``: the picture is extended by itself, blurred, where ``fit = "pad"`` leaves room."""
    fill: float = 0.0
    """The product's longer side as a share of the frame's; 0 leaves it as it is."""
    shadow: Literal["keep", "remove"] = "keep"
    """Whether a soft shadow stays on a background that is changed."""
    safe_zone: float = 0.0
    """The share of the frame at each edge that the product stays out of."""
    sharpen: int = 0
    """Percent of unsharp masking after resizing."""
    visible_label: Literal["never", "always"] = "never"
    """Whether generated pictures say so where everybody sees it."""
    format: FileFormat = "JPEG"
    quality: int = 92
    max_bytes: int = 3 * 1024 * 1024
    min_width: int = 0
    min_height: int = 0
    count: int = 1
    file_name: str = DEFAULT_FILE_NAME
    """A rule for names without extension: text, and words in braces; of ``{asin|sku}`` the first that has a value."""
    title: str = ""
    """What merchandisers call it."""
    figures: tuple[Figure, ...] = ()
    """What the platform itself says; the fields above are our own choice."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A marketplace: what one listing covers and which files it takes."""

    name: str
    title: str
    listing_per: Scope
    placements: tuple[Placement, ...]
    checked: date | None = None
    """When its figures were looked up."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Word of a file's name → headers of the catalog, the first that has a value; another word is a header itself."""


class Prompt(NamedTuple):
    """The text of one picture."""

    positive: str
    negative: str = ""


NO_PROMPT = Prompt("")


_UNKNOWN = Digest("")


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a product as servers get it: upright, in colours every server reads."""

    digest: Digest
    extension: Literal["jpg", "png", "webp"]
    width: int
    height: int
    original: Digest = _UNKNOWN
    """The bytes of its file, with transparency and metadata; often the same."""

    @property
    def file_name(self) -> str:
        """What it is called on a server: its bytes decide, so the same photo is uploaded once."""
        return f"{self.digest}.{self.extension}"


@dataclass(frozen=True, slots=True)
class FromPhoto:
    """How a picture gets the product of its photo, whose pixels are not changed."""

    how: Literal["cutout", "composite"]
    photo: Digest
    """The file's bytes."""
    scene_key: Fingerprint | None = None
    """Of a composite: names what a server renders, the scene without the product."""
    room: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Where the product stands in it: left, top, right and bottom as shares."""


@dataclass(frozen=True, slots=True)
class Smaller:
    """A picture's graph at a smaller size, for servers that have no memory for the wanted one."""

    width: int
    height: int
    graph: Mapping[str, Any]


class Wanted(NamedTuple):
    """One picture the enabled platforms want, bound and named.

    A large plan has hundreds of thousands of them, and dataclasses take six times as long to make.
    """

    key: ImageKey
    item_text: str
    slot: int
    """Position of the item in its role, from 1: only order, never identity."""
    order: int
    """Position in the whole catalog."""
    sku: str
    """The SKU whose row speaks for the subject."""
    name: str
    take: Take
    width: int
    height: int
    prompt: Prompt
    graph: Mapping[str, Any]
    """The bound API graph; a job adds its own file name prefix at ``prefix_at``."""
    prefix_at: tuple[str, str]
    """(node, input) of the file name prefix."""
    render_key: Fingerprint
    workflow: str
    seed: int
    made_of: Mapping[str, str] = {}
    """Ingredient → short digest, to say later why a picture is made again."""
    platforms: frozenset[str] = frozenset()
    """The enabled platforms that take this picture."""
    approval: Approval = "human"
    pictures: Mapping[str, Digest] = {}
    """File names in the graph → the bytes a server needs under that name."""
    smaller: tuple[Smaller, ...] = ()
    """What may be rendered instead, in this order, when every server runs out of memory."""
    models: tuple[str, ...] = ()
    """The model files the graph loads, sorted: pictures of the same files are best rendered in a row."""
    needs: frozenset[str] = frozenset()
    """Tags that a server must have to render it."""
    remarks: tuple[Issue, ...] = ()
    """What is to be said of the words that it is made from."""
    family: str = ""
    """Products of one family may look alike."""
    from_photo: FromPhoto | None = None
    """How the product's photo gets into it without a model's help."""
    compared: Digest | None = None
    """The photo that a model was given: its picture is compared with it."""
    doubt: Doubt = ""
    """Why somebody has to look at it."""

    @property
    def photos(self) -> Mapping[str, Digest]:
        """All photos that it is made of, by any name."""
        own = (self.from_photo.photo,) if self.from_photo else (self.compared,) if self.compared else ()
        return {**self.pictures, **{photo: photo for photo in own}}


@dataclass(frozen=True, slots=True)
class Blocked:
    """A wanted picture that a human must unblock: its prompt or graph cannot be made."""

    key: ImageKey
    item_text: str
    slot: int
    order: int
    sku: str
    name: str
    reason_en: str
    reason_zh: str
    platforms: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Render:
    """The raw picture a job produced."""

    render_key: Fingerprint
    digest: Digest
    width: int
    height: int
    placeholder: bool = False
    look: str = ""
    """What it looks like, to be compared with others; empty where nobody looked."""
    origin: Origin = "generated"
    has_text: bool | None = None
    """Whether its prompt asked for words in it; None where that was not written down."""
    fidelity: float | None = None
    """How like its product is to that of the photo, 0 to 1; None where they were not compared."""
    doubt: Doubt = ""
    """Why somebody has to look at it."""


@dataclass(frozen=True, slots=True)
class TextFound:
    """A line of text in a picture."""

    text: str
    box: tuple[int, int, int, int]
    """Pixels: left, top, right, bottom."""
    confidence: float
    """0 to 1."""
