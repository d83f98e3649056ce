"""What a network's outputs say. In: logits, as reals or integers. Out: class numbers, and what a detector finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.metrics import Metric, MetricSet


def predicted(outputs: NDArray[Any]) -> NDArray[np.int64]:
    """The class of each sample: the largest logit's number, or, of one logit alone, 1 where it is above 0.

    Args:
        outputs: (..., logits); of equal logits the first counts.
    Returns:
        (...), class numbers from 0. One logit is that of class 1: its sigmoid is above 1/2 where it is above 0.
    """
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > 0).astype(np.int64)
    largest: NDArray[np.int64] = np.argmax(outputs, -1)
    return largest


def detection(outputs: NDArray[Any], y: NDArray[Any], accuracy: Metric, remark: str = "") -> MetricSet:
    """What a detector finds: the share of anomalies it tells (TPR), of normal samples it takes for such (FPR), and AUC.

    Args:
        outputs: (n, 1), above 0 for an anomaly.
        y: (n,), 1 for an anomaly, 0 for a normal sample.
        accuracy: of the same samples; stage, tool and the rest are as there.
        remark: to be read with TPR and FPR.
    Returns:
        `tpr`, `fpr` and `auc`, the area under the curve of TPR over FPR for all thresholds: the probability that an
        anomaly has a larger output than a normal sample (Fawcett, 2006, section 8). What there are no samples for is
        missing.
    """
    found, normal = predicted(outputs), y == 0
    counts = {"normal samples": int(normal.sum()), "anomalies": int((~normal).sum())}
    absent = next((f"there are no {name} in the test set" for name, count in counts.items() if not count), "")
    values = {
        "tpr": float(found[~normal].mean()) if counts["anomalies"] else None,
        "fpr": float(found[normal].mean()) if counts["normal samples"] else None,
        "auc": None if absent else _area(outputs[:, 0], y),
    }
    return MetricSet(
        tuple(
            replace(accuracy, name=name, value=value, note=absent if value is None else remark if name != "auc" else "")
            for name, value in values.items()
        )
    )


def _area(outputs: NDArray[Any], y: NDArray[Any]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y, outputs))
