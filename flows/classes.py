"""Which class a network's outputs stand for. In: logits, as reals or integers. Out: class numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def predicted(outputs: NDArray[Any]) -> NDArray[np.int64]:
    """The class of each sample: the largest logit's number, or, of one logit alone, 1 where it is above 0.

    Args:
        outputs: (..., logits); of equal logits the first counts.
    Returns:
        (...), class numbers from 0. One logit is that of class 1: its sigmoid is above 1/2 where it is above 0.
    """
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > 0).astype(np.int64)
    largest: NDArray[np.int64] = np.argmax(outputs, -1)
    return largest
