# Step cosim: the Verilog that csynth has left against the C++, in QuestaSim.
if { [catch {
    project load @project.ccs
    flow package require /SCVerify
    flow run /SCVerify/launch_make ./scverify/Verify_rtl_v_msim.mk {} SIMTOOL=msim sim
} message] } {
    puts "ERROR: $message"
    exit 1
}
exit 0
