"""The open RTL backend: graphs of `flows.ir` to Verilog-2005, made of the hand-written primitives of `templates/rtl/`.

In: a verified graph and the knobs of each layer. Out: a schedule (units, latency, initiation interval), a design (file
name to text), and its cycle-accurate simulation.
"""

from flows.rtl.cores.fold import LayerSchedule
from flows.rtl.emit import Design, Port, emit
from flows.rtl.knobs import Io, LayerKnobs, Multiplier, Pipeline, Strategy, WeightsIn
from flows.rtl.schedule import Schedule, schedule
from flows.rtl.simulate import Simulation, simulate

__all__ = [
    "Design",
    "Io",
    "LayerKnobs",
    "LayerSchedule",
    "Multiplier",
    "Pipeline",
    "Port",
    "Schedule",
    "Simulation",
    "Strategy",
    "WeightsIn",
    "emit",
    "schedule",
    "simulate",
]
