"""`hlsflow check` of a model whose constants hardware cannot have: amber by default, an error with a tolerance of 0."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import qkeras

from hlsflow.__main__ import main
from hlsflow.core import templates
from tests.hls.networks import act, bits, dense, network, samples


def checked(model: Path, data: Path, build: Path, *options: str) -> int:
    words = ["check", str(model), "--data", str(data), "--input-precision", "fixed<10,4>", "--build", str(build)]
    return main([*words, *options])


def test_the_verdict_on_float_scales_follows_the_tolerance(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, data, build = tmp_path / "scales.h5", tmp_path / "x.npz", tmp_path / "build"
    end = dense(3, "fc2", bits(4, 0, alpha="auto"))
    net = network(dense(16, "fc1"), act(qkeras.quantized_relu(8, 2), "relu"), end)
    net.save(model)
    truth = net.predict(samples(), verbose=0).argmax(-1)
    np.savez(data, x=samples(), y=truth)
    assert checked(model, data, build, "--tolerance", "0") == 3
    said = capsys.readouterr()
    assert "what would be built is not the network of the model's file" in said.err
    assert "first layer that differs from the file: 'fc2'" in said.err
    assert "correction that did it: kernel held before its scales, which 'fc2_scale' applies" in said.err
    assert "or allow more: [gate] classes, accuracy, range (--tolerance)" in said.err
    report = json.loads((build / "scales" / "latest" / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(report, json.loads(templates.read("report/report.schema.json")))
    assert (report["gate"]["verdict"], report["gate"]["passed"]) == ("failed", False)
    assert report["gate"]["file"]["origin"]["layer"] == "fc2"
    assert not (build / "scales" / "store" / "csim").exists()  # nothing is compiled for it

    assert checked(model, data, build) == 0
    said = capsys.readouterr()
    assert "verdict: exact after corrections" in said.out
    assert "bit-exact to the file" not in said.out
    assert "accuracy 1.0000 of the file" in said.out
    assert f"accuracy (fraction), x.npz, {len(truth)} test samples: file 1, frozen " in said.out
    *_, frozen, csim = said.out.rstrip().rsplit("\n", 1)[-1].split(", ")
    assert frozen.removeprefix("frozen ") == csim.removeprefix("csim ")
    (kept,) = (build / "scales" / "store" / "csim").glob("*/metrics.json")
    stages = {one["stage"]: one["value"] for one in json.loads(kept.read_text(encoding="utf-8"))}
    assert stages["qat"] == 1.0  # of the file, whatever the frozen network makes of these samples
