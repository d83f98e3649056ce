"""Designs and hls4ml projects that several tests estimate."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hlsflow.estimate import Design, Kind, Layer
from hlsflow.estimate.constants import count
from hlsflow.ir import Fixed

VALUE, WEIGHT, ACCUM = Fixed(8, 2), Fixed(8, 2), Fixed(16, 4)
HIDDEN = Fixed.parse("ufixed<8,1,RND_CONV,SAT>")
PART = "xc7z020clg400-1"


def codes(n_in: int, n_out: int, seed: int = 0) -> np.ndarray:
    """Weights of 8 bits as integers."""
    return np.random.default_rng(seed).integers(-128, 128, (n_in, n_out))


def matrix(name: str, n_in: int, n_out: int, **changes: object) -> Layer:
    """A dense layer with known weights."""
    found = count(codes(n_in, n_out), VALUE.width)
    own = {"weight": WEIGHT, "accum": ACCUM, "constants": found} | changes
    return Layer(name, Kind.MATRIX, n_in, n_out, VALUE, ACCUM, **own)  # type: ignore[arg-type]


def relu(name: str, wide: int) -> Layer:
    return Layer(name, Kind.RELU, wide, wide, ACCUM, HIDDEN)


def design(*layers: Layer, **changes: object) -> Design:
    return Design("tiny", layers, **({"part": PART} | changes))  # type: ignore[arg-type]


PARAMETERS = """\
#include "weights/w2.h"

// fc1
struct config2 : nnet::dense_config {{
    static const unsigned n_in = 4;
    static const unsigned n_out = 3;
    static const unsigned io_type = nnet::{io_type};
    static const unsigned strategy = nnet::{strategy};
    static const unsigned reuse_factor = {reuse_factor};
    static const unsigned n_zeros = 1;
    typedef fc1_accum_t accum_t;
    typedef weight2_t weight_t;
}};

// relu1
struct relu_config3 : nnet::activ_config {{
    static const unsigned n_in = 3;
    static const unsigned table_size = 1024;
    static const unsigned io_type = nnet::{io_type};
    static const unsigned reuse_factor = 1;
}};
"""
DEFINES = """\
typedef ap_fixed<8,2> input_t;
typedef ap_fixed<16,4> fc1_accum_t;
typedef ap_fixed<16,4> layer2_t;
typedef ap_fixed<8,2> weight2_t;
typedef ap_ufixed<8,1,AP_RND_CONV,AP_SAT,0> result_t;
"""
TOP = """\
void tiny(input_t x[4], result_t layer3_out[3]) {
    #pragma HLS PIPELINE
    nnet::load_weights_from_txt<weight2_t, 12>(w2, "w2.txt");
    nnet::dense<input_t, layer2_t, config2>(x, layer2_out, w2, b2); // fc1
    nnet::relu<layer2_t, result_t, relu_config3>(layer2_out, layer3_out); // relu1
}
"""
TCL = """\
set project_name "tiny"
set backend "{backend}"
set part "{part}"
set clock_period 5
set clock_uncertainty 12.5%
"""
CONFIG = """\
Backend: {backend}
Part: some-other-part
ClockPeriod: 10
KerasModel: !!python/object/apply:some.module.model
- !!python/tuple
  - 1
HLSConfig:
  LayerName:
    fc1:
      ReuseFactor: 5
"""
WEIGHTS = (0.0, 0.5, -0.5, 0.171875, 1.0, 0.09375, 0.09375, -0.015625, 0.671875, 0.03125, 1.25, -1.375)


def project(folder: Path, **changes: str) -> Path:
    """An hls4ml project of a dense layer and a ReLU, in the form of version 1.3.0."""
    knobs = {"io_type": "io_parallel", "strategy": "latency", "reuse_factor": "4", "backend": "vitis", "part": PART}
    knobs |= changes
    files = {
        "firmware/parameters.h": PARAMETERS.format(**knobs),
        "firmware/defines.h": DEFINES,
        "firmware/tiny.cpp": TOP,
        "firmware/weights/w2.txt": ", ".join(map(str, WEIGHTS)),
        "firmware/weights/w2.h": "weight2_t w2[12];",
        "project.tcl": TCL.format(**knobs),
        "hls4ml_config.yml": CONFIG.format(**knobs),
    }
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder
