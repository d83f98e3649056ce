"""Random small problems, and all their designs one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hlsflow.explore.choice import AREA, Assignment, Choices, Path, Problem
from hlsflow.explore.figures import METRICS, figures, settled

Table = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Longest:
    """The longest of a few paths."""

    layers: tuple[Choices, ...]
    paths: tuple[Path, ...]

    def __call__(self, assignment: Assignment) -> Path:
        problem = Problem(self.layers, {}, 0, self)
        return max(
            self.paths, key=lambda path: figures(problem, assignment, [settled(problem, path)])["latency_cycles"]
        )


def random_problem(seed: int, sizes: Sequence[int], units: int = 2, paths: int = 3, combinations: int = 0) -> Problem:
    """Layers of these numbers of configurations in a few units, some of them unmeasured, some equal to others."""
    rng, units = np.random.default_rng(seed), min(units, len(sizes))
    layers = tuple(_choices(rng, i, n, min(i, units - 1)) for i, n in enumerate(sizes))
    ways = tuple(_path(rng, len(sizes), units) for _ in range(paths))
    base = {metric: int(rng.integers(0, 20)) for metric in AREA}
    allowed = np.stack([rng.choice(layer.bits, combinations) for layer in layers], axis=1) if combinations else None
    return Problem(layers, base, int(rng.integers(0, 8)), Longest(layers, ways), allowed)


def _choices(rng: np.random.Generator, i: int, n: int, unit: int) -> Choices:
    factor = rng.integers(1, 17, n)
    area = {
        "lut": 200 // factor + rng.integers(0, 60, n),
        "ff": 100 // factor + rng.integers(0, 30, n),
        "dsp": rng.integers(0, 3, n) * (16 // factor),
        "bram": rng.integers(0, 3, n),
    }
    bits, latency = rng.choice([4, 6, 8], n), factor + rng.integers(0, 6, n)
    return Choices(f"l{i}", unit, area, rng.random(n) < 0.7, latency, factor, factor * int(rng.integers(1, 4)), bits)


def _path(rng: np.random.Generator, layers: int, units: int) -> Path:
    times = tuple(int(times) for times in rng.integers(0, 3, layers))
    return Path(int(rng.integers(0, 30)), times, {unit: int(rng.integers(0, 6)) for unit in range(units)})


def all_measured(problem: Problem) -> Problem:
    layers = tuple(replace(layer, measured=np.ones_like(layer.measured)) for layer in problem.layers)
    return replace(problem, layers=layers)


def assignments(problem: Problem) -> Table:
    """(designs, layers): all that are allowed."""
    sizes = [len(layer.bits) for layer in problem.layers]
    every = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), axis=1)
    if problem.allowed is None:
        return every
    bits = np.stack([layer.bits[every[:, i]] for i, layer in enumerate(problem.layers)], axis=1)
    kept: Table = every[(bits[:, None] == problem.allowed).all(2).any(1)]
    return kept


def enumerated(problem: Problem) -> dict[str, Table]:
    """All metrics of all designs that are allowed."""
    every = assignments(problem)
    chosen = list(zip(problem.layers, every.T, strict=True))
    sums = {m: problem.base[m] + sum(layer.area[m][picks] for layer, picks in chosen) for m in AREA}
    ii = np.max([np.full(len(every), problem.base_period), *(layer.period[picks] for layer, picks in chosen)], axis=0)
    assert isinstance(problem.path, Longest)
    latency = np.max([_cycles(chosen, path) for path in problem.path.paths], axis=0)
    return {**sums, "latency_cycles": latency, "ii": ii}


def _cycles(chosen: list[tuple[Choices, Table]], path: Path) -> Table:
    total = np.full(len(chosen[0][1]), path.constant)
    for times, (layer, picks) in zip(path.times, chosen, strict=True):
        total = total + times * layer.latency[picks]
    for unit, gaps in path.gaps.items():
        total = total + gaps * np.max([layer.interval[picks] for layer, picks in chosen if layer.unit == unit], axis=0)
    return total


def kept(every: Mapping[str, Table], limits: Mapping[str, int]) -> NDArray[np.bool_]:
    """Which designs are within the limits."""
    inside = np.ones(len(every["ii"]), dtype=bool)
    for metric, limit in limits.items():
        inside &= every[metric] <= limit
    return inside


def random_limits(rng: np.random.Generator, every: Mapping[str, Table], share: float = 0.5) -> dict[str, int]:
    """Limits on a few metrics, somewhere between their extremes."""
    names = [str(name) for name in rng.choice(METRICS, int(rng.integers(0, 4)), replace=False)]
    return {name: int(np.quantile(every[name], rng.uniform(share, 1))) for name in names}


def brute_front(every: Mapping[str, Table], objectives: Sequence[str], limits: Mapping[str, int]) -> list[list[int]]:
    """All nondominated vectors, in order, by comparing each with each."""
    values = np.unique(np.stack([every[name] for name in objectives], axis=1)[kept(every, limits)], axis=0)
    return [row.tolist() for row in values if not ((values <= row).all(1) & (values < row).any(1)).any()]
