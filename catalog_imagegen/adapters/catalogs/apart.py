"""Carries out a reading in a process of its own, which may neither take all memory nor go on for ever."""

from __future__ import annotations

import multiprocessing
import resource
import signal
import traceback
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from catalog_imagegen.domain.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

MEMORY_BYTES = 4 << 30
"""Address space; a workbook of 100,000 rows needs a tenth of it."""
TIMEOUT_S = 300.0
_TOO_LARGE = "too much"
_ENDED_S = 10.0

T = TypeVar("T")


def read_apart(read: Callable[..., T], *args: Any, name: str) -> T:
    """What ``read(*args)`` returns or raises; the function and all it deals with must be importable and picklable.

    Raises CatalogError, ``file_too_large`` or ``file_too_slow``, where it takes more than its share: one far cell has
    parsers ask for memory by the terabyte, and some end the whole process when they get none.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sending, read, args), daemon=True)
    with _without_ctrl_c():
        process.start()
    sending.close()
    try:
        if not receiving.poll(TIMEOUT_S):
            raise _too_slow(name)
        answer, is_error = receiving.recv()
    except EOFError:  # it was ended by the kernel, or ended itself
        raise _too_large(name) from None
    finally:
        process.kill()
        process.join(_ENDED_S)
        receiving.close()
    if answer == _TOO_LARGE:
        raise _too_large(name)
    if is_error:
        raise answer
    return answer  # type: ignore[no-any-return]  # what *read* returned


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes begun meanwhile do not hear Ctrl-C, which a terminal sends to all: ours ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(sending: Connection, read: Callable[..., Any], args: tuple[Any, ...]) -> None:
    with suppress(OSError, ValueError):  # where the system does not know such limits
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = read(*args), False
    except MemoryError:
        answer = _TOO_LARGE, True
    except CatalogError as error:
        answer = error, True
    except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for it
        error.add_note(traceback.format_exc())  # which does not travel by itself
        answer = error, True
    with suppress(BrokenPipeError):
        sending.send(answer)


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
