"""Table [search]: which networks `hlsflow search` tries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator as After
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from hlsflow.project.errors import HIDDEN
from hlsflow.project.section import Positive, Scalar, Section, Seed, as_tuple, unique


class Range(Section):
    """Numbers from `low` to `high`, both included: whole ones where both are, in steps of `step` (whole ones: 1)."""

    low: int | float
    high: int | float
    step: Annotated[int | float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.high < self.low:
            raise ValueError(f"high {self.high} is below low {self.low}")
        if self.integral and isinstance(self.step, float):
            raise ValueError(f"step {self.step} leaves the whole numbers: write low and high with a point")
        return self

    @property
    def integral(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


Choices = Annotated[tuple[Scalar, ...], BeforeValidator(as_tuple), Field(min_length=1), After(unique)]
RANGE, CHOICES = f"{HIDDEN}range", f"{HIDDEN}choices"
Varied = Annotated[
    Annotated[Range, Tag(RANGE)] | Annotated[Choices, Tag(CHOICES)],
    Discriminator(lambda value: RANGE if isinstance(value, dict | Range) else CHOICES),
]
Objective = Literal["accuracy", "r2", "rmse", "mae", "lut", "ff", "dsp", "bram", "latency_cycles", "ii"]

LARGER_IS_BETTER = ("accuracy", "r2")
OF_OUTPUTS = (*LARGER_IS_BETTER, "rmse", "mae")
"""Objectives that say how good a network is on the validation set."""


def _dotted(value: object, prefix: str = "") -> object:
    """Tables within the space as one, under dotted names: in TOML, `quantize.bits = [3, 4]` is a table in a table."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, object] = {}
    for key, inner in value.items():
        if isinstance(inner, dict) and not {"low", "high"} & set(inner):
            flat |= dict(_dotted(inner, f"{prefix}{key}.") or {})  # type: ignore[call-overload]
        else:
            flat[f"{prefix}{key}"] = inner
    return flat


class Search(Section):
    """What `hlsflow search` tries: networks that it trains, builds and measures one by one.

    Attributes:
        space: what is varied → its values. A plain name is an argument of the functions in `model.py`, a dotted one a
            key of this file, such as `quantize.bits` or `knobs.reuse_factor`.
        trials: in all, also over several calls.
        epochs: of the training of each trial; omitted: those of [training], or of [quantize].
        objectives: what is best when large (`accuracy`, or `r2` of a regression, on the validation set) or small (all
            others); a regression has `rmse` and `mae` besides. By default `r2` takes the place of `accuracy` there.
        seed: of the sampler.
    """

    space: Annotated[Mapping[str, Varied], BeforeValidator(_dotted), Field(min_length=1)]
    trials: Positive = 30
    epochs: Positive | None = None
    objectives: Annotated[tuple[Objective, ...], BeforeValidator(as_tuple), Field(min_length=1), After(unique)] = (
        "accuracy",
        "lut",
        "latency_cycles",
    )
    seed: Seed = 0
