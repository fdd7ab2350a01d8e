from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import pytest

from catalog_imagegen.domain.imaging import ImageKey, Platform, Wanted
from catalog_imagegen.pipeline import publishing
from catalog_imagegen.pipeline.publishing import Publishing
from tests.e2e.cli import wait_for
from tests.unit.builders import product, wanted


def of(sku: str) -> Wanted:
    """The main picture of a SKU."""
    return wanted(sku, key=ImageKey(f"sku:{sku}", "main", "front"))


class SlowPublisher:
    """Publishes a family when it is let."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.published: list[list[str]] = []

    def publish(self, _platforms: Collection[Platform], skus: Sequence[str]) -> int:
        """Wait, then note."""
        assert self.may_go.wait(10)
        self.published.append(list(skus))
        return len(skus)


def test_rendering_pauses_while_files_fall_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room again once they have caught up."""
    monkeypatch.setattr(publishing, "MOST_WAITING", 2)
    publisher = SlowPublisher()
    products = [product(sku=f"S{i}") for i in range(3)]
    pictures = [of(each.sku) for each in products]
    with Publishing(publisher, [], products, pictures) as beside:  # type: ignore[arg-type]  # it publishes
        assert beside.has_room()
        for picture in pictures[:2]:
            beside.one_less(picture)
        assert not beside.has_room()
        publisher.may_go.set()
        wait_for(beside.has_room)
        beside.one_less(pictures[2])
    assert sorted(sku for skus in publisher.published[:-1] for sku in skus) == ["S0", "S1", "S2"]
    assert publisher.published[-1] == ["S0", "S1", "S2"]
    assert beside.renditions == 3


def test_a_crash_of_the_publisher_does_not_stop_the_rendering_for_ever() -> None:
    """It is raised in the end; until then servers are not kept waiting for files that nobody makes."""

    class Broken(SlowPublisher):
        def publish(self, _platforms: Collection[Platform], _skus: Sequence[str]) -> int:
            raise RuntimeError("broken")

    products = [product(sku="S0")]
    beside = Publishing(Broken(), [], products, [of("S0")] * publishing.MOST_WAITING)  # type: ignore[arg-type]  # it publishes
    beside.__enter__()
    for _ in range(publishing.MOST_WAITING):
        beside.one_less(of("S0"))
    wait_for(beside.has_room)
    with pytest.raises(RuntimeError, match="broken"):
        beside.__exit__(None)
