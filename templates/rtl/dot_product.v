// Sum of LANES products, one new set of operands each cycle.
//
// MULTIPLIER "DSP": one multiply_dsp a lane; weights come with the operands.
// MULTIPLIER "LUT": one multiply_lut a pair of lanes; weights come one cycle after the operands; the sum has the offsets
// of those multipliers (none with DROP > 0).
// With DROP > 0 each product is first cast to the accumulator's coarser grid, one cycle more.
`default_nettype none
module dot_product #(
    parameter LANES            = 4,
    parameter X_WIDTH          = 8,
    parameter X_SIGNED         = 1,
    parameter W_WIDTH          = 8,
    parameter W_SIGNED         = 1,
    parameter PRODUCT_WIDTH    = 16,     // holds every single product
    parameter DROP             = 0,      // fractional bits a product has more than the sum; negative: fewer
    parameter ROUNDING         = "TRN",  // of that cast
    parameter SUM_WIDTH        = 20,
    parameter MULTIPLIER       = "DSP",
    parameter ROWS_PER_STAGE   = 2,
    parameter LEVELS_PER_STAGE = 2,
    parameter INPUT_REGS       = 0,      // of DSP blocks: see multiply_dsp
    parameter [LANES-1:0] VARIES = 0     // lanes whose weights are no constants: see multiply_dsp
) (
    input  wire                     clk,
    input  wire [LANES*X_WIDTH-1:0] x,
    input  wire [LANES*W_WIDTH-1:0] w,
    output wire [SUM_WIDTH-1:0]     sum
);
    // A truncated product must exist on its own, so it takes a pair whose other half is zero.
    localparam PAIRED     = MULTIPLIER == "LUT" && DROP <= 0;
    localparam LEAVES     = PAIRED ? (LANES + 1) / 2 : LANES;
    localparam APPEND     = DROP < 0 ? -DROP : 0;
    // Two products and their offset, or all the bits that multiply_lut makes, whichever is less.
    localparam W_BITS     = W_WIDTH + (W_SIGNED ? 0 : 1) > 2 ? W_WIDTH + (W_SIGNED ? 0 : 1) : 2;
    localparam PAIR       = PRODUCT_WIDTH + 2 < X_WIDTH + W_BITS ? PRODUCT_WIDTH + 2 : X_WIDTH + W_BITS;
    localparam EXACT      = PAIRED ? PAIR : PRODUCT_WIDTH;
    localparam LEAF_WIDTH = DROP > 0 ? SUM_WIDTH : EXACT < SUM_WIDTH ? EXACT : SUM_WIDTH;
    localparam TREE_WIDTH = SUM_WIDTH > APPEND ? SUM_WIDTH - APPEND : 1;
    localparam NODE_WIDTH = LEAF_WIDTH < TREE_WIDTH ? LEAF_WIDTH : TREE_WIDTH;
    wire [LEAVES*NODE_WIDTH-1:0] leaves;
    genvar i;
    generate
        for (i = 0; i < LEAVES; i = i + 1) begin : leaf
            wire signed [EXACT-1:0] product;
            if (MULTIPLIER == "LUT") begin : lut
                localparam FIRST = PAIRED ? 2 * i : i;
                wire [X_WIDTH-1:0] x1;
                wire [W_WIDTH-1:0] w1;
                if (PAIRED && FIRST + 1 < LANES) begin : pair
                    assign x1 = x[(FIRST+1)*X_WIDTH +: X_WIDTH];
                    assign w1 = w[(FIRST+1)*W_WIDTH +: W_WIDTH];
                end else begin : alone
                    assign x1 = {X_WIDTH{1'b0}};
                    assign w1 = {W_WIDTH{1'b0}};
                end
                multiply_lut #(
                    .X_WIDTH(X_WIDTH), .X_SIGNED(X_SIGNED), .W_WIDTH(W_WIDTH), .W_SIGNED(W_SIGNED),
                    .PRODUCT_WIDTH(EXACT), .ROWS_PER_STAGE(ROWS_PER_STAGE), .OFFSET(PAIRED)
                ) multiply (
                    .clk(clk), .x0(x[FIRST*X_WIDTH +: X_WIDTH]), .x1(x1), .w0(w[FIRST*W_WIDTH +: W_WIDTH]), .w1(w1),
                    .product(product)
                );
            end else begin : dsp
                multiply_dsp #(
                    .X_WIDTH(X_WIDTH), .X_SIGNED(X_SIGNED), .W_WIDTH(W_WIDTH), .W_SIGNED(W_SIGNED),
                    .PRODUCT_WIDTH(EXACT), .INPUT_REGS(INPUT_REGS), .VARIES(VARIES[i])
                ) multiply (
                    .clk(clk), .x(x[i*X_WIDTH +: X_WIDTH]), .w(w[i*W_WIDTH +: W_WIDTH]), .product(product)
                );
            end

            if (DROP > 0) begin : coarse
                wire [SUM_WIDTH-1:0] rounded;
                reg signed [SUM_WIDTH-1:0] value;
                fixed_cast #(
                    .IN_WIDTH(EXACT), .IN_SIGNED(1), .DROP(DROP), .OUT_WIDTH(SUM_WIDTH), .OUT_SIGNED(1),
                    .ROUNDING(ROUNDING), .OVERFLOW("WRAP")
                ) cast (
                    .in(product), .out(rounded)
                );
                always @(posedge clk) value <= rounded;
                assign leaves[i*NODE_WIDTH +: NODE_WIDTH] = value;
            end else begin : exact
                assign leaves[i*NODE_WIDTH +: NODE_WIDTH] = product;
            end
        end
    endgenerate

    // Zeros that the sum's grid has below the products' need no adders.
    wire [TREE_WIDTH-1:0] total;
    adder_tree #(
        .LEAVES(LEAVES), .IN_WIDTH(NODE_WIDTH), .OUT_WIDTH(TREE_WIDTH), .LEVELS_PER_STAGE(LEVELS_PER_STAGE)
    ) tree (
        .clk(clk), .leaves(leaves), .sum(total)
    );
    wire [SUM_WIDTH-1:0] widened = total;
    assign sum = widened << APPEND;
endmodule
`default_nettype wire
