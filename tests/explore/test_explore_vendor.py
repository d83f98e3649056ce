"""Exploration by csynth reports, with a stand-in for Vitis HLS whose figures follow from the projects it is given."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras

from hlsflow.__main__ import main
from hlsflow.project import load
from hlsflow.qat import save_model
from tests.hls.networks import act, dense, network
from tests.toolchains.reports.written import CSYNTH_XML
from tests.toolchains.standins import install

PROJECT = """
name = "pair"
[data]
source = "data.npz"
[model]
file = "model.h5"
[input]
precision = "fixed<10,4>"
[knobs]
reuse_factor = 3
[explore]
strategy = ["latency", "resource"]
"""

REPORT = (
    CSYNTH_XML.replace("2023.2", "2024.2")
    .replace("tiny", "hlsflow_top")
    .replace("xcvu9p-flga2104-2-e", "xcu250-figd2104-2L-e")
)
STAND_IN = '''"""A csynth report made up from the reuse factors, strategies and sizes in an hls4ml project."""
import json, pathlib, re, sys

if sys.argv[2:] == ["--version"]:
    print("****** vitis-run v2024.2 (64-bit)")
    sys.exit()
assert sys.argv[2:] == ["--mode", "hls", "--tcl", "hlsflow_csynth.tcl"], sys.argv

KEYS = "reuse_factor", "strategy", "n_in", "n_out"
text = pathlib.Path("firmware/parameters.h").read_text()
def values(key, text):
    return re.findall(rf"static const unsigned {key} = (?:nnet::)?(\\w+);", text)
sums = dict(BRAM_18K=0, DSP=0, FF=0, LUT=0, latency=0, ii=1)
layers = []
for struct in text.split("struct ")[1:]:
    if not values("strategy", struct):
        continue  # not of a layer with weights
    ((reuse, strategy, n_in, n_out),) = zip(*(values(key, struct) for key in KEYS))
    reuse, size, odd = int(reuse), int(n_in) * int(n_out), (int(reuse) * 7 + int(n_in)) % 5
    layers.append([int(n_in), int(n_out), reuse, strategy])
    multipliers = -(-size // reuse)
    sums["DSP"] += multipliers * (strategy == "resource")
    sums["LUT"] += 30 + multipliers * (9 if strategy == "resource" else 25) + 11 * odd
    sums["FF"] += 17 * multipliers + odd
    sums["BRAM_18K"] += int(strategy == "resource" and reuse > 2)
    sums["latency"] += reuse + 4 + odd
    sums["ii"] = max(sums["ii"], reuse)
sums["LUT"] += 20 * (len(layers) - 1)
UNKNOWN
with open(RUNS, "a") as stream:
    stream.write(json.dumps([layers, sums]) + "\\n")
report = REPORT
for tag in ("Best-caseLatency", "Worst-caseLatency", "Interval-min", "Interval-max", "BRAM_18K", "DSP", "FF", "LUT"):
    name = "latency" if "Latency" in tag else "ii" if "Interval" in tag else tag
    report = re.sub(f"<{tag}>.*?</{tag}>", f"<{tag}>{sums[name]}</{tag}>", report, count=1)
place = pathlib.Path("hlsflow_top_prj/solution1/syn/report")
place.mkdir(parents=True)
(place / "hlsflow_top_csynth.xml").write_text(report)
verilog = place.parents[1] / "syn" / "verilog"
verilog.mkdir()
(verilog / "hlsflow_top.v").write_text("module hlsflow_top; endmodule\\n")
'''

Runs = Callable[[], list[tuple[list[list[Any]], dict[str, Any]]]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return written(
        tmp_path / "pair", network(dense(3, "fc1"), act("quantized_relu(5,2)", "relu"), dense(2, "fc2"), n_in=4)
    )


def written(folder: Path, model: Any, text: str = PROJECT) -> Path:
    folder.mkdir()
    save_model(model, folder / "model.h5")
    random = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=random.random((20, *model.input_shape[1:])), y=random.integers(0, 2, 20))
    (folder / "project.toml").write_text(text)
    return folder


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, unknown: str = "") -> Runs:
    """Put it on PATH; returns a function that tells all runs so far: layers, and figures."""
    runs, script = folder / "runs", folder / "vitis_standin.py"
    script.write_text(f"RUNS, REPORT = {str(runs)!r}, {REPORT!r}\n" + STAND_IN.replace("UNKNOWN", unknown))
    install(monkeypatch, folder, "vitis-run", "2024.2", str(script))
    return lambda: [tuple(json.loads(line)) for line in runs.read_text().splitlines()] if runs.exists() else []


def explore(project: Path, *arguments: str) -> int:
    build = project.parent / "build"
    return main(["explore", str(project), "--engine", "vitis", "--build", str(build), "--jobs", "2", *arguments])


def outcome(project: Path) -> tuple[Path, dict[str, Any]]:
    """The newest one."""
    folders = (project.parent / "build" / "pair" / "explore").glob("*/explore.json")
    newest = max(folders, key=lambda file: file.stat().st_mtime_ns)
    return newest.parent, json.loads(newest.read_text())


def enumerated(runs: list[Any]) -> dict[str, np.ndarray[Any, Any]]:
    """All designs of two layers, from runs of single ones."""
    alone = [(layers[0], sums) for layers, sums in runs if len(layers) == 1 and isinstance(sums["latency"], int)]
    first, second = ([sums for layer, sums in alone if layer[:2] == list(size)] for size in ((4, 3), (3, 2)))
    pairs = list(itertools.product(first, second))
    found = {name: np.array([one[name] + other[name] for one, other in pairs]) for name in first[0]}
    return found | {"ii": np.array([max(one["ii"], other["ii"]) for one, other in pairs])}


def front(*columns: np.ndarray[Any, Any]) -> list[list[int]]:
    table = np.unique(np.stack(columns, axis=1), axis=0)
    worse = [((table <= row).all(axis=1) & (table < row).any(axis=1)).any() for row in table]
    return [list(map(int, row)) for row in table[~np.array(worse)]]


def test_the_front_is_that_of_enumeration(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = stand_in(monkeypatch, tmp_path)
    assert explore(project, "--pareto", "latency,lut,dsp", "--confirm", "2") == 0
    folder, found = outcome(project)
    every = enumerated(runs())
    singles = [layers[0] for layers, _ in runs() if len(layers) == 1]
    assert len(singles) == len({json.dumps(one) for one in singles}) == (12 + 4) + (6 + 3)
    assert sorted(one[2] for one in singles if one[:2] == [4, 3] and one[3] == "resource") == [1, 2, 4, 12]
    assert len(every["LUT"]) == found["effort"]["points"] == 16 * 9
    points = [[point["hls"][name] for name in ("latency_cycles", "lut", "dsp")] for point in found["points"]]
    assert points == front(every["latency"], every["LUT"], every["DSP"])
    assert (found["engine"], found["tool"], found["target"]) == ("vitis", "Vitis HLS 2024.2", "xcu250-figd2104-2L-e")
    assert (found["proved"], found["complete"], found["effort"]["measured"]) == (True, True, 25)

    confirmed = [point for point in found["points"] if point["hls_whole"]]
    assert [point["point"] for point in confirmed] == [1, len(points)]
    for point in confirmed:
        assert point["hls_whole"] == point["hls"] | {"lut": point["hls"]["lut"] + 20}
        layers = load(folder / point["project_file"]).knobs.layers
        asked = {name: (own.reuse_factor, own.strategy) for name, own in layers.items()}
        assert asked == {name: (own["reuse_factor"], own["strategy"]) for name, own in point["layers"].items()}
    said = capsys.readouterr().out
    assert "LUT (hls, Vitis HLS 2024.2)" in said
    assert "LATENCY_CYCLES (hls_whole)" in said
    assert "characterised" not in said
    with (folder / "explore.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["lut (hls)"]) for row in rows] == [point["hls"]["lut"] for point in found["points"]]
    assert [row["lut (hls_whole)"] != "" for row in rows] == [bool(point["hls_whole"]) for point in found["points"]]
    assert not any("characterised" in name or "synth" in name for name in rows[0])

    before = len(runs())
    assert explore(project, "--pareto", "ii,lut", "--max", "dsp=3", "--confirm", "0") == 0
    few = every["DSP"] <= 3
    points = [[point["hls"][name] for name in ("ii", "lut")] for point in outcome(project)[1]["points"]]
    assert points == front(every["ii"][few], every["LUT"][few])
    assert explore(project, "--max", "lut=1") == 2
    assert f"allow lut <= {every['LUT'].min()}" in capsys.readouterr().err
    assert explore(project, "--minimize", "lut", "--fine-tune", "1", "--confirm", "0") == 2
    assert "--engine vitis narrows no weights" in capsys.readouterr().err
    assert len(runs()) == before


def test_the_slower_branch_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = tf_keras.Input((4,), name="x")
    shared = act("quantized_relu(5,2)", "relu")(dense(3, "shared")(start))
    model = tf_keras.Model(start, [dense(2, "left")(shared), dense(1, "right")(shared)])
    text = PROJECT.replace('strategy = ["latency", "resource"]', 'strategy = ["resource"]')
    project, runs = written(tmp_path / "pair", model, text), stand_in(monkeypatch, tmp_path)
    assert explore(project, "--confirm", "0") == 0
    layers: dict[int, list[dict[str, int]]] = {}
    for ((n_in, n_out, *_),), sums in runs():
        layers.setdefault(n_in * n_out, []).append(sums)
    every = list(itertools.product(*(layers[size] for size in (12, 6, 3))))
    latency = np.array([one["latency"] + max(two["latency"], three["latency"]) for one, two, three in every])
    luts = np.array([sum(sums["LUT"] for sums in ones) for ones in every])
    points = [[point["hls"][name] for name in ("latency_cycles", "lut")] for point in outcome(project)[1]["points"]]
    assert points == front(latency, luts)


def test_what_csynth_cannot_tell_is_left_out(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = stand_in(monkeypatch, tmp_path, 'if reuse in (1, 6) or len(layers) > 1: sums["latency"] = "undef"')
    (project / "project.toml").write_text(PROJECT.replace('["latency", "resource"]', '["sparse", "resource"]'))
    assert explore(project, "--confirm", "1") == 0
    found = outcome(project)[1]
    assert found["points"][0]["hls_whole"].keys() == found["points"][0]["hls"].keys() - {"latency_cycles"}
    assert "| missing " in capsys.readouterr().out
    every = enumerated(runs())
    points = [[point["hls"][name] for name in ("latency_cycles", "lut")] for point in found["points"]]
    assert points == front(every["latency"], every["LUT"])
    assert len(every["LUT"]) == 3 * 1
    left_out = [note for note in found["notes"] if "csynth does not know" in note]
    assert [note.split(" was")[0] for note in left_out] == [
        "layer 'fc1' (R1, resource)",
        "layer 'fc2' (R1, resource)",
        "layer 'fc2' (R6, resource)",
    ]
    assert any("no strategy sparse" in note for note in found["notes"])


def test_what_was_synthesized_before_a_failure_is_kept(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = stand_in(monkeypatch, tmp_path, "if reuse == 12: raise SystemExit('ERROR: too large')")
    (project / "project.toml").write_text(PROJECT.replace('"latency", ', ""))
    assert explore(project) == 5
    said = capsys.readouterr().err
    assert "layer 'fc1' (R12, resource): Vitis HLS csynth failed with exit code 1; its output is in " in said
    assert "ERROR: too large" in Path(said.split("output is in ")[1].splitlines()[0]).read_text()
    stand_in(monkeypatch, tmp_path)
    assert explore(project, "--confirm", "0") == 0
    assert sorted((layer[0], layer[2]) for (layer,), _ in runs()) == [
        (3, 1),
        (3, 3),
        (3, 6),
        (4, 1),
        (4, 2),
        (4, 4),
        (4, 12),
    ]


def test_what_stands_in_the_way_is_one_clear_error(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(code: int, said: str, *arguments: str, **changes: str) -> None:
        text = PROJECT
        for old, new in changes.items():
            text = text.replace(old, new)
        (project / "project.toml").write_text(text)
        assert explore(project, *arguments) == code
        assert said in capsys.readouterr().err

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HLSFLOW_VITIS", raising=False)
    fails(4, "Vitis HLS is not installed")
    stand_in(monkeypatch, tmp_path)
    fails(
        4, "Vivado HLS is not installed: no vivado_hls on PATH", **{"[knobs]": '[target]\nbackend = "vivado"\n[knobs]'}
    )
    fails(2, "measures projects of vitis and vivado", **{"[knobs]": '[target]\nbackend = "oneapi"\n[knobs]'})
    fails(2, "does not know ECP5", "--family", "ecp5")
    fails(2, "--cluster is for --engine open", "--cluster", "slurm")
    fails(2, "hls4ml has no strategy sparse", **{'"latency", "resource"': '"sparse"'})
