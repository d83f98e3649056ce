"""Calls the builder functions of a project's `model.py`.

In: a project. Out: untrained Keras models. This runs the project's own code, which the user wrote or chose to trust.
"""

from __future__ import annotations

import importlib.util
import inspect
import traceback
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from hlsflow.core.errors import ModelError
from hlsflow.keras import keras2
from hlsflow.project import Project

SOFTMAX = ("softmax", "quantized_softmax")


def build(project: Project, function: str) -> Any:
    """The `tf_keras.Model` that the function of `model.py` returns.

    Args:
        function: its name, such as `project.model.quantized`.
    Raises:
        ModelError: the function fails, or returns no model that ends at logits.
    """
    keras2.ready()
    import tf_keras

    where = f"{function}() in {project.model_path}"
    try:
        builder = getattr(_module(project), function)
        model = builder(**_taken(builder, project.model.arguments))
    except (Exception, SystemExit) as error:  # the user's code may fail in any way, and must not end ours
        raise ModelError(f"{where} failed{_line(project, error)}: {error!r}", "correct the function") from error
    if not isinstance(model, tf_keras.Model):
        raise ModelError(f"{where} returned a {type(model).__name__}", "return a tf_keras model")
    if not model.inputs or len(model.outputs) != 1:
        given = [len(ends or ()) for ends in (model.inputs, model.outputs)]
        raise ModelError(
            f"{where} has {given[0]} inputs and {given[1]} outputs", "use one input or more, and one output"
        )
    if _ends_in_softmax(model):
        raise ModelError(
            f"{where} ends in a softmax; training and hardware end at the logits",
            f"remove the softmax of layer '{model.layers[-1].name}': the largest logit is the class",
        )
    return model


def _taken(builder: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a builder takes."""
    parameters = inspect.signature(builder).parameters
    everything = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    return {name: value for name, value in arguments.items() if everything or name in parameters}


def _module(project: Project) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{project.name}_model", project.model_path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{project.model_path} is no Python module", "name it model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _line(project: Project, error: BaseException) -> str:
    """Where in the user's file it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(project.model_path)]
    return f" at line {lines[-1]}" if lines else ""


def _ends_in_softmax(model: Any) -> bool:
    last = model.layers[-1]
    activation = getattr(last, "activation", None)
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", type(activation).__name__)
    return type(last).__name__ == "Softmax" or name.split("(")[0] in SOFTMAX
