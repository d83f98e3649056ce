// Replaces the reaction of Verilator's run-time library to a warning: a model that warns while it runs, for one of
// a ROM file that is not there, computes something else than the design, so it must stop.

#include "verilated.h"

void vl_warn(const char* filename, int linenum, const char* hier, const char* msg) VL_MT_UNSAFE {
  vl_fatal(filename, linenum, hier, msg);
}
