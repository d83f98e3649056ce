"""QKeras = C-simulation = oracle for every construct of the inherited suite, one by one, with the real compiler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import csim, gate, reference
from hlsflow.hls.translate import PROJECT_NAME, Settings, Translation, translate
from hlsflow.ir import evaluate
from hlsflow.ir.fixed import Array
from hlsflow.project import Knobs, Target
from tests import conformance, support
from tests.conformance import BOTH, INPUT, Case, Construct, cases

SEED = 1
SAMPLES = 60

QUICK = ("-O0", *csim.FLAGS[1:])
"""Compiles in two thirds of the time; the values are the same."""


@dataclass(frozen=True, eq=False)
class Ran:
    """What the executors computed for one construct, in steps of its output's grid.

    `qkeras` is the model with everything frozen that the hardware must equal, `given` the one it was made from.
    """

    case: Case
    io: str
    given: Array
    qkeras: Array
    csim: Array


def settings(io_type: str, knobs: Knobs | None = None) -> Settings:
    return Settings(INPUT, Target.model_validate({"io_type": io_type}), knobs or Knobs(reuse_factor=1))


def executed(
    chosen: list[Construct], model: Any, translated: Translation, folder: Path, io_type: str = "io_parallel"
) -> dict[str, Ran]:
    graph = translated.graph
    x = conformance.samples(graph, SAMPLES, SEED)
    given = gate.in_steps(graph, reference.reference(model, INPUT.real(x)).output)
    wide = bool(gate.beyond_float32(graph))
    wanted = reference.reference(translated.reading.model, INPUT.real(x), wide=wide)
    qkeras = gate.in_steps(graph, wanted.output)
    library = csim.build(folder / "hls", PROJECT_NAME, folder, QUICK)
    codes = csim.run(library, folder / "hls", PROJECT_NAME, graph, x, folder).output
    return {
        case.construct.name: Ran(case, io_type, *(array[:, case.columns] for array in (given, qkeras, codes)))
        for case in cases(chosen, graph, x)
    }


PROJECTS = [
    *[(io_type, "layers") for io_type in BOTH],
    *[("io_parallel", group) for group in ("activations", "weights", "models")],
    *[pytest.param(("io_stream", group), marks=pytest.mark.slow) for group in ("activations", "weights", "models")],
]
"""An io type and a group of constructs. Weights and functions of one value are the same in streams."""


@pytest.fixture(scope="module", params=PROJECTS, ids="-".join)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Ran]:
    """The constructs of one group in one io type, in one compiled project."""
    io_type, group = request.param
    chosen = [construct for construct in conformance.groups()[group] if io_type in construct.io]
    folder = tmp_path_factory.mktemp(io_type)
    model = conformance.joined(chosen, SEED)
    knobs = Knobs(reuse_factor=1, strategy="resource" if io_type == "io_stream" else "latency")
    return executed(chosen, model, translate(model, settings(io_type, knobs), folder / "hls"), folder, io_type)


@pytest.mark.timeout(600)
def test_every_construct_is_exact(ran: Mapping[str, Ran], seen: support.Seen) -> None:
    wrong = []
    for name, one in ran.items():
        oracle = evaluate(one.case.graph, one.case.x)
        for executor, values in ((one.io, one.csim), ("qkeras", one.qkeras)):
            support.saw(seen, name, executor, np.array_equal(values, oracle))
            if not np.array_equal(values, oracle):
                wrong.append(f"{name}: {executor} differs from oracle in {np.mean(values != oracle):.0%}")
    assert not wrong


NOT_STREAMED = [construct for construct in conformance.constructs() if "io_stream" not in construct.io]


@pytest.mark.parametrize("construct", NOT_STREAMED, ids=lambda construct: construct.name)
def test_what_does_not_stream_is_refused(construct: Construct, seen: support.Seen, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedLayer, match=construct.name):
        translate(conformance.joined([construct], SEED), settings("io_stream"), tmp_path)
    seen.setdefault(construct.name, {})["io_stream"] = support.REFUSED


def test_what_is_frozen_is_what_was_given(ran: Mapping[str, Ran]) -> None:
    """Up to a tie that float32 breaks the other way, and float constants that are rounded.

    Those of batch normalizations and alpha='auto' have 18 bits then; folded scales move no weight by more than 2**-8.
    """
    wrong = {}
    for name, one in ran.items():
        tolerance = 1 + 2.0**-8 * np.abs(one.given).max()
        far = np.abs(one.given - one.qkeras).max()
        if far > tolerance:
            wrong[name] = far
    assert not wrong


def test_the_suite_is_broad() -> None:
    names = [construct.name for construct in conformance.constructs()]
    assert len(set(names)) == len(names) >= 40


def test_no_construct_is_a_constant(ran: Mapping[str, Ran]) -> None:
    """Saturated or rounded to nothing, a construct would prove little."""
    assert [name for name, one in ran.items() if len(np.unique(one.csim)) < 3] == []


MODES = (
    "conv2d_open", "dense", "add", "subtract", "multiply", "average", "maximum", "concat2", "average2d_open",
    "batchnorm_open", "depthwise2d_open", "max2d_open", "global_average2d_open", "relu_open",
)  # fmt: skip
"""Constructs that end with the layer in question, so that its result can be given any type."""


def test_every_rounding_and_overflow_mode_is_lowered_exactly(tmp_path: Path) -> None:
    """Types set by knobs need not equal QKeras, but the oracle must follow the C-simulation to the last bit."""
    chosen = [construct for construct in conformance.constructs() if construct.name in MODES]
    assert len(chosen) == len(MODES)
    copies = [copy for number in range(2) for copy in conformance.renamed(chosen, number)]
    model = conformance.joined(copies, SEED)
    plain = translate(model, settings("io_parallel"), tmp_path / "plain")
    random = np.random.default_rng(SEED)
    types = {node.name: conformance.any_type(random, node.type) for node in plain.graph.results}
    layers = {name: {"precision": {"result": str(kind)}} for name, kind in types.items()}
    knobs = Knobs.model_validate({"reuse_factor": 1, "layers": layers})
    translated = translate(model, settings("io_parallel", knobs), tmp_path / "hls")
    wrong = [
        f"{name}: {one.case.graph.results[0].type}"
        for name, one in executed(copies, model, translated, tmp_path).items()
        if not np.array_equal(one.csim, evaluate(one.case.graph, one.case.x))
    ]
    assert not wrong
