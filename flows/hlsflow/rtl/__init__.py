"""The open RTL backend: graphs of `hlsflow.ir` to Verilog-2005, made of the hand-written primitives of
`templates/rtl/`.

In: a verified graph and the knobs of each layer. Out: a schedule (units, latency, initiation interval), a design (file
name to text), and its cycle-accurate simulation.
"""

from hlsflow.core.choices import Io, Multiplier, Strategy, WeightsIn
from hlsflow.rtl.cores.fold import LayerSchedule
from hlsflow.rtl.emit import Design, Port, emit, for_family
from hlsflow.rtl.knobs import LayerKnobs, Pipeline, Pixels
from hlsflow.rtl.schedule import Schedule, schedule
from hlsflow.rtl.simulate import Simulation, simulate

__all__ = [
    "Design",
    "Io",
    "LayerKnobs",
    "LayerSchedule",
    "Multiplier",
    "Pipeline",
    "Pixels",
    "Port",
    "Schedule",
    "Simulation",
    "Strategy",
    "WeightsIn",
    "emit",
    "for_family",
    "schedule",
    "simulate",
]
