"""The exact search against random search and NSGA-II (Optuna), each with as many syntheses.

A dense network with random 5-bit weights on xc7; DSP or LUT multipliers at every reuse factor. The exact search runs
first and says how many layer configurations it had to synthesize. The others pick whole designs, and stop when theirs
are made of as many different configurations. Compared is the hypervolume of latency and LUT: the area that the front
dominates within a reference point 10 % beyond the worst of all fronts, as a share of the exact one.

All measurements come from one cache, so that the times printed are those of searching, not of synthesis.

    scripts/bench_explore --sizes 16 14 10 --seeds 5
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import optuna

from flows.ir import Fixed, Graph, Node, Op, verify
from flows.markdown import table
from flows.progress import Progress
from flows.rtl.knobs import Io, LayerKnobs, Multiplier
from flows.toolchains.yosys import Family
from flows.tradeoff.cache import Cache, default_root
from flows.tradeoff.choice import Assignment
from flows.tradeoff.cluster import Cluster
from flows.tradeoff.search import Question
from flows.tradeoff.study import Options, Study, Workshop

OBJECTIVES = ("latency_cycles", "lut")
WEIGHT, HIDDEN, ACCUM = Fixed(5, 1), Fixed.parse("ufixed<5,1,RND_CONV,SAT>"), Fixed(18, 9)
POPULATION = 20

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[16, 14, 10])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=default_root())
    arguments = parser.parse_args()
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
