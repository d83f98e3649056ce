"""Trains a project's quantized model and its float baseline, and survives being killed.

In: a project and a folder. Out, in that folder: `qat.h5`, `float.h5`, `history.json`, `metrics.json`, `tensorboard/`,
and `checkpoints/`, from which an interrupted training goes on to bit-identical weights on the same machine.

Which weights are kept: those of the epoch with the highest validation accuracy, of a training that prunes or shares
among the epochs at the final sparsity with shared weights; among equals, the lowest validation loss; among equals
again, the first. With [anomaly] there is no accuracy: of equal sparsity, the lowest validation loss.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hlsflow.core.errors import ModelError, ProjectError, StorageError
from hlsflow.core.metrics import Metric, MetricSet, Stage
from hlsflow.core.progress import Progress
from hlsflow.core.store import digest, replacing, write_text
from hlsflow.core.tasks import Kind, told_of
from hlsflow.data.augment import check_images
from hlsflow.data.data import Dataset, load_data
from hlsflow.keras import keras2
from hlsflow.keras.inputs import sample_shape
from hlsflow.keras.outputs import outputs
from hlsflow.project import Project, Prune, Share, Training
from hlsflow.qat import anomaly, checkpoint
from hlsflow.qat.ahead import require_knobs
from hlsflow.qat.build import build
from hlsflow.qat.checkpoint import State
from hlsflow.qat.compress.distil import Teacher
from hlsflow.qat.compress.prune import Lanes, pruner_of
from hlsflow.qat.compress.share import sharer_of
from hlsflow.qat.compress.shrink import without_pruned
from hlsflow.qat.curves import Curves
from hlsflow.qat.devices import Runtime, check_layers, started
from hlsflow.qat.engine import PREDICT_ROWS, Engine, Fit
from hlsflow.qat.network import network_digest
from hlsflow.qat.normalize import normalized
from hlsflow.qat.objective import objective_of
from hlsflow.qat.purpose import classes_of, purposed, task_of


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind.

    Attributes:
        model: the trained quantized model, `.h5`.
        baseline: the trained float model, or None when the project has none.
        metrics: test accuracies.
    """

    model: Path
    baseline: Path | None
    metrics: MetricSet


def train(project: Project, folder: Path, progress: Progress | None = None, lanes: Lanes | None = None) -> TrainResult:
    """Train both models, or go on where a killed training stopped.

    Args:
        project: with `model.quantized` and [training].
        folder: of this step; made when missing.
        progress: where to report; standard output by default.
        lanes: which multiplier works off a weight, for pruning by pattern `lane`.
    Raises:
        ProjectError, DataError, ModelError: something in the project is not usable.
        StorageError: the folder cannot be written.
    """
    if project.training is None or project.model.quantized is None:
        raise ProjectError(
            f"'{project.name}' has no quantized network to train",
            "start at translate; with [quantize], `train_from_float`",
        )
    progress = progress or Progress()
    started(project.devices)
    keras2.number_anew()
    _check_ahead(project)
    data = load_data(project)
    data = data if project.anomaly is None else anomaly.normal_samples(data)
    sizes = f"{len(data.y_train)} training, {len(data.y_val)} validation and {len(data.y_test)} test samples"
    progress.say(f"data: {project.data_name}, {sizes}")
    if data.saturated is not None:
        progress.say(str(data.saturated))
    if data.labels:
        progress.say(f"classes: {', '.join(f'{number} {name}' for number, name in enumerate(data.labels))}")
    detectors: dict[str, anomaly.Detector] = {}
    jobs = [("float", project.model.baseline, Stage.FLOAT), ("qat", project.model.quantized, Stage.QAT)]
    files: dict[str, Path] = {}
    figures, histories, teaching = MetricSet(), {}, None
    for name, function, stage in jobs:
        if function is None:
            continue
        place, extras = folder / "checkpoints" / name, Extras()
        if stage is Stage.QAT:
            teacher = Teacher(teaching, project.distil) if project.distil else None
            extras = Extras(project.prune, lanes, teacher, project.share)
        model, state = train_one(project, project.training, function, data, place, progress, extras)
        teaching = model
        if stage is Stage.QAT:
            model = without_pruned(model, project.prune, progress)
        files[name], remark = folder / f"{name}.h5", ""
        if project.anomaly is not None:
            detectors[name] = anomaly.detector(model, data, project.anomaly.quantile, stage is Stage.QAT)
            model, remark = detectors[name].model, str(detectors[name])
            progress.say(f"{name}: {remark}")
        figures += finish(project, model, data, stage, files[name], progress, remark)
        histories[name] = state.history
    write_results(folder, histories, figures)
    if detectors:
        write_text(
            folder / "anomaly.json",
            json.dumps({name: detector.to_json() for name, detector in detectors.items()}, indent=1),
        )
    return TrainResult(files["qat"], files.get("float"), figures)


def _check_ahead(project: Project) -> None:
    """Refuse wrong knobs, and wrong names in [devices.layers], before anything is trained."""
    placed = project.devices is not None and bool(project.devices.layers)
    if not (placed or project.knobs.layers):
        return
    functions = project.model.baseline, project.model.quantized
    models = [build(project, function) for function in functions if function is not None]
    check_layers(project.devices, models)
    require_knobs(project, models[-1])
    keras2.forget()  # layers without a name are numbered on


def save_model(model: Any, file: Path) -> None:
    """Save a Keras model as `.h5`, whole or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as part, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras 2 advises .keras, which loses QKeras' quantizer objects
            model.save(part, save_format="h5", include_optimizer=False)
    except OSError as error:
        raise StorageError(f"{file} cannot be written: {error}", "make room or correct the permissions") from error


def accuracy(model: Any, x: NDArray[np.float32], y: NDArray[np.int64]) -> float:
    """Fraction of samples whose predicted class is theirs."""
    return float(np.mean(classes_of(model).predicted(_outputs(model, x)) == y))


def _outputs(model: Any, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first output, (n, values)."""
    first: NDArray[np.float32] = outputs(model, x, PREDICT_ROWS)[0]
    return first.reshape(len(first), -1)


def finish(
    project: Project, model: Any, data: Dataset, stage: Stage, file: Path, progress: Progress, remark: str = ""
) -> MetricSet:
    """Save a trained model, and tell how good it is on the test set.

    Args:
        remark: to be read with what a detector finds.
    """
    save_model(model, file)
    data = purposed(project, data, model)
    tool, count = "tf_keras" if stage is Stage.FLOAT else "qkeras", len(data.x_test)
    task = task_of(project, data, model, file.name)
    target = told_of(project.data_name, count, count)
    about = Metric(task.main, 0.0, stage, tool, keras2.versions()[tool], target, file.name)
    outputs = _outputs(model, data.shaped(sample_shape(model)).x_test)
    figures = task.figures(outputs, data.y_test, about, remark)
    if len(data.y_test):
        shown = ", ".join(f"{figure.name} {figure.value:.4f}" for figure in figures if figure.value is not None)
        progress.say(f"{file.stem}: test {shown} on {count} samples")
    return figures


def write_results(folder: Path, histories: Mapping[str, tuple[Mapping[str, float], ...]], figures: MetricSet) -> None:
    """Write `history.json` and `metrics.json`; raises StorageError."""
    rows_of = {name: [dict(row) for row in rows] for name, rows in histories.items()}
    write_text(folder / "history.json", json.dumps(rows_of, indent=1))
    write_text(folder / "metrics.json", json.dumps(figures.to_json(), indent=1))


@dataclass(frozen=True)
class Extras:
    """What a training may do besides.

    Attributes:
        prune: which weights to prune; None: none.
        lanes: for its pattern `lane`.
        teacher: to learn from.
        share: how weights share values; None: they do not.
    """

    prune: Prune | None = None
    lanes: Lanes | None = None
    teacher: Teacher | None = None
    share: Share | None = None


def train_one(
    project: Project,
    training: Training,
    function: str,
    data: Dataset,
    folder: Path,
    progress: Progress,
    extras: Extras | None = None,
) -> tuple[Any, State]:
    """One model, trained, with the best weights in it."""
    extras = extras or Extras()
    make_deterministic(training.seed, started(project.devices).xla)
    model = build(project, function)
    if project.data.normalize is not None:
        model = normalized(model, data.x_train, project.input.precision, project.data.normalize)
    if project.anomaly is None:
        _check_outputs(model, data, f"{function}()")
    else:
        anomaly.check_autoencoder(model, f"{function}()")
    job = Fit(
        function,
        training,
        data,
        objective_of(project, data, model, f"{function}()"),
        project.data,
        folder,
        fingerprint="",
        pruner=pruner_of(model, extras.prune, extras.lanes, training.epochs) if extras.prune else None,
        teacher=extras.teacher,
        sharer=sharer_of(model, extras.share, training.epochs) if extras.share else None,
        runtime=started(project.devices),
    )
    job = replace(job, fingerprint=_fingerprint(project, job, network_digest(model)))
    return model, fit(model, job, progress)


def fit(model: Any, job: Fit, progress: Progress) -> State:
    """Train a model, or go on where a killed training stopped; the model then has the best weights.

    Raises:
        DataError, StorageError: as `train`.
    """
    training, data, runtime = job.training, job.data.shaped(sample_shape(model)), job.runtime
    check_images(data.shape, job.source, len(model.inputs))
    with _trainable(job.name), runtime.guarded():  # a lost worker is no fault of the network
        engine = Engine(model, replace(job, data=data))
        state = _begun(engine, job, progress)
        if state.epoch:
            progress.say(f"{job.name}: going on after epoch {state.epoch} of {training.epochs}")
        engine.restore(state)
        curves = Curves(job.logs, state.history) if runtime.chief else None
        with progress.track(f"train {job.name}", training.epochs, state.epoch) as advance:
            while state.epoch < training.epochs and not _out_of_patience(state, training):
                state = _epoch(engine, state, runtime)
                last = state.history[-1]
                if curves is not None:
                    checkpoint.save(job.folder, job.fingerprint, state)
                    curves.add(state.epoch - 1, last)
                kind = next((metric for metric in ("accuracy", "r2") if f"val_{metric}" in last), "loss")
                advance(f"loss {last['loss']:.3f}  validation {kind} {last[f'val_{kind}']:.4f}")
    model.set_weights(state.best)
    return state


@contextmanager
def _trainable(name: str) -> Iterator[None]:
    """Turn what TensorFlow finds while it computes, such as too little memory, into one error."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, MemoryError) as error:
        hint = "correct that layer or its quantizer; where memory lacks, take a smaller batch_size or network"
        raise ModelError(f"'{name}' cannot be trained: {_found(error)}", hint) from error


def _found(error: Exception) -> str:
    """The line in which TensorFlow says what is wrong; others name nodes of its graph."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and "[[" not in line]
    return lines[-1] if lines else type(error).__name__


def _begun(engine: Engine, job: Fit, progress: Progress) -> State:
    """The newest state of the training, or its first one; that of the chief, on all workers."""
    runtime = job.runtime
    latest = checkpoint.latest(job.folder, job.fingerprint, progress.say) if runtime.chief else None
    if runtime.cluster is None:
        return latest or engine.start(job.from_trained)
    state = engine.start(job.from_trained)  # on all of them, as they read weights together
    wanted, state = checkpoint.unpacked(runtime.agreed(checkpoint.packed(job.fingerprint, latest or state)))
    if wanted != job.fingerprint:
        raise ProjectError(
            f"'{job.name}' here is not what the chief trains", "give all workers the same project, data and versions"
        )
    return state


def make_deterministic(seed: int, xla: bool = False) -> None:
    """From here on this process computes the same bits in every run; not done earlier, since unseeded operations of
    other code in the process would then be errors.

    Args:
        xla: leave it to XLA, which refuses to compile gradients of a maximum pooling otherwise, and is deterministic on
            a CPU in any case.
    """
    keras2.ready()
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(seed)
    if not xla:
        tf.config.experimental.enable_op_determinism()


def _epoch(engine: Engine, state: State, runtime: Runtime) -> State:
    """The state one epoch later."""
    figures = json.loads(runtime.agreed(json.dumps(engine.run(state.epoch)).encode()))
    better = not state.history or rank(figures) > max(map(rank, state.history))
    return engine.state(state.epoch + 1, engine.weights() if better else state.best, (*state.history, figures))


def rank(figures: Mapping[str, float]) -> tuple[float, float, float]:
    """By which the best epoch is chosen, the largest of all."""
    compressed = figures.get("pruned", 0.0) + figures.get("shared", 0.0)
    return compressed, figures.get("val_accuracy", 0.0), -figures["val_loss"]


def _out_of_patience(state: State, training: Training) -> bool:
    if training.patience is None or not state.history:
        return False
    ranks = [rank(figures) for figures in state.history]
    return len(ranks) - 1 - ranks.index(max(ranks)) >= training.patience


def _check_outputs(model: Any, data: Dataset, name: str) -> None:
    """Refuse outputs that tell no classes; raises ModelError."""
    shape = tuple(model.outputs[0].shape[1:])
    if data.kind is Kind.CLASSES and len(shape) != 1:
        raise ModelError(f"{name} gives outputs of shape {shape}", "end the model with one logit a class")


def _fingerprint(project: Project, job: Fit, network: str) -> str:
    """Of everything that determines the trained weights."""
    fields = project.digest_fields("task", "training", "data", "model_digest")
    if project.devices is not None:
        fields |= project.digest_fields("devices")
    fields["arguments"] = project.model.model_dump(mode="json")["arguments"]
    if project.anomaly is not None:
        fields["objective"] = job.objective.name
    return digest([fields, network, job.name, job.data.digest(), keras2.versions(), job.extras_digest()])
