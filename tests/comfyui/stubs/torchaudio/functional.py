"""Holds nothing: ComfyUI reads these names only when an audio node runs."""
