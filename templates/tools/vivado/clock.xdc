# The clock of the HLS project.
create_clock -period @clock_ns -name ap_clk [get_ports ap_clk]
