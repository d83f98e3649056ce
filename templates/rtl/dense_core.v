// A dense layer folded in time: vector * matrix + bias, with LANES_IN * LANES_OUT products a cycle.
//
//   load ─▶ operand_feed ─▶ dot_product ×LANES_OUT ─▶ accumulate ×LANES_OUT ─▶ sums
//       └▶ fold_counter ─▶ weight_rom ┘   (delayed) fold_counter ─▶ bias rom ┘
//
// `load` takes a vector; the next one may come STEPS*GROUPS cycles later, not earlier. Each group of LANES_OUT sums
// appears with `sums_valid`, in order, STEPS cycles apart; `sums_last` marks the last group of the vector.
// A convolution loads one window of its line buffer after the other into the same core, or those of PIXELS outputs at a
// time: all of them meet the same weights, so there is one weight memory and one walk for all. A group of sums holds
// each output lane for all pixels, then the next lane.
//
// Cycles from `load` to the last `sums_valid`: STEPS*GROUPS + MULTIPLY_LATENCY + TREE_LATENCY + 1.
`default_nettype none
module dense_core #(
    parameter N_IN             = 16,
    parameter LANES_IN         = 16,
    parameter LANES_OUT        = 1,
    parameter PIXELS           = 1,       // vectors at a time, side by side
    parameter STEPS            = 1,       // ceil(N_IN / LANES_IN)
    parameter GROUPS           = 1,       // ceil(outputs / LANES_OUT)
    parameter X_WIDTH          = 8,
    parameter X_SIGNED         = 1,
    parameter W_WIDTH          = 8,
    parameter W_SIGNED         = 1,
    parameter PRODUCT_WIDTH    = 16,
    parameter DROP             = 0,       // see dot_product
    parameter ROUNDING         = "TRN",
    parameter SUM_WIDTH        = 20,
    parameter MULTIPLIER       = "DSP",   // or "LUT"
    parameter SHARED           = 0,       // 1: two output lanes share DSP blocks; weights as shared_products wants them
    parameter ROWS_PER_STAGE   = 2,
    parameter LEVELS_PER_STAGE = 2,
    parameter FEED_STAGES      = 1,       // of operand_feed; one more is in MULTIPLY_LATENCY
    parameter DEEP_ROM         = 0,       // 1: a register between weights and multipliers, for slow block RAM
    parameter MEMORY           = "AUTO",  // of the weights: see weight_rom
    parameter MULTIPLY_LATENCY = 1,       // of the multiplier; that register and a cast of each product included
    parameter TREE_LATENCY     = 0,       // of the adder tree
    parameter CODE_WIDTH       = 0,       // of a weight's number in CODEBOOK; 0: WEIGHTS holds the weights themselves
    parameter [(2**CODE_WIDTH)*W_WIDTH-1:0]                 CODEBOOK = 0,
    // Word g*STEPS + s holds, for output lane o and input lane i, the weight at lane o*LANES_IN + i, or its number.
    parameter [STEPS*GROUPS*LANES_OUT*LANES_IN*(CODE_WIDTH ? CODE_WIDTH : W_WIDTH)-1:0] WEIGHTS = 0,
    // Bit o*LANES_IN + i is 0 where all those weights are 0: no multiplier is built then.
    parameter [LANES_OUT*LANES_IN-1:0]                      USED    = {LANES_OUT*LANES_IN{1'b1}},
    // Word g holds the biases of a group, less the offsets of LUT multipliers (see multiply_lut).
    parameter [GROUPS*LANES_OUT*SUM_WIDTH-1:0]              BIASES  = 0
) (
    input  wire                                  clk,
    input  wire                                  rst,
    input  wire                                  load,
    input  wire [PIXELS*N_IN*X_WIDTH-1:0]        vector,
    output wire                                  sums_valid,
    output wire                                  sums_last,
    output wire [LANES_OUT*PIXELS*SUM_WIDTH-1:0] sums
);
    localparam FOLDS       = STEPS * GROUPS;
    localparam STEP_WIDTH  = STEPS > 1 ? $clog2(STEPS) : 1;
    localparam GROUP_WIDTH = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam INDEX_WIDTH = FOLDS > 1 ? $clog2(FOLDS) : 1;
    localparam WORD        = LANES_OUT * LANES_IN * W_WIDTH;
    localparam STORED      = LANES_OUT * LANES_IN * (CODE_WIDTH ? CODE_WIDTH : W_WIDTH);
    localparam SLICE       = LANES_IN * X_WIDTH;

    // Front: operands and weights.
    wire [STEP_WIDTH-1:0]  step;
    wire [INDEX_WIDTH-1:0] index, weight_index;
    wire [PIXELS*SLICE-1:0] fed, operands;
    wire [STORED-1:0]      stored;
    wire [WORD-1:0]        read, held, weights;
    fold_counter #(
        .STEPS(STEPS), .GROUPS(GROUPS), .STEP_WIDTH(STEP_WIDTH), .GROUP_WIDTH(GROUP_WIDTH), .INDEX_WIDTH(INDEX_WIDTH)
    ) front (
        .clk(clk), .rst(rst), .start(load), .step(step), .index(index),
        .active(), .group(), .last_step(), .last_group()
    );
    operand_feed #(
        .N(N_IN), .WIDTH(X_WIDTH), .LANES(LANES_IN), .STEPS(STEPS), .STEP_WIDTH(STEP_WIDTH), .STAGES(FEED_STAGES)
    ) feed (
        .clk(clk), .load(load), .vector(vector[0 +: N_IN*X_WIDTH]), .step(step), .operands(fed[0 +: SLICE])
    );
    genvar p;
    generate
        for (p = 1; p < PIXELS; p = p + 1) begin : pixel
            operand_feed #(
                .N(N_IN), .WIDTH(X_WIDTH), .LANES(LANES_IN), .STEPS(STEPS), .STEP_WIDTH(STEP_WIDTH),
                .STAGES(FEED_STAGES)
            ) feed (
                .clk(clk), .load(load), .vector(vector[p*N_IN*X_WIDTH +: N_IN*X_WIDTH]), .step(step),
                .operands(fed[p*SLICE +: SLICE])
            );
        end
    endgenerate
    // LUT multipliers take weights a cycle after operands: the address waits, or, of a deep ROM, the word.
    delay_line #(
        .WIDTH(INDEX_WIDTH), .CYCLES(FEED_STAGES - (MULTIPLIER == "LUT" && !DEEP_ROM ? 0 : 1))
    ) index_later (
        .clk(clk), .rst(rst), .in(index), .out(weight_index)
    );
    // That register in front of DSP blocks is inside of them.
    assign operands = fed;
    delay_line #(
        .WIDTH(WORD), .CYCLES(MULTIPLIER == "DSP" ? 0 : DEEP_ROM)
    ) weights_later (
        .clk(clk), .rst(rst), .in(read), .out(held)
    );
    genvar l;
    generate
        for (l = 0; l < LANES_OUT * LANES_IN; l = l + 1) begin : multiplier
            if (USED[l]) begin : used
                assign weights[l*W_WIDTH +: W_WIDTH] = held[l*W_WIDTH +: W_WIDTH];
            end else begin : unused
                assign weights[l*W_WIDTH +: W_WIDTH] = {W_WIDTH{1'b0}};
            end
        end
    endgenerate
    weight_rom #(
        .WIDTH(STORED), .DEPTH(FOLDS), .ADDRESS_WIDTH(INDEX_WIDTH), .CONTENTS(WEIGHTS), .MEMORY(MEMORY)
    ) weight_memory (
        .clk(clk), .address(weight_index), .word(stored)
    );
    generate
        if (CODE_WIDTH == 0) begin : weights_themselves
            assign read = stored;
        end else begin : numbers
            for (l = 0; l < LANES_OUT * LANES_IN; l = l + 1) begin : lane
                codebook #(.INDEX_WIDTH(CODE_WIDTH), .WIDTH(W_WIDTH), .VALUES(CODEBOOK)) values (
                    .index(stored[l*CODE_WIDTH +: CODE_WIDTH]), .value(read[l*W_WIDTH +: W_WIDTH])
                );
            end
        end
    endgenerate

    // Back: the same walk again, one cycle before the terms reach the accumulators.
    wire back_start, back_active, last_step, last_group, first, ending;
    wire [STEP_WIDTH-1:0]  back_step;
    wire [GROUP_WIDTH-1:0] group;
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

    // Lanes: one dot product and one accumulator for each output of a group and each pixel, or for
    // two outputs that share their blocks.
    localparam SHARING = SHARED ? LANES_OUT / 2 * 2 : 0;
    localparam WORD_IN = LANES_IN * W_WIDTH;
    genvar o;
    generate
        for (o = 0; o < SHARING * PIXELS; o = o + 2) begin : pair
            localparam LOW   = o / (2 * PIXELS) * 2;     // output lanes of the pair
            localparam HIGH  = LOW + 1;
            localparam PIXEL = o / 2 % PIXELS;
            wire [SUM_WIDTH-1:0] term0, term1;
            wire carry1;
            shared_products #(
                .LANES(LANES_IN), .X_WIDTH(X_WIDTH), .X_SIGNED(X_SIGNED), .W_WIDTH(W_WIDTH),
                .PRODUCT_WIDTH(PRODUCT_WIDTH), .DROP(DROP), .SUM_WIDTH(SUM_WIDTH), .LEVELS_PER_STAGE(LEVELS_PER_STAGE),
                .INPUT_REGS(DEEP_ROM), .VARIES(FOLDS > 1 ? USED[LOW*LANES_IN +: LANES_IN] | USED[HIGH*LANES_IN +: LANES_IN] : 0)
            ) products (
                .clk(clk), .x(operands[PIXEL*SLICE +: SLICE]), .w0(weights[LOW*WORD_IN +: WORD_IN]),
                .w1(weights[HIGH*WORD_IN +: WORD_IN]),
                .sum0(term0), .sum1(term1), .carry1(carry1)
            );
            accumulate #(.WIDTH(SUM_WIDTH)) accumulator0 (
                .clk(clk), .first(first), .bias(biases[LOW*SUM_WIDTH +: SUM_WIDTH]), .term(term0),
                .value(sums[(LOW*PIXELS + PIXEL)*SUM_WIDTH +: SUM_WIDTH])
            );
            accumulate_carry #(.WIDTH(SUM_WIDTH), .PLACE(-DROP)) accumulator1 (
                .clk(clk), .first(first), .bias(biases[HIGH*SUM_WIDTH +: SUM_WIDTH]), .term(term1), .carry(carry1),
                .value(sums[(HIGH*PIXELS + PIXEL)*SUM_WIDTH +: SUM_WIDTH])
            );
        end
        for (o = SHARING * PIXELS; o < LANES_OUT * PIXELS; o = o + 1) begin : lane
            localparam OUTPUT = o / PIXELS;
            localparam PIXEL  = o % PIXELS;
            wire [SUM_WIDTH-1:0] term;
            dot_product #(
                .LANES(LANES_IN), .X_WIDTH(X_WIDTH), .X_SIGNED(X_SIGNED), .W_WIDTH(W_WIDTH), .W_SIGNED(W_SIGNED),
                .PRODUCT_WIDTH(PRODUCT_WIDTH), .DROP(DROP), .ROUNDING(ROUNDING), .SUM_WIDTH(SUM_WIDTH),
                .MULTIPLIER(MULTIPLIER), .ROWS_PER_STAGE(ROWS_PER_STAGE), .LEVELS_PER_STAGE(LEVELS_PER_STAGE),
                .INPUT_REGS(DEEP_ROM), .VARIES(FOLDS > 1 ? USED[OUTPUT*LANES_IN +: LANES_IN] : 0)
            ) dot (
                .clk(clk), .x(operands[PIXEL*SLICE +: SLICE]), .w(weights[OUTPUT*WORD_IN +: WORD_IN]), .sum(term)
            );
            accumulate #(.WIDTH(SUM_WIDTH)) accumulator (
                .clk(clk), .first(first), .bias(biases[OUTPUT*SUM_WIDTH +: SUM_WIDTH]), .term(term),
                .value(sums[o*SUM_WIDTH +: SUM_WIDTH])
            );
        end
    endgenerate
endmodule
`default_nettype wire
