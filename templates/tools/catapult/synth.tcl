# Step synth: Vivado's logic synthesis of the Verilog that csynth has left; its reports go to vivado_concat_v.
if { [catch {
    project load @project.ccs
    flow package require /Vivado
    flow run /Vivado/synthesize -shell vivado_concat_v/concat_rtl.v.xv
} message] } {
    puts "ERROR: $message"
    exit 1
}
exit 0
