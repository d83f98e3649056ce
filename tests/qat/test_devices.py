"""Training on several devices, on several machines, layer by layer and by XLA ends in the weights of one device."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from hlsflow.core.errors import DeviceError, ProjectError, ToolFailed
from hlsflow.core.progress import Progress
from hlsflow.project import Devices, Project, load
from hlsflow.qat import apart, load_model, train, train_from_float
from hlsflow.qat.devices import check_layers, cluster_of
from tests.qat.qat_project import DROPPING, MODEL, TOML, project_of

CLOSE = 2e-6
"""Weights of magnitude 1 that differ by no more differ by the order of float32 additions in some 30 steps."""

NORMED = """
from qkeras import QActivation, QDense, quantized_bits
from tf_keras import Sequential
from tf_keras.layers import BatchNormalization, Dense, Input, ReLU


def quantized():
    grid = quantized_bits(6, 0, alpha=1)
    return Sequential([
        Input((64,)),
        QDense(8, kernel_quantizer=grid, use_bias=False, name="fc1"),
        BatchNormalization(name="norm"),
        QActivation("quantized_relu(6,2)", name="relu1"),
        QDense(10, kernel_quantizer=grid, bias_quantizer=grid, name="logits"),
    ])


def baseline():
    return Sequential([
        Input((64,)), Dense(8, use_bias=False, name="fc1"), BatchNormalization(), ReLU(), Dense(10, name="logits"),
    ])
"""
"""No bias before the normalization, which takes it away: its gradient is rounding noise, which Adam makes as large as
any other."""

EVERYTHING = """
[prune]
sparsity = 0.5
[share]
values = 8
[distil]
layers = { fc1 = "fc1" }
"""


def project(folder: Path, extra: str, model: str = MODEL, epochs: int = 3) -> Project:
    """With a float network only where the tables are about it."""
    text = TOML.format(epochs=epochs)
    if not ("distil" in extra or "precision" in extra):
        text = text.replace('baseline = "baseline"\n', "")
    return project_of(folder, text + extra, model)


def trained(one: Project, folder: Path) -> dict[str, list[Any]]:
    """Weights of its networks."""
    apart(train, one, folder, Progress(), _no_lanes)
    return {file.stem: load_model(file).get_weights() for file in folder.glob("*.h5")}


def _no_lanes(layer: str, inputs: int, outputs: int) -> Any:
    raise AssertionError("no pattern here asks for lanes")


def difference(one: Mapping[str, list[Any]], other: Mapping[str, list[Any]]) -> float:
    pairs = [pair for name in one for pair in zip(one[name], other[name], strict=True)]
    return max(float(np.abs(a - b).max()) for a, b in pairs)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Extra tables and model → the weights of a training in one process."""

    @cache
    def weights(extra: str, model: str, epochs: int = 3) -> dict[str, list[Any]]:
        folder = tmp_path_factory.mktemp("alone")
        return trained(project(folder, extra, model, epochs), folder / "out")

    return weights


@pytest.mark.parametrize(
    ("devices", "extra", "model"),
    [
        ('strategy = "mirrored"\ncpus = 2', EVERYTHING, NORMED),  # the last batch, of 13 samples, has unequal parts
        pytest.param('strategy = "mirrored"\ncpus = 4\nuse = ["CPU:1", "CPU:3"]', "", MODEL, marks=pytest.mark.slow),
        pytest.param("xla = true", "", MODEL, marks=pytest.mark.slow),
    ],
    ids=["mirrored", "two of four", "xla"],
)
def test_devices_train_the_weights_of_one_and_resume(
    alone: Any, tmp_path: Path, devices: str, extra: str, model: str
) -> None:
    one = project(tmp_path, f"{extra}[devices]\n{devices}\n", model)
    weights = trained(one, tmp_path / "out")
    assert difference(weights, alone(extra, model)) < CLOSE
    (tmp_path / "out" / "qat.h5").unlink()
    (tmp_path / "out" / "checkpoints" / "qat" / "epoch-00003.npz").unlink()
    assert difference(trained(one, tmp_path / "out"), weights) == 0


@pytest.mark.slow
def test_a_float_network_is_quantized_on_several_devices(tmp_path: Path) -> None:
    def both(name: str, devices: str) -> dict[str, list[Any]]:
        text = TOML.format(epochs=2).replace('quantized = "quantized"\n', "") + "[quantize]\nbits = 6\nepochs = 2\n"
        one, out = project_of(tmp_path / name, text + devices, NORMED), tmp_path / name / "out"
        apart(train_from_float, one, out, Progress(), _no_lanes)
        return {part: load_model(out / f"{part}.h5").get_weights() for part in ("float", "qat")}

    assert difference(both("one", ""), both("two", '[devices]\nstrategy = "mirrored"\ncpus = 2\n')) < CLOSE


@pytest.mark.slow
def test_layers_are_placed_and_train_to_the_same_bits(alone: Any, tmp_path: Path) -> None:
    one = project(tmp_path, '[devices]\ncpus = 2\nlayers = { fc1 = "CPU:1" }\n', NORMED)
    assert difference(trained(one, tmp_path / "out"), alone("", NORMED)) == 0
    text = """
import sys
from pathlib import Path
from hlsflow.project import load
from hlsflow.qat.build import build
from hlsflow.qat.devices import started
import tensorflow as tf

project = load(Path(sys.argv[1]))
runtime = started(project.devices)
copy = runtime.copied(build(project, "quantized"))
print({variable.name: variable.device[-5:] for variable in copy.variables})
graph = tf.function(copy).get_concrete_function(tf.zeros((2, 64))).graph
print([op.device[-5:] for op in graph.get_operations() if op.type == "MatMul"])
"""
    out = subprocess.run([sys.executable, "-c", text, tmp_path], capture_output=True, text=True, check=True).stdout
    places, products = out.splitlines()
    assert "'fc1/kernel:0': 'CPU:1'" in places
    assert "'logits/kernel:0': 'CPU:0'" in places
    assert re.findall("CPU:1", products) == ["CPU:1"]


def test_mixed_precision_trains_the_float_network_alone(tmp_path: Path) -> None:
    weights = trained(project(tmp_path, '[devices]\nprecision = "mixed_float16"\n'), tmp_path / "out")
    same = trained(project_of(tmp_path / "same", TOML.format(epochs=3), MODEL), tmp_path / "same" / "out")
    assert 0 < difference({"float": weights["float"]}, same) < 0.1
    assert difference({"qat": weights["qat"]}, same) == 0
    assert all(array.dtype == np.float32 for array in weights["float"])


@pytest.mark.slow
def test_a_killed_training_process_is_told_and_resumed_to_the_same_bits(tmp_path: Path) -> None:
    one = project(tmp_path, '[devices]\nstrategy = "mirrored"\ncpus = 2\n', DROPPING, epochs=4)
    whole = trained(one, tmp_path / "whole")
    script = """
import sys
from hlsflow.core.progress import Progress
from hlsflow.project import load
from hlsflow.qat import apart, train
from tests.qat.test_devices import _no_lanes
from pathlib import Path

if __name__ == "__main__":
    apart(train, load(Path(sys.argv[1])), Path(sys.argv[2]), Progress(), _no_lanes)
"""
    (tmp_path / "script.py").write_text(script)
    out, root = tmp_path / "cut", Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, tmp_path / "script.py", tmp_path, out],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(root / "flows"), str(root)))},
    ) as parent:
        until(out / "checkpoints" / "qat" / "epoch-00002.npz")
        (child,) = [each for each in psutil.Process(parent.pid).children() if "spawn_main" in str(each.cmdline())]
        child.kill()
        assert parent.stderr is not None
        assert "ToolFailed: the process that trains ended with signal 9" in parent.stderr.read()
    assert not (out / "qat.h5").exists()
    assert difference(trained(one, out), whole) == 0


def until(file: Path, seconds: float = 200) -> None:
    """Wait for a file."""
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end, f"{file} did not come"
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    with_all = [socket.socket() for _ in range(count)]
    for one in with_all:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in with_all]
    for one in with_all:
        one.close()
    return ports


class Workers:
    """Worker processes over loopback, each by the command line in a build folder of its own."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.hosts = [f"127.0.0.1:{port}" for port in free_ports(count)]
        self.starts = 0

    def start(self, index: int) -> subprocess.Popen[str]:
        self.starts += 1
        task = {"cluster": {"worker": self.hosts}, "task": {"type": "worker", "index": index}}
        command = [sys.executable, "-m", "hlsflow", "check", str(self.folder), "--build", str(self.build(index))]
        log = (self.folder / f"log-{index}-{self.starts}").open("w")
        environment = {**os.environ, "TF_CONFIG": json.dumps(task)}
        root = Path(__file__).parents[2]
        return subprocess.Popen(command, stdout=log, stderr=log, text=True, env=environment, cwd=root)

    def build(self, index: int) -> Path:
        return self.folder / f"build-{index}"

    def said(self, index: int) -> str:
        return "".join(file.read_text() for file in sorted(self.folder.glob(f"log-{index}-*")))


@pytest.mark.slow
@pytest.mark.timeout(600)  # five starts of TensorFlow, two of them at once
def test_workers_that_are_killed_and_started_again_train_the_weights_of_one_process(alone: Any, tmp_path: Path) -> None:
    epochs = 8
    project(tmp_path, '[devices]\nstrategy = "workers"\nwait_s = 120.0\n', MODEL, epochs)
    workers = Workers(tmp_path, 2)

    def epoch(number: int) -> None:
        """Wait for a checkpoint of the quantized network, or a later one."""
        place = workers.build(0) / "small" / "store" / "train"
        end = time.monotonic() + 200
        while not any(int(file.stem[-5:]) >= number for file in place.glob("*/checkpoints/qat/epoch-*.npz")):
            assert time.monotonic() < end, workers.said(0)
            time.sleep(0.02)

    running = [workers.start(0), workers.start(1)]
    try:
        epoch(2)
        running[1].send_signal(signal.SIGKILL)
        running[1].wait()
        running[1] = workers.start(1)
        epoch(5)
        running[0].send_signal(signal.SIGKILL)
        running[0].wait()
        running[0] = workers.start(0)
        codes = [one.wait(timeout=250) for one in running]
    finally:
        for one in running:
            one.kill()
    assert codes == [0, 0], workers.said(0) + workers.said(1)
    assert "another worker of the training is lost" in workers.said(0)
    assert "going on after epoch" in workers.said(0)
    assert "frozen = csim on all 3600 outputs of 360 samples" in workers.said(0)
    assert "cudart" not in workers.said(0) + workers.said(1)
    assert workers.said(1).rstrip().endswith("worker 1 of 2: done; the chief goes on alone")
    assert not workers.build(1).exists()
    (file,) = (workers.build(0) / "small" / "store" / "train").glob("*/qat.h5")
    weights = {"qat": load_model(file).get_weights()}
    assert difference(weights, alone("", MODEL, epochs)) < CLOSE * epochs


@pytest.mark.parametrize(
    ("devices", "told"),
    [
        ('use = ["GPU:7"]', "there is no device 'GPU:7'; TensorFlow sees CPU:0"),
        pytest.param('strategy = "tpu"\ntpu = "local"', "the TPU 'local' cannot be reached: ", marks=pytest.mark.slow),
        ('strategy = "tpu"\ntpu = "grpc://127.0.0.1:9"\nwait_s = 3.0', "did not answer within 3 s"),
    ],
)
def test_devices_that_are_not_there(tmp_path: Path, devices: str, told: str) -> None:
    with pytest.raises(DeviceError, match=re.escape(told)):
        trained(project(tmp_path, f"[devices]\n{devices}\n"), tmp_path / "out")


def test_a_chief_that_waits_in_vain_says_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
    task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(task))
    with pytest.raises(DeviceError, match=f"not all of the other workers, {hosts[1]}, came within 4 s"):
        trained(project(tmp_path, '[devices]\nstrategy = "workers"\nwait_s = 4.0\n'), tmp_path / "out")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "needs the environment variable TF_CONFIG"),
        ("{", "TF_CONFIG names no workers"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "this process as one of them"),
        ('{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}', "workers alone"),
    ],
)
def test_a_wrong_cluster(monkeypatch: pytest.MonkeyPatch, text: str | None, told: str) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ProjectError, match=told):
        cluster_of(Devices(strategy="workers"))


def test_a_batch_that_cannot_be_shared(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="batch_size 128 cannot be shared by 3 devices\n  next: choose a multiple"):
        trained(project(tmp_path, '[devices]\nstrategy = "mirrored"\ncpus = 3\n'), tmp_path / "out")


def test_a_place_for_a_layer_that_no_network_has() -> None:
    import tf_keras

    model = tf_keras.Sequential([tf_keras.layers.Dense(1, name="logits")])
    with pytest.raises(ProjectError, match="no network has a layer 'logit'; did you mean logits"):
        check_layers(Devices(layers={"logit": "CPU:0"}), [model])


def test_without_devices_nothing_is_another(tmp_path: Path) -> None:
    one = project(tmp_path, "")
    assert "devices" not in one.model_dump(mode="json")
    assert one.digest_fields("devices", "training").keys() == {"training"}
    assert load(tmp_path).devices is None


def test_a_longer_wait_goes_on_with_the_same_training(tmp_path: Path) -> None:
    fields = [
        project(tmp_path, f'[devices]\nstrategy = "workers"\nwait_s = {wait}\n').digest_fields("devices")
        for wait in (1.0, 2.0)
    ]
    assert fields[0] == fields[1]
    assert fields[0]["devices"]["strategy"] == "workers"


def test_a_process_that_ends_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="ended with exit code 9"):
        apart(_ends, project(tmp_path, "[devices]\n"), tmp_path / "out", Progress(), _no_lanes)


def _ends(*_: Any) -> Any:
    os._exit(9)
