// A table read by each lane on its own: out = entry number `in`, as a bit pattern. Combinational: synthesis turns a memory
// that is read within the cycle and never written into LUTs, and what its entries have in common costs nothing.
`default_nettype none
module table_lookup #(
    parameter LANES     = 1,
    parameter IN_WIDTH  = 4,
    parameter IN_SIGNED = 0,      // of no consequence
    parameter OUT_WIDTH = 8,
    parameter [(OUT_WIDTH<<IN_WIDTH)-1:0] ENTRIES = 0
) (
    input  wire [LANES*IN_WIDTH-1:0]  in,
    output wire [LANES*OUT_WIDTH-1:0] out
);
    localparam DEPTH = 1 << IN_WIDTH;
    // The style is said, since Yosys (0.70, memory_libmap) fails in its search for one where there are many read ports.
    (* syn_romstyle = "logic" *) reg [OUT_WIDTH-1:0] entries [0:DEPTH-1];
    integer e;
    initial for (e = 0; e < DEPTH; e = e + 1) entries[e] = ENTRIES[e*OUT_WIDTH +: OUT_WIDTH];
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : lane
            assign out[i*OUT_WIDTH +: OUT_WIDTH] = entries[in[i*IN_WIDTH +: IN_WIDTH]];
        end
    endgenerate
endmodule
`default_nettype wire
