"""What people read is in their language: Chinese, English, or both where nobody said which."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from catalog_imagegen.simulator import Simulator
from tests.e2e.cli import Ran, called
from tests.e2e.test_bad_input import deaf_port
from tests.small import small_sizes

ROOT = Path(__file__).parents[2]
CHINESE, ENGLISH, UNSAID = ({"LANG": f"{name}.UTF-8"} for name in ("zh_CN", "en_US", "C"))
GROUPS = ("", "catalog", "review", "workflow")
HELPS = (
    *("init", "run", "plan", "catalog check", "status", "platforms", "regenerate", "retry", "sync"),
    *("review approve", "review reject", "export", "report", "doctor", "workflow check", "simulator"),
)
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_TYPED = re.compile(r"catalog-imagegen(?: [\w./#:=*\-]+)+|\S*(?:/|\.\w|--)\S*")
_SENTENCE = re.compile(r"[A-Za-z]?[a-z']+(?: [a-z']{2,}){2,}")
_DATA = re.compile(r'"([^"\n]*[\u4e00-\u9fff][^"\n]*)"')
"""Chinese in a settings file: titles of platforms and items of roles."""


class Shop:
    """A workspace with one product that is told in English, and two mistakes in its catalog."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self.root = root
        self.env = env
        self.ran = {"init": self("init", root)}
        self.edit("config/roles.toml", lambda text: small_sizes(text, longest=64))
        self.catalog = root / "products.csv"
        self.catalog.write_text(
            "SKU,name,color,usage_scenarios,price\nA-1,Cup,white,at a desk,twelve\nA-2,,black,,1\n",
            encoding="utf-8",
        )

    def __call__(self, *words: str | Path) -> Ran:
        """Run a command."""
        return called(*words, env=self.env)

    def edit(self, name: str, change: object) -> None:
        """Change a file of the workspace."""
        assert callable(change)
        path = self.root / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def work(self) -> dict[str, Ran]:
        """Everything somebody does in a day, from the first look to the export."""
        at = ("-w", self.root, "--simulate")
        found = {
            **self.ran,
            "check": self("catalog", "check", self.catalog, "-w", self.root),
            "empty": self("status", *at),
            "plan": self("plan", self.catalog, *at),
            "run": self("run", self.catalog, *at),
            "status": self("status", *at),
            "one": self("status", "A-1", *at),
            "approve": self("review", "approve", "A-1", "--role", "main", *at),
            "again": self("review", "approve", "A-1", "--role", "main", *at),
            "reject": self("review", "reject", "A-1", "--role", "main_portrait", *at),
            "replan": self("plan", self.catalog, *at),
            "rejected": self("status", "A-1", *at),
            "report": self("report", self.root / "r.html", *at),
            "same": self("report", self.root / "r.html", *at),
            "unfit": self("export", self.root / "e.zip", *at),
            "export": self("export", self.root / "e.zip", "--drafts", *at),
            "platforms": self("platforms", "-w", self.root),
            "platform": self("platforms", "amazon", "-w", self.root),
            "workflow": self("workflow", "check", ROOT / "config/workflows/z_image_turbo.json"),
            "unknown SKU": self("status", "A-9", *at),
            "nothing to sync": self("sync", *at),
            "nothing to do": self("retry", *at),
            "no catalog": self("run", self.root / "product.csv", *at),
            "both": self("run", self.catalog, *at, "--comfyui", "http://127.0.0.1:1"),
        }
        with deaf_port() as port:
            found["doctor"] = self("doctor", "-w", self.root, "--comfyui", f"http://127.0.0.1:{port}")
        return found


@pytest.fixture(scope="module", params=[CHINESE, ENGLISH], ids=["zh", "en"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop of each language, in which everything was done once."""
    made = Shop(tmp_path_factory.mktemp("language") / "shop", request.param)
    made.ran = made.work()
    return made


def english_in(text: str) -> Iterator[str]:
    """English sentences: three words in a row that are not typed, linked or named so."""
    for line in text.replace("Google Merchant Center", "").splitlines():
        yield from _SENTENCE.findall(_TYPED.sub("|", line))


def chinese_in(text: str) -> Iterator[str]:
    """Chinese words that are not in the settings, where titles of platforms and items of roles are."""
    settings = "".join((ROOT / f"config/{name}.toml").read_text("utf-8") for name in ("platforms", "roles"))
    known = {word for data in _DATA.findall(settings) for word in _HAN.findall(data)}
    return (word for word in _HAN.findall(text) if word not in known)


def test_what_is_looked_for_is_found() -> None:
    """The checks below can fail."""
    assert list(english_in("错误：the file is empty; look")) == ["the file is empty"]
    assert (
        list(english_in("请运行 catalog-imagegen run a b c --simulate，见 my file/x/y 和 Noto Sans CJK"))
        == []
    )
    assert list(chinese_in("状态 主图 ready")) == ["状态"]


def test_a_day_in_one_language(shop: Shop) -> None:
    """No command, table or error mixes languages; only what the shop wrote itself is as it is."""
    foreign = english_in if shop.env is CHINESE else chinese_in
    for name, ran in shop.ran.items():
        shown = ran.out + ran.err
        if name == "platform":  # notes of figures are told as they were found, in English
            shown = "\n".join(line for line in shown.splitlines() if "figures" in line or "我们" in line)
        assert "Traceback" not in shown, (name, shown)
        assert shown.strip(), name
        assert list(foreign(shown)) == [], (name, shown)


def test_a_day_went_as_it_should(shop: Shop) -> None:
    """What was compared above is what was meant."""
    codes = {name: ran.code for name, ran in shop.ran.items()}
    wrong = {"check": 1, "plan": 1, "run": 1, "replan": 1, "unfit": 1, "doctor": 1}
    usage = dict.fromkeys(("unknown SKU", "nothing to sync", "no catalog", "both"), 2)
    assert codes == dict.fromkeys(codes, 0) | wrong | usage


def test_reports_are_in_the_language_of_the_run(shop: Shop) -> None:
    """And say so to browsers and readers."""
    language, title = ("zh-CN", "商品图片") if shop.env is CHINESE else ("en", "Product pictures")
    page = (shop.root / "output-simulated" / "report.html").read_text(encoding="utf-8")
    with zipfile.ZipFile(shop.root / "e.zip") as exported:
        (name,) = (name for name in exported.namelist() if name.endswith("report.html"))
        pages = [page, exported.read(name).decode()]
    for text in pages:
        assert f'<html lang="{language}">' in text
        assert f"<title>{title} · " in text
    body = re.sub(
        r"<style.*?</style>|<script.*?</script>|<p class=\"prompt.*?</p>|<[^>]*>", " ", page, flags=re.DOTALL
    )
    foreign = english_in if shop.env is CHINESE else chinese_in
    assert list(foreign(body)) == []


@pytest.mark.parametrize("name", [*GROUPS, *HELPS])
def test_help_in_chinese(name: str) -> None:
    """Texts, titles and --help itself; the example stays what one types, and -h works everywhere."""
    ran = called(*name.split(), "-h", env=CHINESE | {"COLUMNS": "200"})
    assert (ran.code, ran.err) == (0, "")
    assert list(english_in(ran.out)) == []
    assert "─ 选项 ─" in ran.out
    assert "显示本帮助。" in ran.out
    assert ("例如：catalog-imagegen " + name in ran.out) == (name in HELPS)


@pytest.mark.parametrize("name", HELPS)
def test_help_in_english(name: str) -> None:
    """After Chinese was spoken in this very process; only what one types in the example may be Chinese."""
    called(*name.split(), "--help", env=CHINESE)
    ran = called(*name.split(), "--help", env=ENGLISH | {"COLUMNS": "200"})
    assert "─ Options ─" in ran.out
    lines = [line for line in ran.out.splitlines() if "Example: " not in line]
    assert list(chinese_in("\n".join(lines))) == []


def test_where_nothing_says_which_errors_come_in_both(tmp_path: Path) -> None:
    """And everything else in English."""
    shop = Shop(tmp_path / "shop", UNSAID)
    error = shop("status", "A-9", "-w", shop.root).err
    assert "there is no SKU yet" in error
    assert "还没有任何货号" in error
    checked = shop("catalog", "check", shop.catalog, "-w", shop.root).out
    assert "fill it in" in checked
    assert "请填写" in checked
    for words in (("init", tmp_path / "other"), ("platforms",), ("status", "-w", shop.root)):
        assert list(chinese_in(shop(*words).out)) == []


def test_the_settings_come_before_the_locale(tmp_path: Path) -> None:
    """A timer at night has no locale; who sets a language means it for every command of the workspace."""
    shop = Shop(tmp_path / "shop", ENGLISH)
    shop.edit("config/app.toml", lambda text: text.replace('language = "auto"', 'language = "zh"'))
    at = ("-w", shop.root)
    for words in (
        ("status", *at),
        ("run", shop.catalog, "--simulate", *at),
        ("catalog", "check", shop.catalog, *at),
        ("catalog", "check", shop.root / "product.csv", *at),
        ("platforms", *at),
        ("sync", *at),
    ):
        ran = shop(*words)
        assert list(english_in(ran.out + ran.err)) == [], words
    assert '<html lang="zh-CN">' in (shop.root / "output-simulated" / "report.html").read_text("utf-8")
    spoken = called("status", *at, env=CHINESE | {"CATALOG_IMAGEGEN_LANGUAGE": "en"})
    assert spoken.out.startswith("No products yet") or spoken.out.startswith("Look in")


@pytest.mark.parametrize("env", [CHINESE, ENGLISH], ids=["zh", "en"])
def test_programs_get_both_languages(env: Mapping[str, str], tmp_path: Path) -> None:
    """Whatever the locale, --json has message_en and message_zh; a failure says what its code means."""
    shop = Shop(tmp_path / "shop", env)
    with Simulator(faults=["error:99"]) as simulator:
        ran = shop(
            "run", shop.catalog, "-w", shop.root, "--comfyui", simulator.url, "--role", "main", "--json"
        )
    (issue,) = (i for i in ran.json["issues"] if i["severity"] == "error")
    assert issue["message_en"].isascii()
    assert "请填写" in issue["message_zh"]
    (problem,) = ran.json["problems"]
    assert problem["reason_en"].startswith("the render server reported an error: ")
    assert problem["reason_zh"].startswith("服务器报错：")
    said = problem["reason_en"].partition(": ")[2]
    assert problem["reason_zh"].endswith(said), "the server's own words are not translated"
    assert problem["remedy_en"].endswith("catalog-imagegen retry")
    assert problem["remedy_zh"].endswith("catalog-imagegen retry")
    pictures = shop("status", "A-1", "-w", shop.root, "--simulate", "--json").json["skus"][0]["pictures"]
    reasons = [(p["reason_en"], p["reason_zh"]) for p in pictures if p["state"] == "failed"]
    assert reasons == [(problem["reason_en"], problem["reason_zh"])]
    planned = shop("plan", shop.catalog, "-w", shop.root, "--simulate", "--json").json
    assert json.dumps(planned).count("the render server reported an error") == 1
