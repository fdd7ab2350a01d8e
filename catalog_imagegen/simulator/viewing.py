"""Pictures over HTTP: /view and /upload/image."""

import io
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web
from PIL import Image

from catalog_imagegen.simulator.faults import Faults
from catalog_imagegen.simulator.files import ANNOTATION, KINDS, Folders, OutsideFolderError

DANGEROUS = {".html", ".htm", ".js", ".css", ".svg", ".xhtml"}  # served as downloads only


async def view(request: web.Request, folders: Folders, faults: Faults) -> web.StreamResponse:
    """Send a stored file, as it is or re-encoded."""
    query = request.query
    path, refused = _found(query, folders)
    if path is None or faults.take("view-404"):
        return web.Response(status=refused)
    shown = {"Content-Disposition": f'filename="{path.name}"'}
    if faults.take("truncate"):
        data = path.read_bytes()
        return web.Response(body=data[: len(data) // 2], content_type="image/png", headers=shown)
    if "preview" in query:
        form, _, quality = query["preview"].partition(";")  # anything but jpeg becomes WebP
        form = form if form == "jpeg" else "webp"
        return _reencoded(path, form, shown, quality=int(quality or 90))
    if query.get("channel") == "rgb":
        return _reencoded(path, "png", shown)
    shown["X-Content-Type-Options"] = "nosniff"
    if path.suffix.lower() in DANGEROUS:
        shown["Content-Disposition"] = f"attachment; {shown['Content-Disposition']}"
        shown["Content-Type"] = "application/octet-stream"
    return web.FileResponse(path, headers=shown)


def _found(query: Mapping[str, str], folders: Folders) -> tuple[Path | None, int]:
    """Find the file asked for, or the status that refuses it."""
    name, kind = query.get("filename", ""), query.get("type", "output")
    if match := ANNOTATION.match(name):
        name, kind = match["name"], match["kind"]
    if name and (".." in name or name.startswith("/") or kind not in KINDS):
        return None, 400
    try:
        path = folders.path(kind, query.get("subfolder", ""), Path(name).name)
    except OutsideFolderError:
        return None, 403
    return path if name and path.is_file() else None, 404


def _reencoded(path: Path, form: str, headers: dict[str, str], **options: int) -> web.Response:
    """Re-encode at full size, which drops the metadata."""
    out = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(out, form.upper(), **options)
    return web.Response(body=out.getvalue(), content_type=f"image/{form}", headers=headers)


async def upload(request: web.Request, folders: Folders) -> web.Response:
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
        stored = folders.upload(image.file.read(), name, kind=kind, subfolder=subfolder, overwrite=overwrite)
    except OutsideFolderError:
        return web.Response(status=400)
    return web.json_response({"name": stored, "subfolder": subfolder, "type": kind})
