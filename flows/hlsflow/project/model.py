"""Table [model]: the functions of `model.py`, or the file of a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from hlsflow.project.section import Argument, Identifier, ModelFile, Section


class Model(Section):
    """The network: builder functions in `model.py`, or the file of a trained model.

    Attributes:
        quantized: function that returns the QKeras model to train.
        baseline: function that returns the float model of the same shape; with [quantize] and without `quantized` it is
            trained, and then quantized by that table.
        arguments: keyword arguments of these functions; each gets those that it takes.
        float_file: a trained float model (`.h5` or `.keras`) to quantize by [quantize], relative to the folder.
        file: a trained QKeras model (`.h5` or `.keras`), relative to the project's folder; nothing is trained then.
        allow_lambda: load a `file` with Lambda layers, which run the code they carry.
    """

    quantized: Identifier | None = None
    baseline: Identifier | None = None
    arguments: Mapping[str, Argument] = Field(default_factory=dict)
    float_file: ModelFile | None = None
    file: ModelFile | None = None
    allow_lambda: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.file is not None or self.float_file is not None) and self.baseline is not None:
            raise ValueError("baseline is trained here: it goes with neither file nor float_file")
        if sum(origin is not None for origin in (self.quantized, self.float_file, self.file)) > 1:
            raise ValueError("give one of quantized (a function in model.py), float_file and file (trained models)")
        if self.arguments and self.quantized is None and self.baseline is None:
            raise ValueError("arguments are those of a function in model.py: give quantized or baseline")
        return self
