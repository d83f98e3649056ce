// A table read by each lane on its own: out = entry number `in`, as a bit pattern. Combinational: one constant column of
// DEPTH bits for each bit of an entry, which synthesis turns into LUTs; what entries have in common costs nothing.
module table_lookup #(
    parameter LANES     = 1,
    parameter IN_WIDTH  = 4,
    parameter IN_SIGNED = 0,      // of no consequence
    parameter OUT_WIDTH = 8,
    parameter [(OUT_WIDTH<<IN_WIDTH)-1:0] COLUMNS = 0  // column b, for bit b of an entry, at b * 2**IN_WIDTH
) (
    input  [LANES*IN_WIDTH-1:0]  in,
    output [LANES*OUT_WIDTH-1:0] out
);
    localparam DEPTH = 1 << IN_WIDTH;
    genvar i, b;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : lane
            wire [IN_WIDTH-1:0] index = in[i*IN_WIDTH +: IN_WIDTH];
            for (b = 0; b < OUT_WIDTH; b = b + 1) begin : digit
                wire [DEPTH-1:0] column = COLUMNS[b*DEPTH +: DEPTH];
                assign out[i*OUT_WIDTH + b] = column[index];
            end
        end
    endgenerate
endmodule
