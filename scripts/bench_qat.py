"""Time of a quantization-aware training step against that of the float network of the same shape.

The two networks of projects/mnist are trained by the engine of `hlsflow.qat.engine`, by the same with [devices] xla,
and by Keras' own `fit` as QKeras' users call it, an epoch of each in turn, on random images: time depends on shapes
alone. All run in one process, with deterministic operations but for those that XLA compiles. Prints a Markdown table of
the medians and of the ratios epoch by epoch, so that a machine that changes its speed does not change the ratios.

    scripts/bench_qat                       # batches of 64, nine epochs of 100 steps each
    scripts/bench_qat --repeats 3 --steps 50
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.data.data import Dataset
from hlsflow.keras import keras2
from hlsflow.project import Devices, Project, load
from hlsflow.qat.build import build
from hlsflow.qat.devices import Runtime
from hlsflow.qat.engine import Engine, Fit
from hlsflow.qat.objective import objective_of
from hlsflow.qat.train import make_deterministic
from hlsflow.report.markdown import table

OURS, XLA, FIT = WAYS = "hlsflow", "hlsflow, xla", "Keras' fit"
Epoch = Callable[[int], Any]
"""Trains an epoch of that number."""

PROJECT = Path(__file__).parents[1] / "projects" / "mnist"


def samples(rows: int) -> Dataset:
    """Random images of 28 x 28 pixels in 10 classes; few for validation, whose time counts as well."""
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 16, (rows, 28, 28, 1)) / 16).astype(np.float32)
    y = rng.integers(0, 10, rows)
    return Dataset("random", x, y, x[:1], y[:1], x[:1], y[:1])


def job(project: Project, model: Any, data: Dataset, batch: int, runtime: Runtime) -> Fit:
    """A training of a network."""
    assert project.training is not None
    training = project.training.model_copy(update={"batch_size": batch})
    source = project.data.model_copy(update={"shift": 0})
    objective = objective_of(project, data, model, "step")
    return Fit("step", training, data, objective, source, Path(), "", runtime=runtime)


def engine(project: Project, function: str, *of_job: Any) -> Epoch:
    """A network and everything compiled to train it, by the engine."""
    model = build(project, function)
    run: Epoch = Engine(model, job(project, model, *of_job)).run
    run(0)
    return run


def keras(project: Project, function: str, data: Dataset, batch: int) -> Epoch:
    """The same by Keras."""
    import tf_keras

    assert project.training is not None
    model, loss = build(project, function), tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=project.training.optimizer, loss=loss)
    model.fit(data.x_train, data.y_train, batch, shuffle=False, verbose=0)
    return lambda _: model.fit(data.x_train, data.y_train, batch, shuffle=False, verbose=0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    project = load(PROJECT)
    data = samples(options.steps * options.batch)
    networks = ("baseline", "quantized")
    given = data, options.batch
    # XLA's gradient of a maximum pooling refuses to be compiled where deterministic operations are asked for.
    epochs = {(XLA, name): engine(project, name, *given, Runtime(Devices(xla=True))) for name in networks}
    make_deterministic(0)
    epochs |= {(OURS, name): engine(project, name, *given, Runtime()) for name in networks}
    epochs |= {(FIT, name): keras(project, name, *given) for name in networks}
    times: dict[tuple[str, str], list[float]] = {key: [] for key in epochs}
    for repeat in range(options.repeats):
        for key, run in epochs.items():
            begin = time.perf_counter()
            run(1 + repeat)
            times[key].append((time.perf_counter() - begin) / options.steps)
    rows = []
    for way in WAYS:
        float_, ours = times[way, "baseline"], times[way, "quantized"]
        ratios = sorted(one / other for one, other in zip(ours, float_, strict=True))
        medians = [f"{1e3 * statistics.median(each):.3f}" for each in (float_, ours)]
        rows.append([way, *medians, f"{statistics.median(ratios):.2f}", f"{ratios[0]:.2f} to {ratios[-1]:.2f}"])
    label = ", ".join(f"{name} {version}" for name, version in keras2.versions().items())
    print(table(("trained by", "float step (ms)", "quantized step (ms)", "ratio", "over the epochs"), rows))
    print(f"\nmedians; projects/mnist, batch {options.batch}; {label}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
