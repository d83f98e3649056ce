// Averages of TAPS values, for each of LANES lanes: value t of lane l stands at place t*LANES + l of `in`.
//
//   in -> cast to the accumulator's grid (a register, with DROP > 0) -> adder_tree -> sum -> * factor -> >> SHIFT -> out
//
// A division by a constant is a product with a factor and a shift that truncates towards zero; the factors are chosen so
// that this is exact for every sum. They differ from vector to vector where cells outside an image do not count: the
// factor of the p-th vector of a frame of POSITIONS is word p of FACTORS.
//
// One vector a cycle. LATENCY is (DROP > 0) + that of adder_tree (TREE_LATENCY) + 3.
`default_nettype none
module average_pool #(
    parameter LANES            = 1,
    parameter TAPS             = 4,
    parameter X_WIDTH          = 8,
    parameter X_SIGNED         = 1,
    parameter DROP             = 0,      // fractional bits a value has more than the accumulator; else 0
    parameter ROUNDING         = "TRN",  // of that cast
    parameter TERM_WIDTH       = 8,      // of a value after it
    parameter TERM_SIGNED      = 1,
    parameter SUM_WIDTH        = 10,     // sums are modulo 2**SUM_WIDTH
    parameter SUM_SIGNED       = 1,
    parameter TREE_LATENCY     = 0,
    parameter LEVELS_PER_STAGE = 2,
    parameter POSITIONS        = 1,
    parameter FACTOR_WIDTH     = 1,
    parameter [POSITIONS*FACTOR_WIDTH-1:0] FACTORS = 1,
    parameter SHIFT            = 2,
    parameter OUT_WIDTH        = 8
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire                          in_valid,
    input  wire [TAPS*LANES*X_WIDTH-1:0] in,
    output wire                          out_valid,
    output wire [LANES*OUT_WIDTH-1:0]    out
);
    localparam UNTIL_SUM   = (DROP > 0 ? 1 : 0) + TREE_LATENCY;
    localparam POSITION    = POSITIONS > 1 ? $clog2(POSITIONS) : 1;
    localparam LEAF        = TERM_WIDTH + (TERM_SIGNED ? 0 : 1);
    localparam PRODUCT     = SUM_WIDTH + FACTOR_WIDTH + 1;
    wire summed;
    delay_line #(.CYCLES(UNTIL_SUM), .RESET(1)) until_sum (.clk(clk), .rst(rst), .in(in_valid), .out(summed));
    delay_line #(.CYCLES(3), .RESET(1)) valid_later (.clk(clk), .rst(rst), .in(summed), .out(out_valid));

    wire [FACTOR_WIDTH-1:0] factor;
    reg  [POSITION-1:0]     position;
    generate
        if (POSITIONS == 1) begin : everywhere
            always @(posedge clk) position <= 1'b0;
        end else begin : by_position
            wire [POSITION-1:0] next;
            increment #(.WIDTH(POSITION)) count (.in(position), .out(next));
            always @(posedge clk)
                if (rst)         position <= {POSITION{1'b0}};
                else if (summed) position <= position == POSITIONS - 1 ? {POSITION{1'b0}} : next;
        end
    endgenerate
    weight_rom #(
        .WIDTH(FACTOR_WIDTH), .DEPTH(POSITIONS), .ADDRESS_WIDTH(POSITION), .CONTENTS(FACTORS)
    ) factor_memory (
        .clk(clk), .address(position), .word(factor)
    );

    genvar c, t;
    generate
        for (c = 0; c < LANES; c = c + 1) begin : lane
            wire [TAPS*LEAF-1:0] leaves;
            for (t = 0; t < TAPS; t = t + 1) begin : tap
                wire [X_WIDTH-1:0]    x = in[(t*LANES + c)*X_WIDTH +: X_WIDTH];
                wire [TERM_WIDTH-1:0] term;
                if (DROP > 0) begin : coarse
                    wire [TERM_WIDTH-1:0] rounded;
                    reg  [TERM_WIDTH-1:0] held;
                    fixed_cast #(
                        .IN_WIDTH(X_WIDTH), .IN_SIGNED(X_SIGNED), .DROP(DROP), .OUT_WIDTH(TERM_WIDTH),
                        .OUT_SIGNED(TERM_SIGNED), .ROUNDING(ROUNDING), .OVERFLOW("WRAP")
                    ) cast (
                        .in(x), .out(rounded)
                    );
                    always @(posedge clk) held <= rounded;
                    assign term = held;
                end else begin : exact
                    assign term = x;
                end
                assign leaves[t*LEAF +: LEAF] = {1'b0, term};
            end

            wire [SUM_WIDTH-1:0] total;
            reg  [SUM_WIDTH-1:0] sum;
            adder_tree #(
                .LEAVES(TAPS), .IN_WIDTH(LEAF), .OUT_WIDTH(SUM_WIDTH), .LEVELS_PER_STAGE(LEVELS_PER_STAGE)
            ) tree (
                .clk(clk), .leaves(leaves), .sum(total)
            );
            always @(posedge clk) sum <= total;

            wire [PRODUCT-1:0]   product;
            wire [OUT_WIDTH-1:0] quotient;
            reg  [OUT_WIDTH-1:0] held;
            multiply_dsp #(
                .X_WIDTH(SUM_WIDTH), .X_SIGNED(SUM_SIGNED), .W_WIDTH(FACTOR_WIDTH), .W_SIGNED(0),
                .PRODUCT_WIDTH(PRODUCT)
            ) divide (
                .clk(clk), .x(sum), .w(factor), .product(product)
            );
            fixed_cast #(
                .IN_WIDTH(PRODUCT), .IN_SIGNED(1), .DROP(SHIFT), .OUT_WIDTH(OUT_WIDTH), .OUT_SIGNED(SUM_SIGNED),
                .ROUNDING("TRN_ZERO"), .OVERFLOW("WRAP")
            ) truncate (
                .in(product), .out(quotient)
            );
            always @(posedge clk) held <= quotient;
            assign out[c*OUT_WIDTH +: OUT_WIDTH] = held;
        end
    endgenerate
endmodule
`default_nettype wire
