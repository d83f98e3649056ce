"""Designs side by side, and figures held against a baseline."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hlsflow.__main__ import main
from hlsflow.core.errors import BaselineMoved, DataError, ProjectError
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.report import markdown
from hlsflow.report.comparison import baseline
from hlsflow.report.comparison.baseline import DEFAULTS, Tolerance
from hlsflow.report.comparison.compare import compare, difference, groups
from hlsflow.report.comparison.subjects import Subject, subjects
from hlsflow.report.document import Table
from tests.toolchains.reports.written import CSYNTH_RPT, CSYNTH_XML, UTILISATION


def metric(
    name: str,
    value: float | None,
    stage: Stage = Stage.HLS,
    tool: str = "Vitis HLS",
    target: str = "xc7",
    note: str = "",
) -> Metric:
    return Metric(
        name, value, stage, tool, "2023.2", target, "a.xml:3", note or ("" if value is not None else "unknown")
    )


def subject(path: str, *metrics: Metric, point: str = "", **knobs: str) -> Subject:
    return Subject(path, point, MetricSet(metrics), knobs)


def cells(table: Table, name: str) -> list[str]:
    return [cell.text for row in table.rows if row[0].text == name for cell in row[1:]]


def tables(*designs: Subject) -> dict[str, Table]:
    document = compare(designs)
    return {
        section.title: block for section in document.sections for block in section.blocks if isinstance(block, Table)
    }


def test_differences_are_in_per_cent_of_the_first() -> None:
    (table,) = tables(
        subject("a", metric("lut", 200)), subject("b", metric("lut", 250)), subject("c", metric("lut", 100))
    ).values()
    assert table.head == ("figure", "a", "b", "difference", "c", "difference")
    assert cells(table, "LUT") == ["200", "250", "+25.0 %", "100", "-50.0 %"]
    assert cells(table, "tool") == ["Vitis HLS", "Vitis HLS", "same", "Vitis HLS", "same"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (5, 5, "same"),
        (0, 5, "5 instead of 0"),
        (-0.2, -0.3, "-50.0 %"),
        (10000, 10001, "+0.01 %"),
        (5, None, ""),
        (None, 5, ""),
    ],
)
def test_differences_of_all_kinds(old: float | None, new: float | None, said: str) -> None:
    assert difference(metric("lut", old), metric("lut", new)).text == said


def test_a_figure_that_only_one_design_has_is_missing_in_the_other() -> None:
    (table,) = tables(subject("a", metric("lut", 200), metric("uram", 3)), subject("b", metric("lut", 250))).values()
    assert cells(table, "URAM") == ["3", "missing", ""]


def test_stages_never_share_a_table() -> None:
    one = subject("a", metric("lut", 200), metric("lut", 100, Stage.SYNTH, "Vivado"))
    other = subject("b", metric("lut", 190, Stage.SYNTH, "Vivado"), metric("lut", 210))
    found = tables(one, other)
    assert {title: cells(table, "LUT")[::2] for title, table in found.items()} == {
        "hls": ["200", "+5.0 %"],
        "synth": ["100", "+90.0 %"],
    }
    for group in groups([one, other]):
        assert {m.stage for known in group.sets for m in known.values()} == {group.stage}


def test_other_tools_of_one_stage_are_compared_and_named() -> None:
    (table,) = tables(
        subject("a", metric("lut", 200, tool="Vivado HLS")), subject("b", metric("lut", 100, target="xcu250"))
    ).values()
    assert cells(table, "tool") == ["Vivado HLS", "Vitis HLS", "differs"]
    assert cells(table, "target") == ["xc7", "xcu250", "differs"]
    assert cells(table, "LUT") == ["200", "100", "-50.0 %"]


def test_several_targets_of_one_stage_have_a_table_each() -> None:
    both = [metric("lut", 10, Stage.SYNTH, "yosys", "xc7"), metric("lut", 20, Stage.SYNTH, "yosys", "ecp5")]
    found = tables(subject("a", *both), subject("b", *both[:1]))
    assert {title: cells(table, "LUT") for title, table in found.items()} == {
        "synth: xc7, yosys": ["10", "10", "same"],
        "synth: ecp5, yosys": ["20", "missing", ""],
    }


def test_runs_are_compared_point_by_point_and_a_single_run_within_itself() -> None:
    old = [subject("old", metric("lut", 10), point="R1"), subject("old", metric("lut", 5), point="R2")]
    new = [subject("new", metric("lut", 11), point="R1"), subject("new", metric("lut", 5), point="R2")]
    found = tables(*old, *new)
    assert {title: cells(table, "LUT") for title, table in found.items()} == {
        "R1, hls": ["10", "11", "+10.0 %"],
        "R2, hls": ["5", "5", "same"],
    }
    (table,) = tables(*old).values()
    assert (table.head, cells(table, "LUT")) == (("figure", "R1", "R2", "difference"), ["10", "5", "-50.0 %"])


def test_points_that_one_side_lacks_are_named() -> None:
    old = [subject("old", metric("lut", 10), point=point) for point in ("R1", "R2", "R4")]
    new = [subject("new", metric("lut", 11), point=point) for point in ("R1", "R8")]
    text = markdown.render(compare([*old, *new]))
    assert "## R1, hls" in text
    assert "## Not compared: not in all of them\n\n- old: R2\n- old: R4\n- new: R8\n" in text
    assert "Not compared" not in markdown.render(compare([*old, *old]))


def test_knobs_that_differ_and_warnings_are_told() -> None:
    one = subject("a", metric("lut", 1), ReuseFactor="1", Strategy="Resource")
    other = replace(subject("b", metric("lut", 1), ReuseFactor="4", Strategy="Resource"), warnings=("it is stale",))
    knobs = tables(one, other)["knobs that differ"]
    assert [[cell.text for cell in row] for row in knobs.rows] == [["ReuseFactor", "1", "4"]]
    assert "- b: it is stale" in markdown.render(compare([one, other]))


def test_one_design_cannot_be_compared() -> None:
    with pytest.raises(ProjectError, match="one design cannot be compared"):
        compare([subject("a", metric("lut", 1))])


TODAY = [subject("a", metric("lut", 1000), metric("ii", 4), metric("fmax_mhz", 200.0), metric("wns_ns", 0.05))]


def after(folder: Path, *changed: Metric) -> list[baseline.Moved]:
    """A baseline of `TODAY`, and what moved when some figures have changed."""
    baseline.write(TODAY, folder / "b.toml", "a")
    figures = {one.name: one for one in TODAY[0].metrics} | {one.name: one for one in changed}
    return baseline.moved(baseline.read(folder / "b.toml"), [subject("a", *figures.values())])


@pytest.mark.parametrize("name", ["b.toml", "b.json"])
def test_a_baseline_is_what_was_written(tmp_path: Path, name: str) -> None:
    seconds = metric("seconds", 12.0)  # no promise
    unknown = metric("dsp", None)
    assert baseline.write([subject("a", *TODAY[0].metrics, seconds, unknown)], tmp_path / name, "a") == 4
    read = baseline.read(tmp_path / name)
    assert [(kept.name, kept.value, kept.stage, kept.tool, kept.version) for kept in read.figures] == [
        ("lut", 1000, Stage.HLS, "Vitis HLS", "2023.2"),
        ("ii", 4, Stage.HLS, "Vitis HLS", "2023.2"),
        ("fmax_mhz", 200, Stage.HLS, "Vitis HLS", "2023.2"),
        ("wns_ns", 0.05, Stage.HLS, "Vitis HLS", "2023.2"),
    ]
    assert read.tolerances["lut"] == DEFAULTS["lut"]
    moved = baseline.moved(read, TODAY)
    baseline.require(moved, read.file)
    assert not any(one.failed for one in moved)
    (again,) = baseline.designs(tmp_path / name, tmp_path)
    assert {one.name: one.value for one in again.metrics} == {"lut": 1000, "ii": 4, "fmax_mhz": 200, "wns_ns": 0.05}


@pytest.mark.parametrize(
    ("name", "value", "failed"),
    [
        ("lut", 1020, False),
        ("lut", 1021, True),
        ("lut", 500, False),  # better
        ("ii", 5, True),
        ("ii", 3, False),
        ("fmax_mhz", 191, False),
        ("fmax_mhz", 189, True),
        ("fmax_mhz", 300, False),
        ("wns_ns", -0.04, False),
        ("wns_ns", -0.06, True),
        ("lut", None, True),  # missing now
    ],
)
def test_tolerances(tmp_path: Path, name: str, value: float | None, failed: bool) -> None:
    moved = {one.expected.name: one.failed for one in after(tmp_path, metric(name, value))}
    assert moved == {"lut": False, "ii": False, "fmax_mhz": False, "wns_ns": False} | {name: failed}


def test_a_failure_names_figure_stage_old_new_and_tolerance(tmp_path: Path) -> None:
    moved = after(tmp_path, metric("lut", 1500), metric("ii", None, note="it depends on the data"))
    with pytest.raises(BaselineMoved, match="2 of 4 figures moved beyond their tolerance") as caught:
        baseline.require(moved, tmp_path / "b.toml")
    text = caught.value.message
    assert "lut (hls, Vitis HLS, xc7): was 1000, is 1500 LUT (+50.0%), may get worse by 20" in text
    assert "ii (hls, Vitis HLS, xc7): was 4 cycles, and is missing now: it depends on the data" in text
    assert "--write-baseline" in caught.value.hint


def test_a_figure_of_another_stage_is_none(tmp_path: Path) -> None:
    baseline.write(TODAY, tmp_path / "b.toml", "a")
    now = [subject("a", *(replace(one, stage=Stage.SYNTH) for one in TODAY[0].metrics))]
    moved = baseline.moved(baseline.read(tmp_path / "b.toml"), now)
    assert all(one.metric is None and one.failed for one in moved)
    assert str(moved[0]) == "lut (hls, Vitis HLS, xc7): was 1000 LUT in a.xml, and there is no such figure now"


def test_another_version_of_a_tool_is_told_and_no_failure(tmp_path: Path) -> None:
    moved = after(tmp_path, replace(metric("lut", 1000), version="2024.2"))
    assert list(baseline.other_versions(moved)) == ["Vitis HLS was 2023.2 and is 2024.2"]
    assert not any(one.failed for one in moved)


def test_a_figure_may_have_a_tolerance_of_its_own_in_both_directions(tmp_path: Path) -> None:
    file = tmp_path / "b.json"
    baseline.write(TODAY, file, "a")
    data = json.loads(file.read_text())
    data["figure"][0]["tolerance"] = {"share": 0.5, "direction": "both"}
    file.write_text(json.dumps(data))
    kept = baseline.read(file)
    assert kept.figures[0].tolerance == Tolerance(0.5, 0.0, "both")
    for value, failed in ((1400, False), (1600, True), (600, False), (400, True)):
        moved = baseline.moved(kept, [subject("a", metric("lut", value))])
        assert moved[0].failed is failed


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema = 1", "schema = 9", "schema 9 is not known"),
        ('name = "lut"', 'name = "luts"', "unknown metric 'luts'"),
        ('direction = "worse"', 'direction = "up"', "not direction 'up'"),
        ("share = 0.02", "shares = 0.02", "not 'shares'"),
        ("value = 1000", 'value = "1000"', "'1000' is no number"),
        ("schema = 1", "schema = ", "is no baseline"),
        ("schema = 1", "", "is no baseline"),
    ],
)
def test_files_that_are_no_baselines(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "b.toml"
    baseline.write(TODAY, file, "a")
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        baseline.read(file)


def test_nothing_to_keep_and_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no figures to keep"):
        baseline.write([subject("a", metric("lut", None))], tmp_path / "b.toml", "a")
    with pytest.raises(DataError, match="cannot be read: No such file"):
        baseline.read(tmp_path / "b.toml")


def run_report(folder: Path) -> Path:
    """The report.json of a run with two points, as far as it matters here."""
    points = [
        {
            "knobs": {"reuse_factor": factor, "multiplier": "dsp", "layers": {}},
            "predicted": {"ii": factor},
            "metrics": MetricSet((metric("lut", lut, Stage.SYNTH, "yosys"),)).to_json(),
        }
        for factor, lut in ((1, 50), (2, 30))
    ]
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({"schema": 1, "points": points}))
    (folder / "report.md").write_text("# demo, run 1\n")
    return folder


def test_the_designs_of_a_path(tmp_path: Path) -> None:
    run = run_report(tmp_path / "run")
    for path in (run, run / "report.json"):
        assert [(one.point, one.knobs["reuse_factor"]) for one in subjects(path, tmp_path)] == [
            ("R1", "1"),
            ("R2", "2"),
        ]
    (tmp_path / "vivado_synth.rpt").write_text(UTILISATION)
    (one,) = subjects(tmp_path / "vivado_synth.rpt", tmp_path)
    assert one.metrics.get("lut", Stage.SYNTH) is not None
    with pytest.raises(DataError, match="there is no"):
        subjects(tmp_path / "nowhere", tmp_path)
    (run / "report.json").write_text('{"points": [{}]}')
    with pytest.raises(DataError, match="is no report of hlsflow"):
        subjects(run, tmp_path)


def vendor(folder: Path) -> Path:
    folder.mkdir()
    (folder / "tiny_csynth.rpt").write_text(CSYNTH_RPT)
    (folder / "vivado_synth.rpt").write_text(UTILISATION)
    return folder


def test_report_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = vendor(tmp_path / "built")
    assert main(["report", str(folder)]) == 0
    assert "hls: Vivado HLS 2020.1" in capsys.readouterr().out
    assert main(["report", str(folder), "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("project,layer,name,value,unit,stage,tool")
    assert main(["report", str(folder), "--format", "json", "--output", str(tmp_path / "r.json")]) == 0
    assert json.loads((tmp_path / "r.json").read_text())["project"] == "built"
    assert main(["report", str(folder), "--format", "html", "--output", str(tmp_path / "r.html")]) == 0
    assert main(["report", str(run_report(tmp_path / "run"))]) == 0
    assert capsys.readouterr().out.endswith("# demo, run 1\n")
    assert main(["report", str(tmp_path / "run"), "--format", "html"]) == 2
    assert "report.html cannot be read" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_compare_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = vendor(tmp_path / "built")
    (tmp_path / "tiny_csynth.xml").write_text(CSYNTH_XML)
    assert main(["check", str(folder), "--write-baseline", str(tmp_path / "b.toml")]) == 0
    capsys.readouterr()
    assert main(["compare", str(folder), str(tmp_path / "tiny_csynth.xml"), str(tmp_path / "b.toml")]) == 0
    text = capsys.readouterr().out
    row = next(line for line in text.split("## hls")[1].splitlines() if line.startswith("| LUT"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["LUT", "252", "678", "+169.0 %", "252", "same"]
    assert main(["compare", str(folder)]) == 2


def test_check_with_a_baseline_fails_ci(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, kept = vendor(tmp_path / "built"), str(tmp_path / "b.toml")
    assert main(["check", str(folder), "--write-baseline", kept]) == 0
    assert main(["check", str(folder), "--baseline", kept]) == 0
    assert "13 figures of" in capsys.readouterr().out
    (folder / "vivado_synth.rpt").write_text(UTILISATION.replace("|  210 |", "|  310 |"))
    assert main(["check", str(folder), "--baseline", kept]) == 7
    assert "lut (synth, Vivado, 7z020clg400-1): was 210, is 310 LUT (+47.6%)" in capsys.readouterr().err
    (folder / "vivado_synth.rpt").write_text(UTILISATION[:2000])
    assert main(["check", str(folder), "--baseline", kept]) == 7
    told = capsys.readouterr()
    assert "warning: cannot be read: utilisation report vivado_synth.rpt" in told.out
    assert "was 210 LUT in vivado_synth.rpt, and there is no such figure now" in told.err


def test_a_project_that_has_not_been_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = Path(__file__).parents[3] / "projects" / "digits"
    assert main(["report", str(project), "--build", str(tmp_path)]) == 2
    assert "hlsflow run" in capsys.readouterr().err
