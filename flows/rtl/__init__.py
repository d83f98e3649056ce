"""The open RTL backend: graphs of `flows.ir` to Verilog-2005, made of the hand-written primitives of `templates/rtl/`.

In: a verified graph and a reuse factor for each layer. Out: a schedule (latency and initiation interval as closed
formulas), a design (file name to text), and its cycle-accurate simulation.
"""

from flows.rtl.emit import Design, emit
from flows.rtl.schedule import LayerKnobs, LayerSchedule, Multiplier, Schedule, schedule
from flows.rtl.simulate import Simulation, simulate

__all__ = [
    "Design",
    "LayerKnobs",
    "LayerSchedule",
    "Multiplier",
    "Schedule",
    "Simulation",
    "emit",
    "schedule",
    "simulate",
]
