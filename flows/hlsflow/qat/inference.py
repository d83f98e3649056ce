"""What of a saved model's configuration inference needs: the rest may name things of its author's own, and is left out.

In: the configuration of a model file as plain JSON. Out: the same without losses, metrics, optimizers and schedules,
and a copy of the file with another configuration.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hlsflow.keras.plain import PRUNED

CONSTANT = {"class_name": "ConstantSparsity", "config": {"target_sparsity": 0.5, "begin_step": 0}}
"""Stands for any pruning schedule: none has an effect outside training."""


def for_inference(config: Any) -> Any:
    """The configuration without what models at any depth were compiled with, and without pruning schedules."""
    if isinstance(config, list):
        return [for_inference(item) for item in config]
    if not isinstance(config, dict):
        return config
    used = {key: for_inference(value) for key, value in config.items() if key != "compile_config"}
    if used.get("class_name") == PRUNED and isinstance(used.get("config"), dict):
        used["config"] = used["config"] | {"pruning_schedule": CONSTANT}
    return used


def with_config(path: Path, config: Mapping[str, Any], folder: Path) -> Path:
    """A copy of a model file in another folder, with this configuration in place of its own."""
    copy = folder / path.name
    if path.suffix == ".keras":
        _copy_archive(path, copy, json.dumps(config))
    else:
        import h5py

        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
    return copy


def _copy_archive(path: Path, copy: Path, config: str) -> None:
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(copy, "w") as target:
        for name in _members(source):
            with source.open(name) as stream, target.open(name, "w", force_zip64=True) as written:
                shutil.copyfileobj(stream, written)
        target.writestr("config.json", config)


def _members(archive: zipfile.ZipFile) -> Iterable[str]:
    return [name for name in archive.namelist() if name != "config.json"]


def pruning_objects() -> dict[str, Any]:
    """Name → class of the wrapper and of the schedule that stands for all others."""
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_schedule, pruning_wrapper

    class PruneLowMagnitude(pruning_wrapper.PruneLowMagnitude):  # type: ignore[misc]  # it ships no types
        """The wrapper, also of a QActivation, whose own `from_config` does not make the quantizer that it names."""

        @classmethod
        def from_config(cls, config: dict[str, Any]) -> Any:
            return super().from_config(config | {"layer": _with_quantizer(config["layer"])})

    return {PRUNED: PruneLowMagnitude, "ConstantSparsity": pruning_schedule.ConstantSparsity}


def _with_quantizer(layer: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a layer; of a QActivation with the quantizer itself."""
    from qkeras import get_quantizer

    if layer["class_name"] != "QActivation":
        return layer
    return layer | {"config": layer["config"] | {"activation": get_quantizer(layer["config"]["activation"])}}
