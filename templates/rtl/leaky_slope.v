// Leaky ReLU before its cast: x * 2**GRID where x >= 0, x * SLOPE where x < 0. Combinational.
// The slope is a constant, so the product is a sum of shifted copies of x: no multiplier, no DSP block. A slope of -1
// makes the absolute value, one adder: all bits inverted, and 1 added, where x is negative.
`default_nettype none
module leaky_slope #(
    parameter LANES     = 1,
    parameter IN_WIDTH  = 8,
    parameter IN_SIGNED = 1,
    parameter GRID      = 0,      // shift of the positive branch: fractional bits of the slope
    parameter NEGATIVE  = 0,      // 1: the slope is below zero
    parameter BITS      = 1,      // bits of its magnitude
    parameter [BITS-1:0] SLOPE = 1,
    parameter OUT_WIDTH = 16      // signed; wide enough for both branches
) (
    input  wire [LANES*IN_WIDTH-1:0]  in,
    output wire [LANES*OUT_WIDTH-1:0] out
);
    genvar i, b;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : lane
            wire [IN_WIDTH-1:0]  raw    = in[i*IN_WIDTH +: IN_WIDTH];
            wire                 minus  = IN_SIGNED ? raw[IN_WIDTH-1] : 1'b0;
            wire [OUT_WIDTH-1:0] x      = {{OUT_WIDTH{minus}}, raw};
            for (b = 0; b < BITS; b = b + 1) begin : term
                wire [OUT_WIDTH-1:0] shifted = SLOPE[b] ? x << b : {OUT_WIDTH{1'b0}};
                wire [OUT_WIDTH-1:0] sum;
                if (b == 0) assign sum = shifted;
                else        assign sum = term[b-1].sum + shifted;
            end
            wire [OUT_WIDTH-1:0] product = NEGATIVE ? -term[BITS-1].sum : term[BITS-1].sum;
            if (NEGATIVE && BITS == 1 && SLOPE == 1 && GRID == 0)
                assign out[i*OUT_WIDTH +: OUT_WIDTH] = (x ^ {OUT_WIDTH{minus}}) + minus;
            else
                assign out[i*OUT_WIDTH +: OUT_WIDTH] = minus ? product : x << GRID;
        end
    endgenerate
endmodule
`default_nettype wire
