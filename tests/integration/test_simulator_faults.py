"""Every fault, over a real socket, and the grammar that asks for them."""

import json
import re
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
from PIL import ImageFilter, ImageStat

from catalog_imagegen.simulator import Farm, Simulator
from catalog_imagegen.simulator.faults import FOR_EVER_S, GRAMMAR, KNOWN, Faults
from tests.conformance.client import Client, error_of, graph, heard, listening, simulated, wait_for


def is_idle(client: Client) -> bool:
    """Say whether it answers and nothing waits or runs."""
    try:
        return bool(client.get("/prompt").json()["exec_info"]["queue_remaining"] == 0)
    except requests.ConnectionError:
        return False


def ending(entry: dict[str, Any]) -> str:
    """Give the last event of a history entry."""
    return str(entry["status"]["messages"][-1][0])


def timestamps(entry: dict[str, Any]) -> list[int]:
    """Give the times of the messages of a history entry."""
    return [data["timestamp"] for _, data in entry["status"]["messages"]]


# --- which occasions ----------------------------------------------------------------------------------------


def series(fault: str, occasions: int = 10, *, name: str = "oom", **options: Any) -> str:
    """Say for each occasion whether *fault* happens: x or a dot."""
    faults = Faults([fault], **options)
    return "".join("x" if faults.take(name) else "." for _ in range(occasions))


@pytest.mark.parametrize(
    ("fault", "happens"),
    [
        ("oom", "x........."),
        ("oom:3", "xxx......."),
        ("oom:0", ".........."),
        ("oom%3", "..x..x..x."),
        ("oom%1", "xxxxxxxxxx"),
        ("oom#4", "...x......"),
        ("oom@0", ".........."),
        ("oom@1", "xxxxxxxxxx"),
        ("2/oom%1", ".........."),
        ("1-3/oom#1", "x........."),
    ],
)
def test_a_fault_happens_on_the_occasions_it_names(fault: str, happens: str) -> None:
    """The next ones, every nth, the nth, or by chance; on the servers named."""
    assert series(fault) == happens


def test_faults_add_up() -> None:
    """Counted ones follow on each other; what strikes anyway does not use them up."""
    faults = Faults(["oom:1", "oom:1", "oom%2"])
    assert [faults.take("oom") for _ in range(6)] == [True, True, True, True, False, True]


def test_chance_can_be_repeated() -> None:
    """A seed gives the same series on the same server, and another on another."""
    chance = [
        series("oom@0.5", 64, seed=seed, server=server) for seed, server in ((7, 1), (7, 1), (8, 1), (7, 2))
    ]
    assert chance[0] == chance[1]
    assert len(set(chance)) == 3
    assert 10 < chance[0].count("x") < 54


def test_a_fault_can_have_its_time() -> None:
    """It counts no occasions before and after, and time passes from the start of the server only."""
    now = [0.0]
    faults = Faults(["oom#2+10-20"], now_s=lambda: now[0])
    now[0] = 50
    faults.begin()
    seen = []
    for now[0] in (50, 59, 61, 62, 63, 71):
        seen.append(faults.take("oom"))
    assert seen == [False, False, False, True, False, False]


def test_values_are_said_or_known() -> None:
    """Seconds and the like have a default; a standing fault has one at any time."""
    faults = Faults(["hang", "hang=2.5", "skewed-clock=-60", "missing-model=a b+c.safetensors"])
    assert [faults.amount("hang") for _ in range(3)] == [600, 2.5, None]
    assert faults.standing("skewed-clock") == (-60,)
    assert faults.standing("missing-model") == ("a b+c.safetensors",)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("loose-reply", "unknown fault 'loose-reply'; use [SERVER/]NAME"),
        ("oom:x", "lose-reply"),
        ("oom@2", "above 1; use a figure from 0 to 1, as in oom@0.2"),
        ("oom%0", "needs a whole number behind '%', as in oom%2"),
        ("oom#1.5", "needs a whole number behind '#'"),
        ("oom=3", "takes no value; leave out =3"),
        ("hang=long", "needs a figure behind '=', not 'long'"),
        ("missing-node", "needs a name, as in missing-node=SomeName"),
        ("skewed-clock%2", "holds all the time, so it takes no %2; leave it out"),
        ("3/oom", "is for server 3, but there are 2"),
        ("nowhere.toml", "a script is TOML with faults"),
    ],
)
def test_a_wrong_fault_says_what_is_wrong(fault: str, says: str) -> None:
    """So that a typing error is not taken for a server that works."""
    with pytest.raises(ValueError, match=re.escape(says)):
        Farm(2, faults=[fault])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("faults = 3", "no list of faults"),
        ('faults = ["oom"]\nsleep = 1', "only faults and seed"),
        ('faults = ["boom"]', "unknown fault 'boom'"),
        ("faults = [", "a script is TOML"),
    ],
)
def test_a_wrong_script_says_what_is_wrong(text: str, says: str, tmp_path: Path) -> None:
    """With its name where it is not the fault's text."""
    script = tmp_path / "night.toml"
    script.write_text(text)
    with pytest.raises(ValueError, match=says):
        Faults([str(script)])


def test_a_script_plays_a_bad_night(tmp_path: Path) -> None:
    """One server runs out of memory every second time, another is killed every third time."""
    script = tmp_path / "night.toml"
    script.write_text('seed = 7\nfaults = ["1/oom%2", "2/die%3"]')
    with Farm(2, seconds=0, faults=[str(script)]) as farm:
        for simulator in farm:
            client = Client(simulator.url)
            for seed in range(6):
                played(simulator, client, seed)
            client.session.close()
        assert [[one.completed for one in simulator.timeline] for simulator in farm] == [
            [True, False] * 3,
            [True, True, False] * 2,
        ]


def played(simulator: Simulator, client: Client, seed: int) -> None:
    """Have one prompt executed, however it ends, and the server ready for the next."""
    client.submit(graph(n3_seed=seed))
    wait_for(lambda: [one.completed for one in simulator.timeline[seed:]] in ([True], [False]))
    wait_for(lambda: is_idle(client))  # one about to be killed still has the prompt in its queue


def answers(client: Client) -> bool:
    """Say whether the server can be reached."""
    try:
        return client.get("/prompt").status_code == 200
    except requests.ConnectionError:
        return False


def test_faults_can_come_and_go_while_it_runs() -> None:
    """From the test that holds it, or over HTTP from another process."""
    with simulated() as (simulator, client):
        simulator.misbehave("http-500:9")
        assert client.post("/prompt", {"prompt": graph()}).status_code == 500
        simulator.behave()
        client.run()
        assert client.post("/simulator/faults", {"faults": ["oom%1"]}).status_code == 200
        error_of(client.run(graph(n3_seed=2)))
        assert client.post("/simulator/faults", {"clear": True}).status_code == 200
        assert client.run(graph(n3_seed=3))["status"]["completed"]
        refused = client.post("/simulator/faults", {"faults": ["boom"]})
        assert (refused.status_code, "boom" in refused.json()["error"]) == (400, True)


def test_every_fault_has_a_test_here() -> None:
    """By name, so that none is only promised."""
    text = Path(__file__).read_text(encoding="utf-8") + Path(__file__).with_name(
        "test_simulator.py"
    ).read_text(encoding="utf-8")
    assert [name for name in KNOWN if f'"{name}' not in text] == []


# --- posting a prompt ---------------------------------------------------------------------------------------


def test_refusals_queue_nothing() -> None:
    """413 is text, 400 says which node; the next prompt is accepted."""
    with simulated(faults=["too-large", "refuse-400"]) as (simulator, client):
        large, bad = (client.post("/prompt", {"prompt": graph()}) for _ in range(2))
        assert (large.status_code, large.text) == (413, "Maximum request body size 104857600 exceeded.")
        assert (bad.status_code, bad.json()["error"]["type"]) == (400, "prompt_outputs_failed_validation")
        [blamed] = bad.json()["node_errors"].values()
        assert blamed["errors"][0]["type"] == "exception_during_validation"
        assert is_idle(client)
        client.run()
        assert len(simulator.executions) == 1


def test_a_prompt_accepted_in_part() -> None:
    """200 with node_errors: of two outputs one runs; an only one runs all the same."""
    two = graph()
    two["10"] = {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}}
    with simulated(faults=["partial:2"]) as (_, client):
        for wanted, blamed, made in ((two, ["10"], ["9"]), (graph(n3_seed=2), ["9"], ["9"])):
            answer = client.post("/prompt", {"prompt": wanted})
            assert (answer.status_code, list(answer.json()["node_errors"])) == (200, blamed)
            assert list(client.done(answer.json()["prompt_id"])["outputs"]) == made


def test_a_forbidden_door() -> None:
    """Every request is 403 without a body while it lasts, the websocket too."""
    with simulated(faults=["forbidden:4"]) as (_, client):
        for answer in (client.get("/prompt"), client.get("/view"), client.post("/prompt", {})):
            assert (answer.status_code, answer.content) == (403, b"")
        with pytest.raises(websocket.WebSocketBadStatusException, match="403"), listening(client, "c1"):
            pass
        assert client.get("/prompt").status_code == 200
    with simulated(faults=["forbidden"]) as (_, client):
        assert [client.get("/queue").status_code for _ in range(9)] == [403] * 9


def test_a_server_that_says_nothing() -> None:
    """It takes the connection; who goes away has queued the prompt for all that."""
    with simulated(faults=["no-answer=0.3"]) as (simulator, client):
        with pytest.raises(requests.Timeout):
            client.session.post(f"{client.url}/prompt", json={"prompt": graph()}, timeout=0.05)
        wait_for(lambda: simulator.executions)
        assert client.get("/prompt").status_code == 200


# --- the process --------------------------------------------------------------------------------------------


def test_killed_at_the_end_of_an_execution(tmp_path: Path) -> None:
    """The file is there, the history and the rest of the queue are not; websockets drop without a frame."""
    with simulated(faults=["restart"], folder=tmp_path) as (simulator, client):
        with listening(client, "c1") as next_message:
            next_message()
            first = client.submit(graph(n27_text="[[slow:0.2]]"), client_id="c1")
            second = client.submit(graph(n3_seed=2))
            with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
                heard(next_message)
        wait_for(lambda: answers(client))
        assert [client.get(f"/history/{prompt_id}").json() for prompt_id in (first, second)] == [{}, {}]
        assert is_idle(client)
        assert [path.name for path in tmp_path.rglob("*.png")] == ["cup_00001_.png"]
        assert [(one.prompt_id, one.completed) for one in simulator.timeline] == [(first, True)]
        assert client.post("/prompt", {"prompt": graph()}).json()["number"] == 0


def test_killed_in_the_middle_of_an_execution(tmp_path: Path) -> None:
    """Nothing is saved; for a second nobody answers, then it is back on the same port."""
    with simulated(faults=["die=1"], folder=tmp_path) as (simulator, client):
        prompt_id = client.submit()
        wait_for(lambda: not answers(client))
        wait_for(lambda: answers(client))
        assert client.get(f"/history/{prompt_id}").json() == {}
        assert list(tmp_path.rglob("*.png")) == []
        assert [one.completed for one in simulator.timeline] == [False]
        assert client.run()["status"]["completed"]
        assert len(simulator.executions) == 2


def has_forgotten(client: Client, prompt_id: str) -> bool:
    """Whether the server answers and knows nothing of a prompt; it may be killed while it is asked."""
    try:
        return bool(client.get(f"/history/{prompt_id}").json() == {})
    except requests.ConnectionError:
        return False


def test_it_can_be_killed_from_outside(tmp_path: Path) -> None:
    """By the test that holds it, or over HTTP."""
    with simulated(folder=tmp_path) as (simulator, client):
        prompt_id = client.submit()
        client.done(prompt_id)
        simulator.restart()
        assert client.get(f"/history/{prompt_id}").json() == {}
        prompt_id = client.submit(graph(n3_seed=2))
        client.done(prompt_id)
        assert client.post("/simulator/restart").status_code == 200
        wait_for(lambda: has_forgotten(client, prompt_id))


def test_a_dead_worker(tmp_path: Path) -> None:
    """Everything answers, prompts are accepted, nothing runs; a restart or a given time revives it."""
    with simulated(faults=["dead-worker"], folder=tmp_path) as (simulator, client):
        prompt_ids = [client.submit(graph(n3_seed=seed)) for seed in range(2)]
        for path in ("/system_stats", "/object_info", "/history", "/queue", "/prompt"):
            assert client.get(path).status_code == 200
        queue = client.get("/queue").json()
        assert ([item[1] for item in queue["queue_pending"]], queue["queue_running"]) == (prompt_ids, [])
        simulator.restart()
        assert is_idle(client)
        client.run()
    with simulated(faults=["dead-worker=0.2"]) as (simulator, client):
        entry = client.run()
        assert timestamps(entry)[0] - entry["prompt"][3]["create_time"] >= 200


def test_same_number_and_id_kill_the_worker() -> None:
    """As on a real server: 500 although it is queued, and in the end nothing runs any more."""
    with simulated() as (_, client):
        slow = client.submit(graph(n27_text="[[slow:30]]", n3_steps=1000))
        wait_for(lambda: client.running(slow))
        same = {"prompt": graph(), "prompt_id": str(uuid.uuid4()), "number": 5}
        assert [client.post("/prompt", same).status_code for _ in range(4)] == [200, 500, 500, 500]
        client.post("/interrupt")
        client.done(slow)
        assert client.post("/prompt", {"prompt": graph()}).status_code == 200
        assert client.get("/queue").json()["queue_running"] == []


# --- executing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("faults", "text"), [(["hang=0.4"], ""), ([], "[[hang:0.4]]")])
def test_a_hanging_prompt_heeds_no_interrupt(faults: list[str], text: str) -> None:
    """It makes no step till it wakes, and is stopped then; by fault or by text."""
    with simulated(faults=faults, version="0.3.75") as (_, client), listening(client, "c1") as next_message:
        prompt_id = client.submit(graph(n27_text=text), client_id="c1")
        while next_message()["data"].get("value") != 4:  # of eight steps: the half
            pass
        client.post("/interrupt", {"prompt_id": prompt_id})
        entry = client.done(prompt_id)
        assert ending(entry) == "execution_interrupted"
        start, *_, end = timestamps(entry)
        assert end - start >= 400


def test_somebody_presses_stop() -> None:
    """Nobody of ours did."""
    with simulated(faults=["interrupted"]) as (_, client):
        assert ending(client.run()) == "execution_interrupted"
        assert client.run()["status"]["completed"]


def test_a_full_disk_is_found_out_late() -> None:
    """At the saving node, with the sampling paid for, as the real OSError reads; by fault or by text."""
    for faults, text in ((["disk-full"], ""), ([], "[[disk-full]]")):
        with simulated(faults=faults) as (simulator, client):
            error = error_of(client.run(graph(n27_text=text)))
            assert (error["exception_type"], error["node_type"]) == ("OSError", "SaveImage")
            assert error["exception_message"].startswith("[Errno 28] No space left on device: ")
            assert {"3", "8"} <= set(error["executed"])
            assert len(simulator.executions) == 1


def test_the_history_may_come_late() -> None:
    """Success is told and no queue knows the prompt, yet the history is empty; it fills in the end."""
    with simulated(faults=["late-history=3"]) as (_, client), listening(client, "c1") as next_message:
        next_message()
        prompt_id = client.submit(client_id="c1")
        while next_message()["type"] != "execution_success":
            pass
        wait_for(lambda: is_idle(client))
        assert client.get(f"/history/{prompt_id}").json() == {}
    with simulated(faults=["late-history"]) as (_, client):
        assert client.run()["status"]["completed"]


def test_a_file_may_be_gone_that_the_cache_names() -> None:
    """Success, the same name, and 404."""
    with simulated(faults=["file-gone"]) as (simulator, client):
        first, again = client.run(), client.run()
        assert again["outputs"] == first["outputs"]
        assert again["status"]["completed"]
        assert client.get("/view", **again["outputs"]["9"]["images"][0]).status_code == 404
        assert len(simulator.executions) == 1


def test_clocks_may_be_wrong() -> None:
    """All of the time, or from the middle of an execution on."""
    with simulated(faults=["skewed-clock=5000"]) as (simulator, client):
        entry = client.run()
        for found in (*timestamps(entry), entry["prompt"][3]["create_time"]):
            assert 4900 < found / 1000 - time.time() < 5100
        assert abs(simulator.timeline[0].started_ms / 1000 - time.time()) < 100
    with simulated(faults=["clock-jump"]) as (simulator, client):
        start, *_, success = timestamps(client.run())
        assert success < start
        [one] = simulator.timeline
        assert one.ended_ms is not None
        assert one.started_ms <= one.ended_ms


# --- pictures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["fault", "text"])
@pytest.mark.parametrize("name", ["noise", "uniform", "blurred", "overexposed", "small", "black", "no-image"])
def test_bad_pictures_by_fault_and_by_text(name: str, by: str) -> None:
    """Each looks as its name says, and the prompt is a success."""
    text = f"白色马克杯 [[{name}]]" if by == "text" else "白色马克杯"
    with simulated(faults=[name] if by == "fault" else []) as (_, client):
        entry = client.run(graph(n27_text=text))
        assert entry["status"]["completed"]
        if name == "no-image":
            assert entry["outputs"] == {}
            return
        picture = client.picture(entry)
        look = ImageStat.Stat(picture)
        match name:
            case "noise":
                assert min(look.stddev) > 60
            case "uniform":
                assert all(0 < high - low <= 2 for low, high in look.extrema)
                assert min(look.mean) > 50
            case "blurred":
                assert max(look.stddev) > 10
                assert max(ImageStat.Stat(picture.filter(ImageFilter.FIND_EDGES)).mean) < 5
            case "overexposed":
                assert min(look.mean) > 200
            case "small":
                assert picture.size == (128, 128)
            case "black":
                assert look.extrema == [(0, 0)] * 3
        assert json.loads(picture.info["prompt"])["27"]["inputs"]["text"] == text
        assert picture.info["catalog-imagegen"] == "placeholder"


def test_downloads_gone_wrong() -> None:
    """A page of HTML with status 200, and a file that dribbles in."""
    with simulated(faults=["view-html", "slow-view=0.4"]) as (_, client):
        file = client.run()["outputs"]["9"]["images"][0]
        page = client.get("/view", **file)
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        begun = time.monotonic()
        slow = client.get("/view", **file)
        assert time.monotonic() - begun >= 0.35
        assert slow.content == client.get("/view", **file).content


# --- websocket ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "status"), [("ws-absent", "404"), ("ws-absent=403", "403")])
def test_a_server_without_websocket(fault: str, status: str) -> None:
    """Everything else works."""
    with simulated(faults=[fault]) as (_, client):
        for _ in range(3):
            with pytest.raises(websocket.WebSocketBadStatusException, match=status), listening(client, "c1"):
                pass
        assert client.run(client_id="c1")["status"]["completed"]


def test_a_deaf_websocket() -> None:
    """It stays open and hears its first status, nothing else, whatever happens."""
    with simulated(faults=["ws-deaf"]) as (_, client):
        socket = websocket.create_connection(f"{client.url.replace('http', 'ws')}/ws?clientId=c1", timeout=5)
        try:
            assert json.loads(socket.recv())["type"] == "status"
            client.run(client_id="c1")
            socket.settimeout(0.2)
            with pytest.raises(websocket.WebSocketTimeoutException):
                socket.recv()
        finally:
            socket.close()


def test_a_websocket_that_drops() -> None:
    """In the middle of an execution, which goes on."""
    with simulated(faults=["ws-drop"]) as (_, client):
        with listening(client, "c1") as next_message:
            prompt_id = client.submit(client_id="c1")
            with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
                heard(next_message)
        assert client.done(prompt_id)["status"]["completed"]
        with listening(client, "c1") as next_message:
            client.submit(graph(n3_seed=2), client_id="c1")
            assert heard(next_message)[-3]["type"] == "execution_success"


def test_events_that_stall() -> None:
    """For a while nobody hears a thing; then everything comes, in order."""
    with simulated(faults=["ws-stall=0.4"]) as (_, client), listening(client, "c1") as next_message:
        next_message()
        prompt_id = client.submit(client_id="c1")
        begun = time.monotonic()
        messages = heard(next_message)
        assert time.monotonic() - begun >= 0.35
        assert messages[-3]["type"] == "execution_success"
        assert client.done(prompt_id)["status"]["completed"]


# --- what is installed --------------------------------------------------------------------------------------


def test_a_server_may_lack_a_node_or_a_model() -> None:
    """It is not listed, and a prompt that needs it is refused; on one server of two."""
    faults = ["1/missing-node=ModelSamplingAuraFlow", "2/missing-model=z_image_turbo_bf16.safetensors"]
    with Farm(2, seconds=0, faults=faults) as farm:
        clients = [Client(url) for url in farm.urls]
        listed = [client.get("/object_info").json() for client in clients]
        assert ["ModelSamplingAuraFlow" in info for info in listed] == [False, True]
        models = [client.get("/models/diffusion_models").json() for client in clients]
        assert ["z_image_turbo_bf16.safetensors" in names for names in models] == [True, False]
        [_, offered] = [info["UNETLoader"]["input"]["required"]["unet_name"][0] for info in listed]
        assert offered == models[1]
        answers = [client.post("/prompt", {"prompt": graph()}).json() for client in clients]
        assert answers[0]["error"]["type"] == "missing_node_type"
        assert answers[1]["node_errors"]["28"]["errors"][0]["type"] == "value_not_in_list"
        for client in clients:
            client.session.close()


def test_a_change_of_model_costs_time() -> None:
    """Turbo, then base, then base again; after /free the model is loaded anew."""
    with simulated(load_seconds=0.3) as (simulator, client):
        base = "z_image_bf16.safetensors"
        for seed, model in ((1, "z_image_turbo_bf16.safetensors"), (2, base), (3, base)):
            client.run(graph(n3_seed=seed, n28_unet_name=model))
        client.post("/free", {"unload_models": True})
        client.run(graph(n3_seed=4, n28_unet_name=base))
        took = [(one.ended_ms or 0) - one.started_ms for one in simulator.timeline]
        assert [took[place] >= 300 for place in (0, 1, 3)] == [True] * 3


def test_memory_depends_on_what_is_loaded() -> None:
    """Total is as told; free is what the model leaves."""
    with simulated(vram_gb=16) as (_, client):

        def memory() -> tuple[int, int]:
            [device] = client.get("/system_stats").json()["devices"]
            return device["vram_total"], device["vram_free"]

        total, free = memory()
        assert total == 16 * 2**30
        client.run()
        assert memory()[1] < free < total
        client.post("/free", {"unload_models": True})
        assert memory() == (total, free)


def test_simulators_know_their_versions() -> None:
    """An unknown one is named."""
    with pytest.raises(ValueError, match=r"no version '1\.0' was observed; use one of 0\.33\.0, 0\.3\.75"):
        Simulator(version="1.0")


# --- the page -----------------------------------------------------------------------------------------------


def row(name: str) -> str:
    """Give the line that docs/simulator.md has for a fault."""
    kind = KNOWN[name]
    match kind.value:
        case None:
            value = ""
        case str():
            value = "a name"
        case _:
            value = "for ever" if kind.value == FOR_EVER_S else f"{kind.value:g}"
    occasion = "always" if kind.stands else f"{kind.occasion}, each" if kind.lasts else kind.occasion
    return f"| `{name}` | {kind.tells} | {value} | {occasion} |"


def test_every_fault_is_documented() -> None:
    """With what it does, its value and its occasion, in the order of the program."""
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    found = [line for line in page.splitlines() if re.match(r"\| `[a-z0-9-]+` \| .* \| .* \| .* \|$", line)]
    assert found == [row(name) for name in KNOWN]
    assert GRAMMAR.replace(":COUNT|@PROBABILITY|%EVERY|#NTH", "WHEN") in page
