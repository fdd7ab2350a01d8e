from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw

from catalog_imagegen.pipeline.compliance import CheckedListing, Folder, check_listing
from catalog_imagegen.stages.label import TRAINED, aigc_text, packet
from tests.unit.builders import figure, placement, platform

WHITE = (255, 255, 255)
PACKET = packet(aigc_text(producer="0011", produce_id="ab"), TRAINED)
MAIN = placement(
    name="main",
    width=200,
    height=200,
    max_bytes=60_000,
    figures=(
        figure("background", WHITE, "official"),
        figure("fill_min", 0.85, "secondary"),
        figure("ratio", "1:1", "official"),
        figure("max_bytes", 50_000, "secondary"),
        figure("forbidden", ("added text", "logo"), "official"),
    ),
)
DETAIL = placement(
    name="detail", width=200, height=300, count=2, figures=(figure("count", (1, 2), "official"),)
)
SHOP = platform(MAIN, DETAIL)


def product_on(
    background: tuple[int, int, int] = WHITE, *, size: int = 200, share: float = 0.9
) -> Image.Image:
    """A product that fills this share of a square."""
    image = Image.new("RGB", (size, size), background)
    edge = round(size * (1 - share) / 2)
    ImageDraw.Draw(image).rectangle((edge, edge, size - edge - 1, size - edge - 1), fill=(160, 40, 30))
    return image


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    """A file with the labels of a generated picture."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"xmp": PACKET, "quality": 95, "subsampling": "4:4:4"} | options))
    return buffer.getvalue()


def checked(files: dict[str, bytes], **options: Any) -> CheckedListing:
    """A listing of ours."""
    return check_listing(Folder("KT-01", files, is_ours=True), SHOP, **options)


def found(content: bytes, name: str = "1.jpg", **options: Any) -> dict[str, str]:
    """Code → severity of what is wrong with the main picture."""
    (file,) = checked({name: content}, **options).files
    return {verdict.code: verdict.severity for verdict in file.verdicts}


def test_a_good_picture_has_no_verdict() -> None:
    """Silence means that everything was measured and good."""
    listing = checked({"1.jpg": saved(product_on())})
    assert (listing.fails, listing.warnings) == (0, 0)
    (file,) = listing.files
    assert (file.placement, file.format, file.width, file.height) == ("main", "JPEG", 200, 200)
    assert file.fill == pytest.approx(0.9, abs=0.02)


def padded(content: bytes, size: int) -> bytes:
    """The same file, as many bytes long: a JPEG may have a tail."""
    return content + bytes(size - len(content))


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (saved(product_on((247, 246, 244))), "1.jpg", {"platform_background": "fail"}),
        (saved(product_on(share=0.7)), "1.jpg", {"platform_fill_min": "warn"}),
        (padded(saved(product_on()), 50_000), "1.jpg", {}),
        (padded(saved(product_on()), 50_001), "1.jpg", {"platform_max_bytes": "warn"}),
        (padded(saved(product_on()), 60_000), "1.jpg", {"platform_max_bytes": "warn"}),
        (padded(saved(product_on()), 60_001), "1.jpg", {"platform_max_bytes": "warn", "too_heavy": "fail"}),
        (saved(product_on(), xmp=b""), "1.jpg", {"label_missing": "fail"}),
        (saved(product_on().convert("CMYK")), "1.jpg", {"wrong_mode": "fail"}),
        (saved(product_on()), "1.png", {"wrong_extension": "fail"}),
        (
            saved(product_on(size=300).crop((50, 0, 250, 300))),
            "1.jpg",
            {"platform_ratio": "fail", "platform_background": "fail"},
        ),
        (saved(product_on())[:-900], "1.jpg", {"broken_file": "fail"}),
        (b"no picture", "1.jpg", {"broken_file": "fail"}),
    ],
    ids=[
        "off-white border",
        "fills too little",
        "at the cap",
        "a byte over theirs",
        "at ours",
        "a byte over ours",
        "no label",
        "CMYK",
        "wrong extension",
        "square cropped to portrait",
        "cut off",
        "no picture",
    ],
)
def test_planted_defects_are_found_as_certain_as_they_are(
    content: bytes, name: str, expected: dict[str, str]
) -> None:
    """What the platform itself says fails, what others say of it warns, and our own choice fails."""
    assert found(content, name) == expected


def test_two_labels_are_found() -> None:
    """Also where decoders keep one of them only."""
    body = b"http://ns.adobe.com/xap/1.0/\x00" + PACKET
    once = saved(product_on())
    twice = once[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + once[2:]
    assert found(twice) == {"label_twice": "fail"}


def test_a_foreign_profile_is_found() -> None:
    """Colours of another profile look wrong in shops; sRGB is fine."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert found(saved(product_on(), icc_profile=lab)) == {"wrong_profile": "fail"}
    assert found(saved(product_on(), icc_profile=srgb)) == {}


def test_text_on_a_picture_is_found_by_who_can_read() -> None:
    """Without a reader it is said not to have been checked, never that it is well."""
    content = saved(product_on())
    assert found(content, read_text=lambda _: ["限时优惠"]) == {"text_on_picture": "fail"}
    assert found(content, read_text=lambda _: []) == {}
    (read,) = checked({"1.jpg": content}, read_text=lambda _: []).files
    (unread,) = checked({"1.jpg": content}).files
    assert (read.not_checked, unread.not_checked) == ((), ("text",))


def test_a_picture_of_a_stranger_need_not_be_labelled() -> None:
    """Whether a machine made it nobody knows; two labels are wrong whoever wrote them."""
    (file,) = check_listing(Folder("x", {"1.jpg": saved(product_on(), xmp=b"")}), SHOP).files
    assert [(v.code, v.severity) for v in file.verdicts] == [("label_unknown", "warn")]


def test_files_are_judged_for_the_place_they_are_for() -> None:
    """As listing.json says; else the first is the main picture and the others are what they fit."""
    tall = saved(Image.new("RGB", (200, 300), (90, 90, 90)))
    square = saved(product_on())
    listing = checked({"1.jpg": square, "2.jpg": tall, "3.jpg": tall})
    assert [file.placement for file in listing.files] == ["main", "detail", "detail"]
    named = check_listing(
        Folder("x", {"1.jpg": tall, "2.jpg": square}, {"1.jpg": "detail", "2.jpg": "main"}), SHOP
    )
    assert [file.placement for file in named.files] == ["detail", "main"]


def test_a_listing_is_judged_as_a_whole() -> None:
    """A first picture must be there, and no more than a place takes."""
    tall = saved(Image.new("RGB", (200, 300), (90, 90, 90)))
    files = {f"{i}.jpg": tall for i in range(3)}
    listing = check_listing(Folder("x", files, dict.fromkeys(files, "detail")), SHOP)
    assert [(v.code, v.severity) for v in listing.verdicts] == [
        ("no_main_picture", "fail"),
        ("too_many", "fail"),
    ]


def test_names_that_a_platform_asks_for() -> None:
    """A name tells which place a file is for; one that tells none is wrong where the platform wants one."""
    naming = figure("naming", "<ASIN>.PT01", "official")
    main = placement(name="main", width=200, height=200, file_name="{asin|sku}.MAIN", figures=(naming,))
    more = placement(
        name="more", width=200, height=200, count=3, file_name="{asin|sku}.PT{n:02}", figures=(naming,)
    )
    square = saved(product_on())
    files = {"B01.MAIN.jpg": square, "B01.PT01.jpg": square, "B01.PT01.jpeg": square, "back.jpg": square}
    judged = check_listing(Folder("x", files, is_ours=True), platform(main, more)).files
    found = {file.name: (file.placement, [verdict.code for verdict in file.verdicts]) for file in judged}
    assert found == {
        "B01.MAIN.jpg": ("main", []),
        "B01.PT01.jpg": ("more", []),
        "B01.PT01.jpeg": ("more", []),
        "back.jpg": ("more", ["wrong_name"]),
    }


def test_a_picture_by_itself_lacks_nothing() -> None:
    """Somebody asks about one file, not about its listing."""
    folder = Folder("x", {"back.jpg": saved(product_on())}, {"back.jpg": "detail"}, is_whole=False)
    assert check_listing(folder, SHOP).verdicts == ()


def test_a_stranger_before_the_main_picture_is_not_taken_for_it() -> None:
    """Where another file is called as the main picture is."""
    main = placement(name="main", width=200, height=200, file_name="{sku}.MAIN")
    files = {"A_chart.jpg": saved(product_on()), "B01.MAIN.jpg": saved(product_on())}
    judged = check_listing(
        Folder("x", files), platform(main, placement(name="more", width=200, height=200))
    ).files
    assert [(file.name, file.placement) for file in judged] == [
        ("A_chart.jpg", "more"),
        ("B01.MAIN.jpg", "main"),
    ]


def test_places_are_filled_as_far_as_they_go() -> None:
    """Four squares are not four main pictures where others can be square too."""
    square = saved(product_on())
    more = placement(name="more", width=200, height=200, count=5)
    listing = check_listing(
        Folder("x", {f"{i}.jpg": square for i in range(4)}),
        platform(placement(name="main", width=200, height=200), more),
    )
    assert [file.placement for file in listing.files] == ["main", "more", "more", "more"]
    assert listing.verdicts == ()


def test_a_damaged_avif_is_told() -> None:
    """Whatever the decoder raises."""
    whole = saved(product_on(), "AVIF")
    for at in range(40, len(whole), 7):
        damaged = whole[:at] + b"\xff" + whole[at + 1 :]
        (file,) = check_listing(Folder("x", {"1.avif": damaged}), SHOP).files
        assert file.verdicts


def test_a_palette_with_transparency_is_looked_at_on_white() -> None:
    """The colour that hides under it is nobody's."""
    hidden = Image.new("P", (200, 200), 0)
    hidden.putpalette([0, 0, 0, 160, 40, 30])
    ImageDraw.Draw(hidden).rectangle((10, 10, 189, 189), fill=1)
    assert "platform_background" not in found(saved(hidden, "PNG", transparency=0), "1.png")
