"""Files of many renders are made by processes of their own, and are the same files."""

from __future__ import annotations

import errno
import io
import multiprocessing
import multiprocessing.forkserver
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import psutil
import pytest
from PIL import Image

from catalog_imagegen.adapters import darkroom as rooms
from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.darkroom import ProcessDarkroom
from catalog_imagegen.adapters.reports.thumbnails import Thumbnails
from catalog_imagegen.domain.design import Design, Pair
from catalog_imagegen.domain.fingerprint import Digest, Fingerprint
from catalog_imagegen.domain.imaging import Render
from catalog_imagegen.domain.lettering import Area, TextBox
from catalog_imagegen.pipeline.develop import DarkroomHere, Order
from tests.e2e.cli import wait_for
from tests.unit.builders import placement

PLACES = (placement(width=90, height=90), placement(width=60, height=80, format="PNG"))


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    """Where renders are."""
    return FolderBlobs(tmp_path / "blobs")


@pytest.fixture
def here(blobs: FolderBlobs, tmp_path: Path) -> DarkroomHere:
    """Makes files in this process."""
    return DarkroomHere(blobs, Thumbnails(tmp_path / "thumbnails", blobs))


@pytest.fixture
def room(here: DarkroomHere, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProcessDarkroom]:
    """Starts two processes with its first order, on any machine."""
    monkeypatch.setattr(rooms, "SOON", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    made = ProcessDarkroom(here)
    yield made
    made.close()


def order(blobs: FolderBlobs, shade: int) -> Order:
    """Two files of a render of this shade."""
    buffer = io.BytesIO()
    picture = Image.radial_gradient("L").convert("RGB").point(lambda value: (value + shade) % 256)
    picture.save(buffer, "PNG")
    name = blobs.put(buffer.getvalue())
    return Order(Render(Fingerprint(name), name, 256, 256), PLACES, "0011")


def test_they_make_the_files_we_would(room: ProcessDarkroom, here: DarkroomHere, blobs: FolderBlobs) -> None:
    """To the byte, with verdicts and thumbnails."""
    orders = [order(blobs, shade) for shade in range(6)]
    begun = [room.begin(each) for each in orders]
    made = [each() for each in begun]
    assert all(files is not None and len(files) == len(PLACES) for files in made)
    assert here.previews is not None
    kept = [path.name for path in (Path(here.previews._folder)).rglob("*.webp")]  # type: ignore[attr-defined]
    assert len(kept) == len(orders)
    assert made == [here.fill(each) for each in orders]


def test_they_draw_what_we_would(room: ProcessDarkroom, here: DarkroomHere, blobs: FolderBlobs) -> None:
    """Texts and pairs travel with their order; a pair that lost its second picture is lost."""
    box = TextBox("title", Area(0, 0, 1, 0.5), "限时优惠", weight="bold")
    plain, other = order(blobs, 1), order(blobs, 2)
    pair = Pair(other.render, ("没有它", "有了它"), width=512, height=256)
    designed = [replace(plain, design=Design((box,))), replace(plain, design=Design(pair=pair))]
    begun = [room.begin(each) for each in (plain, *designed)]
    made = [each() for each in begun]
    assert made == [here.fill(each) for each in (plain, *designed)]
    assert len({files[0].content for files in made if files}) == len(made)
    blobs.drop(other.render.digest)
    assert room.begin(designed[1])() is None


def test_a_lost_render_is_said_to_be_lost(room: ProcessDarkroom, blobs: FolderBlobs) -> None:
    """Here as there; the others go on."""
    lost, other = order(blobs, 1), order(blobs, 2)
    blobs.drop(lost.render.digest)
    begun = room.begin(lost), room.begin(other)
    assert begun[0]() is None
    assert begun[1]() is not None


def workers(room: ProcessDarkroom) -> list[psutil.Process]:
    """Its processes."""
    return [psutil.Process(pid) for pid in (room._pool._processes or {})]


def test_where_one_is_killed_we_make_the_files_ourselves(
    room: ProcessDarkroom, here: DarkroomHere, blobs: FolderBlobs
) -> None:
    """The kernel does so where memory is short; what is begun and what comes later is made all the same."""
    orders = [order(blobs, shade) for shade in range(4)]
    assert room.begin(orders[0])() is not None
    begun = [room.begin(each) for each in orders]
    for process in workers(room):
        process.kill()
    later = room.begin(orders[0])
    expected = [here.fill(each) for each in (*orders, orders[0])]
    assert [each() for each in (*begun, later)] == expected
    again = room.begin(orders[1])
    assert again() == expected[1]
    assert all(process.is_running() for process in workers(room)), "there are processes again"


def test_nothing_is_left_of_them(room: ProcessDarkroom, blobs: FolderBlobs) -> None:
    """Closing ends them, whatever they are at."""
    for shade in range(4):
        room.begin(order(blobs, shade))
    processes = workers(room)
    assert processes
    room.close()
    wait_for(lambda: not any(each.is_running() for each in processes))


def test_without_processes_it_works_too(
    room: ProcessDarkroom, here: DarkroomHere, blobs: FolderBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine may allow no more of them."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.forkserver, "ensure_running", refuse)
    monkeypatch.setattr(multiprocessing.forkserver, "connect_to_new_process", refuse)
    wanted = order(blobs, 3)
    assert room.begin(wanted)() == here.fill(wanted)


def test_a_few_files_need_no_processes(here: DarkroomHere, blobs: FolderBlobs) -> None:
    """Whoever wants one picture again now does not wait for them."""
    made = ProcessDarkroom(here)
    assert made.begin(order(blobs, 3))() is not None
    assert "_pool" not in made.__dict__
    made.close()


def test_a_render_that_is_gone_is_no_error_without_processes(here: DarkroomHere) -> None:
    """It is told to whoever asks."""
    gone = Digest("0" * 64)
    assert here.begin(Order(Render(Fingerprint(gone), gone, 8, 8), PLACES))() is None
