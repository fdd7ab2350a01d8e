"""A picture of a real server comes again byte for byte, there and on another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from catalog_imagegen.domain.fingerprint import digest
from tests.comfyui.peer import ComfyUI, Peer
from tests.comfyui.test_run import Shop, event, history, shop

__all__ = ["shop"]
SKU, ROLE = "LS-E100-BK", "main"
ONE = ("--sku", SKU, "--role", ROLE, "--platform", "amazon")
pytestmark = pytest.mark.comfyui


def reproduced(shop: Shop, url: str, *more: str) -> Any:
    """What ``reproduce`` says, in a process of its own."""
    line = [sys.executable, "-m", "catalog_imagegen", "reproduce", SKU, "--role", ROLE, "--json"]
    line += ["--workspace", str(shop.root), "--comfyui", url, *more]
    done = subprocess.run(line, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_the_same_bytes_on_the_same_server_really_rendered(
    shop: Shop, comfyui_url: str, tmp_path: Path
) -> None:
    """The sampler runs again instead of answering from its cache, though row and template are others by now."""
    first = shop.run(comfyui_url, *ONE)
    assert first.counts["rendered"] == 1, first.errors
    template = shop.root / "prompt_templates" / f"{ROLE}.j2"
    template.write_text("{% extends 'base.j2' %}", encoding="utf-8")
    again = tmp_path / "again.png"
    found = reproduced(shop, comfyui_url, "--to", str(again))
    assert found["is_same"]
    assert digest(again.read_bytes()) == found["original"]
    original, repeated = history(comfyui_url, first.report["run"])
    assert original["prompt"][2] == repeated["prompt"][2]
    assert event(repeated, "execution_cached")["nodes"] == []


def test_the_same_bytes_on_another_server(shop: Shop, comfyui_url: str, peer: Peer, tmp_path: Path) -> None:
    """A machine that was set up the same way gives the same picture."""
    assert shop.run(comfyui_url, *ONE).counts["rendered"] == 1
    with ComfyUI(tmp_path / "other", seconds=0.05, peer=peer) as other:
        found = reproduced(shop, other.url)
    assert found["is_same"]
    assert (found["made_on"], found["reproduced_on"]) == (comfyui_url, other.url)
