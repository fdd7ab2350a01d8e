"""Small values for the tests of the pure half: say what matters, the rest is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint, digest, fingerprint
from catalog_imagegen.domain.imaging import (
    FIRST_TAKE,
    Citation,
    Confidence,
    Figure,
    FigureValue,
    ImageKey,
    ImageRole,
    Placement,
    Platform,
    Prompt,
    Render,
    Scope,
    Wanted,
    item_id,
)
from catalog_imagegen.domain.job import PictureState, PictureStatus, Record
from catalog_imagegen.stages.listing import Shown

Node = dict[str, Any]


def product(sku: str = "A1", **fields: Any) -> Product:
    """A kettle, or whatever *fields* make of it."""
    return replace(Product(sku=sku, name="电水壶"), **fields)


def role(name: str = "main", **fields: Any) -> ImageRole:
    """A role with one constant item."""
    return replace(ImageRole(name=name, workflow="turbo", width=64, height=64, items=("正面",)), **fields)


def placement(name: str = "main", **fields: Any) -> Placement:
    """A square of 800 pixels filled from the role of its own name."""
    return replace(Placement(name=name, roles=(name,), width=800, height=800), **fields)


def figure(about: str, value: FigureValue, confidence: Confidence = "official", **fields: Any) -> Figure:
    """What a platform says, from a source that does not matter."""
    source = Citation(id="help", title="Help page", kind="official")
    return replace(Figure(about, value, confidence, source), **fields)


def platform(*placements: Placement, name: str = "shop", listing_per: Scope = "sku") -> Platform:
    """A marketplace with these placements."""
    return Platform(name=name, title=name, listing_per=listing_per, placements=placements)


def key(subject: str = "sku:A1", role: str = "main", item: str = "正面") -> ImageKey:
    """The key of one picture, its item given as text."""
    return ImageKey(subject, role, item_id(item))


def name_of(text: str) -> Fingerprint:
    """A fingerprint that differs by *text*."""
    return fingerprint("test", 1, text)


def wanted(text: str = "x", **fields: Any) -> Wanted:
    """A wanted picture whose render is named by *text*."""
    made = Wanted(
        key=key(),
        item_text="正面",
        slot=1,
        order=0,
        sku="A1",
        name="电水壶",
        take=FIRST_TAKE,
        prompt=Prompt("一只电水壶"),
        graph={},
        prefix_at=("7", "filename_prefix"),
        render_key=name_of(text),
        width=64,
        height=64,
        workflow="turbo",
        seed=1,
    )
    return made._replace(**fields)


def render(text: str = "x", *, placeholder: bool = False) -> Render:
    """A render of the picture that ``wanted(text)`` names."""
    content: Digest = digest(text.encode())
    return Render(name_of(text), content, width=64, height=64, placeholder=placeholder)


def shown(of: ImageKey | None = None, **fields: Any) -> Shown:
    """A current draft that a listing may show."""
    made = Shown(
        key=of or key(),
        slot=1,
        order=0,
        item_text="正面",
        render=render(),
        is_approved=False,
        is_current=True,
    )
    return replace(made, **fields)


def picture_status(state: PictureState = "draft", **fields: Any) -> PictureStatus:
    """One picture's standing; drafts, approved and stale ones have a render."""
    is_made = state in ("draft", "approved", "stale")
    made = PictureStatus(
        key=key(),
        item_text="正面",
        slot=1,
        order=0,
        state=state,
        take=FIRST_TAKE,
        render=render() if is_made else None,
        is_current=is_made,
        approved=render() if state == "approved" else None,
    )
    return replace(made, **fields)


def recorded_as(before: Wanted) -> Record:
    """What the ledger holds once *before* has been planned."""
    return Record(before.key, take=before.take, render_key=before.render_key, made_of=before.made_of)


def node(class_type: str, *, title: str = "", **inputs: Any) -> Node:
    """One node of an API graph; links are ``[node id, slot]``."""
    body: Node = {"class_type": class_type, "inputs": inputs}
    return body | ({"_meta": {"title": title}} if title else {})


def graph(**changes: Node | None) -> dict[str, Node]:
    """A plain text-to-image graph, with nodes (``n3 = …``) replaced, added or, if None, left out."""
    nodes: Mapping[str, Node | None] = {
        "n1": node("CheckpointLoaderSimple", ckpt_name="a.safetensors"),
        "n2": node("CLIPTextEncode", clip=["n1", 1], text="old positive"),
        "n3": node("CLIPTextEncode", clip=["n1", 1], text="old negative"),
        "n4": node("EmptyLatentImage", width=512, height=512, batch_size=1),
        "n5": node(
            "KSampler",
            model=["n1", 0],
            positive=["n2", 0],
            negative=["n3", 0],
            latent_image=["n4", 0],
            seed=7,
            steps=20,
            cfg=8.0,
        ),
        "n6": node("VAEDecode", samples=["n5", 0], vae=["n1", 2]),
        "n7": node("SaveImage", images=["n6", 0], filename_prefix="old"),
        **changes,
    }
    return {name: body for name, body in nodes.items() if body is not None}


def interface_graph() -> dict[str, Any]:
    """A plain text-to-image graph as ComfyUI's Save button writes it."""
    nodes: tuple[tuple[str, dict[str, int], dict[str, list[int]], list[Any]], ...] = (
        ("CheckpointLoaderSimple", {}, {"MODEL": [1], "CLIP": [2, 3], "VAE": [8]}, ["a.safetensors"]),
        ("CLIPTextEncode", {"clip": 2}, {"CONDITIONING": [4]}, ["old positive"]),
        ("CLIPTextEncode", {"clip": 3}, {"CONDITIONING": [5]}, ["old negative"]),
        ("EmptyLatentImage", {}, {"LATENT": [6]}, [512, 512, 1]),
        (
            "KSampler",
            {"model": 1, "positive": 4, "negative": 5, "latent_image": 6},
            {"LATENT": [7]},
            [7, "randomize", 20, 8.0, "euler", "normal", 1.0],
        ),
        ("VAEDecode", {"samples": 7, "vae": 8}, {"IMAGE": [9]}, []),
        ("SaveImage", {"images": 9}, {}, ["old"]),
    )
    into = {
        link: (i, slot) for i, (_, fed, _, _) in enumerate(nodes, 1) for slot, link in enumerate(fed.values())
    }
    links = [
        [link, i, slot, *into[link], kind]
        for i, (_, _, feeding, _) in enumerate(nodes, 1)
        for slot, (kind, found) in enumerate(feeding.items())
        for link in found
    ]
    kinds = {link[0]: link[5] for link in links}
    return {
        "version": 0.4,
        "links": links,
        "nodes": [
            {
                "id": i,
                "type": kind,
                "mode": 0,
                "order": i,
                "inputs": [{"name": name, "type": kinds[link], "link": link} for name, link in fed.items()],
                "outputs": [{"name": name, "type": name, "links": found} for name, found in feeding.items()],
                "widgets_values": values,
            }
            for i, (kind, fed, feeding, values) in enumerate(nodes, 1)
        ],
    }
