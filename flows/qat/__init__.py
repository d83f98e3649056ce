"""Quantization-aware training: data sets, training that survives a kill, and trained models loaded safely.

In: a `Project`. Out: `.h5` models, their accuracies, and the data on the grid of the hardware's input. `data` works
without TensorFlow; `build`, `train` and `load` import it, so import those only when they are needed.
"""

from flows import keras2

__all__ = ["keras2"]
