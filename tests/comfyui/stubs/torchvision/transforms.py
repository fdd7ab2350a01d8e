"""Holds nothing: ComfyUI looks transforms up only when a model runs."""
