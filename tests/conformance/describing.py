"""What a server tells of itself, and the shapes of its answers."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance.client import GRAPH, Server, fresh, wait_for
from tests.conformance.waiting import blocked, unblocked

SHAPES = Path(__file__).with_name("shapes")


def shape(value: Any) -> Any:
    """Replace values by their types.

    Ids of prompts and nodes among the keys are all the same, the inputs of a node are not looked into, and a list of
    different things is shown as a table by place, messages as one by event.
    """
    if isinstance(value, dict):
        shaped: dict[str, Any] = {}
        for key, part in value.items():
            inside = "…" if key in {"inputs", "current_inputs"} else shape(part)
            shaped[_key(key)] = both(shaped.get(_key(key)), inside)
        return shaped
    if isinstance(value, list):
        return _shape_of_list(value)
    return {type(None): "null", bool: "bool", int: "number", float: "number"}.get(type(value), "text")


def _shape_of_list(parts: list[Any]) -> Any:
    if parts and all(_is_message(part) for part in parts):
        return {event: shape(data) for event, data in parts}
    if len({type(part) for part in parts}) > 1:
        return {str(place): shape(part) for place, part in enumerate(parts)}
    together = None
    for part in parts:
        together = both(together, shape(part))
    return [] if together is None else [together]


def _is_message(part: Any) -> bool:
    return isinstance(part, list) and [type(one) for one in part] == [str, dict] and "prompt_id" in part[1]


def both(one: Any, other: Any) -> Any:
    """Give the shape of what has either shape."""
    if one is None or one == other:
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: both(one.get(key), other[key]) if key in other else one[key] for key in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        return [both(one[0], other[0])] if one and other else one or other
    if isinstance(one, str) and isinstance(other, str):
        return " or ".join(sorted({*one.split(" or "), *other.split(" or ")}))
    return "anything"


def _key(key: str) -> str:
    if key.isdecimal():
        return "<node>"
    try:
        return "<prompt>" if str(uuid.UUID(key)) == key else key
    except ValueError:
        return key


def clashes(wanted: Any, found: Any, path: str = "") -> Iterator[str]:
    """Say where *found* is of another shape than *wanted*; an empty list has any, a simulator says that it is one."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted({*wanted, *found} - {"simulator"}):
            if key not in wanted or key not in found:
                yield f"{path}/{key} is {'missing' if key in wanted else 'unheard of'}"
            else:
                yield from clashes(wanted[key], found[key], f"{path}/{key}")
    elif isinstance(wanted, list) and isinstance(found, list):
        if wanted and found:
            yield from clashes(wanted[0], found[0], f"{path}[]")
    elif isinstance(wanted, str) and isinstance(found, str):
        if not set(wanted.split(" or ")) & set(found.split(" or ")):
            yield f"{path} is {found}, not {wanted}"
    else:
        yield f"{path} is {found}, not {wanted}"


def recorded(server: Server) -> dict[str, Any]:
    """Give the shapes that a real server of this version answered with."""
    name = ".".join(map(str, server.version))
    shapes: dict[str, Any] = json.loads((SHAPES / f"{name}.json").read_text(encoding="utf-8"))
    return shapes


def tour(server: Server) -> dict[str, Any]:
    """Give the shapes of answers, by what was asked."""
    client = server.client
    found: dict[str, Any] = {}
    client.post("/history", {"clear": True})
    wanted = fresh()
    good = client.submit(wanted, extra_data={"extra_pnginfo": {"job": {"sku": "A"}}})
    found["history of a success"] = shape({good: client.done(good)})
    bad = client.submit(fresh(n27_text=f"[[error]] {uuid.uuid4()}"))
    entry = client.done(bad)
    found["history of a failure"] = shape({bad: entry})
    slow = blocked(server)
    client.submit(fresh())
    found["queue"] = shape(client.get("/queue").json())
    found["history of an interrupt"] = shape({slow: unblocked(server, slow)})
    wait_for(lambda: client.get("/prompt").json()["exec_info"]["queue_remaining"] == 0)
    found["prompt"] = shape(client.get("/prompt").json())
    found["system_stats"] = shape(client.get("/system_stats").json())
    found["features"] = shape(client.get("/features").json())
    for name in sorted({node["class_type"] for node in GRAPH.values()} | {"LoadImage"}):
        found[f"object_info of {name}"] = shape(untold(client.get(f"/object_info/{name}").json()))
    if server.since(0, 26):
        found["job"] = shape(client.get(f"/api/jobs/{good}").json())
        found["jobs"] = shape(client.get("/api/jobs", status="failed").json())
    return found


def untold(info: Any) -> Any:
    """Leave out what only explains: tooltips and search words."""
    if isinstance(info, dict):
        prose = {"tooltip", "search_aliases", "description", "essentials_category", "output_tooltips"}
        return {key: untold(value) for key, value in info.items() if key not in prose}
    return [untold(value) for value in info] if isinstance(info, list) else info


class Describing:
    """Checks for a class derived from this that provides `server`."""

    def test_classes_and_models(self, server: Server) -> None:
        """One class, or all; {} for one that is not there; folders are lists, unknown ones 404."""
        client = server.client
        everything = client.get("/object_info").json()
        assert client.get("/object_info/KSampler").json() == {"KSampler": everything["KSampler"]}
        assert client.get("/object_info/Nope").json() == {}
        assert everything["KSampler"]["input"]["required"]["seed"][1]["max"] == 2**64 - 1
        assert everything["SaveImage"]["output_node"] is True
        folders = client.get("/models").json()
        assert {"diffusion_models", "loras", "model_patches", "text_encoders", "vae"} <= set(folders)
        offered = everything["UNETLoader"]["input"]["required"]["unet_name"][0]
        assert sorted(client.get("/models/diffusion_models").json()) == sorted(offered)
        assert client.get("/models/nope").status_code == 404

    def test_system_stats(self, server: Server) -> None:
        """The version, the kind of system, and memory."""
        stats = server.client.get("/system_stats").json()
        assert stats["system"]["os"] == ("linux" if server.since(0, 26) else "posix")
        [device] = stats["devices"]
        assert 0 < device["vram_free"] <= device["vram_total"]

    def test_shapes(self, server: Server) -> None:
        """Every answer has the keys and types that a real server of this version was seen to give."""
        if not (SHAPES / f"{'.'.join(map(str, server.version))}.json").exists():
            return  # a version of the developer's own
        assert list(clashes(recorded(server), tour(server))) == []
