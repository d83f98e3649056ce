"""Table [devices]: where training runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator as After
from pydantic import BeforeValidator, Field, model_validator

from hlsflow.project.section import Positive, Section, as_tuple, unique

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
    use: Annotated[tuple[DeviceName, ...], BeforeValidator(as_tuple), After(unique)] = ()
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
