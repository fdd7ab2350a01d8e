"""A client for tests of the protocol, and the graph they post."""

import contextlib
import copy
import io
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests
import websocket
from PIL import Image

from catalog_imagegen.simulator import Simulator

DEADLINE_S = 10
PLAIN_500 = "500 Internal Server Error\n\nServer got itself in trouble"
GRAPH: dict[str, Any] = {
    "28": {
        "class_type": "UNETLoader",
        "inputs": {"unet_name": "z_image_turbo_bf16.safetensors", "weight_dtype": "default"},
    },
    "30": {
        "class_type": "CLIPLoader",
        "inputs": {"clip_name": "qwen_3_4b.safetensors", "type": "lumina2", "device": "default"},
    },
    "29": {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}},
    "11": {"class_type": "ModelSamplingAuraFlow", "inputs": {"model": ["28", 0], "shift": 3.0}},
    "27": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["30", 0], "text": "白色马克杯"}},
    "33": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["27", 0]}},
    "13": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 256, "height": 256, "batch_size": 1}},
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["11", 0],
            "positive": ["27", 0],
            "negative": ["33", 0],
            "latent_image": ["13", 0],
            "seed": 7,
            "steps": 8,
            "cfg": 1.0,
            "sampler_name": "res_multistep",
            "scheduler": "simple",
            "denoise": 1.0,
        },
        "_meta": {"title": "Sampler"},
    },
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["29", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "shop/cup"}},
}


def graph(**changes: Any) -> dict[str, Any]:
    """Copy GRAPH with inputs changed: `graph(n3_seed=5)` sets the seed of node 3."""
    changed = copy.deepcopy(GRAPH)
    for key, value in changes.items():
        node, _, name = key[1:].partition("_")
        changed[node]["inputs"][name] = value
    return changed


_seeds = itertools.count(10**9)


def fresh(**changes: Any) -> dict[str, Any]:
    """Copy GRAPH with a seed and a folder that no other prompt had, so that no cache and no name is shared."""
    return graph(**{"n3_seed": next(_seeds), "n9_filename_prefix": f"{uuid.uuid4()}/cup", **changes})


def wait_for(found: Callable[[], Any]) -> Any:
    """Wait until *found* gives something true."""
    deadline = time.monotonic() + DEADLINE_S
    while not (result := found()):
        assert time.monotonic() < deadline, "waited too long"
        threading.Event().wait(0.005)
    return result


class Client:
    """Just enough of a client, on one connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def get(self, path: str, **params: Any) -> requests.Response:
        """GET with a query."""
        return self.session.get(self.url + path, params=params, timeout=DEADLINE_S)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        """POST a JSON body."""
        return self.session.post(self.url + path, json=body, timeout=DEADLINE_S, **more)

    def submit(self, wanted: dict[str, Any] | None = None, **more: Any) -> str:
        """Submit a prompt that must be accepted; give its id."""
        answer = self.post("/prompt", {"prompt": wanted or graph(), **more})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["prompt_id"])

    def done(self, prompt_id: str) -> dict[str, Any]:
        """Wait until a prompt is in the history."""
        entry = wait_for(lambda: self.get(f"/history/{prompt_id}").json())[prompt_id]
        assert isinstance(entry, dict)
        return entry

    def run(self, wanted: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Submit and wait."""
        return self.done(self.submit(wanted, **more))

    def picture(self, entry: dict[str, Any], node: str = "9") -> Image.Image:
        """Fetch and open the picture a node saved."""
        answer = self.get("/view", **entry["outputs"][node]["images"][0])
        assert answer.status_code == 200
        return Image.open(io.BytesIO(answer.content))

    def running(self, prompt_id: str) -> bool:
        """Say whether a prompt is being executed."""
        return any(item[1] == prompt_id for item in self.get("/queue").json()["queue_running"])


@contextlib.contextmanager
def simulated(**options: Any) -> Iterator[tuple[Simulator, Client]]:
    """Start a simulator and a client for it."""
    with Simulator(**{"seconds": 0.0, **options}) as simulator:
        client = Client(simulator.url)
        try:
            yield simulator, client
        finally:
            client.session.close()


def error_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Give the data of the message that ended a failed prompt."""
    assert entry["status"]["status_str"] == "error"
    event, data = entry["status"]["messages"][-1]
    assert event == "execution_error"
    return dict(data)


@contextlib.contextmanager
def listening(client: Client, client_id: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """Open a websocket; give a function that waits for the next message."""
    socket = websocket.create_connection(
        f"{client.url.replace('http', 'ws')}/ws?clientId={client_id}", timeout=DEADLINE_S
    )
    try:
        yield lambda: dict(json.loads(socket.recv()))
    finally:
        socket.close()


def heard(next_message: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """Collect messages up to and with executing null."""
    messages = [next_message()]
    while messages[-1]["type"] != "executing" or messages[-1]["data"]["node"] is not None:
        messages.append(next_message())
    return messages


@dataclass(frozen=True)
class Server:
    """A server whose protocol is looked at, a simulator or a real ComfyUI with the stand-in pack."""

    client: Client
    version: tuple[int, ...]

    @classmethod
    def at(cls, client: Client) -> "Server":
        """Ask a server which version it is."""
        told = client.get("/system_stats").json()["system"]["comfyui_version"]
        return cls(client, tuple(int(part) for part in told.split(".")))

    def since(self, *version: int) -> bool:
        """Say whether it is this version or a later one."""
        return self.version >= version
