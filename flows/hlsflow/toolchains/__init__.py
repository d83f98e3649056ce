"""External programs, one file per tool: find it, check its version, build argv, judge its exit, read its figures.

In: files (Verilog, netlists, HLS projects) and limits. Out: files and `MetricSet`s.
`process.run` is the only place in hlsflow that starts a process.
"""
