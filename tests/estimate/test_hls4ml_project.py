"""An hls4ml project, read as a design: what its C++ says, not what its configuration asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hlsflow.core.errors import DataError
from hlsflow.estimate import Kind, estimate, hls4ml_project
from hlsflow.estimate.constants import count
from hlsflow.ir import Fixed
from tests.estimate.designs import PARAMETERS, PART, WEIGHTS, project


def test_layers_types_and_knobs_are_those_of_the_sources(tmp_path: Path) -> None:
    one = hls4ml_project.read(project(tmp_path))
    assert (one.name, one.backend, one.part, one.clock_ns, one.uncertainty) == ("tiny", "vitis", PART, 5.0, 0.125)
    assert (one.io_type, one.dataflow, one.dsp_multipliers) == ("io_parallel", False, True)
    dense, relu = one.layers
    assert (dense.name, dense.kind, dense.n_in, dense.n_out) == ("fc1", Kind.MATRIX, 4, 3)
    assert (dense.input, dense.weight, dense.accum) == (Fixed(8, 2), Fixed(8, 2), Fixed(16, 4))
    assert (dense.strategy, dense.reuse_factor, dense.asked) == ("latency", 4, 5)
    assert (relu.kind, str(relu.result)) == (Kind.RELU, "ufixed<8,1,RND_CONV,SAT>")


def test_weights_are_counted(tmp_path: Path) -> None:
    codes = np.array(WEIGHTS).reshape(4, 3) * 64
    assert hls4ml_project.read(project(tmp_path)).layers[0].constants == count(codes.astype(int), 8)


def test_weights_that_lie_in_a_header_alone_are_read_too(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "firmware/weights/w2.txt").unlink()
    body = ", ".join(map(str, WEIGHTS))
    text = f"#ifndef __SYNTHESIS__\nweight2_t w2[12];\n#else\nweight2_t w2[12] = {{{body}}};\n#endif\n"
    (folder / "firmware/weights/w2.h").write_text(text, encoding="utf-8")
    assert hls4ml_project.read(folder).layers[0].constants == hls4ml_project.read(project(tmp_path)).layers[0].constants


def test_missing_weights_are_unknown_not_zero(tmp_path: Path) -> None:
    folder = project(tmp_path)
    shutil.rmtree(folder / "firmware/weights")
    assert hls4ml_project.read(folder).layers[0].constants is None


def test_streams_and_multipliers_without_dsp_blocks_are_seen(tmp_path: Path) -> None:
    folder = project(tmp_path, io_type="io_stream")
    (folder / "build_prj.tcl").write_text("config_op mul -impl fabric\n", encoding="utf-8")
    one = hls4ml_project.read(folder)
    assert one.streams
    assert not one.dsp_multipliers


def test_a_convolution_is_its_window_times_its_positions(tmp_path: Path) -> None:
    folder = project(tmp_path, io_type="io_stream")
    extra = """
struct config4_mult : nnet::dense_config {
    static const unsigned n_in = 18;
    static const unsigned n_out = 4;
    typedef fc1_accum_t accum_t;
};
struct config4 : nnet::conv2d_config {
    static const unsigned in_height = 6;
    static const unsigned in_width = 5;
    static const unsigned n_chan = 2;
    static const unsigned filt_height = 3;
    static const unsigned filt_width = 3;
    static const unsigned n_filt = 4;
    static const unsigned out_height = 4;
    static const unsigned out_width = 3;
    static const unsigned reuse_factor = 2;
    static const unsigned strategy = nnet::latency;
    typedef weight2_t weight_t;
};
"""
    text = PARAMETERS.format(io_type="io_stream", strategy="latency", reuse_factor="1") + extra
    (folder / "firmware/parameters.h").write_text(text, encoding="utf-8")
    call = "nnet::conv_2d_cl<input_t, layer2_t, config4>(x, y, w4, b4); // conv1\n"
    (folder / "firmware/tiny.cpp").write_text(call, encoding="utf-8")
    (layer,) = hls4ml_project.read(folder).layers
    assert (layer.n_in, layer.n_out, layer.positions, layer.beats, layer.window) == (18, 4, 12, 30, 3)


def test_functions_that_are_not_known_are_said_and_not_taken_for_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path)
    call = "nnet::lstm_stack<input_t, layer2_t, config2>(x, y, w2, wr2, b2); // lstm1\n"
    (folder / "firmware/tiny.cpp").write_text(call, encoding="utf-8")
    one = hls4ml_project.read(folder)
    assert one.layers[0].kind is Kind.OTHER
    assert "layers that are not estimated" in estimate(one).departures


def test_calls_of_functions_that_hls4ml_does_not_have_are_layers_too(tmp_path: Path) -> None:
    folder = project(tmp_path)
    top = (folder / "firmware/tiny.cpp").read_text(encoding="utf-8")
    own = [
        "    ours::relu<layer2_t, result_t, relu_config3>(layer3_out, y); // ours1",
        "    attention(layer2_out, layer3_out);",
        "    nnet::fused_block(layer2_out, layer3_out);",
    ]
    for call, name in zip(own, ("ours1", "::attention", "fused_block"), strict=True):
        text = top.replace("}\n", f"    if (!loaded) {{ printf(x); }}\n{call}\n}}\n")
        (folder / "firmware/tiny.cpp").write_text(text, encoding="utf-8")
        one = hls4ml_project.read(folder)
        assert [(layer.name, layer.kind) for layer in one.layers[2:]] == [(name, Kind.OTHER)]
        assert estimate(one).holes == (name,)


def test_a_layer_whose_size_is_not_told_is_not_taken_for_a_small_one(tmp_path: Path) -> None:
    folder = project(tmp_path)
    file = folder / "firmware/parameters.h"
    file.write_text(file.read_text().replace("struct relu_config3 : nnet::activ_config", "struct relu_config3"))
    assert hls4ml_project.read(folder).layers[1].n_in == 3  # hard activations derive from nothing
    file.write_text(file.read_text().replace("relu_config3", "relu_config4"))
    assert estimate(hls4ml_project.read(folder)).holes == ("relu1",)


@pytest.mark.parametrize("word", ["nnet::Resource", "nnet::resource", "Resource", "nnet::RESOURCE"])
def test_the_strategy_is_the_same_in_any_spelling(tmp_path: Path, word: str) -> None:
    folder = project(tmp_path, reuse_factor="4")
    file = folder / "firmware/parameters.h"
    file.write_text(file.read_text().replace("strategy = nnet::latency", f"strategy = {word}"))
    one = hls4ml_project.read(folder)
    assert one.layers[0].strategy == "resource"
    assert estimate(one).figures == estimate(hls4ml_project.read(project(tmp_path, strategy="resource"))).figures


def test_the_configuration_names_the_backend_and_the_script_the_part(tmp_path: Path) -> None:
    """hls4ml 0.7 and 0.8 write `set backend "vivado"` for projects of Vitis HLS as well."""
    folder = project(tmp_path)
    tcl = folder / "project.tcl"
    tcl.write_text(tcl.read_text().replace('"vitis"', '"vivado"'))
    one = hls4ml_project.read(folder)
    assert (one.backend, one.part, one.clock_ns) == ("vitis", PART, 5.0)
    (folder / "hls4ml_config.yml").write_text("Backend: Vivado\n")
    tcl.write_text(tcl.read_text().replace('"vivado"', '"vitis"'))
    assert hls4ml_project.read(folder).backend == "vivado"
    (folder / "hls4ml_config.yml").write_text("ProjectName: tiny\n")
    assert hls4ml_project.read(folder).backend == "vitis"


def test_the_part_has_had_another_name(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "project.tcl").unlink()
    (folder / "hls4ml_config.yml").write_text("Backend: Vivado\nXilinxPart: xcku115-flvb2104-2-i\nClockPeriod: 5\n")
    one = hls4ml_project.read(folder)
    assert (one.part, one.backend) == ("xcku115-flvb2104-2-i", "vivado")
    assert not any("unknown" in away for away in estimate(one).departures)


@pytest.mark.parametrize("clock", ["0", "-5", "nan", "inf", "fast"])
def test_a_clock_period_that_can_be_none_is_one_clear_error(tmp_path: Path, clock: str) -> None:
    folder = project(tmp_path)
    (folder / "project.tcl").unlink()
    (folder / "hls4ml_config.yml").write_text(f"Backend: Vitis\nClockPeriod: {clock}\n")
    with pytest.raises(DataError, match="is no clock period"):
        hls4ml_project.read(folder)


def test_binary_weights_are_minus_one_and_one(tmp_path: Path) -> None:
    folder = project(tmp_path)
    defines = folder / "firmware/defines.h"
    defines.write_text(defines.read_text().replace("ap_fixed<8,2> weight2_t", "ap_uint<1> weight2_t"), encoding="utf-8")
    (folder / "firmware/weights/w2.txt").write_text("1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0", encoding="utf-8")
    found = hls4ml_project.read(folder).layers[0].constants
    assert found is not None
    assert (found.nonzero, found.multipliers, found.live) == (12, 0, 3)


@pytest.mark.parametrize("missing", ["firmware/parameters.h", "firmware/defines.h", "firmware/tiny.cpp"])
def test_a_folder_that_lacks_sources_is_refused_by_name(tmp_path: Path, missing: str) -> None:
    folder = project(tmp_path)
    (folder / missing).unlink()
    with pytest.raises(DataError, match=r"hls4ml project|cannot be read|top function"):
        hls4ml_project.read(folder)
