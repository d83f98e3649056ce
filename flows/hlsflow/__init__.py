"""hlsflow: from quantization-aware training to a measured FPGA design, bit-exact all the way.

The pipeline, in order (`hlsflow.pipeline.run.STEPS`):

    train      QKeras model and float baseline                       hlsflow.qat
    translate  hls4ml project, our integer graph, reference outputs  hlsflow.hls
    csim       g++ C-simulation; the gate QKeras = csim = oracle     hlsflow.hls, hlsflow.ir
    rtl        Verilog for each reuse factor of the sweep            hlsflow.rtl
    rtlsim     Verilator; the gate oracle = RTL; latency, II         hlsflow.rtl
    synth      LUT, FF, DSP, BRAM; routed Fmax; vendor csynth        hlsflow.toolchains
    report     page, tables, plot and report.json                    hlsflow.report.run

Each step works on files in a folder of its own and can be run alone from Python.
"""

__version__ = "0.1.0"
