"""The lazy search: it measures little, and its answers are those of complete enumeration."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from hlsflow.core.choices import Io, Multiplier
from hlsflow.explore.bounds import Figures
from hlsflow.explore.choice import Assignment, Path
from hlsflow.explore.infeasible import Infeasible
from hlsflow.explore.search import Answer, Question, Search
from hlsflow.explore.space import Configuration, space
from hlsflow.rtl.knobs import LayerKnobs, Pipeline
from tests.explore.networks import mlp
from tests.explore.test_bounds import law

KINDS = [LayerKnobs(1, Multiplier.DSP), LayerKnobs(1, Multiplier.LUT)]
LAYERS = space([mlp((20, 18, 12))], KINDS, Pipeline(), Io.STREAM)
ALL = [one for layer in LAYERS for one in layer.configurations]
TRUTH = dict(zip(map(id, ALL), law(ALL, 0.02), strict=True))
BASE = {"lut": 50, "ff": 20, "dsp": 0, "bram": 0}
CHAIN = Path(1, (1, 1), {})


class Bench:
    """Measures by the law, and remembers what."""

    def __init__(self) -> None:
        self.measured: list[Configuration] = []

    def __call__(self, configurations: Sequence[Configuration]) -> list[Figures]:
        assert not {id(one) for one in configurations} & {id(one) for one in self.measured}
        self.measured += configurations
        return [TRUTH[id(one)] for one in configurations]


def asked(question: Question) -> tuple[Answer, Bench]:
    bench = Bench()
    search = Search(LAYERS, bench, BASE, 1, lambda _: CHAIN, None, lambda *_: None)
    return search.answer(question), bench


def enumerated() -> list[tuple[Assignment, dict[str, int]]]:
    """All designs and their figures."""
    found = []
    for pair in itertools.product(*(range(len(layer.configurations)) for layer in LAYERS)):
        ones = [layer.configurations[index] for layer, index in zip(LAYERS, pair, strict=True)]
        figures = {name: BASE[name] + sum(TRUTH[id(one)][name] for one in ones) for name in BASE}
        figures["latency_cycles"] = 1 + sum(one.at.stage.latency for one in ones)
        figures["ii"] = max(one.period for one in ones)
        found.append((pair, figures))
    return found


def front_of(points: list[dict[str, int]], names: tuple[str, ...]) -> set[tuple[int, ...]]:
    vectors = np.unique([[point[name] for name in names] for point in points], axis=0)
    better = (vectors[:, None] <= vectors[None]).all(2) & (vectors[:, None] < vectors[None]).any(2)
    return {tuple(map(int, vector)) for vector in vectors[~better.any(0)]}


def test_the_front_is_that_of_enumeration_and_most_is_never_measured() -> None:
    limits = {"dsp": 12}
    points = [figures for _, figures in enumerated() if figures["dsp"] <= 12]
    assert len(enumerated()) >= 2000
    answer, bench = asked(Question(limits, {}, ("latency_cycles", "lut")))
    found = {(s.figures["latency_cycles"], s.figures["lut"]) for s in answer.solutions}
    assert found == front_of(points, ("latency_cycles", "lut"))
    assert all(solution.proved and solution.measured for solution in answer.solutions)
    assert answer.complete
    assert answer.effort.measured == len(bench.measured) < len(ALL)
    assert answer.effort.points == len(enumerated())


@pytest.mark.parametrize(
    ("objective", "limits"),
    [
        ({"lut": 1.0}, {"latency_cycles": 40}),
        ({"latency_cycles": 1.0}, {"lut": 1500, "dsp": 8}),
        ({"lut": 1.0, "dsp": 100.0}, {"ii": 30}),
    ],
    ids=["lut", "latency", "weighted"],
)
def test_an_optimum_is_that_of_enumeration(objective: dict[str, float], limits: dict[str, int]) -> None:
    within = [f for _, f in enumerated() if all(f[name] <= most for name, most in limits.items())]
    best = min(sum(weight * figures[name] for name, weight in objective.items()) for figures in within)
    answer, _ = asked(Question(limits, objective))
    (solution,) = answer.solutions
    assert float(solution.value) == best
    assert solution.measured


def test_an_impossible_budget_is_explained_by_measured_layers() -> None:
    limits = {"latency_cycles": 20, "lut": 1000}
    with pytest.raises(Infeasible) as caught:
        asked(Question(limits, {"lut": 1.0}))
    points = [figures for _, figures in enumerated()]
    for name, least in caught.value.least.items():
        others = {key: most for key, most in limits.items() if key != name}
        true = [f[name] for f in points if all(f[key] <= most for key, most in others.items())]
        assert least == min(true)
