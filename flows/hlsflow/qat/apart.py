"""Trains in a process of its own, which may use devices that the rest of a run must not see.

In: a project with [devices], and how to train it. Out: the trained models, in the folder. All else in a run keeps to
one CPU device, on which QKeras' results are exact; and TensorFlow's set-up for several devices cannot be changed in a
process once it is made. When another worker of the training is lost, a new process waits for it to come back.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from hlsflow.core.errors import DeviceError, FlowError, ToolFailed, WorkerLost
from hlsflow.core.progress import Progress
from hlsflow.project import Devices, Project
from hlsflow.qat.compress.prune import Lanes
from hlsflow.qat.devices import cluster_of, started
from hlsflow.qat.train import TrainResult

Training = Callable[..., TrainResult]
"""`hlsflow.qat.train.train`, or another function of a project, a folder, where to report, and lanes."""


def apart(training: Training, project: Project, folder: Path, progress: Progress, lanes: Lanes) -> TrainResult:
    """Train where the project's devices are ready; without [devices] in this process.

    Args:
        training: of the top level of a module; it is sent to the process, and so are the other arguments.
    Raises:
        DeviceError: the devices, or the other workers, were not ready in time.
        ToolFailed: the process was killed. Whatever the training raises.
    """
    table = project.devices
    if table is None:
        return training(project, folder, progress, lanes)
    cluster_of(table)
    while True:
        try:
            return _once(table, (training, project, folder, progress.file, lanes))
        except WorkerLost as error:
            progress.say(f"{error.message}; waiting up to {table.wait_s:g} s for it")


def _once(table: Devices, work: tuple[Any, ...]) -> TrainResult:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, *work))
    process.start()
    sender.close()
    try:
        if not receiver.poll(table.wait_s):
            raise DeviceError(_late(table), "start the training on all of them within devices.wait_s")
        ready, result = receiver.recv()
        if ready:
            ready, result = receiver.recv()
    except EOFError:
        process.join()
        raise ToolFailed(
            f"the process that trains ended with {_end(process.exitcode)}",
            "run again: training goes on where it stopped; if memory ran out, choose a smaller batch",
        ) from None
    finally:
        process.kill()
        process.join()
    if isinstance(result, BaseException):
        raise result
    return result  # type: ignore[no-any-return]


def _end(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _late(table: Devices) -> str:
    cluster = cluster_of(table)
    if cluster is None:
        where = f"the TPU '{table.tpu}'" if table.tpu else "the devices"
        return f"{where} did not answer within {table.wait_s:g} s"
    others = [address for number, address in enumerate(cluster.workers) if number != cluster.index]
    chief = "" if cluster.chief else "; the chief does not come when it finds the training finished"
    return f"not all of the other workers, {', '.join(others)}, came within {table.wait_s:g} s{chief}"


def _work(
    connection: Connection, training: Training, project: Project, folder: Path, log: Path | None, lanes: Lanes
) -> None:
    """What the process does: tell that it is ready, and then the result or the error."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    result: TrainResult | BaseException
    try:
        with nullcontext() if log is None else log.open("a", encoding="utf-8") as stream:
            runtime = started(project.devices)
            connection.send((True, None))
            with runtime.host():
                result = training(project, folder, Progress(stream), lanes)
    except (FlowError, KeyboardInterrupt) as error:
        error.__cause__ = error.__context__ = None  # which would bring TensorFlow into a process that hides its devices
        result = error
    connection.send((False, result))
    os._exit(0)  # TensorFlow's threads may wait for workers that are gone


def _end_with_parent() -> None:
    """A killed run must not leave a process that trains on."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
