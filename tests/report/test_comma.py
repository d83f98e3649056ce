"""Tables for spreadsheets: what would run there stands as text."""

from __future__ import annotations

import csv
import io

import pytest

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.report import comma
from hlsflow.report.run import PointReport, Report, to_csv


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\n=1", '=HYPERLINK("http://a.example";"b")', "-"]
)
def test_text_that_a_spreadsheet_would_run(text: str) -> None:
    ((cell, last),) = csv.reader(io.StringIO(comma.table(("name", "more"), [(text, "x")])).readlines()[1:])
    assert (cell, last) == (f"'{text}", "x")


def test_a_carriage_return_ends_no_row() -> None:
    text = comma.table(("name",), [("\r=1",), ("a\rb\r\nc",)])
    assert [cell for (cell,) in csv.reader(io.StringIO(text))] == ["name", "'\n=1", "a\nb\nc"]


def test_numbers_and_other_texts_are_as_they_are() -> None:
    rows = [(-0.25, "a=b", None, 3, "x-1", "")]
    assert comma.table(("a", "b", "c", "d", "e", "f"), rows) == "a,b,c,d,e,f\n-0.25,a=b,,3,x-1,\n"


def test_a_head_is_text_of_ours_and_commas_are_quoted() -> None:
    assert comma.table(("a, b",), [("c, d",)]) == '"a, b"\n"c, d"\n'


def test_the_table_of_a_run() -> None:
    """A point and a target of somebody's own, and a slack below 0."""
    metric = Metric("wns_ns", -0.25, Stage.ROUTED, "=cmd()", "1", "@part", "a:1", "-late")
    gate = {"passed": True, "comparisons": [], "first": None}
    report = Report("p", "1", gate, [], [], [PointReport({}, "+R1", {}, MetricSet((metric,)))], {}, [])
    (row,) = csv.DictReader(io.StringIO(to_csv(report)))
    assert (row["point"], row["value"], row["tool"]) == ("'+R1", "-0.25", "'=cmd()")
    assert (row["target"], row["note"], row["unit"]) == ("'@part", "'-late", "ns")
