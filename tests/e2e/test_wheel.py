"""The wheel carries everything: installed elsewhere, it works without the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from catalog_imagegen import __version__
from catalog_imagegen.config import defaults
from tests.e2e.cli import Ran, environment, run

ROOT = Path(__file__).parents[2]
PACKAGED = "catalog_imagegen/packaged"
CARRIED = ("config", "prompt_templates", "sample_catalog")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT)
    assert built.code == 0, built.err
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel, and the dependencies of this one.

    A path file makes the dependencies importable but does not read the path files beside them, so
    the editable checkout stays out.
    """
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True, timeout=60)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    options = ["--disable-pip-version-check", "--quiet", "--no-deps", "--no-index", "--ignore-installed"]
    done = run([*pip, "install", *options, str(wheel)])
    assert done.code == 0, done.err
    return home / "bin"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A current folder that has nothing to do with the checkout."""
    folder = tmp_path / "有 空格"
    folder.mkdir()
    return folder


def installed_cli(programs: Path, *arguments: str, cwd: Path) -> Ran:
    """Run the installed ``catalog-imagegen``."""
    return run([programs / "catalog-imagegen", *arguments], cwd=cwd, env=environment())


def test_the_wheel_carries_what_the_checkout_has(wheel: Path) -> None:
    """Every default, byte for byte; the migrations; the mark of typed packages; no test and no junk."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for name in CARRIED:
            for source in (p for p in (ROOT / name).rglob("*") if p.is_file() and p.suffix != ".pyc"):
                member = f"{PACKAGED}/{source.relative_to(ROOT).as_posix()}"
                assert member in names
                assert archive.read(member) == source.read_bytes()
    assert "catalog_imagegen/py.typed" in names
    assert "catalog_imagegen/language/zh/LC_MESSAGES/messages.mo" in names
    assert "catalog_imagegen/config/node_declarations.json.gz" in names
    assert {f"catalog_imagegen/adapters/reports/report.{kind}" for kind in ("html.j2", "css", "js")} <= names
    migrations = "catalog_imagegen/adapters/ledger/migrations"
    assert {f"{migrations}/env.py", f"{migrations}/script.py.mako"} <= names
    assert any(name.startswith(f"{migrations}/versions/0001") for name in names)
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"catalog_imagegen"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_the_wheel_names_no_place_of_this_machine(wheel: Path) -> None:
    """Nothing in it points at the folder it was built in."""
    with zipfile.ZipFile(wheel) as archive:
        assert not [n for n in archive.namelist() if str(ROOT).encode() in archive.read(n)]


def test_defaults_in_an_editable_checkout() -> None:
    """Here the defaults lie at the top of the checkout."""
    assert defaults() == ROOT


def test_defaults_in_an_installed_wheel(installed: Path, elsewhere: Path) -> None:
    """There the package and its defaults come from the wheel, not from this checkout."""
    code = "import catalog_imagegen, catalog_imagegen.config as c; print(catalog_imagegen.__file__, c.defaults())"
    found = run([installed / "python", "-c", code], cwd=elsewhere)
    assert (found.code, found.err) == (0, "")
    module, place = (Path(p) for p in found.out.split())
    assert module.is_relative_to(installed.parent)
    assert place == module.parent / "packaged"
    assert not module.is_relative_to(ROOT)


@pytest.mark.timeout(90)
def test_the_installed_command_works_elsewhere(installed: Path, elsewhere: Path) -> None:
    """Init, run with the simulator, run again: as in the checkout, in any folder."""
    assert installed_cli(installed, "--version", cwd=elsewhere).out.split()[-1] == __version__
    made = installed_cli(installed, "init", "我的店", cwd=elsewhere)
    assert (made.code, made.err) == (0, "")
    shop = elsewhere / "我的店"
    assert (shop / "config" / "roles.toml").is_file()
    assert not list(shop.rglob("*.py"))
    line = ("run", "sample_catalog/products.xlsx", "--simulate", "--limit", "2", "--json")
    first = installed_cli(installed, *line, cwd=shop)
    assert first.code == 1, first.err  # the sample has two rows with mistakes
    counts = first.json["pictures"]
    assert counts["rendered"] == counts["planned"] > 0
    again = installed_cli(installed, *line, cwd=shop).json
    assert (again["jobs_submitted"], again["pictures"]["reused"]) == (0, counts["planned"])
    assert len(list((shop / "output-simulated").glob("*/*/listing.json"))) == 3
