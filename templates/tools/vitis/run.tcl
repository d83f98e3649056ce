# Step @step, by hls4ml's own build_prj.tcl.
# Scripts of hls4ml 1.2 and newer take their options from build_opt.tcl, older ones from the arguments.
set ::argv [list "reset=@reset csim=@csim synth=@synth cosim=@cosim validation=@validation export=@export vsynth=@vsynth fifo_opt=@fifo_opt"]
source build_prj.tcl
