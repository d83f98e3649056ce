"""What a Keras model ends in, which decides how its outputs are read and where the hardware ends.

In: a tf_keras model of one output or of several. Out: which functions at its ends are left to software, and whether its
first output, which is what the network is judged by, is a probability.
"""

from __future__ import annotations

from typing import Any

from hlsflow.keras.graph import nodes, output_names
from hlsflow.keras.plain import IDENTITIES

SIGMOIDS = frozenset(
    {"sigmoid", "hard_sigmoid", "quantized_sigmoid", "smooth_sigmoid", "binary_sigmoid"}  # of Keras, then of QKeras
)
"""Functions from 0 to 1 that are 1/2 at a logit of 0, by the names that layers have them under."""

UNCHANGED = frozenset({"Flatten", "Reshape", "Permute", *IDENTITIES})
"""Layers behind which values are still what they were."""

ROUNDING = frozenset({"linear", "quantized_bits", "quantized_linear", "quantized_relu", "relu", "quantized_po2"})
"""Functions behind which a number from 0 to 1 is still that number, but for rounding."""

LEFT_TO_SOFTWARE = ("softmax", "sigmoid")
"""Functions that keep the order of the logits, and that no hardware here computes to the last bit at an end."""


def function_of(layer: Any) -> str:
    """Name of the function that a layer applies to its result, or is."""
    kind = type(layer).__name__
    if kind == "Softmax":
        return "softmax"
    function = getattr(layer, "quantizer", None) if kind == "QActivation" else getattr(layer, "activation", None)
    return "linear" if function is None else str(getattr(function, "__name__", type(function).__name__))


def left_to_software(model: Any) -> dict[str, str]:
    """Name of a layer at an end → its function, for those that the hardware ends before."""
    read = {parent.layer.name for node in nodes(model) for parent in node.parent_nodes}
    layers = {node.layer.name: node.layer for node in nodes(model)}
    ends = {name: function_of(layers[name]) for name in output_names(model) if name not in read}
    return {name: function for name, function in ends.items() if function in LEFT_TO_SOFTWARE}


def is_probability(model: Any) -> bool:
    """Whether the first output is a number from 0 to 1 with 1/2 where the logit is 0."""
    node = model.outputs[0].node
    while function_of(node.layer) not in SIGMOIDS:
        layer = node.layer
        rounds = type(layer).__name__ in ("Activation", "QActivation", "ReLU") and function_of(layer) in ROUNDING
        if not node.parent_nodes or not (rounds or type(layer).__name__ in UNCHANGED):
            return False
        node = node.parent_nodes[0]
    return True
