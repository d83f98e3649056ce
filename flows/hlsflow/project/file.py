"""The whole project file: all tables, and what they must agree on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hlsflow.core.choices import Family
from hlsflow.project.anomaly import Anomaly
from hlsflow.project.data import Data
from hlsflow.project.devices import Devices
from hlsflow.project.distil import Distil
from hlsflow.project.explore import Budget, Explore, Sweep
from hlsflow.project.gate import Gate
from hlsflow.project.knobs import Knobs
from hlsflow.project.model import Model
from hlsflow.project.prune import Prune
from hlsflow.project.quantize import Quantize
from hlsflow.project.search import Search
from hlsflow.project.section import ByName, Section
from hlsflow.project.share import Share
from hlsflow.project.target import Input, Target
from hlsflow.project.training import Training


class ProjectFile(Section):
    """The whole project file.

    Attributes:
        task: what the network tells of a sample; left out: what the data's `y` holds and the number of outputs say.
            `classes`: one of several classes; `binary`: yes or no, by one output; `multilabel`: any of several labels,
            by an output each; `regression`: numbers, or, where the data has no `y`, the sample itself.
    """

    LATER = frozenset({"task", "anomaly", "devices"})

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    task: Literal["classes", "binary", "multilabel", "regression"] | None = None
    data: Data
    model: Model
    training: Training | None = None
    quantize: Quantize | None = None
    prune: Prune | None = None
    distil: Distil | None = None
    share: Share | None = None
    anomaly: Anomaly | None = None
    devices: Devices | None = None
    input: Input
    target: Target = Target()
    knobs: Knobs
    sweep: Sweep = Sweep()
    budgets: Mapping[ByName[Family], Budget] = Field(default_factory=dict)
    explore: Explore = Explore()
    search: Search | None = None
    gate: Gate = Gate()

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        for wrong, message in self._disagreements():
            if wrong:
                raise ValueError(message)
        absent = [family for family in self.budgets if family not in self.target.families]
        if absent:
            raise ValueError(
                f"budgets.{absent[0]} is never judged: target.families has {[*map(str, self.target.families)]}"
            )
        return self

    def _disagreements(self) -> Iterator[tuple[bool, str]]:
        """What must not be, and what to say of it."""
        model, table, training = self.model, self.quantize, self.training
        starts_float = model.quantized is None and model.file is None
        yield (
            starts_float and table is None,
            (
                "give model.quantized (a function in model.py) or model.file (a trained model); or a [quantize] table, "
                "by which the network of model.baseline or model.float_file becomes a quantized one"
            ),
        )
        has_float = (model.baseline or model.float_file) is not None
        yield (
            table is not None and not (starts_float and has_float),
            "[quantize] is for a float model: give model.baseline or model.float_file, and no quantized or file",
        )
        yield (
            training is None and model.quantized is not None,
            "model.quantized must be trained: add a [training] table",
        )
        yield training is None and model.baseline is not None, "model.baseline must be trained: add a [training] table"
        yield (
            training is None and table is not None and table.epochs > 0,
            "quantize.epochs are trained as [training] says: add that table, or set quantize.epochs = 0",
        )
        trains = training is not None and (table is None or table.epochs > 0)
        yield (
            self.prune is not None and not trains,
            "[prune] prunes while it trains: add a [training] table, and epochs",
        )
        yield (
            self.share is not None and not trains,
            "[share] brings weights together while it trains: add a [training] table, and epochs",
        )
        yield (
            self.distil is not None and not (trains and has_float),
            "[distil] trains against a float network: give model.baseline or model.float_file, and a [training] table",
        )
        yield (
            self.data.normalize is not None and (model.file or model.float_file) is not None,
            "data.normalize puts a layer before a network that is trained here, not before a file's: remove it",
        )
        yield (
            self.devices is not None and not trains,
            "[devices] says where training runs: add a [training] table, and epochs",
        )
        if self.anomaly is not None:
            yield from self._no_detector()
        if self.task is not None:
            yield from self._no_such_task(self.task)
        yield (
            training is not None and model.file is not None,
            "model.file is trained already: remove the [training] table",
        )

    def _no_such_task(self, task: str) -> Iterator[tuple[bool, str]]:
        """What does not go with the task that is named."""
        weights = None if self.training is None else self.training.class_weight
        yield (
            weights is not None and task not in ("classes", "binary"),
            f"training.class_weight is for classes, and task is '{task}': give weights of samples (data.sample_weight)",
        )
        yield (
            self.data.unit is not None and task != "regression",
            f"data.unit is that of numbers to estimate, and task is '{task}': remove it",
        )
        yield (
            self.distil is not None and task in ("multilabel", "regression"),
            f"[distil] learns what the float network says of classes, and task is '{task}': remove [distil]",
        )

    def _no_detector(self) -> Iterator[tuple[bool, str]]:
        """What does not go with [anomaly]."""
        yield self.task is not None, "[anomaly] is a task of its own: remove task"
        training = self.training
        yield (
            training is not None and (training.loss is not None or training.class_weight is not None),
            "[anomaly] trains by the squared error of normal samples: remove training.loss and training.class_weight",
        )
        yield (
            self.quantize is not None,
            "[anomaly] trains the quantized autoencoder of model.quantized: remove [quantize]",
        )
        yield (
            self.distil is not None,
            "[anomaly] trains by reconstruction, without classes that a teacher could tell: remove [distil]",
        )
        yield (
            self.data.normalize is not None,
            "[anomaly] compares what is reconstructed with the hardware's input, and data.normalize changes it behind "
            "that: use data.standardize or data.scale instead",
        )
        yield (
            isinstance(self.data.standardize, str),
            "[anomaly] learns mean and deviation from normal samples alone: set data.standardize = true",
        )
        yield (
            self.search is not None,
            "[search] chooses networks by their accuracy on validation samples, which training by reconstruction does "
            "not have: remove [search] or [anomaly]",
        )
