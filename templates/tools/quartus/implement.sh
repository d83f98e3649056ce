#!/bin/sh
# Step implement: Quartus compiles the project that i++ has left; it puts its figures into the reports of i++ itself.
cd "@program.prj/quartus"
exec quartus_sh --flow compile quartus_compile
