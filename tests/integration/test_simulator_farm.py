"""Several simulators in one process, cheap ones, and the command that serves them."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from catalog_imagegen.simulator import Farm, Simulator
from tests.conformance.client import DEADLINE_S, Client, error_of, graph, simulated

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def clients(farm: Farm) -> Iterator[list[Client]]:
    """Give a client for each server of a farm."""
    made = [Client(url) for url in farm.urls]
    try:
        yield made
    finally:
        for client in made:
            client.session.close()


def test_servers_share_a_thread_and_nothing_else(tmp_path: Path) -> None:
    """Each has queue, history, files and executions of its own; all together take one thread more."""
    before = set(threading.enumerate())
    with Farm(5, seconds=0, folder=tmp_path, bench=True) as farm, clients(farm) as each:
        assert len(set(threading.enumerate()) - before) == 1
        each[1].run()
        assert [len(simulator.executions) for simulator in farm] == [0, 1, 0, 0, 0]
        assert [len(client.get("/history").json()) for client in each] == [0, 1, 0, 0, 0]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3", "4", "5"]
    assert set(threading.enumerate()) <= before


def test_one_server_can_go_and_come_back() -> None:
    """The others do not notice."""
    with Farm(2, seconds=0) as farm, clients(farm) as (one, other):
        one.run()
        farm[0].stop()
        with pytest.raises(requests.ConnectionError):
            one.get("/prompt")
        other.run()
        farm[0].start()
        one.run()
        assert [len(simulator.executions) for simulator in farm] == [2, 1]


def test_speeds_are_dealt_out_in_turn() -> None:
    """Three times as fast is a third of the seconds."""
    farm = Farm(5, speeds=[1, 3], seconds=0.6)
    assert [round(simulator.seconds, 6) for simulator in farm] == [0.6, 0.2, 0.6, 0.2, 0.6]
    for wrong in ([], [0], [1, -1]):
        with pytest.raises(ValueError, match="speeds above 0"):
            Farm(2, speeds=wrong)


def test_a_farm_starts_whole_or_not_at_all() -> None:
    """A port that is taken leaves no other server running."""
    before = set(threading.enumerate())
    with Simulator() as other, pytest.raises(OSError, match="in use"):
        Farm(2, port=other.port - 1).start()
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("bench", [False, True])
def test_the_same_graph_gives_the_same_bytes_on_every_server(*, bench: bool) -> None:
    """Whichever instance renders it; another seed gives other bytes."""
    with Farm(2, seconds=0, bench=bench) as farm, clients(farm) as (one, other):
        files = []
        for client, seed in ((one, 1), (other, 1), (one, 2)):
            image = client.run(graph(n3_seed=seed))["outputs"]["9"]["images"][0]
            files.append(client.get("/view", **image).content)
        assert files[0] == files[1]
        assert files[0] != files[2]


def test_a_bench_keeps_pictures_in_memory(tmp_path: Path) -> None:
    """As large as a photograph, of the size asked for, marked, with the prompt in it; no file is written."""
    with simulated(bench=True, folder=tmp_path) as (_, client):
        wanted = graph(n13_width=1024, n13_height=1024, n13_batch_size=2)
        images = client.run(wanted)["outputs"]["9"]["images"]
        assert [image["filename"] for image in images] == ["cup_00001_.png", "cup_00002_.png"]
        answer = client.get("/view", **images[1])
        assert 1.0e6 < len(answer.content) < 2.0e6
        picture = Image.open(io.BytesIO(answer.content))
        picture.load()
        assert (picture.size, picture.mode) == ((1024, 1024), "RGB")
        assert json.loads(picture.info["prompt"]) == wanted
        assert picture.info["catalog-imagegen"] == "placeholder"
        tagged = {"If-None-Match": answer.headers["ETag"]}
        again = client.session.get(f"{client.url}/view", params=images[1], headers=tagged, timeout=DEADLINE_S)
        assert again.status_code == 304
        preview = Image.open(io.BytesIO(client.get("/view", **images[0], preview="jpeg").content))
        assert (preview.format, preview.size) == ("JPEG", (1024, 1024))
        assert list(tmp_path.rglob("*.png")) == []
        assert client.run(graph(n13_width=512))["outputs"]["9"]["images"][0]["filename"] == "cup_00003_.png"


def test_a_bench_has_faults_too() -> None:
    """Bad pictures, lost files and failures, without painting."""
    faults = ["black", "forget#2", "oom#4"]
    with simulated(bench=True, faults=faults) as (simulator, client):
        assert client.picture(client.run(graph(n3_seed=1))).getextrema() == ((0, 0),) * 3
        forgotten = client.submit(graph(n3_seed=2))
        last = client.run(graph(n3_seed=3))
        assert client.get(f"/history/{forgotten}").json() == {}
        assert client.get("/view", filename="cup_00002_.png", subfolder="shop").status_code == 404
        assert client.picture(last).size == (256, 256)
        error_of(client.run(graph(n3_seed=4)))
        assert [one.completed for one in simulator.timeline] == [True, True, True, False]


@contextlib.contextmanager
def served(*words: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run the command; give the process and the addresses it names."""
    count = int(words[words.index("--servers") + 1]) if "--servers" in words else 1
    line = [sys.executable, "-W", "error", "-m", "catalog_imagegen", "simulator", "--port", "0", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CATALOG_IMAGEGEN_LANGUAGE": "en"}
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        try:
            yield process, [process.stdout.readline() for _ in range(count)]
        finally:
            process.kill()


def test_the_command_serves_several() -> None:
    """A line each, whose last word is the address; faults by server; it ends with 0 when told."""
    words = ["--servers", "3", "--speeds", "1,2", "--seconds", "0", "--bench", "--seed", "7"]
    words += ["--faults", "2/http-500", "--version", "0.3.75", "--vram-gb", "8", "--load-seconds", "0"]
    with served(*words) as (process, lines):
        assert [line.rpartition(" ")[0] for line in lines] == ["simulator (placeholders only) at"] * 3
        codes = []
        for line in lines:
            url = line.split()[-1]
            codes.append(
                requests.post(f"{url}/prompt", json={"prompt": graph()}, timeout=DEADLINE_S).status_code
            )
            stats: dict[str, Any] = requests.get(f"{url}/system_stats", timeout=DEADLINE_S).json()
            assert stats["system"]["comfyui_version"] == "0.3.75"
            assert stats["devices"][0]["vram_total"] == 8 * 2**30
        assert codes == [200, 500, 200]
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--speeds", "fast"], "--speeds 'fast' is no list of figures, as 1,1,3 is"),
        (["--speeds", "1,0"], "speeds above 0"),
        (["--version", "9"], "no version '9' was observed; use one of 0.33.0, 0.3.75"),
        (["--faults", "2/oom"], "'2/oom' is for server 2, but there are 1"),
    ],
)
def test_the_command_names_what_is_wrong(words: list[str], says: str) -> None:
    """It starts nothing and ends with 2."""
    line = [sys.executable, "-m", "catalog_imagegen", "simulator", "--port", "0", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "en_US.UTF-8", "COLUMNS": "300"}
    ran = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert ran.returncode == 2
    assert says in ran.stderr
