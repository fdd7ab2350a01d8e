import contextlib
import functools
import io
import json
import os
import re
import runpy
import signal
import subprocess
import sys
import threading
import time
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image, ImageChops, ImageStat

from catalog_imagegen.domain.catalog import Product
from catalog_imagegen.simulator import Simulator
from catalog_imagegen.simulator.paint import paint
from catalog_imagegen.simulator.palette import COLOURS, SHAPES, product_colour, product_shape
from catalog_imagegen.simulator.scenes import SETTINGS, setting
from catalog_imagegen.simulator.silhouettes import GROUND, product
from catalog_imagegen.stages.prompt import PromptBook
from tests.conformance.client import (
    DEADLINE_S,
    GRAPH,
    PLAIN_500,
    Client,
    error_of,
    graph,
    heard,
    listening,
    simulated,
    wait_for,
)


@pytest.fixture
def client() -> Iterator[Client]:
    """Give a client of a simulator without faults."""
    with simulated() as (_, client):
        yield client


# --- a prompt's way -----------------------------------------------------------------------------------------


def test_a_prompt_becomes_a_marked_png(client: Client) -> None:
    """The reply, the history, the file's name and its text chunks are as ComfyUI's, plus the mark."""
    prompt_id = str(uuid.uuid4())
    job = {"sku": "杯-01", "name": "马克杯", "role": "main", "item": ""}
    answer = client.post(
        "/prompt",
        {
            "prompt": graph(),
            "prompt_id": prompt_id,
            "extra_data": {"extra_pnginfo": {"job": job}, "auth_token_comfy_org": "secret"},
        },
    )
    assert answer.json() == {"prompt_id": prompt_id, "number": 0, "node_errors": {}}
    entry = client.done(prompt_id)
    assert entry["outputs"] == {
        "9": {"images": [{"filename": "cup_00001_.png", "subfolder": "shop", "type": "output"}]}
    }
    assert entry["status"]["status_str"] == "success"
    assert entry["status"]["completed"] is True
    assert [event for event, _ in entry["status"]["messages"]] == [
        "execution_start",
        "execution_cached",
        "execution_success",
    ]
    number, found_id, found_graph, extra_data, outputs = entry["prompt"]
    assert (number, found_id, found_graph, outputs) == (0, prompt_id, graph(), ["9"])
    assert set(extra_data) == {"extra_pnginfo", "create_time"}
    picture = client.picture(entry)
    assert (picture.size, picture.mode) == ((256, 256), "RGB")
    assert json.loads(picture.info["prompt"]) == graph()
    assert json.loads(picture.info["job"]) == job
    assert picture.info["catalog-imagegen"] == "placeholder"


def test_it_declares_itself_a_simulator(client: Client) -> None:
    """Nobody can take it for a real server by mistake; /api is the same server."""
    for path in ("/system_stats", "/api/system_stats"):
        stats = client.get(path).json()
        assert stats["system"]["simulator"] == "catalog-imagegen"
        assert stats["system"]["comfyui_version"] == "0.33.0"
        assert stats["devices"][0]["vram_free"] > 0
    assert client.get("/features").json()["max_upload_size"] == 100 * 2**20


def test_sizes_are_cut_down_to_whole_latent_cells(client: Client) -> None:
    """1001 by 999 is accepted and gives 1000 by 992."""
    entry = client.run(graph(n13_width=1001, n13_height=999))
    assert client.picture(entry).size == (1000, 992)


def test_numbers_given_as_text_are_converted_and_stored_so(client: Client) -> None:
    """Seed "123" becomes 123; the biggest seed comes back exactly; unknown inputs are ignored."""
    entry = client.run(graph(n3_seed="123", n3_junk=5))
    assert entry["prompt"][2]["3"]["inputs"]["seed"] == 123
    entry = client.run(graph(n3_seed=2**64 - 1))
    assert entry["prompt"][2]["3"]["inputs"]["seed"] == 2**64 - 1


def test_a_batch_saves_several_files(client: Client) -> None:
    """batch_size 3 gives three numbered files, each another picture."""
    entry = client.run(graph(n13_batch_size=3, n9_filename_prefix="b_%batch_num%_%width%"))
    names = [image["filename"] for image in entry["outputs"]["9"]["images"]]
    assert names == ["b_0_256_00001_.png", "b_1_256_00002_.png", "b_2_256_00003_.png"]


@pytest.mark.parametrize("prefix", ["../escape", "/abs/x", "a" * 300])
def test_an_impossible_prefix_fails_after_the_work(client: Client, prefix: str) -> None:
    """Escaping or too long a name is an execution error at the saving node."""
    error = error_of(client.run(graph(n9_filename_prefix=prefix)))
    assert (error["node_id"], error["node_type"]) == ("9", "SaveImage")
    assert "8" in error["executed"]


def test_other_savers(client: Client) -> None:
    """SaveImageAdvanced has no trailing underscore, PreviewImage writes to temp."""
    both = graph()
    both["9"]["class_type"] = "SaveImageAdvanced"
    both["9"]["inputs"] |= {
        "format": "png",
        "format.bit_depth": "8-bit",
        "format.input_color_space": "sRGB",
    }
    both["10"] = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
    entry = client.run(both)
    assert entry["outputs"]["9"]["images"][0]["filename"] == "cup_00001.png"
    assert entry["outputs"]["10"]["images"][0]["type"] == "temp"
    assert client.picture(entry, "10").size == (256, 256)


def test_values_can_come_from_nodes(client: Client) -> None:
    """A size from a selector and a text from a primitive run like plain values."""
    linked = graph(n13_width=["50", 0], n13_height=["50", 1], n27_text=["51", 0])
    linked["50"] = {
        "class_type": "ResolutionSelector",
        "inputs": {"aspect_ratio": "3:4 (Portrait Standard)", "megapixels": 0.1, "multiple": 8},
    }
    linked["51"] = {"class_type": "PrimitiveString", "inputs": {"value": "红色帐篷"}}
    width, height = client.picture(client.run(linked)).size
    assert width / height == pytest.approx(3 / 4, abs=0.03)


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "node", "kind", "extra"),
    [
        ({"n28_unet_name": "missing.safetensors"}, "28", "value_not_in_list", "missing.safetensors"),
        ({"n3_sampler_name": "nope"}, "3", "value_not_in_list", "nope"),
        ({"n3_seed": -1}, "3", "value_smaller_than_min", -1),
        ({"n3_seed": 2**64}, "3", "value_bigger_than_max", 2**64),
        ({"n13_width": 20000}, "13", "value_bigger_than_max", 20000),
        ({"n3_seed": "abc"}, "3", "invalid_input_type", "abc"),
    ],
)
def test_a_bad_value_is_refused(
    client: Client, changes: dict[str, Any], node: str, kind: str, extra: Any
) -> None:
    """The top error has no details; the node's own error tells what is wrong."""
    answer = client.post("/prompt", {"prompt": graph(**changes)})
    body = answer.json()
    assert answer.status_code == 400
    assert body["error"] == {
        "type": "prompt_outputs_failed_validation",
        "message": "Prompt outputs failed validation",
        "details": "",
        "extra_info": {},
    }
    assert list(body["node_errors"]) == [node]
    fault = body["node_errors"][node]
    assert fault["dependent_outputs"] == ["9"]
    assert fault["class_type"] == GRAPH[node]["class_type"]
    assert fault["errors"][0]["type"] == kind
    assert fault["errors"][0]["extra_info"]["received_value"] == extra


def test_long_lists_of_choices_are_not_spelled_out(client: Client) -> None:
    """Up to 20 choices are listed with the declaration, more are only counted."""
    body = client.post("/prompt", {"prompt": graph(n3_sampler_name="nope")}).json()
    error = body["node_errors"]["3"]["errors"][0]
    assert error["details"] == "sampler_name: 'nope' not in (list of length 44)"
    assert error["extra_info"]["input_config"] is None


def test_links_are_checked(client: Client) -> None:
    """Wrong types, dangling links and cycles are refused in the shapes of a real server."""
    mismatch = client.post("/prompt", {"prompt": graph(n9_images=["29", 0])}).json()
    assert mismatch["error"]["details"].endswith("images, received_type(VAE) mismatch input_type(IMAGE)")
    error = mismatch["node_errors"]["9"]["errors"][0]
    assert (error["type"], error["extra_info"]["linked_node"]) == ("return_type_mismatch", ["29", 0])
    dangling = client.post("/prompt", {"prompt": graph(n9_images=["8888", 0])}).json()
    assert dangling["error"]["details"] == "Exception when validating node: '8888'"
    assert dangling["node_errors"]["9"]["errors"][0]["extra_info"]["exception_type"] == "KeyError"
    deep = client.post("/prompt", {"prompt": graph(n3_model=["8888", 0])}).json()
    assert deep["node_errors"]["3"]["errors"][0]["type"] == "exception_during_inner_validation"
    cycle = client.post("/prompt", {"prompt": graph(n11_model=["11", 0])}).json()
    error = cycle["node_errors"]["11"]["errors"][0]
    assert error["details"] == "11 (ModelSamplingAuraFlow) -> 11 (ModelSamplingAuraFlow)"
    assert error["extra_info"] == {"node_id": "11", "cycle_nodes": ["11"]}


def test_a_missing_input_is_refused(client: Client) -> None:
    """Its name is in details and extra_info."""
    wanted = graph()
    del wanted["3"]["inputs"]["seed"]
    error = client.post("/prompt", {"prompt": wanted}).json()["node_errors"]["3"]["errors"][0]
    assert error == {
        "type": "required_input_missing",
        "message": "Required input is missing",
        "details": "seed",
        "extra_info": {"input_name": "seed"},
    }


def test_an_unknown_class_refuses_the_prompt(client: Client) -> None:
    """Even unconnected; the message shows the title, extra_info the class."""
    wanted = graph()
    wanted["3"]["class_type"] = "NoSuchSampler"
    error = client.post("/prompt", {"prompt": wanted}).json()["error"]
    assert error["type"] == "missing_node_type"
    assert error["message"] == "Node 'Sampler' not found. The custom node may not be installed."
    assert error["extra_info"]["class_type"] == "NoSuchSampler"
    wanted = graph() | {"99": {"inputs": {}}}
    assert "no class_type" in client.post("/prompt", {"prompt": wanted}).json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({}, "no_prompt"),
        ([], "no_prompt"),
        ({"prompt": {}}, "prompt_no_outputs"),
        ({"prompt": {"29": GRAPH["29"]}}, "prompt_no_outputs"),
        ({"prompt": GRAPH, "prompt_id": "sku-1"}, "invalid_prompt_id"),
        ({"prompt": GRAPH, "prompt_id": "A5D198E8-8A76-4B33-A173-0A46BFFDD0E3"}, "invalid_prompt_id"),
    ],
)
def test_a_bad_body_is_refused(client: Client, body: Any, kind: str) -> None:
    """Each with its type and no node errors."""
    answer = client.post("/prompt", body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, kind)
    assert answer.json()["node_errors"] == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b'{"prompt": null}',
        json.dumps({"prompt": {"id": "w", "nodes": [], "links": []}}).encode(),
        json.dumps({"prompt": GRAPH, "number": "x"}).encode(),
        json.dumps({"prompt": GRAPH, "extra_data": None}).encode(),
    ],
)
def test_nonsense_is_a_plain_500(client: Client, data: bytes) -> None:
    """As text, and nothing is queued."""
    answer = client.session.post(f"{client.url}/prompt", data=data, timeout=DEADLINE_S)
    assert (answer.status_code, answer.text) == (500, PLAIN_500)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert client.get("/history").json() == {}


def test_one_good_output_of_two_is_accepted_with_node_errors(client: Client) -> None:
    """The good one runs, the bad one is reported in the 200."""
    wanted = graph()
    wanted["10"] = {"class_type": "SaveImage", "inputs": {"images": ["8888", 0], "filename_prefix": "x"}}
    answer = client.post("/prompt", {"prompt": wanted})
    assert answer.status_code == 200
    assert list(answer.json()["node_errors"]) == ["10"]
    entry = client.done(answer.json()["prompt_id"])
    assert list(entry["outputs"]) == ["9"]
    assert entry["prompt"][4] == ["9"]


def test_a_link_given_as_text_fails_when_it_runs(client: Client) -> None:
    """It passes validation, as on a real server."""
    error = error_of(client.run(graph(n9_images="8")))
    assert error["node_id"] == "9"


def test_browsers_of_other_sites_are_refused(client: Client) -> None:
    """An Origin that is not the Host is 403, none or the same passes."""
    for headers, status in (
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": client.url}, 200),
    ):
        answer = client.session.get(f"{client.url}/prompt", headers=headers, timeout=DEADLINE_S)
        assert answer.status_code == status
    assert client.get("/prompt/").status_code == 404


# --- queue, history, jobs -----------------------------------------------------------------------------------


def test_the_queue_can_be_looked_at_jumped_and_cut(client: Client) -> None:
    """Running and pending are listed; front goes first; deleted and cleared ones leave no trace."""
    slow = client.submit(graph(n27_text="[[slow:30]]", n3_steps=1000))
    wait_for(lambda: client.running(slow))
    later, urgent = client.submit(graph(n3_seed=1)), client.submit(graph(n3_seed=2), front=True)
    dropped = client.submit(graph(n3_seed=3))
    assert client.get("/prompt").json() == {"exec_info": {"queue_remaining": 4}}
    pending = client.get("/queue").json()["queue_pending"]
    assert [item[1] for item in sorted(pending)] == [urgent, later, dropped]
    assert [len(item) for item in pending] == [5, 5, 5]
    assert client.get(f"/history/{slow}").json() == {}
    assert client.get(f"/api/jobs/{slow}").json()["status"] == "in_progress"
    assert client.get(f"/api/jobs/{later}").json()["status"] == "pending"
    client.post("/queue", {"delete": [dropped, slow, "unknown"]})
    assert client.get(f"/api/jobs/{dropped}").status_code == 404
    assert client.running(slow)
    client.post("/interrupt")
    client.done(later)
    order = list(client.get("/history").json())
    assert order == [slow, urgent, later]
    blocker = client.submit(graph(n27_text="[[slow:30]] b"))
    wait_for(lambda: client.running(blocker))
    client.submit(graph(n3_seed=9))
    client.post("/queue", {"clear": True})
    assert client.get("/queue").json()["queue_pending"] == []
    assert client.get("/prompt").json() == {"exec_info": {"queue_remaining": 1}}


def test_an_interrupt_by_id_spares_others(client: Client) -> None:
    """Only if that id runs; the history then says interrupted, and idle interrupts do not stick."""
    client.post("/interrupt")
    slow = client.submit(graph(n27_text="[[slow:30]]", n3_steps=1000))
    wait_for(lambda: client.running(slow))
    assert client.post("/interrupt", {"prompt_id": str(uuid.uuid4())}).status_code == 200
    assert client.running(slow)
    client.post("/interrupt", {"prompt_id": slow})
    status = client.done(slow)["status"]
    assert (status["status_str"], status["completed"]) == ("error", False)
    assert status["messages"][-1][0] == "execution_interrupted"
    assert client.get(f"/api/jobs/{slow}").json()["status"] == "cancelled"


def test_the_same_id_runs_again_and_replaces_its_history(client: Client) -> None:
    """A prompt id is no idempotency key."""
    prompt_id = str(uuid.uuid4())
    first = client.run(graph(), prompt_id=prompt_id)
    client.submit(graph(n3_seed=8), prompt_id=prompt_id)
    wait_for(lambda: client.get(f"/history/{prompt_id}").json().get(prompt_id, first) != first)
    assert len(client.get("/history").json()) == 1


def test_history_is_cut_and_forgotten_as_asked(client: Client) -> None:
    """max_items gives the newest, with an offset it counts from the oldest."""
    ids = [client.submit(graph(n3_seed=seed)) for seed in range(3)]
    client.done(ids[-1])
    assert list(client.get("/history").json()) == ids
    assert list(client.get("/history", max_items=1).json()) == ids[2:]
    assert list(client.get("/history", max_items=2, offset=0).json()) == ids[:2]
    assert client.get("/history", max_items="x").status_code == 500
    client.post("/history", {"delete": [ids[0]]})
    assert list(client.get("/history").json()) == ids[1:]
    client.post("/history", {"clear": True})
    assert client.get("/history").json() == {}


def test_jobs_summarise_queue_and_history(client: Client) -> None:
    """By status and by the workflow id a client tags its runs with."""
    tag = {"extra_pnginfo": {"workflow": {"id": "run-1"}}}
    good = client.submit(graph(), extra_data=tag)
    bad = client.submit(graph(n27_text="[[error]]"))
    client.done(bad)
    jobs = client.get("/api/jobs", status="completed,failed").json()
    assert [(job["id"], job["status"]) for job in jobs["jobs"]] == [(bad, "failed"), (good, "completed")]
    assert jobs["pagination"] == {"offset": 0, "limit": None, "total": 2, "has_more": False}
    tagged = client.get("/api/jobs", workflow_id="run-1").json()["jobs"]
    assert [job["id"] for job in tagged] == [good]
    assert client.get(f"/api/jobs/{good}").json()["preview_output"]["filename"] == "cup_00001_.png"
    assert client.get("/api/jobs", status="done").status_code == 400
    assert client.get("/jobs").status_code == 404
    assert client.post(f"/api/jobs/{good}/cancel").json() == {"cancelled": False}


# --- the cache ----------------------------------------------------------------------------------------------


def test_an_identical_prompt_reports_the_same_file_and_runs_nothing() -> None:
    """Until /free clears the cache; only the last prompt's results are kept."""
    with simulated() as (simulator, client):
        first, again = client.run(), client.run()
        assert again["outputs"] == first["outputs"]
        assert set(again["status"]["messages"][1][1]["nodes"]) == set(GRAPH)
        assert len(simulator.executions) == 1
        client.post("/free", {"free_memory": True})
        assert client.run()["outputs"]["9"]["images"][0]["filename"] == "cup_00002_.png"
        client.run(graph(n3_seed=99))
        client.run()
        assert len(simulator.executions) == 4


def test_another_prefix_saves_again_without_sampling() -> None:
    """Only the saving node runs; changing the seed spares the loaders."""
    with simulated() as (simulator, client):
        first = client.run()
        renamed = client.run(graph(n9_filename_prefix="other"))
        assert renamed["outputs"]["9"]["images"][0]["filename"] == "other_00001_.png"
        assert client.picture(renamed).tobytes() == client.picture(first).tobytes()
        assert len(simulator.executions) == 1
        reseeded = client.run(graph(n3_seed=8))
        assert set(reseeded["status"]["messages"][1][1]["nodes"]) == set(GRAPH) - {"3", "8", "9"}


def test_executions_can_be_asked_for_over_http() -> None:
    """So that a test counts what a simulator in another process rendered."""
    with simulated() as (simulator, client):
        prompt_id = client.submit()
        client.done(prompt_id)
        assert simulator.executions == [(prompt_id, graph())]
        [answer] = client.get("/simulator/executions").json()
        assert (answer["prompt_id"], answer["graph"], answer["completed"]) == (prompt_id, graph(), True)
        assert answer["started_ms"] <= answer["ended_ms"] <= time.time() * 1000
        assert [vars(one) for one in simulator.timeline] == [answer]


# --- pictures over HTTP -------------------------------------------------------------------------------------


def test_view_guards_its_folders_and_reencodes(client: Client) -> None:
    """Bad names are 400, escapes 403, missing files 404; previews lose the metadata."""
    file = client.run()["outputs"]["9"]["images"][0]
    assert client.get("/view").status_code == 404
    assert client.get("/view", filename="none.png").status_code == 404
    assert client.get("/view", filename="../x.png").status_code == 400
    assert client.get("/view", **file | {"type": "secret"}).status_code == 400
    assert client.get("/view", filename="x.png", subfolder="../..").status_code == 403
    whole = client.get("/view", **file)
    assert whole.headers["Content-Type"] == "image/png"
    cached = client.session.get(
        f"{client.url}/view",
        params=file,
        headers={"If-None-Match": whole.headers["ETag"]},
        timeout=DEADLINE_S,
    )
    assert cached.status_code == 304
    preview = Image.open(io.BytesIO(client.get("/view", **file, preview="jpeg;80").content))
    assert (preview.format, preview.size) == ("JPEG", (256, 256))
    plain = Image.open(io.BytesIO(client.get("/view", **file, channel="rgb").content))
    assert (plain.format, plain.info.get("prompt")) == ("PNG", None)


def test_uploads_keep_what_is_there_and_can_be_loaded(client: Client) -> None:
    """Other bytes under a used name are numbered; LoadImage then finds the file, and only then."""

    def upload(data: bytes, name: str = "商品.png", **form: str) -> requests.Response:
        files = {"image": (name, data, "image/png")}
        return client.session.post(f"{client.url}/upload/image", files=files, data=form, timeout=DEADLINE_S)

    out = io.BytesIO()
    Image.new("RGB", (64, 48), (200, 30, 30)).save(out, "PNG")
    wanted = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "run/商品.png"}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}},
    }
    refused = client.post("/prompt", {"prompt": wanted}).json()["node_errors"]["1"]["errors"][0]
    assert refused["details"] == "image - Invalid image file: run/商品.png"
    answer = upload(out.getvalue(), subfolder="run")
    assert answer.json() == {"name": "商品.png", "subfolder": "run", "type": "input"}
    assert client.picture(client.run(wanted)).getpixel((5, 5)) == (200, 30, 30)
    assert upload(out.getvalue(), subfolder="run").json()["name"] == "商品.png"
    assert upload(b"other", subfolder="run").json()["name"] == "商品 (1).png"
    assert upload(b"other", subfolder="run", overwrite="true").json()["name"] == "商品.png"
    assert error_of(client.run(wanted))["node_type"] == "LoadImage"
    assert upload(b"x", subfolder="../..").status_code == 400
    assert upload(b"x", type="bogus").status_code == 500
    assert client.post("/upload/image", {}).status_code == 400


def test_object_info_and_models_show_the_models_there_are() -> None:
    """The choices a graph is judged by; unknown classes are {} and unknown folders 404."""
    with simulated(models={"loras": ["shop.safetensors"], "unet": ["only.safetensors"]}) as (_, client):
        info = client.get("/object_info").json()
        assert info["UNETLoader"]["input"]["required"]["unet_name"] == [["only.safetensors"]]
        assert info["KSampler"]["input"]["required"]["seed"][1]["max"] == 2**64 - 1
        assert info["SaveImage"]["output_node"] is True
        assert client.get("/object_info/KSampler").json() == {"KSampler": info["KSampler"]}
        assert client.get("/object_info/Nope").json() == {}
        assert client.get("/models/loras").json() == ["shop.safetensors"]
        assert client.get("/models/nope").status_code == 404
        assert client.post("/prompt", {"prompt": graph()}).status_code == 400


# --- websocket ----------------------------------------------------------------------------------------------


def test_events_come_in_the_order_of_a_real_server(client: Client) -> None:
    """And the history is there once executing null has come."""
    with listening(client, "c1") as next_message:
        assert next_message()["data"]["sid"] == "c1"
        prompt_id = client.submit(client_id="c1")
        messages = heard(next_message)
        assert prompt_id in client.get(f"/history/{prompt_id}").json()
    kinds = [message["type"] for message in messages]
    assert kinds[:6] == [
        "status",
        "status",
        "execution_start",
        "execution_cached",
        "progress_state",
        "executing",
    ]
    assert kinds[-5:] == ["executed", "progress_state", "execution_success", "status", "executing"]
    progress = [message["data"] for message in messages if message["type"] == "progress"]
    assert progress[-1] == {"value": 8, "max": 8, "prompt_id": prompt_id, "node": "3"}
    states = [message["data"]["nodes"] for message in messages if message["type"] == "progress_state"]
    assert set(states[-1]) == set(GRAPH)
    assert all(state["state"] == "finished" for state in states[-1].values())


def test_only_the_submitter_hears_of_its_prompt(client: Client) -> None:
    """Others get status; without a client id nobody hears of success."""
    with listening(client, "other") as next_message:
        client.run(client_id="c1")
        statuses = [next_message() for _ in range(4)]
        assert [message["type"] for message in statuses] == ["status"] * 4
        anonymous = client.submit(graph(n3_seed=2))
        client.done(anonymous)
        kinds = [next_message()["type"]]
        while kinds.count("status") < 3:
            kinds.append(next_message()["type"])
        assert set(kinds) == {"status", "progress", "progress_state"}


def test_a_reconnecting_client_hears_what_runs(client: Client) -> None:
    """It gets status and the node that runs, without a prompt id, then live events."""
    slow = client.submit(graph(n27_text="[[slow:30]]", n3_steps=1000), client_id="c1")
    wait_for(lambda: client.get("/simulator/executions").json())
    with listening(client, "c1") as next_message:
        assert next_message()["type"] == "status"
        assert next_message() == {"type": "executing", "data": {"node": "3"}}
        client.post("/interrupt", {"prompt_id": slow})
        assert heard(next_message)[-3]["type"] == "execution_interrupted"


# --- triggers and faults ------------------------------------------------------------------------------------


def test_texts_can_ask_for_failures(client: Client) -> None:
    """Out of memory and errors at the sampler; [[exit]] does nothing in a shared process."""
    error = error_of(client.run(graph(n27_text="[[oom]] x")))
    assert (error["exception_type"], error["node_id"]) == ("torch.OutOfMemoryError", "3")
    assert error["current_inputs"]["seed"] == [7]
    assert error_of(client.run(graph(n27_text="[[error]]")))["exception_type"] == "RuntimeError"
    assert client.picture(client.run(graph(n27_text="[[black]]"))).getextrema() == ((0, 0),) * 3
    assert client.run(graph(n27_text="[[exit]]"))["status"]["completed"]


def test_memory_comes_back_after_free(client: Client) -> None:
    """[[oom-once]] fails until POST /free was called after the failure."""
    client.post("/free", {"unload_models": True})
    wanted = graph(n27_text="[[oom-once]]")
    error_of(client.run(wanted))
    error_of(client.run(wanted))
    client.post("/free", {"unload_models": True})
    assert client.run(wanted)["status"]["completed"]
    assert client.post("/free").status_code == 500


def test_a_picture_takes_its_time() -> None:
    """The execution thread is held for the seconds given, or those the text asks for."""
    with simulated(seconds=0.3) as (_, client):
        begun = time.monotonic()
        client.run()
        assert time.monotonic() - begun >= 0.3
        begun = time.monotonic()
        client.run(graph(n27_text="[[slow:0.01]]"))
        assert time.monotonic() - begun < 0.3


@pytest.mark.parametrize(("fault", "is_queued"), [("lose-reply", True), ("reset", False)])
def test_a_dropped_submission(fault: str, *, is_queued: bool) -> None:
    """The client sees no answer; only lose-reply has queued the prompt. The next one works."""
    with simulated(faults=[fault]) as (simulator, client):
        prompt_id = str(uuid.uuid4())
        with pytest.raises(requests.ConnectionError):
            client.submit(prompt_id=prompt_id)
        if is_queued:
            client.done(prompt_id)
        client.run(graph(n3_seed=8))
        assert (prompt_id in [done for done, _ in simulator.executions]) is is_queued


def test_faults_are_used_up() -> None:
    """Twice a 500, then all is well."""
    with simulated(faults=["http-500:2"]) as (_, client):
        answers = [client.post("/prompt", {"prompt": graph()}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [500, 500, 200]
        assert answers[0].text == PLAIN_500


def test_a_forgotten_prompt_leaves_neither_history_nor_file(tmp_path: Path) -> None:
    """As after a restart; sent again it is rendered again."""
    with simulated(faults=["forget"], folder=tmp_path) as (simulator, client):
        prompt_id = client.submit()
        wait_for(
            lambda: simulator.executions and not client.get("/prompt").json()["exec_info"]["queue_remaining"]
        )
        assert client.get(f"/history/{prompt_id}").json() == {}
        assert list(tmp_path.rglob("*.png")) == []
        client.run()
        assert len(simulator.executions) == 2


def test_faulty_pictures() -> None:
    """Wrong size, black, none at all, cut short, not found: each once."""
    with simulated(faults=["small", "truncate", "view-404"]) as (_, client):
        entry = client.run()
        file = entry["outputs"]["9"]["images"][0]
        assert client.get("/view", **file).status_code == 404
        cut = client.get("/view", **file)
        assert cut.status_code == 200
        with pytest.raises(OSError, match="truncated"):
            Image.open(io.BytesIO(cut.content)).load()
        assert client.picture(entry).size == (128, 128)
    with simulated(faults=["black", "no-image"]) as (_, client):
        assert client.run()["outputs"] == {}
        entry = client.run()
        assert client.picture(entry).getextrema() == ((0, 0),) * 3
    with simulated(faults=["oom", "error"]) as (_, client):
        kinds = [error_of(client.run())["exception_type"] for _ in range(2)]
        assert kinds == ["torch.OutOfMemoryError", "RuntimeError"]
        assert client.run()["status"]["completed"]


def test_an_unknown_fault_names_the_known_ones() -> None:
    """So that a typing error is not taken for a server that works."""
    with pytest.raises(ValueError, match="lose-reply"):
        Simulator(faults=["loose-reply"])


# --- coming and going ---------------------------------------------------------------------------------------


def test_stopping_is_quick_and_leaves_nothing() -> None:
    """Even with a prompt running and a client listening: no thread, no folder, the port is free."""
    before = set(threading.enumerate())
    with simulated() as (simulator, client), listening(client, "c1") as next_message:
        next_message()
        client.submit(graph(n27_text="[[slow:30]]"))
        wait_for(lambda: simulator.executions)
        begun = time.monotonic()
        simulator.stop()
        assert time.monotonic() - begun < 2
        assert set(threading.enumerate()) <= before
        simulator.stop()
        with pytest.raises(requests.ConnectionError):
            client.get("/prompt")


def test_a_restart_keeps_files_and_port_but_no_history(tmp_path: Path) -> None:
    """What a real server's restart does."""
    with simulated(folder=tmp_path) as (simulator, client):
        prompt_id = client.submit()
        entry = client.done(prompt_id)
        url = simulator.url
        simulator.stop()
        simulator.start()
        assert simulator.url == url
        assert client.get(f"/history/{prompt_id}").json() == {}
        assert client.picture(entry).size == (256, 256)
        assert client.run()["outputs"]["9"]["images"][0]["filename"] == "cup_00002_.png"


def test_a_taken_port_is_an_error() -> None:
    """Raised by start, before anything runs."""
    with simulated() as (simulator, _), pytest.raises(OSError, match="in use"):
        Simulator(port=simulator.port).start()


SERVING = """
from catalog_imagegen.simulator import Farm, serve_forever
serve_forever(Farm(1, seconds=0, is_own_process=True),
              on_ready=lambda url: print(url, flush=True))
"""


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT", "exit"])
def test_a_process_of_its_own_ends_when_told(ending: str) -> None:
    """By signal with status 0, or dying at once when a prompt says [[exit]]."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SERVING], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        client = Client(process.stdout.readline().strip())
        try:
            client.run()
            if ending == "exit":
                with contextlib.suppress(requests.ConnectionError):  # it may be dead before it answers
                    client.submit(graph(n27_text="[[exit]]"))
            else:
                process.send_signal(signal.Signals[ending])
            assert process.wait(DEADLINE_S) == (1 if ending == "exit" else 0)
        finally:
            client.session.close()
            process.kill()


# --- painting -----------------------------------------------------------------------------------------------


def painted(role: str = "main", **changes: Any) -> Image.Image:
    """Paint a sample."""
    wanted: dict[str, Any] = {"width": 512, "height": 512, "seed": 3, "name": "马克杯", "item": ""} | changes
    return paint("蓝色马克杯，白色背景", role=role, **wanted)


@pytest.mark.parametrize("role", ["main", "lifestyle", "detail", "comparison", "poster"])
def test_painting_is_deterministic(role: str) -> None:
    """The same inputs give the same pixels, and no picture is flat."""
    assert painted(role).tobytes() == painted(role).tobytes()
    assert max(ImageStat.Stat(painted(role)).stddev) > 5


def test_roles_and_seeds_look_different() -> None:
    """Each role has its composition; a seed varies the scene."""
    roles = {painted(role).tobytes() for role in ("main", "lifestyle", "detail", "comparison", "poster")}
    assert len(roles) == 5
    assert len({painted("lifestyle", seed=seed).tobytes() for seed in range(6)}) > 2


def test_a_main_picture_is_white_around() -> None:
    """The corners above the caption are pure white."""
    picture = painted(width=640, height=480)
    assert {picture.getpixel(place) for place in ((0, 0), (639, 0), (0, 400), (639, 400))} == {
        (255, 255, 255)
    }


@pytest.mark.parametrize("size", [(8, 8), (64, 2048), (1001, 333)])
def test_odd_sizes_can_be_painted(size: tuple[int, int]) -> None:
    """However small or long."""
    width, height = size
    assert painted("lifestyle", width=width, height=height, name="长" * 300).size == size


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("红色马克杯", "红"),
        ("纯白色背景上的黑色耳机", "黑"),
        ("白色背景，蓝色杯子", "蓝"),
        ("高20厘米的绿色水壶", "绿"),
        ("金属外壳，银色", "银"),
    ],
)
def test_the_product_colour_is_read_from_the_text(text: str, word: str) -> None:
    """Backgrounds, centimetres and metal are no colours of the product."""
    assert product_colour(text, 1) == COLOURS[word]


def test_products_are_recognised_by_their_words() -> None:
    """Without a name the first product word decides; unknown products are boxes."""
    texts = ["马克杯", "无线耳机", "T恤", "跑鞋", "台灯", "双人帐篷", "收纳箱"]
    shapes = ["cup", "earphones", "garment", "shoe", "lamp", "tent", "box"]
    assert [product_shape(text) for text in texts] == shapes
    assert product_shape("一台音箱旁放着一盏台灯") == "speaker"


SAMPLES = {
    "无线蓝牙耳机": "earphones",
    "岭声 桌面蓝牙音箱": "speaker",
    "自带线充电宝": "power_bank",
    "87键机械键盘": "keyboard",
    "便携咖啡杯": "tumbler",
    "折臂护眼台灯": "arm_lamp",
    "香薰加湿器": "humidifier",
    "水洗棉四件套": "bedding",
    "男士免烫长袖衬衫": "shirt",
    "轻量缓震跑步鞋": "shoe",
    "通勤双肩电脑包": "backpack",
    "积雪草保湿面霜": "jar",
    "烟酰胺精华液": "dropper",
    "丝绒哑光口红": "lipstick",
    "软毛化妆刷12支装": "brushes",
    "中烘挂耳咖啡": "coffee",
    "原味混合坚果": "canister",
    "秦岭百花蜂蜜": "honey",
    "手作凤梨酥": "cakes",
    "宽口径玻璃奶瓶": "baby_bottle",
    "婴儿长袖连体衣": "romper",
    "轻便折叠婴儿推车": "stroller",
    "双人防雨帐篷": "tent",
    "克米特折叠露营椅": "chair",
    "三层防水冲锋衣": "jacket",
    "复古露营灯": "lantern",
}
PROMPTING = Path(__file__).parents[2] / "prompt_templates"


@functools.cache
def sample_prompts() -> list[tuple[str, str, str, str, str]]:
    """Write the real prompts of the sample catalog: SKU, name, role, item and text of each."""
    folder = Path(__file__).parents[2] / "sample_catalog"
    rows: list[dict[str, str]] = runpy.run_path(str(folder / "make_samples.py"))["GOOD"]
    vocabulary = tomllib.loads((PROMPTING / "vocabulary.toml").read_text(encoding="utf-8"))
    shown = [
        word for entry in vocabulary["evidence"] if "compare_left" in entry for word in entry["keywords"]
    ]
    book = PromptBook(
        {path.name: path.read_text(encoding="utf-8") for path in PROMPTING.glob("*.j2")}, vocabulary
    )
    written = []
    for row in rows:
        lists = {
            header: tuple(re.split(r"[、；;\n]", row.get(header, "")))
            for header in ("卖点", "使用场景", "细节")
        }
        product = Product(
            sku=row["货号"],
            name=row["商品名称"],
            brand=row["品牌"],
            category=row["类目"],
            color=row.get("颜色", ""),
            material=row.get("材质", ""),
            shape=row.get("形状", ""),
            features=lists["卖点"],
            usage_scenarios=lists["使用场景"],
            detail_features=lists["细节"],
        )
        items = [("main", "正面"), ("poster", "促销")]
        items += [("lifestyle", item) for item in lists["使用场景"]]
        items += [("detail", item) for item in lists["细节"]]
        items += [("comparison", item) for item in lists["卖点"] if any(word in item for word in shown)]
        written += [
            (
                product.sku,
                product.name,
                role,
                item,
                book.write(role, product, item=item, note="").prompt.positive,
            )
            for role, item in items
        ]
    return written


def test_each_sample_product_has_one_silhouette_in_every_role() -> None:
    """Its name tells which; no word of the surroundings can turn a speaker into a lamp."""
    found = {(name, product_shape(text, name)) for _, name, _, _, text in sample_prompts()}
    assert found == set(SAMPLES.items())


def test_each_sample_product_has_one_colour_in_every_role() -> None:
    """A green cup is green beside a white seal and on a white ground."""
    found: dict[str, set[Any]] = {}
    for sku, name, _, _, text in sample_prompts():
        found.setdefault(sku, set()).add(product_colour(text, len(text), name))
    assert {sku: colours for sku, colours in found.items() if len(colours) > 1} == {}
    assert found["BY-C350-GN"] == {COLOURS["墨绿"]}
    assert found["SY-BP15"] == {COLOURS["藏青"]}
    assert found["XY-B240"] == found["SY-2201-BL"]  # light blue: of the cap, and of the whole shirt


@pytest.mark.parametrize("role", ["main", "lifestyle", "detail", "comparison", "poster"])
def test_a_green_cup_is_painted_green_in_every_role(role: str) -> None:
    """Seen in the pixels: its own dark green covers a part of each picture."""
    chosen = [prompt for prompt in sample_prompts() if prompt[0] == "BY-C350-GN" and prompt[2] == role]
    assert chosen
    for _, name, _, item, text in chosen:
        canvas = paint(text, width=512, height=512, seed=3, name=name, role=role, item=item)
        raw = canvas.tobytes()
        pixels = zip(raw[::3], raw[1::3], raw[2::3], strict=True)
        green = sum(g > r + 18 and g > b + 4 and g < 130 for r, g, b in pixels)
        assert green > 512 * 512 / 60, item


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("保温杯", "白底棚拍，深灰渐变背景，绿植旁一只红色的保温杯", "红"),
        ("保温杯", "浅灰色的地毯上摆着保温杯，蓝色，白底", "蓝"),
        ("蓝色保温杯", "白色台面上的保温杯", "蓝"),
        ("丝绒口红", "米色墙面前的丝绒口红，紫色", "紫"),
        ("岭声 音箱", "白色细竖线。一台黑色的音箱", "黑"),
        ("咖啡杯", "一只橙色的咖啡杯", "橙"),
    ],
)
def test_the_colour_near_the_name_wins(name: str, text: str, word: str) -> None:
    """Scenery has colours of its own; and a lipstick's name is no colour."""
    assert product_colour(text, 1, name) == COLOURS[word]


def test_the_last_thing_in_a_name_is_the_product() -> None:
    """Chinese puts the head noun last."""
    names = ["耳机收纳包", "咖啡杯", "露营灯", "帐篷灯", "长袖连体衣", "面包"]
    assert [product_shape("台灯旁的帐篷", name) for name in names] == [
        "tote",
        "cup",
        "lantern",
        "lamp",
        "romper",
        "lamp",
    ]


def test_every_silhouette_stands_on_the_ground() -> None:
    """Each known thing has a drawing of its own that reaches down to where its shadow lies."""
    drawn = {product(shape, (90, 120, 150), 100).tobytes() for shape in GROUND}
    assert {shape for shape, _ in SHAPES} | {"box"} == set(GROUND)
    assert len(drawn) == len(GROUND)
    for shape, (left, right, foot) in GROUND.items():
        box = product(shape, (90, 120, 150), 100).getchannel("A").getbbox()
        assert box is not None, shape
        assert box[0] <= left < right <= box[2], shape
        assert abs(box[3] - foot) <= 4, shape


def test_details_of_one_product_differ() -> None:
    """The crop, the angle and the surface depend on the item, even when the seed is the same."""
    items = ["织物网罩", "金属旋钮", "Type-C 充电口"]
    pictures = [painted("detail", name="音箱", item=item).crop((0, 0, 512, 470)) for item in items]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        change = ImageStat.Stat(ImageChops.difference(pictures[one], pictures[other])).mean
        assert max(change) > 8, (items[one], items[other])


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("山野露营", "outdoors"),
        ("在通勤地铁上听音乐", "train"),
        ("清晨浴室护肤", "bathroom"),
        ("卧室床头", "bedroom"),
        ("早餐餐桌", "kitchen"),
        ("在办公室", "office"),
        ("客厅聚会", "room"),
        ("日常使用", "room"),
    ],
)
def test_the_scene_follows_the_words(words: str, place: str) -> None:
    """Each place has its surroundings; the item comes before what else the prompt says."""
    assert setting(words) == place
    assert setting(f"{words}。") == place
    if place != "room":
        assert painted("lifestyle", item=words).tobytes() != painted("lifestyle", item="客厅").tobytes()
    assert place in {name for name, _ in SETTINGS}


def test_a_comparison_has_a_plain_divider() -> None:
    """White from top to caption, without a sign that looks like a control."""
    picture = painted("comparison", width=768, height=512)
    column = [picture.getpixel((384, y)) for y in range(4, 120)]
    assert set(column) == {(255, 255, 255)}
    left, right = picture.crop((340, 40, 376, 120)), picture.crop((392, 40, 428, 120))
    assert max(ImageStat.Stat(left).stddev + ImageStat.Stat(right).stddev) < 6
