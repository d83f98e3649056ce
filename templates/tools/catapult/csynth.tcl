# Step csynth, by hls4ml's own build_prj.tcl, in a fresh project: Catapult would give a second one another name.
file delete -force @project @project.ccs
set ::argv {reset=0 csim=0 synth=1 cosim=0 validation=0 export=0 vsynth=0 fifo_opt=0 bitfile=0 sw_opt=0 power=0 da=0 vhdl=0 verilog=1 bup=0}
if { [catch { source build_prj.tcl } message] } {
    puts "ERROR: $message"
    exit 1
}
exit 0
