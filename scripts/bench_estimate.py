"""How well csynth is estimated before it runs: cross-validated errors, how often intervals hold, and time.

Every figure is of a design that nothing was fitted to: all coefficients and intervals are fitted again without it, once
without that one design, once without all designs of its network. The error is symmetric: twice the difference over the
sum (SMAPE in the mean).

Prints a Markdown table.

    scripts/bench_estimate
    scripts/bench_estimate --network HAR mnist CARDIO      # errors of these alone; the fit still takes all others
    scripts/bench_estimate --each                          # every design
    scripts/bench_estimate --write                         # also fit to all designs and write the coefficients
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence

from hlsflow.core import templates
from hlsflow.estimate import METRICS, estimate, fitted
from hlsflow.estimate.calibration import (
    Checked,
    Measured,
    by_design,
    by_network,
    cross_validate,
    fit,
    measured,
    summary,
)
from hlsflow.report.markdown import table

SCHEMES = (("one design", by_design), ("one network", by_network))
REPEATS = 20


def main() -> None:
    arguments = _arguments()
    designs = measured()
    wanted = arguments.network or sorted({design.network for design in designs})
    checks = {
        name: [one for one in cross_validate(designs, group) if one.measured.network in wanted]
        for name, group in SCHEMES
    }
    print(_summary(checks))
    print(f"\n{len(checks['one design'])} designs of {', '.join(wanted)}; {_milliseconds(designs):.2f} ms an estimate.")
    if arguments.each:
        print("\n" + _each(checks["one network"]))
    if arguments.write:
        path = templates.path(fitted.FILE)
        path.write_text(json.dumps(fit(designs).to_json(), indent=1) + "\n", encoding="utf-8")
        print(f"\nwrote {path}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", nargs="+", help="networks whose errors are shown (default: all)")
    parser.add_argument("--each", action="store_true", help="show every design")
    parser.add_argument("--write", action="store_true", help="write the coefficients that hlsflow comes with")
    return parser.parse_args()


def _summary(checks: dict[str, list[Checked]]) -> str:
    head = ["estimated"]
    for name in checks:
        head += [f"SMAPE without {name}", "largest", "exact", "in 90 % interval"]
    rows = []
    for metric in METRICS:
        row = [metric]
        for found in checks.values():
            mean, largest, held = summary(found)[metric]
            exact = sum(one.error(metric) == 0 for one in found)
            row += [f"{mean:.1%}", f"{largest:.1%}", f"{exact} of {len(found)}", f"{held:.0%}"]
        rows.append(row)
    return table(head, rows)


def _each(checks: Sequence[Checked]) -> str:
    rows = [
        [one.measured.network, one.measured.variant]
        + [f"{one.estimated[metric]:,.0f} / {one.measured.total[metric]:,.0f}" for metric in METRICS]
        for one in checks
    ]
    return table(["network", "multipliers, R", *(f"{metric}: estimated / csynth" for metric in METRICS)], rows)


def _milliseconds(designs: Sequence[Measured]) -> float:
    start = time.perf_counter()
    for _ in range(REPEATS):
        for design in designs:
            estimate(design.design)
    return (time.perf_counter() - start) * 1e3 / REPEATS / len(designs)


if __name__ == "__main__":
    main()
