"""PURE: what a sync would cost, and when that is so much that somebody must agree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a sync may do by itself; shares are 0 to 1."""

    max_new_renders: int = 5000
    max_new_share: float = 0.5
    max_retired_share: float = 0.2
    few_renders: int = 50
    """So many are never too large a share: a small shop changes half of its catalog in an afternoon."""


@dataclass(frozen=True, slots=True)
class Price:
    """What an hour of a GPU costs."""

    per_gpu_hour: float = 0.0
    currency: str = "CNY"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a sync of one source is going to do."""

    source: str
    renders: int = 0
    """Pictures to be rendered."""
    new_renders: int = 0
    """Those of them that no earlier plan had."""
    wanted_before: int = 0
    """Pictures of this source that were wanted before."""
    retired: int = 0
    had: int = 0
    """SKUs before."""
    gpu_seconds: float = 0.0
    servers: int = 1

    @property
    def minutes(self) -> float:
        """How long it takes, with all servers at work."""
        return self.gpu_seconds / max(self.servers, 1) / 60

    def cost(self, price: Price) -> float:
        """In the price's currency."""
        return self.gpu_seconds / 3600 * price.per_gpu_hour


@dataclass(frozen=True, slots=True)
class Brake:
    """Why a sync stops before it has done anything."""

    code: str
    message_en: str
    message_zh: str


def brakes(forecast: Forecast, limits: Limits) -> list[Brake]:
    """What somebody must agree to with ``--yes``."""
    found = []
    if forecast.had and forecast.retired / forecast.had > limits.max_retired_share:
        share = f"{forecast.retired / forecast.had:.0%}"
        found.append(
            Brake(
                "too_many_retired",
                f"{forecast.source}: {forecast.retired} of {forecast.had} SKUs ({share}) are gone from the source, more "
                f"than {limits.max_retired_share:.0%}; if it was only half exported, export it again, else run: "
                "catalog-imagegen sync --yes",
                f"{forecast.source}：数据源中少了 {forecast.had} 个货号中的 {forecast.retired} 个（{share}），超过 "
                f"{limits.max_retired_share:.0%}；如果只是导出不完整，请重新导出，否则请运行 catalog-imagegen sync --yes",
            )
        )
    if (too_many := _too_many(forecast, limits)) is not None:
        en, zh = too_many
        found.append(
            Brake(
                "too_many_renders",
                f"{forecast.source}: {forecast.new_renders} new pictures would be rendered, more than {en}; if that is "
                "what you want (a new template, say), run: catalog-imagegen sync --yes",
                f"{forecast.source}：将新生成 {forecast.new_renders} 张图片，超过{zh}；如果确实需要（例如修改了模板），"
                "请运行 catalog-imagegen sync --yes",
            )
        )
    return found


def _too_many(forecast: Forecast, limits: Limits) -> tuple[str, str] | None:
    """The limit that is exceeded."""
    if forecast.new_renders > limits.max_new_renders:
        return (
            f"{limits.max_new_renders} (max_new_renders)",
            f" {limits.max_new_renders} 张（max_new_renders）",
        )
    before = forecast.wanted_before
    is_large = before and forecast.new_renders / before > limits.max_new_share
    if is_large and forecast.new_renders > limits.few_renders:
        share = f"{limits.max_new_share:.0%}"
        return (
            f"{share} of the {before} there are (max_new_share)",
            f"现有 {before} 张的 {share}（max_new_share）",
        )
    return None
