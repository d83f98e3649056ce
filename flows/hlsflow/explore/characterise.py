"""Measures parts: each different one is synthesized once, in parallel, on this machine or on a cluster.

In: parts (Verilog) and a device family. Out: their `Measurement`s, from the cache or from Yosys. Interrupted work goes
on where it stopped, since every part is stored as soon as it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from hlsflow.core.choices import Family
from hlsflow.core.errors import FlowError, ToolFailed
from hlsflow.core.progress import Progress
from hlsflow.explore.cache import Cache, Measurement, key_of
from hlsflow.explore.clock import Clock
from hlsflow.explore.cluster import Cluster
from hlsflow.explore.forecast import NOTHING, Later
from hlsflow.explore.worker import Outcome, Task, run
from hlsflow.rtl.emit import for_family
from hlsflow.rtl.parts import Part
from hlsflow.toolchains import yosys
from hlsflow.toolchains.yosys import SynthPlan

if TYPE_CHECKING:
    from distributed import Client

NAMED_FAILURES = 5


def size_of(part: Part) -> float:
    """How long a part may take, in a unit of no meaning: the size of its Verilog."""
    return float(sum(len(text) for text in part.files.values()))


@dataclass(frozen=True)
class _Job:
    """A part that is missing, and how long it is expected to take (in the caller's unit)."""

    part: Part
    key: str
    plan: SynthPlan
    expected: float


@dataclass(frozen=True)
class _Failure:
    """A part that could not be measured, and why."""

    part: str
    error: FlowError


def measure(
    parts: Sequence[Part],
    family: Family,
    cache: Cache,
    cluster: Cluster,
    progress: Progress,
    on_result: Callable[[Part, Measurement], None] | None = None,
    expected: Callable[[Part], float] = size_of,
    quick: bool = False,
    later: Later = NOTHING,
) -> list[Measurement]:
    """What parts cost on a family.

    Equal parts are one measurement; workers are started only if one is missing. Parts that are expected to take long
    come first. When some fail the others are measured all the same.

    Args:
        parts: to measure.
        family: to map to.
        cache: where measurements are kept.
        cluster: who synthesizes.
        progress: where to report.
        on_result: called for every different part as soon as its measurement is known.
        expected: how long a part takes compared to others, more than 0.
        quick: synthesize by `yosys.quick` where that works: faster, with some LUTs more or less.
        later: what is to be synthesized after these, in the unit of `expected`.
    Returns:
        the measurements in the order of `parts`.
    Raises:
        ToolFailed, StorageError, ToolMissing: parts failed; names the first one and its log.
    """
    asked = [_job(part, family, expected, quick) for part in parts]
    jobs = {job.key: job for job in reversed(asked)}
    measured: dict[str, Measurement] = {}

    def take(job: _Job, measurement: Measurement) -> None:
        measured[job.key] = measurement
        if on_result is not None:
            on_result(job.part, measurement)

    for job in jobs.values():
        stored = cache.get(job.key)
        if stored is not None:
            take(job, stored)
    missing = sorted((job for key, job in jobs.items() if key not in measured), key=lambda job: -job.expected)
    if missing:
        _synthesize(missing, len(measured), cache, cluster, progress, take, later)
    return [measured[job.key] for job in asked]


def _job(part: Part, family: Family, expected: Callable[[Part], float], quick: bool) -> _Job:
    full = yosys.plan(for_family(part.files, family), part.top, family)
    plan = (yosys.quick(full) if quick else None) or full
    return _Job(part, key_of(plan), plan, expected(part))


def _synthesize(
    jobs: Sequence[_Job],
    stored: int,
    cache: Cache,
    cluster: Cluster,
    progress: Progress,
    take: Callable[[_Job, Measurement], None],
    later: Later,
) -> None:
    """Measure what is missing; raises the failures when all is done."""
    client = cluster.client()
    if not _workers(client):
        progress.say(f"waiting for the workers of {cluster.where}")
    clock = Clock([job.expected for job in jobs], cluster.pace, lambda: _workers(client), later)
    failures, fresh = [], 0
    with progress.track("measure parts", stored + len(jobs), stored, timed=False) as advance:
        for job, outcome in _outcomes(client, jobs, cache):
            for text in outcome.notes:
                progress.say(text)
            if outcome.measurement is None:
                failures.append(_failure(job, outcome, cache))
            else:
                if not outcome.stored:
                    cache.put(outcome.measurement)
                take(job, outcome.measurement)
            fresh += outcome.fresh
            seconds = outcome.measurement.seconds if outcome.measurement is not None and outcome.fresh else None
            advance(f"{job.part.name} {clock.after(job.expected, seconds)}".rstrip())
    others = len(jobs) - fresh - len(failures)
    elsewhere = f", {others} meanwhile by another run" if others else ""
    progress.say(f"parts: {stored} known, {fresh} synthesized{elsewhere}, {len(failures)} failed")
    if failures:
        raise _joined(failures)


def _outcomes(client: Client, jobs: Sequence[_Job], cache: Cache) -> Iterator[tuple[_Job, Outcome]]:
    """Every job with what became of it, as they finish; those that another run is at come last."""
    busy = []
    for job, outcome in _submitted(client, jobs, cache, wait=False):
        if outcome.measurement is None and outcome.error is None:
            busy.append(job)
        else:
            yield job, outcome
    yield from _submitted(client, busy, cache, wait=True)


def _submitted(client: Client, jobs: Sequence[_Job], cache: Cache, wait: bool) -> Iterator[tuple[_Job, Outcome]]:
    from distributed import as_completed

    futures: dict[Any, _Job] = {}
    try:
        for job in jobs:
            task = Task(job.key, job.part.name, job.plan, cache.root, cache.identity, wait)
            name = f"hlsflow-{'wait' if wait else 'measure'}", job.key
            futures[client.submit(run, task, key=name, priority=job.expected)] = job
        for future in as_completed(list(futures), loop=client.loop):  # type: ignore[no-untyped-call]
            yield futures.pop(future), _result(future)
    finally:
        if futures:
            client.cancel(list(futures))  # type: ignore[no-untyped-call]


def _result(future: Any) -> Outcome:
    """What a worker handed back; that its workers died again and again, or the scheduler is gone, is a failure."""
    from distributed import KilledWorker

    try:
        return cast(Outcome, future.result())
    except (KilledWorker, CancelledError, OSError) as error:
        message = f"its workers were lost ({type(error).__name__}: {error})"
        return Outcome(error=ToolFailed(message, "look into the logs of the cluster and run again"))


def _failure(job: _Job, outcome: Outcome, cache: Cache) -> _Failure:
    """Why a part failed, with its log where it can still be read."""
    error = outcome.error
    assert error is not None
    if outcome.folder:
        log = cache.keep_log(job.key, outcome.log)
        message = error.message.replace(f"{outcome.folder}/{job.plan.family}.log", str(log))
        error = type(error)(message.replace(f"{outcome.folder}/", ""), error.hint)
        if str(log) not in message:
            error = type(error)(f"{error.message}; the log is {log}", error.hint)
    return _Failure(job.part.name, error)


def _joined(failures: Sequence[_Failure]) -> FlowError:
    first = failures[0]
    message = f"part '{first.part}': {first.error.message}"
    if failures[1:]:
        names = ", ".join(f"'{failure.part}'" for failure in failures[1 : 1 + NAMED_FAILURES])
        message += f"\n{len(failures) - 1} more failed: {names}{', …' if len(failures) > 1 + NAMED_FAILURES else ''}"
    return type(first.error)(message, first.error.hint)


def _workers(client: Client) -> int:
    return sum(client.nthreads().values())  # type: ignore[no-untyped-call]
