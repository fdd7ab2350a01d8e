"""Carries out a reading in a process of its own, which may neither take all memory nor go on for ever."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import resource
import signal
import threading
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from catalog_imagegen.adapters.catalogs.files import refuse_corrupt
from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

MEMORY_BYTES = 4 << 30
"""Address space."""
TIMEOUT_S = 300.0
_ENDED_S = 10.0
_KILLED = frozenset({-signal.SIGKILL, -signal.SIGABRT})
"""How a process ends that gets no memory: by the kernel, or by itself."""

T = TypeVar("T")


def read_apart(read: Callable[..., T], *args: Any, name: str) -> T:
    """What ``read(*args)`` returns or raises; the function and all it deals with must be importable and picklable.

    Raises CatalogError, ``file_too_large`` or ``file_too_slow``, where it takes more than its share: one far cell has
    parsers ask for memory by the terabyte, and some end the whole process when they get none. ``corrupt_file`` where
    a parser ends it otherwise.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sending, read, args), daemon=True)
    try:
        process.start()
        return _answer(process, receiving, sending, name)  # type: ignore[no-any-return]  # what *read* returned
    finally:
        receiving.close()
        if process.pid is not None:
            process.kill()
            process.join(_ENDED_S)


def _answer(process: BaseProcess, receiving: Connection, sending: Connection, name: str) -> Any:
    """What the process says, or why it says nothing."""
    sending.close()
    try:
        if not receiving.poll(TIMEOUT_S):
            raise _too_slow(name)
        answer = pickle.loads(receiving.recv_bytes())  # noqa: S301 - our own process wrote it
    except (EOFError, OSError):  # it is gone
        process.join(_ENDED_S)
        if process.exitcode in _KILLED:
            raise _too_large(name) from None
        raise refuse_corrupt(name, f"its parser ended with {process.exitcode}", "解析程序异常退出") from None
    if isinstance(answer, MemoryError):
        raise _too_large(name)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _work(sending: Connection, read: Callable[..., Any], args: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all: our parent ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    seconds = int(TIMEOUT_S)
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):  # where the system does not know it, or has a lower one
            resource.setrlimit(limit, (most, most))
    answer = _told(read, args)
    with suppress(BrokenPipeError):
        sending.send_bytes(answer)


def _told(read: Callable[..., Any], args: tuple[Any, ...]) -> bytes:
    """What was read, or what went wrong, in a form that travels."""
    try:
        return pickle.dumps(read(*args))
    except MemoryError:
        return pickle.dumps(MemoryError())
    except CatalogError as error:
        return pickle.dumps(error)
    except BaseException:  # noqa: BLE001 - a bug, or the panic of a parser, of a class that need not travel
        return pickle.dumps(RuntimeError(traceback.format_exc()))


def _end_with_parent() -> None:
    """Nobody would end us after that."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _too_large(name: str) -> CatalogError:
    return CatalogError(
        f"{name} takes more memory than a catalog may; delete cells far below and beside the table "
        "(Ctrl+End shows the last one), or split the file",
        zh=f"{name} 需要的内存超出限制；请删除表格下方和右侧很远处的单元格（按 Ctrl+End 可看到最后一格），或拆分文件",
        code="file_too_large",
    )


def _too_slow(name: str) -> CatalogError:
    return CatalogError(
        f"{name} could not be read within {TIMEOUT_S:.0f} s; save it again as .xlsx, or split the file",
        zh=f"{name} 在 {TIMEOUT_S:.0f} 秒内未能读完；请另存为 .xlsx，或拆分文件",
        code="file_too_slow",
    )
