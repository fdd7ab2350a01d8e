"""The mishaps a simulator can be told to have, and which of them happens when."""

import random
import re
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOR_EVER_S = 1e9


@dataclass(frozen=True)
class Kind:
    """What a fault does, and which occasions it has.

    *value* is what `=VALUE` means without being said: None if the fault takes no value, a text if it must be said.
    *lasts*: without a WHEN it happens on every occasion, not on the next one only; *stands*: it is no event at all.
    """

    tells: str
    occasion: str
    value: float | str | None = None
    lasts: bool = False
    stands: bool = False


SUBMISSION, EXECUTION, PICTURE = "prompt posted", "prompt executed", "picture sampled"
DOWNLOAD, SOCKET, REQUEST = "picture asked for", "websocket opened", "request"

KNOWN: dict[str, Kind] = {
    "lose-reply": Kind("the prompt is queued, then the connection drops without an answer", SUBMISSION),
    "reset": Kind("the connection is reset before anything is accepted", SUBMISSION),
    "http-500": Kind("a plain-text 500, nothing is queued", SUBMISSION),
    "too-large": Kind("413 as text, nothing is queued", SUBMISSION),
    "refuse-400": Kind("400 with node_errors, nothing is queued", SUBMISSION),
    "partial": Kind("200 with node_errors: the last of several outputs is refused", SUBMISSION),
    "forbidden": Kind("403 without a body, as by the origin check", REQUEST, lasts=True),
    "no-answer": Kind("the connection is taken, the answer comes SECONDS later", REQUEST, 600),
    "restart": Kind(
        "killed at the end of an execution and started again, SECONDS later: queue and history are gone",
        EXECUTION,
        0,
    ),
    "die": Kind("the same in the middle of an execution", EXECUTION, 0),
    "dead-worker": Kind(
        "the worker thread dies: prompts wait, nothing runs for SECONDS or till a restart",
        "prompt about to run",
        FOR_EVER_S,
    ),
    "hang": Kind("the running prompt makes no step and heeds no interrupt for SECONDS", EXECUTION, 600),
    "interrupted": Kind("somebody presses stop", EXECUTION),
    "oom": Kind("the sampler runs out of memory", EXECUTION),
    "error": Kind("the sampler fails", EXECUTION),
    "disk-full": Kind("saving fails, once the sampling is paid for", "picture saved"),
    "no-image": Kind("success without outputs", "picture saved"),
    "forget": Kind("a finished prompt's history entry and files vanish", EXECUTION),
    "late-history": Kind(
        "success is told, the queue is empty, and the history knows of it SECONDS later", EXECUTION, 0.05
    ),
    "file-gone": Kind(
        "a prompt answered from the cache names a file that was deleted", "prompt answered from the cache"
    ),
    "clock-jump": Kind(
        "in mid-execution the clock jumps by SECONDS: success comes before start", EXECUTION, -3600
    ),
    "skewed-clock": Kind("all timestamps are off by SECONDS", "", 300, stands=True),
    "black": Kind("all black", PICTURE),
    "noise": Kind("random pixels, as of a broken VAE", PICTURE),
    "uniform": Kind("one colour that is not black, give or take 1", PICTURE),
    "blurred": Kind("out of focus all over: a good file of a bad picture", PICTURE),
    "overexposed": Kind("washed out to white but for a corner: the same", PICTURE),
    "small": Kind("half as wide and high as asked for", PICTURE),
    "truncate": Kind("200 with half a file", DOWNLOAD),
    "view-404": Kind("404", DOWNLOAD),
    "view-html": Kind("200 with a page of HTML, as proxies do", DOWNLOAD),
    "slow-view": Kind("the file dribbles in over SECONDS", DOWNLOAD, 3),
    "ws-absent": Kind("refused with the HTTP status VALUE", SOCKET, 404, lasts=True),
    "ws-deaf": Kind("after the first status it never hears a thing", SOCKET, lasts=True),
    "ws-stall": Kind("nobody hears of events for SECONDS", EXECUTION, 3),
    "ws-drop": Kind("all websockets drop in mid-execution", EXECUTION),
    "missing-node": Kind("the node class VALUE is not installed", "", "", stands=True),
    "missing-model": Kind("the model file VALUE is not there", "", "", stands=True),
}

SHAPE = re.compile(
    r"(?:(?P<first>\d+)(?:-(?P<last>\d+))?/)?(?P<name>[a-z0-9-]+)(?:=(?P<value>.+?))?"
    r"(?:(?P<sign>[:%#@])(?P<number>\d+(?:\.\d+)?))?(?:\+(?P<begin>\d+(?:\.\d+)?)(?:-(?P<end>\d+(?:\.\d+)?))?)?"
)
GRAMMAR = "[SERVER/]NAME[=VALUE][:COUNT|@PROBABILITY|%EVERY|#NTH][+FROM_S[-UNTIL_S]]"


@dataclass(frozen=True)
class Wish:
    """One fault as somebody asked for it."""

    text: str
    servers: range
    is_for_some: bool
    name: str
    value: float | str | None
    sign: str
    number: float
    begin_s: float
    end_s: float


def read(text: str) -> Wish:
    """Understand *text*; raises ValueError that says what is wrong with it."""
    match = SHAPE.fullmatch(text)
    if not match or match["name"] not in KNOWN:
        raise ValueError(f"unknown fault {text!r}; use {GRAMMAR} with one of {', '.join(KNOWN)}")
    kind = KNOWN[match["name"]]
    if kind.stands and match["sign"]:
        raise ValueError(
            f"{text!r} holds all the time, so it takes no {match['sign']}{match['number']}; leave it out"
        )
    sign, number = match["sign"] or ("%" if kind.lasts else ":"), float(match["number"] or 1)
    if sign == "@" and number > 1:
        raise ValueError(
            f"{text!r} has a probability above 1; use a figure from 0 to 1, as in {kind_name(match)}@0.2"
        )
    if sign != "@" and (number != int(number) or (number < 1 and sign != ":")):
        raise ValueError(f"{text!r} needs a whole number behind {sign!r}, as in {kind_name(match)}{sign}2")
    first = int(match["first"] or 1)
    return Wish(
        text=text,
        servers=range(first, int(match["last"] or first) + 1) if match["first"] else range(1, 2**31),
        is_for_some=match["first"] is not None,
        name=match["name"],
        value=_value(text, kind, match["value"]),
        sign=sign,
        number=number,
        begin_s=float(match["begin"] or 0),
        end_s=float(match["end"] or FOR_EVER_S),
    )


def kind_name(match: re.Match[str]) -> str:
    """Give the fault's name alone, for examples in messages."""
    return match["name"]


def _value(text: str, kind: Kind, said: str | None) -> float | str | None:
    if kind.value is None:
        if said is not None:
            raise ValueError(f"{text!r} takes no value; leave out ={said}")
        return None
    if isinstance(kind.value, str):
        if said is None:
            raise ValueError(f"{text!r} needs a name, as in {text}=SomeName")
        return said
    try:
        return kind.value if said is None else float(said)
    except ValueError:
        raise ValueError(f"{text!r} needs a figure behind '=', not {said!r}") from None


def read_all(wanted: Iterable[str]) -> tuple[list[Wish], int | None]:
    """Read faults and script files among *wanted*; gives the seed too if a script names one."""
    wishes: list[Wish] = []
    seed: int | None = None
    for text in wanted:
        if not text.endswith(".toml"):
            wishes.append(read(text))
            continue
        script = _script(Path(text))
        wishes += [read(line) for line in script["faults"]]
        seed = script.get("seed", seed)
    return wishes, seed


def _script(path: Path) -> dict[str, Any]:
    """Read a TOML file with `faults`, a list of texts, and perhaps `seed`."""
    try:
        script = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f'{path}: {error}; a script is TOML with faults = ["oom%2", …]') from error
    lines = script.get("faults")
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f'{path}: no list of faults; write faults = ["oom%2", …]')
    unknown = set(script) - {"faults", "seed"}
    if unknown or not isinstance(script.get("seed", 0), int):
        raise ValueError(f"{path}: only faults and seed (a whole number) belong here, not {sorted(unknown)}")
    return script


class _Rule:
    """One wish being fulfilled on one server."""

    def __init__(self, wish: Wish, rng: random.Random) -> None:
        self.wish = wish
        self.rng = rng
        self.seen = 0
        self.left = int(wish.number) if wish.sign == ":" else 0

    def strikes(self, *, is_free: bool) -> bool:
        """Count an occasion; a countable one is not used up on what strikes anyway."""
        self.seen += 1
        match self.wish.sign:
            case "%":
                return self.seen % int(self.wish.number) == 0
            case "#":
                return self.seen == int(self.wish.number)
            case "@":
                return self.rng.random() < self.wish.number
        strikes = is_free and self.left > 0
        self.left -= strikes
        return strikes


class Faults:
    """The mishaps of one server; safe to use from any thread.

    Each fault has a generator of its own, so that a seed gives the same series however the servers' work mingles.
    """

    def __init__(
        self,
        wanted: Sequence[str] = (),
        *,
        server: int = 1,
        seed: int | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._server = server
        self._now_s = now_s
        self._begun_s: float | None = None
        self._rules: list[_Rule] = []
        self._seed = seed
        self.add(wanted)

    def begin(self) -> None:
        """Start the time that windows count from; later calls change nothing."""
        if self._begun_s is None:
            self._begun_s = self._now_s()

    def add(self, wanted: Iterable[str]) -> None:
        """Take on more faults; their time windows count from `begin` all the same."""
        wishes, seed = read_all(wanted)
        if self._seed is None:
            self._seed = seed
        with self._lock:
            for wish in wishes:
                if self._server in wish.servers:
                    sown = f"{self._seed}/{self._server}/{len(self._rules)}/{wish.text}"
                    rng = random.Random() if self._seed is None else random.Random(sown)
                    self._rules.append(_Rule(wish, rng))
            self._rules.sort(
                key=lambda rule: rule.wish.sign == ":"
            )  # what is counted comes last, so it lasts

    def clear(self) -> None:
        """Behave from now on."""
        with self._lock:
            self._rules.clear()

    def take(self, name: str) -> bool:
        """Count an occasion for *name*; True if it is to happen now."""
        return self._struck(name) is not None

    def amount(self, name: str) -> float | None:
        """Count an occasion for *name*; its value if it is to happen now, else None."""
        wish = self._struck(name)
        return None if wish is None or not isinstance(wish.value, float | int) else float(wish.value)

    def _struck(self, name: str) -> Wish | None:
        struck: Wish | None = None
        with self._lock:
            for rule in self._now(name):
                if rule.strikes(is_free=struck is None):
                    struck = struck or rule.wish
        return struck

    def standing(self, name: str) -> tuple[Any, ...]:
        """Give the values of every *name* that holds right now; nothing is used up."""
        with self._lock:
            return tuple(rule.wish.value for rule in self._now(name))

    def _now(self, name: str) -> list[_Rule]:
        """Give the rules of *name* whose time has come; call it with the lock held."""
        found = [rule for rule in self._rules if rule.wish.name == name]
        if not found:
            return found
        passed = 0.0 if self._begun_s is None else self._now_s() - self._begun_s
        return [rule for rule in found if rule.wish.begin_s <= passed < rule.wish.end_s]
