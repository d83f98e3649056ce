"""The base of all tables of the project file, and the types of single values that several tables use."""

from __future__ import annotations

import enum
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from hlsflow.ir.fixed import MAX_WIDTH, Fixed

Choice = TypeVar("Choice", bound=enum.StrEnum)


def parse_fixed(value: object) -> Fixed:
    kind = value if isinstance(value, Fixed) else Fixed.parse(value if isinstance(value, str) else repr(value))
    if kind.integer > 127 or kind.frac > 126:
        raise ValueError(f"{kind} leaves the range of float32, in which Keras computes: 2**-126 to 2**127")
    return kind


def as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there more than once")
    return values


Precision = Annotated[Fixed, BeforeValidator(parse_fixed), PlainSerializer(str)]
ByName = Annotated[Choice, Field(strict=False)]
"""A choice, which a file names by its value."""
Positive = Annotated[int, Field(ge=1, lt=2**31)]
Bits = Annotated[int, Field(ge=1, le=MAX_WIDTH)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
ModelFile = Annotated[str, Field(pattern=r"\.(h5|hdf5|keras)$")]


UNSET: tuple[object, ...] = (None, [], ())


class Section(BaseModel):
    """A table of the project file: unknown keys are errors, nothing is converted silently, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    LATER: ClassVar[frozenset[str]] = frozenset()
    """Keys that came later: left out of what is written where they are not set, so that digests of older projects
    stay."""

    @model_serializer(mode="wrap")
    def _without_unset(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in dump(self).items() if key not in self.LATER or value not in UNSET}


Scalar = bool | int | float | str
Argument = Annotated[Scalar | tuple[Scalar, ...], BeforeValidator(as_tuple)]
"""What a project file can hand to a function of `model.py`; an array arrives as a tuple."""
Ratio = Annotated[float, Field(ge=0, le=1)]
