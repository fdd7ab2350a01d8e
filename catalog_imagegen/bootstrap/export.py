"""Hands pictures on: a folder or a zip of listings, with a report of what is inside."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from catalog_imagegen.adapters.files import TEMPORARY, explain, make_folder, sync_folder
from catalog_imagegen.adapters.listings import FolderListings
from catalog_imagegen.bootstrap.house import House
from catalog_imagegen.bootstrap.reports import write_reports
from catalog_imagegen.domain.errors import ConfigError
from catalog_imagegen.language import Language
from catalog_imagegen.pipeline.prepare import check_names
from catalog_imagegen.pipeline.publish import LeftOut, open_publisher


@dataclass(frozen=True, slots=True)
class Exported:
    """What was handed on."""

    destination: Path
    files: int
    skus: int
    left_out: tuple[LeftOut, ...]


def export(
    house: House,
    destination: Path,
    *,
    platforms: Sequence[str] = (),
    skus: Collection[str] = (),
    drafts: bool = False,
    language: Language,
) -> Exported:
    """Write approved pictures (with *drafts*, all that would be listed) to a new folder or a ``.zip``.

    The destination appears whole or not at all. Raises ConfigError when there is nothing to hand on
    or something else stands there.
    """
    services = house.services
    names = tuple(platforms) or services.enabled
    check_names("platform", names, services.setup.platforms)
    recorded = [p.sku for p in services.ledger.products()]
    check_names("SKU", skus, recorded)
    chosen = [sku for sku in recorded if not skus or sku in skus]
    is_zip = destination.suffix.lower() == ".zip"
    _check_free(destination, is_zip=is_zip)
    with _workbench(destination) as bench:
        listings = FolderListings(bench, reuse=house.workspace.output)
        publisher = open_publisher(services, listings, approved_only=not drafts)
        publisher.publish([services.setup.platforms[name] for name in names], chosen, siblings=False)
        files = [path for path in sorted(bench.rglob("*")) if path.is_file() and path.name != "listing.json"]
        if not files:
            raise _nothing(publisher.left_out)
        write_reports(house, bench, language=language, skus=chosen, platforms=names)
        _place(bench, destination, is_zip=is_zip)
    return Exported(destination, len(files), len(chosen), tuple(publisher.left_out))


def _check_free(destination: Path, *, is_zip: bool) -> None:
    """A zip is replaced; a folder must be new, lest pictures of an earlier export stay in it."""
    is_taken = destination.is_dir() if is_zip else destination.exists()
    if is_taken and (is_zip or destination.is_file() or any(destination.iterdir())):
        raise _taken(destination)


def _taken(destination: Path) -> ConfigError:
    return ConfigError(
        f"{destination} is not empty; name a new folder, or a file that ends in .zip",
        zh=f"{destination} 不是空的；请指定新的文件夹，或以 .zip 结尾的文件名",
        code="destination_taken",
    )


@contextmanager
def _workbench(destination: Path) -> Iterator[Path]:
    """A folder beside the destination that is gone afterwards."""
    make_folder(destination.parent)
    try:
        bench = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=destination.parent))
    except OSError as error:
        raise explain(error, destination) from error
    try:
        yield bench
    except OSError as error:
        raise explain(error, destination) from error
    finally:
        shutil.rmtree(bench, ignore_errors=True)


def _place(bench: Path, destination: Path, *, is_zip: bool) -> None:
    if not is_zip:
        bench.chmod(0o755)
        try:
            bench.replace(destination)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # somebody else exported there meanwhile
                raise _taken(destination) from error
            raise
        sync_folder(destination.parent)
        return
    packed = bench.with_name(f"{bench.name}.zip")
    try:
        with packed.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for path in sorted(p for p in bench.rglob("*") if p.is_file()):
                    archive.write(path, path.relative_to(bench))
            file.flush()
            os.fsync(file.fileno())
        packed.replace(destination)
        sync_folder(destination.parent)
    finally:
        packed.unlink(missing_ok=True)


def _nothing(left_out: Sequence[LeftOut]) -> ConfigError:
    if left_out:
        return ConfigError(
            f"none of the approved pictures passes ({len(left_out)} files fail, e.g. "
            f"{left_out[0].file_name}: {left_out[0].verdicts[0].message_en}); --drafts hands them on all the same",
            zh=f"已通过的图片均不合格（{len(left_out)} 个文件，例如 {left_out[0].file_name}："
            f"{left_out[0].verdicts[0].message_zh}）；如仍需导出请加 --drafts",
            code="nothing_to_export",
        )
    return ConfigError(
        "there is nothing approved to export; approve pictures with catalog-imagegen review approve, "
        "or say --drafts",
        zh="没有已通过的图片可导出；请先用 catalog-imagegen review approve 审核，或加 --drafts",
        code="nothing_to_export",
    )
