"""The exact search against random search and NSGA-II (Optuna), each with as many syntheses.

A dense network with random 5-bit weights on xc7; DSP or LUT multipliers at every reuse factor. The exact search runs
first and says how many layer configurations it had to synthesize. The others pick whole designs, and stop when theirs
are made of as many different configurations. Compared is the hypervolume of latency and LUT: the area that the front
dominates within a reference point 10 % beyond the worst of all fronts, as a share of the exact one.

All measurements come from one cache, so that the times printed are those of searching, not of synthesis.

With `--jet` the network is the jet tagger of `scripts/bench_rtl` instead, at three widths of weights in each layer, of
which those combinations count that decide as the full network on 88 % of the samples, within 70 % of an xc7a35t. It
prints how long the proved front took from an empty cache and from a warm one, and what some of its designs cost whole.

    scripts/bench_explore --sizes 16 14 10 --seeds 5
    scripts/bench_explore --jet --weights jet_shape_6bit.npz --confirm 12
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import bench_rtl
import numpy as np
import optuna

from hlsflow.core.choices import Family, Io, Multiplier
from hlsflow.core.progress import Progress
from hlsflow.explore.cache import Cache, default_root
from hlsflow.explore.choice import AREA, Assignment
from hlsflow.explore.cluster import Cluster
from hlsflow.explore.outcome import CYCLES
from hlsflow.explore.precision import candidates, score
from hlsflow.explore.run import spread
from hlsflow.explore.search import Answer, Question
from hlsflow.explore.study import Options, Study, Workshop
from hlsflow.explore.verdict import errors
from hlsflow.ir import Fixed, Graph, Node, Op, verify
from hlsflow.report.markdown import table
from hlsflow.rtl.knobs import LayerKnobs
from hlsflow.toolchains.parts import resources

OBJECTIVES = ("latency_cycles", "lut")
WEIGHT, HIDDEN, ACCUM = Fixed(5, 1), Fixed.parse("ufixed<5,1,RND_CONV,SAT>"), Fixed(18, 9)
POPULATION = 20
JET_WIDTHS, JET_AGREEMENT, JET_PART, JET_UTILISATION = (5, 4), 0.88, "xc7a35t", 0.7

Point = tuple[int, int]


def network(sizes: Sequence[int]) -> Graph:
    """Dense layers with ReLUs between, random weights."""
    rng = np.random.default_rng(0)
    nodes = [Node("x", Op.INPUT, (), (sizes[0],), Fixed(6, 2))]
    types = {"weight": WEIGHT, "bias": WEIGHT, "accum": ACCUM}
    for number, shape in enumerate(itertools.pairwise(sizes), 1):
        params = {
            "weight": rng.integers(WEIGHT.min, WEIGHT.max + 1, shape),
            "bias": rng.integers(WEIGHT.min, WEIGHT.max + 1, shape[1:]),
        }
        nodes.append(Node(f"fc{number}", Op.DENSE, (nodes[-1].name,), shape[1:], ACCUM, types, params))
        if number < len(sizes) - 1:
            nodes.append(Node(f"relu{number}", Op.RELU, (f"fc{number}",), shape[1:], HIDDEN))
    return verify(Graph("bench", tuple(nodes), (nodes[-1].name,)))


class Budget:
    """Whole designs, as long as they are made of no more different layer configurations than allowed."""

    def __init__(self, study: Study, most: int) -> None:
        self.study, self.most = study, most
        self.used: set[tuple[int, int]] = set()
        self.points: list[Point] = []

    def spent(self, assignment: Assignment) -> bool:
        return len(self.used | set(enumerate(assignment))) > self.most

    def take(self, assignment: Assignment) -> Point:
        """The figures of a design."""
        self.used |= set(enumerate(assignment))
        layers = zip(self.study.layers, assignment, strict=True)
        areas = self.study.measure([layer.configurations[index] for layer, index in layers])
        plan = self.study.plan(assignment)
        point = (plan.latency_cycles, self.study.base["lut"] + sum(area["lut"] for area in areas))
        self.points.append(point)
        return point


def at_random(budget: Budget, seed: int) -> None:
    dice = random.Random(seed)
    while True:
        assignment = tuple(dice.randrange(len(layer.configurations)) for layer in budget.study.layers)
        if budget.spent(assignment):
            return
        budget.take(assignment)


def genetic(budget: Budget, seed: int) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.NSGAIISampler(population_size=POPULATION, seed=seed)
    trials = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
    seen: dict[Assignment, Point] = {}
    idle = 0
    while idle < 50 * POPULATION:  # a population that only repeats itself has ended
        trial = trials.ask()
        order = [sorted_by_cycles(layer.configurations) for layer in budget.study.layers]
        assignment = tuple(ranks[trial.suggest_int(f"layer{k}", 0, len(ranks) - 1)] for k, ranks in enumerate(order))
        idle += 1
        if assignment not in seen:
            if budget.spent(assignment):
                return
            seen[assignment], idle = budget.take(assignment), 0
        trials.tell(trial, seen[assignment])


def sorted_by_cycles(configurations: Sequence[object]) -> list[int]:
    """Numbers of configurations by kind and reuse factor, so that neighbours are alike: a fair help for a sampler."""
    return sorted(range(len(configurations)), key=lambda i: rank(configurations[i]))


def rank(one: object) -> tuple[str, int]:
    return str(one.plan.multiplier), one.plan.granted  # type: ignore[attr-defined]


def front(points: Sequence[Point]) -> list[Point]:
    """Those that no other is better than, by latency."""
    best: list[Point] = []
    for point in sorted(set(points)):
        if not best or point[1] < best[-1][1]:
            best.append(point)
    return best


def hypervolume(points: Sequence[Point], reference: tuple[float, float]) -> float:
    """The area that a front dominates, up to the reference point."""
    inside = [point for point in front(points) if point[0] < reference[0] and point[1] < reference[1]]
    edges = [point[0] for point in inside[1:]] + [reference[0]]
    return sum((edge - x) * (reference[1] - y) for (x, y), edge in zip(inside, edges, strict=True))


SEARCHES: dict[str, Callable[[Budget, int], None]] = {"random": at_random, "NSGA-II": genetic}


def compared(study: Study, seeds: int) -> Iterator[list[str]]:
    """A row for each search."""
    started = time.perf_counter()
    answer = study.answer(Question({}, {}, OBJECTIVES))
    seconds = time.perf_counter() - started
    exact = [(one.figures["latency_cycles"], one.figures["lut"]) for one in answer.solutions]
    found: dict[str, list[list[Point]]] = {}
    for name, search in SEARCHES.items():
        for seed in range(seeds):
            budget = Budget(study, answer.effort.measured)
            search(budget, seed)
            found.setdefault(name, []).append(front(budget.points))
    every = [point for fronts in [[exact], *found.values()] for points in fronts for point in points]
    reference = (1.1 * max(x for x, _ in every), 1.1 * max(y for _, y in every))
    whole, effort = hypervolume(exact, reference), answer.effort
    yield [
        "exact",
        str(effort.measured),
        str(effort.configurations),
        str(len(exact)),
        "1.0000",
        "1.0000",
        f"{seconds:.1f}",
    ]
    for name, fronts in found.items():
        shares = [hypervolume(points, reference) / whole for points in fronts]
        count = statistics.mean(len(points) for points in fronts)
        cells = [f"{statistics.mean(shares):.4f}", f"{min(shares):.4f}", ""]
        yield [name, str(effort.measured), str(effort.configurations), f"{count:.1f}", *cells]


def jet_study(weights: Path | None, workshop: Workshop) -> Study:
    """The jet tagger at 6, 5 and 4 bits a layer."""
    graph, x = bench_rtl.jet(weights)
    scores = score(graph, candidates(graph, JET_WIDTHS), x)
    return Study(graph, Options(widths=JET_WIDTHS, io=Io.PARALLEL), workshop, scores)


def jet(weights: Path | None, confirm: int) -> None:
    """The front from an empty cache, again from a warm one, and designs built whole."""
    limits = resources(JET_PART).budget(JET_UTILISATION)
    with tempfile.TemporaryDirectory() as folder:
        for state in ("empty", "warm"):
            started = time.perf_counter()
            with Cluster("local") as cluster:
                progress = Progress(sys.stderr)
                workshop = Workshop(Family.XC7, Cache(Path(folder), progress.say), cluster, progress)
                study = jet_study(weights, workshop)
                answer = study.answer(Question(limits, {}, OBJECTIVES), JET_AGREEMENT)
                seconds = time.perf_counter() - started
                effort = answer.effort
                print(
                    f"{state} cache: {seconds:.0f} s; {effort.points:.3g} designs of {effort.configurations} layer "
                    f"configurations, {effort.measured} measured in {effort.rounds} rounds, bounds tested "
                    f"{effort.tested}, broken {effort.broken}; front of {len(answer.solutions)} points"
                )
                if state == "warm":
                    _confirm(study, answer, spread(len(answer.solutions), confirm))


def _confirm(study: Study, answer: Answer, points: Sequence[int]) -> None:
    found = dict(zip(points, study.confirm([answer.solutions[point - 1] for point in points]), strict=True))
    rows = []
    for point, one in found.items():
        cells = [one.solution.figures[name] for name in CYCLES]
        areas = [figures[name] for name in AREA for figures in (one.characterised, one.built)]
        rows.append([str(point), *map(str, [*cells, *areas]), f"{100 * (one.error('lut') or 0):+.2f}"])
    areas = [f"{name} ({stage})" for name in AREA for stage in ("sum", "whole")]
    print(table(["point", *CYCLES, *areas, "LUT error (%)"], rows))
    print(errors(list(found.values())))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[16, 14, 10])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=default_root())
    parser.add_argument("--jet", action="store_true", help="the jet tagger's front instead, from an empty cache")
    parser.add_argument("--weights", type=Path, help="of the jet tagger: .npz as for scripts/bench_rtl")
    parser.add_argument("--confirm", type=int, default=12, help="designs of the jet tagger to build whole")
    arguments = parser.parse_args()
    if arguments.jet:
        jet(arguments.weights, arguments.confirm)
        return 0
    progress = Progress(sys.stderr)
    with Cluster("local") as cluster:
        workshop = Workshop(Family.XC7, Cache(arguments.cache, progress.say), cluster, progress)
        kinds = (LayerKnobs(1, Multiplier.DSP), LayerKnobs(1, Multiplier.LUT))
        study = Study(network(arguments.sizes), Options(kinds=kinds, io=Io.PARALLEL), workshop)
        for layer in study.layers:
            study.measure(layer.configurations)
        head = ("search", "layers synthesized", "of", "points on its front", "hypervolume, mean", "worst", "seconds")
        print(table(head, list(compared(study, arguments.seeds))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
