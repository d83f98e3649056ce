"""The command line: reads arguments, calls the pipeline, turns errors into one message and an exit code.

Exit codes: 0 done; 2 something in the project, model or data is not usable; 3 not bit-exact; 4 a tool is missing; 5 a
tool failed; 6 the disk, or an output that takes no more; 7 a figure moved beyond its baseline; 130 interrupted; 141 who
reads the output has gone; 1 any other error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import shtab

from hlsflow import __version__
from hlsflow.commands import build, cache, clean, doctor, estimate, explore, report, search, subject
from hlsflow.core import output
from hlsflow.core.errors import FlowError, GateFailed, ProjectError, ReaderGone, StorageError, said
from hlsflow.core.progress import Progress
from hlsflow.project import Project, for_model, load
from hlsflow.project.gate import tolerance

INTERRUPTED = 130
DEFAULT_REUSE_FACTORS = (16, 64)
"""Measured for a model file when none are given."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    with output.guarded():
        try:
            _command(argv)
        except ReaderGone as error:
            return error.exit_code
        except FlowError as error:
            print(f"hlsflow: {error}", file=sys.stderr)
            return error.exit_code
        except OSError as error:
            print(f"hlsflow: {_refused(error)}", file=sys.stderr)
            return StorageError.exit_code
        except KeyboardInterrupt:
            print("hlsflow: interrupted; what was finished is kept, run the same command to go on", file=sys.stderr)
            return INTERRUPTED
    return 0


def _command(argv: Sequence[str] | None) -> None:
    """Read the arguments and do what they say; the output is complete then, also that of `--help`."""
    try:
        arguments = _parser().parse_args(argv)
        command: Callable[[argparse.Namespace], None] = arguments.command
        command(arguments)
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()


def _refused(error: OSError) -> StorageError:
    """What the operating system refused, where nothing nearer knows of it."""
    where = f"{error.filename}: " if error.filename else ""
    hint = "check that the file or folder is there and that you may use it; finished steps are kept"
    return StorageError(f"{where}{error.strerror or said(error)}", hint)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hlsflow", description="From QKeras training to a measured FPGA design.")
    parser.add_argument("--version", action="version", version=f"hlsflow {__version__}")
    shtab.add_argument_to(parser, "--print-completion", help="print a script that completes words in your shell")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="train, translate, prove bit-exact, emit RTL, simulate, synthesize, report")
    _add_project_arguments(run)
    run.set_defaults(command=_run)
    check = commands.add_parser(
        "check", help="the bit-exactness gate alone: QKeras = C-simulation = oracle; or figures against a baseline"
    )
    _add_project_arguments(check)
    report.add_baseline_to(check)
    check.set_defaults(command=_check)
    new = commands.add_parser("new", help="make a project folder to start from")
    new.add_argument("folder", type=Path, help="folder of the new project, such as projects/mine")
    new.set_defaults(command=_new)
    explore.add_to(commands, _add_project_arguments, _project)
    search.add_to(commands, _add_project_arguments, _project)
    cache.add_to(commands)
    clean.add_to(commands)
    report.add_to(commands)
    build.add_to(commands, _add_project_arguments, _project)
    estimate.add_to(commands, _add_project_arguments, _project, _reuse_factors)
    look = commands.add_parser("doctor", help="which tools are here, and what each enables")
    look.set_defaults(command=_doctor)
    return parser


def _add_project_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "project", type=Path, help="a project folder, or a QKeras model (.h5, .keras); with --bits a float one"
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="X.npz",
        help="samples for a model file: arrays x and, if known, y; or .csv, .parquet",
    )
    parser.add_argument(
        "--input-precision", metavar="TYPE", help="input quantizer for a model file, such as fixed<10,4>"
    )
    parser.add_argument("--bits", type=int, metavar="N", help="the model file is a float one: quantize it to N bits")
    parser.add_argument(
        "--tolerance",
        metavar="0 or NAME=N,…",
        help="what may differ from a model file: classes=0.1,accuracy=0.1,range=1 (per cent, points, per cent)",
    )
    parser.add_argument("--reuse-factor", metavar="R,R,…", help="reuse factors to measure, instead of the project's")
    parser.add_argument("--allow-lambda", action="store_true", help="run code that a model file's Lambda layers carry")
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder for all results (default: build)")
    parser.add_argument("--jobs", type=_jobs, default=0, help="external tools at once (default: one per processor)")


def _jobs(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of tools: write 1 or more")
    return int(text)


def _run(arguments: argparse.Namespace) -> None:
    from hlsflow.pipeline.run import STEPS, run
    from hlsflow.pipeline.software import train_with_chief

    project = _project(arguments)
    if not train_with_chief(project, Progress()):
        run(project, arguments.build, STEPS, jobs=arguments.jobs)


def _check(arguments: argparse.Namespace) -> None:
    from hlsflow.pipeline.run import CHECK_STEPS, run
    from hlsflow.pipeline.software import train_with_chief

    if arguments.baseline or arguments.write_baseline:
        report.check_baseline(arguments)
        return
    project = _project(arguments)
    if train_with_chief(project, Progress()):
        return
    gate = run(project, arguments.build, CHECK_STEPS, jobs=arguments.jobs).gate
    if gate is not None and gate.not_run:
        hint = "check the network with target.backend = 'vitis'"
        raise GateFailed(f"bit-exactness is not shown: C-simulation {gate.not_run}", hint)


def _doctor(arguments: argparse.Namespace) -> None:
    print(doctor.render(doctor.checkup()))


def _new(arguments: argparse.Namespace) -> None:
    from hlsflow.project.scaffold import scaffold

    for file in scaffold(arguments.folder):
        print(f"wrote {file}")
    print(f"now run: hlsflow run {arguments.folder}")


def _project(arguments: argparse.Namespace) -> Project:
    factors = _reuse_factors(arguments.reuse_factor)
    if arguments.project.suffix in subject.MODELS:
        return _model_project(arguments, factors)
    subject.require_project(arguments.project)
    for option in ("data", "input_precision", "bits", "allow_lambda", "tolerance"):
        if getattr(arguments, option):
            name = option.replace("_", "-")
            raise ProjectError(f"--{name} goes with a model file, not with a project", "set it in project.toml instead")
    project = load(arguments.project)
    return project.sweeping(factors) if factors else project


def _model_project(arguments: argparse.Namespace, factors: tuple[int, ...]) -> Project:
    from hlsflow.data import natural_grid

    if not arguments.project.is_file():
        raise ProjectError(f"there is no model file {arguments.project}", "name a QKeras model saved as .h5 or .keras")
    if arguments.data is None:
        raise ProjectError(
            f"{arguments.project} needs samples to be checked with", "add --data X.npz (array x, perhaps y)"
        )
    precision = arguments.input_precision or str(natural_grid(arguments.data))
    if arguments.input_precision is None:
        Progress().say(
            f"input quantizer {precision}: the narrowest that holds every sample of {arguments.data} exactly"
        )
    factors = factors or DEFAULT_REUSE_FACTORS
    limits = tolerance(arguments.tolerance) if arguments.tolerance else None
    trusted, bits = arguments.allow_lambda, arguments.bits
    return for_model(arguments.project, arguments.data, precision, factors, trusted, bits, limits)


def _reuse_factors(text: str | None) -> tuple[int, ...]:
    try:
        factors = tuple(int(word) for word in text.split(",")) if text else ()
    except ValueError:
        raise ProjectError(f"--reuse-factor {text} is no list of whole numbers", "write for example 16,32,64") from None
    if any(factor < 1 for factor in factors):
        raise ProjectError(f"--reuse-factor {text}: a reuse factor is 1 or more", "write for example 16,32,64")
    return factors


if __name__ == "__main__":
    sys.exit(main())
