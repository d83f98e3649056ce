"""Drive any toolchain: start its programs, watch them, keep what they have finished, and read what they say.

In: a toolchain, a project's folder, steps, limits. Out: `MetricSet`; beside the project, in `hlsflow_logs/`, the
complete log of every run and a record of every finished step. A step is not run again while its scripts, its inputs and
its tool are the same and what it left is still there and can be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain as joined
from itertools import count
from pathlib import Path

from hlsflow.core.errors import DataError, FlowError, ProjectError, ToolFailed
from hlsflow.core.metrics import MetricSet
from hlsflow.core.progress import Progress, duration
from hlsflow.core.store import digest, file_digest, locked, write_text
from hlsflow.toolchains import licences, process
from hlsflow.toolchains.chain import LOGS, Call, Settings, Step, Toolchain
from hlsflow.toolchains.monitor import GIB, Limits, Monitor
from hlsflow.toolchains.reports.report import UNKNOWN, Report
from hlsflow.toolchains.tool import Tool

__all__ = ["Limits", "Outcome", "run"]


@dataclass(frozen=True)
class Outcome:
    """What a drive has come to.

    Attributes:
        reports: of all steps asked for, in their order.
        ran: the steps that were run; the others had been finished before.
    """

    reports: tuple[Report, ...]
    ran: tuple[Step, ...]

    @property
    def metrics(self) -> MetricSet:
        return MetricSet(tuple(joined.from_iterable(report.metrics for report in self.reports)))


@dataclass(frozen=True)
class _Drive:
    """What all calls of a drive share."""

    chain: Toolchain
    tool: Tool
    folder: Path
    limits: Limits
    progress: Progress | None

    def say(self, text: str) -> None:
        if self.progress is not None:
            self.progress.say(text)

    def title(self, call: Call) -> str:
        return f"{self.chain.title} {call.step}"

    def record(self, call: Call) -> Path:
        return self.folder / LOGS / f"{self.chain.name}-{call.step}.json"


def run(
    chain: Toolchain,
    folder: Path,
    steps: Sequence[Step],
    *,
    limits: Limits | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Take a project through steps of a toolchain.

    Args:
        chain: the toolchain.
        folder: of the project; scripts, logs and results are written into it.
        steps: in any order; what they need of earlier steps must be there or among them.
        limits: of each call.
        settings: of the calls.
        progress: where to report; None: nowhere, for runs in parallel that are reported together.
    Raises:
        ProjectError: a step that the toolchain does not have. DataError: the folder is no such project.
        ToolMissing: the tool, or a licence of it, is not there.
        ToolFailed: it failed, broke a limit, or left no usable report; later steps were not started.
        StorageError: the disk is full.
    """
    unknown = [step for step in steps if step not in chain.steps]
    if unknown:
        raise ProjectError(f"{chain.title} has no step {unknown[0]}", f"it has: {', '.join(chain.steps)}")
    drive = _Drive(chain, chain.find(), folder.absolute(), limits or Limits(), progress)
    ordered = [step for step in Step if step in steps]
    calls = chain.calls(drive.folder, ordered, drive.tool, settings or Settings())
    process.make_folder(drive.folder / LOGS)
    with locked(drive.folder / LOGS / ".lock", f"another run works in {drive.folder}, waiting for it", drive.say):
        return _all(drive, calls)


def _all(drive: _Drive, calls: Sequence[Call]) -> Outcome:
    """Every call in turn; after one that was run, what follows from it is run too."""
    reports: list[Report] = []
    ran: list[Step] = []
    for call in calls:
        of_call = None if ran else _finished(drive, call)
        if of_call is None:
            of_call = _do(drive, call)
            ran.append(call.step)
        reports += of_call
    return Outcome(tuple(reports), tuple(ran))


def _finished(drive: _Drive, call: Call) -> Sequence[Report] | None:
    """What a step says that was finished by an earlier run and is still good; None when it must be run."""
    try:
        record = json.loads(drive.record(call).read_text(encoding="utf-8"))
        if record["key"] != _key(drive, call) or record["left"] != _left(drive, call):
            return None
        reports = _reports(drive, call)
    except (OSError, ValueError, KeyError, TypeError, FlowError):
        return None
    drive.say(f"{drive.title(call)}: finished by an earlier run of {drive.tool.label}, and nothing has changed since")
    return reports


def _do(drive: _Drive, call: Call) -> Sequence[Report]:
    """Run a call to its end, judge it, read what it says, and keep a record of that."""
    drive.record(call).unlink(missing_ok=True)
    for name in call.leaves:
        process.remove(drive.folder / name)
    process.write_files(drive.folder, call.files)
    log, key = drive.folder / call.log, _key(drive, call)
    _keep_earlier(log)
    with licences.held(call.licence, drive.limits.licences, drive.say):
        finished, peak = _run(drive, call, log)
    drive.chain.verdict(call, finished, drive.folder)
    with process.results_of(drive.title(call), drive.folder):
        reports = _reports(drive, call)
    record = {"key": key, "left": _left(drive, call), "tool": drive.tool.label}
    write_text(drive.record(call), json.dumps(record | {"seconds": round(finished.seconds, 3)}, indent=1))
    memory = f", {peak / GIB:.2g} GiB of memory at most" if peak else ""
    drive.say(f"{drive.title(call)}: done in {duration(finished.seconds)}{memory}")
    return reports


def _run(drive: _Drive, call: Call, log: Path) -> tuple[process.Finished, int]:
    """How the program ended, and the bytes of memory it took at most."""
    live = drive.progress.live(drive.title(call)) if drive.progress else nullcontext(lambda phase, remark: None)
    with live as tell:
        layer_of = partial(drive.chain.layer_of, drive.folder)
        monitor = Monitor(drive.title(call), call, layer_of, log, drive.limits, tell, drive.say)
        finished = process.run(
            call.argv,
            folder=drive.folder,
            log=log,
            timeout_s=drive.limits.timeout_s + process.PULSE_S * 4,  # the monitor is first, and says more
            tool=drive.title(call),
            env=call.env,
            check=False,
            watch=monitor,
        )
    return finished, monitor.peak


def _reports(drive: _Drive, call: Call) -> Sequence[Report]:
    """What the step's files say; raises ToolFailed when one cannot be used, or is of another release."""
    try:
        reports = [_stamped(report, drive.tool) for report in drive.chain.reports(drive.folder, call.step)]
    except DataError as error:
        raise ToolFailed(f"{drive.title(call)} left no usable report: {error.message}", error.hint) from error
    for report in reports:
        if report.tool == drive.tool.name and not _same(report.version, drive.tool.version):
            raise ToolFailed(
                f"{report.file} is by {report.tool} {report.version}, not by {drive.tool.version}",
                "reports are mixed up: delete it and run again",
            )
    return reports


def _stamped(report: Report, tool: Tool) -> Report:
    """The same with the tool's release, where the report names none."""
    named = (
        replace(figure, version=tool.version) if figure.version == UNKNOWN else figure for figure in report.metrics
    )
    return replace(report, metrics=MetricSet(tuple(named)))


def _same(version: str, other: str) -> bool:
    """Whether two texts name the same release; reports may leave out the last number."""
    return version == UNKNOWN or version.startswith(other) or other.startswith(version)


def _key(drive: _Drive, call: Call) -> str:
    """Everything that the result of a call depends on."""
    inputs = {file for pattern in call.reads for file in drive.folder.glob(pattern) if file.is_file()}
    content = {file.relative_to(drive.folder).as_posix(): file_digest(file) for file in sorted(inputs)}
    own = {"arguments": call.argv[1:], "files": dict(call.files), "env": dict(call.env)}
    return digest(own | {"inputs": content, "tool": drive.tool.identity})


def _left(drive: _Drive, call: Call) -> Mapping[str, str]:
    """File → digest of everything a call leaves; raises OSError when some of it is missing."""
    return {
        file.relative_to(drive.folder).as_posix(): file_digest(file)
        for name in call.leaves
        for file in _files(drive.folder / name)
    }


def _files(path: Path) -> Iterator[Path]:
    yield from (sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,))


def _keep_earlier(log: Path) -> None:
    """Give the log of an earlier run a number of its own."""
    if log.exists():
        free = next(number for number in count(1) if not log.with_suffix(f".{number}.log").exists())
        log.rename(log.with_suffix(f".{free}.log"))
