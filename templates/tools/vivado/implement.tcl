# Placement and routing of what synth.tcl left, out of context.
set_param general.maxThreads @jobs
open_checkpoint @results/synth.dcp

place_design
phys_opt_design
route_design

report_utilization -file @results/routed_utilization.rpt
report_timing_summary -file @results/routed_timing.rpt
report_power -file @results/routed_power.rpt
write_checkpoint -force @results/routed.dcp
