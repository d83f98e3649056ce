"""What a network is for, by its project, its data and its own outputs.

In: a project, its data, and a Keras model. Out: the `Task` by which the model's outputs are judged, and the same for
hardware that ends before the function at the model's end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hlsflow.core.tasks import Kind, Task
from hlsflow.data.data import Dataset, check_classes
from hlsflow.keras.endings import is_probability, left_to_software
from hlsflow.keras.graph import output_names
from hlsflow.project import Project
from hlsflow.qat.anomaly import check_detector


def outputs_of(model: Any) -> int:
    """Values of the first output, by which a network is judged."""
    return math.prod(model.outputs[0].shape[1:])


def task_of(project: Project, data: Dataset, model: Any, name: str) -> Task:
    """How the outputs of a model are read.

    Args:
        name: of the model or the function that builds it, for messages.
    Raises:
        ModelError: it has not the outputs that the task needs.
    """
    outputs = outputs_of(model)
    if project.anomaly is not None:
        check_detector(outputs, name)
        return Task(Kind.DETECTION, _cut(model))
    check_classes(data, outputs, name)
    return classes_of(model)


def classes_of(model: Any) -> Task:
    """How outputs are read that tell one of several classes, or, of one output, 1 from 0."""
    return Task(Kind.BINARY if outputs_of(model) == 1 else Kind.CLASSES, _cut(model))


def _cut(model: Any) -> float:
    return 0.5 if is_probability(model) else 0.0


def in_hardware(task: Task, model: Any, forms: Mapping[str, str]) -> Task:
    """The same of the hardware's outputs, which end before a softmax or sigmoid that is left to software.

    Args:
        task: of `model`.
        forms: layer → the form in which its softmax goes into hardware.
    """
    name = output_names(model)[0]
    function = "" if name in forms else left_to_software(model).get(name, "")
    if function == "sigmoid":
        return replace(task, cut=0.0, after="sigmoid")
    return replace(task, after="softmax") if function == "softmax" else task
