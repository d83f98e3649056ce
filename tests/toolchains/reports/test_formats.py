"""Reports are known by what they hold, not by what they are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hlsflow.core.errors import DataError
from hlsflow.core.metrics import Stage
from hlsflow.toolchains.reports import read_any, reader_of
from hlsflow.toolchains.reports.report import UNKNOWN
from tests.toolchains.reports.written import COSIM, CSYNTH_XML, EXPORT, FIT, POWER, REPORTS, TIMING, UTILISATION

HERE = Path(__file__).parent
NAMED_ONLY = ("tiny_csim.log",)
"""A log of a simulation has nothing in its first lines that logs of other steps do not have."""


@pytest.mark.parametrize("name", [name for name in REPORTS if name not in NAMED_ONLY])
@pytest.mark.parametrize("called", ["mine.rpt", "post_route.txt", "run 3.log", "tiny", "timing_of_power.RPT"])
def test_any_name_of_the_users_own(tmp_path: Path, name: str, called: str) -> None:
    for file in (tmp_path / name, tmp_path / called):
        file.write_text(REPORTS[name])
    usual, own = (read_any(tmp_path / one) for one in (name, called))
    assert (usual.kind, usual.tool, usual.version, usual.part) == (own.kind, own.tool, own.version, own.part)
    assert [(m.name, m.value, m.stage) for m in usual.metrics] == [(m.name, m.value, m.stage) for m in own.metrics]


@pytest.mark.parametrize("folder", ["catapult/rtl.rpt", "smarthls/summary.results.rpt"])
def test_other_vendors_under_another_name(tmp_path: Path, folder: str) -> None:
    (tmp_path / "ours.txt").write_text((HERE / folder).read_text())
    usual, own = read_any(HERE / folder), read_any(tmp_path / "ours.txt")
    assert [(m.name, m.value) for m in usual.metrics] == [(m.name, m.value) for m in own.metrics]


@pytest.mark.parametrize(
    ("called", "content", "name", "value"),
    [
        ("x_post_route_util.rpt", UTILISATION, "lut", 210),
        ("impl_1_kernel_util_routed.rpt", UTILISATION, "lut", 210),
        ("tiny_export.rpt", EXPORT, "lut", 345),
        ("export_impl.rpt", EXPORT, "lut", 345),
        ("top.fit.rpt", FIT, "alm", 1234),
    ],
)
def test_names_that_tools_and_others_give(tmp_path: Path, called: str, content: str, name: str, value: float) -> None:
    (tmp_path / called).write_text(content)
    found = read_any(tmp_path / called).metrics.get(name)
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize("content", [COSIM, EXPORT])
def test_a_name_of_the_users_own_is_no_top(tmp_path: Path, content: str) -> None:
    (tmp_path / "best_so_far.rpt").write_text(content)
    assert read_any(tmp_path / "best_so_far.rpt").top == UNKNOWN


@pytest.mark.parametrize("command", ["report_timing", "report_clock_utilization", "report_power_opt", "report_drc"])
def test_other_reports_of_vivado_are_none(tmp_path: Path, command: str) -> None:
    """Whatever they are called: their names contain those of reports that are read."""
    for text, own in ((TIMING, "report_timing_summary"), (UTILISATION, "report_utilization"), (POWER, "report_power")):
        for name in ("tiny_timing_paths_routed.rpt", "a_utilization_b.rpt", "x_power.rpt", "any.txt"):
            assert f": {own} " in text
            (tmp_path / name).write_text(text.replace(f": {own} ", f": {command} "))
            assert reader_of(tmp_path / name) is None


@pytest.mark.parametrize("name", ["w2.txt", "notes.md", "data.csv", "a.json", "vivado.log", "big.bin"])
def test_other_files_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("0.5, 0.25, report_utilization, == Vivado HLS Report, LUT 5\n" * 100)
    assert reader_of(tmp_path / name) is None


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "any.rpt")
    assert reader_of(tmp_path / "any.rpt") is None


def test_the_mark_of_a_report_stands_at_its_beginning(tmp_path: Path) -> None:
    """A long log with a report somewhere in it is none, and is not searched for one."""
    (tmp_path / "run.log").write_text("INFO: something\n" * 1000 + UTILISATION)
    assert reader_of(tmp_path / "run.log") is None
    (tmp_path / "tiny.xml").write_text(CSYNTH_XML)
    assert read_any(tmp_path / "tiny.xml").metrics.metrics[0].stage is Stage.HLS


def test_two_reports_under_one_name_are_refused(tmp_path: Path) -> None:
    for content in (EXPORT, FIT):
        (tmp_path / "any.rpt").write_text(content + content)
        with pytest.raises(DataError, match="holds more than one report"):
            read_any(tmp_path / "any.rpt")
