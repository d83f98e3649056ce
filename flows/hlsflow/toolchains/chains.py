"""All vendor toolchains, one row each.

In: the toolchains' own modules. Out: `CHAINS`, in order of preference where several build the same backend, and the one
that does a step of a backend's projects here.
"""

from __future__ import annotations

from collections.abc import Mapping

from hlsflow.core.errors import ToolFailed, ToolMissing
from hlsflow.toolchains import catapult, libero, oneapi, quartus, vitis, vivado, vivado_accelerator, vivado_hls
from hlsflow.toolchains.chain import Step, Toolchain

ROWS: tuple[Toolchain, ...] = (
    vitis.CHAIN,
    vivado_hls.CHAIN,
    vivado.CHAIN,
    vivado_accelerator.CHAIN,
    oneapi.CHAIN,
    quartus.CHAIN,
    catapult.CHAIN,
    libero.CHAIN,
)

CHAINS: Mapping[str, Toolchain] = {chain.name: chain for chain in ROWS}
"""Name → toolchain."""


def installed(backend: str, step: Step) -> Toolchain:
    """The toolchain that does a step of the projects of a backend of hls4ml, and is here.

    Raises:
        ToolMissing: none is; names those that would do.
    """
    fitting = [chain for chain in ROWS if backend in chain.backends and step in chain.steps]
    reasons = []
    for chain in fitting:
        try:
            chain.find()
        except (ToolMissing, ToolFailed) as error:
            reasons.append(error)
        else:
            return chain
    if not reasons:
        raise ToolMissing(f"no toolchain does {step} of hls4ml's {backend} projects", "`hlsflow doctor` lists them all")
    raise ToolMissing("; ".join(error.message for error in reasons), reasons[0].hint)
