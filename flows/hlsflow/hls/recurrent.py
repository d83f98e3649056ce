"""Recurrent layers, unrolled: one dense layer for each gate and time step, with the products and sums between them.

In: a trained QLSTM. Out: the layers that stand for it. hls4ml's own recurrent layers give all gates, sums and states of
a step one or two types, and read sigmoid and tanh from coarse tables without the quantizers of QKeras, so that they
never equal it; unrolled, every value has its own exact type. What a cell computes: `QLSTMCell.call`, QKeras 0.9.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls.corrections import Correction
from hlsflow.hls.precision import MAX_WEIGHT_BITS
from hlsflow.ir.fixed import Array, Fixed
from hlsflow.keras.graph import Part

MAX_STEPS = 16
"""Longest sequence: each time step is about a dozen layers of C++."""

GATES = ("i", "f", "c", "o")
"""Order of the gates in the kernels: input, forget, candidate, output."""

REFUSED: Mapping[str, str] = {
    "LSTM": "use a QLSTM with quantizers for kernel, recurrent kernel, bias, state and both activations",
    "GRU": "its weights are not quantized, and QKeras 0.9.0 fails on QGRU: use a QLSTM",
    "SimpleRNN": "its weights are not quantized, and QKeras 0.9.0 fails on QSimpleRNN: use a QLSTM",
    "QGRU": "QKeras 0.9.0 itself fails on it with this TensorFlow: use a QLSTM",
    "QSimpleRNN": "QKeras 0.9.0 itself fails on it with this TensorFlow: use a QLSTM",
    "Bidirectional": "use two QLSTM layers on the sequence and on its reverse",
    "QBidirectional": "use two QLSTM layers on the sequence and on its reverse",
    "TimeDistributed": "a QDense works on the last axis of a sequence as it is; use that, or a QConv1D",
}
"""Keras layer class that is not carried → what to use instead."""


@dataclass(frozen=True)
class _Cell:
    """What all steps share.

    Attributes:
        layer: the QLSTM.
        kernels, recurrents, biases: quantized values, by gate.
    """

    layer: Any
    kernels: Mapping[str, Array]
    recurrents: Mapping[str, Array]
    biases: Mapping[str, Array]

    def named(self, step: int, what: str) -> str:
        return f"{self.layer.name}_{step}_{what}"


def unrolled(layer: Any) -> tuple[list[Part], list[Correction]]:
    """The layers that stand for a QLSTM.

    Raises:
        UnsupportedLayer: too long a sequence, or a state or kernel without a quantizer.
    """
    steps = layer.input_shape[1]
    if steps is None or steps > MAX_STEPS:
        message = f"layer '{layer.name}' has {steps} time steps, which are unrolled into as many copies"
        raise UnsupportedLayer(message, f"use at most {MAX_STEPS} steps, or a QConv1D")
    if layer.cell.state_quantizer is None:
        message = f"layer '{layer.name}' has no state_quantizer, so its exact state gets wider with each step"
        raise UnsupportedLayer(message, "give it state_quantizer=quantized_bits(8, 2, alpha=1)")
    reason = "hls4ml's recurrent layers have one type for all gates and know no quantized activation"
    note = Correction(layer.name, f"unrolled into its {steps} time steps", reason)
    _require_grids(layer)
    return [Part(partial(_sequence, _cell(layer)))], [note]


def _require_grids(layer: Any) -> None:
    """Refuse kernels that have no quantizer and lie on no grid by chance."""
    for name, values in zip(("kernel", "recurrent"), layer.get_weights(), strict=False):
        free = getattr(layer.cell, f"{name}_quantizer_internal") is None
        if free and Fixed.narrowest(np.asarray(values, np.float64), MAX_WEIGHT_BITS) is None:
            raise UnsupportedLayer(
                f"layer '{layer.name}' has no {name}_quantizer, and its {name} values lie on no fixed-point grid",
                f"train it with {name}_quantizer=quantized_bits(6, 0, alpha=1)",
            )


def _cell(layer: Any) -> _Cell:
    kernel, recurrent, *bias = layer.get_weights()
    own = layer.cell
    zeros = np.zeros(kernel.shape[1:], np.float32)
    return _Cell(
        layer,
        _by_gate(kernel, own.kernel_quantizer_internal),
        _by_gate(recurrent, own.recurrent_quantizer_internal),
        _by_gate(bias[0] if bias else zeros, own.bias_quantizer_internal if bias else None),
    )


def _by_gate(values: Array, quantizer: Any) -> dict[str, Array]:
    used = np.asarray(values if quantizer is None else quantizer(values))
    return dict(zip(GATES, np.split(used, len(GATES), axis=-1), strict=True))


def _sequence(cell: _Cell, x: Any) -> Any:
    """All steps; the result is the last output, or all of them, one after the other."""
    from tf_keras import layers as keras

    name, steps = cell.layer.name, x.shape[1]
    flat = keras.Flatten(name=f"{name}_flat")(x)
    outputs: list[Any] = []
    state = None
    for step in range(steps):
        is_result = step == steps - 1 and not cell.layer.return_sequences
        output, state = _step(cell, step, flat, outputs[-1] if outputs else None, state, is_result)
        outputs.append(output)
    if not cell.layer.return_sequences:
        return outputs[-1]
    rows = [keras.Reshape((1, row.shape[-1]), name=cell.named(step, "row"))(row) for step, row in enumerate(outputs)]
    return _joined(cell, rows)


def _joined(cell: _Cell, rows: list[Any]) -> Any:
    """Rows one after the other; hls4ml joins two at a time."""
    from tf_keras import layers as keras

    if len(rows) == 1:
        return keras.Activation("linear", name=cell.layer.name)(rows[0])
    sequence = rows[0]
    for step, row in enumerate(rows[1:], 1):
        name = cell.layer.name if step == len(rows) - 1 else cell.named(step, "rows")
        sequence = keras.Concatenate(axis=1, name=name)([sequence, row])
    return sequence


def _step(cell: _Cell, step: int, flat: Any, output: Any, state: Any, is_result: bool) -> tuple[Any, Any]:
    """The next output and state: c' = f * c + i * act(...), h' = o * act(c')."""
    from tf_keras import layers as keras

    own = cell.layer.cell
    before = flat
    if output is not None:
        quantized = _quantized(own.state_quantizer_internal, cell.named(step, "h"), output)
        before = keras.Concatenate(name=cell.named(step, "xh"))([flat, quantized])
        state = _quantized(own.state_quantizer_internal, cell.named(step, "s"), state)
    gates = {
        gate: _gate(cell, step, gate, before, own.activation if gate == "c" else own.recurrent_activation)
        for gate in GATES
        if gate != "f" or state is not None
    }
    new = keras.Multiply(name=cell.named(step, "ic"))([gates["i"], gates["c"]])
    if state is not None:
        remembered = keras.Multiply(name=cell.named(step, "fs"))([gates["f"], state])
        new = keras.Add(name=cell.named(step, "state"))([remembered, new])
    activated = _quantized(own.activation, cell.named(step, "act"), new)
    name = cell.layer.name if is_result else cell.named(step, "out")
    return keras.Multiply(name=name)([gates["o"], activated]), new


def _quantized(function: Any, name: str, tensor: Any) -> Any:
    import qkeras

    return qkeras.QActivation(function, name=name)(tensor)


def _gate(cell: _Cell, step: int, gate: str, before: Any, activation: Any) -> Any:
    """A dense layer on the whole sequence and the last output, with zeros for the other time steps."""
    from tf_keras import layers as keras

    own, recurrent = cell.kernels[gate], cell.recurrents[gate]
    kernel = np.zeros((before.shape[-1], own.shape[1]), np.float32)
    kernel[step * len(own) : (step + 1) * len(own)] = own
    if step:
        kernel[-len(recurrent) :] = recurrent
    dense = keras.Dense(own.shape[1], name=cell.named(step, gate))
    result = dense(before)
    dense.set_weights([kernel, cell.biases[gate]])
    return _quantized(activation, cell.named(step, f"{gate}_act"), result)
