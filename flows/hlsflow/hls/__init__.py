"""QKeras → hls4ml → C-simulation, and the gate that proves the three equal to the oracle.

In: a trained QKeras model, its input quantizer and the knobs. Out: the HLS C++ project, our own graph (`hlsflow.ir`),
what the C-simulation computes, and the list of corrections that make hls4ml mean what QKeras means.

Only `reading`, `corrections`, `translate` and `reference` import Keras or hls4ml; `csim` and `gate` need numpy alone.
"""
