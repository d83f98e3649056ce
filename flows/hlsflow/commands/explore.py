"""The command `hlsflow explore`: its arguments, and what it says in the end.

In: the command line. Out: a `Request` carried out by `hlsflow.explore.run`.
"""

from __future__ import annotations

import argparse
import math
import re
from typing import TYPE_CHECKING, Any

from hlsflow.commands import project, screen
from hlsflow.core.errors import ProjectError
from hlsflow.project import Project

if TYPE_CHECKING:
    from hlsflow.explore.outcome import Outcome
    from hlsflow.explore.request import Request

METRICS = ("latency_cycles", "ii", "lut", "ff", "dsp", "bram")
SHORT = {"latency": "latency_cycles"}
"""What users call a metric → its name."""

EPILOG = """\
Examples:
  hlsflow explore projects/digits                                  the Pareto front of latency and LUT
  hlsflow explore projects/digits --pareto ii,lut,dsp --part xc7a35t --utilisation 0.7
  hlsflow explore projects/digits --minimize latency --max lut=8000 --max dsp=40
  hlsflow explore projects/digits --minimize lut=1,dsp=100 --throughput 1e6
"""


def add_to(commands: Any) -> None:
    """Add the command to those of the command line."""
    parser = commands.add_parser(
        "explore",
        help="the best knobs for each layer within a budget, proved and measured",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    project.add_to(parser)
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument("--pareto", metavar="A,B[,C]", help="metrics of the front (default: latency,lut)")
    wanted.add_argument("--minimize", metavar="A[=w,B=w…]", help="one optimum of a metric, or of a weighted sum")
    parser.add_argument(
        "--max", action="append", default=[], metavar="A=N", help=f"a limit; metrics: {', '.join(METRICS)}"
    )
    parser.add_argument("--part", help="what a part offers is the limit, such as xc7a35t or LFE5U-45F-6BG381C")
    parser.add_argument(
        "--utilisation", type=float, default=1.0, help="share of the part that may be used (default: 1)"
    )
    parser.add_argument(
        "--throughput", type=float, metavar="N", help="inferences a second at the project's clock, at least"
    )
    parser.add_argument(
        "--family", choices=("xc7", "xcup", "ecp5"), help="default: that of the part, or the project's first"
    )
    parser.add_argument("--confirm", type=int, default=3, metavar="N", help="points to synthesize whole (default: 3)")
    parser.add_argument("--points", type=int, metavar="N", help="end a front after so many points")
    parser.add_argument("--cluster", help="local, tcp://host:port, slurm or htcondor, instead of the project's")
    parser.add_argument(
        "--engine",
        choices=("open", "vitis"),
        default="open",
        help="who measures layers: the open RTL and Yosys (default), or hls4ml and csynth of Vitis HLS",
    )
    parser.add_argument(
        "--fine-tune", type=int, metavar="POINT", help="train the narrowed network of a point some more"
    )
    screen.add_json(parser)
    parser.set_defaults(command=lambda arguments: _explore(arguments, project.project_of(arguments)))


def _explore(arguments: argparse.Namespace, project: Project) -> None:
    from hlsflow.explore.run import explore, fine_tune
    from hlsflow.explore.tables import confirmation_table, points_table, routed_table
    from hlsflow.explore.vendor import explore_vendor
    from hlsflow.explore.verdict import compared
    from hlsflow.explore.written import to_json
    from hlsflow.report.document import Text

    ask = explore_vendor if arguments.engine == "vitis" else explore
    outcome, folder = ask(project, request(arguments), arguments.build, jobs=arguments.jobs)
    _tell(outcome)
    screen.say_tables(points_table(outcome))
    if outcome.confirmed:
        screen.say_tables(confirmation_table(outcome), Text(compared(outcome)))
    if outcome.routed:
        screen.say_tables(routed_table(outcome))
    if arguments.fine_tune is not None:
        if not 1 <= arguments.fine_tune <= len(outcome.files):
            raise ProjectError(f"there is no point {arguments.fine_tune}", f"write 1 to {len(outcome.files)}")
        screen.say(
            f"\nfine-tuned; measure it by: hlsflow run {fine_tune(project, outcome, folder, arguments.fine_tune)}"
        )
    screen.say(f"\npage, tables, charts and a project file for each point: {folder}")
    if arguments.json:
        screen.say_json(arguments, to_json(outcome))


def _tell(outcome: Outcome) -> None:
    """The summary, and the verdict in its colour where the terminal has any."""
    from rich.text import Text

    from hlsflow.explore.tables import summary_lines
    from hlsflow.explore.verdict import judged
    from hlsflow.report.markdown import verdict_lines
    from hlsflow.report.terminal import COLOURS

    verdict = judged(outcome)
    for line in summary_lines(outcome):
        coloured = line == verdict_lines(verdict)[0]
        screen.say(f"- {line}", Text(f"- {line}", style=COLOURS[verdict.tone]) if coloured else None)


def request(arguments: argparse.Namespace) -> Request:
    """The request that the arguments make; raises ProjectError."""
    from hlsflow.explore.request import Request

    front = () if arguments.minimize else tuple(metric(name) for name in (arguments.pareto or "latency,lut").split(","))
    return Request(
        front=front,
        objective=dict(_weight(word) for word in arguments.minimize.split(",")) if arguments.minimize else {},
        limits=dict(_limit(word) for word in arguments.max),
        part=arguments.part,
        utilisation=arguments.utilisation,
        per_second=arguments.throughput,
        family=arguments.family,
        confirm=arguments.confirm,
        most=arguments.points,
        cluster=arguments.cluster,
        fine_tune=arguments.fine_tune,
    )


def metric(name: str) -> str:
    """The metric that a user means; raises ProjectError."""
    metric_name = SHORT.get(name.strip(), name.strip())
    if metric_name not in METRICS:
        raise ProjectError(f"'{name}' is no metric to search by", f"metrics: {', '.join((*SHORT, *METRICS))}")
    return metric_name


def _weight(word: str) -> tuple[str, float]:
    name, _, weight = word.partition("=")
    try:
        value = float(weight or 1)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ProjectError(f"--minimize {word}: {weight} is no weight", "write for example lut=1,dsp=100")
    return metric(name), value


def _limit(word: str) -> tuple[str, int]:
    name, _, value = word.partition("=")
    if not re.fullmatch(r"[0-9_]{1,18}", value) or not value.strip("_"):
        raise ProjectError(f"--max {word} is no limit", "write for example --max lut=8000")
    return metric(name), int(value.replace("_", ""))
