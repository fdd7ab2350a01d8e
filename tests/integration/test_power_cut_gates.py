"""A power cut at the effects of a run whose pictures gates stop: no verdict is lost, no take is made twice or left out."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog_imagegen.domain.failure import Failure
from catalog_imagegen.domain.gates import Gates
from catalog_imagegen.domain.job import Finished, Kept
from catalog_imagegen.pipeline.prepare import Selection, Services, choose
from catalog_imagegen.pipeline.sync import Report
from tests.fakes import FakeBackend
from tests.integration import test_power_cut
from tests.integration.test_power_cut import (
    CATALOG,
    Fuse,
    PowerCut,
    _Wired,
    check_rows_have_bytes,
    power,
    run,
    snapshot,
)

GATES = Gates(min_sharpness=20, wordings={"blurred": ("对焦清晰",)})
REROLLS = 1
CUTS = 27
"""Spread from before the first picture is kept until after the last one; what comes before and after is cut in other tests.
How many effects lie between differs from run to run: a server is asked until it is done."""


class BlurredBackend(FakeBackend):
    """Main pictures are always blurred, details until the prompt asks for sharp ones; all others are sharp."""

    def _execute(self, prompt_id: str, graph: Mapping[str, Any]) -> Finished | Failure:
        finished = super()._execute(prompt_id, graph)
        texts = [v for node in graph.values() for v in node["inputs"].values() if isinstance(v, str)]
        role = self.jobs[prompt_id]["role"]
        is_blurred = role == "main" or (role == "detail" and not any("对焦清晰" in text for text in texts))
        assert isinstance(finished, Finished)
        name = finished.file["filename"]
        with Image.open(io.BytesIO(self._files[name])) as image:
            colour, size = image.getpixel((0, 0)), image.size
        picture = Image.linear_gradient("L").resize(size).convert("RGB")
        if not is_blurred:
            picture.paste((0, 0, 0), (0, 0, size[0] // 3, size[1] // 3))
        picture.putpixel((0, 0), colour)  # type: ignore[arg-type]  # of RGB
        picture.putpixel((1, 0), colour)  # type: ignore[arg-type]  # the same
        buffer = io.BytesIO()
        Image.blend(picture, Image.new("RGB", size, colour), 0.1).save(buffer, "PNG")
        self._files[name] = buffer.getvalue()
        return finished


def strict(services: Services) -> Services:
    """The same with gates."""
    return replace(services, gates={"main": GATES, "detail": GATES, "lifestyle": GATES}, rerolls=REROLLS)


def states(services: Services) -> dict[str, tuple[str, int, str]]:
    """Key → state, take and note of every picture."""
    return {str(p.key): (p.state, p.take.number, p.take.note) for p in services.ledger.pictures()}


def made(place: Path, fuse: Fuse, backend: FakeBackend) -> tuple[Report, dict[str, tuple[str, int, str]]]:
    """One run, and how the pictures stand then."""
    with power(place, fuse) as services:
        gated = strict(services)
        return run(gated, backend, fuse), states(gated)


@pytest.fixture(autouse=True)
def one_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog that is quickly made."""
    monkeypatch.setattr(test_power_cut, "CATALOG", replace(CATALOG, products=CATALOG.products[:1]))


@pytest.fixture(scope="module")
def clean(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[str, str], Counter[str], dict[str, tuple[str, int, str]], list[str]]:
    """What a run without trouble leaves, what it paid for, how the pictures stand, and its effects."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_power_cut, "CATALOG", replace(CATALOG, products=CATALOG.products[:1]))
        root, fuse, backend = tmp_path_factory.mktemp("clean"), Fuse(), BlurredBackend(in_flight=1)
        report, stand = made(root, fuse, backend)
    assert report.pictures["blocked"] == 1
    assert sorted(state for state, _, _ in stand.values()) == ["blocked", "draft", "draft"]
    assert sorted(take for _, take, _ in stand.values()) == [1, 2, 2]
    assert sum(backend.executions.values()) == 5
    return snapshot(root), Counter(backend.executions), stand, fuse.names


@pytest.mark.parametrize("number", range(CUTS))
def test_power_cut_while_gates_stop_pictures(
    number: int,
    tmp_path: Path,
    clean: tuple[dict[str, str], Counter[str], dict[str, tuple[str, int, str]], list[str]],
) -> None:
    """Whatever effect dies, half of them before they happen, the rerun ends as a clean run does."""
    expected, executions, stand, names = clean
    kept = [place for place, name in enumerate(names) if name == "ledger.keep_render"]
    first, last = kept[0] - 2, kept[-1] + 2
    place = first + round(number * (last - first) / (CUTS - 1))
    backend = BlurredBackend(in_flight=1)
    with suppress(PowerCut):
        made(tmp_path, Fuse(place, after=number % 2 == 0), backend)
    check_rows_have_bytes(tmp_path)
    report, after = made(tmp_path, Fuse(), backend)
    assert report.pictures["pending"] == report.pictures["failed"] == 0
    assert Counter(backend.executions) == executions
    assert after == stand
    assert snapshot(tmp_path) == expected


def test_a_verdict_stands_with_its_render_or_not_at_all(tmp_path: Path) -> None:
    """Whoever dies right after a render was stopped leaves its new take recorded: the next plan wants that."""
    with power(tmp_path, Fuse()) as services, suppress(PowerCut):

        def keep_and_die(*args: Any, **kwargs: Any) -> Kept:
            if (kept := services.ledger.keep_render(*args, **kwargs)) == "retaken":
                raise PowerCut
            return kept

        dying = _Wired(services.ledger, {"keep_render": keep_and_die})
        run(replace(strict(services), ledger=dying), BlurredBackend(in_flight=1), Fuse())
    with power(tmp_path, Fuse()) as services:
        planned = choose(test_power_cut.CATALOG, "run", Selection(), strict(services)).plan.pictures
        again = {(p.action, p.wanted.take.note, p.reason) for p in planned if p.wanted.take.number > 1}
        assert again == {("render", "对焦清晰", "new take 2")}
