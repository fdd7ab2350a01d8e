"""PURE: which pictures a catalog wants, each with its prompt, its graph and its name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import ItemError
from catalog_imagegen.domain.imaging import (
    FIRST_TAKE,
    Blocked,
    ImageKey,
    ImageRole,
    Platform,
    Take,
    Wanted,
    item_id,
)
from catalog_imagegen.domain.lettering import Layout, OwnFont
from catalog_imagegen.pipeline.album import Album, NoPhotos
from catalog_imagegen.pipeline.binding import Ask, Bench, Subject, bench_for, bind
from catalog_imagegen.pipeline.designing import Designer
from catalog_imagegen.pipeline.ports import Photos
from catalog_imagegen.pipeline.screener import Screener
from catalog_imagegen.stages.prompt import PromptBook
from catalog_imagegen.stages.screening import NOTHING, Screen
from catalog_imagegen.stages.workflow import Workflow


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything in a workspace that decides what a catalog row becomes."""

    roles: Mapping[str, ImageRole]
    platforms: Mapping[str, Platform]
    """Every platform known, enabled or not."""
    workflows: Mapping[str, Workflow]
    prompts: PromptBook
    sources: Mapping[str, str] = field(default_factory=dict)
    """File name → text of all that pictures are made by: workflows, templates, vocabulary."""
    screen: Screen = NOTHING
    """The words that pictures must not show."""
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    fonts: Mapping[str, OwnFont] = field(default_factory=dict)

    def screener(self) -> Screener:
        """What looks for these words in the texts of products."""
        enabled = {name: role for name, role in self.roles.items() if role.enabled}
        return Screener(self.screen, self.prompts, enabled, self.designer())

    def designer(self) -> Designer:
        """What sets texts on pictures, and pictures beside each other."""
        return Designer(self.prompts, self.roles, self.layouts, self.fonts)


@dataclass(frozen=True, slots=True)
class Wish:
    """What ``want`` is asked about some products, in a form that can travel to another process."""

    rows: Sequence[tuple[int, Product]]
    platforms: tuple[str, ...]
    takes: Mapping[ImageKey, Take]
    subjects: frozenset[str]
    relatives: Sequence[Product]
    others: frozenset[str] = frozenset()
    """SKUs that photos may be called after, be they among the rows or not; none where there are no photos."""

    def come_true(self, setup: Setup, photos: Photos | None = None) -> Pictures:
        """Bind the pictures."""
        return want(
            self.rows,
            setup,
            platforms=self.platforms,
            takes=self.takes,
            subjects=self.subjects,
            relatives=self.relatives,
            others=self.others,
            photos=photos,
        )


Pictures = tuple[list[Wanted], list[Blocked]]


class Planner(Protocol):
    """Has wishes come true, maybe elsewhere: a large plan is mostly prompts to be written."""

    @property
    def ahead(self) -> int:
        """How many wishes it is best given before the result of the first one is asked for."""
        ...

    def begin(self, wish: Wish) -> Callable[[], Pictures]:
        """Start with a wish; what is returned waits until it has come true. None of its roles may need photos."""
        ...


@dataclass(frozen=True, slots=True)
class PlannerHere:
    """A planner that does it when it is asked for, with photos."""

    setup: Setup
    photos: Photos | None = None
    ahead: int = 0

    def begin(self, wish: Wish) -> Callable[[], Pictures]:
        """See the port."""
        return lambda: wish.come_true(self.setup, self.photos)


def want(
    rows: Sequence[tuple[int, Product]],
    setup: Setup,
    *,
    platforms: Iterable[str],
    takes: Mapping[ImageKey, Take],
    subjects: Collection[str] | None = None,
    relatives: Sequence[Product] = (),
    others: frozenset[str] = frozenset(),
    photos: Photos | None = None,
) -> Pictures:
    """Bind every picture the *platforms* take of these products, in catalog order.

    *rows* are products with their positions in their catalog. *subjects* narrows it down; *relatives* are variants
    that are not in the catalog now but may speak for their SPU; *photos* finds those that pictures are made of, and
    *others* are SKUs elsewhere that one may be called after.
    """
    wanted: list[Wanted] = []
    blocked: list[Blocked] = []
    by_scope = {"sku": _sku_subjects(rows), "spu": _spu_subjects(rows, relatives)}
    if subjects is not None:
        by_scope = {scope: [s for s in found if s.id in subjects] for scope, found in by_scope.items()}
    asked = list(asks(by_scope, setup, _limits(setup, platforms)))
    album = Album(photos or NoPhotos(), others.union(product.sku for _, product in rows))
    album.collect((ask.role, ask.subject.product, setup.workflows[ask.role.workflow]) for ask in asked)
    benches: dict[str, Bench] = {}
    screener, designer = setup.screener(), setup.designer()
    for ask in asked:
        if ask.role.name not in benches:
            benches[ask.role.name] = bench_for(ask.role, setup.workflows[ask.role.workflow])
        try:
            picture = bind(ask, setup.prompts, takes.get(ask.key, FIRST_TAKE), benches[ask.role.name], album)
            words = designer.words(ask.role, ask.subject.product, ask.item_text, picture.prompt)
            wanted.append(screener.passed(picture, ask.subject.product, words))
        except ItemError as error:
            blocked.append(
                Blocked(
                    key=ask.key,
                    item_text=ask.item_text,
                    slot=ask.slot,
                    order=ask.subject.order,
                    sku=ask.subject.product.sku,
                    name=ask.subject.product.name,
                    reason_en=error.message_en,
                    reason_zh=error.message_zh,
                    platforms=ask.platforms,
                )
            )
    return wanted, blocked


def _limits(setup: Setup, platforms: Iterable[str]) -> Mapping[str, Mapping[str, int]]:
    """Role → platform → how many pictures of one subject its placements can show."""
    limits: dict[str, dict[str, int]] = {}
    rendered = setup.designer().rendered
    for name in platforms:
        for placement in setup.platforms[name].placements:
            for role in rendered(placement.roles):
                by_platform = limits.setdefault(role, {})
                # Placements show the same pictures, each from the first on.
                by_platform[name] = max(by_platform.get(name, 0), placement.count)
    return limits


def most_pictures(setup: Setup, platforms: Iterable[str]) -> int:
    """How many pictures one product can have at most."""
    limits = _limits(setup, platforms)
    roles = (role for role in setup.roles.values() if role.enabled and role.name in limits)
    return sum(min(role.max, max(limits[role.name].values())) for role in roles)


def deciding_columns(setup: Setup) -> frozenset[str] | None:
    """The columns that decide which pictures there are and what they show; None where it may be any."""
    found: set[str] = {"sku", "spu", "name", "images"}
    designer = setup.designer()
    for role in setup.roles.values():
        if not role.enabled or role.stitch:
            continue
        for read in (setup.prompts.columns_of(role.name), designer.columns(role)):
            if read is None:
                return None
            found |= read
        found |= {role.items_from}
    return frozenset(found)


def asks(
    by_scope: Mapping[str, Sequence[Subject]], setup: Setup, limits: Mapping[str, Mapping[str, int]]
) -> Iterator[Ask]:
    """Every picture to ask for: subjects in catalog order, then roles, then items."""
    order = {role: i for i, role in enumerate(setup.roles)}
    takers: dict[tuple[str, int], frozenset[str]] = {}
    for role, by_platform in limits.items():
        for slot in range(1, max(by_platform.values()) + 1):
            takers[role, slot] = frozenset(p for p, count in by_platform.items() if slot <= count)
    found = [
        Ask(
            key=ImageKey(subject.id, role.name, item_id(text)),
            subject=subject,
            role=role,
            item_text=text,
            slot=slot,
            platforms=takers[role.name, slot],
        )
        for role in setup.roles.values()
        if role.enabled and role.name in limits
        for subject in by_scope[role.scope]
        for slot, text in enumerate(items(role, subject.product, setup.prompts), start=1)
        if slot <= max(limits[role.name].values())
    ]
    yield from sorted(found, key=lambda a: (a.subject.order, order[a.role.name], a.slot))


def items(role: ImageRole, product: Product, prompts: PromptBook) -> list[str]:
    """The items of a role for one product, at most ``role.max``, without repeats."""
    if role.items_from:
        texts: Sequence[str] = getattr(product, role.items_from)
        if role.items_need:
            table, _, entry = role.items_need.partition(".")
            texts = prompts.matching(table, texts, entry)
        texts = texts or role.default_items
    else:
        texts = role.items
    distinct: dict[str, str] = {}
    for text in texts:
        distinct.setdefault(item_id(text), text)
    return list(distinct.values())[: role.max]


def spu_subject(product: Product) -> str:
    """The subject that variants share."""
    return f"spu:{product.family}"


def _sku_subjects(rows: Sequence[tuple[int, Product]]) -> list[Subject]:
    return [Subject(f"sku:{product.sku}", product, position) for position, product in rows]


def _spu_subjects(rows: Sequence[tuple[int, Product]], relatives: Sequence[Product]) -> list[Subject]:
    """One subject per SPU; its smallest SKU speaks, so that the order of rows does not matter."""
    order: dict[str, int] = {}
    for position, product in rows:
        order.setdefault(spu_subject(product), position)
    speakers: dict[str, Product] = {}
    for product in sorted([*(product for _, product in rows), *relatives], key=lambda p: p.sku):
        speakers.setdefault(spu_subject(product), product)
    return [Subject(subject, speakers[subject], position) for subject, position in order.items()]
