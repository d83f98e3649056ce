"""What a network is for, and how good its outputs are.

In: a network's first output as real numbers, and what is known of the samples. Out: classes, labels or values, and
figures: shares of what is right, or errors.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.metrics import OF_TARGETS, UNITS, Metric, MetricSet

Array = NDArray[Any]


class Kind(enum.StrEnum):
    """What a network tells of a sample."""

    CLASSES = "classes"  # one of several classes: that of the largest output
    BINARY = "binary"  # yes or no: whether its one output is above the cut
    DETECTION = "detection"  # the same, of anomalies
    MULTILABEL = "multilabel"  # any of several labels: those whose outputs are above the cut
    REGRESSION = "regression"  # numbers: the outputs themselves


MAIN: Mapping[Kind, str] = {kind: "accuracy" for kind in Kind} | {Kind.REGRESSION: "r2"}
"""The metric by which networks for a task are compared; of all of them more is better, and 1 is the best."""

EVERY_LABEL = "share of all labels; exact_match is the share of samples with every label right"


@dataclass(frozen=True)
class Task:
    """How outputs are read.

    Attributes:
        kind: what they tell.
        cut: above it an output says yes: 0 at a logit, 1/2 behind a sigmoid. Of several classes it does not matter.
        after: the function at the network's end that is left to software, and is not in the outputs yet.
        unit: of the numbers that a regression estimates, "" where it is not known.
    """

    kind: Kind = Kind.CLASSES
    cut: float = 0.0
    after: Literal["", "sigmoid", "softmax"] = ""
    unit: str = ""

    def __str__(self) -> str:
        cut = f"above {self.cut:g}"
        return {
            Kind.CLASSES: "classes, that of the largest output",
            Kind.BINARY: f"binary, yes where the output is {cut}",
            Kind.DETECTION: f"detection, an anomaly where the output is {cut}",
            Kind.MULTILABEL: f"multilabel, those labels whose outputs are {cut}",
            Kind.REGRESSION: f"regression, numbers{f' in {self.unit}' if self.unit else ''}",
        }[self.kind] + (f" ({self.after} left to software)" if self.after else "")

    @property
    def main(self) -> str:
        """The metric by which networks are compared, a key of `hlsflow.core.metrics.UNITS`."""
        return MAIN[self.kind]

    def values(self, outputs: Array) -> NDArray[np.float64]:
        """The network's own outputs, with the function that is left to software: same shape."""
        from scipy.special import expit, softmax

        real: NDArray[np.float64] = np.asarray(outputs, np.float64)
        if self.after == "sigmoid":
            return np.asarray(expit(real))
        return np.asarray(softmax(real, axis=-1)) if self.after == "softmax" else real

    def predicted(self, outputs: Array) -> Array:
        """What the network says of each sample.

        Args:
            outputs: (n, outputs), reals.
        Returns:
            (n,), class numbers from 0, of equal outputs the first one's; 0 or 1 of yes and no; (n, outputs) of 0 and 1
            for labels; (n, outputs), reals, for a regression.
        """
        if self.kind is Kind.REGRESSION:
            return self.values(outputs)
        if self.kind is Kind.CLASSES and outputs.shape[-1] > 1:
            largest: NDArray[np.int64] = np.argmax(outputs, -1)
            return largest
        classes: NDArray[np.int64] = (outputs > self.cut).astype(np.int64)
        return classes if self.kind is Kind.MULTILABEL else classes[..., 0]

    def score(self, outputs: Array, y: Array) -> float | None:
        """The main metric; None where there is nothing to tell it from.

        Args:
            outputs: (n, outputs), reals.
            y: what is right, in the form of `predicted`; of no samples where that is not known.
        """
        return self._main(outputs, y) if len(y) else None

    def _main(self, outputs: Array, y: Array) -> float | None:
        if self.kind is not Kind.REGRESSION:
            return float(np.mean(self.predicted(outputs) == y))
        total = float(np.sum((y - np.mean(y, 0)) ** 2))
        return 1 - float(np.sum((self.values(outputs) - y) ** 2)) / total if total else None

    def points(self, outputs: Array, y: Array) -> float:
        """What these samples add to a sum by which networks can be compared: more is better.

        Returns:
            how many samples are right (of labels: the sum of their shares), or less the sum of squared errors.
        """
        if self.kind is Kind.REGRESSION:
            return -float(np.sum((self.values(outputs) - y) ** 2))
        return float(np.sum(np.mean((self.predicted(outputs) == y).reshape(len(y), -1), 1)))

    def figures(self, outputs: Array, y: Array, about: Metric, remark: str = "") -> MetricSet:
        """All metrics of the task, the main one first.

        Args:
            outputs: (n, outputs), reals.
            y: as `score` has it.
            about: stage, tool and the rest of the figures; name, value and note do not count.
            remark: to be read with the shares of a detector.
        Returns:
            of classes: `accuracy`; of yes and no also `auc`, of a detector besides `tpr` and `fpr`; of labels
            `accuracy`, which counts labels, `exact_match` and `auc`, its mean over the labels; of a regression `r2`,
            `mae`, `rmse` and `largest_error`. What cannot be told is missing, with the reason.
        """
        if not len(y):
            absent = "targets" if self.kind is Kind.REGRESSION else "classes"
            return MetricSet((replace(about, name=self.main, value=None, note=f"the data has no {absent}"),))
        values = _errors(self, outputs, y) if self.kind is Kind.REGRESSION else _shares(self, outputs, y, remark)
        return MetricSet(tuple(self._metric(about, name, *value) for name, value in values.items()))

    def _metric(self, about: Metric, name: str, value: float | None, note: str) -> Metric:
        unit = self.unit if UNITS[name] == OF_TARGETS else ""
        return replace(about, name=name, value=value, note=note, own_unit=unit)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        return cls(**{**data, "kind": Kind(data["kind"])})


Value = tuple[float | None, str]
Found = dict[str, Value]
"""Name → value, and a note."""


def _errors(task: Task, outputs: Array, y: Array) -> Found:
    """Of a regression, over all samples and targets together."""
    from sklearn.metrics import max_error, mean_absolute_error, root_mean_squared_error

    values, wanted = task.values(outputs).ravel(), y.ravel()
    share = task.score(outputs, y)
    return {
        "r2": (share, "" if share is not None else "all targets are equal, so there is no variance to explain"),
        "mae": (float(mean_absolute_error(wanted, values)), ""),
        "rmse": (float(root_mean_squared_error(wanted, values)), ""),
        "largest_error": (float(max_error(wanted, values)), ""),
    }


def _shares(task: Task, outputs: Array, y: Array, remark: str) -> Found:
    """Of classes and labels."""
    share = task.score(outputs, y)
    if task.kind is Kind.MULTILABEL:
        exact = float(np.mean((task.predicted(outputs) == y).all(1)))
        return {"accuracy": (share, EVERY_LABEL), "exact_match": (exact, ""), "auc": _area(outputs, y)}
    values: Found = {"accuracy": (share, "")}
    if task.kind is Kind.DETECTION:
        values |= _detection(task.predicted(outputs), y, remark)
    if task.kind is not Kind.CLASSES:
        words = ("normal samples", "anomalies") if task.kind is Kind.DETECTION else ("samples of 0", "samples of 1")
        values["auc"] = _area(outputs, y[:, np.newaxis], words)
    return values


def _detection(predicted: Array, y: Array, remark: str) -> Found:
    """The share of anomalies that are found (TPR), and of normal samples that are taken for such (FPR)."""
    absent = "there are no {} in the test set"
    return {
        name: (float(predicted[chosen].mean()), remark) if chosen.any() else (None, absent.format(word))
        for name, chosen, word in (("tpr", y == 1, "anomalies"), ("fpr", y == 0, "normal samples"))
    }


def _area(outputs: Array, y: Array, words: tuple[str, str] = ("samples without it", "samples with it")) -> Value:
    """The area under the curve of TPR over FPR for all cuts: the probability that a sample of 1 has a larger output
    than one of 0 (Fawcett, 2006, section 8); the mean over labels.

    Args:
        outputs, y: (n, labels).
        words: for samples of 0 and of 1.
    """
    from sklearn.metrics import roc_auc_score

    for label, right in enumerate(y.T):
        for value, word in enumerate(words):
            if not (right == value).any():
                where = f"of label {label} " if y.shape[1] > 1 else ""
                return None, f"{where}there are no {word} in the test set"
    return float(roc_auc_score(y, outputs, average="macro")), ""


def told_of(name: str, count: int, total: int) -> str:
    """Which samples a figure is of: all of a test set, or the first ones."""
    return f"{name}, {count} test samples" if count == total else f"{name}, first {count} of {total} test samples"
