"""When a sync must not go on by itself."""

from __future__ import annotations

import pytest

from catalog_imagegen.pipeline.brakes import Forecast, Limits, Price, brakes

LIMITS = Limits(max_new_renders=100, max_new_share=0.5, max_retired_share=0.2)


@pytest.mark.parametrize(
    ("forecast", "codes"),
    [
        (Forecast("s"), []),
        (Forecast("s", new_renders=100), []),
        (Forecast("s", new_renders=101), ["too_many_renders"]),
        (Forecast("s", renders=500, new_renders=20), []),
        (Forecast("s", new_renders=51, wanted_before=100), ["too_many_renders"]),
        (Forecast("s", new_renders=50, wanted_before=60), []),
        (Forecast("s", new_renders=60, wanted_before=120), []),
        (Forecast("s", new_renders=60), []),
        (Forecast("s", retired=2, had=10), []),
        (Forecast("s", retired=3, had=10), ["too_many_retired"]),
        (Forecast("s", retired=1, had=1), ["too_many_retired"]),
        (Forecast("s", retired=9, had=10, new_renders=999), ["too_many_retired", "too_many_renders"]),
    ],
)
def test_limits_are_what_may_still_be_done(forecast: Forecast, codes: list[str]) -> None:
    """At a limit it goes on, beyond it stops; a first import has no share, and few pictures never are too many."""
    found = brakes(forecast, LIMITS)
    assert [brake.code for brake in found] == codes
    assert all("sync --yes" in brake.message_en and "sync --yes" in brake.message_zh for brake in found)


def test_all_servers_work_at_once_and_each_costs_money() -> None:
    """Two hours of one GPU are one hour of two, for the same money."""
    told = Forecast("s", renders=100, gpu_seconds=7200, servers=2)
    assert told.minutes == 60
    assert told.cost(Price(8.5, "CNY")) == pytest.approx(17.0)
