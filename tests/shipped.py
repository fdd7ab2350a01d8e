"""Renders the shipped workflows on any server that speaks ComfyUI's protocol."""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from PIL import Image

from catalog_imagegen.domain.fingerprint import digest
from catalog_imagegen.stages.workflow import Workflow, parse_workflow

FOLDER = Path(__file__).parents[1] / "config" / "workflows"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
WIDTH, HEIGHT = 384, 256
"""Multiples of what every workflow needs."""
DEADLINE_S = 60


def shipped(name: str) -> Workflow:
    """A workflow as it ships."""
    return parse_workflow(name, (FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def photo(colour: tuple[int, int, int], left: int) -> bytes:
    """A photo of another shape than the pictures, with edges in it that cropping leaves."""
    image = Image.new("RGB", (300, 400), colour)
    image.paste((250, 250, 250), (left, 150, 240, 250))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def upload(url: str, content: bytes) -> str:
    """Bring a photo to the server, as it is brought before a picture is made from it; its name there."""
    name = f"{digest(content)}.png"
    answer = requests.post(f"{url}/upload/image", files={"image": (name, content)}, timeout=30)
    assert answer.json()["name"] == name
    return name


def bound(workflow: Workflow, **more: Any) -> dict[str, Any]:
    """A job: everything that a role and a product give."""
    values = {"positive": "一只白色的杯子", "negative": "水印", "seed": 7, "width": WIDTH, "height": HEIGHT}
    return workflow.bind({**values, "batch": 1, "filename_prefix": f"workflows/{workflow.name}", **more})


def rendered(url: str, graph: Mapping[str, Any]) -> Image.Image:
    """The one picture of a graph."""
    prompt_id = str(uuid.uuid4())
    body = {"prompt": graph, "prompt_id": prompt_id, "client_id": "workflows"}
    answer = requests.post(f"{url}/prompt", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    assert not answer.json()["node_errors"]
    deadline = time.monotonic() + DEADLINE_S
    while not (entry := requests.get(f"{url}/history/{prompt_id}", timeout=30).json()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    found = entry[prompt_id]
    assert found["status"]["status_str"] == "success", found["status"]
    (image,) = [image for output in found["outputs"].values() for image in output["images"]]
    content = requests.get(f"{url}/view", params=image, timeout=30).content
    with Image.open(io.BytesIO(content)) as opened:
        return opened.convert("RGB")


def assert_gives_pictures(url: str, name: str) -> None:
    """A shipped workflow gives a picture of the role's size; another photo of the product gives another picture."""
    workflow = shipped(name)
    photos = [upload(url, photo(*each)) for each in (((200, 40, 40), 60), ((40, 40, 200), 120))]
    one, other = (rendered(url, bound(workflow, reference=place)) for place in photos)
    for image in (one, other):
        assert image.size == (WIDTH, HEIGHT)
        assert max(image.convert("L").tobytes()) > 50, "it is black"
    assert (one.tobytes() == other.tobytes()) is workflow.lacks("reference")
