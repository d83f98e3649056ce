"""What a whole model is made of beside plain layers, as constructs of the inherited suite: scales, wrappers, models."""

from __future__ import annotations

from typing import Any

import qkeras
from tf_keras import Model
from tf_keras import layers as keras

from tests.conformance import Construct, Make


def _auto(m: Make, kind: Any, tensor: Any, *arguments: Any, **options: Any) -> Any:
    quantized = {"kernel_quantizer": qkeras.quantized_bits(4, 0, alpha="auto"), "bias_quantizer": m.weights()}
    return m.add(kind, tensor, *arguments, **quantized, **options)


def _nested(m: Make) -> Any:
    inner = keras.Input((4,), name=m.label("inner"))
    return m.dense(Model(inner, m.out(m.dense(inner, 3)), name=m.label("nested"))(m.x(4)), 3)


def _pruned(m: Make) -> Any:
    from tensorflow_model_optimization.python.core.sparsity.keras import prune

    quantized = {"kernel_quantizer": m.weights(), "bias_quantizer": m.weights()}
    return prune.prune_low_magnitude(qkeras.QDense(3, **quantized, name=m.label("pruned")))(m.x(6))


def _idle(m: Make) -> Any:
    tensor = m.dense(m.add(keras.GaussianNoise, m.x(6), 0.3), 5)
    return m.dense(m.add(keras.Dropout, m.out(m.add(keras.ActivityRegularization, tensor)), 0.5), 3)


MODELS = [
    Construct("normalization", "Normalization",
              lambda m: m.out(m.add(keras.Normalization, m.x(4, 3), mean=[0.3, -1.0, 0.0], variance=[2.0, 0.5, 1.7]))),
    Construct("rescaling", "Rescaling",
              lambda m: m.out(m.add(keras.Rescaling, m.x(3, 4, 2), 0.3, offset=-0.2))),
    Construct("rescaling_open", "Rescaling, by a power of two; without a quantizer after it",
              lambda m: m.add(keras.Rescaling, m.x(5), 0.25, offset=-0.5)),
    Construct("nested", "Model inside another one", _nested),
    Construct("pruned", "PruneLowMagnitude", _pruned),
    Construct("idle", "Layers for training alone, GaussianNoise; Dropout; ActivityRegularization", _idle),
    Construct("activation_layer", "Activation, with a layer as its function",
              lambda m: m.out(m.add(keras.Activation, m.dense(m.x(5), 3), keras.ReLU()))),
    Construct("dense_auto_quantized", "QDense, kernel quantized_bits, alpha='auto', a quantizer after it",
              lambda m: m.out(_auto(m, qkeras.QDense, m.x(6), 4))),
    Construct("conv_auto_batchnorm", "QConv2D, kernel quantized_bits, alpha='auto', BatchNormalization after it",
              lambda m: m.out(m.add(keras.BatchNormalization, _auto(m, qkeras.QConv2D, m.x(4, 4, 2), 3, 2)))),
]  # fmt: skip
