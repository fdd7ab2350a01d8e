"""Checks of what the program stands on: disks, ledgers, the font."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

from catalog_imagegen.adapters.blobs import FolderBlobs
from catalog_imagegen.adapters.files import discard, explain, stage
from catalog_imagegen.adapters.ledger.examine import (
    Examined,
    examine,
    examine_postgresql,
    network_drive,
)
from catalog_imagegen.bootstrap.doctor.finding import Finding, fine, wrong
from catalog_imagegen.bootstrap.ledgers import LEDGER, shared_ledger
from catalog_imagegen.config import Settings, Workspace
from catalog_imagegen.domain.errors import CatalogImagegenError, ConfigError
from catalog_imagegen.domain.fingerprint import Digest

PROBE = bytes(64 * 1024)
"""Written, synced and removed again to see whether anything can be written."""
BYTES_PER_GB = 10**9


def fonts() -> Finding:
    """Whether the font is there that the simulator writes with."""
    try:
        from catalog_imagegen.simulator.lettering import font  # noqa: PLC0415 - may be what is missing

        name = " ".join(part for part in font(12).getname() if part)
    except (ImportError, OSError) as error:
        return Finding(
            "fonts",
            "warning",
            "noto_cjk_sans_otc",
            f"the font cannot be opened ({error}), so the simulator cannot write on placeholders",
            f"无法打开字体（{error}），模拟器不能在样张上写字",
            "install it again: pip install --force-reinstall noto-cjk-sans-otc",
            "请重新安装：pip install --force-reinstall noto-cjk-sans-otc",
        )
    return fine("fonts", "noto_cjk_sans_otc", name, name)


def text_reader() -> Finding:
    """Whether text in pictures can be read; it need not."""
    if find_spec("rapidocr") is not None:
        return fine("text", "rapidocr", "is read where a role asks for it", "按角色设置检查画面文字")
    return fine(
        "text",
        "rapidocr",
        "not installed, so pictures are not searched for text; pip install 'catalog-imagegen[ocr]'",
        "未安装，不检查画面文字；如需检查，请用 pip 安装 catalog-imagegen[ocr]",
    )


def examine_disks(workspace: Workspace, min_free_gb: float) -> Iterator[Finding]:
    """Whether ``data/`` and ``output/`` can be written, and how much room is left there."""
    for name, folder in (("data", workspace.data), ("output", workspace.output)):
        try:
            yield _disk(name, folder, min_free_gb)
        except CatalogImagegenError as error:
            yield wrong("disk", str(folder), error)


def _disk(name: str, folder: Path, min_free_gb: float) -> Finding:
    """Raises StorageFull or ConfigError when not even a probe can be written."""
    place = folder
    try:
        place = next(p for p in (folder, *folder.parents) if p.exists())
        discard(stage([(place / "probe", PROBE)]))
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise _explained(error, place) from error
    free_gb = round(free / BYTES_PER_GB, 1)
    if free >= min_free_gb * BYTES_PER_GB:
        return fine("disk", name, f"{free_gb} GB free", f"可用 {free_gb} GB", free_bytes=free)
    return Finding(
        "disk",
        "warning",
        str(folder),
        f"only {free_gb} GB free, less than min_free_gb = {min_free_gb:g}",
        f"仅剩 {free_gb} GB，少于 min_free_gb = {min_free_gb:g}",
        "free some space there, or set another min_free_gb in config/app.toml",
        "请清理空间，或在 config/app.toml 中调整 min_free_gb",
        {"free_bytes": free},
    )


def _explained(error: OSError, place: Path) -> CatalogImagegenError:
    known = explain(error, place)
    if isinstance(known, CatalogImagegenError):
        return known
    return ConfigError(
        f"{place} cannot be written ({error.strerror}); check that disk, or move the workspace to another",
        zh=f"无法写入 {place}（{error.strerror}）；请检查该磁盘，或把工作区移到其他磁盘",
        code="disk_trouble",
    )


def examine_ledgers(workspace: Workspace, settings: Settings) -> Generator[Finding, None, frozenset[str]]:
    """The ledgers of pictures and of placeholders, with their bytes; returns the extra columns of their rows."""
    if settings.ledger.url:
        return (yield from _shared(workspace, settings))
    headers = frozenset[str]()
    for data in _folders(workspace).values():
        path = data / LEDGER
        examined = examine(path)
        headers |= examined.headers
        if examined.standing != "none" or data == workspace.data:
            yield _ledger(str(path), str(path.relative_to(workspace.root)), examined)
        yield from _bytes(workspace, data, examined.digests)
    if drive := network_drive(workspace.root / "data"):
        error = ConfigError(
            f"{workspace.root}: SQLite cannot be trusted on a network drive ({drive}); "
            "put the workspace on a local disk",
            zh=f"{workspace.root}：网络盘（{drive}）上的 SQLite 不可靠；请把工作区放在本地磁盘",
            code="network_drive",
        )
        yield wrong("ledger", str(workspace.root), error)
    return headers


def _shared(workspace: Workspace, settings: Settings) -> Generator[Finding, None, frozenset[str]]:
    """The same in PostgreSQL. A server that cannot be reached is told of once."""
    headers, name = frozenset[str](), "config/app.toml: ledger"
    try:
        for is_simulated, data in _folders(workspace).items():
            place = shared_ledger(settings, is_simulated=is_simulated)
            name = str(place)
            examined = examine_postgresql(place)
            headers |= examined.headers
            if examined.standing != "none" or not is_simulated:
                yield _ledger(name, name, examined)
            yield from _bytes(workspace, data, examined.digests)
    except CatalogImagegenError as error:
        yield wrong("ledger", name, error)
    return headers


def _folders(workspace: Workspace) -> dict[bool, Path]:
    """Whether placeholders are kept there → the folder of that state."""
    data = workspace.root / "data"
    return {False: data, True: data / "simulated"}


def _bytes(workspace: Workspace, place: Path, digests: Collection[Digest]) -> Iterator[Finding]:
    """Pictures whose bytes are gone. Looks at names only, and makes no folder."""
    if not digests:
        return
    folder, data = place / "blobs", place.relative_to(workspace.root)
    try:
        blobs = FolderBlobs(folder) if folder.is_dir() else None
        missing = [name for name in digests if blobs is None or not blobs.has(name)]
    except OSError as error:
        yield wrong("ledger", str(folder), _explained(error, folder))
        return
    if missing:
        yield Finding(
            "ledger",
            "error",
            str(folder),
            f"the bytes of {len(missing)} of the ledger's pictures are not in {data}/blobs",
            f"数据库中有 {len(missing)} 张图片在 {data}/blobs 中没有文件",
            f"restore the backup of {data}/, or run again: they will be made again",
            f"请恢复 {data}/ 的备份，或重新运行：这些图片会重新生成",
            {"code": "bytes_missing", "missing": len(missing)},
        )


def _ledger(path: str, name: str, examined: Examined) -> Finding:
    """A ledger by its full *path*, if something is wrong with it, else by its *name*."""
    facts = {"standing": examined.standing, "revision": examined.revision}
    if examined.standing == "newer":
        return Finding(
            "ledger",
            "error",
            path,
            f"was written by a newer catalog-imagegen (revision {examined.revision})",
            f"由更新版本的 catalog-imagegen 写入（{examined.revision}）",
            "install that version, or move this ledger away and restore a backup",
            "请安装该版本，或移走此数据库并恢复备份",
            facts,
        )
    if examined.standing == "damaged":
        return Finding(
            "ledger",
            "error",
            path,
            f"is damaged or no ledger ({examined.trouble})",
            f"已损坏或不是本程序的数据库（{examined.trouble}）",
            "move it away and restore a backup",
            "请移走该文件并恢复备份",
            facts,
        )
    if examined.standing == "unreadable":
        return Finding(
            "ledger",
            "error",
            path,
            f"cannot be read ({examined.trouble})",
            f"无法读取（{examined.trouble}）",
            "give yourself read and write permission for it and its folder",
            "请为您的账户授予该文件及其文件夹的读写权限",
            facts,
        )
    words = {
        "none": ("none yet; the first run makes it", "尚未创建；首次运行时生成"),
        "current": (f"sound, revision {examined.revision}", f"完好，版本 {examined.revision}"),
        "older": (
            f"sound, revision {examined.revision}; the next command brings it up to date",
            f"完好，版本 {examined.revision}；下一条命令会自动升级",
        ),
    }
    return fine("ledger", name, *words[examined.standing], **facts)
