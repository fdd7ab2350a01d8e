"""Graphs as people draw them for Z-Image and Qwen-Image-Edit run, and their photos are seen in the placeholder."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from catalog_imagegen.simulator.nodes import model_choices, node_classes
from catalog_imagegen.simulator.operations import PERFORMED
from catalog_imagegen.simulator.paint import paint
from catalog_imagegen.simulator.versions import VERSIONS
from tests.conformance.client import DEADLINE_S, Client, simulated

Graph = dict[str, Any]
RED = (200, 30, 30)


def post_photo(client: Client) -> None:
    """Upload a red photo."""
    out = io.BytesIO()
    Image.new("RGB", (640, 400), RED).save(out, "PNG")
    files = {"image": ("photo.png", out.getvalue(), "image/png")}
    assert client.session.post(f"{client.url}/upload/image", files=files, timeout=DEADLINE_S).ok


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Give a client of one simulator for all graphs, with the photo."""
    with simulated() as (_, client):
        post_photo(client)
        yield client


def nodes(**added: tuple[str, dict[str, Any]]) -> Graph:
    """Add nodes, as name=(class, inputs), to the loaders and the ends that all graphs share."""
    common: dict[str, tuple[str, dict[str, Any]]] = {
        "model": (
            "UNETLoader",
            {"unet_name": "qwen_image_edit_2511_bf16.safetensors", "weight_dtype": "default"},
        ),
        "clip": ("CLIPLoader", {"clip_name": "qwen_2.5_vl_7b_fp8_scaled.safetensors", "type": "qwen_image"}),
        "vae": ("VAELoader", {"vae_name": "qwen_image_vae.safetensors"}),
        "empty": ("EmptySD3LatentImage", {"width": 256, "height": 256, "batch_size": 1}),
        "decode": ("VAEDecode", {"samples": ["sample", 0], "vae": ["vae", 0]}),
        "save": ("SaveImage", {"images": ["decode", 0], "filename_prefix": "made/it"}),
    }
    return {name: {"class_type": kind, "inputs": inputs} for name, (kind, inputs) in (common | added).items()}


def sampler(model: str, positive: str, latent: str, **changed: Any) -> tuple[str, dict[str, Any]]:
    """Give a KSampler linked to these."""
    inputs = {
        "model": [model, 0],
        "positive": [positive, 0],
        "negative": [positive, 0],
        "latent_image": [latent, 0],
        "seed": 5,
        "steps": 4,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "denoise": 1.0,
    }
    return "KSampler", inputs | changed


PHOTO = ("LoadImage", {"image": "photo.png"})
TEXT = ("CLIPTextEncode", {"clip": ["clip", 0], "text": "白色马克杯"})
GRAPHS: dict[str, Graph] = {
    "edit with three photos": nodes(
        photo=PHOTO,
        scaled=(
            "ImageScaleToTotalPixels",
            {"image": ["photo", 0], "upscale_method": "lanczos", "megapixels": 0.1, "resolution_steps": 8},
        ),
        kontext=("FluxKontextImageScale", {"image": ["photo", 0]}),
        positive=(
            "TextEncodeQwenImageEditPlus",
            {
                "clip": ["clip", 0],
                "vae": ["vae", 0],
                "prompt": "换成红色背景",
                "image1": ["scaled", 0],
                "image2": ["kontext", 0],
            },
        ),
        method=(
            "FluxKontextMultiReferenceLatentMethod",
            {"conditioning": ["positive", 0], "reference_latents_method": "index_timestep_zero"},
        ),
        shifted=("ModelSamplingAuraFlow", {"model": ["model", 0], "shift": 3.1}),
        norm=("CFGNorm", {"model": ["shifted", 0], "strength": 1.0}),
        lora=(
            "LoraLoaderModelOnly",
            {
                "model": ["norm", 0],
                "lora_name": "Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors",
                "strength_model": 1.0,
            },
        ),
        sample=sampler("lora", "method", "empty"),
    ),
    "edit with one photo": nodes(
        photo=PHOTO,
        positive=(
            "TextEncodeQwenImageEdit",
            {"clip": ["clip", 0], "vae": ["vae", 0], "image": ["photo", 0], "prompt": "换背景"},
        ),
        latent=("VAEEncode", {"pixels": ["photo", 0], "vae": ["vae", 0]}),
        sample=sampler("model", "positive", "latent"),
    ),
    "reference latent": nodes(
        photo=PHOTO,
        text=TEXT,
        latent=("VAEEncode", {"pixels": ["photo", 0], "vae": ["vae", 0]}),
        reference=("ReferenceLatent", {"conditioning": ["text", 0], "latent": ["latent", 0]}),
        sample=sampler("model", "reference", "empty"),
    ),
    "custom sampler, advanced": nodes(
        photo=PHOTO,
        text=TEXT,
        encoded=("VAEEncode", {"pixels": ["photo", 0], "vae": ["vae", 0]}),
        masked=("SetLatentNoiseMask", {"samples": ["encoded", 0], "mask": ["photo", 1]}),
        noise=("RandomNoise", {"noise_seed": 3}),
        guider=(
            "CFGGuider",
            {"model": ["model", 0], "positive": ["text", 0], "negative": ["text", 0], "cfg": 1.0},
        ),
        chosen=("KSamplerSelect", {"sampler_name": "euler"}),
        sigmas=("BasicScheduler", {"model": ["model", 0], "scheduler": "simple", "steps": 4, "denoise": 0.6}),
        sample=(
            "SamplerCustomAdvanced",
            {
                "noise": ["noise", 0],
                "guider": ["guider", 0],
                "sampler": ["chosen", 0],
                "sigmas": ["sigmas", 0],
                "latent_image": ["masked", 0],
            },
        ),
    ),
    "custom sampler": nodes(
        photo=PHOTO,
        text=TEXT,
        latent=("VAEEncode", {"pixels": ["photo", 0], "vae": ["vae", 0]}),
        larger=(
            "LatentUpscale",
            {
                "samples": ["latent", 0],
                "upscale_method": "nearest-exact",
                "width": 512,
                "height": 320,
                "crop": "disabled",
            },
        ),
        chosen=("KSamplerSelect", {"sampler_name": "euler"}),
        sigmas=("BasicScheduler", {"model": ["model", 0], "scheduler": "simple", "steps": 4, "denoise": 1.0}),
        sample=(
            "SamplerCustom",
            {
                "model": ["model", 0],
                "add_noise": True,
                "noise_seed": 3,
                "cfg": 1.0,
                "positive": ["text", 0],
                "negative": ["text", 0],
                "sampler": ["chosen", 0],
                "sigmas": ["sigmas", 0],
                "latent_image": ["larger", 0],
            },
        ),
    ),
    "control": nodes(
        photo=PHOTO,
        text=TEXT,
        edges=("Canny", {"image": ["photo", 0], "low_threshold": 0.1, "high_threshold": 0.32}),
        patch=("ModelPatchLoader", {"name": "Z-Image-Turbo-Fun-Controlnet-Union.safetensors"}),
        controlled=(
            "ZImageFunControlnet",
            {
                "model": ["model", 0],
                "model_patch": ["patch", 0],
                "vae": ["vae", 0],
                "strength": 1.0,
                "image": ["edges", 0],
            },
        ),
        sample=sampler("controlled", "text", "empty"),
    ),
}


@pytest.mark.parametrize("name", list(GRAPHS))
def test_a_graph_runs_and_shows_its_photo(client: Client, name: str) -> None:
    """With a frame in the corner, so that one sees which photo was used."""
    picture = client.picture(client.run(GRAPHS[name]), "save")
    corner = picture.crop((0, 0, picture.width // 3, picture.height // 2))
    assert picture.info["catalog-imagegen"] == "placeholder"
    assert RED in [colour for _, colour in corner.getcolors(2**20) or []]


def test_photos_hang_below_each_other() -> None:
    """Each once, however often it was looked at."""
    photos = [Image.new("RGB", (64, 64), colour) for colour in ((200, 30, 30), (30, 200, 30), (200, 30, 30))]

    def painted(count: int) -> Image.Image:
        return paint("杯", width=512, height=512, seed=1, name="杯", role="main", photos=photos[:count])

    pictures = [painted(count) for count in range(4)]
    assert len({picture.tobytes() for picture in pictures[:3]}) == 3
    assert pictures[2].tobytes() == pictures[3].tobytes()
    assert (30, 200, 30) in [pictures[2].getpixel((50, y)) for y in range(512)]


def test_a_switch_runs_one_side_only(client: Client) -> None:
    """The other one may be as broken as it likes."""
    wanted = nodes(
        text=TEXT,
        broken=("CLIPTextEncode", {"clip": ["clip", 0], "text": "[[error]]"}),
        bad=sampler("model", "broken", "empty"),
        good=sampler("model", "text", "empty"),
        sample=("ComfySwitchNode", {"switch": True, "on_true": ["good", 0], "on_false": ["bad", 0]}),
    )
    assert client.run(wanted)["status"]["completed"]


def test_a_bench_runs_the_same_graphs() -> None:
    """Without painting; the sizes are right all the same."""
    with simulated(bench=True) as (_, client):
        post_photo(client)
        for wanted in GRAPHS.values():
            assert client.run(wanted)["status"]["completed"]


@pytest.mark.parametrize("version", list(VERSIONS))
def test_every_declared_class_can_be_performed(version: str) -> None:
    """None is declared and then unknown to the worker; required inputs come in a given order."""
    declared = node_classes(version, model_choices(None))
    assert set(declared) - PERFORMED == set()
    assert list(declared["KSampler"].required)[:2] == ["model", "seed"]
    assert "@" not in json.dumps([vars(node) for node in declared.values()])


def test_a_model_file_that_arrives_is_there_at_once() -> None:
    """And one that goes is refused at once, as on a server that looks into its folders every time."""
    with simulated(models={"loras": ["a.safetensors"]}) as (simulator, client):
        assert client.get("/models/loras").json() == ["a.safetensors"]
        wanted = nodes(text=TEXT, lora=lora("a.safetensors"), sample=sampler("lora", "text", "empty"))
        client.run(wanted)
        simulator.models["loras"][:] = ["b.safetensors"]
        assert client.post("/prompt", {"prompt": wanted}).status_code == 400
        wanted["lora"]["inputs"]["lora_name"] = "b.safetensors"
        assert client.post("/prompt", {"prompt": wanted}).status_code == 200


def lora(name: str) -> tuple[str, dict[str, Any]]:
    """Give a LoRA on the model."""
    return "LoraLoaderModelOnly", {"model": ["model", 0], "lora_name": name, "strength_model": 1.0}
