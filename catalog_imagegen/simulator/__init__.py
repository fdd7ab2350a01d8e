"""A stand-in for a ComfyUI server that paints clearly marked placeholder pictures."""

from catalog_imagegen.simulator.executions import Execution
from catalog_imagegen.simulator.farm import Farm, serve_forever
from catalog_imagegen.simulator.simulator import Simulator

__all__ = ["Execution", "Farm", "Simulator", "serve_forever"]
