"""Tables [input] and [target]: the grid of the samples, and the hardware."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator as After
from pydantic import BeforeValidator, Field, model_validator

from hlsflow.core.choices import Family, Io
from hlsflow.project.section import ByName, Identifier, Precision, Section, as_tuple, unique

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


AMD_BACKENDS = ("vitis", "vivado", "vivadoaccelerator")
"""Backends whose projects tools of AMD build."""

AMD_PART = re.compile(r"xc[a-z0-9]+(-[a-z0-9-]+)?", re.IGNORECASE)
"""What the name of a part of AMD looks like."""


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
        prefix: in front of the names of all modules and files of the open RTL, such as "jets_"; with different ones
            several networks go into one FPGA.
        axis_bits: of tdata of the open RTL's AXI4-Stream ports; omitted: as many as a beat of each port takes.
    """

    LATER: ClassVar[frozenset[str]] = frozenset({"prefix", "axis_bits"})

    backend: Backend = "vitis"
    part: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = PARTS["vitis"]
    clock_ns: Annotated[float, Field(ge=0.1, le=1000)] = 5.0
    io_type: ByName[Io] = Io.PARALLEL
    families: Annotated[tuple[ByName[Family], ...], BeforeValidator(as_tuple), Field(min_length=1), After(unique)] = (
        Family.XC7,
        Family.XCUP,
        Family.ECP5,
    )
    route_part: Annotated[str, Field(pattern=r"^LFE5[A-Z0-9]*-[0-9]+F-[0-9][A-Z0-9]+$")] | None = None
    prefix: Identifier | None = None
    axis_bits: Literal[8, 16, 32, 64, 128, 256, 512] | None = None

    @model_validator(mode="before")
    @classmethod
    def _part_of_the_backend(cls, values: Any) -> Any:
        own = [part for name, part in PARTS.items() if isinstance(values, dict) and values.get("backend") == name]
        return {"part": own[0], **values} if own else values

    @model_validator(mode="after")
    def _part_of_amd(self) -> Self:
        if self.backend in AMD_BACKENDS and not AMD_PART.fullmatch(self.part):
            raise ValueError(
                f"backend {self.backend} builds for parts of AMD, such as xc7z020clg400-1, not '{self.part}'"
            )
        return self

    @model_validator(mode="after")
    def _route_what_is_synthesized(self) -> Self:
        if self.route_part is not None and "ecp5" not in self.families:
            raise ValueError("route_part is an ECP5 part: add 'ecp5' to families, or leave route_part out")
        return self
