"""Limits that no design keeps: which ones are in conflict, and which would do, against brute force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.explore.figures import METRICS
from hlsflow.explore.infeasible import Infeasible, explain
from hlsflow.explore.optimise import minimise
from tests.explore.problems import Table, enumerated, kept, random_problem

Limits = Mapping[str, int]


def tight_limits(seed: int, every: Mapping[str, Table]) -> dict[str, int]:
    """On three metrics, each of which some design keeps, but none all of them."""
    rng = np.random.default_rng(seed)
    while True:
        names = [str(name) for name in rng.choice(METRICS, 3, replace=False)]
        limits = {name: int(np.quantile(every[name], rng.uniform(0, 0.4))) for name in names}
        if not kept(every, limits).any():
            return limits


def least_factor(every: Mapping[str, Table], limits: Limits, names: list[str]) -> Fraction:
    """Over all designs that keep the other limits, the least of the largest share of a limit."""
    others = {name: limit for name, limit in limits.items() if name not in names}
    rows = np.flatnonzero(kept(every, others))
    return min(max(Fraction(int(every[name][row]), limits[name]) for name in names) for row in rows)


@pytest.mark.parametrize("seed", range(12))
def test_the_conflict_is_irreducible_and_the_budgets_are_the_nearest(seed: int) -> None:
    problem = random_problem(seed, (6, 5, 7), 1 + seed % 3, 1 + seed % 3, 6 * (seed % 2))
    every = enumerated(problem)
    limits = tight_limits(seed, every)
    reason = explain(problem, limits)
    for conflict in reason.conflicts:
        inside = {name: limits[name] for name in conflict}
        assert not kept(every, inside).any()
        assert all(kept(every, dict(some)).any() for some in combinations(inside.items(), len(inside) - 1))
    assert kept(every, {name: limit for name, limit in limits.items() if name not in reason.least}).any()
    for name, least in reason.least.items():
        allowed = every[name][kept(every, {other: limit for other, limit in limits.items() if other != name})]
        assert least == (allowed.min() if len(allowed) else None)
    names = [name for name in reason.least if limits[name]]
    if reason.factor is not None:
        assert reason.factor == least_factor(every, limits, names)
        assert kept(every, reason.budget).any()
        assert minimise(problem, {"lut": 1}, reason.budget).proved


def test_the_user_is_told_what_to_allow() -> None:
    problem = random_problem(3, (6, 5, 7))
    every = enumerated(problem)
    limits = {"lut": int(every["lut"].min()), "ii": int(every["ii"].min()), "bram": int(every["bram"].max())}
    with pytest.raises(Infeasible) as error:
        minimise(problem, {"dsp": 1}, limits)
    reason = error.value
    assert reason.exit_code == 2
    assert reason.message == f"no design keeps lut <= {limits['lut']:,} and ii <= {limits['ii']:,}"
    assert reason.hint.startswith(
        f"allow lut <= {reason.least['lut']:,}, or allow ii <= {reason.least['ii']:,}, or all"
    )


def test_a_limit_of_zero_grows_by_no_factor() -> None:
    problem = replace(random_problem(4, (5, 5)), base=dict.fromkeys(("lut", "ff", "dsp", "bram"), 3))
    reason = explain(problem, {"dsp": 0})
    assert (reason.conflicts, reason.factor, reason.budget) == ((("dsp",),), None, {})
    assert reason.least == {"dsp": enumerated(problem)["dsp"].min()}


def test_two_conflicts_at_once_are_both_named() -> None:
    problem = random_problem(5, (5, 5))
    every = enumerated(problem)
    reason = explain(problem, {"lut": int(every["lut"].min()) - 1, "ff": int(every["ff"].min()) - 1})
    assert set(reason.conflicts) == {("lut",), ("ff",)}
    assert reason.least == {"lut": None, "ff": None}
    assert kept(every, reason.budget).any()


def test_bits_that_no_configuration_has_are_no_matter_of_limits() -> None:
    problem = replace(random_problem(6, (5, 5)), allowed=np.array([[3, 3]]))
    with pytest.raises(ProjectError, match="no allowed combination of bits"):
        minimise(problem, {"lut": 1}, {})


def test_limits_that_can_be_kept_need_no_explanation() -> None:
    with pytest.raises(ValueError, match="can be kept"):
        explain(random_problem(7, (5, 5)), {"lut": 10_000})
