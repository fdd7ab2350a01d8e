"""Which photos pictures are made from: those that a row names, else those that are called after its SKU."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.domain.errors import PhotoError
from catalog_imagegen.domain.fingerprint import Digest
from catalog_imagegen.domain.imaging import ImageRole, Photo
from catalog_imagegen.pipeline.ports import Photos
from catalog_imagegen.stages.workflow import REFERENCES, Workflow


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

    def read(self, name: Digest) -> bytes | None:  # noqa: ARG002 - as the port names it
        """None was looked at."""
        return None


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
            if role.reference
            for location in self._locations(product)[: len(_points(workflow))]
        ]
        self.photos.prefetch(tuple(dict.fromkeys(wanted)))

    def of(self, role: ImageRole, product: Product, workflow: Workflow) -> Mapping[str, Photo]:
        """The product's photo at each point of the workflow that takes one. Raises PhotoError.

        A product with fewer photos than points shows its last one again: no point keeps what somebody left there.
        """
        if not role.reference:
            return {}
        locations = self._locations(product)
        if not locations:
            raise _missing(product.sku, role.name)
        last = len(locations) - 1
        return {point: self.photos.look(locations[min(i, last)]) for i, point in enumerate(_points(workflow))}

    def _locations(self, product: Product) -> Sequence[str]:
        if product.images:
            return product.images
        if product.sku not in self._called:
            self._called[product.sku] = self.photos.by_sku(product.sku, self.skus)
        return self._called[product.sku]


def _points(workflow: Workflow) -> list[str]:
    return [point for point in REFERENCES if not workflow.lacks(point)]


def _missing(sku: str, role: str) -> PhotoError:
    return PhotoError(
        f"{sku} has no photo, and pictures of the role {role} are made from one; put a photo into the "
        f"folder photos/ of the workspace and its file name into the column 图片 of the row, or call it {sku}.jpg",
        zh=f"{sku} 没有照片，而 {role} 图需要用商品照片生成；请把照片放入工作区的 photos 文件夹，"
        f"并在商品表的“图片”列填写文件名，或把文件命名为 {sku}.jpg",
        code="photo_missing",
    )
