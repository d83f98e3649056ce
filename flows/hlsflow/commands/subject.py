"""What the argument PROJECT of the command line names, where it is neither a project nor a model that is read.

In: a path. Out: nothing, or an error that says what the path is, and what to do to have a model from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hlsflow.core.errors import ProjectError

MODELS = (".h5", ".hdf5", ".keras")
"""Endings of the model files that are read."""

SAVE = "save it with model.save('model.h5') under TF_USE_LEGACY_KERAS=1"

OTHERS: Mapping[str, tuple[str, str]] = {
    ".onnx": ("an ONNX model", f"build the same network with Keras or QKeras, give it the weights, and {SAVE}"),
    ".json": (
        "the architecture of a model at most, without weights",
        f"make the model with tf_keras.models.model_from_json, load its weights, and {SAVE}",
    ),
    ".yaml": ("a configuration", "name a model file (.h5, .keras), or a folder with a project.toml"),
    ".pt": ("a model of PyTorch", f"build the same network with Keras or QKeras, give it the weights, and {SAVE}"),
    ".tflite": ("a model of TensorFlow Lite", f"take the Keras model that it was made from, and {SAVE}"),
    ".pb": ("a SavedModel, which has lost QKeras' quantizers", f"take the model that it was made from, and {SAVE}"),
    ".py": ("Python source", "name the folder of the project, or a model file (.h5, .keras)"),
}
"""Ending → what such a file is, and what to do instead of naming it."""

ALIASES: Mapping[str, str] = {".pth": ".pt", ".ckpt": ".pt", ".yml": ".yaml"}


def require_project(path: Path) -> None:
    """Refuse what cannot be a project.

    Args:
        path: not one of a model that is read.
    Raises:
        ProjectError: a file of another kind, or a SavedModel's folder.
    """
    if (path / "saved_model.pb").is_file():
        path = path / "saved_model.pb"
    if path.suffix == ".toml" or path.is_dir():
        return
    kind, hint = OTHERS.get(ALIASES.get(path.suffix.lower(), path.suffix.lower()), ("", ""))
    if path.is_file():
        raise ProjectError(
            f"{path} is {kind or 'no model that is read (.h5, .keras), and no project'}",
            hint or "name a model file (.h5, .keras), or a folder with a project.toml",
        )
    if kind:
        raise ProjectError(f"there is no file {path}; it would be {kind}", hint)
