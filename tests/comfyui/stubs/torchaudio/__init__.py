"""Lets ComfyUI start where torchaudio is not installed; no audio node works."""

from torchaudio import functional, transforms

__all__ = ["functional", "transforms"]
