"""The designs that estimates are fitted to, the fit, and its cross-validation.

In: `templates/estimate/designs.json`: shapes, counted weights and csynth figures of public designs. Out:
`Coefficients`, and for each design what is estimated when everything was fitted without it. The form of the rules of
`hlsflow.estimate.analytic` was found by reading these reports; only designs that nobody looked at can test it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hlsflow.core import templates
from hlsflow.estimate import fitted, stages
from hlsflow.estimate.analytic import Pace
from hlsflow.estimate.constants import Constants, count
from hlsflow.estimate.design import Design, Kind, Layer
from hlsflow.estimate.fitted import Coefficients
from hlsflow.estimate.total import METRICS, estimate
from hlsflow.ir import Fixed

FILE = "estimate/designs.json"
COVERAGE = 0.9
FLOOR = 0.02
"""No interval is narrower: half its width as a logarithm."""

DEPTH = "depth"
"""Name of the rows that hold cycles of layers."""

_TOTAL = ("latency_cycles", "ii", "bram", "dsp", "ff", "lut")


@dataclass(frozen=True)
class Measured:
    """A design with what csynth reports of it.

    Attributes:
        network: what it is a variant of.
        variant: which one: kind of multipliers, reuse factor.
        design: as estimation sees it.
        total: metric → figure.
        rows: row of `fitted.ROWS`, or `DEPTH`, → layer and figure, for what is fitted.
    """

    network: str
    variant: str
    design: Design
    total: Mapping[str, float]
    rows: tuple[tuple[str, Layer, float], ...]


@dataclass(frozen=True)
class Checked:
    """A design, estimated by coefficients that were fitted without it.

    Attributes:
        measured: the design.
        estimated: metric → value.
        held: metric → whether the interval holds the figure.
    """

    measured: Measured
    estimated: Mapping[str, float]
    held: Mapping[str, bool]

    def error(self, metric: str) -> float:
        """Symmetric absolute error: 0 for equal, 2 when one of the two is 0."""
        estimated, reported = self.estimated[metric], self.measured.total[metric]
        return 2.0 * abs(estimated - reported) / (estimated + reported) if estimated + reported else 0.0


def measured() -> tuple[Measured, ...]:
    """All designs, network by network."""
    data = json.loads(templates.read(FILE))
    return tuple(
        _measured(name, network, variant, report, data["part"])
        for name, network in data["networks"].items()
        for variant, report in network["designs"].items()
    )


def source() -> str:
    """Where the designs are from."""
    return str(json.loads(templates.read(FILE))["source"])


def _measured(
    name: str, network: Mapping[str, object], variant: str, report: Mapping[str, object], part: str
) -> Measured:
    design = _design(name, network, variant, part)
    total = dict(zip(_TOTAL, _numbers(report["total"]), strict=True))
    return Measured(name, variant, design, total, tuple(_rows(design, report, total)))


def _design(name: str, network: Mapping[str, object], variant: str, part: str) -> Design:
    multiplier, reuse_factor = variant.split()
    input_type, accum, hidden = (Fixed.parse(str(network[key])) for key in ("input", "accum", "hidden"))
    weight = Fixed.parse(str(network["weight"]))
    layers: list[Layer] = []
    shapes = network["layers"]
    assert isinstance(shapes, list)
    for number, shape in enumerate(shapes, 1):
        matrix = _matrix(f"fc{number}", shape, input_type, weight, accum)
        layers.append(replace(matrix, reuse_factor=min(int(reuse_factor), matrix.products)))
        wide = shape["n_out"]
        if "shift" in shape:
            layers.append(_shift(f"scale{number}", wide, shape["shift"], accum))
        layers.append(Layer(f"relu{number}", Kind.RELU, wide, wide, accum, hidden))
        input_type = hidden
    layers[-1] = Layer("softmax", Kind.SOFTMAX, wide, wide, accum, accum)
    clock = network["clock_ns"]
    assert isinstance(clock, float)
    return Design(name, tuple(layers), part=part, clock_ns=clock, dsp_multipliers=multiplier == "dsp")


def _matrix(name: str, shape: Mapping[str, int], input_type: Fixed, weight: Fixed, accum: Fixed) -> Layer:
    nonzero = shape["n_in"] * shape["n_out"] - shape["zeros"]
    constants = Constants(nonzero, shape["multipliers"], shape["adder_bits"], shape["live"])
    return Layer(
        name,
        Kind.MATRIX,
        shape["n_in"],
        shape["n_out"],
        input_type,
        accum,
        weight=weight,
        accum=accum,
        constants=constants,
    )


def _shift(name: str, wide: int, places: int, value: Fixed) -> Layer:
    """A batch normalization that multiplies by a power of two and adds."""
    constants = count(np.full((wide, 1), 1 << (value.frac + places), np.int64), value.width)
    return Layer(name, Kind.SCALE, wide, wide, value, value, weight=value, constants=constants)


def _rows(
    design: Design, report: Mapping[str, object], total: Mapping[str, float]
) -> Iterable[tuple[str, Layer, float]]:
    """What each row of `fitted.ROWS` should give for a layer; `between_ff` is what is left of the total."""
    left = total["ff"]
    figures = {Kind.MATRIX: list(_lists(report["matrix"])), Kind.RELU: list(_lists(report["relu"]))}
    figures |= {Kind.SCALE: list(_lists(report.get("scale", []))), Kind.SOFTMAX: [_numbers(report["softmax"])]}
    for layer in design.layers:
        *cycles, ff, lut = figures[layer.kind].pop(0)
        left -= ff
        if cycles:
            yield DEPTH, layer, cycles[0]
        yield f"{layer.kind}_lut", layer, lut
        yield f"{layer.kind}_ff", layer, ff
    yield "between_ff", _joined(design), left


def _joined(design: Design) -> Layer:
    """A layer that has the results of all others."""
    bits = sum(fitted.ROWS["between_ff"](Pace(design), layer).counts[0] for layer in design.layers)
    return replace(design.layers[-1], n_out=int(bits) // design.layers[-1].result.width, constants=None)


def _numbers(values: object) -> tuple[float, ...]:
    assert isinstance(values, list)
    return tuple(float(value) for value in values)


def _lists(values: object) -> Iterable[tuple[float, ...]]:
    assert isinstance(values, list)
    return (_numbers(value) for value in values)


def fit(designs: Sequence[Measured]) -> Coefficients:
    """Fit everything that is fitted, intervals included, to designs of at least two networks."""
    spread = _spread([check for check in _left_out(designs, by_network)])
    return replace(_fit_values(designs), spread=spread)


def _fit_values(designs: Sequence[Measured]) -> Coefficients:
    values = {row: _fit_row(row, designs) for row in fitted.ROWS}
    depths = [
        (Pace(design.design), layer, cycles) for design in designs for row, layer, cycles in design.rows if row == DEPTH
    ]
    return Coefficients(values, stages.fit(depths), {}, COVERAGE, f"{len(designs)} designs; {source()}")


def _fit_row(row: str, designs: Sequence[Measured]) -> tuple[float, ...]:
    """Least squares of errors relative to the whole design, with coefficients of at least 0."""
    from scipy.optimize import nnls

    terms, wanted = [], []
    for design in designs:
        for name, layer, figure in design.rows:
            if name == row and figure > 0:
                terms_of_layer = fitted.ROWS[row](Pace(design.design), layer)
                total = design.total[row.rpartition("_")[2]]
                terms.append([bits / total for bits in terms_of_layer.counts])
                wanted.append((figure - terms_of_layer.constant) / total)
    if not terms:
        return (0.0,) * len(fitted.ROWS[row](Pace(designs[0].design), designs[0].design.layers[0]).counts)
    solved, _ = nnls(np.array(terms), np.array(wanted))
    return tuple(float(coefficient) for coefficient in solved)


def by_network(design: Measured) -> Hashable:
    return design.network


def by_design(design: Measured) -> Hashable:
    return design.network, design.variant


def cross_validate(designs: Sequence[Measured], group: Callable[[Measured], Hashable]) -> list[Checked]:
    """Each design, estimated by what was fitted to those of other groups; the intervals are fitted without it too."""
    checks = []
    for design in designs:
        coefficients = fit([other for other in designs if group(other) != group(design)])
        checks.append(check(design, coefficients))
    return checks


def _left_out(designs: Sequence[Measured], group: Callable[[Measured], Hashable]) -> list[Checked]:
    """As `cross_validate`, without intervals."""
    checks = []
    for left in dict.fromkeys(map(group, designs)):
        coefficients = _fit_values([other for other in designs if group(other) != left])
        checks += [check(design, coefficients) for design in designs if group(design) == left]
    return checks


def check(design: Measured, coefficients: Coefficients) -> Checked:
    """Compare an estimate with the report."""
    made = estimate(design.design, coefficients).figures
    held = {name: made[name].low <= design.total[name] <= made[name].high for name in METRICS}
    return Checked(design, {name: made[name].value for name in METRICS}, held)


def _spread(checks: Sequence[Checked]) -> dict[str, float]:
    """Metric → the logarithm of the factor that `COVERAGE` of designs that were left out stay within.

    Source: split conformal prediction, whose quantile of n errors is the ceil((n + 1) * coverage)-th smallest one
    (A. Angelopoulos and S. Bates, "Conformal Prediction: A Gentle Introduction", 2023). Designs of one network are
    alike, so that n counts for less than it is: the next larger error is taken.
    """
    rank = min(len(checks), math.ceil((len(checks) + 1) * COVERAGE) + 1)
    return {name: max(FLOOR, sorted(_off(checked, name) for checked in checks)[rank - 1]) for name in METRICS}


def _off(check: Checked, metric: str) -> float:
    estimated, reported = check.estimated[metric], check.measured.total[metric]
    if not estimated or not reported:
        return 0.0 if estimated == reported else math.inf
    return abs(math.log(estimated / reported))


def summary(checks: Sequence[Checked]) -> dict[str, tuple[float, float, float]]:
    """Metric → mean symmetric error, largest one, and share of designs that the interval holds."""
    return {
        name: (
            sum(checked.error(name) for checked in checks) / len(checks),
            max(checked.error(name) for checked in checks),
            sum(checked.held[name] for checked in checks) / len(checks),
        )
        for name in METRICS
    }
