"""A small project for the training tests: digits on 64-8-10."""

from __future__ import annotations

from pathlib import Path

from hlsflow.project import Project, load

MODEL = """
from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import Dense, Dropout, Input, ReLU


def quantized():
    grid = quantized_bits(6, 0, alpha=1)
    return Sequential([
        Input((64,)),
        QDense(8, kernel_quantizer=grid, bias_quantizer=grid, name="fc1"),
        QActivation("quantized_relu(6,2)", name="relu1"),
        QDense(10, kernel_quantizer=grid, bias_quantizer=grid, name="logits"),
    ])


def baseline():
    return Sequential([Input((64,)), Dense(8), ReLU(), Dense(10)])
"""

DROPPING = MODEL.replace('name="relu1"),', 'name="relu1"), Dropout(0.1),')
"""With a random layer, which is resumed too; its epochs are compiled anew, so it is trained only where that matters."""

TOML = """
name = "small"
[data]
source = "digits"
test = 0.2
validation = 0.1
scale = 0.0625
[model]
quantized = "quantized"
baseline = "baseline"
[training]
epochs = {epochs}
batch_size = 128
learning_rate = 0.01
schedule = "cosine"
seed = 3
[input]
precision = "ufixed<5,1>"
[knobs]
reuse_factor = 4
"""


def small_project(folder: Path, epochs: int, model: str = MODEL) -> Project:
    """The project, written to `folder` and read from there."""
    return project_of(folder, TOML.format(epochs=epochs), model)


def project_of(folder: Path, text: str, model: str) -> Project:
    """A project file and its model.py, written to `folder` and read from there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "project.toml").write_text(text)
    (folder / "model.py").write_text(model)
    return load(folder)
