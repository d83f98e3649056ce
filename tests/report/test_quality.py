"""What `hlsflow check` says of how good a network is: file, frozen network and C-simulation side by side."""

from __future__ import annotations

import pytest

from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.report.quality import lines


def metric(name: str, value: float | None, stage: Stage, target: str = "t, 40 test samples", **options: str) -> Metric:
    return Metric(name, value, stage, "tool", "1", target, "metrics.json", **options)


def test_links_of_the_chain_stand_side_by_side() -> None:
    metrics = MetricSet(
        (
            metric("accuracy", 0.95, Stage.FLOAT),
            metric("accuracy", 0.925, Stage.QAT),
            metric("auc", 0.9751, Stage.QAT),
            metric("accuracy", 0.9, Stage.CSIM),
            metric("auc", 0.97, Stage.CSIM),
        )
    )
    assert list(lines(metrics, 0.9)) == [
        "accuracy (fraction), t, 40 test samples: float 0.95, file 0.925, frozen 0.9, csim 0.9",
        "AUC (fraction), t, 40 test samples: file 0.9751, csim 0.97",
    ]


def test_a_regression_is_told_by_its_own_metrics() -> None:
    metrics = MetricSet(
        (
            metric("r2", 0.8123, Stage.QAT),
            metric("mae", 1.5, Stage.QAT, own_unit="GeV"),
            metric("r2", 0.8121, Stage.CSIM),
            metric("mae", 1.25, Stage.CSIM, own_unit="GeV"),
        )
    )
    assert list(lines(metrics, 0.8121)) == [
        "R² (fraction), t, 40 test samples: file 0.8123, frozen 0.8121, csim 0.8121",
        "MAE (GeV), t, 40 test samples: file 1.5, csim 1.25",
    ]


def test_samples_are_not_mixed_and_what_is_missing_is_no_zero() -> None:
    first = "t, first 10 of 40 test samples"
    metrics = MetricSet(
        (
            metric("accuracy", 0.5, Stage.QAT),
            metric("accuracy", 1.0, Stage.QAT, first),
            metric("accuracy", 0.5, Stage.CSIM),
        )
    )
    assert list(lines(metrics, 0.5)) == [
        "accuracy (fraction), t, 40 test samples: file 0.5, frozen 0.5, csim 0.5",
        f"accuracy (fraction), {first}: file 1",
    ]
    unknown = MetricSet((metric("accuracy", None, Stage.QAT, note="the data has no classes"),))
    assert list(lines(unknown, None)) == [
        "accuracy (fraction), t, 40 test samples: file missing (the data has no classes)"
    ]


@pytest.mark.parametrize("frozen", [None, 0.5])
def test_a_frozen_network_is_told_beside_a_file_alone(frozen: float | None) -> None:
    assert "frozen" not in "".join(lines(MetricSet((metric("accuracy", 0.5, Stage.FLOAT),)), frozen))
