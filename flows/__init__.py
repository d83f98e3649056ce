"""hlsflow: from quantization-aware training to a measured FPGA design, bit-exact all the way.

The pipeline, in order (`flows.pipeline.STEPS`):

    train      QKeras model and float baseline                       flows.qat
    translate  hls4ml project, our integer graph, reference outputs  flows.hls
    csim       g++ C-simulation; the gate QKeras = csim = oracle     flows.hls, flows.ir
    rtl        Verilog for each reuse factor of the sweep            flows.rtl
    rtlsim     Verilator; the gate oracle = RTL; latency, II         flows.rtl
    synth      LUT, FF, DSP, BRAM; routed Fmax; vendor csynth        flows.toolchains
    report     page, tables, plot and report.json                    flows.report

Each step works on files in a folder of its own and can be run alone from Python.
"""

__version__ = "0.1.0"
