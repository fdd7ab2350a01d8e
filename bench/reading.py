"""Reads one catalog in this process, and says as JSON how long that took and what memory it needed."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

Read = Callable[[str], int]


def peak_mb() -> float:
    """Of this process since it was loaded. What ``getrusage`` tells may be its parent's."""
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def _peak_of_children_mb() -> float:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (
        1024 if sys.platform == "linux" else 1024**2
    )


def ours() -> Read:
    """To validated Products; its child process counts, with all that it loads."""
    import_module("catalog_imagegen.adapters.catalogs.csv_file")  # else loaded when the first CSV is met
    from catalog_imagegen.adapters.catalogs import Columns, read_catalog  # noqa: PLC0415
    from catalog_imagegen.config import Workspace, defaults, load_columns  # noqa: PLC0415

    columns = Columns.from_toml(load_columns(Workspace(defaults())))
    return lambda path: len(read_catalog(path, columns=columns).products)


def calamine() -> Read:
    """The bare values of a workbook."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415

    return lambda path: len(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()) - 1


def pandas_openpyxl() -> Read:
    """What most scripts do with a workbook."""
    import pandas as pd  # noqa: PLC0415

    return lambda path: len(pd.read_excel(path, engine="openpyxl", dtype=str, keep_default_na=False))


def pandas_csv() -> Read:
    """The fastest way of pandas with a text table, all texts."""
    import pandas as pd  # noqa: PLC0415

    return lambda path: len(pd.read_csv(path, engine="c", dtype=str, keep_default_na=False))


READERS: Mapping[str, Callable[[], Read]] = {
    "ours": ours,
    "calamine": calamine,
    "pandas + openpyxl": pandas_openpyxl,
    "pandas csv": pandas_csv,
}


def main(reader: str, path: str) -> Mapping[str, Any]:
    """One reading, its imports not counted."""
    read = READERS[reader]()
    Path(path).read_bytes()  # from memory, whoever reads first
    before = peak_mb()
    began = time.perf_counter()
    count = read(path)
    took = time.perf_counter() - began
    grown = peak_mb() - before + _peak_of_children_mb()
    return {"rows": count, "seconds": took, "extra_mb": grown}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))  # noqa: T201 - its answer
