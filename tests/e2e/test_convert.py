"""Converting workflow files on the command line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli import SCREEN_LINES, Ran, assert_explains, called, cli
from tests.servers import serving

PAIRS = Path(__file__).parents[1] / "data" / "ui2api"
UNHEARD: dict[str, Any] = {
    "input": {"required": {"size": ["INT", {}], "steps": ["INT", {}]}},
    "display_name": "New",
}


def drawing(name: str) -> dict[str, Any]:
    """A workflow as ComfyUI saves it."""
    found: dict[str, Any] = json.loads(gzip.decompress((PAIRS / f"{name}.json.gz").read_bytes()))["ui"]
    return found


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Puts a file into a folder of its own."""

    def put(content: Any, name: str = "my graph.json") -> Path:
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        path.write_text(text, encoding="utf-8")
        return path

    return put


@pytest.fixture
def turbo(saved: Callable[..., Path]) -> Path:
    """The official template of Z-Image Turbo."""
    return saved(drawing("image_z_image_turbo"))


def convert(*arguments: str | Path, **env: str) -> Ran:
    """Run the command."""
    return called("workflow", "convert", *arguments, env=env)


def server(status: int, body: bytes) -> type[BaseHTTPRequestHandler]:
    """A server that answers every request so, and nothing but /object_info."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_asked = self.path == "/object_info"
            self.send_response(status if is_asked else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def test_a_saved_workflow_is_printed_in_api_format(turbo: Path) -> None:
    """The graph on stdout, indented; what was left out, and by which nodes it went, on stderr."""
    ran = convert(turbo)
    assert ran.code == 0, ran.err
    graph = ran.json
    assert graph["57:13"]["class_type"] == "EmptySD3LatentImage"
    assert {body["class_type"] for body in graph.values()} >= {"KSampler", "SaveImage", "UNETLoader"}
    assert all(body["_meta"]["title"] for body in graph.values())
    assert ran.out == json.dumps(graph, ensure_ascii=False, indent=2) + "\n"
    assert ran.says("notes, left out:")
    assert ran.says("0.33.0; --server URL asks your own")


def test_a_process_of_its_own(turbo: Path) -> None:
    """The same bytes through a pipe, Chinese among them."""
    assert cli("workflow", "convert", turbo).out == convert(turbo).out


def test_to_a_file(turbo: Path, tmp_path: Path) -> None:
    """Whole, in a new folder; nothing on stdout; what stands there is replaced."""
    out = tmp_path / "new" / "turbo.json"
    for _ in range(2):
        ran = convert(turbo, "--out", out)
        assert (ran.code, ran.out) == (0, ""), ran.err
        assert ran.says("nodes written to")
    assert out.read_text(encoding="utf-8") == convert(turbo).out
    assert [path.name for path in out.parent.iterdir()] == ["turbo.json"]


def test_the_result_is_a_workflow(turbo: Path, tmp_path: Path) -> None:
    """`workflow check` finds its input points."""
    out = tmp_path / "turbo.json"
    assert convert(turbo, "--out", out).code == 0
    ran = called("workflow", "check", out, "--json")
    assert ran.code == 0, ran.err
    assert {"positive", "seed", "width", "height", "filename_prefix"} <= set(ran.json["points"])


def test_a_file_in_api_format_stays_as_it_is(turbo: Path, saved: Callable[..., Path], tmp_path: Path) -> None:
    """Byte for byte, and it is said."""
    text = '{"1":{"class_type":"X","inputs":{"text":"杯子"}}}'
    api, out = saved(text, "api.json"), tmp_path / "out.json"
    ran = convert(api)
    assert (ran.code, ran.out) == (0, text + "\n")
    assert ran.says("in API format already")
    assert convert(api, "--out", out).code == 0
    assert out.read_text(encoding="utf-8") == text
    again = saved(convert(turbo).out, "again.json")
    assert convert(again).out == convert(turbo).out


def test_left_out_nodes_are_named(saved: Callable[..., Path]) -> None:
    """By reason, in the reader's language; of many only the first."""
    document = drawing("flux1_dev_uso_reference_image_gen")
    ran = convert(saved(document), LANG="zh_CN.UTF-8")
    assert ran.says("已绕过")
    assert ran.says("73 SaveImage")
    document["nodes"] += [{"id": 900 + n, "type": "Note", "mode": 0} for n in range(30)]
    ran = convert(saved(document))
    assert ran.says("22 more")
    assert len(ran.err.splitlines()) < SCREEN_LINES


def test_declarations_from_a_file_or_a_server(saved: Callable[..., Path]) -> None:
    """A class that is not packaged: refused with the remedy, then converted as its ComfyUI declares it."""
    path = saved({"nodes": [{"id": 1, "type": "Unheard", "widgets_values": [640, 8]}], "links": []})
    assert_explains(convert(path), 2, "my graph.json", "Unheard (1)", "--server URL --out FILE")
    infos = json.dumps({"Unheard": UNHEARD})
    by_file = convert(path, "--object-info", saved(infos, "infos.json"))
    with serving(server(200, infos.encode())) as url:
        by_server = convert(path, "--server", f"{url}/")
    expected = {"size": 640, "steps": 8}
    for ran in (by_file, by_server):
        assert (ran.code, ran.err) == (0, "")
        assert ran.json == {"1": {"inputs": expected, "class_type": "Unheard", "_meta": {"title": "New"}}}


def test_classes_that_a_server_lacks(saved: Callable[..., Path]) -> None:
    """All of them, and what may have been meant."""
    path = saved({"nodes": [{"id": 1, "type": "Unherd"}, {"id": 2, "type": "Nothing", "title": "标题"}]})
    infos = saved(json.dumps({"Unheard": UNHEARD}), "infos.json")
    assert_explains(
        convert(path, "--object-info", infos), 2, "did you mean Unheard?", 'Nothing (2 "标题")', "install"
    )


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (500, b"oh", 75, ["HTTP 500", "leave out --server"]),
        (404, b"", 75, ["HTTP 404"]),
        (200, b"<html>", 2, ["/object_info", "name a ComfyUI server"]),
        (200, b"[]", 2, ["/object_info"]),
        (200, b"{}", 2, ["/object_info"]),
        (200, b'{"X": 5}', 2, ["/object_info"]),
        (200, b"[" * 100_000, 2, ["/object_info"]),
    ],
)
def test_servers_that_do_not_help(turbo: Path, status: int, body: bytes, code: int, words: list[str]) -> None:
    """Away: try later. No ComfyUI: name another."""
    with serving(server(status, body)) as url:
        assert_explains(convert(turbo, "--server", url), code, *words)


def test_a_server_that_is_not_there(turbo: Path) -> None:
    """Nobody answers: try later."""
    with serving(server(200, b"")) as url:
        pass
    assert_explains(convert(turbo, "--server", url), 75, url, "cannot be asked", "start ComfyUI there")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", ["not JSON", "save it again"]),
        ('{"some": "thing"}', ["neither UI format", "API format"]),
        ("[" * 100_000, ["nested too deep"]),
        ('{"nodes": [7]}', ["7", "save it again"]),
        ('{"nodes": [{"id": 3, "type": "workflow>Old"}]}', ["3 workflow>Old", "group node"]),
        (
            '{"nodes": [{"id": 3, "type": "PreviewAny", "inputs": [{"name": "source", "link": 5}]}]}',
            ["input source"],
        ),
    ],
)
def test_files_that_cannot_be_converted(saved: Callable[..., Path], content: str, words: list[str]) -> None:
    """The file, the place in it and the remedy; nothing on stdout."""
    ran = convert(saved(content))
    assert_explains(ran, 2, "my graph.json", *words)
    assert ran.out == ""


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Not there, a folder, not text."""
    assert_explains(convert(tmp_path / "none.json"), 2, "none.json")
    assert_explains(convert(tmp_path), 2, "cannot be read")
    (tmp_path / "raw.json").write_bytes(b"\xff\xfe{")
    assert_explains(convert(tmp_path / "raw.json"), 2, "UTF-8")
    assert_explains(convert(tmp_path / "raw.json", "--object-info", tmp_path / "none.json"), 2, "none.json")


def test_options_that_do_not_fit(turbo: Path, saved: Callable[..., Path]) -> None:
    """Both sources at once, half an address, a file over itself, no declarations."""
    assert_explains(convert(turbo, "--server", "http://x", "--object-info", turbo), 2, "exclude each other")
    assert_explains(convert(turbo, "--server", "localhost:8188"), 2, "http://HOST:PORT")
    assert_explains(convert(turbo, "--out", turbo), 2, "name another file")
    assert_explains(convert(turbo, "--out", turbo.parent), 2, "in the way")
    assert_explains(
        convert(turbo, "--object-info", saved("[1]", "infos.json")), 2, "infos.json", "/object_info"
    )
    assert turbo.read_text(encoding="utf-8").startswith("{")
