"""What the websocket tells, to whom, and in which order."""

import contextlib
import itertools
import json
import struct
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from tests.conformance.client import GRAPH, Client, Server, fresh, wait_for

WAIT_S = 10
BEGINNING = ["status", "execution_start", "execution_cached"]
EACH_NODE = ["progress_state", "executing", "progress_state"]


class Ear:
    """An open websocket."""

    def __init__(self, client: Client, client_id: str) -> None:
        url = f"{client.url.replace('http', 'ws')}/ws?clientId={client_id}"
        self.socket = websocket.create_connection(url, timeout=WAIT_S)

    def next(self) -> dict[str, Any]:
        """Wait for the next message; a binary one is {"type": "binary", "data": bytes}."""
        message = self.socket.recv()
        return {"type": "binary", "data": message} if isinstance(message, bytes) else json.loads(message)

    def until(self, event: str, **data: Any) -> list[dict[str, Any]]:
        """Collect messages up to and with one of this kind."""
        messages = [self.next()]
        while messages[-1]["type"] != event or not data.items() <= messages[-1]["data"].items():
            messages.append(self.next())
        return messages

    def run(self, prompt_id: str) -> list[dict[str, Any]]:
        """Collect all there is to hear of a prompt."""
        return self.until("executing", node=None, prompt_id=prompt_id)

    def hears_nothing(self, seconds: float = 0.3) -> bool:
        """Wait whether anything comes."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv()
        except websocket.WebSocketTimeoutException:
            return True
        finally:
            self.socket.settimeout(WAIT_S)
        return False


@contextlib.contextmanager
def ear(server: Server, client_id: str | None = None) -> Iterator[tuple[Ear, str]]:
    """Connect a client of some id; its first status is read already."""
    client_id = client_id or str(uuid.uuid4())
    opened = Ear(server.client, client_id)
    try:
        assert opened.next()["type"] == "status"
        yield opened, client_id
    finally:
        opened.socket.close()


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    """Name the messages."""
    return [message["type"] for message in messages]


def outline(messages: list[dict[str, Any]]) -> list[str]:
    """Name the messages without progress, and each run of the same once: how many there are is a matter of time."""
    return [kind for kind, _ in itertools.groupby(kind for kind in kinds(messages) if kind != "progress")]


def remaining(messages: list[dict[str, Any]]) -> list[int]:
    """Give how long the queue was said to be, each time."""
    told = [message["data"]["status"] for message in messages if message["type"] == "status"]
    return [status["exec_info"]["queue_remaining"] for status in told]


def merged(*parts: list[str]) -> list[str]:
    """Join outlines."""
    return [kind for kind, _ in itertools.groupby(itertools.chain(*parts))]


ENDING = ["executed", "progress_state", "execution_success", "status", "executing"]


class Hearing:
    """Checks for a class derived from this that provides `server`."""

    def test_the_first_message(self, server: Server) -> None:
        """Is the status, with the id the client gave, or one made for it."""
        for client_id in (str(uuid.uuid4()), ""):
            opened = Ear(server.client, client_id)
            first = opened.next()
            opened.socket.close()
            assert first["type"] == "status"
            assert first["data"]["status"] == {"exec_info": {"queue_remaining": 0}}
            assert first["data"]["sid"] == client_id if client_id else len(first["data"]["sid"]) == 32

    def test_a_success(self, server: Server) -> None:
        """In order; and the history is there once executing null has come."""
        with ear(server) as (heard, me):
            wanted = fresh()
            prompt_id = server.client.submit(wanted, client_id=me)
            messages = heard.run(prompt_id)
            assert prompt_id in server.client.get(f"/history/{prompt_id}").json()
        assert kinds(messages)[:4] == ["status", "status", "execution_start", "execution_cached"]
        assert remaining(messages) == [1, 1, 0]
        ran = set(wanted) - set(messages[3]["data"]["nodes"])
        nodes = [message["data"]["node"] for message in messages if message["type"] == "executing"]
        assert (set(nodes[:-1]), len(nodes)) == (ran, len(ran) + 1)
        assert outline(messages) == merged(BEGINNING, EACH_NODE * (len(ran) - 1), EACH_NODE[:2], ENDING)
        assert messages[-1]["data"] == {"node": None, "prompt_id": prompt_id}

    def test_the_data_of_events(self, server: Server) -> None:
        """Node, values, prompt."""
        with ear(server) as (heard, me):
            prompt_id = server.client.submit(fresh(), client_id=me)
            messages = heard.run(prompt_id)
        of = {kind: [m["data"] for m in messages if m["type"] == kind] for kind in kinds(messages)}
        assert set(of["execution_start"][0]) == {"prompt_id", "timestamp"}
        assert set(of["execution_cached"][0]) == {"nodes", "prompt_id", "timestamp"}
        assert set(of["execution_success"][0]) == {"prompt_id", "timestamp"}
        assert of["executing"][0].keys() == {"node", "display_node", "prompt_id"}
        assert of["progress"][-1] == {"value": 8, "max": 8, "prompt_id": prompt_id, "node": "3"}
        [executed] = of["executed"]
        assert (executed["node"], executed["display_node"], executed["prompt_id"]) == ("9", "9", prompt_id)
        assert executed["output"]["images"][0]["filename"] == "cup_00001_.png"
        state = of["progress_state"][-1]["nodes"]["3"]
        assert state == {
            "value": 8,
            "max": 8,
            "state": "finished",
            "node_id": "3",
            "prompt_id": prompt_id,
            "display_node_id": "3",
            "parent_node_id": None,
            "real_node_id": "3",
        }
        values = [data["value"] for data in of["progress"]]
        assert values == sorted(values)
        if not server.since(0, 4):
            assert values == list(range(1, 9))

    def test_a_cached_rerun(self, server: Server) -> None:
        """Only the outputs are told again."""
        wanted = fresh()
        with ear(server) as (heard, me):
            for _ in range(2):
                prompt_id = server.client.submit(wanted, client_id=me)
                messages = heard.run(prompt_id)
        assert kinds(messages) == ["status", *BEGINNING, *ENDING]
        assert set(messages[3]["data"]["nodes"]) == set(GRAPH)

    @pytest.mark.parametrize(
        ("text", "event"), [("[[error]]", "execution_error"), ("[[oom]]", "execution_error")]
    )
    def test_a_failure(self, server: Server, text: str, event: str) -> None:
        """The same data as in the history, then status and null."""
        with ear(server) as (heard, me):
            prompt_id = server.client.submit(fresh(n27_text=f"{text} {uuid.uuid4()}"), client_id=me)
            messages = heard.run(prompt_id)
        assert kinds(messages)[-3:] == [event, "status", "executing"]
        told = server.client.get(f"/history/{prompt_id}").json()[prompt_id]["status"]["messages"][-1]
        assert [messages[-3]["type"], messages[-3]["data"]] == told

    def test_an_interrupt(self, server: Server) -> None:
        """Likewise."""
        with ear(server) as (heard, me):
            slow = server.client.submit(fresh(n27_text="[[slow:30]]", n3_steps=1000), client_id=me)
            before = heard.until("progress")
            server.client.post("/interrupt", {"prompt_id": slow})
            messages = before + heard.run(slow)
        assert kinds(messages)[-3:] == ["execution_interrupted", "status", "executing"]
        assert messages[-3]["data"].keys() == {"prompt_id", "node_id", "node_type", "executed", "timestamp"}
        assert messages[-3]["data"]["node_id"] == "3"

    def test_two_in_a_row(self, server: Server) -> None:
        """One after the other, and the queue is told five times in between."""
        with ear(server) as (heard, me):
            first = server.client.submit(fresh(n27_text="[[slow:0.5]]"), client_id=me)
            before = heard.until("progress")
            second = server.client.submit(fresh(), client_id=me)
            messages = before + heard.run(first) + heard.run(second)
        assert remaining(messages) == [1, 1, 2, 1, 1, 0]
        started = [m["data"]["prompt_id"] for m in messages if m["type"] == "execution_start"]
        assert started == [first, second]
        place = kinds(messages).index("execution_success")
        after = ["execution_success", "status", "executing", "status", "execution_start", "execution_cached"]
        assert kinds(messages)[place : place + 6] == after

    def test_who_else_hears(self, server: Server) -> None:
        """Another client hears of the queue only."""
        with ear(server) as (heard, me), ear(server) as (other, _):
            prompt_id = server.client.submit(fresh(), client_id=me)
            heard.run(prompt_id)
            messages = other.until("status", status={"exec_info": {"queue_remaining": 0}})
            assert (set(kinds(messages)), remaining(messages)) == ({"status"}, [1, 1, 0])

    def test_without_a_client_id(self, server: Server) -> None:
        """Progress and interrupts are for all; start, executing, executed and success are for nobody."""
        with ear(server) as (heard, _):
            server.client.submit(fresh())
            messages = heard.until("status", status={"exec_info": {"queue_remaining": 0}})
            assert set(kinds(messages)) == {"status", "progress", "progress_state"}
            slow = server.client.submit(fresh(n27_text="[[slow:30]]", n3_steps=1000))
            heard.until("progress")
            server.client.post("/interrupt", {"prompt_id": slow})
            assert heard.until("execution_interrupted")[-1]["data"]["prompt_id"] == slow
            server.client.done(slow)

    def test_a_reconnect(self, server: Server) -> None:
        """Nothing is told again, but which node runs, without a prompt id; then it goes on."""
        with ear(server) as (heard, me):
            slow = server.client.submit(fresh(n27_text="[[slow:30]]", n3_steps=1000), client_id=me)
            heard.until("progress")
        with ear(server, me) as (heard, _):
            assert heard.next() == {"type": "executing", "data": {"node": "3"}}
            server.client.post("/interrupt", {"prompt_id": slow})
            assert kinds(heard.run(slow))[-3:] == ["execution_interrupted", "status", "executing"]
        with ear(server, me) as (heard, _):
            assert heard.hears_nothing(0.1)

    def test_a_second_socket_takes_over(self, server: Server) -> None:
        """And goes deaf for good once the first one is closed."""
        with ear(server) as (first, me), ear(server, me) as (second, _):
            prompt_id = server.client.submit(fresh(), client_id=me)
            second.run(prompt_id)
            assert first.hears_nothing(0.1)
            first.socket.close()
            with ear(server) as (other, _):

                def is_deaf() -> bool:
                    server.client.run(fresh(), client_id=me)
                    other.until("status", status={"exec_info": {"queue_remaining": 0}})
                    return second.hears_nothing(0.1)

                wait_for(is_deaf)

    def test_features(self, server: Server) -> None:
        """Who says what it can hears what the server can, as /features tells it."""
        with ear(server) as (heard, _):
            flags = {"supports_preview_metadata": True}
            heard.socket.send(json.dumps({"type": "feature_flags", "data": flags}))
            answer = heard.next()
        assert answer == {"type": "feature_flags", "data": server.client.get("/features").json()}
        assert answer["data"]["supports_preview_metadata"] is True
        assert answer["data"]["max_upload_size"] == 100 * 2**20

    def test_garbage_is_ignored(self, server: Server) -> None:
        """The socket stays."""
        with ear(server) as (heard, me):
            heard.socket.send("not json")
            prompt_id = server.client.submit(fresh(), client_id=me)
            assert heard.run(prompt_id)

    @pytest.mark.parametrize("described", [False, True])
    def test_previews(self, server: Server, *, described: bool) -> None:
        """Since 0.5 a prompt can ask for them; who understands metadata gets it, before the progress event."""
        with ear(server) as (heard, me):
            if described:
                flags = {"supports_preview_metadata": True}
                heard.socket.send(json.dumps({"type": "feature_flags", "data": flags}))
                heard.until("feature_flags")
            prompt_id = server.client.submit(
                fresh(), client_id=me, extra_data={"preview_method": "latent2rgb"}
            )
            messages = heard.run(prompt_id)
        frames = [message["data"] for message in messages if message["type"] == "binary"]
        if not server.since(0, 5):
            assert frames == []
            return
        kind, more = struct.unpack(">II", frames[0][:8])
        if described:
            assert kind == 4
            told = json.loads(frames[0][8 : 8 + more])
            assert (told["node_id"], told["prompt_id"], told["image_type"]) == ("3", prompt_id, "image/jpeg")
            image = frames[0][8 + more :]
        else:
            assert (kind, more) == (1, 1)
            image = frames[0][8:]
        assert image.startswith(b"\xff\xd8\xff")
        place = kinds(messages).index("binary")
        neighbours = [kinds(messages)[place - 1], kinds(messages)[place + 1]]
        assert neighbours == (["progress_state", "progress"] if described else ["progress", "progress_state"])
