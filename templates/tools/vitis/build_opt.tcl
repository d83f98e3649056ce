# Which parts of hls4ml's build_prj.tcl are run: 1 for yes. Written anew by hlsflow before each step.
array set opt {
    reset      @reset
    csim       @csim
    synth      @synth
    cosim      @cosim
    validation @validation
    export     @export
    vsynth     @vsynth
    fifo_opt   @fifo_opt
}
