"""Measures parts: each different one is synthesized once, in parallel, on this machine or on a cluster.

In: parts (Verilog) and a device family. Out: their `Measurement`s, from the cache or from Yosys. Interrupted work goes
on where it stopped, since every part is stored as soon as it is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flows.errors import FlowError, ToolFailed
from flows.progress import Progress
from flows.rtl.parts import Part
from flows.toolchains import yosys
from flows.toolchains.yosys import Family, SynthPlan
from flows.tradeoff.cache import Cache, Measurement, key_of
from flows.tradeoff.cluster import Cluster, Pace
from flows.tradeoff.worker import Outcome, Task, run

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
    Returns:
        the measurements in the order of `parts`.
    Raises:
        ToolFailed, StorageError, ToolMissing: parts failed; names the first one and its log.
    """
    asked = [_job(part, family, expected) for part in parts]
    jobs = {job.key: job for job in reversed(asked)}
    found: dict[str, Measurement] = {}

    def take(job: _Job, measurement: Measurement) -> None:
        found[job.key] = measurement
        if on_result is not None:
            on_result(job.part, measurement)

    for job in jobs.values():
        known = cache.get(job.key)
        if known is not None:
            take(job, known)
    missing = sorted((job for key, job in jobs.items() if key not in found), key=lambda job: -job.expected)
    if missing:
        _synthesize(missing, len(found), cache, cluster, progress, take)
    return [found[job.key] for job in asked]


def _job(part: Part, family: Family, expected: Callable[[Part], float]) -> _Job:
    plan = yosys.plan(part.files, part.top, family)
    return _Job(part, key_of(plan), plan, expected(part))


def _synthesize(
    jobs: Sequence[_Job],
    known: int,
    cache: Cache,
    cluster: Cluster,
    progress: Progress,
    take: Callable[[_Job, Measurement], None],
) -> None:
    """Measure what is missing; raises the failures when all is done."""
    client = cluster.client()
    if not client.nthreads():  # type: ignore[no-untyped-call]
        progress.say(f"waiting for the workers of {cluster.where}")
    clock, failures, fresh = _Clock(jobs, cluster.pace, client), [], 0
    with progress.track("measure parts", known + len(jobs), known, timed=False) as advance:
        for job, outcome in _outcomes(client, jobs, cache):
            for text in outcome.said:
                progress.say(text)
            if outcome.found is None:
                failures.append(_failure(job, outcome, cache))
            else:
                if not outcome.stored:
                    cache.put(outcome.found)
                take(job, outcome.found)
            fresh += outcome.fresh
            advance(clock.after(job, outcome))
    others = len(jobs) - fresh - len(failures)
    elsewhere = f", {others} meanwhile by another run" if others else ""
    progress.say(f"parts: {known} known, {fresh} synthesized{elsewhere}, {len(failures)} failed")
    if failures:
        raise _joined(failures)


def _outcomes(client: Client, jobs: Sequence[_Job], cache: Cache) -> Iterator[tuple[_Job, Outcome]]:
    """Every job with what became of it, as they finish; those that another run is at come last."""
    busy = []
    for job, outcome in _submitted(client, jobs, cache, wait=False):
        if outcome.found is None and outcome.error is None:
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


class _Clock:
    """The time that is left, from the expectations and what the parts measured so far really took."""

    def __init__(self, jobs: Sequence[_Job], pace: Pace, client: Client) -> None:
        self._pace, self._client = pace, client
        self._total = self._open = sum(job.expected for job in jobs)
        self._jobs, self._started = len(jobs), time.monotonic()

    def after(self, job: _Job, outcome: Outcome) -> str:
        """A remark on a finished job, with the time left."""
        self._open -= job.expected
        if outcome.fresh and outcome.found is not None:
            self._pace.add(outcome.found.seconds, job.expected)
        if not self._pace.expected or self._open <= 0:
            return job.part.name
        return f"{job.part.name}, about {_duration(self._left())} left"

    def _left(self) -> float:
        """Seconds: all work less what the workers have spent, which counts what is half done; if the expectations were
        wrong and more has been spent, what is open is taken as half done."""
        workers = max(1, min(self._jobs, sum(self._client.nthreads().values())))  # type: ignore[no-untyped-call]
        spent = time.monotonic() - self._started
        return max(self._pace.of(self._total) / workers - spent, self._pace.of(self._open) / workers / 2)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 100 else f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f} h"
