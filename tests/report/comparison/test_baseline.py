"""Baselines: what a figure is held against, in which direction, and files that would never fail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hlsflow.__main__ import main
from hlsflow.core.errors import DataError
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.report.comparison import baseline
from hlsflow.report.comparison.baseline import Tolerance
from hlsflow.report.comparison.subjects import Subject, subjects
from tests.toolchains.reports.written import CSYNTH_XML, UTILISATION


def metric(name: str, value: float, source: str = "a.xml:3") -> Metric:
    return Metric(name, value, Stage.HLS, "Vitis HLS", "2023.2", "xc7", source)


def kept(folder: Path, *metrics: Metric) -> baseline.Baseline:
    """A baseline of these figures, read again."""
    baseline.write([Subject("a", "", MetricSet(metrics))], folder / "b.toml", "a")
    return baseline.read(folder / "b.toml")


def failing(base: baseline.Baseline, *today: Metric) -> list[str]:
    moved = baseline.moved(base, [Subject("a", "", MetricSet(today))])
    return [one.expected.name for one in moved if one.failed]


@pytest.mark.parametrize("name", ["accuracy", "tpr", "auc", "passed", "fmax_mhz", "wns_ns", "whs_ns"])
def test_less_of_these_is_worse(tmp_path: Path, name: str) -> None:
    base = kept(tmp_path, metric(name, 1.0))
    assert failing(base, metric(name, 0.5)) == [name]
    assert failing(base, metric(name, 1.5)) == []


@pytest.mark.parametrize("name", ["fpr", "lut", "ii", "latency_cycles", "latency_ns", "bram", "power_w", "area_score"])
def test_more_of_these_is_worse(tmp_path: Path, name: str) -> None:
    base = kept(tmp_path, metric(name, 1.0))
    assert failing(base, metric(name, 1.5)) == [name]
    assert failing(base, metric(name, 0.5)) == []


def test_the_larger_of_two_tolerances_counts() -> None:
    tolerance = Tolerance(share=0.1, absolute=5.0)
    assert tolerance.allowed(20.0) == 5.0
    assert tolerance.allowed(1000.0) == 100.0
    assert tolerance.allowed(-1000.0) == 100.0


@pytest.mark.parametrize(
    ("worst", "names"),
    [
        (100.0, ("ii", "latency_cycles", "dsp", "bram")),
        (102.0, ("lut", "ff", "latency_ns", "clock_estimate_ns", "alm", "alut", "lut4", "area_score")),
        (105.0, ("power_w", "power_static_w", "power_dynamic_w")),
        (100.0, ("accuracy",)),
        (99.9, ("wns_ns", "whs_ns")),
        (95.0, ("fmax_mhz",)),
    ],
)
def test_tools_may_move_their_own_figures_a_little(tmp_path: Path, worst: float, names: tuple[str, ...]) -> None:
    """From 100, to the worst that is let through and not beyond it."""
    base = kept(tmp_path, *(metric(name, 100.0) for name in names))
    worse = -0.001 if names[0] in baseline.HIGHER_IS_BETTER else 0.001
    assert failing(base, *(metric(name, worst - worse) for name in names)) == []
    assert failing(base, *(metric(name, worst + worse) for name in names)) == list(names)


def test_a_baseline_has_at_most_8_mib(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    baseline.write([Subject("a", "", MetricSet((metric("lut", 1000.0),)))], file, "a")
    text = file.read_text()
    file.write_text(text.ljust(8 << 20))
    assert len(baseline.read(file).figures) == 1
    file.write_text(text.ljust((8 << 20) + 1))
    with pytest.raises(DataError, match="more than any such file"):
        baseline.read(file)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value = 1000.0", "value = nan", "the value of a figure is nan, and must be a finite number"),
        ("value = 1000.0", "value = -inf", "the value of a figure is -inf, and must be a finite number"),
        ("share = 0.02", "share = nan", "the share of a tolerance is nan"),
        ("share = 0.02", "share = inf", "the share of a tolerance is inf"),
        ("absolute = 0.0", "absolute = inf", "the absolute of a tolerance is inf"),
        ("share = 0.02", "share = -0.5", "the share of a tolerance is -0.5, below 0"),
        ("absolute = 0.0", "absolute = -1e-9", "the absolute of a tolerance is -1e-09, below 0"),
    ],
)
def test_a_baseline_that_would_never_fail_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    kept(tmp_path, metric("lut", 1000.0))
    file = tmp_path / "b.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        baseline.read(file)


def test_numbers_of_json_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    baseline.write([Subject("a", "", MetricSet((metric("lut", 1000.0),)))], file, "a")
    for value in ("NaN", "Infinity", "1e999", "1" + "0" * 400):
        file.write_text(file.read_text().replace("1000.0", value))
        with pytest.raises(DataError, match="is no baseline"):
            baseline.read(file)


def test_a_figure_of_today_that_is_no_number_fails(tmp_path: Path) -> None:
    for name in ("lut", "accuracy"):
        assert failing(kept(tmp_path, metric(name, 1.0)), metric(name, float("nan"))) == [name]


def two_tops(folder: Path, **luts: int) -> Path:
    """A folder with csynth of two functions, of which no file says that one is the top."""
    for top, lut in luts.items():
        text = CSYNTH_XML.replace(">tiny<", f">{top}<").replace(">678<", f">{lut}<")
        place = folder / f"solution1/syn/report/{top}_csynth.xml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


def check(folder: Path, *options: str) -> int:
    return main(["check", str(folder), *options])


def test_every_top_is_held_against_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = two_tops(tmp_path / "built", a_top=900, z_part=400), str(tmp_path / "b.toml")
    assert check(folder, "--write-baseline", file) == 0
    assert check(folder, "--baseline", file) == 0
    two_tops(folder, z_part=500)
    assert check(folder, "--baseline", file) == 7
    assert "1 of 18 figures" in (said := capsys.readouterr().err)
    assert "z_part: lut (hls, Vitis HLS, xcvu9p-flga2104-2-e): was 400, is 500 LUT" in said
    two_tops(folder, z_part=400, a_top=1000)
    assert check(folder, "--baseline", file) == 7
    assert "a_top: lut (hls, Vitis HLS, xcvu9p-flga2104-2-e): was 900, is 1000 LUT" in capsys.readouterr().err


def test_every_run_of_one_top_is_held_against_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two solutions of one project, told by their files."""
    folder, file = tmp_path / "built", str(tmp_path / "b.toml")
    runs = {"fast": 300, "small": 200}

    def synthesized(luts: Mapping[str, int]) -> None:
        for name, lut in luts.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / "vivado_synth.rpt").write_text(UTILISATION.replace("|  210 |", f"|  {lut} |"))

    synthesized(runs)
    assert check(folder, "--write-baseline", file) == 0
    assert check(folder, "--baseline", file) == 0
    synthesized(runs | {"small": 250})
    assert check(folder, "--baseline", file) == 7
    assert "lut (synth, Vivado, 7z020clg400-1): was 200, is 250 LUT" in capsys.readouterr().err
    (folder / "small/vivado_synth.rpt").unlink()
    synthesized({"other": 200})
    assert check(folder, "--baseline", file) == 7
    assert "was 200 LUT in small/vivado_synth.rpt, and there is no such figure now" in capsys.readouterr().err


def test_files_do_not_matter_where_a_figure_stands_alone(tmp_path: Path) -> None:
    """A report that has moved to another folder, and baselines of releases that told no files."""
    base = kept(tmp_path, metric("lut", 1000.0, "old/a.xml:3"))
    assert base.figures[0].file == "old/a.xml"
    assert failing(base, metric("lut", 1000.0, "new/b.xml:9")) == []
    text = (tmp_path / "b.toml").read_text()
    (tmp_path / "b.toml").write_text("".join(line for line in text.splitlines(True) if not line.startswith("file")))
    old = baseline.read(tmp_path / "b.toml")
    assert failing(old, metric("lut", 1000.0)) == []
    assert failing(old, metric("lut", 1000.0), metric("lut", 900.0, "c.xml:1")) == ["lut"]  # which of the two?


def test_the_folder_may_be_named_in_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = two_tops(tmp_path / "built", a_top=900, z_part=400)
    baseline.write(subjects(folder, tmp_path), tmp_path / "b.toml", "built")
    monkeypatch.chdir(tmp_path)
    moved = baseline.moved(baseline.read(tmp_path / "b.toml"), subjects(Path("built"), tmp_path))
    assert len(moved) == 18
    assert not any(one.failed for one in moved)


def test_a_folder_that_holds_another_run_now_keeps_its_baseline(tmp_path: Path) -> None:
    """Its figures have names now, and are told from those of the other run by their file."""
    base = kept(tmp_path, metric("lut", 1000.0))
    own, other = (
        MetricSet((metric("lut", value, file),)) for value, file in ((1000.0, "a.xml:3"), (2000.0, "b.xml:3"))
    )
    (moved,) = baseline.moved(base, [Subject("a", "b.xml", other), Subject("a", "a.xml", own)])
    assert (moved.failed, moved.metric and moved.metric.value) == (False, 1000.0)
