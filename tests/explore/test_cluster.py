"""Clusters that are no local one: an existing scheduler, and the job scripts for batch systems."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hlsflow.core.errors import ToolMissing
from hlsflow.core.progress import Progress
from hlsflow.explore.cache import Cache
from hlsflow.explore.characterise import measure
from hlsflow.explore.cluster import Cluster, batch_cluster
from hlsflow.toolchains.yosys import Family
from tests.conftest import REPOSITORY
from tests.explore.adders import adder


@pytest.mark.parametrize(("name", "mark"), [("SLURMCluster", "#SBATCH -n 1"), ("HTCondorCluster", "RequestCpus")])
def test_jobs_of_a_batch_system_start_workers_as_dask_is_configured(name: str, mark: str) -> None:
    pytest.importorskip("dask_jobqueue")
    import dask

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
