// Softmax of N values by two tables:
//
//   in -> [ max_tree -> largest - x -> cast ] -> exp_memory xN -> fitted_sum -> cast -> inv_memory -> product xN -> out
//                                                     '------------- delayed ----------------------------^
//
// The bracket is there with STABLE 1; with 0 a value is itself the index of its exponential. A table of 2**BITS entries
// is read at the BITS most significant bits of its index. Results are exact products, one vector a cycle. LATENCY is
// (STABLE ? tree + 1 : 0) + tree + 3, with tree = ceil(ceil(log2 N) / LEVELS_PER_STAGE).
`default_nettype none
module softmax_core #(
    parameter N                = 4,
    parameter X_WIDTH          = 8,
    parameter X_SIGNED         = 1,
    parameter STABLE           = 1,
    parameter NORM_DROP        = 0,       // see fixed_cast
    parameter NORM_WIDTH       = 8,
    parameter NORM_SIGNED      = 0,
    parameter NORM_ROUNDING    = "TRN",
    parameter NORM_OVERFLOW    = "WRAP",
    parameter EXP_BITS         = 8,
    parameter TERM_WIDTH       = 8,       // of an entry of the table of exponentials, as it is summed
    parameter TERM_SIGNED      = 0,
    parameter [(TERM_WIDTH<<EXP_BITS)-1:0] EXP = 0,
    parameter ACCUM_WIDTH      = 10,
    parameter ACCUM_SIGNED     = 0,
    parameter ACCUM_OVERFLOW   = "WRAP",
    parameter TOTAL_DROP       = 0,
    parameter TOTAL_WIDTH      = 8,
    parameter TOTAL_SIGNED     = 0,
    parameter TOTAL_ROUNDING   = "TRN",
    parameter TOTAL_OVERFLOW   = "WRAP",
    parameter INV_BITS         = 8,
    parameter INV_WIDTH        = 8,
    parameter INV_SIGNED       = 0,
    parameter [(INV_WIDTH<<INV_BITS)-1:0] INV = 0,
    parameter OUT_WIDTH        = 16,
    parameter LEVELS_PER_STAGE = 2
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   in_valid,
    input  wire [N*X_WIDTH-1:0]   in,
    output wire                   out_valid,
    output wire [N*OUT_WIDTH-1:0] out
);
    localparam TREE       = ($clog2(N) + LEVELS_PER_STAGE - 1) / LEVELS_PER_STAGE;
    localparam EXP_INDEX  = EXP_BITS > 0 ? EXP_BITS : 1;
    localparam INV_INDEX  = INV_BITS > 0 ? INV_BITS : 1;
    delay_line #(
        .CYCLES((STABLE ? TREE + 1 : 0) + TREE + 3), .RESET(1)
    ) valid_later (
        .clk(clk), .rst(rst), .in(in_valid), .out(out_valid)
    );

    wire [N*EXP_INDEX-1:0] exp_index;
    wire [N*TERM_WIDTH-1:0] terms, terms_later;
    wire [N*ACCUM_WIDTH-1:0] addends;
    wire [ACCUM_WIDTH-1:0] sum;
    wire [TOTAL_WIDTH-1:0] total;
    wire [INV_WIDTH-1:0]   factor;
    genvar i;
    generate
        if (STABLE) begin : stable
            wire [X_WIDTH-1:0]   largest;
            wire [N*X_WIDTH-1:0] x;
            max_tree #(
                .TAPS(N), .WIDTH(X_WIDTH), .SIGNED(X_SIGNED), .LEVELS_PER_STAGE(LEVELS_PER_STAGE)
            ) tree (
                .clk(clk), .rst(rst), .in_valid(1'b0), .in(in), .out_valid(), .out(largest)
            );
            delay_line #(.WIDTH(N * X_WIDTH), .CYCLES(TREE)) x_later (.clk(clk), .rst(rst), .in(in), .out(x));
            for (i = 0; i < N; i = i + 1) begin : lane
                // Never negative, so as many bits as x has hold it.
                wire [X_WIDTH-1:0]    below = largest - x[i*X_WIDTH +: X_WIDTH];
                wire [NORM_WIDTH-1:0] fitted;
                reg  [NORM_WIDTH-1:0] norm;
                fixed_cast #(
                    .IN_WIDTH(X_WIDTH), .IN_SIGNED(0), .DROP(NORM_DROP), .OUT_WIDTH(NORM_WIDTH),
                    .OUT_SIGNED(NORM_SIGNED), .ROUNDING(NORM_ROUNDING), .OVERFLOW(NORM_OVERFLOW)
                ) cast (
                    .in(below), .out(fitted)
                );
                always @(posedge clk) norm <= fitted;
                assign exp_index[i*EXP_INDEX +: EXP_INDEX] = norm[NORM_WIDTH-1 -: EXP_INDEX];
            end
        end else begin : direct
            for (i = 0; i < N; i = i + 1) begin : lane
                assign exp_index[i*EXP_INDEX +: EXP_INDEX] = in[i*X_WIDTH + X_WIDTH - 1 -: EXP_INDEX];
            end
        end

        for (i = 0; i < N; i = i + 1) begin : term_of
            wire [TERM_WIDTH-1:0] term;
            weight_rom #(
                .WIDTH(TERM_WIDTH), .DEPTH(1 << EXP_BITS), .ADDRESS_WIDTH(EXP_INDEX), .CONTENTS(EXP)
            ) exp_memory (
                .clk(clk), .address(exp_index[i*EXP_INDEX +: EXP_INDEX]), .word(term)
            );
            assign terms[i*TERM_WIDTH +: TERM_WIDTH] = term;
            assign addends[i*ACCUM_WIDTH +: ACCUM_WIDTH] =
                {{ACCUM_WIDTH{TERM_SIGNED ? term[TERM_WIDTH-1] : 1'b0}}, term};
            multiply_dsp #(
                .X_WIDTH(TERM_WIDTH), .X_SIGNED(TERM_SIGNED), .W_WIDTH(INV_WIDTH), .W_SIGNED(INV_SIGNED),
                .PRODUCT_WIDTH(OUT_WIDTH)
            ) multiply (
                .clk(clk), .x(terms_later[i*TERM_WIDTH +: TERM_WIDTH]), .w(factor),
                .product(out[i*OUT_WIDTH +: OUT_WIDTH])
            );
        end
    endgenerate

    fitted_sum #(
        .LEAVES(N), .WIDTH(ACCUM_WIDTH), .SIGNED(ACCUM_SIGNED), .OVERFLOW(ACCUM_OVERFLOW),
        .LEVELS_PER_STAGE(LEVELS_PER_STAGE)
    ) accumulator (
        .clk(clk), .leaves(addends), .sum(sum)
    );
    fixed_cast #(
        .IN_WIDTH(ACCUM_WIDTH), .IN_SIGNED(ACCUM_SIGNED), .DROP(TOTAL_DROP), .OUT_WIDTH(TOTAL_WIDTH),
        .OUT_SIGNED(TOTAL_SIGNED), .ROUNDING(TOTAL_ROUNDING), .OVERFLOW(TOTAL_OVERFLOW)
    ) cast_total (
        .in(sum), .out(total)
    );
    weight_rom #(
        .WIDTH(INV_WIDTH), .DEPTH(1 << INV_BITS), .ADDRESS_WIDTH(INV_INDEX), .CONTENTS(INV)
    ) inv_memory (
        .clk(clk), .address(total[TOTAL_WIDTH-1 -: INV_INDEX]), .word(factor)
    );
    delay_line #(
        .WIDTH(N * TERM_WIDTH), .CYCLES(TREE + 1)
    ) terms_delay (
        .clk(clk), .rst(rst), .in(terms), .out(terms_later)
    );
endmodule
`default_nettype wire
