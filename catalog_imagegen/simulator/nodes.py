"""The node classes the simulator knows, declared as ComfyUI declares them in /object_info."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Graph = dict[str, Any]

MAX_SEED = 2**64 - 1
MAX_SIDE = 16384


def _words(text: str) -> list[str]:
    return text.split()


# 0.33 offers 44 samplers; more than 20 choices are not listed in an error, so the number matters.
SAMPLERS = _words(
    "euler euler_cfg_pp euler_ancestral euler_ancestral_cfg_pp heun heunpp2 exp_heun_2_x0 exp_heun_2_x0_sde "
    "dpm_2 dpm_2_ancestral lms dpm_fast dpm_adaptive dpmpp_2s_ancestral dpmpp_2s_ancestral_cfg_pp dpmpp_sde "
    "dpmpp_sde_gpu dpmpp_2m dpmpp_2m_cfg_pp dpmpp_2m_sde dpmpp_2m_sde_gpu dpmpp_2m_sde_heun "
    "dpmpp_2m_sde_heun_gpu dpmpp_3m_sde dpmpp_3m_sde_gpu ddpm lcm ipndm ipndm_v deis res_multistep "
    "res_multistep_cfg_pp res_multistep_ancestral res_multistep_ancestral_cfg_pp gradient_estimation "
    "gradient_estimation_cfg_pp er_sde seeds_2 seeds_3 sa_solver sa_solver_pece ddim uni_pc uni_pc_bh2"
)
SCHEDULERS = _words(
    "simple sgm_uniform karras exponential ddim_uniform beta normal linear_quadratic kl_optimal"
)
TEXT_ENCODER_TYPES = _words(
    "stable_diffusion stable_cascade sd3 stable_audio mochi ltxv pixart cosmos lumina2 wan hidream chroma ace "
    "omnigen2 qwen_image hunyuan_image flux2 ovis longcat_image cogvideox lens pixeldit ideogram4 boogu krea2 "
    "joyimage mage minimax"
)
ASPECT_RATIOS = {
    "1:1 (Square)": (1, 1),
    "2:3 (Portrait Photo)": (2, 3),
    "3:2 (Photo)": (3, 2),
    "3:4 (Portrait Standard)": (3, 4),
    "4:3 (Standard)": (4, 3),
    "9:16 (Portrait Widescreen)": (9, 16),
    "16:9 (Widescreen)": (16, 9),
    "21:9 (Ultrawide)": (21, 9),
}

DEFAULT_MODELS: Mapping[str, Sequence[str]] = {
    "checkpoints": (),
    "diffusion_models": ("z_image_bf16.safetensors", "z_image_turbo_bf16.safetensors"),
    "loras": (),
    "model_patches": (),
    "text_encoders": ("qwen_3_4b.safetensors",),
    "vae": ("ae.safetensors",),
}
FOLDER_ALIASES = {"unet": "diffusion_models", "clip": "text_encoders"}


@dataclass(frozen=True)
class NodeClass:
    """One node class: what it takes, what it returns, how a front-end shows it."""

    required: Mapping[str, list[Any]]
    output: Sequence[str]
    category: str
    title: str = ""
    optional: Mapping[str, list[Any]] = field(default_factory=dict)
    is_output: bool = False
    output_names: Sequence[str] = ()
    module: str = "nodes"


def model_choices(models: Mapping[str, Sequence[str]] | None) -> dict[str, list[str]]:
    """Lay the given model files over the default ones; "unet" and "clip" name the folders as of old."""
    chosen = {folder: list(names) for folder, names in DEFAULT_MODELS.items()}
    for folder, names in (models or {}).items():
        chosen[FOLDER_ALIASES.get(folder, folder)] = list(names)
    return chosen


def _int(default: int, low: int, high: int, **more: Any) -> list[Any]:
    return ["INT", {"default": default, "min": low, "max": high, **more}]


def _float(default: float, low: float, high: float, step: float, **more: Any) -> list[Any]:
    return ["FLOAT", {"default": default, "min": low, "max": high, "step": step, **more}]


def _combo(default: str, options: Sequence[str], **more: Any) -> list[Any]:
    return ["COMBO", {**more, "default": default, "multiselect": False, "options": list(options)}]


def _latent_size(step: int) -> dict[str, list[Any]]:
    return {
        "width": _int(1024, 16, MAX_SIDE, step=step),
        "height": _int(1024, 16, MAX_SIDE, step=step),
        "batch_size": _int(1, 1, 4096),
    }


def node_classes(models: Mapping[str, Sequence[str]], input_files: Sequence[str]) -> dict[str, NodeClass]:
    """Declare every node class, with the files that exist right now as choices."""
    return {
        **_loaders(models, input_files),
        **_conditioning(),
        **_latents(),
        **_savers(),
        **_values(),
    }


def _loaders(models: Mapping[str, Sequence[str]], input_files: Sequence[str]) -> dict[str, NodeClass]:
    names = {folder: sorted(files) for folder, files in models.items()}
    weights = ["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"]
    group = "model/loaders"
    return {
        "UNETLoader": NodeClass(
            {"unet_name": [names["diffusion_models"]], "weight_dtype": [weights, {"advanced": True}]},
            ["MODEL"],
            group,
            "Load Diffusion Model",
        ),
        "CheckpointLoaderSimple": NodeClass(
            {"ckpt_name": [names["checkpoints"]]}, ["MODEL", "CLIP", "VAE"], group, "Load Checkpoint"
        ),
        "CLIPLoader": NodeClass(
            {"clip_name": [names["text_encoders"]], "type": [TEXT_ENCODER_TYPES]},
            ["CLIP"],
            group,
            "Load CLIP",
            optional={"device": [["default", "cpu"], {"advanced": True}]},
        ),
        "VAELoader": NodeClass({"vae_name": [[*names["vae"], "pixel_space"]]}, ["VAE"], group, "Load VAE"),
        "LoraLoaderModelOnly": NodeClass(
            {
                "model": ["MODEL"],
                "lora_name": [names["loras"]],
                "strength_model": _float(1.0, -100.0, 100.0, 0.01),
            },
            ["MODEL"],
            group,
            "Load LoRA",
        ),
        "ModelPatchLoader": NodeClass(
            {"name": [names["model_patches"]]}, ["MODEL_PATCH"], group, "Load Model Patch"
        ),
        "LoadImage": NodeClass(
            {"image": [sorted(input_files), {"image_upload": True}]}, ["IMAGE", "MASK"], "image", "Load Image"
        ),
    }


def _conditioning() -> dict[str, NodeClass]:
    return {
        "ModelSamplingAuraFlow": NodeClass(
            {"model": ["MODEL"], "shift": _float(1.73, 0.0, 100.0, 0.01)}, ["MODEL"], "model/patch"
        ),
        "QwenImageDiffsynthControlnet": NodeClass(
            {
                "model": ["MODEL"],
                "model_patch": ["MODEL_PATCH"],
                "vae": ["VAE"],
                "image": ["IMAGE"],
                "strength": _float(1.0, -10.0, 10.0, 0.01),
            },
            ["MODEL"],
            "model/patch/qwen",
            "Apply Qwen Image DiffSynth ControlNet",
            optional={"mask": ["MASK"]},
        ),
        "CLIPTextEncode": NodeClass(
            {"text": ["STRING", {"multiline": True, "dynamicPrompts": True}], "clip": ["CLIP"]},
            ["CONDITIONING"],
            "model/conditioning",
            "CLIP Text Encode (Prompt)",
        ),
        "ConditioningZeroOut": NodeClass(
            {"conditioning": ["CONDITIONING"]},
            ["CONDITIONING"],
            "model/conditioning/transform",
            "Conditioning Zero Out",
        ),
    }


def _latents() -> dict[str, NodeClass]:
    return {
        "EmptySD3LatentImage": NodeClass(
            _latent_size(16),
            ["LATENT"],
            "model/latent/stable diffusion",
            module="comfy_extras.nodes_sd3",
        ),
        "EmptyLatentImage": NodeClass(_latent_size(8), ["LATENT"], "model/latent", "Empty Latent Image"),
        "KSampler": NodeClass(
            {
                "model": ["MODEL", {}],
                "seed": _int(0, 0, MAX_SEED, control_after_generate=True),
                "steps": _int(20, 1, 10000),
                "cfg": _float(8.0, 0.0, 100.0, 0.1, round=0.01),
                "sampler_name": [SAMPLERS, {}],
                "scheduler": [SCHEDULERS, {}],
                "positive": ["CONDITIONING", {}],
                "negative": ["CONDITIONING", {}],
                "latent_image": ["LATENT", {}],
                "denoise": _float(1.0, 0.0, 1.0, 0.01),
            },
            ["LATENT"],
            "model/sampling",
        ),
        "VAEDecode": NodeClass(
            {"samples": ["LATENT", {}], "vae": ["VAE", {}]}, ["IMAGE"], "model/latent", "VAE Decode"
        ),
        "VAEEncode": NodeClass(
            {"pixels": ["IMAGE"], "vae": ["VAE"]}, ["LATENT"], "model/latent", "VAE Encode"
        ),
    }


def _savers() -> dict[str, NodeClass]:
    prefix = ["STRING", {"default": "ComfyUI", "multiline": False}]
    formats = {
        "png": {"bit_depth": ("8-bit", "16-bit"), "input_color_space": ("sRGB",)},
        "exr": {"bit_depth": ("32-bit float",), "input_color_space": ("sRGB", "HDR", "linear")},
    }
    options = [
        {
            "key": key,
            "inputs": {"required": {name: _combo(values[0], values) for name, values in inputs.items()}},
        }
        for key, inputs in formats.items()
    ]
    return {
        "SaveImage": NodeClass(
            {"images": ["IMAGE", {}], "filename_prefix": prefix},
            ["IMAGE"],
            "image",
            "Save Image",
            is_output=True,
            output_names=["images"],
        ),
        "SaveImageAdvanced": NodeClass(
            {
                "images": ["IMAGE", {}],
                "filename_prefix": prefix,
                "format": ["COMFY_DYNAMICCOMBO_V3", {"options": options}],
            },
            ["IMAGE"],
            "image",
            "Save Image (Advanced)",
            is_output=True,
            output_names=["images"],
            module="comfy_extras.nodes_images",
        ),
        "PreviewImage": NodeClass(
            {"images": ["IMAGE"]},
            ["IMAGE"],
            "image",
            "Preview Image",
            is_output=True,
            output_names=["images"],
        ),
    }


def _values() -> dict[str, NodeClass]:
    return {
        "PrimitiveInt": NodeClass(
            {"value": _int(0, -(2**63), 2**63 - 1, control_after_generate=True)},
            ["INT"],
            "utilities/primitive",
            "Int",
            module="comfy_extras.nodes_primitive",
        ),
        "PrimitiveString": NodeClass(
            {"value": ["STRING", {"multiline": False}]},
            ["STRING"],
            "utilities/primitive",
            "String",
            module="comfy_extras.nodes_primitive",
        ),
        "PrimitiveStringMultiline": NodeClass(
            {"value": ["STRING", {"multiline": True}]},
            ["STRING"],
            "utilities/primitive",
            "String (Multiline)",
            module="comfy_extras.nodes_primitive",
        ),
        "ResolutionSelector": NodeClass(
            {
                "aspect_ratio": _combo("1:1 (Square)", list(ASPECT_RATIOS)),
                "megapixels": _float(1.0, 0.1, 16.0, 0.1),
                "multiple": _int(8, 8, 128, step=4, advanced=True),
            },
            ["INT", "INT"],
            "utilities",
            "Resolution Selector",
            output_names=["width", "height"],
            module="comfy_extras.nodes_resolution",
        ),
        "GetImageSize": NodeClass(
            {"image": ["IMAGE", {}]},
            ["INT", "INT", "INT"],
            "image",
            "Get Image Size",
            output_names=["width", "height", "batch_size"],
            module="comfy_extras.nodes_images",
        ),
        "Canny": NodeClass(
            {
                "image": ["IMAGE", {}],
                "low_threshold": _float(0.4, 0.01, 0.99, 0.01),
                "high_threshold": _float(0.8, 0.01, 0.99, 0.01),
            },
            ["IMAGE"],
            "image/filters",
            "Detect Edges (Canny)",
            module="comfy_extras.nodes_canny",
        ),
    }


def describe(name: str, node: NodeClass) -> dict[str, Any]:
    """Show a node class as /object_info does."""
    inputs: dict[str, Any] = {"required": dict(node.required)}
    if node.optional:
        inputs["optional"] = dict(node.optional)
    if node.is_output:
        inputs["hidden"] = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
    return {
        "input": inputs,
        "input_order": {group: list(names) for group, names in inputs.items()},
        "is_input_list": False,
        "output": list(node.output),
        "output_is_list": [False] * len(node.output),
        "output_name": list(node.output_names or node.output),
        "name": name,
        "display_name": node.title or name,
        "description": "",
        "python_module": node.module,
        "category": node.category,
        "output_node": node.is_output,
        "has_intermediate_output": False,
        "search_aliases": [],
    }
