"""Samples of `assert_bit_exact` are brought to the input's grid as those of `hlsflow run` are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import DataError
from hlsflow.data import load_data
from hlsflow.plugins.testing import assert_bit_exact
from hlsflow.project import for_model
from tests.hls.networks import dense, network


@pytest.mark.parametrize(
    ("x", "kind"),
    [
        (np.array([[4.0, 0.5], [0.0, 1.0]]), "fixed<5,3>"),  # 4 would wrap to -4
        (np.array([[0.001, 0.002], [0.0, 0.003]]), "fixed<5,3,RND,SAT>"),  # all 0
        (np.array([[0.5, 0.25], [0.0, 0.5]]), "fixed<25,3>"),  # wider than float32
    ],
)
def test_what_the_command_line_refuses_is_refused(x: np.ndarray, kind: str, tmp_path: Path) -> None:
    model = network(dense(2, "fc"), n_in=2)
    with pytest.raises(DataError) as one:
        assert_bit_exact(model, x, input_precision=kind)
    (tmp_path / "m.h5").write_bytes(b"")
    np.savez(tmp_path / "x.npz", x=x)
    with pytest.raises(DataError) as other:
        load_data(for_model(tmp_path / "m.h5", tmp_path / "x.npz", kind))
    assert one.value.message.partition(": ")[2] == other.value.message.partition(": ")[2]
