"""Project folders that somebody else built: what is found, what is missing, what is warned of."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

from hlsflow.core import templates
from hlsflow.core.errors import DataError
from hlsflow.core.metrics import Stage
from hlsflow.report import html, markdown
from hlsflow.report.folders import directory, directory_report, hls4ml_config
from hlsflow.report.folders.columns import same_part
from hlsflow.report.folders.directory import Directory
from tests.toolchains.reports.written import (
    COSIM,
    CSIM,
    CSYNTH_RPT,
    CSYNTH_XML,
    HIERARCHY,
    POWER,
    TIMING,
    UTILISATION,
)

PART = "xc7z020-clg400-1"
CONFIG = f"""Backend: Vivado
ClockPeriod: 5
HLSConfig:
  LayerName:
    dense:
      Precision:
        result: fixed<16,6>
        weight: fixed<8,1>
      ReuseFactor: 40
    relu:
      Precision: ufixed<8,0>
  Model:
    Precision: fixed<16,6>
    ReuseFactor: 1
    Strategy: Resource
IOType: io_stream
KerasModel: !keras_model 'model.h5'
Part: {PART}
ProjectName: tiny
"""
TCL = f'variable project_name\nset project_name "tiny"\nset backend "vivado"\nset part "{PART}"\nset clock_period 5\n'
XML = CSYNTH_XML.replace("xcvu9p-flga2104-2-e", PART).replace("<Version>2023.2", "<Version>2020.1")
SOLUTION = "tiny_prj/solution1"
BUILT = {
    "hls4ml_config.yml": CONFIG,
    "project.tcl": TCL,
    "firmware/tiny.cpp": "// the top\n",
    f"{SOLUTION}/csim/report/tiny_csim.log": CSIM,
    f"{SOLUTION}/syn/report/tiny_csynth.rpt": CSYNTH_RPT,
    f"{SOLUTION}/syn/report/dense_s_csynth.rpt": "the report of a function, which nobody reads\n",
    f"{SOLUTION}/sim/report/tiny_cosim.rpt": COSIM,
    "vivado_synth.rpt": UTILISATION,
    "impl/util.rpt": HIERARCHY,
    "impl/tiny_timing_summary_routed.rpt": TIMING,
    "impl/tiny_power_routed.rpt": POWER,
}


def build(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def read(folder: Path, **changed: str) -> Directory:
    """The folder of `BUILT` with some files changed; names have `__` for `/` and `_dot_` for `.`."""
    files = BUILT | {name.replace("__", "/").replace("_dot_", "."): text for name, text in changed.items()}
    return directory.read(build(folder, files))


def test_every_stage_has_a_column_of_its_own(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.name, found.refused, found.missing, found.warnings) == ("tiny", (), (), ())
    columns = found.columns
    assert [(column.stage, column.tool, column.version, column.part) for column in columns] == [
        (Stage.CSIM, "Vivado HLS csim", "2020.1", PART),
        (Stage.HLS, "Vivado HLS", "2020.1", PART),
        (Stage.SYNTH, "Vivado", "2020.1", "7z020clg400-1"),
        (Stage.ROUTED, "Vivado", "2020.1", "xc7z020clg400-1"),  # utilisation, timing and power spell it in three ways
        (Stage.SIMULATED, "Vivado HLS cosimulation (xsim)", "2020.1", PART),
    ]
    luts = {column.stage: lut.value for column in columns if (lut := column.metrics.get("lut"))}
    assert luts == {Stage.HLS: 252, Stage.SYNTH: 210, Stage.ROUTED: 300}
    routed = {metric.name for column in columns if column.stage is Stage.ROUTED for metric in column.metrics}
    assert routed >= {"lut", "wns_ns", "fmax_mhz", "power_w"}


def test_simulations_get_release_part_and_clock_of_their_synthesis(tmp_path: Path) -> None:
    cosim = next(report for report in read(tmp_path).reports if report.kind == "cosim")
    assert {(m.tool, m.version, m.target, m.clock_ns) for m in cosim.metrics} == {
        ("Vivado HLS cosimulation (xsim)", "2020.1", PART, 5.0)
    }


def test_the_same_figures_in_two_files_stand_once(tmp_path: Path) -> None:
    text = XML.replace(">678<", ">252<").replace(">345<", ">150<").replace("<DSP>12<", "<DSP48E>7<")
    text = text.replace("</DSP>", "</DSP48E>").replace("<DSP>", "<DSP48E>").replace("<BRAM_18K>4<", "<BRAM_18K>3<")
    text = text.replace("<URAM>2<", "<URAM>0<").replace(">24<", ">240<").replace("0.120 us", "1.200 us")
    text = text.replace(">8<", ">40<").replace(">3.214<", ">4.125<")
    found = read(tmp_path, **{f"{SOLUTION}/syn/report/tiny_csynth.xml": text})
    (column,) = (column for column in found.columns if column.stage is Stage.HLS)
    assert [report.file.suffix for report in column.reports] == [".xml", ".rpt"]
    assert [metric.name for metric in column.metrics].count("lut") == 1
    assert found.warnings == ()
    text = markdown.render(directory_report.document(found))
    assert text.count("## Layers, hls") == 1  # by instances, of which the text tells most
    assert "dense_U0" in text
    assert "dense_s" not in text
    run = next(run for run in directory_report.to_json(found)["runs"] if run["stage"] == "hls")
    assert run["files"] == [f"{SOLUTION}/syn/report/tiny_csynth{end}" for end in (".xml", ".rpt")]
    assert run["utilisation"]["dsp"] == round(100 * 7 / 220, 2)
    rows = list(csv.DictReader(io.StringIO(directory_report.to_csv(found))))
    assert len([row for row in rows if (row["name"], row["stage"], row["layer"]) == ("lut", "hls", "dense_U0")]) == 1


def test_contradicting_reports_never_share_a_column(tmp_path: Path) -> None:
    text = XML.replace("DSP>", "DSP48E>")
    found = read(tmp_path, **{f"{SOLUTION}/syn/report/tiny_csynth.xml": text})
    luts = [c.metrics.get("lut") for c in found.columns if c.stage is Stage.HLS]
    assert [lut.value for lut in luts if lut] == [678, 252]
    assert any("are of different runs: they differ in lut, ff" in text for text in found.warnings)


def test_a_report_that_cannot_be_read_is_told_and_gives_no_figure(tmp_path: Path) -> None:
    found = read(tmp_path, vivado_synth_dot_rpt=UTILISATION[:2000])
    (refused,) = found.refused
    assert refused.startswith("utilisation report vivado_synth.rpt")
    assert "ends early" in refused or "was cut short" in refused
    assert found.metrics.get("lut", Stage.SYNTH) is None
    assert found.missing == ("utilisation after logic synthesis: the report cannot be read",)


def test_a_damaged_configuration_hides_no_report(tmp_path: Path) -> None:
    found = read(tmp_path, hls4ml_config_dot_yml=CONFIG[:60] + "\n  - [")
    assert found.refused[0].startswith("hls4ml configuration hls4ml_config.yml is no YAML")
    assert found.config is None
    assert found.metrics.get("lut", Stage.HLS) is not None


def test_what_is_missing_and_why(tmp_path: Path) -> None:
    files = {name: text for name, text in BUILT.items() if "impl" not in name and "cosim" not in name}
    (tmp_path / SOLUTION / "sim").mkdir(parents=True)
    assert directory.read(build(tmp_path, files)).missing == (
        "cosimulation: started, but there is no report of the top",
        "utilisation after place and route, timing, power: not run here, or what the tool wrote was not kept",
    )


def test_a_project_that_nobody_built(tmp_path: Path) -> None:
    found = directory.read(build(tmp_path, {"hls4ml_config.yml": CONFIG, "firmware/tiny.cpp": ""}))
    assert found.reports == ()
    assert found.missing == ("any report: nothing was built here, or what the tool wrote was not kept",)
    assert "tiny" in markdown.render(directory_report.document(found))


def test_a_report_older_than_the_firmware_is_stale(tmp_path: Path) -> None:
    build(tmp_path, BUILT)
    newest = (tmp_path / "firmware/tiny.cpp").stat().st_mtime
    os.utime(tmp_path / "vivado_synth.rpt", (newest - 7200, newest - 7200))
    assert directory.read(tmp_path).warnings == (
        "vivado_synth.rpt is 2 hours older than firmware/tiny.cpp: it may be about other firmware",
    )


def test_reports_of_something_else_are_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, vivado_synth_dot_rpt=UTILISATION.replace(": tiny\n", ": other\n"))
    assert found.warnings == ("vivado_synth.rpt is about 'other', not about the top, and is left out",)
    assert found.metrics.get("lut", Stage.SYNTH) is None


def test_another_part_or_clock_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, hls4ml_config_dot_yml=CONFIG.replace(PART, "xcu250-figd2104-2L-e").replace("d: 5", "d: 4"))
    assert "Part: hls4ml_config.yml says xcu250-figd2104-2L-e, project.tcl says xc7z020-clg400-1" in found.warnings
    report, synthesized = f"{SOLUTION}/syn/report/tiny_csynth.rpt", "impl/util.rpt, vivado_synth.rpt"
    said = dict(reversed(text.split(": ", 1)) for text in found.warnings)
    files = {text: said[text].split(", ") for text in said}
    assert report in files[f"is about part {PART}, and the project is for xcu250-figd2104-2L-e"]
    assert said["is about part 7z020clg400-1, and the project is for xcu250-figd2104-2L-e"] == synthesized  # told once
    assert report in files["was made for a clock of 5 ns, and the project asks for 4 ns"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("xc7z020-clg400-1", "7z020clg400-1", True),
        ("xcu250-figd2104-2L-e", "xcu250figd2104-2L", True),
        ("xc7z020-clg400-1", "7z020-clg400", True),
        ("xc7z020-clg400-1", "xc7z010-clg400-1", False),
    ],
)
def test_tools_spell_parts_in_several_ways(one: str, other: str, same: bool) -> None:
    assert same_part(one, other) is same


def test_a_design_that_does_not_fit_is_told(tmp_path: Path) -> None:
    found = read(
        tmp_path, vivado_synth_dot_rpt=UTILISATION.replace("| DSPs           |    6 ", "| DSPs           |  260 ")
    )
    assert found.warnings == ("vivado_synth.rpt: does not fit 7z020clg400-1: 260 of 220 DSP",)


def test_an_interval_that_no_reuse_factor_explains_is_told(tmp_path: Path) -> None:
    config = CONFIG.replace("io_stream", "io_parallel").replace("ReuseFactor: 40", "ReuseFactor: 20")
    code = "nnet::dense<a_t, b_t, config2>(x, y, w2, b2);\nnnet::relu<b_t, c_t, relu_config3>(y, z);\n"
    assert read(tmp_path, hls4ml_config_dot_yml=config, firmware__tiny_dot_cpp=code).warnings == (
        f"{SOLUTION}/syn/report/tiny_csynth.rpt: has an interval of 40 cycles, more than the largest reuse factor of "
        "hls4ml_config.yml (20): was it built with other knobs?",
    )
    assert read(tmp_path, hls4ml_config_dot_yml=config.replace(": 20", ": 40")).warnings == ()


@pytest.mark.parametrize(
    "layer",
    ["conv_2d_cl", "pooling1d_cl", "global_pooling2d_cl", "lstm_stack", "gru", "simple_rnn", "depthwise_conv_1d_cl"],
)
def test_layers_that_take_more_cycles_than_their_reuse_factor_are_no_fault(tmp_path: Path, layer: str) -> None:
    config = CONFIG.replace("io_stream", "io_parallel").replace("ReuseFactor: 40", "ReuseFactor: 20")
    code = f"nnet::dense<a_t, b_t, config2>(x, y, w2, b2);\nnnet::{layer}<b_t, c_t, config3>(y, z);\n"
    assert read(tmp_path, hls4ml_config_dot_yml=config, firmware__tiny_dot_cpp=code).warnings == ()


def test_the_interval_of_ports_around_the_network_is_no_fault(tmp_path: Path) -> None:
    config = CONFIG.replace("io_stream", "io_parallel").replace("ReuseFactor: 40", "ReuseFactor: 20")
    config = config.replace("Backend: Vivado", "Backend: VivadoAccelerator")
    files = {name.replace("tiny_csynth", "tiny_axi_csynth"): text for name, text in BUILT.items()}
    files = {name: text.replace("'tiny'", "'tiny_axi'") for name, text in files.items() if name != "project.tcl"}
    code = "nnet::dense<a_t, b_t, config2>(x, y, w2, b2);\n"
    found = directory.read(build(tmp_path, files | {"hls4ml_config.yml": config, "firmware/tiny.cpp": code}))
    assert "tiny_axi" in {report.top for report in found.reports}
    assert not any("interval" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        ("60.000 ns", "needs a clock of 60 ns by its own estimate, 12 times the 5 ns asked for"),
        ("7.947 ns", "needs a clock of 7.947 ns by its own estimate, 1.59 times the 5 ns asked for"),
        ("5.000 ns", ""),
        ("4.125 ns", ""),
    ],
)
def test_a_clock_that_the_tool_does_not_expect_to_reach_is_told(tmp_path: Path, estimate: str, said: str) -> None:
    text = CSYNTH_RPT.replace("| 4.125 ns |", f"| {estimate:8} |") if len(estimate) < 9 else wide_clock(estimate)
    found = read(tmp_path, **{f"{SOLUTION}/syn/report/tiny_csynth.rpt": text})
    assert [text for text in found.warnings if "estimate" in text] == (
        [f"{SOLUTION}/syn/report/tiny_csynth.rpt: {said}: it will not keep to its clock"] if said else []
    )


def wide_clock(estimate: str) -> str:
    """The report with a wider column of the estimated clock."""
    edge = "    +--------+---------+----------+------------+"
    text = CSYNTH_RPT.replace(edge, edge.replace("+----------+---", "+-----------+---"))
    return text.replace("|  Target | Estimated| ", "|  Target |  Estimated| ").replace(
        "| 4.125 ns |", f"| {estimate} |"
    )


def test_missing_memory_files_are_told(tmp_path: Path) -> None:
    """Vivado takes a memory without its file for empty, and reports success."""
    verilog = f"{SOLUTION}/syn/verilog"
    rom = 'initial begin\n  $readmemh("./dense_w2.dat", rom);\nend\n'
    other = 'initial $readmemh("./table.dat", rom);\n'
    files = {f"{verilog}/rom.v": rom, f"{verilog}/table.v": other, f"{verilog}/table.dat": "00\n"}
    assert read(tmp_path, **files).warnings == (
        f"1 of 2 memory files that the Verilog names are not there ({verilog}/dense_w2.dat): "
        "the figures of logic synthesis describe an empty memory",
    )
    assert read(tmp_path, **{f"{verilog}/dense_w2.dat": "01\n"}).warnings == ()


def test_reports_of_other_vendors_are_found_and_missed(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "toolchains" / "reports" / "oneapi"
    for name in ("summary.ndjson", "loop_attr.ndjson", "info.ndjson"):
        build(tmp_path, {f"build/net.report.prj/reports/resources/{name}": (source / name).read_text()})
    found = directory.read(build(tmp_path, {"hls4ml_config.yml": CONFIG.replace("Vivado", "oneAPI")}))
    assert {report.kind for report in found.reports} == {"oneapi"}
    assert "Quartus fit: started, but there is no report of the top" in found.missing


def test_other_reports_of_vivado_are_no_concern(tmp_path: Path) -> None:
    assert read(tmp_path, **{"impl/tiny_clock_utilization_routed.rpt": "Clock Utilization\n"}).refused == ()


def test_the_layout_of_vitis_components(tmp_path: Path) -> None:
    files = {"hls4ml_config.yml": CONFIG.replace("Vivado", "Vitis"), "work/hls/syn/report/csynth.xml": XML}
    found = directory.read(build(tmp_path, files))
    assert [(report.tool, [layer.name for layer in report.layers]) for report in found.reports] == [
        ("Vitis HLS", ["dense_s"])
    ]


def test_a_folder_with_reports_and_nothing_else(tmp_path: Path) -> None:
    found = directory.read(build(tmp_path, {"vivado_synth.rpt": UTILISATION, "tiny_csynth.rpt": CSYNTH_RPT}))
    assert found.name == tmp_path.name
    assert len(found.reports) == 2
    assert found.missing[0] == "the knobs: there is neither an hls4ml_config.yml nor a project.tcl that can be read"


def test_folders_that_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        directory.read(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds neither an hls4ml project nor any report"):
        directory.read(build(tmp_path, {"notes.txt": "nothing\n"}))
    build(tmp_path, {"a/hls4ml_config.yml": CONFIG})
    with pytest.raises(DataError, match="holds neither") as caught:
        directory.read(tmp_path)
    assert caught.value.hint == f"did you mean {tmp_path / 'a'}?"
    build(tmp_path, {"b/hls4ml_config.yml": CONFIG})
    with pytest.raises(DataError, match=r"holds 2 projects: .*a, .*b"):
        directory.read(tmp_path)


def test_the_tables_have_knobs_and_layers(tmp_path: Path) -> None:
    text = markdown.render(directory_report.document(read(tmp_path)))
    knobs = [cell.strip() for line in text.splitlines() if line.startswith("| dense ") for cell in line.split("|")]
    assert knobs == ["", "dense", "", "40", ""]
    said = "weight fixed<8,1> (dense), result fixed<16,6> (dense), Strategy Resource (all others)"
    assert f"- the same wherever it is set: {said}" in text
    rows = {
        cells[1]: cells[2:-1] for line in text.splitlines() if len(cells := [c.strip() for c in line.split("|")]) > 5
    }
    assert rows["hls"] == ["Vivado HLS", "2020.1", "tiny", PART, "5", f"{SOLUTION}/syn/report/tiny_csynth.rpt"]
    assert rows["LUT (% of the part)"][1:4] == ["0.5", "0.4", "0.6"]
    assert "## Layers, hls: Vivado HLS 2020.1, tiny\n" in text
    assert "- read from tiny_prj/solution1/syn/report/tiny_csynth.rpt" in text
    head = next(line for line in text.splitlines() if line.startswith("| figure"))
    assert "hls: Vivado HLS 2020.1" in head
    assert "synth: Vivado 2020.1" in head
    assert "DSP |" in text


def test_layers_with_the_same_knobs_share_a_row(tmp_path: Path) -> None:
    layer = "\n    {}:\n      ReuseFactor: {}\n      Precision: fixed<8,1>"
    layers = "".join(layer.format(*one) for one in (("fc1", 4), ("fc2", 4), ("fc3", 8)))
    config = f"Backend: Vivado\nHLSConfig:\n  LayerName:{layers}\n  Model:\n    Strategy: Latency\nProjectName: tiny\n"
    table = directory_report.knobs(hls4ml_config.read(build(tmp_path, {"hls4ml_config.yml": config})))
    assert table.head == ("layer", "ReuseFactor")
    assert [[cell.text for cell in row] for row in table.rows] == [["all others", ""], ["fc1, fc2", "4"], ["fc3", "8"]]
    assert table.notes == ("the same wherever it is set: Precision fixed<8,1>, Strategy Latency (all others)",)
    alike = build(tmp_path / "b", {"hls4ml_config.yml": config.replace("ReuseFactor: 8", "ReuseFactor: 4")})
    section = markdown.render(directory_report.document(directory.read(alike))).split("## Knobs")[1].split("##")[0]
    assert section.strip().startswith("- the same wherever it is set: Precision fixed<8,1>, ReuseFactor 4,")


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    found = read(tmp_path)
    data = json.loads(json.dumps(directory_report.to_json(found)))
    jsonschema.validate(data, json.loads(templates.read("report/directory.schema.json")))
    assert data["knobs"]["layers"]["dense"]["ReuseFactor"] == "40"
    rows = list(csv.DictReader(io.StringIO(directory_report.to_csv(found))))
    assert [row["value"] for row in rows if row["name"] == "lut" and row["stage"] == "hls"] == [
        "252.0",
        "210.0",
        "40.0",
    ]
    assert {row["layer"] for row in rows if row["stage"] == "hls"} >= {"", "dense_U0", "relu_U0", "loop Rows"}
    assert all(row["source"].rpartition(":")[2].isdigit() for row in rows)


def test_the_outputs_of_simulations_are_compared(tmp_path: Path) -> None:
    predictions, outputs = "0.1 0.9\n0.6 0.4\n", "0.125 0.875 \n0.5 0.5 \n"
    files = {
        "tb_data/tb_output_predictions.dat": predictions,
        "tb_data/csim_results.log": outputs,
        "tb_data/rtl_cosim_results.log": outputs,
    }
    assert read(tmp_path, **files).simulations == (
        "tb_data/csim_results.log: 2 samples of 2 outputs, differs from tb_output_predictions.dat by 0.1 at most; "
        "the same output is the largest in 2 of 2",
        "tb_data/rtl_cosim_results.log: 2 samples of 2 outputs, equal to csim_results.log in 2",
    )
    cut = read(tmp_path, **{"tb_data/rtl_cosim_results.log": "0.125 0.8\n0.5"}).simulations[1]
    assert cut.startswith("tb_data/rtl_cosim_results.log and csim_results.log cannot be compared: outputs file")


def test_a_page_of_it_needs_nothing_else(tmp_path: Path) -> None:
    page = html.render(directory_report.document(read(tmp_path)))
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "dense_U0" in page


def test_a_project_written_by_hls4ml_with_a_csynth_report_inside(tmp_path: Path) -> None:
    """From nothing but the directory."""
    import hlsflow.plugins.openrtl  # noqa: F401  before hls4ml: it lets the converter take Keras 2 models
    from tests.hls.networks import dense, network

    import hls4ml  # isort: skip

    model = network(dense(3, "dense"))
    config = hls4ml.utils.config_from_keras_model(model, granularity="name")
    config["LayerName"]["dense"]["ReuseFactor"] = 8
    hls4ml.converters.convert_from_keras_model(
        model, hls_config=config, backend="Vitis", output_dir=str(tmp_path), project_name="tiny", part=PART
    ).write()
    build(tmp_path, {f"{SOLUTION}/syn/report/tiny_csynth.xml": XML})
    found = directory.read(tmp_path)
    assert found.config is not None
    assert {name: found.config.general[name] for name in ("Backend", "Part", "ProjectName", "ClockPeriod")} == {
        "Backend": "Vitis",
        "Part": PART,
        "ProjectName": "tiny",
        "ClockPeriod": "5",
    }
    dense = next(layer for layer in found.config.layers if layer.name == "dense")
    assert dense.settings["ReuseFactor"] == "8"
    assert found.warnings == ()
    lut = found.metrics.get("lut", Stage.HLS)
    assert lut is not None
    assert (lut.value, lut.source) == (678, f"{SOLUTION}/syn/report/tiny_csynth.xml:33")
