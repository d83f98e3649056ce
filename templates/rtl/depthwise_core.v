// Weighted sums of each channel on its own, folded in time, with LANES_TAPS * LANES_OUT products a cycle: depthwise
// convolutions, and with one tap a factor and an offset for each channel.
//
//   load -> channel_feed -> dot_product xLANES_OUT -> accumulate xLANES_OUT -> sums
//
// `load` takes a vector, value of tap t and channel c at place t*CHANNELS + c; the next one may come STEPS*GROUPS cycles
// later, not earlier. Each group of LANES_OUT sums appears with `sums_valid`, in order, STEPS cycles apart; `sums_last`
// marks the last group of the vector.
//
// Cycles from `load` to the last `sums_valid`: STEPS*GROUPS + MULTIPLY_LATENCY + TREE_LATENCY + 1, as in dense_core.
module depthwise_core #(
    parameter TAPS             = 9,
    parameter CHANNELS         = 4,
    parameter LANES_TAPS       = 9,
    parameter LANES_OUT        = 1,
    parameter STEPS            = 1,       // ceil(TAPS / LANES_TAPS)
    parameter GROUPS           = 4,       // ceil(CHANNELS / LANES_OUT)
    parameter X_WIDTH          = 8,
    parameter X_SIGNED         = 1,
    parameter W_WIDTH          = 8,
    parameter W_SIGNED         = 1,
    parameter PRODUCT_WIDTH    = 16,
    parameter DROP             = 0,       // see dot_product
    parameter ROUNDING         = "TRN",
    parameter SUM_WIDTH        = 20,
    parameter MULTIPLIER       = "DSP",   // or "LUT"
    parameter ROWS_PER_STAGE   = 2,
    parameter LEVELS_PER_STAGE = 2,
    parameter DEEP_ROM         = 0,       // 1: a register between weights and multipliers, for slow block RAM
    parameter MULTIPLY_LATENCY = 1,       // of the multiplier; that register and a cast of each product included
    parameter TREE_LATENCY     = 0,       // of the adder tree
    // Word g*STEPS + s holds, for output lane o and tap lane i, the weight at lane o*LANES_TAPS + i.
    parameter [STEPS*GROUPS*LANES_OUT*LANES_TAPS*W_WIDTH-1:0] WEIGHTS = 0,
    // Word g holds the biases of a group, less the offsets of LUT multipliers (see multiply_lut).
    parameter [GROUPS*LANES_OUT*SUM_WIDTH-1:0]                BIASES  = 0
) (
    input                              clk,
    input                              rst,
    input                              load,
    input  [TAPS*CHANNELS*X_WIDTH-1:0] vector,
    output                             sums_valid,
    output                             sums_last,
    output [LANES_OUT*SUM_WIDTH-1:0]   sums
);
    localparam FOLDS       = STEPS * GROUPS;
    localparam STEP_WIDTH  = STEPS > 1 ? $clog2(STEPS) : 1;
    localparam GROUP_WIDTH = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam INDEX_WIDTH = FOLDS > 1 ? $clog2(FOLDS) : 1;
    localparam LANES       = LANES_TAPS * LANES_OUT;

    // The vector in the order in which the folds take it, zeros where a lane has no tap or no channel.
    wire [FOLDS*LANES*X_WIDTH-1:0] ordered;
    genvar g, s, o, i;
    generate
        for (g = 0; g < GROUPS; g = g + 1) begin : group_of
            for (s = 0; s < STEPS; s = s + 1) begin : step_of
                for (o = 0; o < LANES_OUT; o = o + 1) begin : channel_of
                    for (i = 0; i < LANES_TAPS; i = i + 1) begin : tap_of
                        localparam CHANNEL = g * LANES_OUT + o;
                        localparam TAP     = s * LANES_TAPS + i;
                        localparam PLACE   = ((g * STEPS + s) * LANES + o * LANES_TAPS + i) * X_WIDTH;
                        if (CHANNEL < CHANNELS && TAP < TAPS)
                            assign ordered[PLACE +: X_WIDTH] = vector[(TAP*CHANNELS + CHANNEL)*X_WIDTH +: X_WIDTH];
                        else
                            assign ordered[PLACE +: X_WIDTH] = {X_WIDTH{1'b0}};
                    end
                end
            end
        end
    endgenerate

    // Front: operands and weights.
    wire [INDEX_WIDTH-1:0]   index, weight_index;
    wire [LANES*X_WIDTH-1:0] fed, operands;
    wire [LANES*W_WIDTH-1:0] read, weights;
    fold_counter #(
        .STEPS(STEPS), .GROUPS(GROUPS), .STEP_WIDTH(STEP_WIDTH), .GROUP_WIDTH(GROUP_WIDTH), .INDEX_WIDTH(INDEX_WIDTH)
    ) front (
        .clk(clk), .rst(rst), .start(load), .index(index), .step(), .group(), .active(), .last_step(), .last_group()
    );
    operand_feed #(
        .N(FOLDS * LANES), .WIDTH(X_WIDTH), .LANES(LANES), .STEPS(FOLDS), .STEP_WIDTH(INDEX_WIDTH)
    ) feed (
        .clk(clk), .load(load), .vector(ordered), .step(index), .operands(fed)
    );
    // LUT multipliers take weights a cycle after operands: the address waits, or, of a deep ROM, the word.
    delay_line #(
        .WIDTH(INDEX_WIDTH), .CYCLES(MULTIPLIER == "LUT" && !DEEP_ROM ? 1 : 0)
    ) index_later (
        .clk(clk), .rst(rst), .in(index), .out(weight_index)
    );
    delay_line #(
        .WIDTH(LANES * X_WIDTH), .CYCLES(MULTIPLIER == "DSP" && DEEP_ROM ? 1 : 0)
    ) operands_later (
        .clk(clk), .rst(rst), .in(fed), .out(operands)
    );
    delay_line #(
        .WIDTH(LANES * W_WIDTH), .CYCLES(DEEP_ROM)
    ) weights_later (
        .clk(clk), .rst(rst), .in(read), .out(weights)
    );
    weight_rom #(
        .WIDTH(LANES * W_WIDTH), .DEPTH(FOLDS), .ADDRESS_WIDTH(INDEX_WIDTH), .CONTENTS(WEIGHTS)
    ) weight_memory (
        .clk(clk), .address(weight_index), .word(read)
    );

    // Back: the same walk again, one cycle before the terms reach the accumulators.
    wire back_start, back_active, last_step, last_group, first;
    wire [STEP_WIDTH-1:0]          back_step;
    wire [GROUP_WIDTH-1:0]         group;
    wire [LANES_OUT*SUM_WIDTH-1:0] biases;
    delay_line #(
        .CYCLES(MULTIPLY_LATENCY + TREE_LATENCY), .RESET(1)
    ) until_terms (
        .clk(clk), .rst(rst), .in(load), .out(back_start)
    );
    fold_counter #(
        .STEPS(STEPS), .GROUPS(GROUPS), .STEP_WIDTH(STEP_WIDTH), .GROUP_WIDTH(GROUP_WIDTH), .INDEX_WIDTH(INDEX_WIDTH)
    ) back (
        .clk(clk), .rst(rst), .start(back_start), .active(back_active), .step(back_step), .group(group),
        .last_step(last_step), .last_group(last_group), .index()
    );
    weight_rom #(
        .WIDTH(LANES_OUT * SUM_WIDTH), .DEPTH(GROUPS), .ADDRESS_WIDTH(GROUP_WIDTH), .CONTENTS(BIASES)
    ) bias_memory (
        .clk(clk), .address(group), .word(biases)
    );
    generate
        if (STEPS == 1) begin : one_step
            assign first = 1'b1;
        end else begin : many_steps
            delay_line first_later (.clk(clk), .rst(rst), .in(back_step == 0), .out(first));
        end
    endgenerate
    delay_line #(.CYCLES(2), .RESET(1)) valid_later (
        .clk(clk), .rst(rst), .in(back_active & last_step), .out(sums_valid)
    );
    delay_line #(.CYCLES(GROUPS > 1 ? 2 : 0)) last_later (
        .clk(clk), .rst(rst), .in(last_group), .out(sums_last)
    );

    // Lanes: one dot product and one accumulator for each channel of a group.
    generate
        for (o = 0; o < LANES_OUT; o = o + 1) begin : lane
            wire [SUM_WIDTH-1:0] term;
            dot_product #(
                .LANES(LANES_TAPS), .X_WIDTH(X_WIDTH), .X_SIGNED(X_SIGNED), .W_WIDTH(W_WIDTH), .W_SIGNED(W_SIGNED),
                .PRODUCT_WIDTH(PRODUCT_WIDTH), .DROP(DROP), .ROUNDING(ROUNDING), .SUM_WIDTH(SUM_WIDTH),
                .MULTIPLIER(MULTIPLIER), .ROWS_PER_STAGE(ROWS_PER_STAGE), .LEVELS_PER_STAGE(LEVELS_PER_STAGE)
            ) dot (
                .clk(clk), .x(operands[o*LANES_TAPS*X_WIDTH +: LANES_TAPS*X_WIDTH]),
                .w(weights[o*LANES_TAPS*W_WIDTH +: LANES_TAPS*W_WIDTH]), .sum(term)
            );
            accumulate #(.WIDTH(SUM_WIDTH)) accumulator (
                .clk(clk), .first(first), .bias(biases[o*SUM_WIDTH +: SUM_WIDTH]), .term(term),
                .value(sums[o*SUM_WIDTH +: SUM_WIDTH])
            );
        end
    endgenerate
endmodule
