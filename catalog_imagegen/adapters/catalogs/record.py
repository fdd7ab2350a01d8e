"""What a row must hold to be a product."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic_core import PydanticCustomError

from catalog_imagegen.adapters.catalogs import values

SKU_LIMIT = 64


class CatalogRow(BaseModel):
    """One row's fields as a product needs them; each error's type is the code of an issue."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    sku: str
    name: str
    spu: str = ""
    brand: str = ""
    category: str = ""
    color: str = ""
    material: str = ""
    shape: str = ""
    size: str = ""
    spec: str = ""
    price: str = ""
    list_price: str = ""
    currency: str = ""
    features: tuple[str, ...] = ()
    usage_scenarios: tuple[str, ...] = ()
    detail_features: tuple[str, ...] = ()
    advantages: tuple[str, ...] = ()
    accessories: tuple[str, ...] = ()
    promo_text: str = ""
    promo_start: str = ""
    promo_end: str = ""
    images: tuple[str, ...] = ()
    date: str = ""

    @field_validator("sku")
    @classmethod
    def _is_sku(cls, sku: str) -> str:
        if not sku:
            raise PydanticCustomError("missing_sku", "missing")
        if len(sku) > SKU_LIMIT:
            raise PydanticCustomError("sku_too_long", "too long", {"length": len(sku), "limit": SKU_LIMIT})
        if values.has_control_character(sku):
            raise PydanticCustomError("sku_control_character", "control character")
        return sku

    @field_validator("name")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if not name:
            raise PydanticCustomError("missing_name", "missing")
        return name
