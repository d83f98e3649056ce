"""Arguments of quantizers that QKeras would compute with for ever, with more memory than there is, or to no number.

In: a block in which quantizers of QKeras are made, by a model's file or by the code of a project. Out: one error about
the first of them that is out of bounds, before QKeras computes anything. Those of powers of two compute 2 to the power
of 2**(bits - 1) in whole numbers, as soon as their layer is made.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np

from hlsflow.core.errors import ModelError
from hlsflow.ir.fixed import MAX_WIDTH

POWER_BITS = 8
"""Exponents of so many bits cover the range of float32, in which Keras computes."""

INTEGER = 30
"""QKeras computes 2**integer in whole numbers of 32 bits."""

FLOAT32 = float(np.finfo(np.float32).max)


@contextmanager
def bounded() -> Iterator[None]:
    """Within this block no quantizer is made of arguments out of bounds: raises ModelError, whatever Keras does."""
    kinds, refused = _kinds(), list[ModelError]()
    real = {kind: kind.__init__ for kind in kinds}
    try:
        for kind in kinds:
            kind.__init__ = _checked(kind.__init__, refused)
        yield
    except Exception as error:
        if refused:
            raise refused[0] from (None if error is refused[0] else error)
        raise
    finally:
        for kind, init in real.items():
            kind.__init__ = init


def _kinds() -> list[Any]:
    """The classes of quantizers that have arguments."""
    from qkeras import quantizers

    found = [thing for thing in vars(quantizers).values() if inspect.isclass(thing)]
    return [kind for kind in found if issubclass(kind, quantizers.BaseQuantizer) and "__init__" in vars(kind)]


def _checked(init: Callable[..., None], refused: list[ModelError]) -> Callable[..., None]:
    signature = inspect.signature(init)

    @wraps(init)
    def checked(quantizer: Any, *given: Any, **named: Any) -> None:
        try:
            arguments = signature.bind(quantizer, *given, **named).arguments
        except TypeError:
            arguments = {}  # QKeras says what is wrong with them
        wrong = _wrong(type(quantizer).__name__, arguments)
        if wrong:
            hint = "correct the quantizer, and train with that"
            refused.append(ModelError(f"{type(quantizer).__name__} {wrong}", hint))
            raise refused[-1]
        init(quantizer, *given, **named)

    return checked


def _wrong(name: str, arguments: Mapping[str, Any]) -> str:
    """What is wrong with the arguments of a quantizer, in words; empty for nothing."""
    limit = POWER_BITS if "po2" in name else MAX_WIDTH
    bits, integer, largest = (_number(arguments.get(key)) for key in ("bits", "integer", "max_value"))
    if bits is not None and not _is_whole(bits, 1, limit):
        return f"has bits={bits:g}, which is no whole number from 1 to {limit}"
    if integer is not None and not _is_whole(integer, 0, INTEGER):
        return f"has integer={integer:g}, which is no whole number from 0 to {INTEGER}: QKeras fails on 2**integer"
    if largest is not None and not 0 <= largest <= FLOAT32:
        return f"has max_value={largest:g}, which is no number from 0 up that float32 holds"
    return ""


def _number(value: Any) -> float | None:
    """What can be judged here; None for nothing, and for a variable, which QKeras changes itself."""
    if not isinstance(value, int | float | np.number):
        return None
    try:
        return float(value)
    except OverflowError:  # of a whole number
        return math.inf if value > 0 else -math.inf


def _is_whole(value: float, low: int, high: int) -> bool:
    return low <= value <= high and value == int(value)
