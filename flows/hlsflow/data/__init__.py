"""Samples: where they come from, how they are prepared, and how they reach the training in batches.

In: a `Project`. Out: `Dataset`s on the grid of the hardware's input.
"""

from hlsflow.data.data import Dataset, check_classes, load_data
from hlsflow.data.grid import natural_grid, on_grid

__all__ = ["Dataset", "check_classes", "load_data", "natural_grid", "on_grid"]
