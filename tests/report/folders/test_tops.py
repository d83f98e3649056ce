"""Which of the functions in a folder is the design, and two designs beside each other."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import Stage
from hlsflow.report import markdown
from hlsflow.report.comparison.compare import compare
from hlsflow.report.comparison.subjects import subjects
from hlsflow.report.folders import directory, directory_report
from hlsflow.report.folders.directory import Directory
from tests.toolchains.reports.written import CSYNTH_RPT, CSYNTH_SUMMARY, CSYNTH_XML, EXPORT, TIMING, UTILISATION

PART = "xcvu9p-flga2104-2-e"
REPORTS = "solution1/syn/report"


def xml(top: str, lut: int, *modules: str) -> str:
    """csynth of a function, which tells what is in it where modules are given."""
    text = CSYNTH_XML.replace(">tiny<", f">{top}<").replace(">678<", f">{lut}<")
    start, end = text.index("<ModuleInformation>"), text.index("</profile>")
    inside = "".join(f"<Module><Name>{name}</Name></Module>\n" for name in (*modules, top) if modules)
    return text[:start] + (f"<ModuleInformation>{inside}</ModuleInformation>\n" if inside else "") + text[end:]


def rpt(top: str, lut: int, first: str = "dense_s") -> str:
    """csynth of a function in text, with two instances in it."""
    text = CSYNTH_RPT.replace("'tiny'", f"'{top}'").replace("|dense_s  |", f"|{first:9}|")
    return text.replace("|    252|", f"|{lut:>7}|")


def read(folder: Path, files: Mapping[str, str]) -> Directory:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return directory.read(folder)


def luts(found: Directory, stage: Stage = Stage.HLS) -> dict[str, float | None]:
    """Label of a column → look-up tables."""
    columns = [column for column in found.columns if column.stage is stage]
    return {one.label: lut.value for one in columns if (lut := one.metrics.get("lut"))}


def test_the_summary_of_vitis_names_the_top(tmp_path: Path) -> None:
    """No project of the tool and no configuration is there; functions are no designs, whatever their reports say."""
    files = {
        f"{REPORTS}/csynth.xml": xml("net", 900, "dense_s", "relu_s"),
        f"{REPORTS}/net_csynth.xml": xml("net", 900),
        f"{REPORTS}/dense_s_csynth.xml": xml("dense_s", 400),
        f"{REPORTS}/net_Pipeline_1_csynth.xml": "nobody reads this",
    }
    found = read(tmp_path, files)
    assert (luts(found), found.refused, found.warnings) == ({"": 900}, (), ())


def test_the_summary_in_text_names_the_top_too(tmp_path: Path) -> None:
    summary = CSYNTH_SUMMARY.replace("tiny", "many")
    files = {f"{REPORTS}/csynth.rpt": summary, f"{REPORTS}/dense_s_csynth.xml": xml("dense_s", 400)}
    whole = xml("many", 678).replace(">12<", ">0<").replace(">2<", ">0<")
    found = read(tmp_path, files | {f"{REPORTS}/many_csynth.xml": whole})
    assert luts(found) == {"": 678}


@pytest.mark.parametrize("order", [("a_part", "z_net"), ("z_part", "a_net")])
def test_the_top_is_what_no_other_function_instantiates(tmp_path: Path, order: tuple[str, str]) -> None:
    part, top = order
    files = {f"{REPORTS}/{top}_csynth.rpt": rpt(top, 252, part), f"{REPORTS}/{part}_csynth.rpt": rpt(part, 100)}
    assert luts(read(tmp_path, files)) == {"": 252}


def test_functions_of_another_folder_are_no_parts(tmp_path: Path) -> None:
    """Two projects beside each other, one of which calls its top as the other calls a part."""
    files = {
        f"a/{REPORTS}/net_csynth.rpt": rpt("net", 252),
        f"b/{REPORTS}/dense_s_csynth.rpt": rpt("dense_s", 100, "x"),
    }
    assert luts(read(tmp_path, files)) == {"net": 252, "dense_s": 100}


def test_a_top_that_was_renamed_is_found(tmp_path: Path) -> None:
    """The configuration names another project; no function goes by its name."""
    files = {
        "hls4ml_config.yml": "ProjectName: myproject\nBackend: Vitis\n",
        f"{REPORTS}/mine_csynth.xml": xml("mine", 900),
    }
    found = read(tmp_path, files)
    assert (luts(found), found.warnings) == ({"": 900}, ())


def test_the_kernel_around_a_network_is_the_top_of_vitis_accelerator(tmp_path: Path) -> None:
    place = "_x.hw/kernel_wrapper/kernel_wrapper/solution/syn/report"
    files = {
        "hls4ml_config.yml": "ProjectName: myproject\nBackend: VitisAccelerator\nBoard: alveo-u55c\n",
        f"{place}/kernel_wrapper_csynth.rpt": rpt("kernel_wrapper", 252, "myproject"),
        f"{place}/myproject_csynth.rpt": rpt("myproject", 100),
        f"{place}/dense_s_csynth.rpt": "nobody reads this",
        "_x.hw/link/impl_1_full_util_routed.rpt": UTILISATION.replace(": Synthesized", ": Routed").replace(
            ": tiny\n", ": level0_wrapper\n"
        ),
    }
    found = read(tmp_path, files)
    assert (luts(found), luts(found, Stage.ROUTED), found.refused) == ({"": 252}, {"": 210}, ())
    assert found.missing[0].startswith("C simulation, cosimulation, utilisation after logic synthesis, timing, power:")


def test_two_tops_of_one_tool_are_two_columns_with_their_names(tmp_path: Path) -> None:
    files = {f"{REPORTS}/a_top_csynth.xml": xml("a_top", 900), f"{REPORTS}/z_top_csynth.xml": xml("z_top", 400)}
    found = read(tmp_path, files | {"vivado_synth.rpt": UTILISATION})
    assert luts(found) == {"a_top": 900, "z_top": 400}
    assert luts(found, Stage.SYNTH) == {"": 210}
    text = markdown.render(directory_report.document(found))
    head = next(line for line in text.splitlines() if line.startswith("| figure"))
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "figure",
        "hls: Vitis HLS 2023.2, a_top",
        "hls: Vitis HLS 2023.2, z_top",
        "synth: Vivado 2020.1, tiny",
    ]
    assert {row["top"]: row["value"] for row in csv_rows(found) if (row["name"], row["stage"]) == ("lut", "hls")} == {
        "a_top": "900.0",
        "z_top": "400.0",
    }


def csv_rows(found: Directory) -> list[dict[str, str]]:
    """The rows of whole designs."""
    return [row for row in csv.DictReader(io.StringIO(directory_report.to_csv(found))) if not row["layer"]]


def test_two_runs_of_one_top_are_two_columns_with_their_files(tmp_path: Path) -> None:
    files = {f"solution{index}/syn/report/net_csynth.xml": xml("net", lut) for index, lut in ((1, 900), (2, 400))}
    assert luts(read(tmp_path, files)) == {
        "solution1/syn/report/net_csynth.xml": 900,
        "solution2/syn/report/net_csynth.xml": 400,
    }


def test_designs_of_one_folder_are_compared_with_each_other(tmp_path: Path) -> None:
    files = {f"{REPORTS}/a_top_csynth.xml": xml("a_top", 200), f"{REPORTS}/z_top_csynth.xml": xml("z_top", 250)}
    read(tmp_path / "one", files)
    text = markdown.render(compare(subjects(tmp_path / "one", tmp_path)))
    row = next(line for line in text.splitlines() if line.startswith("| LUT"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["LUT", "200", "250", "+25.0 %"]
    names = tmp_path / "one" / REPORTS / "a_top_csynth.xml", tmp_path / "one" / REPORTS / "z_top_csynth.xml"
    text = markdown.render(compare([one for name in names for one in subjects(name, tmp_path)]))
    head = next(line for line in text.splitlines() if line.startswith("| figure"))
    assert [cell.strip() for cell in head.split("|")[2:4]] == ["a_top_csynth.xml", "z_top_csynth.xml"]
    renamed = tmp_path / "one" / "renamed.xml"
    renamed.write_text(names[0].read_text())
    text = markdown.render(compare([*subjects(names[1], tmp_path), *subjects(renamed, tmp_path)]))
    assert "renamed.xml (a_top)" in text  # a top that the name of the file does not tell
    read(tmp_path / "two", {name: text.replace(">250<", ">500<") for name, text in files.items()})
    both = [one for name in ("one", "two") for one in subjects(tmp_path / name, tmp_path)]
    rows = [line for line in markdown.render(compare(both)).splitlines() if line.startswith("| LUT")]
    assert [row.split("|")[4].strip() for row in rows] == ["same", "+100.0 %"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("clock_estimate_ns", "<EstimatedClockPeriod>4.12467</EstimatedClockPeriod>"),
        ("latency_ns", "<Worst-caseRealTimeLatency>1197.504 ns</Worst-caseRealTimeLatency>"),
        ("latency_ns", "<Worst-caseRealTimeLatency>1.2e+03</Worst-caseRealTimeLatency>"),
    ],
)
def test_units_and_rounding_make_no_other_run(tmp_path: Path, name: str, told: str) -> None:
    found = read(tmp_path, one_run(told))
    assert (len(found.columns), found.warnings) == (1, ())
    assert [metric.name for metric in found.metrics].count(name) == 1


@pytest.mark.parametrize(
    "told",
    [
        "<EstimatedClockPeriod>4.200</EstimatedClockPeriod>",
        "<Worst-caseRealTimeLatency>1.300 us</Worst-caseRealTimeLatency>",
        "<LUT>253</LUT>",
    ],
)
def test_other_figures_are_of_another_run(tmp_path: Path, told: str) -> None:
    found = read(tmp_path, one_run(told))
    assert len(found.columns) == 2
    assert "are of different runs: they differ in" in found.warnings[0]


def one_run(told: str) -> dict[str, str]:
    """The reports of one run in XML and in text, with one element of the former in another way."""
    text = CSYNTH_XML.replace(PART, "xc7z020-clg400-1").replace("2023.2", "2020.1").replace("DSP>", "DSP48E>")
    for old, new in (
        ("678", "252"),
        ("345", "150"),
        (">12<", ">7<"),
        (">4<", ">3<"),
        (">2<", ">0<"),
        (">24<", ">240<"),
    ):
        text = text.replace(f">{old}<" if ">" not in old else old, f">{new}<" if ">" not in new else new)
    text = (
        text.replace(">20<", ">100<")
        .replace(">8<", ">40<")
        .replace(">3.214<", ">4.125<")
        .replace("0.120 us", "1.200 us")
    )
    tag = told[1 : told.index(">")]
    start, end = text.index(f"<{tag}>"), text.index(f"</{tag}>") + len(tag) + 3
    return {"tiny_csynth.xml": text[:start] + told + text[end:], "tiny_csynth.rpt": CSYNTH_RPT}


def test_what_one_file_lacks_another_tells(tmp_path: Path) -> None:
    """A latency that is missing in one report contradicts no other."""
    files = one_run("<Worst-caseLatency>undef</Worst-caseLatency>")
    found = read(tmp_path, files)
    assert len(found.columns) == 1
    latency = found.metrics.get("latency_cycles")
    assert latency is not None
    assert (latency.value, latency.source.partition(":")[0]) == (240, "tiny_csynth.rpt")


def test_an_export_stands_for_utilisation_and_timing(tmp_path: Path) -> None:
    found = read(tmp_path, {"impl/net_export.rpt": EXPORT, f"{REPORTS}/net_csynth.xml": xml("net", 900)})
    assert luts(found, Stage.ROUTED) == {"": 345}
    assert not any("timing" in text or "place and route" in text for text in found.missing)


def test_placed_figures_share_no_column_with_routed_ones(tmp_path: Path) -> None:
    placed = UTILISATION.replace(": Synthesized", ": Physopt postPlace")
    found = read(tmp_path, {"tiny_utilization_placed.rpt": placed, "tiny_timing_routed.rpt": TIMING})
    assert [column.stage for column in found.columns] == [Stage.PLACED, Stage.ROUTED]
    assert not any("utilisation after place and route" in text for text in found.missing)


def test_a_large_foreign_folder_is_read_in_little_time(tmp_path: Path) -> None:
    """Thousands of files that are none of ours, many of them texts."""
    for place in range(20):
        (tmp_path / f"d{place}").mkdir()
        for index in range(100):
            (tmp_path / f"d{place}/w{index}.txt").write_text("0.5, " * 2000)
    began = time.process_time()
    found = read(tmp_path, {f"{REPORTS}/net_csynth.xml": xml("net", 900)})
    assert luts(found) == {"": 900}
    assert time.process_time() - began < 10


def test_a_folder_with_the_reports_of_years_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "REPORTS_LIMIT", 3)
    files = {f"run{index}/vivado_synth.rpt": UTILISATION for index in range(4)}
    with pytest.raises(DataError, match="has more than 3 reports, so it is no single project"):
        read(tmp_path, files)
