"""How much faster the integer oracle is than hls4ml's own `predict()`, on the jet-tagger and the digits network.

Both run in this process on the same samples, in turns, and must agree to the last bit. Prints a Markdown table with
the median of the repetitions and the ratio; exits with 1 when a ratio is below 50.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from flows import keras2

keras2.ready()

import qkeras  # noqa: E402  TensorFlow must start in the right environment
import tf_keras  # noqa: E402

from flows.hls.translate import Settings, Translation, translate  # noqa: E402
from flows.ir import Fixed, evaluate  # noqa: E402
from flows.project import Knobs, Target  # noqa: E402
from flows.report import table  # noqa: E402

GOAL = 50
SHAPES = {
    "jet tagger 16-64-32-32-5": ((16, 64, 32, 32, 5), Fixed(10, 4), "quantized_relu(6,0)"),
    "digits 64-32-32-10": ((64, 32, 32, 10), Fixed(5, 1, signed=False), "quantized_relu(6,2)"),
}


def network(sizes: tuple[int, ...], activation: str) -> Any:
    """A QKeras MLP with random 6-bit weights."""
    layers: list[Any] = [tf_keras.layers.Input((sizes[0],), name="x")]
    grid = qkeras.quantized_bits(6, 0, alpha=1)
    for number, units in enumerate(sizes[1:], 1):
        layers.append(qkeras.QDense(units, kernel_quantizer=grid, bias_quantizer=grid, name=f"fc{number}"))
        if number < len(sizes) - 1:
            layers.append(qkeras.QActivation(activation, name=f"relu{number}"))
    model = tf_keras.Sequential(layers)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(-1, 1, array.shape) for array in model.get_weights()])
    return model


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def measure(name: str, samples: int, repeats: int, folder: Path) -> tuple[list[str], float]:
    """One row of the table, and the ratio."""
    sizes, kind, activation = SHAPES[name]
    settings = Settings(kind, Target(), Knobs(reuse_factor=1))
    made: Translation = translate(network(sizes, activation), settings, folder)
    with contextlib.redirect_stdout(io.StringIO()):
        made.hls_model.compile()
    codes = np.random.default_rng(1).integers(kind.min, kind.max + 1, (samples, sizes[0]))
    real = kind.real(codes)
    out = made.graph[made.graph.outputs[0]].type
    theirs, ours = [], []
    for _ in range(repeats):
        slow, csim = seconds(lambda: made.hls_model.predict(real))
        fast, oracle = seconds(lambda: evaluate(made.graph, codes))
        assert np.array_equal(csim.reshape(samples, -1), out.real(oracle)), f"{name}: the oracle differs from hls4ml"
        theirs.append(slow)
        ours.append(fast)
    ratio = statistics.median(slow / fast for slow, fast in zip(theirs, ours, strict=True))
    figures = [f"{1e6 * statistics.median(times) / samples:.3f}" for times in (theirs, ours)]
    return [name, str(samples), *figures, f"{ratio:.0f}", "equal"], ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    rows, ratios = [], []
    for name in SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            row, ratio = measure(name, arguments.samples, arguments.repeats, Path(folder) / "hls")
        rows.append(row)
        ratios.append(ratio)
    head = ("network", "samples", "hls4ml predict (µs/sample)", "oracle (µs/sample)", "ratio", "outputs")
    print(table(head, rows))
    return int(min(ratios) < GOAL)


if __name__ == "__main__":
    sys.exit(main())
