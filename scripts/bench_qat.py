"""Time of a quantization-aware training step against that of the float network of the same shape.

The two networks of projects/mnist are trained by the engine of `flows.qat.train`, an epoch of each in turn, on random
images: time depends on shapes alone. Both run in one process with the same deterministic operations. Prints a Markdown
table of the medians and of the ratio epoch by epoch, so that a machine that changes its speed does not change the
ratio.

    scripts/bench_qat                       # batches of 64, nine epochs of 100 steps each
    scripts/bench_qat --repeats 3 --steps 50
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from flows import keras2
from flows.markdown import table
from flows.project import Project, load
from flows.qat.build import build
from flows.qat.data import Dataset
from flows.qat.engine import Engine, Fit
from flows.qat.train import make_deterministic

PROJECT = Path(__file__).parents[1] / "projects" / "mnist"


def samples(rows: int) -> Dataset:
    """Random images of 28 x 28 pixels in 10 classes; few for validation, whose time counts as well."""
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 16, (rows, 28, 28, 1)) / 16).astype(np.float32)
    y = rng.integers(0, 10, rows)
    return Dataset("random", x, y, x[:1], y[:1], x[:1], y[:1])


def engine(project: Project, function: str, data: Dataset, batch: int) -> Any:
    """A network, and everything compiled to train it."""
    assert project.training is not None
    training = project.training.model_copy(update={"batch_size": batch})
    source = project.data.model_copy(update={"shift": 0})
    made = Engine(build(project, function), Fit(function, training, data, source, Path(), ""))
    made.run(0)  # compiles
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    project = load(PROJECT)
    make_deterministic(0)
    data = samples(options.steps * options.batch)
    engines = {name: engine(project, name, data, options.batch) for name in ("baseline", "quantized")}
    times: dict[str, list[float]] = {name: [] for name in engines}
    for repeat in range(options.repeats):
        for name, one in engines.items():
            begin = time.perf_counter()
            one.run(1 + repeat)
            times[name].append((time.perf_counter() - begin) / options.steps)
    ratios = [ours / float_ for ours, float_ in zip(times["quantized"], times["baseline"], strict=True)]
    label = ", ".join(f"{name} {version}" for name, version in keras2.versions().items())
    rows = [
        ["float", f"{1e3 * statistics.median(times['baseline']):.3f}", "1"],
        ["quantized", f"{1e3 * statistics.median(times['quantized']):.3f}", f"{statistics.median(ratios):.2f}"],
    ]
    print(table(("network", "step (ms, median)", "ratio (median)"), rows))
    print(
        f"\nratio from {min(ratios):.2f} to {max(ratios):.2f}; goal 1.5; projects/mnist, batch {options.batch}; {label}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
