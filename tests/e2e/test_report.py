"""The report command."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_imagegen.bootstrap import init_workspace
from tests.e2e.cli import cli


@pytest.mark.parametrize("name", ["monday.html", "new folder/monday.xlsx"])
def test_a_report_is_written_where_it_was_asked_for(name: str, tmp_path: Path) -> None:
    """And a second time only if something changed."""
    init_workspace(tmp_path / "shop")
    words = ("report", tmp_path / name, "--workspace", tmp_path / "shop", "--simulate")
    first, again = cli(*words), cli(*words)
    assert (first.code, again.code) == (0, 0), first.err + again.err
    assert (tmp_path / name).stat().st_size > 1000
    assert first.says(f"Report written: {tmp_path / name}")
    assert again.says("Nothing changed")


def test_a_report_of_another_kind_is_a_usage_error(tmp_path: Path) -> None:
    """Said before a workspace is even looked for."""
    found = cli("report", tmp_path / "monday.pdf", "--workspace", tmp_path)
    assert found.code == 2
    assert found.says("catalog-imagegen report monday.html")
    assert not (tmp_path / "monday.pdf").exists()
