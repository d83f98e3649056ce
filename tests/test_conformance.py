"""QKeras = C-simulation = oracle = RTL for every construct of the inherited suite, one by one, with the real tools.

The RTL is compared in bits and cycles alike: in the default suite at one of three reuse factors each, at the two others
in the slow tests; there also with several pixels at a time. The constructs of a group are one design with an input and
an output port for each: they share nothing, so each one's cycles are its own. Groups are translated once for both
executors.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import UnsupportedLayer
from hlsflow.hls import csim, gate, reference
from hlsflow.hls.translate import PROJECT_NAME, Settings, Translation, translate
from hlsflow.ir import Graph, evaluate
from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import apart
from hlsflow.project import Knobs, Target
from hlsflow.rtl import LayerKnobs, Multiplier, Pixels, Strategy, emit, schedule, simulate
from hlsflow.rtl.cores import WITH_KNOBS
from hlsflow.rtl.timing import run
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
    constructs: list[Construct], model: Any, translation: Translation, folder: Path, io_type: str = "io_parallel"
) -> dict[str, Ran]:
    graph = translation.graph
    x = conformance.samples(graph, SAMPLES, SEED)
    given = gate.in_steps(graph, reference.reference(model, INPUT.real(x)).output)
    wide = bool(gate.beyond_float32(graph))
    wanted = reference.reference(translation.reading.model, INPUT.real(x), wide=wide)
    qkeras = gate.in_steps(graph, wanted.output)
    library = csim.build(folder / "hls", PROJECT_NAME, folder, QUICK)
    codes = csim.run(library, folder / "hls", PROJECT_NAME, graph, x, folder).output
    return {
        case.construct.name: Ran(case, io_type, *(array[:, case.columns] for array in (given, qkeras, codes)))
        for case in cases(constructs, graph, x)
    }


PROJECTS = [
    *[(io_type, "layers") for io_type in BOTH],
    *[("io_parallel", group) for group in ("activations", "weights", "models")],
    *[pytest.param(("io_stream", group), marks=pytest.mark.slow) for group in ("activations", "weights", "models")],
]
"""An io type and a group of constructs. Weights and functions of one value are the same in streams."""


def chosen(io_type: str, group: str) -> list[Construct]:
    """The constructs of a group that an io type carries."""
    return [construct for construct in conformance.groups()[group] if io_type in construct.io]


@functools.cache
def translated(io_type: str, group: str, folder: Path) -> tuple[Any, Translation]:
    """The constructs of one group in one io type as one model, and its translation; the project is in `folder`."""
    model = conformance.joined(chosen(io_type, group), SEED)
    knobs = Knobs(reuse_factor=1, strategy="resource" if io_type == "io_stream" else "latency")
    return model, translate(model, settings(io_type, knobs), folder / io_type / group / "hls")


@pytest.fixture(scope="module")
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("translations")


@pytest.fixture(scope="module", params=PROJECTS, ids="-".join)
def ran(request: pytest.FixtureRequest, translations: Path) -> Mapping[str, Ran]:
    """The constructs of one group in one io type, in one compiled project."""
    io_type, group = request.param
    folder = translations / io_type / group
    return executed(chosen(io_type, group), *translated(io_type, group, translations), folder, io_type)


@pytest.mark.timeout(600)
def test_every_construct_is_exact(ran: Mapping[str, Ran], seen: support.Seen) -> None:
    wrong = []
    for name, outcome in ran.items():
        oracle = evaluate(outcome.case.graph, outcome.case.x)
        for executor, values in ((outcome.io, outcome.csim), ("qkeras", outcome.qkeras)):
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
    for name, outcome in ran.items():
        tolerance = 1 + 2.0**-8 * np.abs(outcome.given).max()
        far = np.abs(outcome.given - outcome.qkeras).max()
        if far > tolerance:
            wrong[name] = far
    assert not wrong


def test_the_suite_is_broad() -> None:
    names = [construct.name for construct in conformance.constructs()]
    assert len(set(names)) == len(names) >= 40


def test_no_construct_is_a_constant(ran: Mapping[str, Ran]) -> None:
    """Saturated or rounded to nothing, a construct would prove little."""
    assert [name for name, outcome in ran.items() if len(np.unique(outcome.csim)) < 3] == []


MODES = (
    "conv2d_open", "dense", "add", "subtract", "multiply", "average", "maximum", "concat2", "average2d_open",
    "batchnorm_open", "depthwise2d_open", "max2d_open", "global_average2d_open", "relu_open",
)  # fmt: skip
"""Constructs that end with the layer in question, so that its result can be given any type."""


def test_every_rounding_and_overflow_mode_is_lowered_exactly(tmp_path: Path) -> None:
    """Types set by knobs need not equal QKeras, but the oracle must follow the C-simulation to the last bit."""
    ending = [construct for construct in conformance.constructs() if construct.name in MODES]
    assert len(ending) == len(MODES)
    copies = [copy for number in range(2) for copy in conformance.renamed(ending, number)]
    model = conformance.joined(copies, SEED)
    plain = translate(model, settings("io_parallel"), tmp_path / "plain")
    random = np.random.default_rng(SEED)
    types = {node.name: conformance.any_type(random, node.type) for node in plain.graph.results}
    layers = {name: {"precision": {"result": str(kind)}} for name, kind in types.items()}
    knobs = Knobs.model_validate({"reuse_factor": 1, "layers": layers})
    translation = translate(model, settings("io_parallel", knobs), tmp_path / "hls")
    wrong = [
        f"{name}: {outcome.case.graph.results[0].type}"
        for name, outcome in executed(copies, model, translation, tmp_path).items()
        if not np.array_equal(outcome.csim, evaluate(outcome.case.graph, outcome.case.x))
    ]
    assert not wrong


FRAMES = 20
KNOBS = {
    1: LayerKnobs(1, Multiplier.LUT),
    3: LayerKnobs(3, Multiplier.DSP),
    1000: LayerKnobs(1000, Multiplier.AUTO),
}
assert tuple(KNOBS) == support.FACTORS

PIXELS = (2, 3, 1 << 20)
"""Pixels at a time; the last is more than any image has."""

PARTS = 3
"""Designs that a group is split into: each of them meets another reuse factor in the default suite."""


def part_of(graph: Graph, part: int) -> Graph:
    """Every third construct, with what it needs."""
    needed = set(graph.outputs[part::PARTS])
    for node in reversed(graph.nodes):
        if node.name in needed:
            needed |= set(node.inputs)
    nodes = tuple(node for node in graph.nodes if node.name in needed)
    return Graph(f"{graph.name}{part}", nodes, graph.outputs[part::PARTS])


def _runs() -> list[object]:
    """Each part of each group at one reuse factor now, at the two others on demand."""
    return [
        pytest.param(group, part, factor, id=f"{group}-{part}-R{factor}", marks=marks)
        for group in conformance.groups()
        for part in range(PARTS)
        for index, factor in enumerate(KNOBS)
        for marks in [[] if index == part else [pytest.mark.slow]]
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("group", "part", "factor"), _runs())
def test_rtl_is_exact(
    group: str, part: int, factor: int, translations: Path, seen: support.Seen, tmp_path: Path
) -> None:
    graph = part_of(translated("io_parallel", group, translations)[1].graph, part)
    wrong = differing(graph, factor, Pixels(), tmp_path)
    for construct, name in zip(chosen("io_parallel", group)[part::PARTS], graph.outputs, strict=True):
        support.saw(seen, construct.name, f"rtl R={factor}", name not in wrong)
    assert not wrong


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("pixels", PIXELS)
@pytest.mark.parametrize("factor", KNOBS)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("group", conformance.groups())
def test_several_pixels_at_a_time_are_exact(
    group: str, part: int, factor: int, pixels: int, translations: Path, tmp_path: Path
) -> None:
    graph = part_of(translated("io_parallel", group, translations)[1].graph, part)
    assert not differing(graph, factor, Pixels(pixels), tmp_path)


def differing(graph: Graph, factor: int, pixels: Pixels, folder: Path) -> list[str]:
    """Results of the graph that the RTL has otherwise; its cycles must be the scheduled ones."""
    strategy = Strategy.LATENCY if factor == 1 else Strategy.RESOURCE
    own = LayerKnobs(KNOBS[factor].reuse_factor, KNOBS[factor].multiplier, strategy)
    knobs = {node.name: own for node in graph.nodes if node.op in WITH_KNOBS}
    plan = schedule(graph, knobs, own, pixels=pixels)
    x = conformance.samples(graph, FRAMES, SEED)
    simulation = simulate(emit(plan), x, folder)
    wanted, simulated = (apart(graph.results, batch) for batch in (evaluate(graph, x), simulation.outputs))
    times = run(plan.network, plan.depths, FRAMES)
    late = np.flatnonzero((times.port_ends != simulation.port_ends).any(0))
    assert [graph.outputs[port] for port in late] == []
    np.testing.assert_array_equal(times.port_begins, simulation.port_begins)
    pairs = zip(graph.results, wanted, simulated, strict=True)
    return [node.name for node, oracle, rtl in pairs if not np.array_equal(oracle, rtl)]
