# The board design of hls4ml, up to the bitstream; then what PYNQ loads, in one folder.
source project.tcl
set_param general.maxThreads @jobs
source design.tcl

file mkdir @results
report_timing_summary -file @results/board_timing.rpt
report_power -file @results/board_power.rpt

# PYNQ finds the hardware description by the name of the bitstream.
set run ${project_name}_vivado_accelerator
file copy -force [lindex [glob $run/project_1.runs/impl_1/*.bit] 0] @results/${project_name}.bit
# Releases from 2020.2 on keep it in .gen, older ones in .srcs.
file copy -force [lindex [glob $run/project_1.{gen,srcs}/sources_1/bd/design_1/hw_handoff/design_1.hwh] 0] @results/${project_name}.hwh
file copy -force @driver @results/@driver
