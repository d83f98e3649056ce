"""Characterisation with real workers and real Yosys: in parallel, once each, and through kills and interruptions."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError, ToolFailed
from hlsflow.core.progress import Progress
from hlsflow.explore import worker
from hlsflow.explore.cache import Cache, Measurement, key_of
from hlsflow.explore.characterise import measure
from hlsflow.explore.cluster import KINDS, Cluster
from hlsflow.explore.worker import Task
from hlsflow.rtl.parts import Part
from hlsflow.toolchains import yosys
from tests.conftest import REPOSITORY
from tests.explore import adders
from tests.explore.adders import adder, alive, command, listing_yosys, modules_in
from tests.toolchains.test_yosys import MEMORY

WAIT_S = 120.0


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The list of what Yosys synthesized; workers that are started later use the Yosys that writes it."""
    program, runs = listing_yosys(tmp_path_factory.mktemp("yosys"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HLSFLOW_YOSYS", str(program))
        yield runs


@pytest.fixture(scope="module")
def workers(runs: Path) -> Iterator[Cluster]:
    with Cluster("local", 2) as cluster:
        cluster.begin()
        yield cluster


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def cache(tmp_path: Path, runs: Path) -> Cache:
    runs.write_text("", encoding="utf-8")
    return Cache(tmp_path / "cache", print)


def areas(found: list[Measurement]) -> list[dict[str, int]]:
    return [dict(item.area) for item in found]


def wait_until_gone(runs: Path) -> None:
    end = time.monotonic() + WAIT_S
    while alive(runs) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(runs)


def test_results_are_those_of_serial_synthesis_and_are_measured_once(
    workers: Cluster, cache: Cache, runs: Path, said: io.StringIO, tmp_path: Path
) -> None:
    parts = [adder(3), adder(9), adder(3, "the same again")]
    seen: list[str] = []
    found = measure(
        parts, Family.XC7, cache, workers, Progress(said), lambda part, _: seen.append(part.name), quick=True
    )
    assert modules_in(runs) == ["adder3", "adder9"]
    assert sorted(seen) == ["adder 3", "adder 9"]
    assert re.search(r"measure parts 1/2 adder \d about \d+ s left to synthesize\n", said.getvalue())
    assert "parts: 0 known, 2 synthesized, 0 failed" in said.getvalue()
    serial = {m.name: m.value for m in yosys.synthesize(parts[1].files, "adder9", Family.XC7, tmp_path, timeout_s=300)}
    assert areas(found) == [
        {"lut": 3, "ff": 3, "dsp": 0, "bram": 0},
        {key: value for key, value in serial.items() if key != "seconds"},
        {"lut": 3, "ff": 3, "dsp": 0, "bram": 0},
    ]

    runs.write_text("", encoding="utf-8")
    with Cluster("tcp://127.0.0.1:1") as unreachable:  # is not asked, as nothing is missing
        again = measure(
            parts[::-1], Family.XC7, cache, unreachable, Progress(said), lambda *_: seen.append("again"), quick=True
        )
    assert again == found[::-1]
    assert seen[2:] == ["again", "again"]
    assert modules_in(runs) == []
    assert not any("module" in file.read_text(encoding="utf-8") for file in cache.root.rglob("*.json"))


def test_a_failing_part_is_named_with_its_log_when_the_others_are_done(
    workers: Cluster, cache: Cache, runs: Path, said: io.StringIO
) -> None:
    broken = replace(adder(5, "layer 2"), files={adders.FILE: "module adder5 (output reg q);\nalways_comb q =;\n"})
    constant = replace(adder(6, "layer 3"), files={adders.FILE: "module adder6 (output q); assign q = 0; endmodule\n"})
    seen: list[str] = []
    with pytest.raises(ToolFailed, match=r"part 'layer \d': .*(?:\n.*)*1 more failed: 'layer \d'") as error:
        measure(
            [broken, constant, adder(4)],
            Family.XC7, cache, workers, Progress(said), lambda part, _: seen.append(part.name),
        )  # fmt: skip
    assert seen == ["adder 4"]
    assert len(list(cache)) == 1
    logs = list(cache.logs.glob("*.log"))
    assert len(logs) == 2
    assert any(str(log) in error.value.message for log in logs)
    assert any("syntax error" in log.read_text(encoding="utf-8") for log in logs)


def test_a_part_with_block_ram_is_synthesized_in_full(cache: Cache, runs: Path) -> None:
    memory = Part("table", {adders.FILE: MEMORY}, "memory")
    plan = yosys.quick(yosys.plan(memory.files, memory.top, Family.XC7))
    assert plan is not None
    outcome = worker.run(Task(key_of(plan), memory.name, plan, cache.root, cache.identity))
    assert outcome.measurement is not None
    assert outcome.measurement.area["bram"] == 1
    assert modules_in(runs) == ["memory", "memory"]  # once without block RAM, in vain
    assert (
        worker.run(Task(key_of(plan), memory.name, plan, cache.root, cache.identity)).measurement == outcome.measurement
    )
    assert len(modules_in(runs)) == 2


def test_another_yosys_than_the_clients_is_refused(cache: Cache, runs: Path) -> None:
    plan = yosys.plan(adder(4).files, "adder4", Family.XC7)
    outcome = worker.run(Task(key_of(replace(plan, top="other")), "layer 1", plan, cache.root, cache.identity))
    assert outcome.error is not None
    assert "not the client's" in outcome.error.message
    assert modules_in(runs) == []


def test_a_killed_worker_loses_its_own_part_only_and_that_is_done_again(
    workers: Cluster, cache: Cache, runs: Path, said: io.StringIO
) -> None:
    client = workers.client()
    finished: list[str] = []
    killed: list[int] = []

    def kill_a_busy_worker(part: Part, _: Measurement) -> None:
        finished.append(part.top)
        if len(finished) == 1:
            pids = client.run(os.getpid)  # type: ignore[no-untyped-call]
            busy = [worker for worker, keys in client.processing().items() if keys]  # type: ignore[no-untyped-call]
            killed.append(pids[busy[0]])
            os.kill(killed[0], signal.SIGKILL)

    parts = [adder(width) for width in (5, 6, 7)]
    found = measure(parts, Family.XC7, cache, workers, Progress(said), kill_a_busy_worker, quick=True)
    assert killed
    assert [area["ff"] for area in areas(found)] == [5, 6, 7]
    assert sorted(finished) == ["adder5", "adder6", "adder7"]
    assert set(modules_in(runs)) == set(finished)
    assert len(modules_in(runs)) <= len(parts) + 1
    assert modules_in(runs).count(finished[0]) == 1
    wait_until_gone(runs)


@pytest.mark.slow
def test_two_processes_at_once_share_the_work(cache: Cache, runs: Path) -> None:
    asked = command(cache.root, (5, 6, 7, 8))
    both = [subprocess.Popen(asked, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=600)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert modules_in(runs) == ["adder5", "adder6", "adder7", "adder8"]
    assert all(f"adder {width} {{'lut': {width}, 'ff': {width}" in text for text in said for width in (5, 6, 7, 8))


def heed_interrupts() -> None:
    """A suite run in the background passes on an ignored Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_process(cache: Cache, runs: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        command(cache.root, (5, 6, 7, 8)),
        cwd=REPOSITORY,
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    end = time.monotonic() + WAIT_S
    while len(modules_in(runs)) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: to the workers too
    else:
        process.kill()
    _, error = process.communicate(timeout=60)
    assert process.returncode != 0
    wait_until_gone(runs)
    if number is signal.SIGINT:
        assert error.count("Traceback") == 1
        assert error.rstrip().endswith("KeyboardInterrupt")


def test_an_unknown_cluster_is_refused_and_a_silent_one_is_reported(
    cache: Cache, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProjectError, match="'pbs' is unknown") as error:
        Cluster("pbs")
    assert all(name in error.value.hint for name in KINDS)
    monkeypatch.setattr("hlsflow.explore.cluster.CONNECT_S", 0.5)
    with pytest.raises(ToolFailed, match="does not answer"), Cluster("tcp://127.0.0.1:1") as silent:
        measure([adder(4)], Family.XC7, cache, silent, Progress(said))
