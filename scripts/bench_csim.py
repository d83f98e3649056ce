"""How much faster the integer oracle is than hls4ml's own `predict()`: two dense networks and a convolutional one.

Both run in this process on the same samples, in turns, and must agree to the last bit. Prints a Markdown table with
the median of the repetitions and the ratio; exits with 1 when a ratio is below its goal.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import runpy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hlsflow.keras import keras2

keras2.ready()

import qkeras  # noqa: E402  TensorFlow must start in the right environment
import tf_keras  # noqa: E402

from hlsflow.hls.translate import Settings, Translation, translate  # noqa: E402
from hlsflow.ir import Fixed, evaluate  # noqa: E402
from hlsflow.project import Knobs, Target  # noqa: E402
from hlsflow.report.markdown import table  # noqa: E402

RELU = "quantized_relu(6,2)"


@dataclass(frozen=True)
class Case:
    """A network to measure.

    Attributes:
        name, build: of the QKeras model.
        kind: type of its input.
        io_type: of hls4ml's project.
        share: of the samples asked for on the command line.
        goal: least ratio.
    """

    name: str
    build: Callable[[], Any]
    kind: Fixed
    io_type: Literal["io_parallel", "io_stream"]
    share: float
    goal: int


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


def mnist() -> Any:
    """The network of `projects/mnist` with random weights."""
    model = runpy.run_path(str(Path(__file__).parents[1] / "projects" / "mnist" / "model.py"))["quantized"]()
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(-0.5, 0.5, array.shape) for array in model.get_weights()])
    return model


CASES = (
    Case(
        "jet tagger 16-64-32-32-5",
        lambda: network((16, 64, 32, 32, 5), "quantized_relu(6,0)"),
        Fixed(10, 4),
        "io_parallel",
        1.0,
        50,
    ),
    Case(
        "digits 64-32-32-10",
        lambda: network((64, 32, 32, 10), RELU),
        Fixed(5, 1, signed=False),
        "io_parallel",
        1.0,
        50,
    ),
    Case("MNIST QCNN of projects/mnist", mnist, Fixed(6, 0, signed=False), "io_stream", 0.5, 200),
)


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def measure(case: Case, samples: int, repeats: int, folder: Path) -> tuple[list[str], float]:
    """One row of the table, and the ratio."""
    samples = max(1, int(samples * case.share))
    settings = Settings(case.kind, Target(io_type=case.io_type), Knobs(reuse_factor=1))
    made: Translation = translate(case.build(), settings, folder)
    with contextlib.redirect_stdout(io.StringIO()):
        made.hls_model.compile()
    (source,), (out,) = made.graph.inputs, made.graph.results
    codes = np.random.default_rng(1).integers(case.kind.min, case.kind.max + 1, (samples, source.size))
    real = case.kind.real(codes).reshape(samples, *source.shape)
    theirs, ours = [], []
    for _ in range(repeats):
        slow, csim = seconds(lambda: made.hls_model.predict(real))
        fast, oracle = seconds(lambda: evaluate(made.graph, codes))
        equal = np.array_equal(csim.reshape(samples, -1), out.type.real(oracle))
        assert equal, f"{case.name}: the oracle differs from hls4ml"
        theirs.append(slow)
        ours.append(fast)
    ratio = statistics.median(slow / fast for slow, fast in zip(theirs, ours, strict=True))
    figures = [f"{1e6 * statistics.median(times) / samples:.3f}" for times in (theirs, ours)]
    return [case.name, case.io_type, str(samples), *figures, f"{ratio:.0f}", str(case.goal), "equal"], ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    rows, missed = [], False
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            row, ratio = measure(case, arguments.samples, arguments.repeats, Path(folder) / "hls")
        rows.append(row)
        missed = missed or ratio < case.goal
    head = (
        "network",
        "io type",
        "samples",
        "hls4ml predict (µs/sample)",
        "oracle (µs/sample)",
        "ratio",
        "goal",
        "outputs",
    )
    print(table(head, rows))
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
