"""Decides what a command is about: chooses rows, wants their pictures and plans them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from catalog_imagegen.domain.catalog import Issue, Product, Reading
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.fingerprint import Fingerprint
from catalog_imagegen.domain.gates import Gates
from catalog_imagegen.domain.imaging import Blocked, ImageKey, Platform, Render, Wanted
from catalog_imagegen.domain.job import Plan
from catalog_imagegen.pipeline.develop import Darkroom, DarkroomHere
from catalog_imagegen.pipeline.plan import plan
from catalog_imagegen.pipeline.ports import BlobStore, Ledger, Listings, Photos, TextReader
from catalog_imagegen.pipeline.shapes import check_shapes
from catalog_imagegen.pipeline.studio import Studio
from catalog_imagegen.pipeline.want import Pictures, Planner, Setup, Wish, items, spu_subject


@dataclass(frozen=True, slots=True)
class Selection:
    """The part of a catalog that a command is about; empty means all."""

    platforms: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    limit: int | None = None
    keys: frozenset[ImageKey] | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a run works with."""

    setup: Setup
    enabled: tuple[str, ...]
    """The platforms that listings are made for unless a command names others."""
    ledger: Ledger
    blobs: BlobStore
    listings: Listings
    is_placeholder: bool
    darkroom: Darkroom | None = None
    """Makes the files of listings, maybe on other processors."""
    producer: str = ""
    """Who the labels of generated pictures name as their maker."""
    signer: str = ""
    """Whose certificate signs files."""
    attempts: int = 2
    patience_s: float = 60.0
    """Seconds to wait for servers that are away."""
    group_wait_s: float = 600.0
    """Seconds that pictures may wait because others need no change of models."""
    retakes: int = 3
    """New takes of a picture that rejections ask for, at most."""
    rerolls: int = 2
    """New takes of a picture that gates ask for, at most."""
    gates: Mapping[str, Gates] = field(default_factory=dict)
    """Role → what is asked of its pictures; nothing where a role is missing."""
    reader: TextReader | None = None
    """Reads text in pictures, if that is installed."""
    sources: frozenset[str] = frozenset()
    """The configured sources; a SKU of one that is configured no longer is free for others."""
    is_usual_output: bool = True
    """Whether listings are written where they always are; elsewhere they settle nothing."""
    photos: Photos | None = None
    """Where the products' photos are."""
    studio: Studio | None = None
    """Works on photos."""
    planner: Planner | None = None
    """Writes the prompts of large plans on other processors."""

    @property
    def developing(self) -> Darkroom:
        """Where files are made."""
        return self.darkroom or DarkroomHere(self.blobs)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run would do, before anything is recorded or rendered."""

    plan: Plan
    """Everything the enabled platforms want of the chosen products."""
    chosen: frozenset[ImageKey]
    """The pictures this command is about."""
    products: tuple[Product, ...]
    platforms: tuple[Platform, ...]
    leaving: frozenset[ImageKey]
    rows: tuple[tuple[int, Product], ...] = ()
    """Rows to record, with their positions in the catalog."""
    issues: tuple[Issue, ...] = ()

    def to_render(self) -> tuple[Wanted, ...]:
        """The chosen pictures that need a server."""
        return tuple(w for w in self.plan.to_render() if w.key in self.chosen)

    def to_make(self) -> tuple[Wanted, ...]:
        """The chosen pictures that are made here, of photos."""
        return tuple(w for w in self.plan.to_make() if w.key in self.chosen)


def choose(reading: Reading, source: str, selection: Selection, services: Services) -> Prepared:
    """Plan the selected part of a catalog. Records and renders nothing.

    Where SKUs are named, the issues of others are nobody's concern.
    """
    foreign = services.ledger.foreign(source, reading.products, services.sources)
    refused = {issue.sku for issue in foreign}
    rows = [(i, p) for i, p in enumerate(reading.products) if p.sku not in refused]
    issues = (*reading.issues, *foreign)
    there = dict.fromkeys([p.sku for p in reading.products] + [issue.sku for issue in issues if issue.sku])
    check_names("SKU", selection.skus, there)
    if selection.skus:
        issues = tuple(issue for issue in issues if issue.sku in selection.skus)
    chosen = [p for _, p in rows if not selection.skus or p.sku in selection.skus][: selection.limit]
    prepared = prepare(rows, chosen, selection, services)
    # With a variant its whole family is recorded: any of them may speak for it.
    families = {p.family for p in chosen}
    recorded = tuple(row for row in rows if row[1].family in families)
    return replace(prepared, rows=recorded, issues=(*issues, *prepared.issues))


def from_ledger(selection: Selection, services: Services) -> Prepared:
    """Plan pictures of recorded products, from their last rows."""
    recorded = services.ledger.rows()
    check_names("SKU", selection.skus, [p.sku for _, p in recorded])
    chosen = [p for _, p in recorded if not selection.skus or p.sku in selection.skus]
    return prepare(recorded, chosen, selection, services)


def regenerate(
    sku: str, *, role: str, slot: int | None, seed: int | None, note: str, services: Services
) -> Prepared:
    """Ask for new takes of pictures of one SKU and plan them. Raises ConfigError if there are none."""
    keys = frozenset(pictures_of(sku, role=role, slot=slot, services=services))
    selection = Selection(skus=(sku,), keys=keys)
    planned = from_ledger(selection, services)
    photos = frozenset(p.wanted.key for p in planned.plan.pictures if p.wanted.workflow == "")
    if keys <= photos:
        names = ", ".join(sorted({key.role for key in keys}))
        raise ConfigError(
            f"{names} of {sku} is its own photo, and another take of it would be the same; use another photo, or set "
            'product = "generate" in config/roles.toml',
            zh=f"{sku} 的 {names} 是商品照片本身，重做也不会不同；请更换照片，或在 config/roles.toml 中设 "
            'product = "generate"',
            code="picture_of_photo",
        )
    keys -= photos
    if missing := keys - planned.chosen:
        names = ", ".join(sorted({key.role for key in missing}))
        raise ConfigError(
            f"no enabled platform takes {names} of {sku} now; enable one in config/app.toml (platforms), "
            "or name another --role",
            zh=f"当前启用的平台都不需要 {sku} 的 {names} 图；请在 config/app.toml 的 platforms 中启用，"
            "或用 --role 指定其他图片",
            code="picture_not_wanted",
        )
    for key in keys:
        services.ledger.add_take(key, seed=seed, note=note)
    return from_ledger(selection, services)


def recorded_products(sku: str, services: Services) -> list[Product]:
    """The recorded products, or the one called *sku*. Raises ConfigError if there is none."""
    recorded = services.ledger.products()
    if not sku:
        return recorded
    check_names("SKU", [sku], [p.sku for p in recorded])
    return [p for p in recorded if p.sku == sku]


def pictures_of(sku: str, *, role: str, slot: int | None, services: Services) -> list[ImageKey]:
    """The recorded pictures of a SKU, its own and those it shares. Raises ConfigError if there is none."""
    (product,) = recorded_products(sku, services)
    pictures = services.ledger.pictures({f"sku:{sku}", spu_subject(product)})
    if role:
        check_names("role", [role], services.setup.roles)
    roles = set(services.setup.designer().rendered([role] if role else []))
    found = [p.key for p in pictures if (not role or p.key.role in roles) and slot in (None, p.slot)]
    if not found:
        has = ", ".join(f"{p.key.role} {p.slot} ({p.item_text})" for p in pictures) or "none"
        raise ConfigError(
            f"{sku} has no picture {role or 'of any role'} {slot or ''}; it has: {has}",
            zh=f"{sku} 没有这张图片（{role} {slot or ''}）；现有：{has}",
            code="no_such_picture",
        )
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be planned, before any prompt is written."""

    wish: Wish
    chosen: Sequence[Product]
    selection: Selection
    platforms: tuple[str, ...]


def ask(
    catalog: Sequence[tuple[int, Product]],
    chosen: Sequence[Product],
    selection: Selection,
    services: Services,
    *,
    read: frozenset[str] = frozenset(),
) -> Asked:
    """Collect what must be known to want pictures of *chosen* products; the *catalog* has their families too.

    SKUs that were *read* speak for the families that they have now, not for recorded ones. They have those of the *catalog*
    among them, and are those where none are named.
    """
    setup, ledger = services.setup, services.ledger
    names = tuple(selection.platforms or services.enabled)
    check_names("platform", names, setup.platforms)
    check_names("role", selection.roles, setup.roles)
    check_shapes((setup.platforms[name] for name in names), setup.roles)
    subjects = frozenset({f"sku:{p.sku}" for p in chosen} | {spu_subject(p) for p in chosen})
    read = read or frozenset(product.sku for _, product in catalog)
    others: frozenset[str] = frozenset()
    if services.photos is not None and services.photos.has_any():
        others = read.union(ledger.skus())  # a photo may be called after any of them
    wish = Wish(
        rows=catalog,
        platforms=tuple(dict.fromkeys([*services.enabled, *names])),
        takes={key: take for key, take in ledger.takes().items() if key.subject in subjects},
        subjects=subjects,
        relatives=ledger.relatives({p.family for p in chosen}, but=read),
        others=others,
    )
    return Asked(wish, chosen, selection, names)


def prepare(
    catalog: Sequence[tuple[int, Product]],
    chosen: Sequence[Product],
    selection: Selection,
    services: Services,
) -> Prepared:
    """Plan pictures of *chosen* products; the *catalog* has their families too. Records nothing."""
    asked = ask(catalog, chosen, selection, services)
    return planned(asked, asked.wish.come_true(services.setup, services.photos), services)


def planned(asked: Asked, found: Pictures, services: Services) -> Prepared:
    """Compare the pictures that are wanted with those that are recorded. Records nothing."""
    wanted, blocked = found
    ledger, selection = services.ledger, asked.selection
    selection = replace(selection, roles=tuple(services.setup.designer().rendered(selection.roles)))
    pictures: list[Wanted | Blocked] = [*wanted, *blocked]
    chosen = frozenset(p.key for p in pictures if _is_selected(p, selection, asked.platforms))
    remarks = (remark for p in wanted if p.remarks and p.key in chosen for remark in p.remarks)
    return Prepared(
        plan=plan(wanted, ledger.records(asked.wish.subjects), _made(wanted, services), blocked),
        chosen=chosen,
        products=tuple(asked.chosen),
        platforms=tuple(services.setup.platforms[name] for name in asked.platforms),
        leaving=frozenset()
        if selection.keys is not None
        else frozenset(ledger.wanted_keys(asked.wish.subjects) - {p.key for p in pictures}),
        issues=tuple(dict.fromkeys(remarks)),
    )


def screened(products: Iterable[Product], setup: Setup, enabled: Iterable[str]) -> Iterator[Issue]:
    """What is to be said of the words of a catalog that nobody plans yet; *enabled* are platforms."""
    takers: dict[str, list[str]] = {}
    rendered = setup.designer().rendered
    for name in enabled:
        for role in {role for place in setup.platforms[name].placements for role in rendered(place.roles)}:
            if setup.roles[role].enabled:
                takers.setdefault(role, []).append(name)
    screener = setup.screener()
    for product in products:
        said = screener.remarks(product, takers, lambda role, of: items(role, of, setup.prompts))
        yield from dict.fromkeys(said)


def _made(wanted: Iterable[Wanted], services: Services) -> Mapping[Fingerprint, Render]:
    """The renders that exist, bytes and all, with the scenes that composites are made in."""
    keys = set()
    for picture in wanted:
        keys.add(picture.render_key)
        if picture.from_photo is not None and picture.from_photo.scene_key is not None:
            keys.add(picture.from_photo.scene_key)
    renders = services.ledger.renders(keys)
    return {key: render for key, render in renders.items() if services.blobs.has(render.digest)}


def _is_selected(picture: Wanted | Blocked, selection: Selection, platforms: Collection[str]) -> bool:
    return (
        (not selection.roles or picture.key.role in selection.roles)
        and not picture.platforms.isdisjoint(platforms)
        and (selection.keys is None or picture.key in selection.keys)
    )


_KINDS = {"SKU": "货号", "platform": "平台", "role": "图片角色", "category": "类目"}


def check_names(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raises ConfigError for a name that is not there, with those that are near it."""
    existing = list(known)
    in_chinese = _KINDS[kind]
    for name in names:
        if name in existing:
            continue
        if not existing:
            raise ConfigError(
                f"there is no {kind} yet; start with: catalog-imagegen run CATALOG (or, for placeholders, add --simulate)",
                zh=f"还没有任何{in_chinese}；请先运行 catalog-imagegen run CATALOG（查看样张请加 --simulate）",
                code=f"unknown_{kind.lower()}",
            )
        by_folded = {other.casefold(): other for other in existing}
        near = difflib.get_close_matches(name.casefold(), by_folded, n=3, cutoff=0.6)
        names = [by_folded[folded] for folded in near]
        there = ", ".join(existing[:8]) + (", …" if len(existing) > 8 else "")  # noqa: PLR2004 - a line's worth
        raise ConfigError(
            f"there is no {kind} {name!r}; "
            + (f"did you mean {' or '.join(names)}?" if names else f"use one of {there}"),
            zh=f"没有名为 {name} 的{in_chinese}；"
            + (f"您是否想写：{'、'.join(names)}？" if names else f"请使用：{there}"),
            code=f"unknown_{kind.lower()}",
        )
