"""Real syntheses: sums of layers against whole designs, and the lazy search against complete enumeration."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.choices import Family, Io, Multiplier
from hlsflow.core.errors import UnsupportedLayer
from hlsflow.core.progress import Progress
from hlsflow.explore.cache import Cache
from hlsflow.explore.cluster import Cluster
from hlsflow.explore.search import Question
from hlsflow.explore.study import Options, Study, Workshop
from hlsflow.ir import Fixed, Graph, Node, Op, verify
from hlsflow.rtl.knobs import LayerKnobs
from tests.explore.networks import mlp
from tests.explore.test_search import front_of

OBJECTIVES = ("latency_cycles", "lut")


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with tempfile.TemporaryDirectory() as folder, Cluster("local", 2) as cluster:
        yield Workshop(Family.XC7, Cache(Path(folder), print), cluster, Progress())


def enumerated(study: Study) -> list[dict[str, int]]:
    """The figures of all designs, every layer measured."""
    areas = [study.measure(layer.configurations) for layer in study.layers]
    points = []
    for pick in itertools.product(*(range(len(layer.configurations)) for layer in study.layers)):
        plan = study.plan(pick)
        point = {"latency_cycles": plan.latency_cycles, "ii": plan.ii}
        sums = {
            name: study.base[name] + sum(area[i][name] for area, i in zip(areas, pick, strict=True))
            for name in study.base
        }
        points.append(point | sums)
    return points


@pytest.mark.slow
def test_answers_are_those_of_enumeration_and_whole_designs_cost_what_their_layers_do(workshop: Workshop) -> None:
    study = Study(mlp((4, 3, 2)), Options(kinds=(LayerKnobs(1, Multiplier.DSP),), io=Io.PARALLEL), workshop)
    answer = study.answer(Question({"dsp": 8}, {}, OBJECTIVES))
    points = [point for point in enumerated(study) if point["dsp"] <= 8]
    assert {tuple(one.figures[name] for name in OBJECTIVES) for one in answer.solutions} == front_of(points, OBJECTIVES)
    for one in study.confirm([answer.solutions[0], answer.solutions[-1]]):
        assert one.built["dsp"] == one.characterised["dsp"]
        assert one.built["bram"] == one.characterised["bram"] == 0
        error = one.error("lut")
        assert error is not None
        assert abs(error) <= 0.05


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_space_of_thousands_is_searched_as_if_it_were_enumerated(workshop: Workshop) -> None:
    kinds = (LayerKnobs(1, Multiplier.DSP), LayerKnobs(1, Multiplier.LUT))
    study = Study(mlp((16, 14, 10), seed=1), Options(kinds=kinds, io=Io.PARALLEL), workshop)
    answer = study.answer(Question({"dsp": 30}, {}, OBJECTIVES))
    assert answer.effort.points >= 2000
    assert answer.effort.measured < answer.effort.configurations
    points = [point for point in enumerated(study) if point["dsp"] <= 30]
    assert {tuple(one.figures[name] for name in OBJECTIVES) for one in answer.solutions} == front_of(points, OBJECTIVES)


def test_whole_images_are_refused_with_the_alternative(workshop: Workshop) -> None:
    kind = Fixed(4, 2)
    params = {"weight": np.ones((1, 1, 1, 1), int), "bias": np.zeros(1, int)}
    source = Node("x", Op.INPUT, (), (3, 3, 1), kind)
    types, attrs = {"weight": kind, "bias": kind, "accum": Fixed(9, 5)}, {"stride": (1, 1), "pad": (0, 0, 0, 0)}
    layer = Node("conv", Op.CONV, ("x",), (3, 3, 1), Fixed(9, 5), types, params, attrs)
    graph = verify(Graph("image", (source, layer), ("conv",)))
    with pytest.raises(UnsupportedLayer, match="io_stream"):
        Study(graph, Options(io=Io.PARALLEL), workshop)
