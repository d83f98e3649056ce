"""hlsflow: from quantization-aware training to a measured FPGA design.

What scripts and notebooks import stands here; everything else is internal and may change:

    import hlsflow

    design = hlsflow.load("model.h5", data="samples.npz", input_precision="fixed<10,4>")
    design.check()                                # the gate; raises GateFailed with the first layer that differs
    runs = design.run(reuse_factor=[16, 64])      # RTL, simulated and synthesized, a point for each reuse factor
    runs.table()                                  # every figure with unit, stage, tool, version and target
    front = design.explore(minimize="latency_cycles", limits={"lut": 8000, "dsp": 40})

The pipeline, in order (`hlsflow.pipeline.run.STEPS`):

    train      QKeras model and float baseline                       hlsflow.qat
    translate  hls4ml project, our integer graph, reference outputs  hlsflow.hls
    csim       g++ C-simulation; file = frozen = csim = oracle       hlsflow.hls, hlsflow.ir
    rtl        Verilog for each reuse factor of the sweep            hlsflow.rtl
    rtlsim     Verilator; the gate oracle = RTL; latency, II         hlsflow.rtl
    synth      LUT, FF, DSP, BRAM; routed Fmax; vendor csynth        hlsflow.toolchains
    netlist    the synthesized cells; the gate oracle = netlist      hlsflow.rtl
    report     page, tables and report.json                          hlsflow.report

For tests of your own there are `hlsflow.plugins.testing` and the pytest fixture `assert_bit_exact`; for hls4ml,
`import hlsflow.plugins.openrtl` registers the backend OpenRTL. Importing hlsflow is fast: TensorFlow is imported by the
calls that need it.
"""

import re
import sys
from typing import TYPE_CHECKING, Any

if sys.platform != "linux":
    LINUX_ONLY = "hlsflow runs on Linux only: on Windows use WSL, elsewhere a container or a virtual machine"
    AS_COMMAND = re.fullmatch(r"-m|hlsflow(\.exe|-script\.py)?", re.split(r"[/\\]", sys.argv[0])[-1])
    raise SystemExit(LINUX_ONLY) if AS_COMMAND else ImportError(LINUX_ONLY)

__version__ = "0.1.0"

__all__ = ["Check", "Design", "FlowError", "Front", "GateFailed", "Runs", "__version__", "load"]

if TYPE_CHECKING:
    from hlsflow.core.errors import FlowError, GateFailed
    from hlsflow.design import Check, Design, Front, Runs, load


def __getattr__(name: str) -> Any:
    """The face, imported when it is first asked for, so that processes which need a part of hlsflow start at once."""
    if name not in __all__:
        raise AttributeError(f"module 'hlsflow' has no attribute '{name}'; it has {', '.join(__all__)}")
    from hlsflow import design
    from hlsflow.core import errors

    return getattr(errors if hasattr(errors, name) else design, name)


def __dir__() -> list[str]:
    return __all__
