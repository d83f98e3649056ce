// Two sums of LANES products that share their x: one `*`, and so one DSP block, makes both products of a lane.
//
// With weights packed as w1 * 2^PRODUCT_WIDTH + w0, the product with x is w1*x * 2^PRODUCT_WIDTH + w0*x. Its lower half
// is w0*x as it stands; where that is negative, it has borrowed 1 from the upper half, which is paid back as a carry of
// the upper adder tree. (Two multiplications in one block: AMD WP486, "Deep Learning with INT8 Optimization", 2017.)
//
// On the jet tagger at reuse factor 16 (Yosys 0.70, xc7) it takes 166 blocks instead of 266, and 12 LUTs more for each
// block saved: the blocks' own adders, which took part of the adder trees, cannot take halves.
//
// The weights come with the operands; `w1` as the packed word has it, so less 1 where w0 is negative.
// LATENCY is that of dot_product; `carry1` is 1 that still has to be added to `sum1`.
`default_nettype none
module shared_products #(
    parameter LANES            = 4,
    parameter X_WIDTH          = 8,
    parameter X_SIGNED         = 1,
    parameter W_WIDTH          = 6,
    parameter PRODUCT_WIDTH    = 14,     // holds every single product
    parameter DROP             = 0,      // fractional bits that the sum has more than a product, negated: 0 or less
    parameter SUM_WIDTH        = 20,
    parameter LEVELS_PER_STAGE = 2,
    parameter INPUT_REGS       = 0,      // of DSP blocks: see multiply_dsp
    parameter [LANES-1:0] VARIES = 0     // lanes whose weights are no constants: see multiply_dsp
) (
    input  wire                     clk,
    input  wire [LANES*X_WIDTH-1:0] x,
    input  wire [LANES*W_WIDTH-1:0] w0,
    input  wire [LANES*W_WIDTH-1:0] w1,
    output wire [SUM_WIDTH-1:0]     sum0,
    output wire [SUM_WIDTH-1:0]     sum1,
    output wire                     carry1
);
    localparam TREE_WIDTH = SUM_WIDTH > -DROP ? SUM_WIDTH + DROP : 1;
    localparam NODE_WIDTH = PRODUCT_WIDTH < TREE_WIDTH ? PRODUCT_WIDTH : TREE_WIDTH;
    wire [LANES*NODE_WIDTH-1:0] leaves0, leaves1;
    wire [LANES-1:0]            borrowed;
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : leaf
            wire [W_WIDTH-1:0] low = w0[i*W_WIDTH +: W_WIDTH];
            wire signed [PRODUCT_WIDTH-1:0] low_wide = {{PRODUCT_WIDTH{low[W_WIDTH-1]}}, low};
            wire [2*PRODUCT_WIDTH-1:0] both;
            multiply_dsp #(
                .X_WIDTH(X_WIDTH), .X_SIGNED(X_SIGNED), .W_WIDTH(W_WIDTH + PRODUCT_WIDTH), .W_SIGNED(1),
                .PRODUCT_WIDTH(2 * PRODUCT_WIDTH), .INPUT_REGS(INPUT_REGS), .VARIES(VARIES[i])
            ) multiply (
                .clk(clk), .x(x[i*X_WIDTH +: X_WIDTH]), .w({w1[i*W_WIDTH +: W_WIDTH], low_wide}), .product(both)
            );
            assign leaves0[i*NODE_WIDTH +: NODE_WIDTH] = both[0 +: NODE_WIDTH];
            assign leaves1[i*NODE_WIDTH +: NODE_WIDTH] = both[PRODUCT_WIDTH +: NODE_WIDTH];
            assign borrowed[i] = both[PRODUCT_WIDTH-1];
        end
    endgenerate

    wire [TREE_WIDTH-1:0] total0, total1;
    adder_tree #(
        .LEAVES(LANES), .IN_WIDTH(NODE_WIDTH), .OUT_WIDTH(TREE_WIDTH), .LEVELS_PER_STAGE(LEVELS_PER_STAGE)
    ) tree0 (
        .clk(clk), .leaves(leaves0), .sum(total0)
    );
    carry_tree #(
        .LEAVES(LANES), .IN_WIDTH(NODE_WIDTH), .OUT_WIDTH(TREE_WIDTH), .LEVELS_PER_STAGE(LEVELS_PER_STAGE)
    ) tree1 (
        .clk(clk), .leaves(leaves1), .carries(borrowed), .sum(total1), .carry(carry1)
    );
    wire [SUM_WIDTH-1:0] widened0 = total0, widened1 = total1;
    assign sum0 = widened0 << -DROP;
    assign sum1 = widened1 << -DROP;
endmodule
`default_nettype wire
