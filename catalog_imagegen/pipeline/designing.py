"""PURE: what files show beside their renders: texts of layouts, two pictures side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.design import PLAIN, Design, Pair
from catalog_imagegen.domain.errors import ItemError
from catalog_imagegen.domain.imaging import ImageKey, ImageRole, Prompt, Verdict
from catalog_imagegen.domain.job import PictureStatus
from catalog_imagegen.domain.lettering import Layout, OwnFont, TextBox
from catalog_imagegen.stages.listing import Shown
from catalog_imagegen.stages.prompt import PromptBook, drawn


@dataclass(frozen=True, slots=True)
class Words:
    """A text that a picture shows, and the setting that puts it there."""

    place: str
    text: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.place


def box_place(layout: str, box: str) -> str:
    """Where the text of a box is written: also the name of its template."""
    return f"config/layouts.toml: layouts.{layout}.{box}"


def label_place(role: str, number: int) -> str:
    """Where the first or second label of a role is written."""
    return f"config/roles.toml: roles.{role}.labels {number}"


def text_templates(roles: Mapping[str, ImageRole], layouts: Mapping[str, Layout]) -> Mapping[str, str]:
    """All texts that pictures show, as a book of prompts has them: place → template."""
    boxes = {box_place(name, box.name): box.text for name, layout in layouts.items() for box in layout.boxes}
    labels = {
        label_place(role.name, number): label
        for role in roles.values()
        for number, label in enumerate(role.labels, start=1)
    }
    return {**boxes, **labels}


@dataclass(frozen=True, slots=True)
class Designer:
    """Fills layouts over products, and knows which pictures stand side by side."""

    prompts: PromptBook
    roles: Mapping[str, ImageRole]
    layouts: Mapping[str, Layout]
    fonts: Mapping[str, OwnFont]

    def rendered(self, roles: Iterable[str]) -> Iterator[str]:
        """The roles that are rendered for pictures of these: themselves, or the two that stand side by side."""
        for name in roles:
            role = self.roles.get(name)
            yield from role.stitch if role and role.stitch and role.enabled else (name,)

    def columns(self, role: ImageRole) -> frozenset[str] | None:
        """The columns that decide its texts, or those of the pictures it is part of; None where it may be any."""
        found: set[str] = set()
        for each in (role, *self._wholes(role)):
            read = self.prompts.columns_in(place for place in self._places(each))
            if read is None:
                return None
            found |= read | ({"promo_start", "promo_end"} if each.layout or each.stitch else set())
            found |= {"brand"} if each.stitch else set()
        return frozenset(found)

    def words(self, role: ImageRole, product: Product, item: str, prompt: Prompt) -> Sequence[Words]:
        """All that is written on a picture, and beside it where it is one of two. Raises ItemError for what cannot be."""
        found: list[Words] = []
        # Most roles have no layout, and their prompts need not be looked through.
        if role.layout and self._is_lettered(role, has_text=bool(drawn(prompt.positive))):
            found += self._checked(role, product, item)
        for whole in self._wholes(role):
            found += self._labels_checked(whole, product, item)
            if whole.layout:
                found += self._checked(whole, product, item)
        return found

    def design(self, shown: Shown, product: Product, status: PictureStatus) -> Design:
        """What the files of a picture show beside its render; of texts that are refused by now, that they are."""
        role, has_text = self.roles.get(shown.key.role), shown.render.has_text
        if has_text is None:
            has_text = bool(drawn(status.prompt.positive))
        if role is None or not self._is_lettered(role, has_text=has_text):
            return PLAIN
        refused = refusals(status)
        return Design(faults=refused) if refused else self._lettered(role, product, shown.item_text)

    def pairs(
        self, pictures: Iterable[Shown], product: Product, refused: Mapping[ImageKey, tuple[Verdict, ...]]
    ) -> Iterator[Shown]:
        """What of one subject's pictures is shown side by side: of each role, both pictures of an item.

        Where the texts of one are *refused* the pair is made without its own.
        """
        by_key = {picture.key: picture for picture in pictures}
        for role in self.roles.values():
            if not role.stitch or not role.enabled:
                continue
            for first in [picture for picture in by_key.values() if picture.key.role == role.stitch[0]]:
                second = by_key.get(first.key._replace(role=role.stitch[1]))
                if second is not None:
                    faults = tuple(dict.fromkeys(refused.get(first.key, ()) + refused.get(second.key, ())))
                    yield self._pair(role, first, second, product, faults)

    def _pair(
        self, role: ImageRole, first: Shown, second: Shown, product: Product, faults: tuple[Verdict, ...]
    ) -> Shown:
        own = (product.brand,) if product.brand else ()
        pair = Pair(second.render, ("", ""), own, role.width, role.height)
        design = Design(pair=pair, faults=faults)
        if not faults:
            design = replace(
                self._lettered(role, product, first.item_text) if role.layout else PLAIN, pair=pair
            )
            try:
                one, other = (words.text for words in self._labels_checked(role, product, first.item_text))
                design = replace(design, pair=replace(pair, labels=(one, other)))
            except ItemError as error:
                design = replace(design, faults=(*design.faults, _fault(error)))
        return replace(
            first,
            key=ImageKey(first.key.subject, role.name, first.key.item),
            is_approved=first.is_approved and second.is_approved,
            is_current=first.is_current and second.is_current,
            design=design,
        )

    def shown_in(self, role: ImageRole) -> frozenset[str]:
        """The roles in whose pictures those of this one are seen, itself included."""
        return frozenset({role.name, *(each.name for each in self._wholes(role))})

    def _wholes(self, role: ImageRole) -> list[ImageRole]:
        """The roles in whose pictures those of this one stand."""
        return [each for each in self.roles.values() if each.enabled and role.name in each.stitch]

    def _is_lettered(self, role: ImageRole, *, has_text: bool) -> bool:
        """Whether the layout sets the words: always, or where the model was asked for none."""
        is_left_to_it = role.text == "model" and not has_text
        return bool(role.layout) and (role.text == "overlay" or is_left_to_it)

    def _places(self, role: ImageRole) -> Iterator[str]:
        """The names of its texts."""
        if role.layout:
            yield from (box_place(role.layout, box.name) for box in self.layouts[role.layout].boxes)
        yield from (label_place(role.name, number) for number, _ in enumerate(role.labels, start=1))

    def _boxes(self, role: ImageRole, product: Product, item: str) -> tuple[TextBox, ...]:
        """The boxes of a role's layout that have a text."""
        layout = self.layouts[role.layout]
        texts = {
            box.name: self.prompts.fill(box_place(layout.name, box.name), product, item=item, role=role.name)
            for box in layout.boxes
        }
        return tuple(box for box in layout.filled(texts) if box.text)

    def _lettered(self, role: ImageRole, product: Product, item: str) -> Design:
        """The texts of a layout as they are drawn; whether they fit shows when they are."""
        from catalog_imagegen.stages.lettering import check_promotion  # noqa: PLC0415 - fonts are for those who write

        try:
            boxes = self._boxes(role, product, item)
            check_promotion(boxes, starts=product.promo_start, ends=product.promo_end)
        except ItemError as error:
            return Design(faults=(_fault(error),))
        return Design(boxes, self._fonts(boxes))

    def _fonts(self, boxes: Iterable[TextBox]) -> tuple[OwnFont, ...]:
        return tuple(self.fonts[name] for name in sorted({box.font for box in boxes}) if name in self.fonts)

    def _checked(self, role: ImageRole, product: Product, item: str) -> list[Words]:
        """The texts of a layout, as far as words alone can tell that they are to be drawn."""
        from catalog_imagegen.stages.lettering import Fonts, check_promotion, prepared  # noqa: PLC0415

        boxes = self._boxes(role, product, item)
        check_promotion(boxes, starts=product.promo_start, ends=product.promo_end)
        fonts = Fonts({font.name: font.path for font in self._fonts(boxes)})
        for box in boxes:
            fonts.check(prepared(box.text), box.font, where=box.name)
        return [Words(box_place(role.layout, box.name), box.text) for box in boxes]

    def _labels_checked(self, role: ImageRole, product: Product, item: str) -> list[Words]:
        """What is written on the halves of a comparison."""
        from catalog_imagegen.stages.lettering import Fonts, check_label, check_promotion, prepared  # noqa: PLC0415

        found = []
        for number in (1, 2):
            place = label_place(role.name, number)
            text = self.prompts.fill(place, product, item=item, role=role.name)
            check_label(text, own=[product.brand])
            Fonts().check(prepared(text), where=place)
            found.append(Words(place, text))
        check_promotion(found, starts=product.promo_start, ends=product.promo_end)
        return found


NOTHING_DRAWN = Designer(PromptBook({}, {}), {}, {}, {})
"""Of a workspace without layouts."""


def refusals(status: PictureStatus) -> tuple[Verdict, ...]:
    """Why the texts of a picture that still stands are not to be set any more: its row has others by now, and no prompt."""
    if status.state != "blocked" or status.prompt.positive or not status.reason_en:
        return ()
    return (Verdict("text_blocked", "fail", status.reason_en, status.reason_zh),)


def _fault(error: ItemError) -> Verdict:
    """Why a file is made without its texts."""
    return Verdict(error.code, "fail", error.message_en, error.message_zh)
