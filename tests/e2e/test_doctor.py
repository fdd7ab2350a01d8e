"""The doctor finds what is planted, says what to do, and is content once that is done; it touches nothing."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import requests
import typer

from catalog_imagegen.adapters.comfyui.backend import ComfyUIBackend
from catalog_imagegen.bootstrap.doctor import server as examination
from catalog_imagegen.bootstrap.doctor.finding import Finding, fine
from catalog_imagegen.cli import doctor as command_line
from catalog_imagegen.simulator import Simulator
from tests.e2e.cli import Ran, called, cli, command, environment
from tests.e2e.cli import run as run_line
from tests.e2e.shop import tree
from tests.e2e.test_bad_input import (
    APP,
    READ_ONLY,
    ROLES,
    UI_FORMAT,
    WORKFLOW,
    Shop,
    deaf_port,
    mounting,
    on_full_disk,
)
from tests.servers import serving

MAIN, LIFESTYLE, BASE = (f"prompt_templates/{name}.j2" for name in ("main", "lifestyle", "base"))
BLOCK = "{% block positive %}"
TURBO = "z_image_turbo_bf16.safetensors"
EDIT = "qwen_image_edit_2511_fp8mixed.safetensors"
KEYS = {"check", "status", "what", "message_en", "message_zh", "remedy_en", "remedy_zh"}
ROOMY = {"CATALOG_IMAGEGEN_MIN_FREE_GB": "0"}
"""These tests are about anything but the disk they happen to run on."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One workspace, to be copied."""
    folder = tmp_path_factory.mktemp("made") / "shop"
    assert cli("init", folder).code == 0
    return folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Shop:
    """A sound workspace of its own for each test."""
    return Shop(Path(shutil.copytree(made, tmp_path / "shop")))


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """A server that lacks nothing."""
    with Simulator() as running:
        yield running


@pytest.fixture
def url(simulator: Simulator) -> str:
    """Where it is."""
    return simulator.url


class Doctor:
    """What one examination said."""

    def __init__(self, ran: Ran) -> None:
        assert ran.err == "", ran.err
        self.code = ran.code
        self.findings: list[dict[str, Any]] = ran.json["findings"]
        errors = self.of("error")
        assert ran.json["ok"] == (not errors)
        assert ran.code == (1 if errors else 0)
        for finding in self.findings:
            assert finding.keys() >= KEYS
            assert all(finding[key] for key in KEYS if "remedy" not in key or finding["status"] != "ok"), (
                finding
            )

    def of(self, status: str) -> list[dict[str, Any]]:
        """The findings with this status."""
        return [finding for finding in self.findings if finding["status"] == status]

    @property
    def troubles(self) -> list[dict[str, Any]]:
        """The findings that ask for something to be done."""
        return [finding for finding in self.findings if finding["status"] != "ok"]

    def only(self, check: str, *words: str, status: str = "error") -> dict[str, Any]:
        """The one trouble there is, which is of this check and says these words."""
        (found,) = self.troubles
        assert (found["check"], found["status"]) == (check, status)
        for word in words:
            assert word in " ".join(str(found[key]) for key in KEYS), (word, found)
        return found


def doctor(shop: Shop, *arguments: str, env: Mapping[str, str] | None = None) -> Doctor:
    """Examine a shop."""
    return Doctor(called("doctor", "-w", shop.root, "--json", *arguments, env=ROOMY | dict(env or {})))


def assert_well(shop: Shop, url: str) -> None:
    """The remedy was followed, and nothing is left to do."""
    assert doctor(shop, "--comfyui", url).troubles == []


def test_a_healthy_workspace(shop: Shop, url: str) -> None:
    """Every part is looked at, nothing is wrong, and nothing is different afterwards."""
    before = tree(shop.root)
    found = doctor(shop, "--comfyui", url)
    assert (found.code, found.troubles) == (0, [])
    checks = {finding["check"] for finding in found.findings}
    assert checks == {
        "workspace",
        "config",
        "workflow",
        "template",
        "text",
        "fonts",
        "disk",
        "ledger",
        "server",
    }
    files = {finding["what"] for finding in found.findings if finding["check"] == "config"}
    assert files == {
        APP,
        ROLES,
        "config/platforms.toml",
        "config/layouts.toml",
        "config/screening.toml",
        "config/gates.toml",
        "config/columns.toml",
    }
    assert tree(shop.root) == before
    assert {path.name for path in shop.root.iterdir() if path.is_dir()} == {
        "config",
        "prompt_templates",
        "sample_catalog",
    }


def test_what_is_said_of_a_server(shop: Shop, url: str) -> None:
    """Version, memory in bytes, torch, the queue, and that it paints placeholders only."""
    (found,) = (f for f in doctor(shop, "--comfyui", url).findings if f["check"] == "server")
    stats = requests.get(f"{url}/system_stats", timeout=5).json()
    device = stats["devices"][0]
    assert found["what"] == url
    assert found["version"] == stats["system"]["comfyui_version"]
    assert found["torch"] == stats["system"]["pytorch_version"]
    assert found["devices"] == [{key: device[key] for key in ("name", "vram_total", "vram_free")}]
    assert (found["running"], found["pending"], found["is_simulator"]) == (0, 0, True)
    assert "placeholders only" in found["message_en"]
    assert "样张" in found["message_zh"]


def test_the_negative_text_that_goes_unused_is_told_once_and_quietly(shop: Shop, url: str) -> None:
    """Turbo takes none, and that is as it should be."""
    (found,) = (f for f in doctor(shop, "--comfyui", url).findings if f["check"] == "template")
    assert found["status"] == "ok"
    assert "negative text goes unused" in found["message_en"]
    assert found["unused_negative"]


def test_on_the_screen(shop: Shop) -> None:
    """One line per part that is well; message and remedy where it is not; the counts at the end."""
    with deaf_port() as port:
        ran = called("doctor", "-w", shop.root, "--comfyui", f"http://127.0.0.1:{port}", env=ROOMY)
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (1, "")
    well = [line for line in lines if line.startswith("✓")]
    trouble = next(n for n, line in enumerate(lines) if line.startswith("✗"))
    assert f"http://127.0.0.1:{port}" in lines[trouble]
    assert "does not answer" in "".join(lines[trouble + 1 : -1])
    assert any(line.lstrip().startswith("→ start it there") for line in lines[trouble + 1 : -1])
    assert len({line.index("–") for line in well if str(shop.root) not in line}) == 1
    assert f"{len(well)} ok, 0 warnings, 1 error" in lines[-1]


def test_in_the_language_of_the_settings(shop: Shop, url: str) -> None:
    """Chinese only, where app.toml says so."""
    shop.edit(APP, 'language = "auto"', 'language = "zh"')
    shop.edit(APP, "attempts = 2", "atempts = 2")
    ran = called("doctor", "-w", shop.root, "--comfyui", url, env=ROOMY)
    assert ran.code == 1
    assert ran.says("→ 您是否想写 attempts？")
    assert not ran.says("did you mean")


def test_a_dead_server(shop: Shop) -> None:
    """It is named with how to start it; a simulator started there is fine when it was asked for by name."""
    with deaf_port() as port:
        url = f"http://127.0.0.1:{port}"
        found = doctor(shop, "--comfyui", url).only(
            "server", url, "python main.py", "--simulate", "请在该机器上启动"
        )
        assert "refused" in found["message_en"]
    with Simulator(port=port):
        assert_well(shop, url)


def test_one_dead_server_does_not_hide_another(shop: Shop, url: str) -> None:
    """Each is looked at by itself."""
    with deaf_port() as port:
        dead = f"http://127.0.0.1:{port}"
        found = doctor(shop, "--comfyui", dead, "--comfyui", url)
    found.only("server", dead)
    assert url in {finding["what"] for finding in found.of("ok")}


@contextmanager
def sluggish(*, drips: bool) -> Iterator[str]:
    """A server that takes every request and says nothing, or a byte of a long answer now and then."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" if drips else b"")
                while not over.wait(0.02):
                    connection.sendall(b" " if drips else b"")

        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("drips", [False, True])
def test_a_server_that_never_ends(drips: bool, shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All servers together have one deadline; the late one is named with what to do, another is looked at."""
    monkeypatch.setattr(examination, "ANSWER_S", 4.0)  # the sound server is looked at in less
    with sluggish(drips=drips) as late:
        found = doctor(shop, "--comfyui", late, "--comfyui", url)
    told = found.only("server", late, "within 4 s", "restart ComfyUI", "请在该机器上重启")
    assert told["code"] == "comfyui_slow"
    assert any(f["what"] == url for f in found.of("ok"))


def test_what_a_slow_server_did_say_is_kept(shop: Shop, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its version is told before the question that it does not answer."""
    monkeypatch.setattr(examination, "ANSWER_S", 4.0)  # the sound server is looked at in less
    asked, over = Event(), Event()
    missing = ComfyUIBackend.missing

    def stuck(*arguments: Any) -> Any:
        asked.set()
        over.wait(20)
        return missing(*arguments)

    monkeypatch.setattr(ComfyUIBackend, "missing", stuck)
    try:
        found = doctor(shop, "--comfyui", url)
    finally:
        over.set()
    assert asked.is_set()
    found.only("server", url, "within 4 s")
    assert any(f["what"] == url and f["is_simulator"] for f in found.of("ok"))


def test_each_finding_is_printed_before_the_next_is_known(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever waits for a slow check sees what came before it."""
    seen: list[str] = []

    def examine(*_: object) -> Iterator[Finding]:
        for number in range(3):
            yield fine("config", f"file {number}", "as it should be", "正常")
            seen.append(capsys.readouterr().out)

    monkeypatch.setattr(command_line, "examine", examine)
    with pytest.raises(typer.Exit):
        command_line.doctor(None, shop.root)
    assert [f"file {number}" in out and len(out.splitlines()) == 1 for number, out in enumerate(seen)] == [
        True
    ] * 3
    assert "3 checks: 3 ok" in capsys.readouterr().out


def test_something_else_on_that_port(shop: Shop) -> None:
    """A server that is no ComfyUI is not taken for one."""
    with disguised({"/system_stats": {"hello": "world"}}) as url:
        doctor(shop, "--comfyui", url).only("server", url, "is this a ComfyUI server?")


@contextmanager
def disguised(answers: Mapping[str, Any], *, behind: str = "") -> Iterator[str]:
    """An HTTP server that gives these answers, and for other paths those of the server *behind* it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer from the table or from behind."""
            if self.path in answers:
                body = json.dumps(answers[self.path]).encode()
            else:
                body = requests.get(behind + self.path, timeout=5).content if behind else b"{}"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with serving(Handler) as url:
        yield url


def stats(version: str) -> dict[str, Any]:
    """What a real server of this version says of itself."""
    device = {
        "name": "cuda:0 NVIDIA",
        "type": "cuda",
        "index": 0,
        "vram_total": 24 << 30,
        "vram_free": 9 << 30,
    }
    return {"system": {"comfyui_version": version, "pytorch_version": "2.9.0"}, "devices": [device]}


def test_a_comfyui_that_is_too_old(shop: Shop, url: str) -> None:
    """It is an error with the version that is needed; after the update all is well."""
    with disguised({"/system_stats": stats("0.3.73")}, behind=url) as old:
        doctor(shop, "--comfyui", old).only("server", old, "0.3.73", "0.3.74", "update ComfyUI", "请升级")
    with disguised({"/system_stats": stats("0.3.74")}, behind=url) as new:
        found = doctor(shop, "--comfyui", new)
    assert found.troubles == []
    assert any("24.0 GiB, 9.0 free" in finding["message_en"] for finding in found.findings)


def test_a_comfyui_that_is_too_old_for_one_workflow(shop: Shop) -> None:
    """What its lists of nodes do not tell; unless app.toml sends it other workflows only."""
    shop.edit(ROLES, 'product = "reference"\nenabled = false', 'product = "reference"')
    with Simulator(version="0.3.75", models={"diffusion_models": [TURBO, EDIT]}) as old:
        words = (
            "ComfyUI 0.3.75 cannot run Qwen-Image-Edit-2511",
            "qwen_image_edit_2511_lightning needs",
            "请升级",
        )
        doctor(shop, "--comfyui", old.url).only("server", *words)
        shop.edit(APP, 'url = "http://127.0.0.1:8188"', f'url = "{old.url}"\nworkflows = ["z_image_turbo"]')
        assert_well(shop, old.url)


def test_a_missing_model(shop: Shop) -> None:
    """The file and the folder it belongs into are named; once it is there, all is well."""
    with Simulator(models={"diffusion_models": ["other.safetensors"]}) as simulator:
        found = doctor(shop, "--comfyui", simulator.url)
        found.only("server", TURBO, "models/diffusion_models", "z_image_turbo", "请把文件放入")
        simulator.models["diffusion_models"].append(TURBO)
        assert_well(shop, simulator.url)


def test_a_missing_node(shop: Shop, url: str) -> None:
    """The class is named; once the server has it, all is well."""
    with disguised({"/object_info/ModelSamplingAuraFlow": {}}, behind=url) as lacking:
        words = ("ModelSamplingAuraFlow", "update ComfyUI or install the custom node", "请升级 ComfyUI")
        doctor(shop, "--comfyui", lacking).only("server", *words)
    assert_well(shop, url)


def test_a_simulator_in_app_toml(shop: Shop, url: str) -> None:
    """It works, so it is a warning; with a real server's address there is none."""
    shop.edit(APP, "http://127.0.0.1:8188", url)
    doctor(shop).only("server", url, "placeholders only", "--simulate", "样张", status="warning")
    with disguised({"/system_stats": stats("0.9.0")}, behind=url) as real:
        shop.edit(APP, url, real)
        assert doctor(shop).troubles == []


SPOILED: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "unknown key": (APP, "attempts = 2", "atempts = 2", ("atempts", "did you mean attempts?", "您是否想写")),
    "wrong value": (APP, "attempts = 2", "attempts = 99", ("attempts", "99", "mend it", "请修改")),
    "toml syntax": (APP, "attempts = 2", "attempts =", ("app.toml", "line ", "mend that line")),
    "unknown platform": (APP, '"amazon"', '"amazom"', ("amazom", "did you mean amazon?", "您是否想写")),
    "key of a role": (ROLES, "max = 2", "maxx = 2", ("maxx", "did you mean max?", "未知的键")),
    "no such workflow": (ROLES, '"z_image_turbo"', '"z_image_turbi"', ("did you mean z_image_turbo",)),
    "steps for nobody": (ROLES, "max = 2", "max = 2\nitems = []\nitems_need = 'x'", ("items_need",)),
}


@pytest.mark.parametrize("case", SPOILED)
def test_spoiled_config(case: str, shop: Shop, url: str) -> None:
    """File, key and near match; mended, all is well."""
    name, sound, spoiled, words = SPOILED[case]
    shop.edit(name, sound, spoiled)
    found = doctor(shop, "--comfyui", url)
    found.only("workflow" if "workflow" in case else "config", *words)
    shop.edit(name, spoiled, sound)
    assert_well(shop, url)


def test_every_mistake_is_told_at_once(shop: Shop) -> None:
    """Several in one file, others in other files, and a dead server: none hides another."""
    with deaf_port() as port:
        shop.edit(APP, "http://127.0.0.1:8188", f"http://127.0.0.1:{port}")
        shop.edit(APP, "attempts = 2", "atempts = 2\npatience = 3")
        shop.edit(ROLES, "max = 2", "maxx = 2")
        shop.write("config/platforms.toml", "[platforms.amazon]\nlisting_pr = 'sku'\n")
        shop.write("config/columns.toml", "[fields.skuu]\n")
        shop.edit(MAIN, BLOCK, f"{BLOCK}\n{{% if %}}")
        shop.write(WORKFLOW, "{oops")
        found = doctor(shop)
    said = [finding["message_en"] for finding in found.of("error")]
    planted = (
        "atempts",
        "patience",
        "maxx",
        "listing_pr",
        "skuu",
        "main.j2 line",
        "not JSON",
        "does not answer",
    )
    assert {word: sum(word in message for message in said) for word in planted} == dict.fromkeys(planted, 1)
    assert len(said) == len(planted)


def test_a_flood_of_mistakes_is_cut_short(shop: Shop, url: str) -> None:
    """The first ones are told, the others counted."""
    shop.edit(APP, "attempts = 2", "\n".join(f"wrong{n} = 1" for n in range(50)))
    found = doctor(shop, "--comfyui", url).of("error")
    assert len(found) < 12
    assert "more; mend those above first" in f"{found[-1]['message_en']}; {found[-1]['remedy_en']}"


def test_a_variable_that_is_no_setting(shop: Shop, url: str) -> None:
    """A typo is a warning with the name that was meant; ours that are no settings are left alone."""
    found = doctor(shop, "--comfyui", url, env={"CATALOG_IMAGEGEN_ATEMPTS": "3"})
    found.only(
        "environment", "CATALOG_IMAGEGEN_ATEMPTS", "did you mean CATALOG_IMAGEGEN_ATTEMPTS", status="warning"
    )
    meant = {"CATALOG_IMAGEGEN_ATTEMPTS": "3", "CATALOG_IMAGEGEN_WORKSPACE": str(shop.root)}
    assert doctor(shop, "--comfyui", url, env=meant).troubles == []


def test_a_variable_with_a_wrong_value(shop: Shop, url: str) -> None:
    """It is blamed by its own name, beside what is wrong in the file."""
    shop.edit(APP, "patience_s = 60", "patience_s = -1")
    found = doctor(shop, "--comfyui", url, env={"CATALOG_IMAGEGEN_ATTEMPTS": "99"})
    by_file, by_variable = sorted((f["message_en"] for f in found.of("error")), key=lambda m: "CATALOG_" in m)
    assert "app.toml: patience_s" in by_file
    assert "CATALOG_IMAGEGEN_ATTEMPTS: attempts" in by_variable


def test_sources(shop: Shop, url: str) -> None:
    """A file that is missing and a variable that is not set are warnings; passwords are not shown."""
    shop.add_source("nightly.csv")
    doctor(shop, "--comfyui", url).only("source", "nightly.csv does not exist", "不存在", status="warning")
    shop.write("nightly.csv", "SKU,商品名称\nA-1,杯子\n")
    assert_well(shop, url)
    shop.edit(APP, "nightly.csv", "postgresql+psycopg://reader:${ERP_PASSWORD}@db.example/erp")
    doctor(shop, "--comfyui", url).only("source", "ERP_PASSWORD", "set it", "环境变量", status="warning")
    found = doctor(shop, "--comfyui", url, env={"ERP_PASSWORD": "hunter2"})
    assert found.troubles == []
    assert "hunter2" not in json.dumps(found.findings)


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.csv#sheet"])
def test_a_source_that_is_a_pipe(name: str, shop: Shop, url: str) -> None:
    """It would let its reader wait for ever, so it is not opened; a file in its place mends it."""
    os.mkfifo(shop.root / "pipe.csv")
    shop.add_source(name)
    words = ("pipe.csv is no regular file", "name a file or a database", "不是普通文件")
    doctor(shop, "--comfyui", url).only("source", *words, status="warning")
    (shop.root / "pipe.csv").unlink()
    shop.write("pipe.csv", "SKU,商品名称\nA-1,杯子\n")
    shop.edit(APP, f'"{name}"', '"pipe.csv"')
    assert_well(shop, url)


def test_a_column_that_no_product_has(shop: Shop, url: str) -> None:
    """Template, line, product and column, once for all products; a default mends it."""
    shop.edit(LIFESTYLE, BLOCK, f"{BLOCK}\n{{{{ product.产地 }}}}")
    lines = (shop.root / LIFESTYLE).read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if "产地" in line)
    found = doctor(shop, "--comfyui", url)
    told = found.only("template", f"lifestyle.j2 line {number}: SKU ", "'产地'", "请在表格中补上")
    assert told["product"] in told["message_en"]
    shop.edit(LIFESTYLE, "product.产地", 'product.产地 | default("")')
    assert_well(shop, url)


@pytest.mark.parametrize("where", ["source", "ledger"])
def test_a_column_of_the_shops_own(where: str, shop: Shop, url: str) -> None:
    """A column that the shop's catalog has may be read by its templates: no false alarm."""
    shop.edit(LIFESTYLE, BLOCK, f'{BLOCK}\n{{{{ product["产地"] }}}}')
    doctor(shop, "--comfyui", url).only("template", "'产地'", "add it to the catalog")
    shop.catalog = shop.write("products.csv", "SKU,商品名称,产地\nA-1,杯子,景德镇\n")
    if where == "source":
        shop.add_source("products.csv")
    else:
        assert shop.run("--limit", "1", "--role", "main").code == 0
    assert_well(shop, url)


def test_what_only_the_poorest_product_lacks(shop: Shop, url: str) -> None:
    """A product with no more than SKU, name and category is tried too."""
    shop.edit(MAIN, BLOCK, f"{BLOCK}\n{{{{ 1 // (product.color | length) }}}}")
    doctor(shop, "--comfyui", url).only("template", "main.j2 line", "SKU MINIMAL-1", "mend the template")
    shop.edit(MAIN, "{{ 1 // (product.color | length) }}", "")
    assert_well(shop, url)


@pytest.mark.parametrize(("name", "block"), [(MAIN, BLOCK), (BASE, "{% block negative %}")])
def test_a_template_that_does_not_compile(name: str, block: str, shop: Shop, url: str) -> None:
    """It is named once with its line, and those that need it are not blamed; mended, all is well."""
    shop.edit(name, block, f"{block}{{% if %}}")
    doctor(shop, "--comfyui", url).only("template", f"{name} line", "mend the template", "请修改模板")
    shop.edit(name, f"{block}{{% if %}}", block)
    assert_well(shop, url)


def test_a_template_that_is_missing(shop: Shop, url: str) -> None:
    """The role and the file are named; switching the role off mends it."""
    (shop.root / LIFESTYLE).unlink()
    doctor(shop, "--comfyui", url).only("config", LIFESTYLE, "enabled = false")
    shop.edit(ROLES, "[roles.lifestyle]\n", "[roles.lifestyle]\nenabled = false\n")
    assert_well(shop, url)


def test_templates_that_somebody_moved_away(shop: Shop, url: str) -> None:
    """The packaged ones step in, and it is said: pictures of somebody else's prompts cost GPU time."""
    (shop.root / "prompt_templates").rename(shop.root / "pt")
    doctor(shop, "--comfyui", url).only("template", "prompt_templates", "put yours back", status="warning")
    (shop.root / "pt").rename(shop.root / "prompt_templates")
    assert_well(shop, url)


def test_a_vocabulary_that_is_spoiled(shop: Shop, url: str) -> None:
    """A table where a list of tables belongs is named, instead of every template that reads it."""
    name = "prompt_templates/vocabulary.toml"
    sound = (shop.root / name).read_text(encoding="utf-8")
    shop.write(name, '[category]\nkeywords = ["杯"]\n')
    doctor(shop, "--comfyui", url).only("template", "vocabulary.toml", "[[category]]", "请把每一项写成")
    shop.write(name, sound)
    assert_well(shop, url)


@pytest.mark.parametrize(
    ("content", "word"),
    [(UI_FORMAT, "title of the point"), ("{oops", "Export (API)"), ('{"3": {"inputs": {}}}', "Export (API)")],
)
def test_a_wrong_workflow(content: str, word: str, shop: Shop, url: str) -> None:
    """It is named with how to mend it or export one that works; the sound file mends it."""
    sound = (shop.root / WORKFLOW).read_bytes()
    shop.write(WORKFLOW, content)
    doctor(shop, "--comfyui", url).only("workflow", "z_image_turbo.json", word)
    shop.write(WORKFLOW, sound)
    assert_well(shop, url)


def test_a_workflow_without_a_point(shop: Shop, url: str) -> None:
    """The point is named with the table that maps it, and mapping it there mends it."""
    graph = json.loads((shop.root / WORKFLOW).read_text(encoding="utf-8"))
    (sampler,) = (node for node in graph.values() if node["class_type"] == "KSampler")
    size = {"class_type": "PrimitiveInt", "inputs": {"value": 7}, "_meta": {"title": "My seed"}}
    del sampler["inputs"]["seed"]
    shop.write(WORKFLOW, json.dumps(graph))
    doctor(shop, "--comfyui", url).only("workflow", "seed", "[workflows.z_image_turbo.points]", "输入点")
    sampler["inputs"]["seed"] = 7
    shop.write(WORKFLOW, json.dumps({**graph, "99": size}))
    shop.write(
        ROLES,
        (shop.root / ROLES).read_text(encoding="utf-8")
        + '\n[workflows.z_image_turbo.points]\nseed = "My seed.value"\n',
    )
    found = doctor(shop, "--comfyui", url)
    assert [f for f in found.troubles if "PrimitiveInt" not in f["message_en"]] == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("place", ["data", "output"])
def test_a_full_disk(place: str, shop: Shop, url: str, tmp_path: Path) -> None:
    """A disk that takes no byte more is an error; with space on it, all is well."""
    line = command("doctor", "-w", shop.root, "--json", "--comfyui", url)
    found = Doctor(on_full_disk(shop.root / place, "16k", tmp_path / "kept", line))
    (told,) = found.of("error")
    assert (told["check"], told["what"]) == ("disk", str(shop.root / place))
    assert "is full" in told["message_en"]
    assert "free some space" in told["remedy_en"]
    assert "清理空间" in told["remedy_zh"]
    assert not list(shop.root.rglob(".writing-*"))
    assert_well(shop, url)


def test_a_disk_that_is_nearly_full(shop: Shop, url: str) -> None:
    """Less than min_free_gb is a warning; a smaller figure in app.toml silences it."""
    shop.edit(APP, "min_free_gb = 2.0", "min_free_gb = 1e9")
    found = Doctor(called("doctor", "-w", shop.root, "--json", "--comfyui", url))
    assert found.code == 0
    assert {f["check"] for f in found.troubles} == {"disk"}
    assert all("min_free_gb" in f["remedy_en"] and "可" not in f["remedy_en"] for f in found.troubles)
    shop.edit(APP, "min_free_gb = 1e9", "min_free_gb = 0")
    assert Doctor(called("doctor", "-w", shop.root, "--json", "--comfyui", url)).troubles == []


def test_a_read_only_workspace(shop: Shop, url: str) -> None:
    """Both folders are named, and everything else is looked at all the same."""
    line = command("doctor", "-w", shop.root, "--json", "--comfyui", url)
    ran = run_line([*mounting(), "sh", "-c", READ_ONLY, "sh", shop.root, *line])
    found = Doctor(ran)
    assert {(f["check"], Path(f["what"]).name) for f in found.of("error")} == {
        ("disk", "data"),
        ("disk", "output"),
    }
    assert all("write permission" in f["remedy_en"] for f in found.of("error"))
    assert any(f["check"] == "server" for f in found.of("ok"))
    assert_well(shop, url)


def ledger_of(shop: Shop) -> Path:
    """The ledger that a simulated run makes."""
    assert shop.run("--limit", "1", "--role", "main").code == 0
    (ledger,) = shop.root.rglob("ledger.sqlite")
    return ledger


def set_revision(ledger: Path, revision: str) -> None:
    """Make a ledger that of another version."""
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()


def test_ledgers(shop: Shop, url: str) -> None:
    """Current and older ones are well, a newer one is not; none is touched, and a restored one is fine."""
    ledger = ledger_of(shop)
    backup = ledger.read_bytes()
    for revision, standing in (("", "current"), ("0001", "older"), ("9999", "newer")):
        if revision:
            set_revision(ledger, revision)
        before = tree(shop.root)
        found = doctor(shop, "--comfyui", url)
        assert tree(shop.root) == before
        (told,) = (f for f in found.findings if f["check"] == "ledger" and f["standing"] != "none")
        assert told["standing"] == standing
        assert (told["status"], told["what"]) == (
            ("error", str(ledger)) if standing == "newer" else ("ok", "data/simulated/ledger.sqlite")
        )
    found.only("ledger", "newer", "9999", "install that version", "restore a backup", "更新版本")
    ledger.write_bytes(backup)
    assert_well(shop, url)


@pytest.mark.parametrize("is_simulated", [False, True])
def test_lost_bytes(is_simulated: bool, shop: Shop, url: str) -> None:
    """A blob that is gone is counted with both remedies; a run that makes it again mends it."""
    ledger_of(shop)
    simulated, data = shop.root / "data" / "simulated", shop.root / "data"
    if not is_simulated:  # the same state, as a real server would have left it
        for path in simulated.iterdir():
            path.rename(data / path.name)
        simulated.rmdir()
    place = simulated if is_simulated else data
    assert_well(shop, url)
    blob, *_ = blobs = [p for p in sorted((place / "blobs").glob("??/*")) if p.read_bytes()[:4] == b"\x89PNG"]
    blob.unlink()
    before = tree(shop.root)
    found = doctor(shop, "--comfyui", url)
    assert tree(shop.root) == before
    name = str(place.relative_to(shop.root))
    words = (
        f"of 1 of the ledger's pictures are not in {name}/blobs",
        f"the backup of {name}/",
        "run again",
        "恢复",
    )
    told = found.only("ledger", *words)
    assert (told["missing"], told["what"]) == (1, str(place / "blobs"))
    shutil.rmtree(place / "blobs")
    assert doctor(shop, "--comfyui", url).only("ledger", "run again")["missing"] == len(blobs)
    assert not (place / "blobs").exists()
    if is_simulated:
        assert shop.run("--limit", "1", "--role", "main").code == 0
        assert_well(shop, url)


def test_a_ledger_with_commits_in_its_log(shop: Shop, url: str) -> None:
    """While another process works, or after it was killed, what is only in the log counts too."""
    ledger = ledger_of(shop)
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        before = tree(shop.root)
        assert any(name.endswith("-wal") for name in before)
        doctor(shop, "--comfyui", url).only("ledger", "9999")
        after = tree(shop.root)
        memory = "data/simulated/ledger.sqlite-shm"  # SQLite's shared memory, which locks live in
        assert {**after, memory: b""} == {**before, memory: b""}


@pytest.mark.parametrize("damage", ["junk", "a page"])
def test_a_damaged_ledger(damage: str, shop: Shop, url: str) -> None:
    """Junk from the first byte, and a page overwritten in the middle; moved away, all is well."""
    ledger = ledger_of(shop)
    content = bytearray(ledger.read_bytes())
    middle = slice(0, 4096) if damage == "junk" else slice(4096, 3 * 4096)
    content[middle] = b"\xa5" * (middle.stop - middle.start)
    ledger.write_bytes(content)
    doctor(shop, "--comfyui", url).only("ledger", str(ledger), "damaged", "restore a backup", "恢复备份")
    assert ledger.read_bytes() == content
    ledger.rename(ledger.with_suffix(".damaged"))
    assert_well(shop, url)


@pytest.mark.parametrize("name", ["ledger.sqlite", "."])
def test_a_ledger_that_may_not_be_read(name: str, shop: Shop, url: str) -> None:
    """Neither it nor its folder is called damaged; with permission, all is well."""
    place = ledger_of(shop).parent / name
    mode = place.stat().st_mode
    place.chmod(0)
    prefix = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("permissions do not bind root, and setpriv is not here to drop that")
        prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    line = command("doctor", "-w", shop.root, "--json", "--comfyui", url)
    found = Doctor(run_line([*prefix, *line], env=environment(**ROOMY)))
    found.only("ledger", "ledger.sqlite", "Permission denied", "read and write permission", "读写权限")
    place.chmod(mode)
    assert_well(shop, url)


def test_a_folder_that_is_no_workspace(tmp_path: Path, url: str) -> None:
    """Nothing is made there; ``init``, as it says, makes it one. Servers are looked at all the same."""
    folder = tmp_path / "empty"
    folder.mkdir()
    shop = Shop(folder)
    shop.catalog.unlink()
    found = doctor(shop, "--comfyui", url)
    told = found.only("workspace", str(folder), "init DIR", "不是工作区")
    assert told["what"] == str(folder)
    assert any(f["check"] == "server" for f in found.of("ok"))
    assert list(folder.iterdir()) == []
    assert cli("init", folder).code == 0
    assert_well(shop, url)


def test_a_font_that_is_missing(shop: Shop, url: str, tmp_path: Path) -> None:
    """Without it placeholders have no writing: a warning with what to install."""
    package = tmp_path / "noto_cjk_sans_otc"
    package.mkdir()
    (package / "__init__.py").write_text("FONT_PATH = '/nowhere/font.ttc'\n")
    env = ROOMY | {"PYTHONPATH": str(tmp_path)}
    found = Doctor(cli("doctor", "-w", shop.root, "--json", "--comfyui", url, env=env))
    found.only("fonts", "noto-cjk-sans-otc", "pip install", "请重新安装", status="warning")


def test_a_url_without_a_scheme(shop: Shop) -> None:
    """That is a mistake on the command line, not a finding."""
    ran = called("doctor", "-w", shop.root, "--json", "--comfyui", "127.0.0.1:8188")
    assert (ran.code, ran.out) == (2, "")
    assert ran.says("http://HOST:PORT")
