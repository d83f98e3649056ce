"""What a worker of a cluster does: synthesizes one part, and keeps its figures where it can.

In: `Task`. Out: `Outcome`. A worker that sees the folder of the cache looks there first and stores what it measured, so
that a result survives whatever happens to the worker, the scheduler or the client afterwards.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hlsflow.core.errors import FlowError, StorageError, ToolFailed
from hlsflow.core.metrics import MetricSet
from hlsflow.explore.cache import FIGURES, Cache, Measurement, identity_file, key_of, now, own_code
from hlsflow.toolchains import yosys
from hlsflow.toolchains.yosys import SynthPlan

TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Task:
    """A part to measure.

    Attributes:
        key: of its measurement, by the client's Yosys and hlsflow.
        part: its name.
        plan: how it is synthesized; may be a quick one (`yosys.quick`).
        root: folder of the client's cache.
        identity: of that cache.
        wait: for another process that measures it, instead of giving it back.
    """

    key: str
    part: str
    plan: SynthPlan
    root: Path
    identity: str
    wait: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a task; when neither measured nor failed, another process is at it.

    Attributes:
        measurement: what was measured.
        stored: whether the cache has it already.
        fresh: whether it was synthesized for this task.
        error: why it failed.
        folder: in which it failed; gone by now.
        log: what Yosys said when it failed.
        notes: what the cache reported.
    """

    measurement: Measurement | None = None
    stored: bool = False
    fresh: bool = False
    error: FlowError | None = None
    folder: str = ""
    log: str = ""
    notes: tuple[str, ...] = ()


def run(task: Task) -> Outcome:
    """Measure a part, once among all that share the cache."""
    notes: list[str] = []
    try:
        cache = _visible(task, notes.append)
        outcome = _synthesize(task) if cache is None else _shared(task, cache)
    except FlowError as error:
        outcome = Outcome(error=error)
    return replace(outcome, notes=tuple(notes))


def _visible(task: Task, say: Callable[[str], None]) -> Cache | None:
    """The client's cache, when this machine sees the same folder and may write there."""
    try:
        same = identity_file(task.root).read_text(encoding="utf-8") == task.identity
        return Cache(task.root, say) if same else None
    except (OSError, StorageError):
        return None


def _shared(task: Task, cache: Cache) -> Outcome:
    with cache.claim(task.key, task.wait) as got:
        if not got:
            return Outcome()
        measurement = cache.get(task.key)
        if measurement is not None:
            return Outcome(measurement, stored=True)
        outcome = _synthesize(task)
        if outcome.measurement is not None:
            cache.put(outcome.measurement)
        return replace(outcome, stored=True)


def _synthesize(task: Task) -> Outcome:
    if key_of(task.plan) != task.key:
        raise ToolFailed(
            f"the worker on {platform.node()} has {yosys.find().label}, or an hlsflow that is not the client's",
            "install the same hlsflow and Yosys on all machines of the cluster",
        )
    with tempfile.TemporaryDirectory(prefix="hlsflow-", dir=_scratch(), ignore_cleanup_errors=True) as folder:
        try:
            metrics = _execute(task.plan, Path(folder))
        except FlowError as error:
            return Outcome(error=error, folder=folder, log=_text(Path(folder) / f"{task.plan.family}.log"))
    return Outcome(_measurement(task, metrics), fresh=True)


def _scratch() -> str | None:
    """The folder of the worker that this runs in, which its cluster deletes even if the worker is killed."""
    from distributed import get_worker

    try:
        return str(get_worker().local_directory)
    except ValueError:
        return None


def _execute(plan: SynthPlan, folder: Path) -> MetricSet:
    """The figures of a plan; a quick one that fails is followed by the whole one, which has the last word."""
    full = yosys.plan(dict(plan.files), plan.top, plan.family)
    if plan != full:
        with suppress(ToolFailed):
            return yosys.execute(plan, folder, timeout_s=TIMEOUT_S)
    return yosys.execute(full, folder, timeout_s=TIMEOUT_S)


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def _measurement(task: Task, metrics: MetricSet) -> Measurement:
    values = {metric.name: metric.value for metric in metrics if metric.value is not None}
    return Measurement(
        key=task.key,
        part=task.part,
        tool=yosys.find().label,
        code=own_code(),
        family=str(task.plan.family),
        area={name: int(values[name]) for name in FIGURES},
        seconds=values["seconds"],
        size=sum(len(text.encode()) for _, text in task.plan.files),
        date=now(),
    )
