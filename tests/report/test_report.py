"""The report: stages never share a table, nothing missing stands as 0, the JSON follows its schema."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hlsflow.core import templates
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.report import run as report
from hlsflow.report.document import Chain, number
from hlsflow.report.markdown import render_blocks
from hlsflow.report.run import PointReport, Report
from tests.report.gates import gate

EXACT = "Bit-exact to the model's file"

SCHEMA = json.loads(templates.read("report/report.schema.json"))


def metric(
    name: str, value: float | None, stage: Stage, target: str = "ecp5", note: str = "", tool: str = "t"
) -> Metric:
    return Metric(name, value, stage, tool, "1.0 (wheel)", target, "metrics.json", note)


def example() -> Report:
    first = MetricSet(
        (
            metric("accuracy", 0.975, Stage.QAT, "test set"),
            metric("accuracy", 0.975, Stage.SIMULATED, "test set"),
            metric("latency_cycles", 61, Stage.SIMULATED, "1000 vectors"),
            metric("ii", 16, Stage.SIMULATED, "1000 vectors"),
            metric("lut", 3209, Stage.SYNTH),
            metric("dsp", 0, Stage.SYNTH),
            metric("fmax_mhz", None, Stage.ROUTED, "LFE5U-45F", "does not fit: 212 of 72 MULT18X18D"),
        )
    )
    second = MetricSet(
        (metric("latency_cycles", 108, Stage.SIMULATED, "1000 vectors"), metric("lut", 2337, Stage.SYNTH))
    )
    hls = MetricSet((metric("lut", 9999, Stage.HLS, "xcu250", tool="vitis"),))
    points = [
        PointReport({"reuse_factor": 16, "multiplier": "dsp", "layers": {}}, "R16", {"ii": 16}, first),
        PointReport({"reuse_factor": 32, "multiplier": "dsp", "layers": {}}, "R32", {"ii": 32}, second),
        PointReport({"reuse_factor": 64, "multiplier": "dsp", "layers": {}}, "hls4ml R64", {}, hls),
    ]
    row = {"name": "fc", "kind": "Dense", "shape": [4, 2], "weight": "fixed<6,1>", "accum": "a", "result": "r"}
    layers = [row | {"strategy": "latency", "asked": 4, "granted": 4, "multipliers": 2, "zeros": 12.5, "values": 7}]
    corrections = [{"layer": "fc", "what": "this", "reason": "that"}]
    return Report(
        "demo",
        "abcd",
        gate().to_json(),
        layers,
        corrections,
        points,
        {"ecp5": {"lut": 3000, "ii": 16}},
        ["no csynth row"],
    )


def test_json_follows_the_published_schema() -> None:
    jsonschema.validate(json.loads(json.dumps(report.to_json(example()))), SCHEMA)


def test_standardized_samples_are_told_with_mean_and_deviation() -> None:
    standard = {"by": "the 3 samples of t.csv", "features": ["mass", "0"], "mean": [3.0, 0.5], "deviation": [1.5, 1.0]}
    own = replace(example(), standardization=standard)
    data = json.loads(json.dumps(report.to_json(own)))
    jsonschema.validate(data, SCHEMA)
    assert data["standardization"] == standard
    section = report.to_markdown(own).split("## Samples are standardized")[1].split("##")[0]
    assert "those of the 3 samples of t.csv" in section
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    assert rows[2:] == [["mass", "3", "1.5"], ["0", "0.5", "1"]]
    assert "standardized" not in report.to_markdown(example())
    many = standard | {key: standard[key] * 40 for key in ("features", "mean", "deviation")}
    assert "|" not in report.to_markdown(replace(own, standardization=many)).split("standardized\n")[1].split("##")[0]


def test_the_schema_refuses_a_missing_figure_without_a_reason() -> None:
    data = report.to_json(example())
    data["points"][0]["metrics"][-1]["note"] = ""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_stages_and_tools_never_share_a_table() -> None:
    sections = report.to_markdown(example()).split("\n## ")
    titles = [section.splitlines()[0] for section in sections]
    assert "synth: ecp5, t 1.0 (wheel)" in titles
    assert "routed: LFE5U-45F, t 1.0 (wheel)" in titles
    assert "hls: xcu250, vitis 1.0 (wheel)" in titles
    synth = next(section for section in sections if section.startswith("synth"))
    assert "9,999" not in synth
    assert "3,209" in synth


def test_figures_of_layers_stand_by_their_report() -> None:
    layers = tuple((name, MetricSet((metric("lut", value, Stage.HLS),))) for name, value in (("fc", 40), ("out", 2)))
    told = replace(example(), points=[replace(example().points[0], layers=layers)])
    section = report.to_markdown(told).split("## Layers of R16, hls: ecp5, t 1.0 (wheel)")[1].split("##")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    assert [rows[0], *rows[2:]] == [["layer", "LUT"], ["fc", "40"], ["out", "2"]]
    data = json.loads(json.dumps(report.to_json(told)))
    jsonschema.validate(data, SCHEMA)
    assert [layer["metrics"][0]["value"] for layer in data["points"][0]["layers"]] == [40, 2]


def test_missing_is_said_with_its_reason_and_zero_stays_zero() -> None:
    text = report.to_markdown(example())
    routed = text.split("## routed")[1].split("##")[0]
    assert "missing" in routed
    assert "R16: does not fit: 212 of 72 MULT18X18D" in routed
    row = next(line for line in text.split("## synth")[1].splitlines() if line.startswith("| R16"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["R16", "3,209", "0"]
    row = next(line for line in text.split("## synth")[1].splitlines() if line.startswith("| R32"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["R32", "2,337", "missing"]


def rows_of(section: str) -> list[list[str]]:
    """Cells of all tables, the lines below their heads left out."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    return [row for row in cells if not set("".join(row)) <= set("-")]


def with_figures(*figures: Metric) -> Report:
    """The example with other figures of what the network says."""
    kept = tuple(one for one in example().points[0].metrics if one.name != "accuracy")
    return replace(example(), points=[replace(example().points[0], metrics=MetricSet((*kept, *figures)))])


def test_what_a_detector_finds_stands_beside_its_accuracy() -> None:
    about = "odd.npz, 90 test samples"
    told = with_figures(
        metric("accuracy", 0.8, Stage.QAT, about),
        metric("auc", 0.9, Stage.QAT, about),
        metric("tpr", 0.75, Stage.QAT, about),
        metric("fpr", 0.0, Stage.QAT, about),
        metric("accuracy", 0.8, Stage.SIMULATED, about),
        metric("tpr", 0.75, Stage.SIMULATED, about),
        metric("fpr", None, Stage.SIMULATED, about, "there are no normal samples in the test set"),
    )
    section = report.to_markdown(told).split("## Accuracy")[1].split("##")[0]
    assert "simulated: there are no normal samples in the test set" in section
    heads = ["accuracy", "anomalies found (TPR)", "false alarms (FPR)", "AUC"]
    assert rows_of(section) == [
        ["stage", *(f"{head} (fraction)" for head in heads), "data", "tool", "points"],
        ["qat", "0.8", "0.75", "0", "0.9", about, "t 1.0 (wheel)", "R16"],
        ["simulated", "0.8", "0.75", "missing", "missing", about, "t 1.0 (wheel)", "R16"],
    ]
    assert "anomalies found" in render_blocks(*report.summary(told))
    assert "anomalies found" not in report.to_markdown(example())
    assert "odd.npz" not in "".join(text for text in report.to_markdown(told).split("\n## ") if "LUT" in text)
    jsonschema.validate(json.loads(json.dumps(report.to_json(told))), SCHEMA)


def test_errors_of_a_regression_carry_their_unit() -> None:
    about = "x.csv, 9 test samples"
    error = replace(metric("rmse", 1.25, Stage.CSIM, about), own_unit="GeV")
    told = with_figures(metric("r2", 0.5, Stage.CSIM, about), error, metric("mae", 1.0, Stage.CSIM, about))
    section = report.to_markdown(told).split("## Regression")[1].split("##")[0]
    assert rows_of(section)[0][1:4] == ["R² (fraction)", "MAE (unit of the targets)", "RMSE (GeV)"]
    data = json.loads(json.dumps(report.to_json(told)))
    jsonschema.validate(data, SCHEMA)
    assert [one["unit"] for one in data["points"][0]["metrics"] if one["name"] == "rmse"] == ["GeV"]
    first = report.document(told).facts[0]
    assert (first.name, first.cell.text) == ("R² in C-simulation", "0.5")


ALL, FEW = "x.npz, 3000 test samples", "x.npz, first 1000 of 3000 test samples"


def test_figures_of_fewer_samples_have_a_table_of_their_own() -> None:
    told = with_figures(
        metric("accuracy", 0.75, Stage.QAT, ALL),
        metric("accuracy", 0.5, Stage.QAT, FEW),
        metric("accuracy", 0.75, Stage.CSIM, ALL),
        metric("accuracy", 0.5, Stage.CSIM, FEW),
        metric("accuracy", 0.5, Stage.SIMULATED, FEW),
    )
    section = report.to_markdown(told).split("## Accuracy")[1].split("##")[0]
    assert [(row[0], row[1], row[2]) for row in rows_of(section) if row[0] != "stage"] == [
        ("qat", "0.75", ALL),
        ("csim", "0.75", ALL),
        ("qat", "0.5", FEW),
        ("csim", "0.5", FEW),
        ("simulated", "0.5", FEW),
    ]
    assert len([row for row in rows_of(section) if row[0] == "stage"]) == 2
    first = report.document(told).facts[0]
    assert (first.name, first.cell.text, first.where) == ("accuracy in C-simulation", "0.75", f"R16, csim, {ALL}")


def test_the_rtls_figure_stands_first_where_it_ran_all_samples() -> None:
    told = with_figures(metric("accuracy", 0.75, Stage.CSIM, ALL), metric("accuracy", 0.75, Stage.SIMULATED, ALL))
    assert report.document(told).facts[0].name == "accuracy in RTL"
    alone = with_figures(metric("accuracy", 0.5, Stage.SIMULATED, FEW))
    assert report.document(alone).facts[0].name == "accuracy in RTL"


PROVENANCE = {
    "made": {
        "date": "2026-02-03T04:05:06+00:00",
        "first": "2026-02-01T00:00:00+00:00",
        "command": "hlsflow run ~/mine",
        "hlsflow": "0.1.0",
        "python": "3.11.7",
        "host": {"cpu": "A processor", "cores": 2, "os": "Linux 6"},
    },
    "packages": {"qkeras": "0.9.0"},
    "tools": [{"name": "yosys", "version": "0.70"}],
    "files": [
        {"what": "model", "name": "model.h5", "sha256": "0f" * 32},
        {"what": "data", "name": "digits", "sha256": None},
    ],
    "settings": {
        "input_type": "fixed<8,3>",
        "clock_ns": 5.0,
        "io_type": "io_parallel",
        "backend": "vitis",
        "part": "xcu250",
        "reuse_factors": [16, 32],
    },
}


def test_what_repeats_the_run_stands_at_the_end() -> None:
    told = replace(example(), provenance=PROVENANCE)
    jsonschema.validate(json.loads(json.dumps(report.to_json(told))), SCHEMA)
    rows = dict(rows_of(report.to_markdown(told).split("## To repeat this run")[1]))
    assert rows["computed"] == "2026-02-01 00:00:00 UTC to 2026-02-03 04:05:06 UTC"
    assert rows["command"] == "hlsflow run ~/mine"
    assert rows["host"] == "A processor, 2 cores, Linux 6"
    assert rows["tool"] == "yosys 0.70"
    assert rows["model, SHA-256"] == "model.h5: " + "0f" * 32
    assert rows["data, SHA-256"] == "digits: none, as the set comes with a package"
    assert rows["clock asked for (ns)"] == "5"
    assert rows["reuse factors of the RTL's points"] == "16, 32"


def test_a_part_that_nobody_dated_leaves_no_date() -> None:
    section = report.to_markdown(replace(example(), provenance={**PROVENANCE, "made": None}))
    rows = dict(rows_of(section.split("## To repeat this run")[1]))
    assert {rows["computed"], rows["command"], rows["host"]} == {"missing"}
    assert "did not write down when and where" in section
    assert "To repeat" not in report.to_markdown(example())


def test_each_reuse_factor_says_whose_it_is() -> None:
    def knobs(factor: int) -> dict[str, Any]:
        layer = {
            "reuse_factor": factor,
            "multipliers": 9,
            "multiplier": "dsp",
            "adders": 0,
            "pixels": 1,
            "strategy": "resource",
        }
        return {
            "reuse_factor": factor,
            "multiplier": "dsp",
            "layers": {"fc": layer | {"latency_cycles": 3, "memory": None}},
        }

    first, second, hls = example().points
    points = [replace(first, knobs=knobs(16)), replace(second, knobs=knobs(32)), hls]
    layers = [
        example().layers[0] | {"granted": 8},
        {**example().layers[0], "name": "relu", "asked": None, "granted": None},
    ]
    told = replace(example(), points=points, layers=layers)
    table = rows_of(report.to_markdown(told).split("## Layers")[1].split("##")[0])
    heads = ["R (hls4ml)", "R (R16)", "R (R32)"]
    assert [[dict(zip(table[0], row, strict=True))[head] for head in heads] for row in table[1:]] == [
        ["8 (asked 4)", "16", "32"],
        ["", "", ""],
    ]
    assert rows_of(render_blocks(*report.summary(told)).split("## Reuse factors")[1]) == [
        ["layer", *heads],
        ["fc", "8 (asked 4)", "16", "32"],
    ]
    data = json.loads(json.dumps(report.to_json(told)))
    jsonschema.validate(data, SCHEMA)
    assert [layer["reuse_factors"] for layer in data["layers"]] == [
        {"hls4ml": 8, "R16": 16, "R32": 32},
        {"hls4ml": None, "R16": None, "R32": None},
    ]


def test_csv_has_a_row_a_figure_with_all_its_provenance() -> None:
    rows = list(csv.DictReader(io.StringIO(report.to_csv(example()))))
    assert len(rows) == sum(len(point.metrics.metrics) for point in example().points)
    fmax = next(row for row in rows if row["name"] == "fmax_mhz")
    assert (fmax["value"], fmax["unit"], fmax["stage"]) == ("", "MHz", "routed")
    assert all(row["tool"] and row["version"] and row["target"] for row in rows)


def test_budgets_are_met_exceeded_or_not_known() -> None:
    verdicts = {(item["point"], item["name"]): item["verdict"] for item in report.to_json(example())["budgets"]}
    assert verdicts[("R16", "lut")] == "exceeded"
    assert verdicts[("R32", "lut")] == "met"
    assert verdicts[("R16", "ii")] == "met"
    assert verdicts[("R32", "ii")] == "missing"


def test_a_budget_is_judged_by_the_figures_of_its_own_family() -> None:
    one = example().points[0]
    both = (metric("lut", 2_900, Stage.SYNTH, "xc7"), metric("lut", 3_100, Stage.SYNTH, "ecp5"))
    limits = {"lut": 3_000.0}
    budgets = dict.fromkeys(("ecp5", "xc7", "xcup"), limits)
    told = replace(example(), points=[replace(one, metrics=MetricSet(both))], budgets=budgets)
    found = {item["family"]: (item["value"], item["verdict"]) for item in report.to_json(told)["budgets"]}
    assert found == {"ecp5": (3_100, "exceeded"), "xc7": (2_900, "met"), "xcup": (None, "missing")}
    section = report.to_markdown(told).split("## Budgets")[1].split("##")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    assert [(row[1], row[4], row[5]) for row in rows[2:]] == [
        ("ecp5", "3,100", "exceeded"),
        ("xc7", "2,900", "met"),
        ("xcup", "missing", "missing"),
    ]


@pytest.mark.parametrize(
    ("limits", "tone", "text"),
    [
        ({"lut": 4_000.0}, "good", EXACT),
        ({"lut": 3_209.0}, "good", EXACT),
        ({"lut": 3_208.0}, "warn", f"{EXACT}; budgets: 1 exceeded, 1 met"),
        ({"bram": 4.0}, "warn", f"{EXACT}; budgets: 2 missing"),
    ],
)
def test_a_verdict_is_green_only_where_budgets_are_met(limits: dict[str, float], tone: str, text: str) -> None:
    verdict = report.document(replace(example(), points=example().points[:2], budgets={"ecp5": limits})).verdict
    assert verdict is not None
    assert (verdict.tone, verdict.text) == (tone, text)


def test_a_gate_that_failed_or_did_not_run_is_never_green() -> None:
    for found, tone in ((gate(40, ("an output moves",)), "bad"), (replace(gate(), not_run="was left out"), "")):
        told = replace(example(), gate=found.to_json(), budgets={"ecp5": {"lut": 1e9}}, points=[])
        verdict = report.document(told).verdict
        assert verdict is not None
        assert verdict.tone == tone


def test_the_best_of_each_kind_stands_above() -> None:
    first, second, _ = example().points
    more = [metric("fmax_mhz", value, Stage.ROUTED, "LFE5U-45F") for value in (98.5, 132.25)]
    right = [metric("accuracy", value, Stage.SIMULATED, "test set") for value in (0.975, 0.96)]
    points = [
        replace(one, metrics=MetricSet((found, *(m for m in one.metrics if m.stage is not Stage.ROUTED), *extra)))
        for one, found, extra in zip((first, second), more, ([], right[1:]), strict=True)
    ]
    facts = {
        fact.name: (fact.cell.text, fact.where.split(",")[0])
        for fact in report.document(replace(example(), points=points)).facts
    }
    assert facts == {
        "accuracy in RTL": ("0.975", "R16"),
        "lowest latency, cycles": ("61", "R16"),
        "fewest LUT": ("2,337", "R32"),
        "highest Fmax, MHz": ("132.2", "R32"),
    }


def test_figures_of_other_samples_are_not_compared() -> None:
    def said(*accuracies: tuple[float, Stage, str]) -> list[str]:
        found = MetricSet(tuple(metric("accuracy", value, stage, data) for value, stage, data in accuracies))
        one = replace(example(), points=[replace(example().points[0], metrics=found)])
        blocks = [block for section in report.document(one).sections for block in section.blocks]
        return [step.change for block in blocks if isinstance(block, Chain) for step in block.steps]

    whole, some = "3000 samples", "1000 samples"
    assert said((0.97, Stage.CSIM, whole), (0.97, Stage.SIMULATED, some)) == ["", "other samples"]
    assert said((0.97, Stage.CSIM, whole), (0.97, Stage.SIMULATED, whole)) == ["", "equal"]
    assert said((0.97, Stage.CSIM, whole), (0.98, Stage.SIMULATED, whole)) == ["", "+1.00 points"]


def test_where_nobody_measured_the_clock_it_is_said() -> None:
    one = example().points[0]
    figures = (
        metric("latency_ns", 305.0, Stage.SIMULATED, "1000 vectors"),
        metric("lut", 3_000, Stage.SYNTH, "xc7"),
        metric("lut", 4_000, Stage.SYNTH, "ecp5"),
    )
    told = replace(example(), points=[replace(one, metrics=MetricSet(figures))])
    text, page, terminal = report.to_markdown(told), report.to_html(told), render_blocks(*report.summary(told))
    for said in (text, page, terminal):
        assert "latency (ns at the clock asked, not measured)" in said
        assert "Fmax: not measured: there is no router for xc7 here" in said
        assert "Fmax: not measured: no ECP5 part to place and route for was named" in said
    facts = {fact.name: fact.cell.text for fact in report.document(told).facts}
    assert facts["Fmax"] == "not measured"
    routed = MetricSet((*figures, metric("fmax_mhz", 120.0, Stage.ROUTED, "LFE5U-45F-6BG381C")))
    text = report.to_markdown(replace(told, points=[replace(one, metrics=routed)]))
    assert "no router for xc7" in text
    assert "no ECP5 part" not in text
    assert "latency (ns)" not in text


def test_resources_stand_in_per_cent_of_the_part_asked_for() -> None:
    one = example().points[0]
    about = (("lut", 10_640.0), ("dsp", 55.0), ("ff", None))
    figures = [metric(name, value, Stage.SYNTH, "xc7", "" if value else "not told") for name, value in about]
    figures.append(metric("lut", 864.0, Stage.HLS, "xcu250-figd2104-2L-e"))
    figures.append(metric("lut", 999.0, Stage.SYNTH, "xcup"))
    points = [replace(one, metrics=MetricSet(tuple(figures)))]
    told = replace(example(), points=points, parts={"xc7": "xc7z020clg400-1"})
    table = report.to_markdown(told).split("## synth: xc7")[1].split("##")[0]
    head, _, body = [line for line in table.splitlines() if line.startswith("|")]
    cells = dict(zip(*([cell.strip() for cell in line.strip("|").split("|")] for line in (head, body)), strict=True))
    assert cells["LUT (%)"] == "20.0"
    assert cells["DSP (%)"] == "25.0"
    assert cells["FF (%)"] == "missing"
    assert "- %: of all that xc7z020clg400-1 offers" in table
    data = json.loads(json.dumps(report.to_json(told)))
    jsonschema.validate(data, SCHEMA)
    shares = {
        (row["name"], row["target"]): (row["part"], row["available"], row["percent"])
        for row in csv.DictReader(io.StringIO(report.to_csv(told)))
    }
    assert shares["lut", "xc7"] == ("xc7z020clg400-1", "53200", "20.0")
    assert shares["ff", "xc7"] == ("xc7z020clg400-1", "106400", "")
    assert shares["lut", "xcup"] == ("", "", "")
    items = data["points"][0]["utilisation"]
    used = {(item["name"], item["target"]): (item["available"], item["percent"]) for item in items}
    assert used == {
        ("lut", "xc7"): (53_200, 20.0),
        ("dsp", "xc7"): (220, 25.0),
        ("ff", "xc7"): (106_400, None),
        ("lut", "xcu250-figd2104-2L-e"): (1_728_000, 0.05),
    }


def test_all_files_are_written(tmp_path: Path) -> None:
    report.write(example(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["charts", *sorted(report.FILES)]
    assert "demo" in (tmp_path / "report.md").read_text()


def test_numbers_read_well() -> None:
    texts = [number(value) for value in (None, 0, 12345, 0.97777, 101.83, 5559.61)]
    assert texts == ["missing", "0", "12,345", "0.9778", "101.8", "5,559.6"]


def test_a_metric_without_value_needs_a_note() -> None:
    with pytest.raises(ValueError, match="no note"):
        metric("lut", None, Stage.SYNTH)
    with pytest.raises(ValueError, match="unknown metric"):
        metric("luts", 1, Stage.SYNTH)
    known = metric("lut", 1, Stage.SYNTH)
    assert Metric.from_json(json.loads(json.dumps(known.to_json()))) == known
    assert MetricSet((known,)).get("lut", Stage.SYNTH, "ecp5") == known
    assert MetricSet((known,)).get("lut", Stage.ROUTED) is None
    assert replace(known, value=2) != known
