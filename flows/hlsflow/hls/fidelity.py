"""How near the frozen network is to the model as its file holds it: the first link of the chain that the gate proves.

In: the outputs of both on the test samples, and what may differ. Out: `Fidelity`: how many outputs differ, by how much,
what that changes for the user, and which correction did it. Where nothing differs, all that is proved of the frozen
network is proved of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hlsflow.core.tasks import Kind, Task
from hlsflow.ir import Node
from hlsflow.ir.fixed import Array
from hlsflow.ir.graph import apart
from hlsflow.project import Gate as Limits


@dataclass(frozen=True)
class Origin:
    """Where the frozen network leaves the file.

    Attributes:
        layer: name of the first layer whose values differ.
        differing, values: differing values of that layer, and all of them, of the samples that were looked at.
        largest: largest difference, real.
        corrections: what was changed of that layer; empty where nothing is known to be.
    """

    layer: str
    differing: int
    values: int
    largest: float
    corrections: tuple[str, ...]

    def __str__(self) -> str:
        head = f"first layer that differs from the file: '{self.layer}', {self.differing} of {self.values} values"
        cause = "; ".join(self.corrections) or "none is recorded: rounding of floats in QKeras, or a fault of hlsflow"
        return f"{head}, by up to {self.largest:.3g}\ncorrection that did it: {cause}"


@dataclass(frozen=True)
class Fidelity:
    """What distinguishes the frozen network from the file, on the test samples.

    Attributes:
        samples, outputs, differing: how many samples and output values, and output values that are not equal.
        in_float64: samples for which QKeras ran the file in float64, because float32 may have rounded.
        largest: largest difference of an output, real.
        share: the same in per cent of the range that this output of the file has over all samples.
        classes: samples of which another class, or another label, is told; None where there are none to tell.
        metric: name of the task's main metric; of_file, of_frozen: its values, None where they are not known.
        origin: where the difference begins; None where there is none.
    """

    samples: int
    outputs: int
    differing: int
    in_float64: int
    largest: float
    share: float
    classes: int | None
    metric: str
    of_file: float | None
    of_frozen: float | None
    origin: Origin | None = None

    @property
    def equal(self) -> bool:
        return self.differing == 0

    def exceeded(self, limits: Limits) -> tuple[str, ...]:
        """Which limits the differences are beyond, in words."""
        return tuple(self._exceeded(limits))

    def _exceeded(self, limits: Limits) -> Iterator[str]:
        changed = 100 * (self.classes or 0) / self.samples
        if changed > limits.classes:
            yield f"{self.classes} of {self.samples} classes change, {changed:.3g} % (allowed: {limits.classes:g} %)"
        lost = round(100 * ((self.of_file or 0) - (self.of_frozen or 0)), 9)
        if lost > limits.accuracy:
            yield f"{self.metric} falls by {lost:.3g} points (allowed: {limits.accuracy:g})"
        if self.share > limits.range:
            yield f"an output moves by {self.share:.3g} % of the outputs' range (allowed: {limits.range:g} %)"

    def __str__(self) -> str:
        """What the differences come to, in one line."""
        parts = [f"by up to {self.largest:.3g}, {self.share:.2g} % of the outputs' range"]
        if self.classes is not None:
            parts.append(f"{self.classes} of {self.samples} classes change")
        if self.of_file is not None and self.of_frozen is not None:
            parts.append(f"{self.metric} {self.of_file:.4f} of the file, {self.of_frozen:.4f} of the frozen network")
        return "; ".join(parts)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fidelity:
        origin = data["origin"]
        source = Origin(**{**origin, "corrections": tuple(origin["corrections"])}) if origin else None
        return cls(**{**data, "origin": source})


def measured(file: Array, frozen: Array, in_float64: int, results: Sequence[Node], task: Task, y: Array) -> Fidelity:
    """Compare two networks.

    Args:
        file, frozen: (n, total_out), real, the outputs of `results` side by side.
        in_float64: samples of which those of the file were computed in float64.
        task: what the first output means.
        y: what it should be, in the form of `Task.predicted`; of no samples where that is not known.
    """
    file, frozen = np.asarray(file, np.float64), np.asarray(frozen, np.float64)
    distance, first = np.abs(frozen - file), results[0].size
    heads = file[:, :first], frozen[:, :first]
    return Fidelity(
        *(len(file), file.size, int(np.count_nonzero(distance)), in_float64),
        float(distance.max(initial=0.0)),
        max(map(_share, apart(results, file), apart(results, distance))),
        _changed(task, *heads) if task.kind is not Kind.REGRESSION and (len(y) or task.after) else None,
        task.main,
        task.score(heads[0], y),
        task.score(heads[1], y),
    )


def _changed(task: Task, file: Array, frozen: Array) -> int:
    """Samples of which another class, or another label, is told."""
    predicted, wanted = (task.predicted(outputs).reshape(len(file), -1) for outputs in (file, frozen))
    return int(np.any(predicted != wanted, axis=1).sum())


def _share(values: Array, distance: Array) -> float:
    """The largest distance in per cent of the range of values; of their size where all are the same."""
    largest = float(distance.max(initial=0.0))
    spread = float(np.ptp(values)) or float(np.abs(values).max(initial=0.0)) or largest
    return 100 * largest / spread if largest else 0.0
