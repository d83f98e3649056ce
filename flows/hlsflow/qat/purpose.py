"""What a network is for, by its project, its data and its own outputs.

In: a project, its data, and a Keras model. Out: the `Task` by which the model's outputs are judged, and the same for
hardware that ends before the function at the model's end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hlsflow.core.errors import ModelError
from hlsflow.core.tasks import Kind, Task
from hlsflow.data.data import Dataset, check_classes
from hlsflow.keras.endings import is_probability, left_to_software
from hlsflow.keras.graph import output_names
from hlsflow.keras.plain import plain
from hlsflow.project import Project


def outputs_of(model: Any) -> int:
    """Values of the first output, by which a network is judged."""
    return math.prod(model.outputs[0].shape[1:])


def purposed(project: Project, data: Dataset, model: Any) -> Dataset:
    """The data as it is to be judged: without `y`, samples that a model gives back in their own shape are compared with
    themselves, unless the project says otherwise."""
    return data.against_itself() if project.task is None and _reconstructs(project, data, model) else data


def _reconstructs(project: Project, data: Dataset, model: Any) -> bool:
    same = len(model.inputs) == 1 and model.inputs[0].shape[1:] == model.outputs[0].shape[1:] and outputs_of(model) > 1
    named = any(len(y) for y in (data.y_train, data.y_val, data.y_test)) or project.anomaly is not None
    return same and not named and "softmax" not in left_to_software(model).values()


def task_of(project: Project, data: Dataset, model: Any, name: str) -> Task:
    """How the outputs of a model are read.

    Args:
        data: as `purposed` makes it.
        name: of the model or the function that builds it, for messages.
    Raises:
        ModelError: it has not the outputs that the task needs.
    """
    outputs = outputs_of(model)
    if project.anomaly is not None:
        _check_detector(outputs, name)
        return Task(Kind.DETECTION, _cut(model))
    if data.kind in (Kind.MULTILABEL, Kind.REGRESSION):
        _check_values(data, outputs, name)
        unit = project.data.unit or "" if data.kind is Kind.REGRESSION else ""
        return Task(data.kind, _cut(model), unit=unit)
    if project.task == "binary" and outputs != 1:
        raise ModelError(f"{name} gives {outputs} outputs, but task is 'binary'", "end it with one output")
    check_classes(data, outputs, name)
    return classes_of(model)


def _check_detector(outputs: int, name: str) -> None:
    """Refuse a trained model that is no detector; raises ModelError.

    Args:
        outputs: how many it has.
    """
    if outputs != 1:
        raise ModelError(
            f"{name} gives {outputs} outputs, but with [anomaly] a trained model is a detector of one",
            "end it with one logit, above 0 for an anomaly, or remove [anomaly]",
        )


def _check_values(data: Dataset, outputs: int, name: str) -> None:
    """Refuse a model that does not give as many values as there are to tell; raises ModelError."""
    wanted = next((y.shape[1] for y in (data.y_test, data.y_train, data.y_val) if y.ndim == 2), outputs)
    if wanted != outputs:
        what = "labels" if data.kind is Kind.MULTILABEL else "values to estimate"
        raise ModelError(
            f"{name} gives {outputs} output{'s' * (outputs > 1)}, but '{data.name}' has {wanted} {what} a sample",
            f"end the model with {wanted} outputs, or correct y",
        )


def classes_of(model: Any) -> Task:
    """How outputs are read that tell one of several classes, or, of one output, 1 from 0."""
    return Task(Kind.BINARY if outputs_of(model) == 1 else Kind.CLASSES, _cut(model))


def _cut(model: Any) -> float:
    return 0.5 if is_probability(plain(model).model) else 0.0


def in_hardware(task: Task, model: Any, forms: Mapping[str, str]) -> Task:
    """The same of the hardware's outputs, which end before a softmax or sigmoid that is left to software.

    Args:
        task: of `model`.
        forms: layer → the form in which its softmax goes into hardware.
    """
    model = plain(model).model
    name = output_names(model)[0]
    function = "" if name in forms else left_to_software(model).get(name, "")
    if function == "sigmoid":
        return replace(task, cut=0.0, after="sigmoid")
    return replace(task, after="softmax") if function == "softmax" else task
