"""Narrower weights for a trained model, and the training that makes up for them.

In: a trained QKeras model, and a graph of it with narrower weights. Out: the model with quantizers so narrow that it
translates to just these weights, and its weights after some more epochs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from hlsflow.core.errors import ModelError, ProjectError
from hlsflow.core.metrics import Stage
from hlsflow.core.progress import Progress
from hlsflow.core.store import digest, file_digest
from hlsflow.data.data import Dataset, load_data
from hlsflow.ir import Graph, Node
from hlsflow.keras import keras2
from hlsflow.project import Project, Training
from hlsflow.qat import anomaly
from hlsflow.qat.engine import Fit
from hlsflow.qat.load import load_model
from hlsflow.qat.objective import objective_of
from hlsflow.qat.train import TrainResult, finish, fit, make_deterministic, write_results

KERNELS: Mapping[str, str] = {
    "QDense": "kernel",
    "QConv1D": "kernel",
    "QConv2D": "kernel",
    "QDepthwiseConv2D": "depthwise",
}
"""Layer class → what Keras calls its kernel."""

EPOCHS = 10
RATE = 0.1
"""Epochs of a fine-tuning, and its learning rate in terms of the training's: a start, not an optimum."""


def narrowable(model: Any) -> frozenset[str]:
    """Names of the layers whose weights `narrowed` can narrow: those with a kernel of their own that is quantized."""
    return frozenset(
        layer.name
        for layer in model.layers
        if type(layer).__name__ in KERNELS and getattr(layer, f"{_kernel(layer)}_quantizer_internal") is not None
    )


def narrowed(model: Any, graph: Graph, layers: Collection[str]) -> Any:
    """A copy of a model with the weights that some of its layers have in a graph.

    The kernel of such a layer gets the values of the graph and `quantized_bits(bits, integer, alpha=1)` of their type.
    Biases, activations and all other layers stay as they are.

    Args:
        model: trained, as `hlsflow.qat.load_model` returns it.
        graph: what the model translates to, with narrower weights (`hlsflow.explore.precision.requantized`).
        layers: that have narrower weights in the graph.
    Raises:
        ModelError: a layer is not `narrowable`.
    """
    keras2.ready()
    import tf_keras

    for name in sorted(set(layers) - narrowable(model)):
        raise ModelError(f"the weights of layer '{name}' cannot be narrowed", f"kernels can, of {', '.join(KERNELS)}")
    copy = tf_keras.models.clone_model(
        model, clone_function=lambda layer: _copied(layer, graph[layer.name] if layer.name in layers else None)
    )
    copy.set_weights(model.get_weights())
    for name in layers:
        layer, node = copy.get_layer(name), graph[name]
        first, *others = layer.get_weights()
        layer.set_weights([node.types["weight"].real(node.params["weight"]).reshape(first.shape), *others])
    return copy


def _kernel(layer: Any) -> str:
    return KERNELS[type(layer).__name__]


def _copied(layer: Any, node: Node | None) -> Any:
    """A copy of a layer, with the kernel quantizer of a node where there is one."""
    from qkeras import quantized_bits

    config = layer.get_config()
    if node is not None:
        kernel, kind = _kernel(layer), node.types["weight"]
        integer = kind.integer - kind.signed
        config[f"{kernel}_quantizer"] = quantized_bits(kind.width, integer, keep_negative=kind.signed, alpha=1)
        if (config[f"{kernel}_constraint"] or {}).get("class_name") == "Clip":  # QKeras' own, of the old quantizer
            config[f"{kernel}_constraint"] = None
    return type(layer).from_config(config)


def fine_tune(
    project: Project,
    model: Path,
    folder: Path,
    epochs: int = EPOCHS,
    rate: float = RATE,
    progress: Progress | None = None,
) -> TrainResult:
    """Train a trained model some more, or go on where a killed fine-tuning stopped.

    The weights kept are those of the best epoch, by the rule of `hlsflow.qat.train`; those that the model has already
    count as an epoch, so that it never gets worse on the validation set. Of a detector the autoencoder is trained, and
    gets a new threshold. It runs on the CPU, whatever [devices] says.

    Args:
        project: with [training], which holds but for what follows.
        model: the file of a model for its data, as `narrowed` makes them.
        folder: for `qat.h5`, `history.json`, `metrics.json` and `checkpoints/`; made when missing.
        epochs: how many.
        rate: the first epoch's learning rate, as a factor of that of [training].
        progress: where to report; standard output by default.
    Raises:
        ProjectError: the project has no [training]. DataError, ModelError, StorageError: as `hlsflow.qat.train.train`.
    """
    if project.training is None:
        raise ProjectError(
            f"'{project.name}' brings a trained model, and nothing to train it on",
            "fine-tuning needs a project with [training] and model.quantized",
        )
    progress, wanted = progress or Progress(), project.training
    training = wanted.model_copy(update={"epochs": epochs, "learning_rate": wanted.learning_rate * rate})
    make_deterministic(training.seed)
    data, trained = load_data(project), load_model(model, allow_lambda=project.model.allow_lambda)
    if project.anomaly is not None:
        data, trained = anomaly.normal_samples(data), anomaly.autoencoder_of(trained)
    fingerprint = _fingerprint(project, training, model, data)
    place = folder / "checkpoints" / "qat"
    objective = objective_of(project, data, trained, model.name)
    job = Fit("fine-tuning", training, data, objective, project.data, place, fingerprint, from_trained=True)
    state, remark = fit(trained, job, progress), ""
    if project.anomaly is not None:
        detector = anomaly.detector(trained, data, project.anomaly.quantile, quantized=True)
        trained, remark = detector.model, str(detector)
    figures = finish(project, trained, data, Stage.QAT, folder / "qat.h5", progress, remark)
    write_results(folder, {"qat": state.history}, figures)
    return TrainResult(folder / "qat.h5", None, figures)


def _fingerprint(project: Project, training: Training, model: Path, data: Dataset) -> str:
    fields = {**project.digest_fields("task", "data", "anomaly"), "training": training.model_dump(mode="json")}
    return digest([fields, file_digest(model), data.digest(), keras2.versions()])
