from __future__ import annotations

import pytest

from catalog_imagegen.pipeline.sync import Report, merged


def report(
    *, rendered: int = 0, failed: int = 0, reused: int = 0, timed: int = 0, timed_s: float = 0.0
) -> Report:
    """How a run ended."""
    pictures = {
        "planned": rendered + failed + reused,
        "rendered": rendered,
        "reused": reused,
        "failed": failed,
    }
    return Report(
        run="r",
        skus=1,
        pictures=pictures,
        renditions=0,
        jobs_submitted=0,
        seconds=1.0,
        issues=(),
        problems=(),
        unavailable=(),
        timed=timed,
        timed_s=timed_s,
    )


def test_rates_are_of_what_was_tried() -> None:
    """Pictures that were there already say nothing of servers; without a trial there is no rate."""
    assert report(reused=5).success_rate is None
    assert report(reused=5).mean_seconds is None
    assert report(rendered=3, failed=1, reused=100).success_rate == 0.75
    assert report(rendered=3, timed=3, timed_s=12.0).mean_seconds == 4.0


@pytest.mark.parametrize(
    ("failed", "seconds", "words"),
    [
        (10, 30.0, []),
        (11, 30.0, ["11%"]),
        (0, 30.4, ["30 s"]),
        (50, 60.0, ["50%", "60 s"]),
    ],
)
def test_a_run_warns_above_ten_percent_failures_or_thirty_seconds(
    failed: int, seconds: float, words: list[str]
) -> None:
    """At the limit it is quiet; beyond, each warning says what to do in both languages."""
    warnings = report(rendered=100 - failed, failed=failed, timed=10, timed_s=10 * seconds).warnings()
    assert len(warnings) == len(words)
    for (en, zh), word in zip(warnings, words, strict=True):
        assert word in en
        assert word.rstrip(" s") in zh
        assert "catalog-imagegen doctor" in en or "config/roles.toml" in en


def test_a_sync_adds_up_its_sources() -> None:
    """The mean is over pictures, not over sources."""
    both = merged(
        [report(rendered=1, timed=1, timed_s=10.0), report(rendered=3, failed=1, timed=3, timed_s=6.0)]
    )
    assert both.mean_seconds == 4.0
    assert both.success_rate == 0.8
