"""Lets ComfyUI start where torchvision is not installed; models that resize with it do not work."""

from torchvision import models, transforms

__all__ = ["models", "transforms"]
