from __future__ import annotations

import io
import json
import os
import socket
import time
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from catalog_imagegen.adapters.photos import FolderPhotos, folder, packed, prepared
from catalog_imagegen.adapters.photos.content import MAX_BYTES
from catalog_imagegen.domain.errors import PhotoError
from catalog_imagegen.domain.fingerprint import digest

LONG_AGO_S = 1_600_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a folder for photos."""
    (tmp_path / "photos").mkdir()
    return tmp_path


@pytest.fixture
def shop(root: Path) -> FolderPhotos:
    """Its photos."""
    return FolderPhotos(root, root / "memory.json")


def picture(mode: str = "RGB", size: tuple[int, int] = (8, 6), colour: object = None) -> Image.Image:
    """A picture whose left upper pixel is another than the rest."""
    image = Image.new(mode, size, colour)  # type: ignore[arg-type]  # a colour of any mode
    if mode == "RGB":
        image.putpixel((0, 0), (255, 0, 0))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """A picture as a file has it."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int, kind: str = "JPEG") -> bytes:
    """A photo as a phone writes it that was held otherwise."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture(size=(80, 60)), kind, exif=exif.tobytes())


def refusal(shop: FolderPhotos, location: str) -> PhotoError:
    """Why a photo cannot be used, with the remedy in both languages."""
    with pytest.raises(PhotoError) as caught:
        shop.look(location)
    assert location in caught.value.message_en
    assert location in caught.value.message_zh
    assert "; " in caught.value.message_en
    assert "；请" in caught.value.message_zh
    return caught.value


# Where photos are


@pytest.mark.parametrize(
    "location",
    ["cup.png", "photos/cup.png", "photos\\cup.png", "./photos/../photos/cup.png", "{root}/photos/cup.png"],
)
def test_a_photo_is_found_by_name_and_by_path(shop: FolderPhotos, root: Path, location: str) -> None:
    """Below the workspace, in its folder photos, or anywhere by its full path; as Windows writes it, too."""
    content = encoded(picture())
    (root / "photos" / "cup.png").write_bytes(content)
    found = shop.look(location.format(root=root))
    assert (found.digest, found.extension, found.width, found.height) == (digest(content), "png", 8, 6)
    assert found.file_name == f"{digest(content)}.png"
    assert shop.read(found.digest) == content


def test_the_workspace_comes_before_its_folder(shop: FolderPhotos, root: Path) -> None:
    """A path that is there as it is written is what is meant."""
    one, other = encoded(picture()), encoded(picture(size=(9, 9)))
    (root / "a.png").write_bytes(one)
    (root / "photos" / "a.png").write_bytes(other)
    assert shop.look("a.png").digest == digest(one)
    assert shop.look("photos/a.png").digest == digest(other)


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("cup.png", "photo_not_found"),
        ("photos/cup.png/x.png", "photo_not_found"),
        ("https://shop.example/cup.png", "photo_is_url"),
        ("//cdn.example/cup.png", "photo_is_url"),
        ("../cup.png", "photo_outside"),
        ("photos/../../cup.png", "photo_outside"),
        ("photos", "photo_no_file"),
        ("a\0b.png", "photo_unreadable"),
    ],
)
def test_a_photo_that_is_not_there_has_a_remedy(shop: FolderPhotos, location: str, code: str) -> None:
    """A web address, a typing error and a path out of the workspace are told apart."""
    assert refusal(shop, location).code == code


def test_pipes_and_sockets_are_not_opened_for_long(shop: FolderPhotos, root: Path) -> None:
    """Somebody who reads from a pipe may wait for ever."""
    os.mkfifo(root / "pipe.png")
    assert refusal(shop, "pipe.png").code == "photo_no_file"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(root / "s.png"))
        assert refusal(shop, "s.png").code == "photo_unreadable"
    assert refusal(shop, "/dev/zero").code == "photo_no_file"


# By name, wherever they are


def put(root: Path, *places: str, size: tuple[int, int] = (8, 6)) -> None:
    """Photos at these places of the folder; each has another size, to be told by."""
    for number, place in enumerate(places):
        path = root / "photos" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture(size=(size[0] + number, size[1]))))


def pack(path: Path, members: dict[str, bytes]) -> None:
    """A zip of these files."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "location",
    [
        "D:\\pics\\CUP.JPG",
        "\\\\NAS\\share\\Cup.jpg",
        "/Users/anna/Desktop/cup.jpg",
        "cup.JPG",
        "2026/cup.jpg",
        "photos/CUP.jpg",
    ],
)
def test_a_path_of_another_computer_leads_to_the_file_of_that_name(
    shop: FolderPhotos, root: Path, location: str
) -> None:
    """The catalog was written where the photos lay on another drive; case is of no account."""
    put(root, "autumn/2026/cup.jpg")
    assert shop.look(location).width == 8


def test_accents_are_the_same_however_they_are_written(shop: FolderPhotos, root: Path) -> None:
    """A Mac takes é apart in file names."""
    put(root, unicodedata.normalize("NFD", "café.jpg"))
    assert shop.look(unicodedata.normalize("NFC", "Café.jpg")).width == 8


def test_of_several_the_folder_decides_or_nobody_guesses(shop: FolderPhotos, root: Path) -> None:
    """Another product's photo would be worse than none."""
    put(root, "red/cup.jpg", "blue/cup.jpg")
    assert shop.look("D:\\pics\\Blue\\cup.jpg").width == 9
    error = refusal(shop, "D:\\pics\\cup.jpg")
    assert error.code == "photo_ambiguous"
    assert "photos/red/cup.jpg" in error.message_en


def test_what_is_there_as_written_needs_no_search(shop: FolderPhotos, root: Path) -> None:
    """And what leads out is refused even where the name is known."""
    put(root, "cup.jpg", "other/cup.jpg")
    assert shop.look("cup.jpg").width == 8
    assert refusal(shop, "../cup.jpg").code == "photo_outside"
    assert refusal(shop, "..\\photos\\..\\..\\cup.jpg").code == "photo_outside"


def test_photos_are_called_after_a_sku(shop: FolderPhotos, root: Path) -> None:
    """The plain name, then the main picture, then by number, then what lies in the folder."""
    put(root, "A1-10.png", "A1-2.jpg", "a1.jpg", "A1_主图.webp", "A1/9.jpg", "A1/10.jpg", "A1/sub/主图.jpg")
    put(root, "A12.jpg", "A1.txt", "A1.gif", "xA1.jpg", ".A1.jpg", "A1main.jpg")
    assert shop.by_sku("A1") == tuple(
        f"photos/{name}"
        for name in (
            "a1.jpg",
            "A1_主图.webp",
            "A1-2.jpg",
            "A1-10.png",
            "A1/sub/主图.jpg",
            "A1/9.jpg",
            "A1/10.jpg",
        )
    )
    assert [shop.look(place).height for place in shop.by_sku("A1")] == [6] * 7
    assert shop.by_sku("A2") == ()


@pytest.mark.parametrize(
    "name", ["A1(2).jpg", "A1 （2）.jpg", "A1-main.jpg", "A1主图1.jpg", "A1_3.jpeg", "A1 03.JPG"]
)
def test_people_append_things_to_a_sku(shop: FolderPhotos, root: Path, name: str) -> None:
    """With a dash, a line, a blank, in brackets."""
    put(root, name)
    assert shop.by_sku("A1") == (f"photos/{name}",)


def test_a_photo_called_as_another_sku_is_that_ones(shop: FolderPhotos, root: Path) -> None:
    """A-1.jpg is the second photo of A only where nothing is called A-1."""
    put(root, "A-1.jpg", "A-2.jpg")
    assert shop.by_sku("A", {"A", "A-1"}) == ("photos/A-2.jpg",)
    assert shop.by_sku("A-1", {"A", "A-1"}) == ("photos/A-1.jpg",)
    assert shop.by_sku("A") == ("photos/A-1.jpg", "photos/A-2.jpg")


def test_a_zip_is_looked_into_like_a_folder(root: Path) -> None:
    """By name and by SKU, without unpacking it anywhere."""
    members = {"秋季/A1.jpg": encoded(picture(size=(21, 6))), "A2/1.png": encoded(picture(size=(22, 6)))}
    pack(
        root / "photos" / "all.zip", {**members, "__MACOSX/A1.jpg": b"", "../../evil.jpg": encoded(picture())}
    )
    before = sorted(root.rglob("*"))
    shop = FolderPhotos(root, root / "memory.json")
    assert shop.by_sku("A1") == ("photos/all.zip/秋季/A1.jpg",)
    assert [shop.look(place).width for sku in ("A1", "A2") for place in shop.by_sku(sku)] == [21, 22]
    found = shop.look("D:\\秋季\\a1.JPG")
    assert found.width == 21
    assert shop.read(found.digest) == members["秋季/A1.jpg"]
    assert refusal(shop, "evil.jpg").code == "photo_not_found"
    shop.close()
    assert sorted(path for path in root.rglob("*") if path.name != "memory.json") == before
    assert not (root.parent / "evil.jpg").exists()


def test_a_zip_for_one_sku_is_its_folder(root: Path) -> None:
    """Suppliers send one per product."""
    pack(root / "photos" / "A1.zip", {"2.jpg": encoded(picture()), "1.jpg": encoded(picture())})
    shop = FolderPhotos(root, root / "memory.json")
    assert shop.by_sku("A1") == ("photos/A1.zip/1.jpg", "photos/A1.zip/2.jpg")
    shop.close()


def test_names_in_a_zip_of_chinese_windows_are_read(root: Path) -> None:
    """They are in GB 18030, and nothing says so."""
    path = root / "photos" / "a.zip"
    name = "A1_主图.jpg"
    stand_in = "x" * len(name.encode("gb18030"))
    pack(path, {stand_in: encoded(picture())})
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), name.encode("gb18030")))
    shop = FolderPhotos(root, root / "memory.json")
    assert shop.by_sku("A1") == (f"photos/a.zip/{name}",)
    assert shop.look(f"photos/a.zip/{name}").width == 8
    shop.close()


def test_a_zip_that_is_a_bomb_is_not_looked_into(
    root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what its directory says: how much it shrank, how much it would be, how many files there are."""
    pack(root / "photos" / "bomb.zip", {"A1.jpg": bytes(30_000_000)})
    (root / "photos" / "broken.zip").write_bytes(b"PK\x03\x04 cut off")
    shop = FolderPhotos(root, root / "memory.json")
    assert shop.by_sku("A1") == ()
    assert "bomb.zip is not looked into" in caplog.text
    assert "broken.zip is no zip that can be read" in caplog.text
    shop.close()
    monkeypatch.setattr(packed, "MAX_MEMBERS", 1)
    pack(root / "photos" / "many.zip", {"A2.jpg": b"", "A3.jpg": b""})
    shop = FolderPhotos(root, root / "memory.json")
    assert shop.by_sku("A2") == ()
    shop.close()


def test_a_damaged_photo_in_a_zip_says_so(root: Path) -> None:
    """As one in a file does."""
    pack(root / "photos" / "a.zip", {"b.jpg": b"no picture"})
    shop = FolderPhotos(root, root / "memory.json")
    assert refusal(shop, "b.jpg").code == "photo_damaged"
    shop.close()


# What is in them


@pytest.mark.parametrize(("kind", "extension"), [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp")])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_plain_photo_keeps_its_bytes(kind: str, extension: str, mode: str) -> None:
    """Nothing is encoded again without need."""
    content = encoded(picture(mode), kind)
    made, photo = prepared(content)
    assert made == content
    assert photo.extension == extension


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_turned_as_people_see_it(kind: str, orientation: int) -> None:
    """Servers ignore how the camera was held; the long side says whether it lies or stands."""
    made, photo = prepared(turned(orientation, kind))
    assert photo.extension == "png"
    assert (photo.width, photo.height) == ((60, 80) if orientation >= 5 else (80, 60))
    with Image.open(io.BytesIO(made)) as image:
        assert (image.mode, image.size) == ("RGB", (photo.width, photo.height))
        assert image.getexif() == {}
    assert prepared(turned(orientation, kind))[0] == made, "the same file gives the same bytes"


@pytest.mark.parametrize(
    "image",
    [
        picture("CMYK", colour=(0, 0, 0, 0)),
        picture("P", colour=255),
        picture("RGBA", colour=(10, 20, 30, 0)),
        picture("LA", colour=(10, 0)),
        picture("I;16", colour=65_535),
    ],
)
def test_other_colours_become_what_people_see(image: Image.Image) -> None:
    """Ink, palettes, transparency and 16 bits: all of these show white here."""
    if image.mode == "P":
        image.putpalette([255] * 768)
    made, _ = prepared(encoded(image, "JPEG" if image.mode == "CMYK" else "PNG"))
    with Image.open(io.BytesIO(made)) as plain:
        assert (plain.format, plain.mode, plain.getpixel((4, 4))) == ("PNG", "RGB", (255, 255, 255))


@pytest.mark.parametrize("kind", ["GIF", "BMP"])
def test_formats_that_servers_may_not_read_become_png(kind: str) -> None:
    """Old shops and old workbooks have them."""
    made, photo = prepared(encoded(picture(), kind))
    assert photo.extension == "png"
    with Image.open(io.BytesIO(made)) as plain:
        assert (plain.format, plain.mode, plain.getpixel((0, 0))) == ("PNG", "RGB", (255, 0, 0))


def test_a_palette_with_a_transparent_colour_is_laid_on_white() -> None:
    """And so is an RGB picture that calls one of its colours transparent."""
    palette = picture("RGBA", colour=(10, 20, 30, 0)).quantize(4)
    for content in (encoded(palette), encoded(picture("RGB", colour=(9, 9, 9)), transparency=(9, 9, 9))):
        with Image.open(io.BytesIO(prepared(content)[0])) as plain:
            assert plain.getpixel((4, 4)) == (255, 255, 255)


def test_of_a_moving_picture_the_first_frame_counts() -> None:
    """A server would make a batch of all frames."""
    frames = [picture(colour=(i, i, i)) for i in (0, 90, 200)]
    made, _ = prepared(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    with Image.open(io.BytesIO(made)) as plain:
        assert plain.format == "PNG"
        assert plain.getpixel((4, 4)) == (0, 0, 0)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"not a picture",
        b"\x89PNG\r\n\x1a\n",
        encoded(picture(size=(64, 64)))[:-20],
        encoded(picture(size=(64, 64)), "JPEG")[:-300],
        encoded(picture(), "TIFF"),
        encoded(picture(), "ICO"),
    ],
)
def test_a_broken_photo_says_how_to_mend_it(shop: FolderPhotos, root: Path, broken: bytes) -> None:
    """A half-copied file, a text, a format that servers do not read."""
    (root / "a.jpg").write_bytes(broken)
    error = refusal(shop, "a.jpg")
    assert error.code == "photo_damaged"
    assert "0x" not in error.message_en


def test_notes_of_a_camera_that_cannot_be_read_turn_nothing() -> None:
    """The picture itself is sound."""
    content = encoded(picture(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    assert prepared(content)[0] == content


def test_a_photo_that_would_take_too_much_memory_is_refused(shop: FolderPhotos, root: Path) -> None:
    """By its size in pixels, before it is decoded, and by its bytes, before it is read."""
    (root / "bomb.png").write_bytes(encoded(Image.new("1", (7_000, 6_000))))
    error = refusal(shop, "bomb.png")
    assert error.code == "photo_too_large"
    assert "7000 × 6000" in error.message_en
    with (root / "huge.jpg").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert refusal(shop, "huge.jpg").code == "photo_too_large"


# What is remembered


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many photos were decoded so far."""
    calls: list[int] = []

    def decode(content: bytes) -> object:
        calls.append(len(content))
        return prepared(content)

    monkeypatch.setattr(folder, "prepared", decode)
    return lambda: len(calls)


def test_a_photo_is_decoded_once(shop: FolderPhotos, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three roles of one product look at it three times; one that is broken too."""
    decoded = counted(monkeypatch)
    (root / "a.png").write_bytes(encoded(picture()))
    (root / "b.png").write_bytes(b"broken")
    for _ in range(3):
        shop.look("a.png")
        refusal(shop, "b.png")
    assert decoded() == 2


def test_the_next_process_remembers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan of thousands of photos must not decode them each night; what is damaged is looked at again."""
    for name, content in (("a.png", turned(6, "PNG")), ("b.png", b"broken")):
        (root / name).write_bytes(content)
        os.utime(root / name, (LONG_AGO_S, LONG_AGO_S))
    first = FolderPhotos(root, root / "memory.json")
    photo = first.look("a.png")
    refusal(first, "b.png")
    first.close()
    decoded = counted(monkeypatch)
    second = FolderPhotos(root, root / "memory.json")
    assert second.look("a.png") == photo
    assert decoded() == 0
    assert digest(second.read(photo.digest) or b"") == photo.digest
    refusal(second, "b.png")
    assert decoded() == 2


def test_a_photo_that_was_changed_is_another(root: Path) -> None:
    """By size or by time; bytes that do not belong to the name are never given."""
    path = root / "a.png"
    path.write_bytes(encoded(picture()))
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    shop = FolderPhotos(root, root / "memory.json")
    before = shop.look("a.png")
    shop.close()
    path.write_bytes(encoded(picture(size=(9, 9))))
    assert shop.read(before.digest) is None
    assert FolderPhotos(root, root / "memory.json").look("a.png") != before
    assert shop.look("a.png") != before
    path.unlink()
    assert shop.read(shop_digest := before.digest) is None
    assert shop_digest == before.digest


def test_a_photo_of_just_now_is_not_remembered_for_long(root: Path) -> None:
    """It may change again within the second that some disks count in, with the same size."""
    (root / "a.png").write_bytes(encoded(picture()))
    shop = FolderPhotos(root, root / "memory.json")
    shop.look("a.png")
    shop.close()
    assert json.loads((root / "memory.json").read_bytes())["photos"] == []
    os.utime(root / "a.png", (time.time() - 60, time.time() - 60))
    shop.look("a.png")
    shop.close()
    assert len(json.loads((root / "memory.json").read_bytes())["photos"]) == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 0, "photos": []}', b'{"version": 1, "photos": [[1]]}']
)
def test_a_memory_that_cannot_be_read_costs_time_only(root: Path, content: bytes) -> None:
    """It may be cut off by a power cut, or of another version."""
    (root / "memory.json").write_bytes(content)
    (root / "a.png").write_bytes(encoded(picture()))
    assert FolderPhotos(root, root / "memory.json").look("a.png").width == 8


def test_who_looks_at_nothing_writes_nothing(root: Path) -> None:
    """Most shops have no role that needs a photo."""
    FolderPhotos(root, root / "memory.json").close()
    assert not (root / "memory.json").exists()


def test_bytes_of_a_photo_that_nobody_looked_at_are_unknown(shop: FolderPhotos) -> None:
    """A name alone leads nowhere."""
    assert shop.read(digest(b"x")) is None
