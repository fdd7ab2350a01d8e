"""Whatever is wrong, the message says where and what to do, and nothing is left half-written."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.files import write_whole
from catalog_imagegen.adapters.ledger.database import open_sqlite
from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.domain.errors import ConfigError, StorageFull
from catalog_imagegen.simulator import Simulator
from tests.e2e.cli import (
    Ran,
    assert_explains,
    assert_whole,
    called,
    cli,
    command,
    environment,
    run,
    wait_for,
)
from tests.e2e.shop import tree
from tests.integration.catalogs_support import write_xlsx
from tests.integration.workbook_writers import encrypt
from tests.small import small_sizes

HEADER = "SKU,商品名称,颜色\n"
PRODUCTS = f"{HEADER}A-1,杯子,白色\nA-2,台灯,黑色\n"
APP, ROLES = "config/app.toml", "config/roles.toml"
WORKFLOW = "config/workflows/z_image_turbo.json"
UI_FORMAT = '{"nodes": [{"id": 1, "type": "KSampler"}], "links": [], "version": 0.4}'

FULL = """
mount -t tmpfs -o "size=$1" tmpfs "$2" || exit 97
place=$2 keep=$3; shift 3
"$@"; code=$?
mount -o remount,size=64m "$place" && cp -a "$place/." "$keep" || exit 98
exit $code
"""
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 97; shift; exec "$@"'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One workspace, to be copied."""
    folder = tmp_path_factory.mktemp("made") / "shop"
    assert called("init", folder).code == 0
    shutil.rmtree(folder / "sample_catalog")
    roles = folder / ROLES
    roles.write_text(small_sizes(roles.read_text(encoding="utf-8"), longest=512), encoding="utf-8")
    return folder


class Shop:
    """A workspace with a small catalog, to be spoiled."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalog = self.write("products.csv", PRODUCTS)

    def write(self, name: str, content: str | bytes) -> Path:
        """Put a file into the workspace."""
        path = self.root / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the first *old*, which must be there."""
        content = (self.root / name).read_text(encoding="utf-8")
        assert old in content
        self.write(name, content.replace(old, new, 1))

    def add_source(self, path: str) -> None:
        """Name a source in app.toml."""
        self.edit(APP, "# [[source]]\n", f'[[source]]\nname = "shop"\npath = "{path}"\n# [[source]]\n')

    def line(self, *arguments: str | Path, simulate: bool = True) -> tuple[str | Path, ...]:
        """Arguments of a run of this catalog that prints JSON."""
        where = ("--simulate",) if simulate else ()
        return ("run", self.catalog, "-w", self.root, "--json", *where, *arguments)

    def run(self, *arguments: str | Path, simulate: bool = True, **env: str) -> Ran:
        """Run this catalog."""
        return called(*self.line(*arguments, simulate=simulate), env=env)

    def refuses(self, ran: Ran, code: int, *words: str, in_chinese: bool = True) -> None:
        """The command explained itself and left no trace but an empty ledger."""
        assert_explains(ran, code, *words, in_chinese=in_chinese)
        assert_whole(self.root)
        assert not list(self.root.glob("output*/*/*"))


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Shop:
    """A sound workspace of its own for each test."""
    return Shop(Path(shutil.copytree(made, tmp_path / "shop")))


UNREADABLE: dict[str, tuple[str, str | bytes, tuple[str, ...]]] = {
    "junk": (
        "junk.xlsx",
        os.urandom(3000).replace(b"PK", b"xx"),
        ("junk.xlsx", "save it as .xlsx", "另存为"),
    ),
    "broken zip": (
        "cut.xlsx",
        b"PK\3\4" + b"\0\xff" * 500,
        ("cut.xlsx is damaged", "copy it again", "重新复制"),
    ),
    "nothing": ("zero.csv", "", ("zero.csv is empty", "try again", "空文件")),
    "no header": ("plain.csv", "随便,什么\n一些,文字\n", ("no header row", "plain.csv", "SKU", "表头")),
    "no sku": ("a.csv", "货号吗,商品名称\nA-1,杯子\n", ("a.csv!A1", "货号吗", "did you mean '货号'", "改名")),
    "no name": (
        "b.csv",
        "SKU,商品名程\nA-1,杯子\n",
        ("b.csv!B1", "商品名程", "did you mean '商品名", "改名"),
    ),
    "no rows": ("c.csv", HEADER, ("c.csv!1", "no product below", "add rows", "请填写商品")),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_catalog(case: str, shop: Shop) -> None:
    """The file and cell, what to do, a suggestion for a misspelt header; no ledger row, no listing."""
    name, content, words = UNREADABLE[case]
    shop.catalog = shop.write(name, content)
    ran = shop.run()
    shop.refuses(ran, 2, *words)
    assert ran.out == ""


def test_a_password_by_option_variable_and_source(shop: Shop) -> None:
    """Each opens the workbook; without it and with a wrong one the message says what is wanted."""
    rows = [line.split(",") for line in PRODUCTS.splitlines()]
    shop.catalog = encrypt(write_xlsx(shop.root / "products.xlsx", 商品=rows), "春天2026")
    shop.refuses(shop.run(), 2, "products.xlsx is protected by a password", "--password", "密码")
    shop.refuses(shop.run("--password", "x"), 2, "is not the right one", "密码不正确")
    check = ("catalog", "check", shop.catalog, "-w", shop.root, "--json")
    count = len(rows) - 1
    assert len(called(*check, "--password", "春天2026").json["rows"]) == count
    assert len(called(*check, env={"CATALOG_IMAGEGEN_PASSWORD": "春天2026"}).json["rows"]) == count
    source = 'name = "shop"\npath = "products.xlsx"\npassword = "${SHEET}"'
    shop.edit(APP, "# [[source]]\n", f"[[source]]\n{source}\n# [[source]]\n")
    synced = called("sync", "-w", shop.root, "--simulate", "--json", env={"SHEET": "春天2026"})
    assert (synced.code, synced.json["skus"]) == (0, count)


def test_missing_catalog(shop: Shop) -> None:
    """A file that is not there is named with the one that is."""
    shop.catalog = shop.root / "product.csv"
    shop.refuses(shop.run(), 2, "product.csv does not exist", "did you mean products.csv?", "不存在")


def test_catalog_is_a_folder(shop: Shop) -> None:
    """A folder is not searched for a catalog."""
    shop.catalog = shop.root / "config"
    shop.refuses(shop.run(), 2, "config is a folder", "name the catalog file in it", "文件夹")


@pytest.mark.parametrize("name", ["products.csv", APP, WORKFLOW, "prompt_templates/main.j2"])
def test_file_without_permission(name: str, shop: Shop) -> None:
    """A file that may not be read is named; root is bound to permissions too, for this once."""
    (shop.root / name).chmod(0)
    prefix = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("permissions do not bind root, and setpriv is not here to drop that")
        prefix = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    ran = run([*prefix, *command(*shop.line())])
    shop.refuses(ran, 2, name, "permission", "权限")


def test_catalog_check_says_in_json_why(shop: Shop) -> None:
    """Programs get the reason on stdout, in both languages, with a code of its own."""
    ran = called("catalog", "check", shop.root / "nope.csv", "-w", shop.root, "--json")
    assert (ran.code, ran.err) == (2, "")
    error = ran.json["error"]
    assert error["code"] == "file_not_found"
    assert "nope.csv does not exist" in error["message_en"]
    assert "不存在" in error["message_zh"]


def test_duplicates_that_disagree(shop: Shop) -> None:
    """None of them is taken, each is named with the other, the rest is rendered; the run ends with 1."""
    shop.catalog = shop.write("products.csv", f"{PRODUCTS}A-2,台灯,红色\n")
    ran = shop.run("--role", "main")
    assert (ran.code, "Traceback" in ran.err) == (1, False)
    assert (ran.json["skus"], ran.json["pictures"]["rendered"]) == (1, 1)
    first, second = ran.json["issues"]
    assert (first["where"], second["where"]) == ("products.csv!A3", "products.csv!A4")
    assert {first["code"], second["code"]} == {"duplicate_sku_conflict"}
    assert "products.csv!A4" in first["message_en"]
    assert "keep one row" in first["message_en"]
    assert "只保留一行" in first["message_zh"]
    assert_whole(shop.root)


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_a_vocabulary_of_a_wrong_shape(verb: str, shop: Shop) -> None:
    """A table where a list of tables belongs: the file, the key and how to write it."""
    shop.write("prompt_templates/vocabulary.toml", '[category]\nkeywords = ["杯"]\n')
    ran = called(verb, shop.catalog, "-w", shop.root, "--simulate")
    shop.refuses(ran, 2, "vocabulary.toml", "write each as [[category]]", "请把每一项写成")


def test_template_needs_a_column_that_is_missing(shop: Shop) -> None:
    """Pictures of that role are blocked with template, line, SKU and column; other roles are rendered."""
    shop.edit(
        "prompt_templates/lifestyle.j2", "{% block positive %}", "{% block positive %}\n{{ product.产地 }}"
    )
    lines = (shop.root / "prompt_templates/lifestyle.j2").read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if "产地" in line)
    ran = shop.run()
    assert (ran.code, "Traceback" in ran.err) == (1, False)
    pictures = ran.json["pictures"]
    assert (pictures["blocked"], pictures["rendered"]) == (2, pictures["planned"] - 2)
    for problem, sku in zip(ran.json["problems"], ("A-1", "A-2"), strict=True):
        assert (problem["sku"], problem["role"], problem["state"]) == (sku, "lifestyle", "blocked")
        assert problem["reason_en"].startswith(f"lifestyle.j2 line {number}: SKU {sku}: no column for '产地'")
        assert "add it to the catalog" in problem["reason_en"]
        assert "请在表格中补上" in problem["reason_zh"]
    assert_whole(shop.root)
    shown = called("run", shop.catalog, "-w", shop.root, "--simulate")
    assert shown.code == 1
    assert shown.says("lifestyle.j2 line")
    assert shown.says("blocked")


SPOILED: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "template syntax": (
        "prompt_templates/main.j2",
        "{% block positive %}",
        "{% block positive %}\n{% if %}",
        ("prompt_templates/main.j2 line", "mend the template", "请修改模板"),
    ),
    "workflow that is not there": (
        ROLES,
        "z_image_turbo",
        "z_image_turbi",
        ("z_image_turbi", "did you mean z_image_turbo", "您是否想写：z_image_turbo"),
    ),
    "unknown key": (
        APP,
        "attempts = 2",
        "atempts = 2",
        ("app.toml", "atempts", "did you mean attempts?", "未知的键"),
    ),
    "wrong value": (APP, "attempts = 2", 'attempts = "many"', ("app.toml", "attempts", "'many'", "请修改")),
    "toml syntax": (
        APP,
        "attempts = 2",
        "attempts =",
        ("app.toml", "line 10", "mend that line", "请修改该行"),
    ),
    "unknown platform enabled": (
        APP,
        '"amazon"',
        '"amazom"',
        ("amazom", "did you mean amazon?", "您是否想写"),
    ),
    "unknown key of a role": (
        ROLES,
        "max = 2",
        "maxx = 2",
        ("roles.toml", "maxx", "did you mean max?", "未知的键"),
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_spoiled_config(case: str, shop: Shop) -> None:
    """File, key or line, the near match, both languages; exit 2 before anything is recorded."""
    name, old, new, words = SPOILED[case]
    shop.edit(name, old, new)
    shop.refuses(shop.run(), 2, *words)


WORKFLOWS: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "hardly a graph": (UI_FORMAT.encode(), ("z_image_turbo", "title of the point", "节点标题")),
    "no json": (b"{oops", ("z_image_turbo", "not JSON", "Export (API)", "导出")),
    "no graph": (b'{"3": {"inputs": {}}}', ("z_image_turbo", "API", "导出")),
    "binary": (b"\xff\xfe\x00\x01", ("z_image_turbo", "UTF-8", "编码")),
}


@pytest.mark.parametrize("case", WORKFLOWS)
def test_wrong_workflow_file(case: str, shop: Shop) -> None:
    """A file that ComfyUI would not take is refused with how to export one that it does."""
    content, words = WORKFLOWS[case]
    path = shop.write(WORKFLOW, content)
    shop.refuses(shop.run(), 2, *words)
    if case == "hardly a graph":
        assert_explains(called("workflow", "check", path, "--json"), 2, *words)


NAMES = {
    ("--role", "lifestile"): ("no role 'lifestile'", "did you mean lifestyle", "您是否想写：lifestyle"),
    ("--platform", "amazom"): ("no platform 'amazom'", "did you mean amazon?", "您是否想写：amazon"),
    ("--sku", "A-11"): ("no SKU 'A-11'", "did you mean A-1", "您是否想写：A-1"),
}


@pytest.mark.parametrize("option", NAMES)
def test_unknown_name(option: tuple[str, str], shop: Shop) -> None:
    """A name that does not exist is answered with those that are near it."""
    shop.refuses(shop.run(*option), 2, *NAMES[option])


def test_folder_that_is_no_workspace(shop: Shop, tmp_path: Path) -> None:
    """Nothing is made in a folder that only happens to be the current one."""
    ran = cli("run", shop.catalog, "--simulate", "--json", cwd=tmp_path)
    assert_explains(ran, 2, str(tmp_path), "init DIR", "--workspace DIR", "不是工作区")
    assert not (tmp_path / "data").exists()


def test_simulate_and_comfyui_together(shop: Shop) -> None:
    """They exclude each other, since placeholders never mix with pictures."""
    ran = shop.run("--comfyui", "http://127.0.0.1:1")
    shop.refuses(ran, 2, "--simulate", "--comfyui", "leave one out", "不能同时使用")


def test_url_without_a_scheme(shop: Shop) -> None:
    """The way to write it is shown."""
    ran = shop.run("--comfyui", "127.0.0.1:8188", simulate=False)
    shop.refuses(ran, 2, "127.0.0.1:8188", "http://HOST:PORT", "请写成")


def test_bad_option(shop: Shop) -> None:
    """An option that does not exist is a usage error, answered with the one that is near it."""
    shop.refuses(shop.run("--platfrm"), 2, "--platfrm", "--platform", in_chinese=False)


def test_model_missing_on_the_server(shop: Shop) -> None:
    """The model, the folder it belongs into and the server are named before anything is submitted."""
    with Simulator(models={"diffusion_models": ["z_image_bf16.safetensors"]}) as simulator:
        ran = shop.run("--comfyui", simulator.url, simulate=False)
        assert not simulator.executions
        shop.refuses(
            ran,
            2,
            simulator.url,
            "z_image_turbo_bf16.safetensors",
            "models/diffusion_models",
            "无法运行工作流",
        )


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, but on which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


@pytest.mark.parametrize("is_flag", [True, False])
def test_comfyui_unreachable(is_flag: bool, shop: Shop) -> None:
    """What was tried, how to start it, how to do without; pictures stay planned, so a later run makes them."""
    with deaf_port() as port:
        url = f"http://127.0.0.1:{port}"
        if is_flag:
            ran = shop.run("--comfyui", url, simulate=False)
        else:
            shop.edit(APP, "http://127.0.0.1:8188", url)
            ran = shop.run(simulate=False)
    shop.refuses(
        ran, 75, url, "python main.py", "--comfyui URL", "--simulate", "run again later", "端口上没有程序"
    )
    if ran.out:
        assert ran.json["pictures"]["pending"] == ran.json["pictures"]["planned"] > 0


def test_settings_from_the_environment(shop: Shop) -> None:
    """A wrong environment variable is blamed by its own name, not on the file."""
    ran = shop.run(CATALOG_IMAGEGEN_PLATFORMS="amazon")
    shop.refuses(ran, 2, "CATALOG_IMAGEGEN_PLATFORMS", "环境变量")


def test_variable_missing_for_a_source(shop: Shop) -> None:
    """The source and the variable are named."""
    shop.add_source("postgresql+psycopg://reader:${ERP_PASSWORD}@db.example/erp")
    ran = called("sync", "-w", shop.root, "--simulate", "--json")
    shop.refuses(ran, 2, "config/app.toml", "source shop", "ERP_PASSWORD", "set it", "环境变量")


def test_database_unreachable_keeps_the_password(shop: Shop) -> None:
    """The server is named, the password is not."""
    with deaf_port() as port:
        shop.add_source(f"postgresql+psycopg://reader:${{ERP_PASSWORD}}@127.0.0.1:{port}/erp")
        ran = called("sync", "-w", shop.root, "--simulate", "--json", env={"ERP_PASSWORD": "hunter2"})
    shop.refuses(ran, 75, f"127.0.0.1:{port}", "check host, port", "请检查主机")
    assert not ran.says("hunter2")


def test_sync_without_sources(shop: Shop) -> None:
    """It says what to add and where."""
    ran = called("sync", "-w", shop.root, "--simulate", "--json")
    shop.refuses(ran, 2, "nothing to sync", "[[source]]", "config/app.toml", "数据源")


@pytest.mark.timeout(90)
def test_two_syncs_at_once(shop: Shop) -> None:
    """The second says that another is at work and leaves it to that; killing the first blocks nobody."""
    shop.add_source("products.csv")
    with Simulator(seconds=60) as simulator:
        line = command("sync", "-w", shop.root, "--comfyui", simulator.url, "--json")
        first = subprocess.Popen(
            line, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            queue = f"{simulator.url}/queue"
            wait_for(lambda: requests.get(queue, timeout=5).json()["queue_running"])
            second = cli("sync", "-w", shop.root, "--comfyui", simulator.url, "--json")
        finally:
            first.kill()
            first.wait()
    shop.refuses(second, 75, "another sync is at work", "正在运行另一个 sync")
    assert second.out == ""
    third = called("sync", "-w", shop.root, "--simulate", "--json")
    assert (third.code, third.json["pictures"]["pending"]) == (0, 0)
    assert_whole(shop.root)


@pytest.mark.parametrize("case", ["port", "fault"])
def test_simulator_cannot_start(case: str) -> None:
    """A port that is taken and a fault that does not exist are named, with the way out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        option = ("--port", port) if case == "port" else ("--faults", "lose-replies")
        words = (port, "--port") if case == "port" else ("lose-replies", "lose-reply")
        assert_explains(called("simulator", *option), 2, *words, "模拟器无法启动")


def test_ledger_of_a_newer_version(shop: Shop) -> None:
    """It is refused by commands that write and commands that read, and not touched."""
    assert shop.run("--role", "main").code == 0
    (ledger,) = shop.root.rglob("ledger.sqlite")
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = ledger.read_bytes()
    for line in (shop.line(), ("status", "-w", shop.root, "--simulate", "--json")):
        ran = called(*line)
        words = (str(ledger), "newer catalog-imagegen", "9999", "install that version", "更新版本")
        assert_explains(ran, 2, *words)
        assert ran.out == ""
        assert ledger.read_bytes() == before
    assert_whole(shop.root)


def test_ledger_that_is_none(shop: Shop) -> None:
    """A damaged ledger is named with what to do, and kept as it is for whoever repairs it."""
    folder = shop.root / "data" / "simulated"
    folder.mkdir(parents=True)
    junk = b"no ledger at all" * 100
    (folder / "ledger.sqlite").write_bytes(junk)
    assert_explains(shop.run(), 2, str(folder / "ledger.sqlite"), "backup", "备份")
    assert (folder / "ledger.sqlite").read_bytes() == junk


@cache
def mounting() -> tuple[str, ...]:
    """How to start a program that sees mounts of its own; skips the test where that is not allowed."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here: real full and read-only disks need mounts of their own (Linux)")
    ways: list[tuple[str, ...]] = [("unshare", "-m"), ("unshare", "-r", "-m")]
    for way in ways[os.geteuid() != 0 :]:
        if run([*way, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).code == 0:
            return way
    pytest.skip("this container may not mount: no real full or read-only disk can be made")


def on_full_disk(place: Path, size: str, kept: Path, line: list[str]) -> Ran:
    """Run *line* with *place* on a tiny disk; what was there at the end is then found in *place*."""
    place.mkdir(parents=True, exist_ok=True)
    kept.mkdir()
    ran = run([*mounting(), "sh", "-c", FULL, "sh", size, place, kept, *line])
    shutil.copytree(kept, place, dirs_exist_ok=True)
    return ran


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("place", "size"),
    [
        pytest.param("data/simulated", "32k", id="no ledger fits"),
        pytest.param("data/simulated", "220k", id="the ledger fills it"),
        pytest.param("data/simulated/blobs", "64k", id="no render fits"),
        pytest.param("output-simulated", "600k", id="some listings fit"),
    ],
)
def test_full_disk(place: str, size: str, shop: Shop, tmp_path: Path) -> None:
    """It says which disk, ends with 75, leaves nothing half-written, and the next run completes the work."""
    ran = on_full_disk(shop.root / place, size, tmp_path / "kept", command(*shop.line()))
    assert_explains(ran, 75, str(shop.root), "disk", "is full", "free some space", "磁盘已满")
    assert ran.out == ""
    assert_whole(shop.root)
    again = shop.run()
    pictures = again.json["pictures"]
    assert again.code == 0, again.err
    assert pictures["planned"] == pictures["rendered"] + pictures["reused"]
    if place.startswith("output"):
        assert again.json["jobs_submitted"] == 0
    assert_whole(shop.root)


def test_full_disk_under_init(tmp_path: Path) -> None:
    """What was copied is whole, so that a second ``init`` completes it instead of keeping a stump."""
    place = tmp_path / "disk"
    ran = on_full_disk(place, "40k", tmp_path / "kept", command("init", place / "shop"))
    assert_explains(ran, 75, "is full", "磁盘已满")
    for folder in (place / "shop", tmp_path / "other"):
        assert called("init", folder).code == 0
    assert tree(place / "shop") == tree(tmp_path / "other")


@pytest.mark.parametrize("place", ["", "data/simulated/blobs", "output-simulated"])
def test_read_only_workspace(place: str, shop: Shop) -> None:
    """It says which folder and what to do, and changes nothing."""
    (shop.root / place).mkdir(parents=True, exist_ok=True)
    ran = run([*mounting(), "sh", "-c", READ_ONLY, "sh", shop.root / place, *command(*shop.line())])
    words = ("cannot be written", "write permission", "--workspace", "写权限")
    shop.refuses(ran, 2, str(shop.root / place), *words)


def test_read_only_out_folder(shop: Shop, tmp_path: Path) -> None:
    """A folder named with --out that cannot be written is named; the renders are kept for the next run."""
    out = tmp_path / "out"
    out.mkdir()
    line = shop.line("--out", out, "--role", "main")
    ran = run([*mounting(), "sh", "-c", READ_ONLY, "sh", out, *command(*line)])
    assert_explains(ran, 2, str(out), "cannot be written", "无法写入")
    again = called(*line)
    assert (again.code, again.json["jobs_submitted"]) == (0, 0)


def failing(number: int, *, after: int = 0) -> Callable[[int], None]:
    """An fsync that fails with an error number, once it has worked *after* times."""
    calls = 0

    def fsync(_descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(number, os.strerror(number))

    return fsync


@pytest.mark.parametrize(
    ("number", "expected", "code"),
    [
        (errno.ENOSPC, StorageFull, 75),
        (errno.EDQUOT, StorageFull, 75),
        (errno.EROFS, ConfigError, 2),
        (errno.EACCES, ConfigError, 2),
        (errno.EPERM, ConfigError, 2),
    ],
)
def test_writing_a_file_fails(
    number: int,
    expected: type[StorageFull | ConfigError],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The old file stays whole, no temporary file remains, and the error carries exit code and both texts."""
    path = tmp_path / "file"
    write_whole(path, b"old")
    monkeypatch.setattr("catalog_imagegen.adapters.files.os.fsync", failing(number))
    with pytest.raises(expected) as raised:
        write_whole(path, b"new")
    assert raised.value.exit_code == code
    assert str(tmp_path) in raised.value.message_en
    assert raised.value.message_zh != raised.value.message_en
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_an_unknown_trouble_is_not_dressed_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dying disk is not called full; still nothing half-written remains."""
    monkeypatch.setattr("catalog_imagegen.adapters.files.os.fsync", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error") as raised:
        write_whole(tmp_path / "file", b"new")
    assert raised.value.errno == errno.EIO
    assert not list(tmp_path.iterdir())


def test_full_disk_under_the_blob_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob is there whole or not at all, and can be put again once there is space."""
    blobs = FolderBlobs(tmp_path)
    with monkeypatch.context() as full:
        full.setattr("catalog_imagegen.adapters.files.os.fsync", failing(errno.ENOSPC, after=1))
        with pytest.raises(StorageFull):
            blobs.put(b"render")
    assert list(blobs.names()) == []
    assert blobs.get(blobs.put(b"render")) == b"render"


@pytest.mark.parametrize("after", range(6))
def test_full_disk_under_a_listing(after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that was cut off never passes for whole, and the next write completes it."""
    listings = FolderListings(tmp_path)

    def entry(name: str) -> dict[str, object]:
        return {
            "name": name,
            "bytes": 3,
            "rendition_key": name,
            "width": 1,
            "height": 1,
            "verdicts": [],
        }

    old = {"listing_key": "old", "files": [entry("1.jpg")]}
    new = {"listing_key": "new", "files": [entry("1.jpg"), entry("2.jpg")]}
    listings.write("amazon", "A-1", [("1.jpg", b"old")], old)
    files = [("1.jpg", b"new"), ("2.jpg", b"two")]
    with monkeypatch.context() as full:
        full.setattr("catalog_imagegen.adapters.files.os.fsync", failing(errno.ENOSPC, after=after))
        with pytest.raises(StorageFull):
            listings.write("amazon", "A-1", files, new)
    key = listings.listing_key("amazon", "A-1")
    assert key in ("", "old")
    if key == "old":
        assert (tmp_path / "amazon" / "A-1" / "1.jpg").read_bytes() == b"old"
    assert not list(tmp_path.rglob(".writing-*"))
    listings.write("amazon", "A-1", files, new)
    assert listings.listing_key("amazon", "A-1") == "new"


def starved(folder: Path, pragma: str) -> None:
    """Write more into a ledger than *pragma* lets its connection write."""
    engine = open_sqlite(folder / "ledger.sqlite")
    try:
        with engine.connect() as connection:
            connection.execute(text(pragma))
            connection.execute(text("CREATE TABLE more (content BLOB)"))
            connection.execute(text("INSERT INTO more VALUES (zeroblob(1000000))"))
    finally:
        engine.dispose()


def test_full_disk_under_the_ledger(tmp_path: Path) -> None:
    """SQLite's own word for a full disk becomes ours, and the ledger stays sound."""
    with pytest.raises(StorageFull) as raised:
        starved(tmp_path, "PRAGMA max_page_count = 1")  # SQLite takes the pages there are
    assert str(tmp_path) in raised.value.message_en
    assert_whole(tmp_path)


def test_read_only_ledger(tmp_path: Path) -> None:
    """So does its word for a file that cannot be written."""
    with pytest.raises(ConfigError, match="cannot be written") as raised:
        starved(tmp_path, "PRAGMA query_only = ON")
    assert raised.value.exit_code == 2
    assert_whole(tmp_path)
