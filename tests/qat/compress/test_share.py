"""Shared weights: the best clusters, few different values after the training, and the same bits after a kill."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hlsflow.core.errors import ProjectError
from hlsflow.core.progress import Progress
from hlsflow.project import Share
from hlsflow.qat import load_model, train, train_from_float
from hlsflow.qat.compress.share import LEVELS, clusters, shared_kernels
from tests.qat.qat_project import MODEL, TOML, project_of

SHARE = "[share]\nvalues = 5\nlayers = { logits = 3 }\n"


def error_of(weights: Any, index: Any) -> float:
    groups = [weights[index == one] for one in np.unique(index)]
    return float(sum(((group - group.mean()) ** 2).sum() for group in groups))


@pytest.mark.parametrize("seed", range(5))
def test_no_other_clusters_are_nearer(seed: int) -> None:
    """Against every way of cutting the sorted weights into runs."""
    rng = np.random.default_rng(seed)
    weights = np.sort(rng.integers(-9, 9, 12) / 8)
    for values in (1, 2, 3, 4):
        cuts = itertools.combinations(range(1, len(weights)), values - 1)
        best = min(error_of(weights, np.searchsorted(cut, np.arange(len(weights)), side="right")) for cut in cuts)
        found = clusters(weights, values)
        assert len(np.unique(found)) <= values
        assert error_of(weights, found) == pytest.approx(best, abs=1e-12)


def test_fewer_values_than_clusters_stay_as_they_are() -> None:
    weights = np.array([[0.5, -1.0], [0.5, 0.25]])
    np.testing.assert_array_equal(clusters(weights, 16), [[2, 0], [2, 1]])


def test_very_many_different_weights_come_near_the_best() -> None:
    weights = np.random.default_rng(0).uniform(-1, 1, 3 * LEVELS)
    found = error_of(weights, clusters(weights, 4))
    assert found == pytest.approx(len(weights) * 0.5**2 / 12, rel=0.05)  # four equal quarters


def trained(folder: Path, text: str) -> Any:
    project = project_of(folder, TOML.format(epochs=4) + text, MODEL)
    log = io.StringIO()
    return load_model(train(project, folder / "work", Progress(log)).model)


def levels(model: Any, name: str) -> int:
    layer = model.get_layer(name)
    return len(np.unique(np.asarray(layer.kernel_quantizer_internal(layer.kernel))))


def test_a_training_leaves_few_values_and_a_resumed_one_the_same_bits(tmp_path: Path) -> None:
    model = trained(tmp_path, SHARE)
    assert levels(model, "fc1") == 5
    assert levels(model, "logits") == 3
    max((tmp_path / "work" / "checkpoints" / "qat").iterdir()).unlink()
    (tmp_path / "work" / "qat.h5").unlink()
    for one, other in zip(model.get_weights(), trained(tmp_path, SHARE).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_pruned_weights_are_one_of_the_values(tmp_path: Path) -> None:
    model = trained(tmp_path, SHARE + "[prune]\nsparsity = 0.75\n")
    for name, values in (("fc1", 5), ("logits", 3)):
        kernel = model.get_layer(name).kernel.numpy()
        assert np.mean(kernel == 0) >= 0.75
        assert levels(model, name) <= values


def test_a_float_model_ends_with_shared_weights(tmp_path: Path) -> None:
    named = MODEL.replace("Dense(8), ReLU(), Dense(10)", "Dense(8, name='fc1'), ReLU(), Dense(10, name='logits')")
    table = "[quantize]\nbits = 6\nlower = [8]\nepochs = 2\n" + SHARE
    project = project_of(tmp_path, TOML.format(epochs=2).replace('quantized = "quantized"\n', "") + table, named)
    model = load_model(train_from_float(project, tmp_path / "work", Progress(io.StringIO())).model)
    assert [levels(model, name) for name in ("fc1", "logits")] == [5, 3]


def test_what_has_few_values_is_left_alone_and_scales_are_refused() -> None:
    from qkeras import QDense
    from tf_keras import Sequential
    from tf_keras.layers import Input

    def network(**kernels: str) -> Any:
        return Sequential([Input((4,)), *(QDense(4, kernel_quantizer=one, name=name) for name, one in kernels.items())])

    few = network(three="ternary(alpha=1)", four="quantized_bits(4,0,alpha=1)", five="quantized_bits(5,0,alpha=1)")
    assert [one.layer for one in shared_kernels(few, Share(values=16))] == ["five"]
    with pytest.raises(ProjectError, match="'scaled' have a scale for each output"):
        shared_kernels(network(scaled="quantized_bits(8,0,alpha='auto_po2')"), Share(values=16))
    with pytest.raises(ProjectError, match="'fife', which has no kernel to share; did you mean five"):
        shared_kernels(few, Share(values=16, layers={"fife": 4}))


def test_sharing_needs_a_training(tmp_path: Path) -> None:
    table = "[quantize]\nepochs = 0\n[share]\nvalues = 4\n"
    with pytest.raises(ProjectError, match="brings weights together while it trains"):
        project_of(tmp_path, TOML.format(epochs=2).replace('quantized = "quantized"\n', "") + table, MODEL)
