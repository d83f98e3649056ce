"""From a float model to a trained quantized one: train or load, fold, quantize, fine-tune at widths that fall in steps.

In: a project with [quantize], and a folder. Out, in that folder: `float.h5`, `ptq.h5`, `qat.h5`, `quantizers.json`,
`history.json`, `metrics.json`, and checkpoints, from which an interrupted training goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hlsflow.core.errors import ProjectError
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.core.progress import Progress
from hlsflow.core.store import digest, write_text
from hlsflow.data.data import Dataset, load_data
from hlsflow.keras import keras2
from hlsflow.keras.inputs import sample_shape
from hlsflow.keras.plain import Note, plain
from hlsflow.project import Project, Quantize, Share, Training
from hlsflow.qat.ahead import require_knobs
from hlsflow.qat.build import build
from hlsflow.qat.compress.distil import Teacher
from hlsflow.qat.compress.fold import folded, is_quantized
from hlsflow.qat.compress.prune import Lanes, pruner_of
from hlsflow.qat.compress.quantize import Quantized, quantized
from hlsflow.qat.compress.share import sharer_of
from hlsflow.qat.compress.shrink import without_pruned
from hlsflow.qat.compress.unquantized import as_plain
from hlsflow.qat.devices import check_layers, started
from hlsflow.qat.engine import Fit
from hlsflow.qat.load import load_model
from hlsflow.qat.normalize import GRID
from hlsflow.qat.objective import objective_of
from hlsflow.qat.train import TrainResult, finish, fit, make_deterministic, train_one, write_results

RATE = 0.1
"""Learning rate of the first epoch after quantization, in terms of the float training's: a start, not an optimum."""


def train_from_float(
    project: Project, folder: Path, progress: Progress | None = None, lanes: Lanes | None = None
) -> TrainResult:
    """Quantize a float model, and train it some more if the project says so.

    Args:
        project: with [quantize].
        folder: of this step; made when missing.
        progress: where to report; standard output by default.
        lanes: which multiplier works off a weight, for pruning by pattern `lane`.
    Raises:
        UnsupportedLayer: a layer has no quantized form.
        ProjectError, DataError, ModelError: something in the project is not usable.
        StorageError: the folder cannot be written.
    """
    table = project.quantize
    if table is None:
        raise ProjectError(f"'{project.name}' has no [quantize] table", "use `hlsflow.qat.train`")
    started(project.devices)
    keras2.number_anew()
    work = _Work(project, table, load_data(project), folder, progress or Progress(), lanes)
    teacher = work.float_model()
    check_layers(project.devices, [teacher])
    require_knobs(project, teacher)
    plain = folded(work.without_free_layers(teacher))
    if project.distil is not None:
        work.teacher = Teacher(teacher, project.distil)
    first = work.quantized(plain, table)
    write_text(folder / "quantizers.json", json.dumps([asdict(choice) for choice in first.choices], indent=1))
    work.say_mixed(plain, first)
    work.finish(first.model, Stage.PTQ, "ptq.h5")
    last = work.fine_tuned(plain, first) if table.epochs else first
    work.finish(without_pruned(last.model, project.prune, work.progress), Stage.QAT, "qat.h5")
    figures = MetricSet(tuple(work.figures))
    write_results(folder, work.histories, figures)
    return TrainResult(folder / "qat.h5", folder / "float.h5", figures)


@dataclass
class _Work:
    """What all parts of the work share, and what they have found."""

    project: Project
    table: Quantize
    data: Dataset
    folder: Path
    progress: Progress
    lanes: Lanes | None
    teacher: Teacher | None = None
    figures: list[Metric] = field(default_factory=list)
    histories: dict[str, tuple[Mapping[str, float], ...]] = field(default_factory=dict)

    def float_model(self) -> Any:
        """The trained float model."""
        project, function = self.project, self.project.model.baseline
        if function is None:
            make_deterministic(0 if project.training is None else project.training.seed, started(project.devices).xla)
            model = self._opened(load_model(project.model_path, allow_lambda=project.model.allow_lambda))
        else:
            assert project.training is not None
            if project.knobs.layers:
                require_knobs(project, build(project, function))
                keras2.number_anew()
            place = self.folder / "checkpoints" / "float"
            model, state = train_one(project, project.training, function, self.data, place, self.progress)
            self.histories["float"] = state.history
        self.finish(model, Stage.FLOAT, "float.h5")
        return model

    def say_mixed(self, plain: Any, first: Quantized) -> None:
        """Which layers of a model that is quantized in part were quantized here."""
        if any(is_quantized(layer) and layer.name != GRID for layer in plain.layers):
            quantized_layers = dict.fromkeys(choice.layer for choice in first.choices)
            own = ", ".join(f"'{name}'" for name in quantized_layers)
            self.progress.say(f"quantized here: {own}; the other layers keep the quantizers that they have")

    def _opened(self, model: Any) -> Any:
        """The model with its layers on one level."""
        opened = plain(model)
        self._say(opened.notes)
        return opened.model

    def without_free_layers(self, model: Any) -> Any:
        """The model without layers of QKeras whose kernel has no quantizer."""
        result, notes = as_plain(model)
        self._say(notes)
        return result

    def _say(self, notes: Sequence[Note]) -> None:
        for note in notes:
            self.progress.say(f"'{note.layer}': {note.what}, because {note.reason}")

    def finish(self, model: Any, stage: Stage, name: str) -> None:
        """Save a model, and tell its accuracy."""
        self.figures.extend(finish(self.project, model, self.data, stage, self.folder / name, self.progress))

    def quantized(self, plain: Any, table: Quantize) -> Quantized:
        """The quantized form of a folded model, its ranges learnt from calibration samples."""
        data = self.data.shaped(sample_shape(plain))
        samples = data.x_train if len(data.x_train) else data.x_test
        order = np.random.default_rng(0).permutation(len(samples))
        return quantized(plain, table, samples[np.sort(order[: table.calibration])])

    def fine_tuned(self, plain: Any, first: Quantized) -> Quantized:
        """Trained at each of the widths that lead down to those of the table, and then at these."""
        result = first
        for width in sorted(self.table.lower, reverse=True):
            result = self.quantized(plain, self.table.at_least(width))
            self._fit(result, f"{width} bits")
            result.give(plain)
        if self.table.lower:
            result = self.quantized(plain, self.table)
        self._fit(result, "quantized", self.project.share)
        return result

    def _fit(self, network: Quantized, name: str, share: Share | None = None) -> None:
        """Train on; the best epoch's weights, among them those it starts with, are in the model then."""
        training, prune = self._training(), self.project.prune
        place = self.folder / "checkpoints" / name.replace(" ", "_")
        pruned = any(earlier != "float" for earlier in self.histories)  # at larger widths
        pruner = pruner_of(network.model, prune, self.lanes, training.epochs, at_once=pruned) if prune else None
        sharer = sharer_of(network.model, share, training.epochs) if share else None
        objective = objective_of(self.project, self.data, network.model, "the quantized network")
        job = Fit(
            name, training, self.data, objective, self.project.data, place, "", True, pruner, self.teacher, sharer
        )
        job = replace(job, fingerprint=self._fingerprint(network, job), runtime=started(self.project.devices))
        self.histories[name] = fit(network.model, job, self.progress).history

    def _training(self) -> Training:
        training = self.project.training
        assert training is not None
        rate = self.table.learning_rate or training.learning_rate * RATE
        return training.model_copy(update={"epochs": self.table.epochs, "learning_rate": rate})

    def _fingerprint(self, network: Quantized, job: Fit) -> str:
        """Of everything that determines the trained weights."""
        weights = hashlib.sha256(b"".join(array.tobytes() for array in network.model.get_weights())).hexdigest()
        own = self.project.digest_fields("task") | {
            "data": self.project.data.model_dump(mode="json"),
            "training": job.training.model_dump(mode="json"),
        }
        if self.project.devices is not None:
            own |= self.project.digest_fields("devices")
        quantizers = [asdict(choice) for choice in network.choices]
        fixed = [list(self.table.frozen), weights, self.data.digest(), keras2.versions()]
        return digest([own, quantizers, fixed, job.extras_digest()])
