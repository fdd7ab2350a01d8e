"""Carries out a reading in a process of its own, which may neither take all memory nor go on for ever."""

from __future__ import annotations

import gc
import marshal
import multiprocessing
import os
import pickle
import resource
import signal
import time
import traceback
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalog_imagegen.adapters.catalogs.files import refuse_corrupt, refuse_too_large
from catalog_imagegen.adapters.catalogs.grid import Block, Grid, Grids
from catalog_imagegen.adapters.child_process import belong_to_parent
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from catalog_imagegen.domain.catalog import Issue

MEMORY_BYTES = 4 << 30
"""Address space."""
MOST_TOLD_BYTES = 1 << 30
"""What the process may tell. Ours keeps it all, and nothing limits that: one long text can stand in a million cells."""
MOST_ROWS = 3_000_000
"""Three sheets without room for another row."""
TIMEOUT_S = 300.0
_ENDED_S = 10.0
_KILLED = frozenset({-signal.SIGKILL, -signal.SIGABRT})
"""How a process ends that gets no memory: by the kernel, or by itself."""


@contextmanager
def grids_apart(read: Callable[..., Grids], *args: Any, name: str) -> Iterator[Grids]:
    """The grids that ``read(*args)`` returns, as they come; the function and its arguments must be importable and picklable.

    Raises CatalogError, there or while they are read: ``file_too_large`` or ``file_too_slow``, where it takes more than
    its share: one far cell has parsers ask for memory by the terabyte, and some end the whole process when they get
    none. ``corrupt_file`` where a parser ends it otherwise.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sending, read, args), daemon=True)
    try:
        process.start()
        sending.close()
        yield _Answers(process, receiving, name).grids()
    finally:
        receiving.close()
        if process.pid is not None:
            process.kill()
            process.join(_ENDED_S)


class _ParserPanic(Exception):
    """A parser in Rust met what its authors held to be impossible: the file's fault, not ours."""


class _Answers:
    """What the process tells, message by message: a grid, its blocks, the next grid … the issues."""

    def __init__(self, process: BaseProcess, receiving: Connection, name: str) -> None:
        self._process, self._receiving, self._name = process, receiving, name
        self._ends_at = time.monotonic() + TIMEOUT_S
        self._issues: list[Issue] = []
        self._next: Any = None

    def grids(self) -> Grids:
        """All of them; a grid that is not read to its end is passed over."""
        return Grids(self._grids(), self._issues)

    def _grids(self) -> Iterator[Grid]:
        self._next = self._answer()
        while isinstance(self._next, Grid):
            blocks = self._blocks()
            yield replace(self._next, blocks=blocks)
            deque(blocks, maxlen=0)
        self._issues += self._next

    def _blocks(self) -> Iterator[Block]:
        while isinstance(answer := self._answer(), bytes | Block):
            yield Block(*marshal.loads(answer)) if isinstance(answer, bytes) else answer  # noqa: S302 - our own wrote it
        self._next = answer

    def _answer(self) -> Any:
        try:
            left = self._ends_at - time.monotonic()
            if left <= 0 or not self._receiving.poll(left):
                raise _too_slow(self._name)
            answer = pickle.loads(self._receiving.recv_bytes())  # noqa: S301 - our own process wrote it
        except (EOFError, OSError):  # it is gone
            self._process.join(_ENDED_S)
            if self._process.exitcode in _KILLED:
                raise refuse_too_large(self._name) from None
            reason = f"its parser ended with {self._process.exitcode}"
            raise refuse_corrupt(self._name, reason, "解析程序异常退出") from None
        if isinstance(answer, MemoryError):
            raise refuse_too_large(self._name)
        if isinstance(answer, _ParserPanic):
            raise refuse_corrupt(self._name, "its parser gave it up", "解析程序无法处理")
        if isinstance(answer, Exception):
            raise answer
        return answer


def _work(sending: Connection, read: Callable[..., Grids], args: tuple[Any, ...]) -> None:
    gc.disable()  # nothing circular is made here that weighs anything, and searching millions of cells takes long
    belong_to_parent()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # parsers print pages before they give up
    seconds = int(TIMEOUT_S) * 2  # it may use two processors
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):  # where the system does not know it, or has a lower one
            resource.setrlimit(limit, (most, most))
    with suppress(BrokenPipeError):
        for answer in _up_to(MOST_TOLD_BYTES, _told(read, args)):
            sending.send_bytes(answer)


def _up_to(most_bytes: int, answers: Iterator[bytes]) -> Iterator[bytes]:
    """What is told, unless it is too much to keep."""
    told = 0
    for answer in answers:
        told += len(answer)
        if told > most_bytes:
            yield pickle.dumps(MemoryError())
            return
        yield answer


def _told(read: Callable[..., Grids], args: tuple[Any, ...]) -> Iterator[bytes]:
    """What is read, or what went wrong, in a form that travels."""
    try:
        source, rows = read(*args), 0
        for grid in source.grids:
            yield pickle.dumps(replace(grid, blocks=()))
            for block in grid.blocks:
                rows += len(block.labels)
                if rows > MOST_ROWS:
                    raise MemoryError("more rows than can be kept")  # noqa: TRY301 - as any other
                yield _packed(block)
        yield pickle.dumps(list(source.issues))
    except MemoryError:
        yield pickle.dumps(MemoryError())
    except CatalogError as error:
        yield pickle.dumps(error)
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001 - a bug, or the panic of a parser, of a class that need not travel
        is_panic = type(error).__module__ == "pyo3_runtime"  # no module to import it from
        yield pickle.dumps(_ParserPanic() if is_panic else RuntimeError(traceback.format_exc()))


def _packed(block: Block) -> bytes:
    """A block in the form that is fastest to open; pictures need the other one."""
    if block.pictures:
        return pickle.dumps(block)
    parts = list(block.labels), dict(block.columns), dict(block.special), list(block.hidden)
    return pickle.dumps(marshal.dumps(parts))


def _too_slow(name: str) -> CatalogError:
    return CatalogError(
        f"{name} could not be read within {TIMEOUT_S:.0f} s; save it again as .xlsx, or split the file",
        zh=f"{name} 在 {TIMEOUT_S:.0f} 秒内未能读完；请另存为 .xlsx，或拆分文件",
        code="file_too_slow",
    )
