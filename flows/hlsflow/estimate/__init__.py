"""Estimates before synthesis: what csynth of Vitis HLS and Vivado HLS will report, in milliseconds.

In: a `Design`, read from the folder of an hls4ml project. Out: `Estimate`: LUT, FF, DSP, block RAM, latency and
initiation interval of each layer and of the whole, each with an interval. Analytic where hls4ml's templates determine
a figure, fitted to reports of public designs where they do not.
"""

from hlsflow.estimate.constants import Constants
from hlsflow.estimate.design import Design, Kind, Layer
from hlsflow.estimate.total import METRICS, Estimate, Figure, LayerEstimate, estimate

__all__ = ["METRICS", "Constants", "Design", "Estimate", "Figure", "Kind", "Layer", "LayerEstimate", "estimate"]
