#!/bin/sh
# Step @step: one target of hls4ml's CMakeLists.txt, and the test bench where it has one.
set -e
mkdir -p build
cmake -S . -B build -DCMAKE_CXX_COMPILER="@compiler"
cmake --build build --target "@target" --parallel "@jobs"
run="@run"
if [ -n "$run" ]; then
    "./$run" # from here, as the test bench looks for tb_data
fi
