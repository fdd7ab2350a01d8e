"""Takes down what a reviewer says of pictures, each by the bytes that were looked at."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.domain.imaging import Render, Take
from catalog_imagegen.domain.job import Decision, PictureStatus, Refusal, Rejection
from catalog_imagegen.pipeline.ports import Ledger
from catalog_imagegen.pipeline.prepare import Services, check_names
from catalog_imagegen.pipeline.publish import open_publisher
from catalog_imagegen.pipeline.want import spu_subject

Outcome = Literal["approved", "rejected", "used_up", "withdrawn", "refused"]

REFUSALS: Mapping[Refusal, tuple[str, str]] = {
    "not_wanted": (
        "no enabled platform takes this picture any more; nothing to review",
        "已没有启用的平台需要这张图片，无需审核",
    ),
    "replaced": (
        "the picture you looked at has just been replaced by a newer one; look at that one and decide again",
        "您看到的图片刚被新图替换；请查看新图后再决定",
    ),
    "outdated": (
        "its row, template or settings changed since it was made; run again, then review the new picture",
        "生成后商品行、模板或设置有改动；请重新运行，再审核新图",
    ),
    "asked_again": (
        "a new take has been asked for; run again, then review that one",
        "已要求重拍；请重新运行后审核新图",
    ),
    "rejected_already": (
        "it is rejected already; the next run makes a new take",
        "已经退回，下次运行会重拍",
    ),
}
"""Why a word does not count and what to do, in English and Chinese."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The pictures that a review is about; empty means any."""

    skus: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    slot: int | None = None
    category: str = ""
    render: str = ""
    """The beginning of the digest of the picture that was looked at."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of one picture in a review."""

    sku: str
    picture: PictureStatus
    outcome: Outcome
    reason_en: str = ""
    reason_zh: str = ""


def approve(scope: Scope, services: Services) -> list[Reviewed]:
    """Approve the pictures in *scope* that wait for it, and bring the listings of the scope up to date."""
    pictures = _in_scope(scope, services)
    try:
        return [
            _outcome(sku, picture, "approved", services.ledger.approve(picture.key, render.digest))
            for sku, picture, render in _open(pictures, scope, services, "approved")
        ]
    finally:
        _publish({sku for sku, _ in pictures}, services)


def reject(scope: Scope, services: Services, *, reason: str, note: str = "") -> list[Reviewed]:
    """Reject the pictures in *scope*; each gets one new take, with *note* in its prompt, while any are left."""
    pictures = _in_scope(scope, services)
    found = []
    try:
        for sku, picture, render in _open(pictures, scope, services, "rejected"):
            said = services.ledger.reject(
                picture.key, render.digest, reason=reason, note=note, at_most=services.retakes
            )
            found.append(_outcome(sku, picture, "rejected", said))
    finally:
        _publish({sku for sku, _ in pictures}, services)
    return found


def _publish(skus: Collection[str], services: Services) -> None:
    """Write what a review changed; also what one that was cut off left to be written."""
    publisher = open_publisher(services)
    publisher.refresh(services.setup.platforms.values(), skus, enabled=services.enabled)


def _outcome(
    sku: str, picture: PictureStatus, decision: Decision, said: Take | Rejection | Refusal | None
) -> Reviewed:
    if said is None or isinstance(said, Take):
        return Reviewed(sku, picture, decision)
    if said == "used_up" or said == "withdrawn":  # noqa: PLR1714 - mypy narrows this one
        return Reviewed(sku, picture, said)
    return Reviewed(sku, picture, "refused", *REFUSALS[said])


def _open(
    pictures: Sequence[tuple[str, PictureStatus]], scope: Scope, services: Services, decision: Decision
) -> list[tuple[str, PictureStatus, Render]]:
    """(SKU, picture, render to decide about) of each picture that *decision* can be made of.

    Pictures that wait; also others where SKU and picture, or the render itself, are named. Raises
    ConfigError if there is none, unless all are approved as they should be.
    """
    if scope.render:
        return [_named(pictures, scope.render, services.ledger)]
    is_exact = bool(scope.skus and (scope.slot or scope.roles))
    found = [
        (sku, picture, picture.render)
        for sku, picture in pictures
        if picture.render is not None
        and (picture.is_waiting or is_exact)
        and (decision, picture.state) != ("approved", "approved")
    ]
    is_done = decision == "approved" and all(p.state == "approved" for _, p in pictures)
    if not found and not (is_done and pictures):
        raise _nothing_to_review([p for _, p in pictures])
    return found


def _named(
    pictures: Iterable[tuple[str, PictureStatus]], digest: str, ledger: Ledger
) -> tuple[str, PictureStatus, Render]:
    """The one picture that a render shows or showed. Raises ConfigError unless there is exactly one."""
    found = [
        (sku, picture, render)
        for sku, picture in pictures
        for render in ledger.renders_of(picture.key)
        if render.digest.startswith(digest)
    ]
    if len(found) != 1:
        raise ConfigError(
            f"{len(found) or 'no'} renders here begin with {digest}; copy the whole name from "
            "catalog-imagegen status SKU or from the report",
            zh=f"有 {len(found)} 张图片的编号以 {digest} 开头；请从 catalog-imagegen status SKU 或报表复制完整编号",
            code="no_such_render",
        )
    return found[0]


def _in_scope(scope: Scope, services: Services) -> list[tuple[str, PictureStatus]]:
    """The pictures of a scope, each with the first SKU that shows it. Raises ConfigError for unknown names."""
    products = services.ledger.products()
    check_names("SKU", scope.skus, [p.sku for p in products])
    check_names("role", scope.roles, services.setup.roles)
    if scope.category:
        check_names("category", [scope.category], dict.fromkeys(p.category for p in products))
    owners = _owners(p for p in products if _is_meant(p, scope))
    roles = set(services.setup.designer().rendered(scope.roles))
    return [
        (owners[picture.key.subject], picture)
        for picture in services.ledger.pictures(owners)
        if (not roles or picture.key.role in roles) and scope.slot in (None, picture.slot)
    ]


def _is_meant(product: Product, scope: Scope) -> bool:
    return (not scope.skus or product.sku in scope.skus) and scope.category in ("", product.category)


def _owners(products: Iterable[Product]) -> dict[str, str]:
    """Subject → the first SKU that shows its pictures."""
    owners: dict[str, str] = {}
    for product in products:
        owners[f"sku:{product.sku}"] = product.sku
        owners.setdefault(spu_subject(product), product.sku)
    return owners


def _nothing_to_review(pictures: Collection[PictureStatus]) -> ConfigError:
    there = ", ".join(f"{p.key.role} {p.slot}: {p.state}" for p in list(pictures)[:8]) or "no pictures"
    return ConfigError(
        f"no picture here waits for review ({there}); name the SKU and its --role or --slot to change what is "
        "decided, or make pictures with run",
        zh=f"没有待审核的图片（{there}）；要更改已有的决定，请写明货号和 --role 或 --slot；或先用 run 生成",
        code="nothing_to_review",
    )
