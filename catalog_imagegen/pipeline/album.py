"""Which photos pictures are made from: those that a row names, else those that are called after its SKU."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from catalog_imagegen.domain.catalog import Issue, Product
from catalog_imagegen.domain.errors import PhotoError
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import Doubt, ImageRole, Photo
from catalog_imagegen.pipeline.ports import Photos
from catalog_imagegen.pipeline.studio import refused
from catalog_imagegen.stages.workflow import REFERENCES, Workflow

if TYPE_CHECKING:
    from catalog_imagegen.stages.product import Refusal


class NoPhotos:
    """None: for commands that are not about pictures."""

    def by_sku(self, sku: str, others: Collection[str]) -> Sequence[str]:  # noqa: ARG002 - as the port names it
        """None is called after a SKU."""
        return ()

    def prefetch(self, locations: Collection[str]) -> None:
        """Nothing is far away."""

    def look(self, location: str) -> Photo:
        """Raises PhotoError."""
        raise PhotoError(
            f"{location}: photos are not read here; run: catalog-imagegen plan CATALOG",
            zh=f"{location}：此处不读取照片；请运行 catalog-imagegen plan CATALOG",
            code="photo_not_read",
        )

    def has_any(self) -> bool:
        """None."""
        return False

    def is_near(self, location: str) -> bool:  # noqa: ARG002 - as the port names it
        """Nothing is."""
        return False

    def objection(self, photo: Photo) -> Refusal | None:  # noqa: ARG002 - as the port names it
        """Nobody asks."""
        return None

    def read(self, name: Digest) -> bytes | None:  # noqa: ARG002 - as the port names it
        """None was looked at."""
        return None


@dataclass(frozen=True, slots=True)
class Means:
    """How the product gets into a picture."""

    source: Literal["generate", "reference", "cutout", "composite"]
    points: Mapping[str, Photo] = field(default_factory=dict)
    """The photo at each point of the workflow that takes one."""
    photo: Photo | None = None
    """The one that is shown, or that what a model makes of it is compared with."""
    doubt: Doubt = ""
    remark: Issue | None = None
    """Why a photo that there is is not used."""


INVENTED = Means("generate", doubt="not_real")
"""A model invents it, and nobody asked for that."""


@dataclass(frozen=True, slots=True)
class Album:
    """The photos of a catalog's products, each looked for once."""

    photos: Photos
    skus: frozenset[str]
    """Of the whole catalog: a file may be called after another of them."""
    _called: dict[str, Sequence[str]] = field(default_factory=dict)

    def collect(self, needs: Iterable[tuple[ImageRole, Product, Workflow]]) -> None:
        """Have at hand what these pictures are made from."""
        wanted = [
            location
            for role, product, workflow in needs
            if role.is_photographic
            for location in self._locations(product)[: len(_points(workflow)) if role.reference else 1]
        ]
        self.photos.prefetch(tuple(dict.fromkeys(wanted)))

    def means(self, role: ImageRole, product: Product, workflow: Workflow) -> Means:
        """How the product gets into a picture of this role. Raises PhotoError where only a photo will do."""
        if role.product == "generate":
            return _GENERATED
        if role.product == "auto":
            return self._if_possible(product) if role.on_white else INVENTED
        locations = self._locations(product)
        if not locations:
            raise _missing(product.sku, role.name)
        if role.product == "reference":
            points = self._at_points(locations, workflow)
            return Means("reference", points, next(iter(points.values())))
        return Means(role.product, photo=self._cuttable(product.sku, locations[0]))

    def has_near_photo(self, product: Product) -> bool:
        """Whether there is one in a file, be it of any use or none."""
        return any(map(self.photos.is_near, self._locations(product)[:1]))

    def _if_possible(self, product: Product) -> Means:
        """Its photo on white, if it has one that the product can be cut out of."""
        locations = self._locations(product)
        if not locations:
            return INVENTED
        try:
            return Means("cutout", photo=self._cuttable(product.sku, locations[0]))
        except PhotoError as error:
            return replace(INVENTED, remark=_not_used(product, error))

    def _cuttable(self, sku: str, location: str) -> Photo:
        photo = self.photos.look(location)
        if (objection := self.photos.objection(photo)) is not None:
            raise refused(f"{sku}: {location}", objection)
        return photo

    def _at_points(self, locations: Sequence[str], workflow: Workflow) -> Mapping[str, Photo]:
        """The product's photo at each point of the workflow that takes one.

        A product with fewer photos than points shows its last one again: no point keeps what somebody left there.
        """
        last = len(locations) - 1
        return {point: self.photos.look(locations[min(i, last)]) for i, point in enumerate(_points(workflow))}

    def _locations(self, product: Product) -> Sequence[str]:
        if product.images:
            return product.images
        if product.sku not in self._called:
            self._called[product.sku] = self.photos.by_sku(product.sku, self.skus)
        return self._called[product.sku]


_GENERATED = Means("generate")


def photographed(
    roles: Iterable[ImageRole], products: Iterable[Product], photos: Photos | None
) -> frozenset[str]:
    """The SKUs whose pictures may depend on photos in files: whether these are others, rows do not tell.

    What a web address gives counts as the same while the row says the same: nobody asks for a whole catalog every night.
    """
    photographic = [role for role in roles if role.enabled and role.is_photographic]
    if not photographic:
        return frozenset()
    if any(role.product != "auto" for role in photographic):
        return frozenset(product.sku for product in products)
    if photos is None or not photos.has_any():
        return frozenset(
            p.sku for p in products if p.images and photos is not None and photos.is_near(p.images[0])
        )
    every = {product.sku: product for product in products}
    album = Album(photos, frozenset(every))
    return frozenset(sku for sku, product in every.items() if album.has_near_photo(product))


def takes_photos(roles: Iterable[ImageRole], products: Iterable[Product], photos: Photos | None) -> bool:
    """Whether these products' pictures may be made of photos, near or far."""
    photographic = [role for role in roles if role.enabled and role.is_photographic]
    has_files = photos is not None and photos.has_any()
    return bool(photographic) and (has_files or any(product.images for product in products))


def _points(workflow: Workflow) -> list[str]:
    return [point for point in REFERENCES if not workflow.lacks(point)]


def _not_used(product: Product, error: PhotoError) -> Issue:
    return Issue(
        where=product.where,
        code="photo_not_used",
        severity="warning",
        sku=product.sku,
        message_en=f"its photo is not used, and a model invents the product: {error.message_en}",
        message_zh=f"未使用其照片，商品由模型生成：{error.message_zh}",
    )


def _missing(sku: str, role: str) -> PhotoError:
    return PhotoError(
        f"{sku} has no photo, and pictures of the role {role} are made from one; put a photo into the "
        f"folder photos/ of the workspace and its file name into the column 图片 of the row, or call it {sku}.jpg",
        zh=f"{sku} 没有照片，而 {role} 图需要用商品照片生成；请把照片放入工作区的 photos 文件夹，"
        f"并在商品表的“图片”列填写文件名，或把文件命名为 {sku}.jpg",
        code="photo_missing",
    )
