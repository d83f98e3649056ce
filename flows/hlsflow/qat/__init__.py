"""Quantization-aware training: data sets, training that survives a kill, and trained models loaded safely.

In: a `Project`. Out: `.h5` models, their accuracies, and the data on the grid of the hardware's input. Importing this
package is fast; TensorFlow is imported by the functions that need it.
"""

from hlsflow.data import Dataset, check_classes, load_data, natural_grid
from hlsflow.qat.apart import apart
from hlsflow.qat.compress.from_float import train_from_float
from hlsflow.qat.compress.narrow import fine_tune, narrowable, narrowed
from hlsflow.qat.load import load_model
from hlsflow.qat.purpose import in_hardware, purposed, task_of
from hlsflow.qat.train import TrainResult, accuracy, save_model, train

__all__ = [
    "Dataset",
    "TrainResult",
    "accuracy",
    "apart",
    "check_classes",
    "fine_tune",
    "in_hardware",
    "load_data",
    "load_model",
    "narrowable",
    "narrowed",
    "natural_grid",
    "purposed",
    "save_model",
    "task_of",
    "train",
    "train_from_float",
]
