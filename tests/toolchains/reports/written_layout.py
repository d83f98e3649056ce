# ruff: noqa: E501 - tables are as wide as the tools draw them
"""Small reports of what comes after C synthesis, written by hand after the structure of real ones; the figures are made up."""

from __future__ import annotations

UTILISATION = """Copyright 1986-2020 Xilinx, Inc. All Rights Reserved.
------------------------------------------------------------------------------------
| Tool Version : Vivado v.2020.1 (lin64) Build 3 Wed May 27 19:54:35 MDT 2020
| Date         : Mon Jan  1 00:00:00 2024
| Host         : somewhere running 64-bit unknown
| Command      : report_utilization -file vivado_synth.rpt
| Design       : tiny
| Device       : 7z020clg400-1
| Design State : Synthesized
------------------------------------------------------------------------------------

Utilization Design Information

Table of Contents
-----------------
1. Slice Logic
2. Memory
3. DSP
4. Black Boxes

1. Slice Logic
--------------

+-----------------------+------+-------+-----------+-------+
|       Site Type       | Used | Fixed | Available | Util% |
+-----------------------+------+-------+-----------+-------+
| Slice LUTs*           |  210 |     0 |     53200 |  0.39 |
|   LUT as Logic        |  200 |     0 |     53200 |  0.38 |
|   LUT as Memory       |   10 |     0 |     17400 |  0.06 |
| Slice Registers       |  120 |     0 |    106400 |  0.11 |
|   Register as Latch   |    0 |     0 |    106400 |  0.00 |
+-----------------------+------+-------+-----------+-------+
* Warning! The count is typically lower after implementation.


2. Memory
---------

+-------------------+------+-------+-----------+-------+
|     Site Type     | Used | Fixed | Available | Util% |
+-------------------+------+-------+-----------+-------+
| Block RAM Tile    |  2.5 |     0 |       140 |  1.79 |
|   RAMB36/FIFO*    |    2 |     0 |       140 |  1.43 |
|   RAMB18          |    1 |     0 |       280 |  0.36 |
+-------------------+------+-------+-----------+-------+


3. DSP
------

+----------------+------+-------+-----------+-------+
|    Site Type   | Used | Fixed | Available | Util% |
+----------------+------+-------+-----------+-------+
| DSPs           |    6 |     0 |       220 |  2.73 |
|   DSP48E1 only |    6 |       |           |       |
+----------------+------+-------+-----------+-------+


4. Black Boxes
--------------

+----------+------+
| Ref Name | Used |
+----------+------+

"""

UTILISATION_2025 = """Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.
------------------------------------------------------------------------------------
| Tool Version : Vivado v.2025.1 (lin64) Build 4
| Command      : report_utilization -file tiny_utilization_placed.rpt
| Design       : tiny
| Device       : xcvu9p-flga2104-2-e
| Speed File   : -2
| Design State : Fully Placed
------------------------------------------------------------------------------------

Utilization Design Information

Table of Contents
-----------------
1. CLB Logic
2. BLOCKRAM
3. ARITHMETIC

1. CLB Logic
------------

+---------------+------+-------+------------+-----------+-------+
|   Site Type   | Used | Fixed | Prohibited | Available | Util% |
+---------------+------+-------+------------+-----------+-------+
| CLB LUTs      |  198 |     0 |         77 |   1182240 |  0.02 |
| CLB Registers |  119 |     0 |         88 |   2364480 | <0.01 |
+---------------+------+-------+------------+-----------+-------+


2. BLOCKRAM
-----------

+----------------+------+-------+------------+-----------+-------+
|    Site Type   | Used | Fixed | Prohibited | Available | Util% |
+----------------+------+-------+------------+-----------+-------+
| Block RAM Tile |    3 |     0 |          0 |      2160 |  0.14 |
| URAM           |    1 |     0 |          0 |       960 |  0.10 |
+----------------+------+-------+------------+-----------+-------+


3. ARITHMETIC
-------------

+-----------+------+-------+------------+-----------+-------+
| Site Type | Used | Fixed | Prohibited | Available | Util% |
+-----------+------+-------+------------+-----------+-------+
| DSPs      |    5 |     0 |          0 |      6840 |  0.07 |
+-----------+------+-------+------------+-----------+-------+

"""

HIERARCHY = """Copyright 1986-2020 Xilinx, Inc. All Rights Reserved.
------------------------------------------------------------------------------------
| Tool Version : Vivado v.2020.1 (lin64) Build 3 Wed May 27 19:54:35 MDT 2020
| Command      : report_utilization -file util.rpt -hierarchical -hierarchical_percentages
| Design       : wrapper
| Device       : 7z020clg400-1
| Design State : Routed
------------------------------------------------------------------------------------

Utilization Design Information

Table of Contents
-----------------
1. Utilization by Hierarchy

1. Utilization by Hierarchy
---------------------------

+----------------+----------+-------------+-------------+-----------+----------+-------------+----------+----------+------------+
|    Instance    |  Module  |  Total LUTs |  Logic LUTs |  LUTRAMs  |   SRLs   |     FFs     |  RAMB36  |  RAMB18  | DSP Blocks |
+----------------+----------+-------------+-------------+-----------+----------+-------------+----------+----------+------------+
| wrapper        |    (top) | 300(0.56%)  | 290(0.55%)  | 0(0.00%)  | 10(0.1%) | 200(0.19%)  | 1(0.71%) | 3(1.07%) | 6(2.73%)   |
|   tiny         |     tiny | 300(0.56%)  | 290(0.55%)  | 0(0.00%)  | 10(0.1%) | 200(0.19%)  | 1(0.71%) | 3(1.07%) | 6(2.73%)   |
|     (tiny)     |     tiny | 20(0.04%)   | 20(0.04%)   | 0(0.00%)  | 0(0.00%) | 30(0.03%)   | 0(0.00%) | 0(0.00%) | 0(0.00%)   |
|     dense_U0   |  dense_s | 230(0.43%)  | 220(0.41%)  | 0(0.00%)  | 10(0.1%) | 150(0.14%)  | 1(0.71%) | 3(1.07%) | 6(2.73%)   |
|       mul_U1   |      mul | 50(0.09%)   | 50(0.09%)   | 0(0.00%)  | 0(0.00%) | 40(0.04%)   | 0(0.00%) | 0(0.00%) | 6(2.73%)   |
|     relu_U0    |   relu_s | 50(0.09%)   | 50(0.09%)   | 0(0.00%)  | 0(0.00%) | 20(0.02%)   | 0(0.00%) | 0(0.00%) | 0(0.00%)   |
+----------------+----------+-------------+-------------+-----------+----------+-------------+----------+----------+------------+

"""

_RULE = "-" * 96
TIMING = f"""Copyright 1986-2020 Xilinx, Inc. All Rights Reserved.
{_RULE}
| Tool Version : Vivado v.2020.1 (lin64) Build 3 Wed May 27 19:54:35 MDT 2020
| Command      : report_timing_summary -file tiny_timing_summary_routed.rpt
| Design       : tiny
| Device       : 7z020-clg400
| Speed File   : -1  PRODUCTION 1.11 2014-09-11
{_RULE}

Timing Summary Report

{_RULE}
| Timer Settings
| --------------
{_RULE}

  Enable Multi Corner Analysis               :  Yes


{_RULE}
| Design Timing Summary
| ---------------------
{_RULE}

    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)  THS Failing Endpoints
    -------      -------  ---------------------  -------------------      -------      -------  ---------------------
     -0.250       -1.500                     12                  973        0.027        0.000                      0


Timing constraints are not met.


{_RULE}
| Clock Summary
| -------------
{_RULE}

Clock   Waveform(ns)         Period(ns)      Frequency(MHz)
-----   ------------         ----------      --------------
ap_clk  {{0.000 2.500}}        5.000           200.000
slow    {{0.000 5.000}}        10.000          100.000


{_RULE}
| Intra Clock Table
| -----------------
{_RULE}

Clock             WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)
-----             -------      -------  ---------------------  -------------------      -------      -------
ap_clk             -0.250       -1.500                     12                  900        0.027        0.000
slow                4.125        0.000                      0                   73        0.050        0.000


{_RULE}
| Inter Clock Table
| -----------------
{_RULE}

From Clock    To Clock          WNS(ns)      TNS(ns)
----------    --------          -------      -------
"""

POWER = """Copyright 1986-2020 Xilinx, Inc. All Rights Reserved.
------------------------------------------------------------------------------------
| Tool Version     : Vivado v.2020.1 (lin64) Build 3 Wed May 27 19:54:35 MDT 2020
| Command          : report_power -file tiny_power_routed.rpt
| Design           : tiny
| Device           : xc7z020clg400-1
| Design State     : routed
| Grade            : commercial
| Process          : typical
------------------------------------------------------------------------------------

Power Report

Table of Contents
-----------------
1. Summary
1.1 On-Chip Components
2. Detailed Reports
2.1 By Hierarchy

1. Summary
----------

+--------------------------+--------------+
| Total On-Chip Power (W)  | 1.750        |
| Design Power Budget (W)  | Unspecified* |
| Dynamic (W)              | 1.600        |
| Device Static (W)        | 0.150        |
| Junction Temperature (C) | 45.2         |
| Confidence Level         | Low          |
+--------------------------+--------------+
* Specify it with an option.


1.1 On-Chip Components
----------------------

+-----------+-----------+------+-----------+-----------------+
| On-Chip   | Power (W) | Used | Available | Utilization (%) |
+-----------+-----------+------+-----------+-----------------+
| Clocks    |     0.100 |    2 |       --- |             --- |
| Total     |     1.750 |      |           |                 |
+-----------+-----------+------+-----------+-----------------+


2. Detailed Reports
-------------------

2.1 By Hierarchy
----------------

+--------------+-----------+
| Name         | Power (W) |
+--------------+-----------+
| tiny         |     1.600 |
|   dense_U0   |     1.200 |
|     mul_U1   |     0.700 |
|   relu_U0    |     0.100 |
+--------------+-----------+

"""

EXPORT = """

Implementation tool: Xilinx Vivado v.2023.2
Project:             tiny_prj
Solution:            solution1
Device target:       xczu7ev-ffvc1156-2-e
Report date:         Mon Jan 01 00:00:00 UTC 2024

#=== Post-Implementation Resource usage ===
SLICE:            0
LUT:            345
FF:             234
DSP:              6
BRAM:             5
URAM:             1
LATCH:            0
SRL:             12
CLB:             61

#=== Final timing ===
CP required:                     5.000
CP achieved post-synthesis:      3.105
CP achieved post-implementation: 4.000
Timing met
"""

FIT = """Fitter report for tiny
Mon Jan  1 00:00:00 2024
Quartus Prime Version 21.1.0 Build 842 10/21/2021 SJ Standard Edition


---------------------
; Table of Contents ;
---------------------
  1. Legal Notice
  2. Fitter Summary
  3. Fitter Settings
  4. Fitter Resource Usage Summary


----------------
; Legal Notice ;
----------------
Words of the vendor.


+------------------------------------------------------------------------------------+
; Fitter Summary                                                                     ;
+---------------------------------+--------------------------------------------------+
; Fitter Status                   ; Successful - Mon Jan  1 00:00:00 2024            ;
; Quartus Prime Version           ; 21.1.0 Build 842 10/21/2021 SJ Standard Edition  ;
; Revision Name                   ; tiny                                             ;
; Top-level Entity Name           ; tiny_top                                         ;
; Family                          ; Cyclone V                                        ;
; Device                          ; 5CSEBA6U23I7                                     ;
; Timing Models                   ; Final                                            ;
; Logic utilization (in ALMs)     ; 1,234 / 41,910 ( 3 % )                           ;
; Total registers                 ; 2345                                             ;
; Total pins                      ; 12 / 314 ( 4 % )                                 ;
; Total block memory bits         ; 40,960 / 5,662,720 ( < 1 % )                     ;
; Total DSP Blocks                ; 7 / 112 ( 6 % )                                  ;
; Total PLLs                      ; 0 / 6 ( 0 % )                                    ;
+---------------------------------+--------------------------------------------------+


+------------------------------------------------------------------+
; Fitter Settings                                                  ;
+----------------------------------+---------------+---------------+
; Option                           ; Setting       ; Default Value ;
+----------------------------------+---------------+---------------+
; Device                           ; 5CSEBA6U23I7  ;               ;
+----------------------------------+---------------+---------------+


+-----------------------------------------------------------------------------+
; Fitter Resource Usage Summary                                               ;
+-------------------------------------------------------------+---------------+-------+
; Resource                                                    ; Usage         ; %     ;
+-------------------------------------------------------------+---------------+-------+
; Logic utilization (ALMs needed / total ALMs on device)      ; 1,234 / 41,910 ; 3 %  ;
; ALMs needed [=A-B+C]                                        ; 1,234         ;       ;
;                                                             ;               ;       ;
; M10K blocks                                                 ; 5 / 553       ; < 1 % ;
; Total MLAB memory bits                                      ; 0             ;       ;
+-------------------------------------------------------------+---------------+-------+
"""
