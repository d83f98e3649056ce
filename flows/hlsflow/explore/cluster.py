"""Workers for the characterisation: processes of this machine, an existing Dask scheduler, or jobs of a batch system.

In: `local`, the address of a scheduler, `slurm` or `htcondor`, and a number of workers. Out: a Dask client.
Whoever can talk to a Dask scheduler or worker can run code on it. So those that are started here take nothing but TLS
with credentials of their own, which are made for each run and known to it alone; local ones listen on the loopback
interface only. A scheduler that exists already has the protection that its owner gave it. What a batch system needs to
know (queue, walltime, memory) comes from Dask's own configuration files, see the manual of dask-jobqueue.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import signal
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Self

from hlsflow.core.caches import cache_folder
from hlsflow.core.errors import ProjectError, ToolFailed, ToolMissing
from hlsflow.explore.clock import Pace

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 20.0
CLOSE_S = 10.0
BATCH_JOBS = 4
"""Jobs of a batch system when no number is given."""

LOCAL_SETTINGS: Mapping[str, Any] = {
    "distributed.scheduler.worker-saturation": 1.0,  # the longest part first, never two in one worker's hands
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.diagnostics.nvml": False,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}


class Cluster:
    """Workers that live as long as the `with` block; started when they are first needed, or by `begin`.

    Args:
        where: `local`, `slurm`, `htcondor`, or the address of a scheduler such as `tcp://10.0.0.1:8786`.
        jobs: workers; 0: one for each processor of this machine, or four jobs of a batch system. A scheduler that
            exists already has the workers that it has.
    Raises:
        ProjectError, ToolMissing: as `require_cluster`.
    """

    def __init__(self, where: str = "local", jobs: int = 0) -> None:
        self.where, self._jobs, self.pace = where, jobs, Pace()
        require_cluster(where)
        self._open: Callable[[ExitStack, int], Any] | str = where if "://" in where else KINDS[where]
        self._stack, self._pool = ExitStack(), ThreadPoolExecutor(1, initializer=_leave_interrupts_to_the_main_thread)
        self._client: Future[Client] | None = None

    def begin(self) -> None:
        """Start the workers in the background, unless they run; returns at once."""
        if self._client is None:
            self._client = self._pool.submit(self._start)

    def client(self) -> Client:
        """The client of the workers, which are started if need be.

        Raises:
            ToolMissing: the package for this batch system is not installed.
            ToolFailed: the cluster does not start, or no scheduler answers.
        """
        self.begin()
        assert self._client is not None
        return self._client.result()

    def _start(self) -> Client:
        from distributed import Client

        try:
            target = self._open if isinstance(self._open, str) else self._open(self._stack, self._jobs)
            client = Client(target, timeout=CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, RuntimeError, ValueError) as error:
            hint = "check its address, or Dask's configuration for it; `local` uses this machine"
            raise ToolFailed(f"the cluster '{self.where}' does not answer: {error}", hint) from error
        self._stack.callback(client.close, timeout=CLOSE_S)
        return client

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End the workers that were started here, with all that they run; an existing scheduler is left alone."""
        self._pool.shutdown(wait=True)
        self._stack.close()


def _leave_interrupts_to_the_main_thread() -> None:
    """Workers are started from this thread and inherit its mask: Ctrl-C reaches hlsflow, which ends them."""
    resource_tracker.ensure_running()  # at its start it unblocks the signal for the thread that it is started from
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def require_cluster(where: str) -> None:
    """See that there can be such a cluster, before there is any work for it.

    Raises:
        ProjectError: there is no such kind of cluster. ToolMissing: the package for this batch system is not installed.
    """
    if "://" in where:
        if not ADDRESS.fullmatch(where):
            raise ProjectError(f"'{where}' is no scheduler's address", "write tcp://host:port or tls://host:port")
        return
    if where not in KINDS:
        kinds = ", ".join(KINDS)
        raise ProjectError(f"cluster '{where}' is unknown", f"write {kinds}, or a scheduler's address: tcp://host:port")
    if where != "local":
        _jobqueue()


ADDRESS = re.compile(r"(tcp|tls|ws|wss)://.+:\d{1,5}")
"""What the address of a scheduler looks like."""


def _jobqueue() -> Any:
    try:
        return importlib.import_module("dask_jobqueue")
    except ImportError as error:
        message = "clusters of a batch system need the package dask-jobqueue, which is not installed"
        raise ToolMissing(message, "pip install 'hlsflow[cluster]'") from error


def _local(stack: ExitStack, jobs: int) -> Any:
    """Processes of this machine, of one thread each; workers that die are replaced."""
    import dask
    from distributed import LocalCluster

    stack.enter_context(dask.config.set(LOCAL_SETTINGS))
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hlsflow-", ignore_cleanup_errors=True))
    return stack.enter_context(
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=jobs or os.cpu_count() or 1,
            threads_per_worker=1,
            host="127.0.0.1",
            security=_credentials(),
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # or it looks for bokeh's port
            memory_limit=0,  # Yosys is no memory of the worker's
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        )
    )


def _credentials() -> Any:
    """A certificate and key that nobody else has, on which both ends of every connection insist."""
    from distributed.security import Security

    return Security.temporary()  # type: ignore[no-untyped-call]


def open_to_others(where: str) -> str:
    """What to say of the address of a scheduler that takes work from anybody; empty for all other clusters."""
    if not where.startswith("tcp://"):
        return ""
    return f"whoever reaches the scheduler {where} can run code on its workers: it asks for no credentials; tls:// does"


def _batch(name: str) -> Callable[[ExitStack, int], Any]:
    def start(stack: ExitStack, jobs: int) -> Any:
        cluster = stack.enter_context(batch_cluster(name))
        cluster.scale(jobs=jobs or BATCH_JOBS)
        return cluster

    return start


def batch_cluster(name: str) -> Any:
    """A dask-jobqueue cluster without jobs yet, with the options of Dask's configuration.

    Args:
        name: its class.
    Raises:
        ToolMissing: dask-jobqueue is not installed.
    """
    folder = _shared_folder(name.removesuffix("Cluster").lower())
    return getattr(_jobqueue(), name)(security=_credentials(), shared_temp_directory=folder)


def _shared_folder(kind: str) -> str:
    """Where jobs find their credentials: as Dask is configured, or in the user's cache, where others cannot read."""
    import dask

    configured = dask.config.get(f"jobqueue.{kind}.shared-temp-directory", None)
    if configured:
        return str(configured)
    folder = cache_folder() / "credentials"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder)


KINDS: Mapping[str, Callable[[ExitStack, int], Any]] = {
    "local": _local,
    "slurm": _batch("SLURMCluster"),
    "htcondor": _batch("HTCondorCluster"),
}
