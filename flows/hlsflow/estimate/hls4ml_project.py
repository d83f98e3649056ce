"""Reads the folder of an hls4ml project as a `Design`: whoever wrote it, and without hls4ml.

In: a folder with `firmware/parameters.h`, `firmware/defines.h`, the top function and, if known, the weights. Out:
`Design`. What hls4ml resolved stands in its C++ alone: `hls4ml_config.yml` is what was asked for, and need not be what
was built. It is read for the clock and the part alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from hlsflow.core import foreign
from hlsflow.core.errors import DataError
from hlsflow.estimate.constants import Constants, count
from hlsflow.estimate.design import Design, Kind, Layer
from hlsflow.ir import Fixed
from hlsflow.ir.fixed import Array
from hlsflow.report.folders import hls4ml_config
from hlsflow.report.folders.hls4ml_config import Config

KINDS: Mapping[str, Kind] = {
    "dense": Kind.MATRIX,
    "conv_": Kind.MATRIX,
    "pointwise_conv": Kind.MATRIX,
    "depthwise": Kind.SCALE,
    "separable": Kind.MATRIX,
    "normalize": Kind.SCALE,
    "relu": Kind.RELU,
    "relu_max": Kind.RELU,
    "leaky_relu": Kind.RELU,
    "thresholded_relu": Kind.RELU,
    "linear": Kind.RELU,
    "hard_": Kind.RELU,
    "binary_tanh": Kind.RELU,
    "ternary_tanh": Kind.RELU,
    "softmax": Kind.SOFTMAX,
    "pooling": Kind.POOL,
    "global_pooling": Kind.POOL,
    "add": Kind.MERGE,
    "subtract": Kind.MERGE,
    "multiply": Kind.MERGE,
    "average": Kind.MERGE,
    "maximum": Kind.MERGE,
    "minimum": Kind.MERGE,
    "concatenate": Kind.WIRES,
    "transpose": Kind.WIRES,
    "clone_stream": Kind.WIRES,
    "repack_stream": Kind.WIRES,
    "resize": Kind.WIRES,
    "zeropad": Kind.WIRES,
    "broadcast": Kind.WIRES,
    "cropping": Kind.WIRES,
    "tanh": Kind.TABLE,
    "sigmoid": Kind.TABLE,
    "elu": Kind.TABLE,
    "selu": Kind.TABLE,
    "softplus": Kind.TABLE,
    "softsign": Kind.TABLE,
    "unary_lut": Kind.TABLE,
}
"""How a function of `nnet_utils` begins → what it is; the longest that fits is taken."""

SOURCE = foreign.Kind("", "is damaged", "name the folder of an hls4ml project", limit=256 * foreign.MIB)
_STRUCT = re.compile(r"struct\s+(\w+)\s*(?::\s*nnet::(\w+)\s*)?\{(.*?)\n\};", re.DOTALL)
_CONSTANT = re.compile(r"static const\s+[\w:]+\s+(\w+)\s*=\s*(.+?);", re.DOTALL)
_ALIAS = re.compile(r"typedef\s+([^;]+?)\s+(\w+);")
_DEFINE = re.compile(r"#define\s+(\w+)\s+(\d+)")
_CALL = re.compile(r"^\s*((?:\w+::)*)(\w+)(?:<([^;{}]*?)>)?\(([^;{}]*?)\);(?:\s*//\s*(\S+))?", re.MULTILINE)
_OWN_CALL = re.compile(r"^\s*nnet::\w+[<(]", re.MULTILINE)
_UNCERTAINTY = re.compile(r"^set\s+clock_uncertainty\s+\"?([\d.]+%?)", re.MULTILINE)
_FABRIC = re.compile(r"config_op\s+mul\s+-impl\s+fabric|BIND_OP[^\n]*op=mul[^\n]*impl=fabric", re.IGNORECASE)
_WORD = re.compile(r"nnet::array<\s*(.+?)\s*,\s*([\d*\s]+)>$")
_NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
_NO_LAYERS = (
    "load_weights_from_txt",
    "load_compressed_weights_from_txt",
    "load_exponent_weights_from_txt",
    "save_layer_output",
    "fill_zero",
)
"""Functions of `nnet_utils` that are called and build nothing."""
_NO_CALLS = ("if", "while", "switch", "return", "assert", "static_assert", "printf")
"""What looks like a call in C++ and builds nothing."""

_DEFAULT_TYPE = Fixed(16, 6)
_ELEMENTWISE = (Kind.RELU, Kind.TABLE, Kind.MERGE, Kind.SCALE)
"""Kinds whose configuration tells the values of a whole frame, while a stream brings them word by word."""


@dataclass(frozen=True)
class _Sources:
    """The texts of a project, and what stands in them."""

    folder: Path
    parameters: str
    defines: str
    top: str

    @cached_property
    def numbers(self) -> dict[str, int]:
        """`#define`s that are whole numbers, as older versions of hls4ml name sizes."""
        return {name: int(value) for name, value in _DEFINE.findall(self.defines + self.parameters)}

    @cached_property
    def aliases(self) -> dict[str, str]:
        return {name: text for text, name in _ALIAS.findall(self.defines)}

    @cached_property
    def configs(self) -> dict[str, dict[str, str]]:
        """Configuration → its constants and types as text; `struct` is which of `nnet_utils` it derives from."""
        configurations = {}
        for name, base, body in _STRUCT.findall(self.parameters):
            types = {alias: text for text, alias in _ALIAS.findall(body)}
            constants = {key: " ".join(value.split()) for key, value in _CONSTANT.findall(body)}
            configurations[name] = {"struct": base} | types | constants
        return configurations

    def type(self, name: str) -> Fixed | None:
        """The fixed-point type behind a name, that of the elements for a stream's words; None when it is no such."""
        text = self.aliases.get(name, name)
        word = _WORD.match(text)
        try:
            return Fixed.parse(word[1] if word else text)
        except ValueError:
            return None

    def lanes(self, name: str) -> int | None:
        """Values in one word of a stream's type; None when it is no such."""
        word = _WORD.match(self.aliases.get(name, name))
        return math.prod(map(int, word[2].split("*"))) if word else None

    def number(self, config: Mapping[str, str], key: str, default: int = 1) -> int:
        """A constant of a configuration that is one number, or the name of one."""
        text = config.get(key, "")
        return int(text) if text.isdigit() else self.numbers.get(text, default)


def is_project(folder: Path) -> bool:
    """Whether a folder is an hls4ml project's."""
    return (folder / "firmware" / "parameters.h").is_file()


def read(folder: Path) -> Design:
    """The design of an hls4ml project for Vitis or Vivado.

    Raises:
        DataError: no such project, or one whose layers cannot be found.
    """
    with foreign.reading(folder, SOURCE):
        return _read(folder)


def _read(folder: Path) -> Design:
    firmware = folder / "firmware"
    config = hls4ml_config.read(folder)
    settings = _settings(folder, config)
    sources = _Sources(folder, _text(firmware / "parameters.h"), _text(firmware / "defines.h"), _top(folder))
    calls = list(_calls(sources.top))
    if not calls:
        raise DataError(f"no layer is called in the top function of {folder}", "is it a project that hls4ml wrote?")
    streams = "nnet::io_stream" in sources.parameters
    return Design(
        name=settings.get("ProjectName", folder.name),
        layers=tuple(_asked(_layer(sources, *call, streams=streams), config) for call in calls),
        backend=settings.get("Backend", "vitis").lower(),
        io_type="io_stream" if streams else "io_parallel",
        part=settings.get("Part", ""),
        clock_ns=_clock(folder, settings.get("ClockPeriod", "5")),
        uncertainty=_float(settings.get("ClockUncertainty", "").rstrip("%"), 12.5) / 100.0,
        dsp_multipliers=not _without_dsp(folder),
        dataflow=bool(re.search(r"#pragma HLS DATAFLOW", sources.top, re.IGNORECASE)),
    )


def _calls(top: str) -> Iterator[tuple[str, str, str, str]]:
    """Function, types, arguments and layer of each call that builds something, whoever wrote the function."""
    for prefix, name, types, arguments, layer in _CALL.findall(top):
        if prefix not in ("std::", "hls::") and name not in (*_NO_LAYERS, *_NO_CALLS):
            yield name if prefix == "nnet::" else f"{prefix or '::'}{name}", types, arguments, layer


def _settings(folder: Path, config: Config | None) -> dict[str, str]:
    """What the project was written with.

    `project.tcl` is what tools read, and so counts before the configuration; but hls4ml 0.7 and 0.8 name the backend
    vivado there for projects of Vitis HLS too.
    """
    settings = {name: values[-1][1] for name, values in config.places.items()} if config else {}
    settings |= {"Backend": config.general["Backend"]} if config and "Backend" in config.general else {}
    tcl = folder / hls4ml_config.PROJECT_TCL
    uncertainty = _UNCERTAINTY.search(_text(tcl)) if tcl.is_file() else None
    return settings | ({"ClockUncertainty": uncertainty[1]} if uncertainty else {})


def _text(file: Path) -> str:
    return foreign.text(file, SOURCE, errors="replace")


def _top(folder: Path) -> str:
    """The C++ of the top function: the one source that calls `nnet::` and is no test."""
    for file in sorted((folder / "firmware").glob("*.cpp")):
        text = _text(file)
        if _OWN_CALL.search(text):
            return text
    raise DataError(f"{folder / 'firmware'} has no top function", "name the folder of an hls4ml project")


def _clock(folder: Path, text: str) -> float:
    """A clock period in ns; raises DataError for what can be none."""
    value = _float(text, math.nan)
    if not 0 < value < math.inf:
        raise DataError(f"'{text}' in {folder} is no clock period", "write ClockPeriod in ns, such as 5")
    return value


def _float(text: str | None, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default


def _without_dsp(folder: Path) -> bool:
    """Whether the project asks for all multipliers in LUTs."""
    files = [*folder.glob("*.tcl"), folder / "firmware" / "nnet_utils" / "nnet_mult.h"]
    return any(file.is_file() and _FABRIC.search(_text(file)) for file in files)


def _asked(layer: Layer, config: Config | None) -> Layer:
    """The layer with the reuse factor that it was asked for."""
    own = next((entry.settings for entry in config.layers if entry.name == layer.name), {}) if config else {}
    text = own.get("ReuseFactor", "")
    return replace(layer, asked=int(text)) if text.isdigit() else layer


def _kind(function: str) -> Kind:
    fits = [start for start in KINDS if function.startswith(start)]
    return KINDS[max(fits, key=len)] if fits else Kind.OTHER


def _layer(sources: _Sources, function: str, types: str, arguments: str, name: str, *, streams: bool) -> Layer:
    words = [word.strip() for word in types.split(",")]
    config = sources.configs.get(words[-1], {})
    matrix = sources.configs.get(f"{words[-1]}_mult", config)
    kind = _kind(function)
    n_in, n_out = _shape(sources, kind, config, matrix)
    if not n_in * n_out:
        kind, n_in, n_out = Kind.OTHER, 1, 1
    entry = sources.type(words[0]) or _DEFAULT_TYPE
    result = sources.type(words[-2]) if len(words) > 2 else None
    weight = sources.type(config.get("weight_t") or config.get("scale_t", ""))
    positions, beats, window = _walk(sources, config, streams)
    lanes = sources.lanes(words[0])
    if lanes and kind in _ELEMENTWISE and n_in > lanes:
        positions, beats, n_in, n_out = n_in // lanes, n_in // lanes, lanes, lanes
    return Layer(
        name=name or words[-1] or function,
        kind=kind,
        n_in=n_in,
        n_out=n_out,
        input=entry,
        result=result or entry,
        weight=weight,
        accum=sources.type(matrix.get("accum_t", "")),
        strategy=_strategy(config, matrix),
        reuse_factor=max(1, sources.number(config, "reuse_factor")),
        constants=_constants(sources, kind, arguments, weight, (n_in, n_out), entry.width),
        positions=positions,
        beats=beats,
        copies=1 if streams else max(1, positions // sources.number(config, "n_partitions")),
        window=window,
        table_size=sources.number(config, "table_size", sources.number(config, "exp_table_size", 1024)),
        config=words[-1],
    )


def _strategy(config: Mapping[str, str], matrix: Mapping[str, str]) -> str:
    """In lower case: hls4ml writes its own word or the user's, and up to 0.5 nothing for convolutions."""
    strategy = config.get("strategy") or matrix.get("strategy") or "latency"
    return strategy.rpartition("::")[2].lower()


def _shape(sources: _Sources, kind: Kind, config: Mapping[str, str], matrix: Mapping[str, str]) -> tuple[int, int]:
    """Inputs and outputs of one position."""

    def of(*names: str) -> int:
        values = [sources.number(matrix if name in matrix else config, name, 0) for name in names]
        return next((value for value in values if value), 0)

    if kind is Kind.MATRIX:
        window = of("filt_height") * of("filt_width") or of("filt_width") or 1
        return of("n_in") or window * of("n_chan"), of("n_out", "n_filt")
    width = of("n_in", "n_elem", "n_filt", "n_chan") or int(kind is Kind.WIRES)
    return width, of("n_filt") if kind is Kind.POOL and of("n_filt") else width


def _walk(sources: _Sources, config: Mapping[str, str], streams: bool) -> tuple[int, int, int]:
    """Positions of the result, beats of the input, and rows of a window."""
    high, wide = (sources.number(config, key, 0) for key in ("out_height", "out_width"))
    rows, columns = (sources.number(config, key, 0) for key in ("in_height", "in_width"))
    positions = (high or 1) * (wide or 1)
    beats = (rows or 1) * (columns or 1) if streams else 1
    return positions, beats, sources.number(config, "filt_height", sources.number(config, "pool_height"))


def _constants(
    sources: _Sources, kind: Kind, arguments: str, weight: Fixed | None, shape: tuple[int, int], input_bits: int
) -> Constants | None:
    """The weights of a layer, counted; None where it has none or they are not there."""
    names = [word.strip() for word in arguments.split(",")][2:]
    if kind not in (Kind.MATRIX, Kind.SCALE) or weight is None or not names:
        return None
    values = weights(sources.folder, names[0])
    if kind is Kind.SCALE:
        shape = (values.size, 1) if values is not None else shape
    if values is None or values.size != shape[0] * shape[1]:
        return None
    codes = np.rint(values.reshape(shape) * 2.0**weight.frac).astype(np.int64)
    return count(2 * codes - 1 if weight.width == 1 and not weight.signed else codes, input_bits)  # bit 0 means -1


def weights(folder: Path, name: str) -> Array | None:
    """The values of a weight array of the project; None where the file is missing or has none.

    Args:
        folder: of the project.
        name: of the array in the C++ code, such as `w2`.
    """
    places = folder / "firmware" / "weights"
    for file in (places / f"{name}.txt", places / f"{name}.h"):
        if file.is_file():
            text = _text(file)
            body = text.partition("#else")[2].partition("{")[2].partition("}")[0] if file.suffix == ".h" else text
            values = np.array(_NUMBER.findall(body), np.float64)
            if values.size:
                return values
    return None
