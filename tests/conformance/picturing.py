"""Saved files, /view and /upload/image."""

import io
import json
import re
import time
import uuid
from typing import Any

import pytest
import requests
from PIL import Image, ImageStat

from tests.conformance.client import DEADLINE_S, Server, error_of, fresh

RED = (200, 30, 30)


def png(colour: tuple[int, int, int] = RED) -> bytes:
    """Encode a picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "PNG")
    return out.getvalue()


def upload(server: Server, data: bytes, name: str, **form: str) -> requests.Response:
    """Post a file."""
    files = {"image": (name, data, "image/png")}
    url = f"{server.client.url}/upload/image"
    return server.client.session.post(url, files=files, data=form, timeout=DEADLINE_S)


def loading(value: str) -> dict[str, Any]:
    """Give a graph that saves an input picture."""
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": value}},
        "9": {
            "class_type": "SaveImage",
            "inputs": {"images": ["1", 0], "filename_prefix": f"{uuid.uuid4()}/copy"},
        },
    }


class Picturing:
    """Checks for a class derived from this that provides `server`."""

    @pytest.mark.parametrize(
        ("prefix", "subfolder", "name"),
        [
            ("{}/商品_白色马克杯", "{}", "商品_白色马克杯_00001_.png"),
            ("{}/a/../b", "{}", "b_00001_.png"),
            ("{}/SKU-001_", "{}", "SKU-001__00001_.png"),
            ("{}/%width%x%height%", "{}", "256x256_00001_.png"),
            ("{}/%date:yyyy%", "{}", "%date:yyyy%_00001_.png"),
            ("{}/dots.v1.2", "{}", "dots.v1.2_00001_.png"),
            ('{}/q"u?ote\\x', "{}", 'q"u?ote\\x_00001_.png'),
            ("{}/tail/", "", "{}/tail"),
        ],
    )
    def test_names_of_saved_files(self, server: Server, prefix: str, subfolder: str, name: str) -> None:
        """Slashes make folders, some tokens are filled in, the rest is kept as it is."""
        unique = str(uuid.uuid4())
        entry = server.client.run(fresh(n9_filename_prefix=prefix.format(unique)))
        [image] = entry["outputs"]["9"]["images"]
        if prefix.endswith("/"):
            subfolder, name = unique, "tail_00001_.png"
        assert image == {"filename": name, "subfolder": subfolder.format(unique), "type": "output"}
        assert server.client.get("/view", **image).status_code == 200

    def test_today_in_a_name(self, server: Server) -> None:
        """By the server's clock."""
        entry = server.client.run(fresh(n9_filename_prefix=f"{uuid.uuid4()}/%year%-%month%-%day%_%hour%"))
        name = entry["outputs"]["9"]["images"][0]["filename"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d_00001_\.png", name)
        assert name.startswith(time.strftime("%Y"))

    @pytest.mark.parametrize("prefix", ["../escape", "/abs/x", "a" * 300])
    def test_impossible_names_fail_after_the_work(self, server: Server, prefix: str) -> None:
        """At the saving node."""
        error = error_of(server.client.run(fresh(n9_filename_prefix=prefix)))
        assert (error["node_id"], error["node_type"]) == ("9", "SaveImage")
        assert {"3", "8"} <= set(error["executed"])
        assert error["exception_type"] == ("OSError" if prefix.startswith("a") else "Exception")

    def test_batches_and_counters(self, server: Server) -> None:
        """A file for each picture, numbered on from what is there."""
        prefix = f"{uuid.uuid4()}/b_%batch_num%"
        names = []
        for _ in range(2):
            entry = server.client.run(fresh(n13_batch_size=2, n9_filename_prefix=prefix))
            names += [image["filename"] for image in entry["outputs"]["9"]["images"]]
        assert names[:2] == ["b_0_00001_.png", "b_1_00002_.png"]

    def test_what_a_file_tells(self, server: Server) -> None:
        """The graph, and each key of extra_pnginfo, as ASCII JSON."""
        wanted, job = fresh(), {"sku": "杯-01"}
        extra = {"extra_pnginfo": {"job": job, "workflow": {"id": "w"}}}
        picture = server.client.picture(server.client.run(wanted, extra_data=extra))
        assert (picture.size, picture.mode, picture.format) == ((256, 256), "RGB", "PNG")
        assert json.loads(picture.info["prompt"]) == wanted
        assert json.loads(picture.info["job"]) == job
        assert picture.info["job"].isascii()

    def test_sizes_are_whole_cells(self, server: Server) -> None:
        """1001 by 999 becomes 1000 by 992."""
        assert server.client.picture(server.client.run(fresh(n13_width=1001, n13_height=999))).size == (
            1000,
            992,
        )

    @pytest.mark.parametrize("trigger", ["black", "noise", "uniform", "small", "no-image", "disk-full"])
    def test_triggers_that_spoil_pictures(self, server: Server, trigger: str) -> None:
        """The same texts do the same on the simulator and on the stand-in pack."""
        entry = server.client.run(fresh(n27_text=f"a mug [[{trigger}]]"))
        if trigger == "disk-full":
            error = error_of(entry)
            assert (error["exception_type"], error["node_type"]) == ("OSError", "SaveImage")
            assert error["exception_message"].startswith("[Errno 28] No space left on device: ")
            return
        assert entry["status"]["completed"]
        if trigger == "no-image":
            assert entry["outputs"] == {}
            return
        picture = server.client.picture(entry)
        look = ImageStat.Stat(picture)
        assert picture.size == ((128, 128) if trigger == "small" else (256, 256))
        ranges = [high - low for low, high in look.extrema]
        if trigger == "uniform":
            assert all(0 < each <= 2 for each in ranges)
            assert min(look.mean) > 50
        elif trigger != "small":
            assert max(ranges) == 0 if trigger == "black" else min(ranges) > 200

    def test_view(self, server: Server) -> None:
        """Whole, cached, in part, headers only, re-encoded."""
        client = server.client
        file = client.run(fresh())["outputs"]["9"]["images"][0]
        whole = client.get("/view", **file)
        assert (whole.status_code, whole.headers["Content-Type"]) == (200, "image/png")
        assert whole.headers["Content-Disposition"] == 'filename="cup_00001_.png"'
        assert (
            client.get("/view", **{**file, "filename": f"{file['filename']} [output]"}).content
            == whole.content
        )

        def ask(method: str = "GET", **headers: str) -> requests.Response:
            return client.session.request(
                method, f"{client.url}/view", params=file, headers=headers, timeout=DEADLINE_S
            )

        assert ask(**{"If-None-Match": whole.headers["ETag"]}).status_code == 304
        part = ask(Range="bytes=0-9")
        assert (part.status_code, part.content) == (206, whole.content[:10])
        head = ask("HEAD")
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(whole.content))
        for more, form, mode in (
            ({"preview": "jpeg;80"}, "JPEG", "RGB"),
            ({"preview": "webp"}, "WEBP", "RGB"),
            ({"preview": "png"}, "WEBP", "RGB"),
            ({"channel": "rgb"}, "PNG", "RGB"),
            ({"channel": "a"}, "PNG", "RGBA"),
        ):
            picture = Image.open(io.BytesIO(client.get("/view", **file, **more).content))
            assert (picture.format, picture.mode, picture.size) == (form, mode, (256, 256)), more
            assert "prompt" not in picture.info

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({}, 404),
            ({"filename": "none.png"}, 404),
            ({"filename": "none.png", "type": "secret"}, 400),
            ({"filename": "../x.png"}, 400),
            ({"filename": "/x.png"}, 400),
            ({"filename": "x.png", "subfolder": "../.."}, 403),
            ({"filename": "x.png", "subfolder": "a/../../.."}, 403),
        ],
    )
    def test_view_guards_its_folders(self, server: Server, query: dict[str, str], status: int) -> None:
        """Bad names are 400, escapes 403, missing files 404, all without a body."""
        answer = server.client.get("/view", **query)
        assert (answer.status_code, answer.content) == (status, b"")

    def test_uploads_keep_what_is_there(self, server: Server) -> None:
        """The same bytes are reused, other ones numbered; overwrite replaces."""
        folder, other = str(uuid.uuid4()), png((1, 2, 3))
        told = {"name": "商品.png", "subfolder": folder, "type": "input"}
        assert upload(server, png(), "商品.png", subfolder=folder).json() == told
        assert upload(server, png(), "商品.png", subfolder=folder).json() == told
        numbered = {**told, "name": "商品 (1).png"}
        assert upload(server, other, "商品.png", subfolder=folder).json() == numbered
        assert upload(server, other, "商品.png", subfolder=folder).json() == numbered
        assert upload(server, other, "商品.png", subfolder=folder, overwrite="true").json() == told
        assert (
            server.client.get("/view", filename="商品.png", subfolder=folder, type="input").content == other
        )
        assert upload(server, png(), "t.png", type="temp").json()["type"] == "temp"

    @pytest.mark.parametrize(
        ("name", "form", "status"),
        [
            ("x.png", {"subfolder": "../.."}, 400),
            ("../x.png", {}, 400),
            ("x.png", {"type": "bogus"}, 500),
            ("a/b.png", {}, 500),
        ],
    )
    def test_uploads_out_of_the_folder(
        self, server: Server, name: str, form: dict[str, str], status: int
    ) -> None:
        """Are refused, some of them by falling over."""
        assert upload(server, png(), name, **form).status_code == status

    def test_an_upload_without_a_file(self, server: Server) -> None:
        """Is a 400."""
        data = {"subfolder": "x"}
        url = f"{server.client.url}/upload/image"
        assert server.client.session.post(url, data=data, timeout=DEADLINE_S).status_code == 400

    def test_uploads_can_be_loaded(self, server: Server) -> None:
        """By subfolder and name, also from other folders; overwriting them is noticed, text fails when it runs."""
        folder = str(uuid.uuid4())
        missing = server.client.post("/prompt", {"prompt": loading(f"{folder}/p.png")}).json()
        [error] = missing["node_errors"]["1"]["errors"]
        assert error == {
            "type": "custom_validation_failed",
            "message": "Custom validation failed for node",
            "details": f"image - Invalid image file: {folder}/p.png",
            "extra_info": {"input_name": "image"},
        }
        upload(server, png(), "p.png", subfolder=folder)
        wanted = loading(f"{folder}/p.png")
        assert server.client.picture(server.client.run(wanted)).getpixel((5, 5)) == RED
        upload(server, png((1, 2, 3)), "p.png", subfolder=folder, overwrite="1")
        assert server.client.picture(server.client.run(wanted)).getpixel((5, 5)) == (1, 2, 3)
        upload(server, png(), "t.png", subfolder=folder, type="temp")
        copied = server.client.run(loading(f"{folder}/t.png [temp]"))
        assert server.client.picture(copied).getpixel((5, 5)) == RED
        upload(server, b"no picture", "x.txt", subfolder=folder)
        error = error_of(server.client.run(loading(f"{folder}/x.txt")))
        assert (error["node_type"], error["exception_type"]) == ("LoadImage", "PIL.UnidentifiedImageError")
