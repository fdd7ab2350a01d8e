"""Pictures over HTTP: /view and /upload/image."""

import asyncio
import io
import zlib
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web
from PIL import Image

from catalog_imagegen.simulator.desk import Desk
from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import ANNOTATION, KINDS, Folders, Kept, OutsideFolderError

DANGEROUS = {".html", ".htm", ".js", ".css", ".svg", ".xhtml"}  # served as downloads only
PAGE = "<!DOCTYPE html><title>Please log in</title><p>Please log in to the network.</p>"
DROPS = 20  # what a slow file is sent in


async def view(desk: Desk, request: web.Request) -> web.StreamResponse:
    """Send a stored file, as it is or re-encoded."""
    query = request.query
    found, refused = _found(query, desk.folders)
    if found is None:
        return web.Response(status=refused)
    name = _name(query)
    shown = {"Content-Disposition": f'filename="{name}"'}
    if mishap := await _mishap(desk.faults, request, found, shown):
        return mishap
    if "preview" in query:
        form, _, quality = query["preview"].partition(";")  # anything but jpeg becomes WebP
        form = form if form == "jpeg" else "webp"
        return await asyncio.to_thread(_reencoded, found, form, shown, quality=int(quality or 90))
    if query.get("channel") in {"rgb", "a"}:
        mode = "RGB" if query["channel"] == "rgb" else "RGBA"
        return await asyncio.to_thread(_reencoded, found, "png", shown, mode=mode)
    return _whole(request, found, name, shown)


async def _mishap(
    faults: Faults, request: web.Request, found: Path | Kept, headers: dict[str, str]
) -> web.StreamResponse | None:
    """Give what a client gets instead of the file, if it is to get something else."""
    if faults.take("view-404"):
        return web.Response(status=404)
    if faults.take("view-html"):
        return web.Response(text=PAGE, content_type="text/html")
    if faults.take("truncate"):
        data = _bytes(found)
        return web.Response(body=data[: len(data) // 2], content_type="image/png", headers=headers)
    if (seconds := faults.amount("slow-view")) is not None:
        return await _dribbled(request, _bytes(found), seconds, headers)
    return None


def _whole(
    request: web.Request, found: Path | Kept, name: str, headers: dict[str, str]
) -> web.StreamResponse:
    headers["X-Content-Type-Options"] = "nosniff"
    if not isinstance(found, Path):
        headers["ETag"] = f'"{zlib.crc32(found[1]):08x}"'
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=_bytes(found), content_type="image/png", headers=headers)
    if Path(name).suffix.lower() in DANGEROUS:
        headers["Content-Disposition"] = f"attachment; {headers['Content-Disposition']}"
        headers["Content-Type"] = "application/octet-stream"
    return web.FileResponse(found, headers=headers)


async def _dribbled(
    request: web.Request, data: bytes, seconds: float, headers: dict[str, str]
) -> web.StreamResponse:
    """Send *data* in drops, so slowly that it takes *seconds*."""
    response = web.StreamResponse(headers=headers | {"Content-Type": "image/png"})
    response.content_length = len(data)
    await response.prepare(request)
    size = max(len(data) // DROPS, 1)
    for start in range(0, len(data), size):
        await response.write(data[start : start + size])
        await asyncio.sleep(seconds / DROPS)
    return response


def _name(query: Mapping[str, str]) -> str:
    match = ANNOTATION.match(query.get("filename", ""))
    return Path(match["name"] if match else query.get("filename", "")).name


def _bytes(found: Path | Kept) -> bytes:
    return found.read_bytes() if isinstance(found, Path) else b"".join(found)


def _found(query: Mapping[str, str], folders: Folders) -> tuple[Path | Kept | None, int]:
    """Find the file asked for, or the status that refuses it."""
    name, kind = query.get("filename", ""), query.get("type", "output")
    if match := ANNOTATION.match(name):
        name, kind = match["name"], match["kind"]
    if name and (".." in name or name.startswith("/") or kind not in KINDS):
        return None, 400
    try:
        return folders.stored(kind, query.get("subfolder", ""), Path(name).name), 404
    except OutsideFolderError:
        return None, 403


def _reencoded(
    found: Path | Kept, form: str, headers: dict[str, str], *, mode: str = "RGB", **options: int
) -> web.Response:
    """Re-encode at full size, which drops the metadata."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(_bytes(found))) as picture:
        picture.convert(mode).save(out, form.upper(), **options)
    return web.Response(body=out.getvalue(), content_type=f"image/{form}", headers=headers)


async def upload(desk: Desk, request: web.Request) -> web.Response:
    """Store an uploaded file and say under which name."""
    form = await request.post()
    image = form.get("image")
    if not isinstance(image, web.FileField) or not image.filename:
        return web.Response(status=400)
    name, kind, subfolder = image.filename, str(form.get("type", "input")), str(form.get("subfolder", ""))
    if ".." in name:
        return web.Response(status=400)
    if "/" in name or kind not in KINDS:
        raise ValueError("a real server fails on these with a plain 500")
    overwrite = form.get("overwrite") in {"true", "1"}
    try:
        stored = desk.folders.upload(
            image.file.read(), name, kind=kind, subfolder=subfolder, overwrite=overwrite
        )
    except OutsideFolderError:
        return web.Response(status=400)
    return web.json_response({"name": stored, "subfolder": subfolder, "type": kind})
