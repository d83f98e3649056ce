"""The project: what to train, for which hardware, with which knobs; checked once, then frozen.

In: a folder `projects/<name>/` with `project.toml` and `model.py` (or a trained model file and a data set).
Out: a `Project`. Nothing of the user's code runs here and no TensorFlow is imported, so reading is fast and safe.
Every key, its type and its default stand in the section classes below.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator as After
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    Tag,
    ValidationError,
    model_serializer,
    model_validator,
)

from flows import foreign
from flows.caches import data_folder
from flows.errors import ProjectError
from flows.ir.fixed import Fixed
from flows.project_errors import HIDDEN, explain, nearest

Family = Literal["xc7", "xcup", "ecp5"]
"""Device families of the open synthesis: Xilinx 7-series, UltraScale+, Lattice ECP5."""


Strategy = Literal["latency", "resource", "sparse"]
Multiplier = Literal["dsp", "packed", "lut", "auto"]
WeightsIn = Literal["lut", "bram", "auto"]
"""Knobs of layers with weights; what they mean in hardware is said in `flows.rtl.knobs`."""

Implementation = Literal["stable", "latency", "argmax"]
"""Forms of a softmax in hardware, by hls4ml's names; see `flows.hls.softmax`."""

Backend = Literal["vitis", "vivado", "vivadoaccelerator", "oneapi", "quartus", "catapult", "libero"]
PARTS: Mapping[Backend, str] = {
    "vitis": "xcu250-figd2104-2L-e",
    "vivado": "xcu250-figd2104-2L-e",
    "vivadoaccelerator": "xc7z020clg400-1",
    "oneapi": "Agilex7",
    "quartus": "Arria10",
    "catapult": "xcku115-flvb2104-2-i",
    "libero": "MPF300",
}
"""hls4ml's backends with a toolchain here, and the device of a project that names none; all but the first two are
hls4ml's own defaults."""

NamedSet = Literal["digits", "digits_fusion", "mnist", "cifar10", "jets", "synthetic_jets"]
"""Data sets that need no file from the user."""

TABLES = frozenset({".csv", ".parquet"})
FILES = TABLES | {".npz"}
"""Endings of files with samples."""

WHOLE_SETS = frozenset({"digits", "digits_fusion", "jets", "synthetic_jets"})
"""Those in one piece."""

FETCHED_SETS = frozenset({"jets"})
"""Those that hlsflow downloads into its own cache."""

KERAS_SETS = frozenset({"mnist", "cifar10"})
"""Those that Keras loads, with a test set of their own."""


def _parse_fixed(value: object) -> Fixed:
    kind = value if isinstance(value, Fixed) else Fixed.parse(value if isinstance(value, str) else repr(value))
    if kind.integer > 127 or kind.frac > 126:
        raise ValueError(f"{kind} leaves the range of float32, in which Keras computes: 2**-126 to 2**127")
    return kind


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _unique(values: tuple[Any, ...]) -> tuple[Any, ...]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there more than once")
    return values


Precision = Annotated[Fixed, BeforeValidator(_parse_fixed), PlainSerializer(str)]
Positive = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
ModelFile = Annotated[str, Field(pattern=r"\.(h5|hdf5|keras)$")]


class Section(BaseModel):
    """A table of the project file: unknown keys are errors, nothing is converted silently, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Scalar = bool | int | float | str
Argument = Annotated[Scalar | tuple[Scalar, ...], BeforeValidator(_as_tuple)]
"""What a project file can hand to a function of `model.py`; an array arrives as a tuple."""


class Data(Section):
    """Where the samples come from. The real input of the network is `(raw - offset) * scale`, standardized if so asked.

    Attributes:
        source: a named set, or the path of an `.npz`, `.csv` or `.parquet` file, relative to the project's folder;
            `flows.qat.data` and `flows.qat.columns` say what they hold. Named sets: `digits`
            (scikit-learn's), `digits_fusion` (two views of each of these images, for a network of two inputs), `mnist`
            and `cifar10` (Keras' own, which it downloads once and then keeps), `jets` (LHC jets of OpenML, downloaded
            once and kept), and `synthetic_jets`, random numbers in their shape.
        label: column of the class in a table (`.csv`, `.parquet`); omitted: `y`, `label` or `class`.
        features: columns of a table that enter the network, in that order; omitted: all but the class.
        fallback: the named set that stands in where the file `source` does not exist, or `jets` cannot be had.
        validation: fraction of the training samples kept for validation; not with a source that has `x_val`.
        test: fraction of all samples kept for the test; not with a source that has `x_test`. A trained model is judged
            by these alone too.
        seed: of the stratified split.
        standardize: bring each feature to mean 0 and standard deviation 1, as the samples outside the test set have it.
        normalize: do nearly the same within the network, so that raw values enter the hardware: take away the mean of
            the training samples and shift by a power of two; the type of the result, such as fixed<8,3>.
        flip: mirror training images left to right, each with probability 1/2, anew in every epoch.
        shift: move training images by up to so many pixels along each axis, anew in every epoch; zeros move in.
    """

    source: Annotated[
        str, Field(pattern=r"^(digits|digits_fusion|mnist|cifar10|jets|synthetic_jets|.+\.(npz|csv|parquet))$")
    ]
    label: str | None = None
    features: Annotated[tuple[str, ...], BeforeValidator(_as_tuple), After(_unique)] = ()
    fallback: NamedSet | None = None
    validation: Fraction | None = None
    test: Fraction | None = None
    seed: Seed = 0
    offset: float = 0.0
    scale: Annotated[float, Field(gt=0)] = 1.0
    standardize: bool = False
    normalize: Precision | None = None
    flip: bool = False
    shift: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _split_given(self) -> Self:
        names = {self.source, self.fallback or self.source}
        for name in sorted(names & WHOLE_SETS):
            if self.validation is None or self.test is None:
                raise ValueError(
                    f"source '{name}' comes in one piece: give both validation and test, such as 0.1 and 0.2"
                )
        if names & KERAS_SETS and (self.validation is None or self.test is not None):
            raise ValueError("mnist and cifar10 come with a test set: give validation, such as 0.1, and no test")
        return self

    @model_validator(mode="after")
    def _normalized_once(self) -> Self:
        if self.normalize is None:
            return self
        if self.standardize or self.scale != 1 or self.offset:
            raise ValueError("normalize takes raw values: remove standardize, scale and offset")
        if not self.normalize.signed or self.normalize.integer < 1 or self.normalize.frac < 0:
            raise ValueError(f"normalize is {self.normalize}; it needs a signed type such as fixed<8,3>")
        return self

    @model_validator(mode="after")
    def _fallback_for_what_may_be_missing(self) -> Self:
        may_be_missing = Path(self.source).suffix in FILES or self.source in FETCHED_SETS
        if self.fallback is not None and (not may_be_missing or self.fallback == self.source):
            raise ValueError(
                f"fallback '{self.fallback}' stands in for a missing file, or jets that cannot be downloaded, not for "
                f"source '{self.source}': remove it"
            )
        if (self.label or self.features) and Path(self.source).suffix not in TABLES:
            raise ValueError(f"label and features are columns of .csv and .parquet files, not of '{self.source}'")
        return self


class Model(Section):
    """The network: builder functions in `model.py`, or the file of a trained model.

    Attributes:
        quantized: function that returns the QKeras model to train.
        baseline: function that returns the float model of the same shape; with [quantize] and without `quantized` it is
            trained, and then quantized by that table.
        arguments: keyword arguments of these functions; each gets those that it takes.
        float_file: a trained float model (`.h5` or `.keras`) to quantize by [quantize], relative to the folder.
        file: a trained QKeras model (`.h5` or `.keras`), relative to the project's folder; nothing is trained then.
        allow_lambda: load a `file` with Lambda layers, which run the code they carry.
    """

    quantized: Identifier | None = None
    baseline: Identifier | None = None
    arguments: Mapping[str, Argument] = Field(default_factory=dict)
    float_file: ModelFile | None = None
    file: ModelFile | None = None
    allow_lambda: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.file is not None or self.float_file is not None) and self.baseline is not None:
            raise ValueError("baseline is trained here: it goes with neither file nor float_file")
        if sum(one is not None for one in (self.quantized, self.float_file, self.file)) > 1:
            raise ValueError("give one of quantized (a function in model.py), float_file and file (trained models)")
        if self.arguments and self.quantized is None and self.baseline is None:
            raise ValueError("arguments are those of a function in model.py: give quantized or baseline")
        return self


class Training(Section):
    """How both models are trained: softmax cross-entropy on the logits (with [anomaly] the squared error of the
    reconstruction), samples shuffled anew each epoch.

    Attributes:
        learning_rate: of the first epoch.
        schedule: `cosine` lets the rate fall to 0 over the epochs.
        patience: epochs without a better validation accuracy (with [anomaly]: loss) after which training stops;
            omitted: never.
        seed: of the initial weights and the shuffling.
    """

    epochs: Positive
    batch_size: Positive
    learning_rate: Annotated[float, Field(gt=0)]
    optimizer: Literal["adam", "nadam", "rmsprop", "sgd"] = "adam"
    schedule: Literal["constant", "cosine"] = "constant"
    patience: Positive | None = None
    seed: Seed = 0


WeightKind = Literal["fixed", "binary", "ternary", "power_of_two"]


class LayerBits(Section):
    """How one layer of a float model is quantized; what is left out is as for all layers."""

    weight: Positive | None = None
    bias: Positive | None = None
    activation: Positive | None = None
    kind: WeightKind | None = None


class ResolvedBits(Section):
    """What holds for one layer; widths in bits, signs included."""

    weight: Positive
    bias: Positive
    activation: Positive
    kind: WeightKind


class Quantize(Section):
    """How a float model becomes a quantized one: widths from here, binary points from calibration samples.

    Attributes:
        bits: of weights, biases and activations alike, where nothing else is said.
        weight, bias, activation: of these, in all layers.
        table: of what enters a function other than ReLU, which hardware looks up in a table of so many address bits.
        kind: of weights: fixed point; `binary` or `ternary`, times a power of two for each layer; or powers of two.
        symmetric: leave out the most negative value of activations with a sign.
        layers: layer of the float model → its own.
        calibration: training samples that ranges are learnt from.
        epochs: of the training that follows; 0: none.
        learning_rate: of its first epoch; left out: a tenth of that of [training].
        lower: larger widths to train at first, such as 8 and 6 before 4; widths above them count as they are.
        frozen: layers whose weights stay as they are.
    """

    bits: Positive = 8
    weight: Positive | None = None
    bias: Positive | None = None
    activation: Positive | None = None
    table: Annotated[int, Field(ge=2, le=16)] = 10
    kind: WeightKind = "fixed"
    symmetric: bool = False
    layers: Mapping[str, LayerBits] = Field(default_factory=dict)
    calibration: Positive = 1024
    epochs: Annotated[int, Field(ge=0)] = 10
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    lower: Annotated[tuple[Positive, ...], BeforeValidator(_as_tuple), After(_unique)] = ()
    frozen: Annotated[tuple[str, ...], BeforeValidator(_as_tuple), After(_unique)] = ()

    def of(self, layer: str) -> ResolvedBits:
        """What holds for the layer of that name."""
        own = self.layers.get(layer, LayerBits())
        return ResolvedBits(
            weight=own.weight or self.weight or self.bits,
            bias=own.bias or self.bias or self.bits,
            activation=own.activation or self.activation or self.bits,
            kind=own.kind or self.kind,
        )

    def at_least(self, width: int) -> Quantize:
        """The same with fixed-point weights, and no width below that one."""

        def raised(one: int | None) -> int | None:
            return None if one is None else max(one, width)

        names = ("weight", "bias", "activation")
        layers = {
            name: LayerBits.model_validate({key: raised(getattr(own, key)) for key in names})
            for name, own in self.layers.items()
        }
        wide = {key: raised(getattr(self, key)) for key in ("bits", *names)}
        return self.model_copy(update={**wide, "layers": layers, "kind": "fixed"})


class Distil(Section):
    """Training of the quantized network against the float one: model.baseline, or model.float_file.

    Attributes:
        weight: of the teacher's loss; the rest is that of the true classes.
        temperature: what logits of both are divided by in the teacher's loss.
        layers: layer of the quantized network → layer of the float one, whose results it learns besides.
        layer_weight: of the mean of these layers' relative squared errors, which is added.
    """

    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    temperature: Annotated[float, Field(gt=0)] = 4.0
    layers: Mapping[str, str] = Field(default_factory=dict)
    layer_weight: Annotated[float, Field(gt=0)] = 1.0


Ratio = Annotated[float, Field(ge=0, le=1)]


class Prune(Section):
    """Weights that training sets to zero, those of least magnitude first, more from epoch to epoch.

    Attributes:
        sparsity: share of the weights of each kernel that is zero in the end.
        pattern: what becomes zero together: each `weight` on its own; all of a `neuron` (or filter) and its bias, so
            that it can be taken out of the network; or all that one multiplier of the folded layer works off, at the
            reuse factor in [knobs]: a `lane`, which then is not built.
        start, end: epochs, as shares of all of them, at which the sparsity begins to grow and has grown.
        layers: layer → its own sparsity; 0: not pruned.
    """

    sparsity: Annotated[float, Field(ge=0, lt=1)]
    pattern: Literal["weight", "neuron", "lane"] = "weight"
    start: Ratio = 0.0
    end: Ratio = 0.5
    layers: Mapping[str, Annotated[float, Field(ge=0, lt=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self


class Share(Section):
    """Weights that training brings to few different values for each kernel.

    Attributes:
        values: how many.
        start: epochs, as a share of all of them, before the weights come together.
        layers: layer → its own number; 0: not shared.
    """

    values: Annotated[int, Field(ge=2)]
    start: Annotated[float, Field(ge=0, lt=1)] = 0.5
    layers: Mapping[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)


NUMBER, TEXT = f"{HIDDEN}number", f"{HIDDEN}text"
ClassName = Annotated[
    Annotated[int, Field(ge=0), Tag(NUMBER)] | Annotated[str, Tag(TEXT)],
    Discriminator(lambda value: TEXT if isinstance(value, str) else NUMBER),
]


class Anomaly(Section):
    """Anomaly detection: an autoencoder learns normal samples, and what it cannot repeat is an anomaly.

    Its functions in `model.py` return as many values as a sample has. Behind it the hardware sums the absolute errors
    of the reconstruction and compares the sum with a threshold; a trained model (model.file) does so already.

    Attributes:
        normal: classes of the data that are normal, by number or, of a table with texts, by name; all others are
            anomalies. Networks are trained, and thresholds chosen, by normal samples alone.
        quantile: share of the normal validation samples that the threshold lets pass.
    """

    normal: Annotated[tuple[ClassName, ...], BeforeValidator(_as_tuple), Field(min_length=1), After(_unique)] = (0,)
    quantile: Annotated[float, Field(gt=0, le=1)] = 0.95


DeviceName = Annotated[str, Field(pattern=r"^(CPU|GPU):[0-9]+$")]


class Devices(Section):
    """Where training runs; without this table on the CPU, to the same bits in every run.

    Attributes:
        strategy: `one` device; `mirrored`: several of this machine, each with a share of every batch; `workers`: the
            same on several machines, which the environment variable TF_CONFIG names; `tpu`: the one that `tpu` names.
        use: devices of this machine, such as `GPU:0`; omitted: all GPUs, of which `one` takes the first, or the CPU
            where there is none. `workers` and `tpu` take all that are there.
        cpus: logical devices to split the CPU into, to try a strategy where there are no GPUs.
        tpu: name or address, as TensorFlow's TPUClusterResolver takes it.
        xla: compile the passes through the network by XLA.
        precision: what the float network's training computes in, by Keras' names; its weights and the validation,
            which runs on the CPU, stay float32, and so does all of the quantized network, as QKeras' quantizers do.
        layers: layer → device that holds its weights and computes it, for networks too large for one; with `one`. In
            the quantized network these are the layers of the same names.
        wait_s: how long workers wait for each other, s.
    """

    strategy: Literal["one", "mirrored", "workers", "tpu"] = "one"
    use: Annotated[tuple[DeviceName, ...], BeforeValidator(_as_tuple), After(_unique)] = ()
    cpus: Positive = 1
    tpu: Annotated[str, Field(min_length=1)] | None = None
    xla: bool = False
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    layers: Mapping[str, DeviceName] = Field(default_factory=dict)
    wait_s: Annotated[float, Field(gt=0)] = 600.0

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if (self.strategy == "tpu") != (self.tpu is not None):
            raise ValueError("tpu names the TPU of strategy 'tpu': give both or neither")
        if self.layers and self.strategy != "one":
            raise ValueError("layers are placed one by one with strategy 'one'")
        if self.use and self.strategy in ("workers", "tpu"):
            raise ValueError(f"strategy '{self.strategy}' takes all devices: hide GPUs by CUDA_VISIBLE_DEVICES instead")
        if self.strategy == "one" and len(self.use) > 1:
            raise ValueError("several devices need strategy 'mirrored'")
        if self.cpus > 1 and self.strategy in ("workers", "tpu"):
            raise ValueError("cpus are logical devices of one machine: use strategy 'one' or 'mirrored'")
        if self.xla and self.strategy in ("mirrored", "workers"):
            raise ValueError("xla compiles for one device or a TPU, not with strategy 'mirrored' or 'workers'")
        if self.xla and self.layers:
            raise ValueError("xla compiles for one device: remove layers or xla")
        return self

    @property
    def wants_gpus(self) -> bool:
        """Whether GPUs shall be used if there are any."""
        named = (*self.use, *self.layers.values())
        return any(name.startswith("GPU") for name in named) or not (named or self.cpus > 1)


class Input(Section):
    """The input quantizer: the grid on which the samples enter the hardware, and QKeras alike."""

    precision: Precision


class Target(Section):
    """The hardware.

    Attributes:
        backend: of hls4ml.
        part: device of the HLS project; omitted: as `PARTS` has it for the backend.
        clock_ns: wanted clock period, ns; no part runs at 10 GHz, so less than 0.1 is a mistake.
        families: device families for the open synthesis.
        route_part: ECP5 part for place and route, as Lattice writes it; omitted: no routing.
    """

    backend: Backend = "vitis"
    part: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = PARTS["vitis"]
    clock_ns: Annotated[float, Field(ge=0.1, le=1000)] = 5.0
    io_type: Literal["io_parallel", "io_stream"] = "io_parallel"
    families: Annotated[tuple[Family, ...], BeforeValidator(_as_tuple), Field(min_length=1), After(_unique)] = (
        "xc7",
        "xcup",
        "ecp5",
    )
    route_part: Annotated[str, Field(pattern=r"^LFE5[A-Z0-9]*-[0-9]+F-[0-9][A-Z0-9]+$")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _part_of_the_backend(cls, values: Any) -> Any:
        own = [part for name, part in PARTS.items() if isinstance(values, dict) and values.get("backend") == name]
        return {"part": own[0], **values} if own else values

    @model_validator(mode="after")
    def _route_what_is_synthesized(self) -> Self:
        if self.route_part is not None and "ecp5" not in self.families:
            raise ValueError("route_part is an ECP5 part: add 'ecp5' to families, or leave route_part out")
        return self


class PrecisionKnobs(Section):
    """Types set by hand; those left out follow from the quantizers of the model."""

    result: Precision | None = None
    accum: Precision | None = None
    weight: Precision | None = None
    bias: Precision | None = None

    def over(self, default: PrecisionKnobs) -> PrecisionKnobs:
        """These types, and the default's where one is not set."""
        return default.model_copy(update={name: kind for name, kind in self if kind is not None})


class RtlKnobs(Section):
    """What the open RTL builds otherwise than hls4ml, which has no such reuse factor or strategy for the layer."""

    reuse_factor: Positive | None = None
    strategy: Strategy | None = None


class PipelineKnobs(Section):
    """How much logic stands between two registers of the open RTL; attributes as in `flows.rtl.knobs.Pipeline`."""

    levels_per_stage: Positive = 2
    rows_per_stage: Positive = 2
    feed_register: bool = False
    operand_register: bool = False
    cast_register: bool = False
    block_ram: bool = True


class LayerKnobs(Section):
    """The knobs of one layer; those left out take the default of the project.

    `implementation` puts a softmax into hardware: by hls4ml's tables, or as a one-hot argmax. `rtl` is for the open RTL
    where it shall differ from hls4ml.
    """

    reuse_factor: Positive | None = None
    strategy: Strategy | None = None
    multiplier: Multiplier | None = None
    weights_in: WeightsIn | None = None
    codebook: bool | None = None
    implementation: Implementation | None = None
    precision: PrecisionKnobs = PrecisionKnobs()
    rtl: RtlKnobs = RtlKnobs()


class ResolvedKnobs(Section):
    """What holds for one layer after the defaults have been filled in."""

    reuse_factor: Positive
    strategy: Strategy
    multiplier: Multiplier
    weights_in: WeightsIn
    codebook: bool = False
    precision: PrecisionKnobs
    rtl: RtlKnobs = RtlKnobs()

    @property
    def in_rtl(self) -> ResolvedKnobs:
        """The same as the open RTL builds it."""
        return self.model_copy(update=self.rtl.model_dump(exclude_none=True))

    @property
    def hls_strategy(self) -> Literal["latency", "resource"]:
        """What hls4ml is asked for: a strategy that it does not have, sparse, is a folded one there."""
        return "latency" if self.strategy == "latency" else "resource"


class Knobs(Section):
    """Knobs of all layers, and of single ones under the name of the Keras layer.

    Attributes:
        reuse_factor: how many products each multiplier works off per sample.
        strategy: `latency` or `resource`, for hls4ml (see `flows.reuse`) and the open RTL, or `sparse`, which the open
            RTL alone knows: zero weights cost neither cycles nor multipliers.
        multiplier: what the open RTL builds multipliers from.
        weights_in: where the open RTL keeps weights.
        codebook: let the weight memories of folded layers hold numbers of weights, where that takes fewer bits.
        precision: types set by hand.
        pipeline: of the open RTL; None: as deep as target.clock_ns asks for.
        layers: layer name → its own knobs.
    """

    reuse_factor: Positive
    strategy: Strategy = "latency"
    multiplier: Multiplier = "dsp"
    weights_in: WeightsIn = "auto"
    codebook: bool = False
    precision: PrecisionKnobs = PrecisionKnobs()
    pipeline: PipelineKnobs | None = None
    layers: Mapping[str, LayerKnobs] = Field(default_factory=dict)

    def of(self, layer: str) -> ResolvedKnobs:
        """The knobs that hold for the layer of that name."""
        own = self.layers.get(layer, LayerKnobs())
        return ResolvedKnobs(
            reuse_factor=own.reuse_factor or self.reuse_factor,
            strategy=own.strategy or self.strategy,
            multiplier=own.multiplier or self.multiplier,
            weights_in=own.weights_in or self.weights_in,
            codebook=self.codebook if own.codebook is None else own.codebook,
            precision=own.precision.over(self.precision),
            rtl=own.rtl,
        )

    @property
    def softmax_forms(self) -> dict[str, Implementation]:
        """Layer name → the form in which its softmax goes into hardware, for layers that have that knob."""
        return {name: own.implementation for name, own in self.layers.items() if own.implementation is not None}

    def at(self, reuse_factor: int) -> Knobs:
        """The same with another default reuse factor; layers with a reuse factor of their own keep it."""
        return self.model_copy(update={"reuse_factor": reuse_factor})


class Sweep(Section):
    """Default reuse factors to measure, in that order; empty: the one in [knobs] alone."""

    reuse_factor: Annotated[tuple[Positive, ...], BeforeValidator(_as_tuple), After(_unique)] = ()


class Budget(Section):
    """Largest figures allowed on one family; those left out are not judged. Units as in `flows.metrics.UNITS`."""

    lut: Positive | None = None
    ff: Positive | None = None
    dsp: Annotated[int, Field(ge=0)] | None = None
    bram: Annotated[int, Field(ge=0)] | None = None
    latency_cycles: Positive | None = None
    ii: Positive | None = None


class Explore(Section):
    """What `hlsflow explore` tries at every reuse factor, and who synthesizes; limits are those of [budgets].

    Attributes:
        multiplier, strategy, weights_in: as the knobs of the same names, each with each.
        weight_bits: widths to try for the weights of each layer, besides its own.
        accuracy_drop: how much less accurate narrower weights may make the network before it is trained again, 0 to 1.
        cluster: `local`, the address of a Dask scheduler, or `slurm` or `htcondor` by dask-jobqueue.
    """

    multiplier: Annotated[tuple[Multiplier, ...], BeforeValidator(_as_tuple), Field(min_length=1), After(_unique)] = (
        "dsp",
        "packed",
        "lut",
    )
    strategy: Annotated[tuple[Strategy, ...], BeforeValidator(_as_tuple), Field(min_length=1), After(_unique)] = (
        "resource",
    )
    weights_in: Annotated[tuple[WeightsIn, ...], BeforeValidator(_as_tuple), Field(min_length=1), After(_unique)] = (
        "auto",
    )
    weight_bits: Annotated[tuple[Positive, ...], BeforeValidator(_as_tuple), After(_unique)] = ()
    accuracy_drop: Annotated[float, Field(ge=0, lt=1)] = 0.01
    cluster: Annotated[str, Field(pattern=r"^(local|slurm|htcondor|[a-z]+://.+)$")] = "local"


class Range(Section):
    """Numbers from `low` to `high`, both included: whole ones where both are, in steps of `step` (whole ones: 1)."""

    low: int | float
    high: int | float
    step: Annotated[int | float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.high < self.low:
            raise ValueError(f"high {self.high} is below low {self.low}")
        if self.whole and isinstance(self.step, float):
            raise ValueError(f"step {self.step} leaves the whole numbers: write low and high with a point")
        return self

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


Choices = Annotated[tuple[Scalar, ...], BeforeValidator(_as_tuple), Field(min_length=1), After(_unique)]
RANGE, CHOICES = f"{HIDDEN}range", f"{HIDDEN}choices"
Varied = Annotated[
    Annotated[Range, Tag(RANGE)] | Annotated[Choices, Tag(CHOICES)],
    Discriminator(lambda value: RANGE if isinstance(value, dict | Range) else CHOICES),
]
Objective = Literal["accuracy", "lut", "ff", "dsp", "bram", "latency_cycles", "ii"]


def _dotted(value: object, prefix: str = "") -> object:
    """Tables within the space as one, under dotted names: in TOML, `quantize.bits = [3, 4]` is a table in a table."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, object] = {}
    for key, inner in value.items():
        if isinstance(inner, dict) and not {"low", "high"} & set(inner):
            flat |= dict(_dotted(inner, f"{prefix}{key}.") or {})  # type: ignore[call-overload]
        else:
            flat[f"{prefix}{key}"] = inner
    return flat


class Search(Section):
    """What `hlsflow search` tries: networks that it trains, builds and measures one by one.

    Attributes:
        space: what is varied → its values. A plain name is an argument of the functions in `model.py`, a dotted one a
            key of this file, such as `quantize.bits` or `knobs.reuse_factor`.
        trials: in all, also over several calls.
        epochs: of the training of each trial; omitted: those of [training], or of [quantize].
        objectives: what is best when large (accuracy on the validation set) or small (all others).
        seed: of the sampler.
    """

    space: Annotated[Mapping[str, Varied], BeforeValidator(_dotted), Field(min_length=1)]
    trials: Positive = 30
    epochs: Positive | None = None
    objectives: Annotated[tuple[Objective, ...], BeforeValidator(_as_tuple), Field(min_length=1), After(_unique)] = (
        "accuracy",
        "lut",
        "latency_cycles",
    )
    seed: Seed = 0


class Gate(Section):
    """How many samples the RTL must reproduce to the last bit: the test set, cut, or topped up with random ones.

    Fewer than the default are for images of which a simulation would take hours; the report says how many there were.
    """

    vectors: Positive = 1000


PROJECT_FILE = foreign.Kind("", "is not valid TOML", "correct the file at that place", ProjectError, foreign.MIB)
BUILDERS = foreign.Kind("", "is not valid Python", "correct the file", ProjectError, 4 * foreign.MIB)
MODEL_FILE = foreign.Kind(
    "the model", "is damaged", "put it there, or correct the [model] table", ProjectError, 4096 * foreign.MIB
)
"""The files of a project."""

LATER = frozenset({"anomaly", "devices"})
"""Tables of the project file that digests hold only where they are set."""


class ProjectFile(Section):
    """The whole project file."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    data: Data
    model: Model
    training: Training | None = None
    quantize: Quantize | None = None
    prune: Prune | None = None
    distil: Distil | None = None
    share: Share | None = None
    anomaly: Anomaly | None = None
    devices: Devices | None = None
    input: Input
    target: Target = Target()
    knobs: Knobs
    sweep: Sweep = Sweep()
    budgets: Mapping[Family, Budget] = Field(default_factory=dict)
    explore: Explore = Explore()
    search: Search | None = None
    gate: Gate = Gate()

    @model_serializer(mode="wrap")
    def _without_unset(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Tables that came later are left out where they are not set, so that digests of older projects stay."""
        return {key: value for key, value in dump(self).items() if key not in LATER or value is not None}

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        for wrong, message in self._disagreements():
            if wrong:
                raise ValueError(message)
        absent = [family for family in self.budgets if family not in self.target.families]
        if absent:
            raise ValueError(f"budgets.{absent[0]} is never judged: target.families has {list(self.target.families)}")
        return self

    def _disagreements(self) -> Iterator[tuple[bool, str]]:
        """What must not be, and what to say of it."""
        model, table, training = self.model, self.quantize, self.training
        starts_float = model.quantized is None and model.file is None
        yield (
            starts_float and table is None,
            (
                "give model.quantized (a function in model.py) or model.file (a trained model); or a [quantize] table, "
                "by which the network of model.baseline or model.float_file becomes a quantized one"
            ),
        )
        has_float = (model.baseline or model.float_file) is not None
        yield (
            table is not None and not (starts_float and has_float),
            "[quantize] is for a float model: give model.baseline or model.float_file, and no quantized or file",
        )
        yield (
            training is None and model.quantized is not None,
            "model.quantized must be trained: add a [training] table",
        )
        yield training is None and model.baseline is not None, "model.baseline must be trained: add a [training] table"
        yield (
            training is None and table is not None and table.epochs > 0,
            "quantize.epochs are trained as [training] says: add that table, or set quantize.epochs = 0",
        )
        trains = training is not None and (table is None or table.epochs > 0)
        yield (
            self.prune is not None and not trains,
            "[prune] prunes while it trains: add a [training] table, and epochs",
        )
        yield (
            self.share is not None and not trains,
            "[share] brings weights together while it trains: add a [training] table, and epochs",
        )
        yield (
            self.distil is not None and not (trains and has_float),
            "[distil] trains against a float network: give model.baseline or model.float_file, and a [training] table",
        )
        yield (
            self.data.normalize is not None and (model.file or model.float_file) is not None,
            "data.normalize puts a layer before a network that is trained here, not before a file's: remove it",
        )
        yield (
            self.devices is not None and not trains,
            "[devices] says where training runs: add a [training] table, and epochs",
        )
        if self.anomaly is not None:
            yield from self._no_detector()
        yield (
            training is not None and model.file is not None,
            "model.file is trained already: remove the [training] table",
        )

    def _no_detector(self) -> Iterator[tuple[bool, str]]:
        """What does not go with [anomaly]."""
        yield (
            self.quantize is not None,
            "[anomaly] trains the quantized autoencoder of model.quantized: remove [quantize]",
        )
        yield (
            self.distil is not None,
            "[anomaly] trains by reconstruction, without classes that a teacher could tell: remove [distil]",
        )
        yield (
            self.data.normalize is not None,
            "[anomaly] compares what is reconstructed with the hardware's input, and data.normalize changes it behind "
            "that: use data.standardize or data.scale instead",
        )
        yield (
            self.search is not None,
            "[search] chooses networks by their accuracy on validation samples, which training by reconstruction does "
            "not have: remove [search] or [anomaly]",
        )


class Project(ProjectFile):
    """A project file, with where it lies and what its model is made of.

    Attributes:
        folder: the project's folder; paths in the file are relative to it.
        model_digest: SHA-256 of `model.py`, or of the trained model's file.
    """

    folder: Path
    model_digest: str

    @property
    def model_path(self) -> Path:
        """`model.py`, or the file of the trained model, quantized or float."""
        return self.folder / (self.model.file or self.model.float_file or "model.py")

    @property
    def data_set(self) -> str | None:
        """The named set that is used, also one that stands in for what is missing; None for a file of the user's."""
        source, fallback = self.data.source, self.data.fallback
        path = data_folder() / f"{source}.npz" if source in FETCHED_SETS else self.folder / source
        if fallback is not None and not path.is_file():
            return fallback
        return None if Path(source).suffix in FILES else source

    @property
    def data_path(self) -> Path | None:
        """The file of the samples: the user's, or the copy of a set that hlsflow downloads; None for other sets."""
        name = self.data_set
        if name is None:
            return self.folder / self.data.source
        return data_folder() / f"{name}.npz" if name in FETCHED_SETS else None

    @property
    def data_name(self) -> str:
        """Of the samples that are used: the file's name, or that of the set."""
        return self.data_set or Path(self.data.source).name

    @property
    def reuse_factors(self) -> tuple[int, ...]:
        """Default reuse factors to measure: the sweep, or the one of [knobs]."""
        return self.sweep.reuse_factor or (self.knobs.reuse_factor,)

    def at(self, reuse_factor: int) -> Project:
        """The design point of the sweep with that default reuse factor."""
        return self.model_copy(update={"knobs": self.knobs.at(reuse_factor)})

    def sweeping(self, reuse_factors: tuple[int, ...]) -> Project:
        """The same project with another sweep; raises ProjectError when a reuse factor is not legal."""
        values = {"reuse_factor": list(reuse_factors)}
        try:
            return self.model_copy(update={"sweep": Sweep.model_validate(values)})
        except ValidationError as error:
            problems = "; ".join(explain(Sweep, error))
            raise ProjectError(f"--reuse-factor: {problems}", "write whole numbers from 1, such as 16,32,64") from None

    def digest_fields(self, *sections: str) -> dict[str, Any]:
        """The named sections as plain JSON types, for a step to hash exactly what it depends on.

        Args:
            sections: names of fields of `Project`, such as `training` or `model_digest`.
        """
        fields = self.model_dump(mode="json", include=set(sections))
        fields.get("devices", {}).pop("wait_s", None)  # decides nothing but whether there is a result
        return fields


def load(path: Path) -> Project:
    """Read a project.

    Args:
        path: the project's folder, or its `project.toml`.
    Raises:
        ProjectError: names every problem of the file, one a line, with what is allowed.
    """
    file = path if path.suffix == ".toml" else path / "project.toml"
    values = _read_toml(file)
    sections = parse(values, str(file))
    return _complete(sections, file.parent, str(file))


def for_model(
    model: Path,
    data: Path,
    precision: str,
    reuse_factors: tuple[int, ...] = (64,),
    allow_lambda: bool = False,
    bits: int | None = None,
) -> Project:
    """A project around a model that somebody else has trained, everything else at its default.

    Args:
        model: QKeras model, `.h5` or `.keras`; with `bits` a float one.
        data: `.npz`, `.csv` or `.parquet`, see `flows.qat.data`.
        precision: of the input quantizer, such as `fixed<10,4>`.
        reuse_factors: to measure.
        allow_lambda: load Lambda layers, which run the code they carry.
        bits: quantize a float model to so many, without training; None: the model is quantized.
    Raises:
        ProjectError: a value is not legal, or the model file is not there.
    """
    name = "".join(char if char.isalnum() and char.isascii() else "_" for char in model.stem.lower())
    values = {
        "name": name if name[:1].isalpha() else f"model_{name}",
        "data": {"source": str(data.resolve())},
        "model": {"file" if bits is None else "float_file": str(model.resolve()), "allow_lambda": allow_lambda},
        **({} if bits is None else {"quantize": {"bits": bits, "epochs": 0}}),
        "input": {"precision": precision},
        "knobs": {"reuse_factor": 1},  # legal for every layer of hls4ml's; the sweep is for the RTL
        "sweep": {"reuse_factor": list(reuse_factors)},
    }
    return _complete(parse(values, str(model)), model.resolve().parent, str(model))


def parse(values: Mapping[str, Any], where: str) -> ProjectFile:
    """Check the content of a project file.

    Args:
        values: what the TOML holds.
        where: the file's name, for messages.
    Raises:
        ProjectError: names every problem, one a line.
    """
    try:
        return ProjectFile.model_validate(dict(values))
    except ValidationError as error:
        problems = explain(ProjectFile, error)
    raise ProjectError("\n".join(f"{where}: {problem}" for problem in problems), f"correct {where} and run again")


def _read_toml(file: Path) -> dict[str, Any]:
    hint = "name a folder with a project.toml, such as projects/digits"
    if not file.parent.is_dir():
        raise ProjectError(f"there is no folder {file.parent}", hint)
    if not os.path.lexists(file):
        raise ProjectError(f"{file.parent} has no project.toml, so it is no project", hint)
    return foreign.toml(file, PROJECT_FILE)


def _complete(sections: ProjectFile, folder: Path, where: str) -> Project:
    """Add the folder and the digest; checks that the model is there."""
    given = sections.model.file or sections.model.float_file
    file = folder / (given or "model.py")
    content = foreign.content(file, replace(MODEL_FILE, name=f"{where}: the model"))
    if given is None:
        _check_builders(sections, file)
    return Project(folder=folder, model_digest=hashlib.sha256(content).hexdigest(), **dict(sections))


def _check_builders(sections: ProjectFile, file: Path) -> None:
    """The builder functions must be there and take the arguments; nothing is executed."""
    model = sections.model
    tree = foreign.python(file, BUILDERS)
    names = _defined(tree)
    wanted = {"quantized": model.quantized, "baseline": model.baseline}
    missing = [
        f"{file}: has no function {name}(), which model.{key} names{nearest(name, names)}"
        for key, name in wanted.items()
        if name is not None and name not in names
    ]
    if missing:
        raise ProjectError("\n".join(missing), f"functions there: {', '.join(sorted(names)) or 'none'}")
    _check_arguments(sections, file, tree)


def _check_arguments(sections: ProjectFile, file: Path, tree: ast.Module) -> None:
    """Every argument must be a parameter of a builder; one that is imported is asked when it is called."""
    model, space = sections.model, sections.search.space if sections.search else {}
    given = {name: "model.arguments" for name in model.arguments}
    given |= {name: "search.space" for name in space if "." not in name}
    builders = {name for name in (model.quantized, model.baseline) if name is not None}
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in builders]
    if len({node.name for node in found}) < len(builders) or any(node.args.kwarg for node in found):
        return
    takes = {one.arg: None for node in found for one in (*node.args.args, *node.args.kwonlyargs)}
    strangers = [
        f"{file}: {' and '.join(f'{name}()' for name in sorted(builders))} take no argument '{name}', which {place} "
        f"names{nearest(name, takes)}"
        for name, place in given.items()
        if name not in takes
    ]
    if strangers:
        raise ProjectError("\n".join(strangers), f"arguments there: {', '.join(takes) or 'none'}")


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module's top level defines or imports."""
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    imported = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    return functions | imported
