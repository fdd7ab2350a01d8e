"""PURE: asks a model to draw no more text than it can draw."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.imaging import ImageRole
from catalog_imagegen.stages.prompt import PromptBook, PromptError, Written, drawn

MOST_TEXTS, MOST_CHARACTERS = 3, 8
"""What Z-Image draws mostly without mistakes: as many quoted texts, each so long."""
NO_TEXT = "文字留给版式"
"""A note that says so leaves the text to the layout; so does the wording that the gate ``wrong_text`` asks with."""


def write_within(
    role: ImageRole, product: Product, *, item: str, note: str, prompts: PromptBook, in_scene: bool = False
) -> Written:
    """The prompt of a picture, or *in_scene* of the scene that its product is placed in.

    Where the model would have to draw too much text, one that leaves all of it to the layout.

    Raises PromptError, also where the role has no layout.
    """
    write = partial(prompts.write, role.name, product, item=item, in_scene=in_scene)
    if role.text != "none" and NO_TEXT in note:
        note = "，".join(part for part in note.split("，") if part.strip() != NO_TEXT)
        if role.layout:
            return write(note=note, text="overlay")
    written = write(note=note, text=role.text)
    if role.text != "model" or not (why := _too_much(drawn(written.prompt.positive))):
        return written
    if not role.layout:
        raise PromptError(
            f"{role.name}.j2: SKU {product.sku}: the model would have to draw {why}, and draws at most {MOST_TEXTS} texts "
            f"of {MOST_CHARACTERS} characters; shorten the text, or give the role a layout",
            zh=f"{role.name}.j2：SKU {product.sku}：要求模型画出 {why}，而模型最多画 {MOST_TEXTS} 段、每段 {MOST_CHARACTERS} 字；"
            "请缩短文字，或为该角色设置 layout",
            code="too_much_text",
        )
    return write(note=note, text="overlay")


def _too_much(texts: Sequence[str]) -> str:
    """The texts that the model is asked for, where these are too many or too long."""
    is_too_much = len(texts) > MOST_TEXTS or any(len(text) > MOST_CHARACTERS for text in texts)
    return "、".join(texts) if is_too_much else ""
