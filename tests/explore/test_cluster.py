"""Clusters that are no local one: an existing scheduler, and the job scripts for batch systems."""

from __future__ import annotations

import asyncio
import io
import os
import re
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from hlsflow.core.choices import Family
from hlsflow.core.errors import ToolMissing
from hlsflow.core.progress import Progress
from hlsflow.explore.cache import Cache
from hlsflow.explore.characterise import measure
from hlsflow.explore.cluster import Cluster, batch_cluster, open_to_others
from tests.conftest import REPOSITORY
from tests.explore.adders import adder


@pytest.mark.parametrize(("name", "mark"), [("SLURMCluster", "#SBATCH -n 1"), ("HTCondorCluster", "RequestCpus")])
def test_jobs_of_a_batch_system_start_workers_as_dask_is_configured(
    name: str, mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dask_jobqueue")
    import dask

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kind = name.removesuffix("Cluster").lower()
    options = {"cores": 1, "memory": "2GB", "disk": "1GB", "interface": None}
    with dask.config.set({f"jobqueue.{kind}": {**dask.config.get(f"jobqueue.{kind}", {}), **options}}):
        cluster = batch_cluster(name)
        with cluster:
            script = cluster.job_script()
    assert mark in script
    assert "distributed.cli.dask_worker" in script
    assert sys.executable in script
    assert "--nthreads 1" in script
    assert "--protocol tls://" in script
    for option in ("--tls-ca-file", "--tls-cert", "--tls-key"):
        (file,) = re.findall(rf"{option} (\S+)", script)
        assert Path(file).parent == tmp_path / "hlsflow" / "credentials"
    assert stat.S_IMODE((tmp_path / "hlsflow" / "credentials").stat().st_mode) == 0o700


def strangers() -> list[tuple[str, dict[str, Any]]]:
    """How somebody without the credentials may try to connect: protocol and arguments of the connection."""
    from distributed.security import Security

    (none, other) = ({"require_encryption": False}, Security.temporary().get_connection_args("client"))
    return [("tcp", none), ("tls", {"ssl_context": ssl.create_default_context()}), ("tls", other)]


def test_nobody_else_can_use_local_workers() -> None:
    with Cluster("local", 1) as cluster:
        client = cluster.client()
        assert client.submit(os.getpid).result() != os.getpid()
        (worker,) = client.scheduler_info()["workers"].values()
        addresses = [client.scheduler.address, worker["nanny"], *client.scheduler_info()["workers"]]
        assert all(address.startswith("tls://127.0.0.1:") for address in addresses)
        places = [address.removeprefix("tls://") for address in addresses]
        assert asyncio.run(all_refused(places)) == [True] * 9
        assert not asyncio.run(refused(addresses[0], client.security.get_connection_args("client")))
        for port in listening():
            assert answer(port) in (b"", b"404"), port


async def all_refused(places: list[str]) -> list[bool]:
    """Whether nobody without the credentials gets a connection, for each place and way to try."""
    return await asyncio.gather(
        *(refused(f"{protocol}://{place}", how) for place in places for protocol, how in strangers())
    )


async def refused(address: str, arguments: dict[str, Any]) -> bool:
    from distributed.comm import connect

    try:
        connection = await connect(address, timeout=1, **arguments)
    except OSError:
        return True
    await connection.close()
    return False


def listening() -> set[int]:
    """The TCP ports on which this process and its children listen."""
    me = psutil.Process()
    found = [one for process in (me, *me.children(recursive=True)) for one in process.net_connections("tcp")]
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}


def answer(port: int) -> bytes:
    """The status with which a port answers plain HTTP; empty, when it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as there:
        there.settimeout(2)
        there.sendall(b"GET /json/counts.json HTTP/1.0\r\n\r\n")
        try:
            words = there.recv(64).split()
        except OSError:
            return b""
    return words[1] if words[:1] in ([b"HTTP/1.0"], [b"HTTP/1.1"]) else b""


def test_what_an_existing_scheduler_lets_others_do_is_said() -> None:
    assert "asks for no credentials" in open_to_others("tcp://10.0.0.1:8786")
    assert [open_to_others(where) for where in ("local", "slurm", "tls://10.0.0.1:8786")] == ["", "", ""]


def test_without_dask_jobqueue_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(ToolMissing, match="dask-jobqueue") as error, Cluster("slurm") as cluster:
        cluster.client()
    assert error.value.hint == "pip install 'hlsflow[cluster]'"


@pytest.mark.slow
@pytest.mark.parametrize("shared", [True, False])
def test_an_existing_scheduler_whose_workers_see_the_cache_or_not(tmp_path: Path, shared: bool) -> None:
    from distributed import LocalCluster

    said, cache = io.StringIO(), Cache(tmp_path / "cache", print)
    if not shared:
        cache.identity = "of a folder that the workers do not see"
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as there:
        with Cluster(there.scheduler_address) as cluster:
            (found,) = measure([adder(4)], Family.XC7, cache, cluster, Progress(said), quick=True)
        assert len(there.workers) == 1
    assert found.area["lut"] == 4
    assert cache.get(found.key) == found
    assert "1 synthesized" in said.getvalue()


def test_workers_import_neither_tensorflow_nor_numpy() -> None:
    code = "import sys, hlsflow.explore.worker; sys.exit(bool({'tensorflow', 'numpy', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=dict(os.environ)).returncode == 0
