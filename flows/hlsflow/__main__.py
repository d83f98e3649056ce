"""The command line: reads arguments, calls the pipeline, turns errors into one message and an exit code.

Exit codes: 0 done; 2 something in the project, model or data is not usable; 3 the gate failed; 4 a tool is missing; 5 a
tool failed; 6 the disk, or an output that takes no more; 7 a figure moved beyond its baseline; 130 interrupted; 141 who
reads the output has gone; 1 any other error. What takes time to import is imported by the functions, so that Ctrl-C
ends in 130 there too.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from hlsflow import __version__
from hlsflow.core import output
from hlsflow.core.errors import FlowError, GateFailed, ReaderGone, StorageError, first_line

INTERRUPTED = 130
STOPPED = "interrupted; what was finished is kept, run the same command to go on"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    with output.guarded():
        try:
            _command(argv)
        except ReaderGone as error:
            return error.exit_code
        except FlowError as error:
            _tell(error, str(error))
            return error.exit_code
        except OSError as error:
            _tell(error, str(_refused(error)))
            return StorageError.exit_code
        except KeyboardInterrupt as error:
            _tell(error, STOPPED)
            return INTERRUPTED
    return 0


def _tell(error: BaseException, text: str) -> None:
    """Say what ended the command, and where its log is."""
    print("\n  ".join([f"hlsflow: {text}", *getattr(error, "__notes__", ())]), file=sys.stderr)


def _command(argv: Sequence[str] | None) -> None:
    """Read the arguments and do what they say; the output is complete then, also that of `--help`."""
    try:
        arguments = _parser().parse_args(argv)
        _require_working_folder()
        _carry_out(arguments, sys.argv[1:] if argv is None else argv)
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()


def _carry_out(arguments: argparse.Namespace, words: Sequence[str]) -> None:
    """Do what the arguments say, and keep a log of it where the command has a place for one."""
    from hlsflow.commands import screen

    command: Callable[[argparse.Namespace], None] = arguments.command
    with screen.shown(arguments, words):
        try:
            command(arguments)
        except (FlowError, OSError, KeyboardInterrupt) as error:
            screen.log_failure(error, STOPPED if isinstance(error, KeyboardInterrupt) else str(error))
            raise


def _require_working_folder() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise StorageError("the working folder has been deleted", "cd to one that exists") from None


def _refused(error: OSError) -> StorageError:
    """What the operating system refused, where nothing nearer knows of it."""
    where = f"{error.filename}: " if error.filename else ""
    hint = "check that the file or folder is there and that you may use it; finished steps are kept"
    return StorageError(f"{where}{error.strerror or first_line(error)}", hint)


def _parser() -> argparse.ArgumentParser:
    import shtab

    from hlsflow.commands import (
        build,
        cache,
        clean,
        doctor,
        estimate,
        explore,
        new,
        project,
        report,
        screen,
        search,
        track,
    )
    from hlsflow.commands.words import Parser, leaves

    parser = Parser(prog="hlsflow", description="From QKeras training to a measured FPGA design.")
    parser.add_argument("--version", action="version", version=f"hlsflow {__version__}")
    shtab.add_argument_to(parser, "--print-completion", help="print a script that completes words in your shell")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="train, translate, compare, emit RTL, simulate, synthesize, report")
    project.add_to(run)
    project.add_target_to(run)
    screen.add_json(run)
    track.add_to(run)
    run.set_defaults(command=_run)
    check = commands.add_parser(
        "check", help="the gate alone: file = frozen network = C-simulation = oracle; or figures against a baseline"
    )
    project.add_to(check)
    project.add_target_to(check)
    report.add_baseline_to(check)
    screen.add_json(check)
    check.set_defaults(command=_check)
    new.add_to(commands)
    explore.add_to(commands)
    search.add_to(commands)
    cache.add_to(commands)
    clean.add_to(commands)
    report.add_to(commands)
    build.add_to(commands)
    estimate.add_to(commands)
    doctor.add_to(commands)
    for command in leaves(parser):
        screen.add_verbosity(command)
    return parser


def _run(arguments: argparse.Namespace) -> None:
    from hlsflow.commands import project, screen, track
    from hlsflow.core.progress import Progress
    from hlsflow.pipeline.run import STEPS, run
    from hlsflow.pipeline.software import train_with_chief

    tracked = track.tracker(arguments.track) if arguments.track else None
    chosen = project.project_of(arguments)
    if not train_with_chief(chosen, Progress()):
        screen.say_report(arguments, run(chosen, arguments.build, STEPS, jobs=arguments.jobs).report)
        if tracked is not None:
            screen.say(tracked((arguments.build / chosen.name / "latest").resolve()))


def _check(arguments: argparse.Namespace) -> None:
    from hlsflow.commands import project, report, screen
    from hlsflow.core.progress import Progress
    from hlsflow.pipeline.outcome import report_check
    from hlsflow.pipeline.run import CHECK_STEPS, run
    from hlsflow.pipeline.software import train_with_chief
    from hlsflow.report import quality

    if arguments.baseline or arguments.write_baseline:
        report.check_baseline(arguments)
        return
    chosen = project.project_of(arguments)
    if train_with_chief(chosen, Progress()):
        return
    results = run(chosen, arguments.build, (*CHECK_STEPS, report_check), jobs=arguments.jobs)
    file = results.gate.file if results.gate is not None else None
    Progress().result("\n".join(quality.lines(results.metrics, file.of_frozen if file is not None else None)))
    screen.say_report(arguments, results.report)
    if results.gate is not None and results.gate.not_run:
        hint = "check the network with target.backend = 'vitis'"
        raise GateFailed(f"bit-exactness is not shown: C-simulation {results.gate.not_run}", hint)


if __name__ == "__main__":
    sys.exit(main())
