"""A stand-in for a ComfyUI server that paints clearly marked placeholder pictures."""

from catalog_imagegen.simulator.server import Simulator, serve_forever

__all__ = ["Simulator", "serve_forever"]
