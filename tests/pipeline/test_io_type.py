"""The io type of a model file: io_stream where the C++ of io_parallel would be too large; and the compiler's limit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qkeras
import tf_keras
from tf_keras import layers as keras

from hlsflow.core.errors import ToolFailed
from hlsflow.core.progress import Progress
from hlsflow.hls import csim
from hlsflow.hls.size import PARALLEL, named_values
from hlsflow.hls.translate import PROJECT_NAME, Settings, translate
from hlsflow.pipeline.io_type import settled_io
from hlsflow.project import Project, for_model
from tests.hls.networks import INPUT, TARGET, dense, knobs, network


def conv(filters: int, size: int, **options: Any) -> Any:
    bits = "quantized_bits(4,0,alpha=1)"
    return qkeras.QConv2D(filters, size, kernel_quantizer=bits, bias_quantizer=bits, **options)


def images(side: int, channels: int) -> Any:
    return tf_keras.Sequential([keras.Input((side, side, channels)), conv(2, 3, padding="same"), keras.Flatten()])


def test_the_values_of_all_windows_are_counted() -> None:
    inner = tf_keras.Sequential([keras.Input((4, 4, 3)), conv(2, 1), keras.Flatten(), dense(2, "fc")], name="inner")
    x = keras.Input((9, 9, 2))
    model = tf_keras.Model(x, inner(conv(3, 3, strides=2)(x)))
    assert named_values(model) == 4 * 4 * 9 * 2 + 4 * 4 * 3
    rows = tf_keras.Sequential([keras.Input((10, 2)), keras.Conv1D(3, 4)])
    assert named_values(rows) == 7 * 4 * 2
    deep = tf_keras.Sequential([keras.Input((5, 5, 3)), keras.DepthwiseConv2D(2)])
    assert named_values(deep) == 4 * 4 * 4 * 3
    assert named_values(network(dense(4, "fc"))) == 0


def project(folder: Path, model: Any) -> Project:
    model.save(folder / "model.h5")
    np.savez(folder / "x.npz", x=np.zeros((2, *model.input_shape[1:])))
    return for_model(folder / "model.h5", folder / "x.npz", "fixed<8,4>", (16,))


def test_a_large_image_comes_in_a_stream_and_it_is_said(tmp_path: Path) -> None:
    given, said = project(tmp_path, images(30, 8)), []
    assert PARALLEL < 30 * 30 * 9 * 8
    found = settled_io(given, tmp_path / "build", said.append)
    assert (found.target.io_type, found.knobs.strategy) == ("io_stream", "resource")
    assert "io_stream and strategy resource" in said[-1]
    assert "64,800 values" in said[-1]
    (tmp_path / "model.h5").unlink()  # its size is known
    assert settled_io(given, tmp_path / "build", said.append) == found


def test_a_small_one_stays_parallel(tmp_path: Path) -> None:
    given, said = project(tmp_path, images(28, 8)), []
    assert settled_io(given, tmp_path / "build", said.append) is given
    assert said == []


def test_a_compiler_that_takes_too_long_is_ended_and_the_cure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    translate(network(dense(4, "fc")), Settings(INPUT, TARGET, knobs()), tmp_path / "hls")
    monkeypatch.setattr(csim, "PATIENCE_S", 0.0)
    shown = io.StringIO()
    with pytest.raises(ToolFailed, match="C-simulation: ") as error:
        csim.build(tmp_path / "hls", PROJECT_NAME, tmp_path, progress=Progress(shown), limit_s=0.6)
    assert "--io-type io_stream --strategy resource" in error.value.hint
    assert "C-simulation 0:00:00 compiling: at most 0.6 s" in shown.getvalue()
