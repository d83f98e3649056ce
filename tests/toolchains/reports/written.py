# ruff: noqa: E501 - tables are as wide as the tools draw them
"""Small reports, written by hand after the structure of real ones; the figures are made up."""

from __future__ import annotations

from tests.toolchains.reports.written_layout import (
    EXPORT,
    FIT,
    HIERARCHY,
    POWER,
    TIMING,
    UTILISATION,
    UTILISATION_2025,
)

CSYNTH_XML = """<profile>
<ReportVersion>
<Version>2023.2</Version>
</ReportVersion>
<UserAssignments>
<unit>ns</unit>
<ProductFamily>virtexuplus</ProductFamily>
<Part>xcvu9p-flga2104-2-e</Part>
<TopModelName>tiny</TopModelName>
<TargetClockPeriod>5.00</TargetClockPeriod>
<ClockUncertainty>1.35</ClockUncertainty>
</UserAssignments>
<PerformanceEstimates>
<SummaryOfTimingAnalysis>
<unit>ns</unit>
<EstimatedClockPeriod>3.214</EstimatedClockPeriod>
</SummaryOfTimingAnalysis>
<SummaryOfOverallLatency>
<unit>clock cycles</unit>
<Best-caseLatency>20</Best-caseLatency>
<Worst-caseLatency>24</Worst-caseLatency>
<Best-caseRealTimeLatency>0.100 us</Best-caseRealTimeLatency>
<Worst-caseRealTimeLatency>0.120 us</Worst-caseRealTimeLatency>
<Interval-min>8</Interval-min>
<Interval-max>8</Interval-max>
</SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates>
<Resources>
<BRAM_18K>4</BRAM_18K>
<DSP>12</DSP>
<FF>345</FF>
<LUT>678</LUT>
<URAM>2</URAM>
</Resources>
<AvailableResources>
<BRAM_18K>4320</BRAM_18K>
<DSP>6840</DSP>
<FF>2364480</FF>
<LUT>1182240</LUT>
<URAM>960</URAM>
</AvailableResources>
</AreaEstimates>
<ModuleInformation>
<Module>
<Name>dense_s</Name>
<PerformanceEstimates>
<SummaryOfTimingAnalysis>
<EstimatedClockPeriod>3.214</EstimatedClockPeriod>
</SummaryOfTimingAnalysis>
<SummaryOfOverallLatency>
<Best-caseLatency>9</Best-caseLatency>
<Worst-caseLatency>9</Worst-caseLatency>
<PipelineInitiationInterval>8</PipelineInitiationInterval>
</SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates>
<Resources>
<BRAM_18K>4</BRAM_18K>
<DSP>12</DSP>
<FF>300</FF>
<LUT>600</LUT>
</Resources>
</AreaEstimates>
</Module>
<Module>
<Name>tiny</Name>
</Module>
</ModuleInformation>
</profile>
"""

CSYNTH_RPT = """

================================================================
== Vivado HLS Report for 'tiny'
================================================================
* Date:           Mon Jan  1 00:00:00 2024

* Version:        2020.1 (Build 1 on Mon Jan 1 00:00:00 MST 2020)
* Project:        tiny_prj
* Solution:       solution1
* Product family: zynq
* Target device:  xc7z020-clg400-1


================================================================
== Performance Estimates
================================================================
+ Timing: 
    * Summary: 
    +--------+---------+----------+------------+
    |  Clock |  Target | Estimated| Uncertainty|
    +--------+---------+----------+------------+
    |ap_clk  | 5.00 ns | 4.125 ns |   0.62 ns  |
    +--------+---------+----------+------------+

+ Latency: 
    * Summary: 
    +---------+---------+----------+-----------+-----+-----+----------+
    |  Latency (cycles) |  Latency (absolute)  |  Interval | Pipeline |
    |   min   |   max   |    min   |    max    | min | max |   Type   |
    +---------+---------+----------+-----------+-----+-----+----------+
    |      100|      240| 0.500 us |  1.200 us |   40|   40| dataflow |
    +---------+---------+----------+-----------+-----+-----+----------+

    + Detail: 
        * Instance: 
        +----------+---------+---------+---------+----------+-----------+-----+-----+---------+
        |          |         |  Latency (cycles) |  Latency (absolute)  |  Interval | Pipeline|
        | Instance |  Module |   min   |   max   |    min   |    max    | min | max |   Type  |
        +----------+---------+---------+---------+----------+-----------+-----+-----+---------+
        |dense_U0  |dense_s  |       40|       40| 0.200 us |  0.200 us |   40|   40|   none  |
        |relu_U0   |relu_s   |        1|        1| 5.000 ns |  5.000 ns |    1|    1| function|
        +----------+---------+---------+---------+----------+-----------+-----+-----+---------+

        * Loop: 
        +-----------+---------+---------+----------+-----------+-----------+------+----------+
        |           |  Latency (cycles) | Iteration|  Initiation Interval  | Trip |          |
        | Loop Name |   min   |   max   |  Latency |  achieved |   target  | Count| Pipelined|
        +-----------+---------+---------+----------+-----------+-----------+------+----------+
        |- Rows     |       60|      200|        20|          -|          -|    10|    no    |
        | + Lanes   |       16|       16|         2|          1|          1|    16|    yes   |
        +-----------+---------+---------+----------+-----------+-----------+------+----------+



================================================================
== Utilization Estimates
================================================================
* Summary: 
+-----------------+---------+-------+--------+-------+-----+
|       Name      | BRAM_18K| DSP48E|   FF   |  LUT  | URAM|
+-----------------+---------+-------+--------+-------+-----+
|DSP              |        -|      -|       -|      -|    -|
|Expression       |        -|      -|       0|      2|    -|
|Instance         |        3|      7|     150|    250|    -|
+-----------------+---------+-------+--------+-------+-----+
|Total            |        3|      7|     150|    252|    0|
+-----------------+---------+-------+--------+-------+-----+
|Available        |      280|    220|  106400|  53200|    0|
+-----------------+---------+-------+--------+-------+-----+
|Utilization (%)  |        1|      3|    ~0  |   ~0  |    0|
+-----------------+---------+-------+--------+-------+-----+

+ Detail: 
    * Instance: 
    +----------+---------+---------+-------+-----+-----+-----+
    | Instance |  Module | BRAM_18K| DSP48E|  FF | LUT | URAM|
    +----------+---------+---------+-------+-----+-----+-----+
    |dense_U0  |dense_s  |        3|      7|  120|  210|    0|
    |relu_U0   |relu_s   |        0|      0|   30|   40|    0|
    +----------+---------+---------+-------+-----+-----+-----+
    |Total     |         |        3|      7|  150|  250|    0|
    +----------+---------+---------+-------+-----+-----+-----+

    * DSP48E: 
    N/A

    * Register: 
    N/A



================================================================
== Interface
================================================================
* Summary: 
+-----------+-----+-----+------------+---------------+--------------+
| RTL Ports | Dir | Bits|  Protocol  | Source Object |    C Type    |
+-----------+-----+-----+------------+---------------+--------------+
|ap_clk     |  in |    1| ap_ctrl_hs |      tiny     | return value |
+-----------+-----+-----+------------+---------------+--------------+

"""

CSYNTH_SUMMARY = """

================================================================
== Synthesis Summary Report of 'tiny'
================================================================
+ General Information: 
    * Date:           Mon Jan  1 00:00:00 2024
    * Version:        2023.2 (Build 2 on Oct 1 2023)
    * Project:        tiny_prj
    * Solution:       solution1 (Vivado IP Flow Target)
    * Product family: virtexuplus
    * Target device:  xcvu9p-flga2104-2-e
    

+ Performance & Resource Estimates: 
    
    PS: '+' for module; 'o' for loop; '*' for dataflow
    +----------------+------+------+---------+--------+----------+---------+------+----------+---------+----+-----------+-----------+-----+
    |     Modules    | Issue|      | Latency | Latency| Iteration|         | Trip |          |         |    |           |           |     |
    |     & Loops    | Type | Slack| (cycles)|  (ns)  |  Latency | Interval| Count| Pipelined|  BRAM   | DSP|     FF    |    LUT    | URAM|
    +----------------+------+------+---------+--------+----------+---------+------+----------+---------+----+-----------+-----------+-----+
    |+ tiny*         |     -|  0.00|       24| 120.000|         -|        8|     -|  dataflow|  4 (~0%)|   -|  345 (~0%)|  678 (~0%)|    -|
    | + dense_s      |     -|  0.43|        9|  45.000|         -|        8|     -|        no|  4 (~0%)|   -|  300 (~0%)|  600 (~0%)|    -|
    |  o Rows        |     -|  7.30|        -|       -|        15|        -|    10|        no|        -|   -|          -|          -|    -|
    +----------------+------+------+---------+--------+----------+---------+------+----------+---------+----+-----------+-----------+-----+


================================================================
== HW Interfaces
================================================================
* TOP LEVEL CONTROL
"""

COSIM = """Report time       : Mon Jan  1 00:00:00 UTC 2024.
Solution          : solution1.
Simulation tool   : xsim.

+----------+----------+-----------------------------------------------+-----------------------------------------------+
|          |          |                    Latency                    |                    Interval                   |
+   RTL    +  Status  +-----------------------------------------------+-----------------------------------------------+
|          |          |      min      |      avg      |      max      |      min      |      avg      |      max      |
+----------+----------+-----------------------------------------------+-----------------------------------------------+
|      VHDL|        NA|             NA|             NA|             NA|             NA|             NA|             NA|
|   Verilog|      Pass|             21|             22|             25|              8|              8|              8|
+----------+----------+-----------------------------------------------+-----------------------------------------------+
"""

COSIM_VITIS = """Report time       : Mon Jan  1 12:00:00 AM UTC 2024.
Solution          : solution1.
Simulation tool   : xsim.

+-------+--------+-----------------------+-----------------------+----------------------+
|       |        | Latency(Clock Cycles) | Interval(Clock Cycles)| Total Execution Time |
+  RTL  + Status +-----------------------+-----------------------+    (Clock Cycles)    +
|       |        |  min  |  avg  |  max  |  min  |  avg  |  max  |                      |
+-------+--------+-----------------------+-----------------------+----------------------+
|   VHDL|      NA|     NA|     NA|     NA|     NA|     NA|     NA|                    NA|
|Verilog|    Pass|     21|     21|     21|     NA|     NA|     NA|                    21|
+-------+--------+-----------------------+-----------------------+----------------------+
"""

CSIM = """INFO: [SIM 2] *************** CSIM start ***************
INFO: [SIM 4] CSIM will launch GCC as the compiler.
Processing input 0
Saved inference results to file: tb_data/csim_results.log
INFO: [SIM 1] CSim done with 0 errors.
INFO: [SIM 3] *************** CSIM finish ***************
"""

REPORTS = {
    "tiny_csynth.xml": CSYNTH_XML,
    "tiny_csynth.rpt": CSYNTH_RPT,
    "csynth.rpt": CSYNTH_SUMMARY,
    "tiny_cosim.rpt": COSIM,
    "tiny_csim.log": CSIM,
    "vivado_synth.rpt": UTILISATION,
    "tiny_utilization_placed.rpt": UTILISATION_2025,
    "util.rpt": HIERARCHY,
    "tiny_timing_summary_routed.rpt": TIMING,
    "tiny_power_routed.rpt": POWER,
    "tiny_export.rpt": EXPORT,
    "tiny.fit.rpt": FIT,
}
"""File name → report; between them they have every format."""
