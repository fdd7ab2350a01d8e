from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import PhotoError
from catalog_imagegen.domain.fingerprint import Digest, digest
from catalog_imagegen.domain.imaging import Blocked, Photo, Take, Wanted
from catalog_imagegen.pipeline.photos import keep_photos, with_photos
from catalog_imagegen.pipeline.plan import plan
from catalog_imagegen.pipeline.prepare import Services
from catalog_imagegen.pipeline.want import Setup, want
from catalog_imagegen.stages.prompt import PromptBook
from catalog_imagegen.stages.workflow import parse_workflow, render_key
from tests.unit.builders import Node, graph, node, placement, platform, product, recorded_as, role, wanted

SHOP = platform(placement("main"))
CUP = product(images=("cup.jpg", "back.jpg"))


def photo_graph(*titles: str) -> dict[str, Node]:
    """A graph that is given a photo at each node of these titles."""
    nodes = graph()
    for i, title in enumerate(titles, start=1):
        nodes[f"p{i}"] = node("LoadImage", title=title, image="left_by_somebody.png")
        nodes["n2"]["inputs"][f"image{i}"] = [f"p{i}", 0]
    return nodes


def setup(*titles: str, **fields: Any) -> Setup:
    """A workspace whose one role is made from photos."""
    made = role(**{"product": "reference", **fields})
    return Setup(
        roles={made.name: made},
        platforms={"shop": SHOP},
        workflows={"turbo": parse_workflow("turbo", json.dumps(photo_graph(*titles or ("reference",))))},
        prompts=PromptBook({"main.j2": "{{ product.name }}"}, {}),
    )


def look(location: str) -> Photo:
    """A photo whose bytes are its name."""
    if location.startswith("http"):
        raise PhotoError("download it", zh="请下载", code="photo_is_url")
    name = digest(location.encode())
    return Photo(name, "jpg", 800, 600, name)


class Photos:
    """Photos whose bytes are their names, but for those that changed."""

    def __init__(self, *changed: str) -> None:
        self.changed = {digest(name.encode()) for name in changed}
        self.read_names: list[Digest] = []
        self.prefetched: list[str] = []
        self.called: dict[str, tuple[str, ...]] = {}

    def has_any(self) -> bool:
        """Nobody asks."""
        return True

    def is_near(self, location: str) -> bool:
        """Those that are no addresses."""
        return not location.startswith("http")

    def objection(self, photo: Photo) -> None:
        """All can be cut out."""

    def by_sku(self, sku: str, others: Collection[str]) -> tuple[str, ...]:
        """Those that were put there, unless they are another's."""
        return tuple(name for name in self.called.get(sku, ()) if name.partition(".")[0] not in others)

    def prefetch(self, locations: Collection[str]) -> None:
        """Remembered as asked for."""
        self.prefetched += locations

    def look(self, location: str) -> Photo:
        """See above."""
        return look(location)

    def read(self, name: Digest) -> bytes | None:
        """The bytes, remembered as read."""
        self.read_names.append(name)
        names = {digest(text.encode()): text.encode() for text in ("cup.jpg", "back.jpg")}
        return None if name in self.changed else names[name]


def wants(one: Product = CUP, of: Setup | None = None) -> tuple[list[Wanted], list[Blocked]]:
    """What is wanted of one product."""
    return want([(0, one)], of or setup(), platforms=["shop"], takes={}, photos=Photos())


def only(one: Product = CUP, of: Setup | None = None) -> Wanted:
    """The one picture, which is not blocked."""
    (found,), blocked = wants(one, of)
    assert blocked == []
    return found


def name_of(location: str) -> str:
    """What a photo is called on a server."""
    return f"{digest(location.encode())}.jpg"


def test_the_first_photo_reaches_its_node() -> None:
    """Under a name made of its bytes, which also name the render."""
    found = only()
    assert found.graph["p1"]["inputs"]["image"] == name_of("cup.jpg")
    assert found.pictures == {name_of("cup.jpg"): digest(b"cup.jpg")}
    assert found.render_key == render_key(found.graph, take=1, pictures=(digest(b"cup.jpg"),))
    assert found.made_of["photo"] == digest(b"cup.jpg")[:12]


def test_further_nodes_get_further_photos_and_never_somebody_elses() -> None:
    """With fewer photos than nodes the last one is shown again; the file that lies on the server is not used."""
    three = setup("reference", "reference2", "reference3")
    shown = [only(of=three).graph[f"p{i}"]["inputs"]["image"] for i in (1, 2, 3)]
    assert shown == [name_of("cup.jpg"), name_of("back.jpg"), name_of("back.jpg")]
    assert only(of=three).pictures.keys() == {name_of("cup.jpg"), name_of("back.jpg")}


def test_other_roles_read_no_photo() -> None:
    """Nor has their render another name than before there were photos."""
    found = only(of=setup("other", product="generate"))
    assert found.pictures == {}
    assert "photo" not in found.made_of
    assert found.graph["p1"]["inputs"]["image"] == "left_by_somebody.png"
    assert found.render_key == render_key(found.graph, take=1)


def test_a_product_without_a_photo_is_blocked_with_the_remedy() -> None:
    """In both languages: which column, which folder."""
    found, (blocked,) = wants(product())
    assert found == []
    assert "A1 has no photo" in blocked.reason_en
    assert "photos/" in blocked.reason_en
    assert "图片" in blocked.reason_zh
    assert "photos 文件夹" in blocked.reason_zh
    assert blocked.platforms == {"shop"}


def test_what_is_wrong_with_a_photo_blocks_its_picture_alone() -> None:
    """The reason is that of whoever looked."""
    rows = [(0, product("A", images=("http://x/a.jpg",))), (1, product("B", images=("b.jpg",)))]
    (found,), (blocked,) = want(rows, setup(), platforms=["shop"], takes={}, photos=Photos())
    assert (found.sku, blocked.sku) == ("B", "A")
    assert (blocked.reason_en, blocked.reason_zh) == ("download it", "请下载")


def test_commands_that_are_not_about_pictures_read_no_photos() -> None:
    """Without somebody who looks, pictures that need it are blocked, not wrong."""
    _, (blocked,) = want([(0, CUP)], setup(), platforms=["shop"], takes={})
    assert "photos are not read here" in blocked.reason_en


def test_a_product_that_names_no_photo_has_those_called_after_it() -> None:
    """Not after another SKU of the catalog; what a row names comes first."""
    photos = Photos()
    photos.called = {"A": ("A-1.jpg", "A-2.jpg"), "B": ("B.jpg",)}
    rows = [(0, product("A")), (1, product("A-1", images=("x.jpg",))), (2, product("B", images=("b.jpg",)))]
    found, blocked = want(rows, setup(), platforms=["shop"], takes={}, photos=photos)
    assert blocked == []
    assert [list(one.pictures) for one in found] == [
        [name_of("A-2.jpg")],
        [name_of("x.jpg")],
        [name_of("b.jpg")],
    ]


def test_what_is_far_away_is_asked_for_together() -> None:
    """Once for the whole plan, only what the workflow takes, and only of the products it is about."""
    photos = Photos()
    rows = [(i, product(sku, images=(f"{sku}.jpg", "side.jpg", "top.jpg"))) for i, sku in enumerate("ABC")]
    two = setup("reference", "reference2")
    want(rows, two, platforms=["shop"], takes={}, subjects={"sku:A", "sku:C"}, photos=photos)
    assert photos.prefetched == ["A.jpg", "side.jpg", "C.jpg"]
    want(rows, setup(product="generate"), platforms=["shop"], takes={}, photos=photos)
    assert len(photos.prefetched) == 3


def test_another_photo_is_the_reason_for_another_picture() -> None:
    """The same words, another photo: planned again, and it says why."""
    before, now = only(), only(replace(CUP, images=("new.jpg",)))
    assert before.render_key != now.render_key
    (picture,) = plan([now], {now.key: recorded_as(before)}, {}).pictures
    assert (picture.action, picture.reason, picture.reason_zh) == ("render", "photo changed", "照片有改动")


def test_another_order_of_the_rest_changes_nothing() -> None:
    """Only the photo that is used counts."""
    assert only().render_key == only(replace(CUP, images=("cup.jpg", "other.jpg"))).render_key


def test_smaller_sizes_are_bound_and_differ_in_nothing_else() -> None:
    """The name stays that of the wanted size; only the node of the size is another."""
    found = only(of=setup(smaller_sizes=((48, 48), (32, 32))))
    assert [(s.width, s.height) for s in found.smaller] == [(48, 48), (32, 32)]
    for small in found.smaller:
        assert small.graph["n4"]["inputs"] | {"width": 64, "height": 64} == found.graph["n4"]["inputs"]
        assert small.graph["n4"]["inputs"]["width"] == small.width
        assert all(small.graph[name] == found.graph[name] for name in found.graph if name != "n4")
    assert found.render_key == only().render_key


def test_model_files_are_those_of_the_role() -> None:
    """They group pictures, so a role's own LoRA counts; pictures of a role share one list."""
    nodes = photo_graph("reference")
    nodes["lora"] = node(
        "LoraLoaderModelOnly", model=["n1", 0], lora_name="drawn.safetensors", strength_model=1.0
    )
    nodes["n5"]["inputs"]["model"] = ["lora", 0]
    of = setup(inputs={"lora": "mine.safetensors"})
    of = replace(of, workflows={"turbo": parse_workflow("turbo", json.dumps(nodes))})
    rows = [(0, replace(CUP, sku="A")), (1, replace(CUP, sku="B"))]
    found, _ = want(rows, of, platforms=["shop"], takes={}, photos=Photos())
    assert found[0].models == ("a.safetensors", "mine.safetensors")
    assert found[0].models is found[1].models
    assert found[0].graph["n4"] is found[1].graph["n4"], "what a role sets is bound once for all its pictures"


def test_settings_of_a_role_reach_the_graph_and_a_batch_is_one() -> None:
    """Whatever number of pictures the file draws."""
    nodes = photo_graph("reference")
    nodes["n4"]["inputs"]["batch_size"] = 4
    nodes["n5"]["inputs"] |= {"sampler_name": "euler", "scheduler": "normal"}
    of = setup(inputs={"sampler": "res_multistep", "cfg": 2.5})
    of = replace(of, workflows={"turbo": parse_workflow("turbo", json.dumps(nodes))})
    inputs = only(of=of).graph["n5"]["inputs"]
    assert (inputs["sampler_name"], inputs["scheduler"], inputs["cfg"]) == ("res_multistep", "normal", 2.5)
    assert only(of=of).graph["n4"]["inputs"]["batch_size"] == 1


def test_a_note_and_a_photo_go_together() -> None:
    """A new take of a picture made from a photo has the same photo."""
    key = only().key
    (found,), _ = want([(0, CUP)], setup(), platforms=["shop"], takes={key: Take(number=2)}, photos=Photos())
    assert found.pictures == only().pictures
    assert found.render_key != only().render_key


# Bringing photos into the store


class Blobs:
    """Bytes in memory."""

    def __init__(self) -> None:
        self.kept: dict[Digest, bytes] = {}

    def put(self, content: bytes) -> Digest:
        """Keep bytes."""
        self.kept[digest(content)] = content
        return digest(content)

    def get(self, name: Digest) -> bytes:
        """Kept bytes."""
        return self.kept[name]

    def has(self, name: Digest) -> bool:
        """Whether they are kept."""
        return name in self.kept


def services(photos: Photos | None) -> Services:
    """What keeping photos needs of a house."""
    nothing = cast("Any", None)
    return Services(
        setup=nothing,
        enabled=(),
        ledger=nothing,
        blobs=Blobs(),
        listings=nothing,
        is_placeholder=False,
        photos=photos,
    )


def with_picture(location: str) -> Wanted:
    """A picture that needs a photo."""
    return wanted(location, pictures={name_of(location): digest(location.encode())})


def test_photos_are_stored_once_before_anything_is_rendered() -> None:
    """Two pictures of one photo read it once, and one that is stored is not read again."""
    photos = Photos()
    house = services(photos)
    pictures = [with_picture("cup.jpg"), with_picture("cup.jpg"), with_picture("back.jpg"), wanted()]
    kept = keep_photos(pictures, house)
    assert kept == {name_of("cup.jpg"): digest(b"cup.jpg"), name_of("back.jpg"): digest(b"back.jpg")}
    assert house.blobs.get(digest(b"cup.jpg")) == b"cup.jpg"
    assert len(photos.read_names) == 2
    assert keep_photos(pictures, house) == kept
    assert len(photos.read_names) == 2
    assert with_photos(pictures, kept) == tuple(pictures)


def test_a_photo_that_changed_meanwhile_lets_its_picture_wait() -> None:
    """Nothing is rendered from other bytes than were planned; the next plan has the new ones."""
    pictures = [with_picture("cup.jpg"), with_picture("back.jpg")]
    kept = keep_photos(pictures, services(Photos("cup.jpg")))
    assert with_photos(pictures, kept) == (pictures[1],)
    assert with_photos(pictures, keep_photos(pictures, services(None))) == ()


@pytest.mark.parametrize(
    "name", ["z_image_turbo_img2img", "z_image_turbo_controlnet", "qwen_image_edit_2511"]
)
def test_shipped_graphs_take_a_photo(name: str) -> None:
    """The file that ships has a name that is no photo's, and it is always replaced."""
    path = Path(__file__).parents[2] / "config" / "workflows" / f"{name}.json"
    of = setup()
    of = replace(of, workflows={"turbo": parse_workflow(name, path.read_text(encoding="utf-8"))})
    assert "product.png" not in json.dumps(dict(only(of=of).graph))
