"""Which class a network's outputs stand for."""

from __future__ import annotations

import numpy as np

from flows.classes import predicted


def test_the_largest_logit_is_the_class_and_the_first_of_equals() -> None:
    assert predicted(np.array([[1, 5, -2], [-3, -3, -4], [0.1, 0.2, 0.3]])).tolist() == [1, 0, 2]


def test_one_logit_alone_is_judged_by_its_sign() -> None:
    assert predicted(np.array([[-1], [0], [1], [7]])).tolist() == [0, 0, 1, 1]
