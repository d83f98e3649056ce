# Logic synthesis of the Verilog of HLS, out of context: no I/O buffers, as the design is part of a larger one.
source project.tcl
set_param general.maxThreads @jobs
set_part $part
file mkdir @results

# The whole folder, so that the weight ROMs (.dat) are found too.
add_files @verilog
# Floating-point cores come as scripts that make them.
set cores [glob -nocomplain @verilog/*_ip.tcl]
foreach core $cores { source $core }
if {[llength $cores]} {
    generate_target all [get_ips]
    synth_ip [get_ips]
}
read_xdc -mode out_of_context @clock

synth_design -top @top -part $part -mode out_of_context
opt_design

report_utilization -file @results/synth_utilization.rpt
report_timing_summary -file @results/synth_timing.rpt
report_power -file @results/synth_power.rpt
write_checkpoint -force @results/synth.dcp
