// The sum of two products, x0*w0 + x1*w1, plus an offset that depends on w0 alone; in LUTs and carry chains only: no
// `*`, so no DSP block can appear.
//
// Distributed arithmetic with digits -1 and +1 (offset binary coding: Croisier et al. 1973; White, IEEE ASSP Magazine,
// July 1989). With bits b of a weight and d = 2b - 1, but d = 1 - 2b for the sign bit, 2w + 1 = sum over j of d[j] 2^j.
// Hence the two products are
//
//     row[0] + sum over j >= 1 of 2^(j-1) row[j],   row[0] = -(x0 where w0[0] is 0) - (x1 where w1[0] is 0),
//                                                   row[j] = d0[j] x0 + d1[j] x1, one of +-(x0+x1), +-(x0-x1).
//
// A bit of row j is a function of four signals: one LUT4, or part of the LUT in front of a Xilinx carry chain. Two
// weights share one chain of rows. Each step halves the running value, whose lowest bit is then final, so that all
// adders stay as short as a row.
//
// OFFSET 1: -v is formed as ~v, which is -v-1, and +v is formed by subtracting ~v, which adds v+1. No row needs a carry
// in, and the multiplexer sits in the subtracted operand, the one Yosys lets merge into Xilinx carry chains. In sum the
// result is too large by floor(w0/2) + 2^(BITS-2) - 1, with BITS as below. Unsigned x count from the middle of their
// range (their top bit inverted makes them signed), which makes rows one bit shorter and the result too small by
// (w0 + w1) * 2^(X_WIDTH-1). Both are constants, known when the weights are; the design has them in the bias.
// OFFSET 0: the exact products, by adders that add or subtract.
//
// `w0` and `w1` must come one cycle after `x0` and `x1`. The product is there 1 + ceil(BITS / ROWS_PER_STAGE) cycles
// after x.
`default_nettype none
module multiply_lut #(
    parameter X_WIDTH        = 8,
    parameter X_SIGNED       = 1,
    parameter W_WIDTH        = 8,
    parameter W_SIGNED       = 1,
    parameter PRODUCT_WIDTH  = 17,
    parameter ROWS_PER_STAGE = 2,
    parameter OFFSET         = 1
) (
    input  wire                            clk,
    input  wire        [X_WIDTH-1:0]       x0,
    input  wire        [X_WIDTH-1:0]       x1,
    input  wire        [W_WIDTH-1:0]       w0,
    input  wire        [W_WIDTH-1:0]       w1,
    output wire signed [PRODUCT_WIDTH-1:0] product
);
    localparam SIGNED_WIDTH = W_WIDTH + (W_SIGNED ? 0 : 1);
    localparam BITS = SIGNED_WIDTH > 2 ? SIGNED_WIDTH : 2;   // of a weight, sign included
    localparam ROW  = X_WIDTH + (X_SIGNED || OFFSET ? 1 : 2);  // of a row, sign included
    localparam RUN  = ROW + 1;                               // of the running value

    // Every dot product shares these registers with all others that read the same x: synthesis merges equal ones.
    localparam [X_WIDTH-1:0] MIDDLE = OFFSET && !X_SIGNED ? {1'b1, {X_WIDTH{1'b0}}} >> 1 : 0;
    wire signed [X_WIDTH-1:0] x0_signed = x0 ^ MIDDLE, x1_signed = x1 ^ MIDDLE;
    wire signed [ROW-1:0] x0_value = X_SIGNED || OFFSET ? x0_signed : $signed({1'b0, x0});
    wire signed [ROW-1:0] x1_value = X_SIGNED || OFFSET ? x1_signed : $signed({1'b0, x1});
    reg  signed [ROW-1:0] only_x0, only_x1, sum, difference;
    always @(posedge clk) begin
        only_x0    <= x0_value;
        only_x1    <= x1_value;
        sum        <= x0_value + x1_value;
        difference <= x0_value - x1_value;
    end
    wire [BITS-1:0] weight0 = {{BITS{W_SIGNED ? w0[W_WIDTH-1] : 1'b0}}, w0};
    wire [BITS-1:0] weight1 = {{BITS{W_SIGNED ? w1[W_WIDTH-1] : 1'b0}}, w1};

    genvar j;
    generate
        for (j = 0; j < BITS; j = j + 1) begin : row
            // The operands as this row's pipeline stage sees them, and the result so far.
            wire signed [ROW-1:0] s, d;
            wire [BITS-1:0]       v0, v1, earlier_done;
            wire signed [RUN-1:0] earlier;
            if (j == 0) begin : entry
                assign {s, d, v0, v1}          = {sum, difference, weight0, weight1};
                assign {earlier, earlier_done} = {RUN + BITS{1'b0}};
            end else if (j % ROWS_PER_STAGE == 0) begin : next_stage
                reg [2*ROW+2*BITS-1:0] operands;
                always @(posedge clk) operands <= {row[j-1].s, row[j-1].d, row[j-1].v0, row[j-1].v1};
                assign {s, d, v0, v1}          = operands;
                assign {earlier, earlier_done} = {row[j-1].after, row[j-1].after_done};
            end else begin : same_stage
                assign {s, d, v0, v1}          = {row[j-1].s, row[j-1].d, row[j-1].v0, row[j-1].v1};
                assign {earlier, earlier_done} = {row[j-1].after, row[j-1].after_done};
            end

            wire signed [RUN-1:0] value;
            wire [BITS-1:0]       done;
            if (j == 0) begin : first
                wire signed [ROW-1:0] chosen = v0[0] ? (v1[0] ? {ROW{1'b0}} : only_x1) : (v1[0] ? only_x0 : s);
                assign value = OFFSET ? ~chosen : -chosen;
                assign done  = {BITS{1'b0}};
            end else begin : digit
                // The first row and row 1 have the same weight; after that each one counts twice the one before.
                wire signed [RUN-1:0] halved    = j == 1 ? earlier : earlier >>> 1;
                wire                  plus      = v0[j] ^ (j == BITS - 1);
                wire signed [ROW-1:0] magnitude = v0[j] ^ v1[j] ? d : s;
                wire signed [ROW-1:0] opposite  = plus ? ~magnitude : magnitude;
                if (OFFSET)    assign value = halved - opposite;
                else           assign value = plus ? halved + magnitude : halved - magnitude;
                if (j == 1)    assign done  = {BITS{1'b0}};
                else           assign done  = {earlier[0], earlier_done} >> 1;
            end

            wire signed [RUN-1:0] after;
            wire [BITS-1:0]       after_done;
            if (j % ROWS_PER_STAGE == ROWS_PER_STAGE - 1 || j == BITS - 1) begin : registered
                reg [RUN+BITS-1:0] held;
                always @(posedge clk) held <= {value, done};
                assign {after, after_done} = held;
            end else begin : passed
                assign {after, after_done} = {value, done};
            end
        end
    endgenerate
    // Rows 2 and up have each put one final bit into the top of `done`; below them it holds zeros.
    wire signed [RUN+BITS-1:0] result = {row[BITS-1].after, row[BITS-1].after_done};
    assign product = result >>> 2;
endmodule
`default_nettype wire
