"""Judges any folder of pictures by a platform's rules, ours or not: what is not measured is not called ready."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from catalog_imagegen.domain.imaging import Placement, Platform, Severity, Verdict
from catalog_imagegen.stages.label import UNREADABLE, judge_labels, read_labels
from catalog_imagegen.stages.listing import SUFFIXES, name_pattern
from catalog_imagegen.stages.quality import MAX_PIXELS
from catalog_imagegen.stages.verdict import Measured, judge_measured

TEXT_FREE = frozenset(
    {
        "added text",
        "added text, artwork or marketing",
        "text",
        "promotional text",
        "watermark",
        "watermark of any type",
    }
)
"""Of what platforms forbid: what reading the picture can find."""

ReadText = Callable[[Image.Image], Sequence[str]]
"""Finds the texts on a picture (an extra)."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """One file as it was measured."""

    name: str
    placement: str = ""
    """The place it was judged for; empty where it is no picture."""
    format: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    fill: float | None = None
    """The product's longer side as a share of the frame, where it can be told."""
    verdicts: tuple[Verdict, ...] = ()
    not_checked: tuple[str, ...] = ()
    """What would have needed an extra that is not installed."""


@dataclass(frozen=True, slots=True)
class CheckedListing:
    """One listing as it was measured."""

    folder: str
    platform: str
    files: tuple[CheckedFile, ...] = field(default=())
    verdicts: tuple[Verdict, ...] = ()
    """Of the listing as a whole."""

    @property
    def fails(self) -> int:
        """How many rules that are certain are broken."""
        return sum(v.severity == "fail" for v in self._all())

    @property
    def warnings(self) -> int:
        """How many that are hearsay."""
        return sum(v.severity == "warn" for v in self._all())

    def _all(self) -> Iterator[Verdict]:
        yield from self.verdicts
        for file in self.files:
            yield from file.verdicts


@dataclass(frozen=True, slots=True)
class Folder:
    """A listing's files as they lie on a disk."""

    name: str
    files: Mapping[str, bytes]
    placements: Mapping[str, str] = field(default_factory=dict)
    """File → the place its ``listing.json`` says it is for."""
    is_ours: bool = False
    """It is known who made its pictures: those that are no photos are generated, and must be labelled."""
    photos: Collection[str] = ()
    """Its files that no model had a hand in."""
    is_whole: bool = True
    """All of a listing, which can lack something, or have too much of it."""


def check_listing(folder: Folder, platform: Platform, read_text: ReadText | None = None) -> CheckedListing:
    """Measure every file of a listing; sizes in pixels and bytes."""
    files: list[CheckedFile] = []
    taken = Counter(filter(None, (_claimed(name, folder, platform) for name in folder.files)))
    for name, content in sorted(folder.files.items()):
        picture = _decoded(content)
        if isinstance(picture, Verdict):
            files.append(CheckedFile(name, bytes=len(content), verdicts=(picture,)))
            continue
        measured = Measured(picture, len(content))
        placement = _placement(measured, platform, folder.placements.get(name, ""), name, taken)
        taken[placement.name] += not _claimed(name, folder, platform)
        verdicts = [
            *judge_measured(measured, placement, name),
            *_name(name, placement),
            *_labels(content, is_ours=folder.is_ours, is_photo=name in folder.photos),
        ]
        forbidden = forbids_text(placement)
        if forbidden is not None and read_text is not None:
            verdicts.extend(text_on_picture(read_text(measured.flat), forbidden))
        files.append(
            CheckedFile(
                name,
                placement.name,
                picture.format or "",
                *picture.size,
                len(content),
                measured.fill,
                tuple(verdicts),
                ("text",) if forbidden is not None and read_text is None else (),
            )
        )
    whole = tuple(_whole(files, platform)) if folder.is_whole else ()
    return CheckedListing(folder.name, platform.name, tuple(files), whole)


def _claimed(name: str, folder: Folder, platform: Platform) -> str:
    """The place that a file is for by its manifest or, if that is only one, by its name."""
    if (listed := folder.placements.get(name, "")) in {placement.name for placement in platform.placements}:
        return listed
    fitting = [placement.name for placement in platform.placements if _is_named_for(placement, name)]
    return fitting[0] if len(fitting) == 1 else ""


def _decoded(content: bytes) -> Image.Image | Verdict:
    """The pixels, or why there are none. ``verify`` first: a PNG that lacks its last bytes loads without an error."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            is_too_large = image.width * image.height > MAX_PIXELS
            if not is_too_large:
                image.verify()
        opened = Image.open(io.BytesIO(content))
        if not is_too_large:
            opened.load()
            return opened
        error: object = f"{opened.width} × {opened.height}"
    except UNREADABLE as caught:
        error = caught
    if kind := _known_kind(content):
        return Verdict(
            "unsupported_format",
            "fail",
            f"it is {kind}, which marketplaces do not take; save it as JPEG or PNG",
            f"这是 {kind} 文件，平台不接受；请另存为 JPEG 或 PNG",
        )
    return Verdict(
        "broken_file",
        "fail",
        f"it is no whole picture of a usual size ({error}); make it again",
        f"不是完整的、正常尺寸的图片（{error}）；请重新生成",
    )


def _known_kind(content: bytes) -> str:
    """What a file is that Pillow does not read, where that can be told."""
    head = content[:512]
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
        return "HEIC"
    if b"<svg" in head:
        return "SVG"
    return "PDF" if head.startswith(b"%PDF") else ""


_HEIF = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})
"""Brands of what iPhones write."""


def _placement(
    file: Measured, platform: Platform, listed: str, name: str, taken: Mapping[str, int]
) -> Placement:
    """What a file is for: what its manifest says, else its name, else the first place if nothing else is for that.

    Others are judged for the place where least is wrong, of those that are not *taken* by as many as they show.
    """
    by_name = {placement.name: placement for placement in platform.placements}
    if listed in by_name:
        return by_name[listed]
    fitting = [p for p in platform.placements if _is_named_for(p, name)]
    first = platform.placements[0]
    if not fitting and not taken.get(first.name):
        return first

    def wrong(placement: Placement) -> tuple[bool, int, int]:
        found = judge_measured(file, placement)
        is_full = taken.get(placement.name, 0) >= _most(placement)[0]
        return is_full, sum(v.severity == "fail" for v in found), len(found)

    return min(fitting or platform.placements, key=wrong)


def _is_named_for(placement: Placement, name: str) -> bool:
    """Whether a name is by the placement's rule; its ending is another matter."""
    rule, stem = name_pattern(placement), name.rpartition(".")[0]
    return rule is not None and rule.fullmatch(f"{stem}{SUFFIXES[placement.format]}") is not None


def _name(name: str, placement: Placement) -> Iterator[Verdict]:
    """Whether a file is called as the platform wants it, where it wants something."""
    naming = next((figure for figure in placement.figures if figure.about == "naming"), None)
    if naming is None or name_pattern(placement) is None or _is_named_for(placement, name):
        return
    yield Verdict(
        "wrong_name",
        "fail" if naming.confidence == "official" else "warn",
        f"its name is not as the platform asks for ({naming.value}); call it {placement.file_name}, with its ending",
        f"文件名不符合平台要求（{naming.value}）；请命名为 {placement.file_name} 加扩展名",
    )


def _labels(content: bytes, *, is_ours: bool, is_photo: bool) -> Iterable[Verdict]:
    found = judge_labels(content, is_generated=not is_photo)
    if is_ours or read_labels(content).aigc:
        return found
    return (
        Verdict(
            "label_unknown",
            "warn",
            "it carries no label of AI-made pictures; if a machine made it, the law of China asks for one "
            "(GB 45438-2025): make it again with this program, or have its maker label it",
            "没有 AI 生成标识；如果图片由 AI 生成，法规要求添加标识（GB 45438-2025）：请用本程序重新生成，或由制作方补充标识",
        ),
    )


def forbids_text(placement: Placement) -> Severity | None:
    """Whether the platform wants no text on pictures of this place, and how certain that is."""
    for figure in placement.figures:
        values = figure.value if isinstance(figure.value, tuple) else (figure.value,)
        if figure.about == "forbidden" and not TEXT_FREE.isdisjoint(str(value) for value in values):
            return "fail" if figure.confidence == "official" else "warn"
    return None


def text_on_picture(found: Sequence[str], severity: Severity) -> Iterator[Verdict]:
    """What is wrong with texts in a place that wants none."""
    if found:
        seen = " / ".join(found)[:60]
        yield Verdict(
            "text_on_picture",
            severity,
            f"there is text on it ({seen}), which this place does not take; make the picture again without",
            f"图片上有文字（{seen}），此位置不允许文字；请重新生成无文字的图片",
        )


def _whole(files: Sequence[CheckedFile], platform: Platform) -> Iterator[Verdict]:
    """What is wrong with a listing as a whole: how many files it has of which kind."""
    counts = {p.name: sum(file.placement == p.name for file in files) for p in platform.placements}
    first = platform.placements[0]
    if not counts[first.name]:
        yield Verdict(
            "no_main_picture",
            "fail",
            f"there is no picture for the first place ({first.title or first.name}); make it, or name its file so that it "
            "comes first",
            f"缺少首图（{first.title or first.name}）；请生成首图，或让首图文件名排在最前",
        )
    for placement in platform.placements:
        most, severity = _most(placement)
        if counts[placement.name] > most:
            yield Verdict(
                "too_many",
                severity,
                f"{counts[placement.name]} pictures for {placement.title or placement.name}, which takes {most}; "
                "remove the others",
                f"{placement.title or placement.name} 有 {counts[placement.name]} 张，最多 {most} 张；请删除多余的图片",
            )


def _most(placement: Placement) -> tuple[int, Severity]:
    """How many files a place takes: what the platform says, else our own choice."""
    for figure in placement.figures:
        if figure.about == "count" and isinstance(figure.value, tuple):
            most = int(figure.value[-1])
            return max(most, placement.count), "fail" if figure.confidence == "official" else "warn"
    return placement.count, "fail"
