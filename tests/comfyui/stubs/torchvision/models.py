"""Holds nothing: ComfyUI builds backbones from here only when it loads a model that has one."""
