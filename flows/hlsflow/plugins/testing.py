"""Bit-exactness checks for other people's test suites.

In: a QKeras model (or the file of one), samples, and knobs. Out: the verdict, or an AssertionError that names the first
layer that differs, by how much, and the correction or the usual cause. Installing hlsflow also gives pytest the fixture
`assert_bit_exact`, so that a check is three lines:

    def test_csim(assert_bit_exact):
        x = numpy.load("samples.npy")
        assert_bit_exact("model.h5", x, input_precision="fixed<10,4>")
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import DataError, GateFailed, ProjectError
from hlsflow.core.tasks import Task
from hlsflow.data.grid import on_grid
from hlsflow.hls import csim, gate, reference
from hlsflow.hls.gate import Gate
from hlsflow.hls.names import under_own_names
from hlsflow.hls.original import original
from hlsflow.hls.translate import PROJECT_NAME, Settings, translate
from hlsflow.ir.fixed import Array, Fixed
from hlsflow.keras.inputs import sample_shape
from hlsflow.project import Gate as Limits
from hlsflow.project import Knobs, Target

EXACT = Limits(classes=0.0, accuracy=0.0, range=0.0)
"""Nothing may differ from the model."""


def assert_bit_exact(
    model: Any,
    x: Array,
    *,
    input_precision: str,
    knobs: Knobs | None = None,
    target: Target | None = None,
    folder: Path | None = None,
    limits: Limits = EXACT,
) -> Gate:
    """Assert file = frozen network = C-simulation = oracle on every output.

    Args:
        model: a QKeras model, or the path of a `.h5` or `.keras` file (Lambda layers are refused).
        x: (n, ...), real values; brought to the input grid first, for all alike, as `hlsflow run` does it: those beyond
            its range are refused unless the type saturates. A model of several inputs takes them flattened, side by
            side.
        input_precision: type of the hardware's input, such as `fixed<10,4>`.
        knobs: precision, reuse factor, strategy; by default what the quantizers say, at reuse factor 1.
        target: hls4ml backend, part, clock, io type.
        folder: where the HLS project is written; a temporary folder by default.
        limits: how far the frozen network may be from the model, by default not at all; `hlsflow.project.Gate()` are
            the limits of `hlsflow check`. The other links are always compared to the last bit.
    Returns:
        the gate, passed; its `verdict` says whether anything differs from the model.
    Raises:
        AssertionError: the gate failed. FlowError: the model or a value is not usable, or no C++ compiler is there.
    """
    settings = Settings(_parsed(input_precision), target or Target(), knobs or Knobs(reuse_factor=1))
    with tempfile.TemporaryDirectory(prefix="hlsflow-") as temporary:
        verdict = check(_loaded(model), x, settings, folder or Path(temporary), limits)
    try:
        return gate.require(verdict)
    except GateFailed as error:
        raise AssertionError(str(error)) from None


def check(model: Any, x: Array, settings: Settings, folder: Path, limits: Limits | None = None) -> Gate:
    """The gate for one model, whatever its verdict.

    Args:
        model: a QKeras model.
        x: (n, ...), real values, as `assert_bit_exact` takes them.
        settings: type of the input, hls4ml's target, and knobs.
        folder: where the HLS project is written, into `hls`.
        limits: how far the frozen network may be from the model; by default those of `hlsflow check`.
    Raises:
        FlowError: the model or a value is not usable, or no C++ compiler is there.
    """
    translated = translate(model, settings, folder / "hls")
    _require_samples(x, sample_shape(translated.reading.model))
    real = on_grid(np.asarray(x, np.float64), settings.input_type, "the samples")
    codes = settings.input_type.quantize(real)
    wanted = reference.reference(translated.reading.model, real, wide=bool(gate.beyond_float32(translated.graph)))
    codes, graph = codes.reshape(len(codes), -1), translated.graph
    first = original(translated, wanted, real, Task(), np.empty(0))
    linked = gate.against_file(first.output, wanted.output, graph, first.fidelity, limits or Limits())
    library = csim.build(folder / "hls", PROJECT_NAME, folder, backend=settings.target.backend)

    def run(trace: bool) -> csim.Csim:
        return csim.run(library, folder / "hls", PROJECT_NAME, graph, codes, folder, trace)

    compared = gate.judge(
        graph, wanted, run(False).output, codes, lambda: under_own_names(run(True).layers, translated.names)
    )
    return gate.joined(linked, compared)


def _parsed(text: str) -> Fixed:
    try:
        return Fixed.parse(text)
    except ValueError as error:
        raise ProjectError(f"input_precision: {error}", "write for example fixed<10,4>") from None


def _require_samples(x: Array, shape: tuple[int, ...]) -> None:
    if not len(x) or x.shape[1:] != shape or not np.isfinite(x).all():
        raise DataError(f"samples of shape {x.shape} are not finite rows of shape {shape}", "give (n, ...), n > 0")


def _loaded(model: Any) -> Any:
    if not isinstance(model, str | Path):
        return model
    from hlsflow.qat.load import load_model

    return load_model(Path(model))
