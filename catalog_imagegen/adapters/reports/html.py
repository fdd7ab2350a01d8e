"""Writes a report as one page that needs nothing but the files beside it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from importlib import resources
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from catalog_imagegen import __version__
from catalog_imagegen.adapters.reports.heading import Heading
from catalog_imagegen.adapters.reports.thumbnails import SIDES, Thumbnails
from catalog_imagegen.adapters.reports.wording import (
    Wording,
    about,
    command,
    local,
    reason,
    remedy,
    where,
    wording,
)
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint, fingerprint
from catalog_imagegen.language import Language
from catalog_imagegen.pipeline.concerns import concerns
from catalog_imagegen.pipeline.views import Concern, FileView, PictureView, ReportView, SkuView

VERSION = 1
PAGE_BYTES = 24_000_000
"""What a page may weigh: opens at once from a disk, and passes as an attachment of a mail."""
MAX_CARDS = 600
MAX_PREVIEWS = 4_000
"""Above this a browser is busy with styles before it shows anything."""
OPEN_LISTINGS = 2
"""Marketplaces of a SKU that are shown unfolded; they show the same pictures in other shapes."""
_STATE = re.compile(rb'<meta name="catalog-imagegen-state" content="([0-9a-f]{64})">')
_DESIGN = ("report.html.j2", "report.css", "report.js")
_PICTURES = "/* pictures */"
_COVERS = {"cover": "cover", "contain": "contain", "pad": "contain", "width": "cover"}


class HtmlReport:
    """One report as a page.

    Each render is embedded once, as a WebP behind a style class, however many listings show it. The
    words come first: pictures share what they leave of PAGE_BYTES, at the largest of SIDES at which
    all fit. If they do not fit at the smallest, or are more than MAX_PREVIEWS, the first ones of the
    page get a preview, the others a link. Of more than MAX_CARDS products those are shown that need
    somebody, then others; figures and concerns are of all. The page says what it leaves out.
    """

    def __init__(self, report: ReportView, heading: Heading, words: Language) -> None:
        self._whole = report
        self._report = replace(report, skus=_most_urgent(report.skus))
        self._heading = heading
        self._words = words
        self._names = wording(words)

    @cached_property
    def state(self) -> Fingerprint:
        """Names the page but for the time it was made."""
        heading = self._heading
        return fingerprint(
            "page",
            VERSION,
            [self._whole.state, heading.shop, heading.base, self._words.code, __version__, design()],
        )

    def render(self, thumbnails: Thumbnails) -> bytes:
        """The page in UTF-8."""
        wanted = self._report.renders()[:MAX_PREVIEWS]
        page = self._page(wanted)
        pictures = self._fitting(wanted, thumbnails, PAGE_BYTES - len(page.encode()))
        if len(pictures) < len(self._report.renders()):
            page = self._page(pictures)
        head, _, rest = page.partition(_PICTURES)
        return "".join((head, *_styles(pictures), rest)).encode()

    def _fitting(self, wanted: Iterable[Digest], thumbnails: Thumbnails, room: int) -> Mapping[Digest, bytes]:
        """The thumbnails at the largest side at which all fit, or the first ones at the smallest."""
        found: Mapping[Digest, bytes] = {}
        for side in SIDES:
            found = thumbnails.all(wanted, side)
            if sum(map(_weight, found.values())) <= room:
                return found
        room = PAGE_BYTES - len(self._page(()).encode())
        kept = {}
        for name, content in found.items():
            room -= _weight(content)
            if room < 0:
                break
            kept[name] = content
        return kept

    def _page(self, previews: Iterable[Digest]) -> str:
        report, words, names = self._report, self._words, self._names
        previews = {name: f"r{index}" for index, name in enumerate(previews)}
        looks = Looks(report, previews)
        script = _source("report.js")
        simulate = report.has_placeholders
        return _template().render(
            report=report,
            products_total=len(self._whole.skus),
            anchors={sku.anchor for sku in report.skus},
            names=names,
            lang="zh-CN" if words.code == "zh" else "en",
            state=self.state,
            css=Markup(_source("report.css")),  # noqa: S704 - our own
            pictures_here=Markup(_PICTURES),  # noqa: S704 - our own
            script=Markup(script),  # noqa: S704 - our own
            script_hash=_hash(script),
            shapes=looks.shapes,
            shop=self._heading.shop,
            when=local(self._heading.made_at),
            version=__version__,
            pictures_total=sum(report.totals.pictures.values()),
            success=_share(report.totals.good_attempts, report.totals.attempts),
            mean_seconds="–" if report.totals.mean_seconds is None else f"{report.totals.mean_seconds:.1f}",
            platforms={li.platform: li.title for sku in report.skus for li in sku.listings},
            roles=dict.fromkeys(p.status.key.role for sku in report.skus for p in sku.pictures),
            thumbnails=previews,
            left_out=len(report.renders()) - len(previews),
            tr=words.tr,
            pick=words.pick,
            href=quote,
            url=lambda path: quote(self._heading.base + path),
            look=looks.of_file,
            apart=looks.of_picture,
            size=_size,
            about=about,
            local=local,
            counts=lambda sku: _counts(sku, words, names),
            reason=lambda concern: reason(concern, words),
            remedy=lambda concern: remedy(concern, words),
            command=lambda concern: command(concern, simulate=simulate),
            marketplaces=lambda concern: names.comma.join(
                dict.fromkeys(p.listing for p in concern.places if p.listing)
            ),
            where=lambda concern: where(concern, names),
            sku_concerns=_of_one,
            OPEN=OPEN_LISTINGS,
        )


def _most_urgent(skus: Sequence[SkuView]) -> tuple[SkuView, ...]:
    """At most MAX_CARDS products in the order of the catalog, those first that are not ready."""
    if len(skus) <= MAX_CARDS:
        return tuple(skus)
    order = sorted(range(len(skus)), key=lambda index: (skus[index].status == "ready", index))
    return tuple(skus[index] for index in sorted(order[:MAX_CARDS]))


class Looks:
    """The style classes of pictures: which render, in which shape."""

    def __init__(self, report: ReportView, previews: Mapping[Digest, str]) -> None:
        self._previews = previews
        boxes = (_shape(f) for sku in report.skus for listing in sku.listings for f in listing.files)
        renders = (_own_shape(p) for sku in report.skus for p in sku.apart if p.status.render)
        self.shapes = {shape: f"x{index}" for index, shape in enumerate(dict.fromkeys((*boxes, *renders)))}

    def of_file(self, file: FileView) -> str:
        """The classes of one listed file."""
        pad = " pad" if file.fit == "pad" else ""
        mark = " ph" if file.is_placeholder else ""
        return f"{self.shapes[_shape(file)]} {self._previews.get(file.render, '')}{pad}{mark}"

    def of_picture(self, picture: PictureView) -> str:
        """The classes of a picture outside listings."""
        render = picture.status.render
        if render is None:
            return f"empty {picture.status.state}"
        mark = " ph" if render.placeholder else ""
        return f"{self.shapes[_own_shape(picture)]} {self._previews.get(render.digest, '')}{mark}"


def design() -> list[str]:
    """The sources of the page's looks."""
    return [_source(name) for name in _DESIGN]


def state_of(head: bytes) -> str:
    """The state that a page says it shows, or ``""``; it is in the first kilobyte."""
    found = _STATE.search(head)
    return found[1].decode() if found else ""


def _shape(file: FileView) -> tuple[int, int, str]:
    return (*file.box, _COVERS[file.fit])


def _own_shape(picture: PictureView) -> tuple[int, int, str]:
    render = picture.status.render
    return (render.width, render.height, "cover") if render else (1, 1, "cover")


def _size(file: FileView) -> str:
    width, height = file.size if all(file.size) else file.box
    return f"{width}×{height}"


def _counts(sku: SkuView, words: Language, names: Wording) -> str:
    counts = Counter(picture.status.state for picture in sku.pictures)
    return names.comma.join(
        words.tr("{count} {name}", count=counts[state], name=name)
        for state, name in names.states.items()
        if counts[state]
    )


def _of_one(sku: SkuView) -> tuple[Concern, ...]:
    return concerns([sku])


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "–"


def _weight(content: bytes) -> int:
    """What a thumbnail adds to the page."""
    return len(content) * 4 // 3 + 64


def _styles(pictures: Mapping[Digest, bytes]) -> Iterator[str]:
    for index, content in enumerate(pictures.values()):
        data = base64.b64encode(content).decode()
        yield f".r{index}{{background-image:url(data:image/webp;base64,{data})}}\n"


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_source("report.html.j2"))


def _source(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """A script as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
