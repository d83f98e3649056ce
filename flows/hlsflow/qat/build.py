"""Calls the builder functions of a project's `model.py`.

In: a project. Out: untrained Keras models. This runs the project's own code, which the user wrote or chose to trust.
"""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from hlsflow.core.errors import LONGEST, ModelError
from hlsflow.keras import keras2
from hlsflow.keras.graph import nodes
from hlsflow.keras.outputs import untranslated
from hlsflow.project import Project
from hlsflow.qat.impossible import impossible
from hlsflow.qat.settings import restored, unusual
from hlsflow.qat.user_code import Reads, guarded, load_module
from hlsflow.qat.widths import bounded

SOFTMAX = ("softmax", "quantized_softmax")


def build(project: Project, function: str) -> Any:
    """The `tf_keras.Model` that the function of `model.py` returns.

    Args:
        function: its name, such as `project.model.quantized`.
    Raises:
        ModelError: the function fails, or returns no model that ends at logits.
    """
    return build_noting(project, function)[0]


def build_noting(project: Project, function: str) -> tuple[Any, Reads]:
    """As `build`, and what building it has read."""
    keras2.ready()
    where = f"{function}() in {project.model_path}"
    with guarded(project.folder) as reads, restored():
        try:
            with bounded():
                builder = _builder(load_module(f"{project.name}_model", project.model_path), function)
                model = untranslated(functools.partial(builder, **_taken(builder, project.model.arguments)))
        except KeyboardInterrupt:
            raise
        except ModelError as error:  # of `bounded`
            raise ModelError(f"{where} failed{_line(project, error)}: {error.message}", error.hint) from error
        except BaseException as error:  # the user's code may fail in any way, and must not end ours
            place = f"{where} failed{_line(project, error)}"
            raise impossible(error, place) or ModelError(f"{place}: {_said(error)}", _hint(error)) from error
    _check(model, where)
    return model, reads


def _builder(module: ModuleType, function: str) -> Callable[..., Any]:
    try:
        builder: Callable[..., Any] = getattr(module, function)
    except AttributeError:
        message = "there is no such function, nor one among what is imported with *"
        raise ModelError(message, "write it, or name another one in [model] of project.toml") from None
    return builder


def _check(model: Any, where: str) -> None:
    import tf_keras

    if not isinstance(model, tf_keras.Model):
        raise ModelError(f"{where} returned a {type(model).__name__}", "return a tf_keras model")
    if not model.inputs or len(model.outputs) != 1:
        counts = [len(ends or ()) for ends in (model.inputs, model.outputs)]
        raise ModelError(
            f"{where} has {counts[0]} inputs and {counts[1]} outputs", "use one input or more, and one output"
        )
    if not [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]:
        raise ModelError(f"{where} has no layers", "add some: the last one gives the logits")
    _check_layers(model, where)
    if unusual(model):
        raise ModelError(f"{where}: {unusual(model)}", "remove set_floatx and the like, and dtype and data_format")
    if _ends_in_softmax(model) and model.outputs[0].shape[-1] == 1:
        raise ModelError(
            f"{where} ends in a softmax of one output, which is always 1", "end it with a logit or a sigmoid"
        )
    if _ends_in_softmax(model):
        raise ModelError(
            f"{where} ends in a softmax; training and hardware end at the logits",
            f"remove the softmax of layer '{model.layers[-1].name}': the largest logit is the class",
        )


def _check_layers(model: Any, where: str) -> None:
    """Every layer has values, and weights that are numbers."""
    for node in nodes(model):
        name, shape = node.layer.name, getattr(node.outputs, "shape", ())[1:]
        if 0 in shape:
            message = f"{where}: layer '{name}' has no values: its result is {' x '.join(map(str, shape))}"
            raise ModelError(message, "give every layer at least one value")
        if not all(np.isfinite(weights).all() for weights in node.layer.get_weights()):
            message = f"{where}: layer '{name}' begins with weights that are NaN or infinite"
            raise ModelError(message, "correct its initializer")


def _taken(builder: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a builder takes."""
    parameters = inspect.signature(builder).parameters
    everything = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())
    return {name: value for name, value in arguments.items() if everything or name in parameters}


def _said(error: BaseException) -> str:
    """The error in words, even where its own have a fault."""
    try:
        return repr(error)[:LONGEST]
    except Exception:  # the user's class
        return type(error).__name__


def _hint(error: BaseException) -> str:
    return "remove what ends the program" if isinstance(error, SystemExit) else "correct the function"


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
