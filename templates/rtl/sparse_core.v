// A dense layer by a static schedule of its weights that are not zero: vector * matrix + bias, with LANES_IN products a
// cycle for each of LANES_OUT sums at a time.
//
//   load ─▶ sparse_feed ─▶ dot_product ×LANES_OUT ─▶ accumulate ×LANES_OUT ─▶ sums
//       └▶ fold_counter ─▶ weight_rom ┘    (delayed) fold_counter ─▶ flags, bias rom ┘
//
// `load` takes a vector; the next one may come CYCLES cycles later, not earlier. Sums are computed in groups of
// LANES_OUT, each group as many cycles as its fullest sum needs. A group appears with `sums_valid`; `sums_last` marks
// the last one. Which sums form a group is the schedule's choice: its wires put them in order again. PIXELS vectors at a
// time follow one schedule and share its memory; a group holds each sum for all of them, then the next sum.
//
// Cycles from `load` to the last `sums_valid`: CYCLES + MULTIPLY_LATENCY + TREE_LATENCY + 1.
`default_nettype none
module sparse_core #(
    parameter N_IN             = 16,
    parameter LANES_IN         = 4,
    parameter LANES_OUT        = 1,
    parameter PIXELS           = 1,       // vectors at a time, side by side
    parameter CYCLES           = 4,
    parameter GROUPS           = 1,
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
    parameter MEMORY           = "AUTO",  // of the weights: see weight_rom
    parameter MULTIPLY_LATENCY = 1,       // of the multiplier; that register and a cast of each product included
    parameter TREE_LATENCY     = 0,       // of the adder tree
    parameter SELECT_WIDTH     = 4,
    // For each cycle c, output lane o and input lane i, at (c*LANES_OUT + o)*LANES_IN + i: which input, and its weight.
    parameter [CYCLES*LANES_OUT*LANES_IN*SELECT_WIDTH-1:0] SELECTS = 0,
    parameter [CYCLES*LANES_OUT*LANES_IN*W_WIDTH-1:0]      WEIGHTS = 0,
    // Word g holds the biases of a group, less the offsets of LUT multipliers (see multiply_lut).
    parameter [GROUPS*LANES_OUT*SUM_WIDTH-1:0]             BIASES  = 0,
    // Bit c: cycle c is the first one, or the last one, of a group.
    parameter [CYCLES-1:0] FIRST = 1,
    parameter [CYCLES-1:0] LAST  = 1
) (
    input  wire                                  clk,
    input  wire                                  rst,
    input  wire                                  load,
    input  wire [PIXELS*N_IN*X_WIDTH-1:0]        vector,
    output wire                                  sums_valid,
    output wire                                  sums_last,
    output wire [LANES_OUT*PIXELS*SUM_WIDTH-1:0] sums
);
    localparam GROUP_WIDTH = GROUPS > 1 ? $clog2(GROUPS) : 1;
    localparam INDEX_WIDTH = CYCLES > 1 ? $clog2(CYCLES) : 1;
    localparam LANES       = LANES_OUT * LANES_IN;
    localparam WORD        = LANES * W_WIDTH;
    localparam SLICE       = LANES * X_WIDTH;

    // Front: operands and weights.
    wire [INDEX_WIDTH-1:0] index, weight_index;
    wire [PIXELS*SLICE-1:0] fed, operands;
    wire [WORD-1:0]        read, weights;
    fold_counter #(
        .STEPS(CYCLES), .GROUPS(1), .STEP_WIDTH(INDEX_WIDTH), .GROUP_WIDTH(1), .INDEX_WIDTH(INDEX_WIDTH)
    ) front (
        .clk(clk), .rst(rst), .start(load), .index(index),
        .active(), .step(), .group(), .last_step(), .last_group()
    );
    sparse_feed #(
        .N(N_IN), .WIDTH(X_WIDTH), .LANES(LANES), .CYCLES(CYCLES), .INDEX_WIDTH(INDEX_WIDTH),
        .SELECT_WIDTH(SELECT_WIDTH), .SELECTS(SELECTS)
    ) feed (
        .clk(clk), .load(load), .vector(vector[0 +: N_IN*X_WIDTH]), .index(index), .operands(fed[0 +: SLICE])
    );
    genvar p;
    generate
        for (p = 1; p < PIXELS; p = p + 1) begin : pixel
            sparse_feed #(
                .N(N_IN), .WIDTH(X_WIDTH), .LANES(LANES), .CYCLES(CYCLES), .INDEX_WIDTH(INDEX_WIDTH),
                .SELECT_WIDTH(SELECT_WIDTH), .SELECTS(SELECTS)
            ) feed (
                .clk(clk), .load(load), .vector(vector[p*N_IN*X_WIDTH +: N_IN*X_WIDTH]), .index(index),
                .operands(fed[p*SLICE +: SLICE])
            );
        end
    endgenerate
    // LUT multipliers take weights a cycle after operands: the address waits, or, of a deep ROM, the word.
    delay_line #(
        .WIDTH(INDEX_WIDTH), .CYCLES(MULTIPLIER == "LUT" && !DEEP_ROM ? 1 : 0)
    ) index_later (
        .clk(clk), .rst(rst), .in(index), .out(weight_index)
    );
    // That register in front of DSP blocks is inside of them.
    assign operands = fed;
    delay_line #(
        .WIDTH(WORD), .CYCLES(MULTIPLIER == "DSP" ? 0 : DEEP_ROM)
    ) weights_later (
        .clk(clk), .rst(rst), .in(read), .out(weights)
    );
    weight_rom #(
        .WIDTH(WORD), .DEPTH(CYCLES), .ADDRESS_WIDTH(INDEX_WIDTH), .CONTENTS(WEIGHTS), .MEMORY(MEMORY)
    ) weight_memory (
        .clk(clk), .address(weight_index), .word(read)
    );

    // Back: the same walk again, one cycle before the terms reach the accumulators.
    wire back_start, back_active, back_last, first;
    wire [INDEX_WIDTH-1:0] back_index;
    wire [LANES_OUT*SUM_WIDTH-1:0] biases;
    delay_line #(
        .CYCLES(MULTIPLY_LATENCY + TREE_LATENCY), .RESET(1)
    ) until_terms (
        .clk(clk), .rst(rst), .in(load), .out(back_start)
    );
    fold_counter #(
        .STEPS(CYCLES), .GROUPS(1), .STEP_WIDTH(INDEX_WIDTH), .GROUP_WIDTH(1), .INDEX_WIDTH(INDEX_WIDTH)
    ) back (
        .clk(clk), .rst(rst), .start(back_start), .active(back_active), .index(back_index), .last_step(back_last),
        .step(), .group(), .last_group()
    );
    wire begins, ends;
    generate
        if (CYCLES == 1) begin : one_cycle
            assign {begins, ends} = 2'b11;
        end else begin : many_cycles
            wire [CYCLES-1:0] first_cycles = FIRST, last_cycles = LAST;
            assign begins = first_cycles[back_index];
            assign ends   = last_cycles[back_index];
        end
    endgenerate
    wire [GROUP_WIDTH-1:0] group;
    generate
        if (GROUPS == 1) begin : one_group
            assign group = 1'b0;
        end else begin : many_groups
            reg  [GROUP_WIDTH-1:0] count;
            wire [GROUP_WIDTH-1:0] next;
            increment #(.WIDTH(GROUP_WIDTH)) next_group (.in(count), .out(next));
            always @(posedge clk)
                if (rst)                     count <= {GROUP_WIDTH{1'b0}};
                else if (back_active & ends) count <= back_last ? {GROUP_WIDTH{1'b0}} : next;
            assign group = count;
        end
    endgenerate
    weight_rom #(
        .WIDTH(LANES_OUT * SUM_WIDTH), .DEPTH(GROUPS), .ADDRESS_WIDTH(GROUP_WIDTH), .CONTENTS(BIASES)
    ) bias_memory (
        .clk(clk), .address(group), .word(biases)
    );
    delay_line first_later (.clk(clk), .rst(rst), .in(begins), .out(first));
    delay_line #(.CYCLES(2), .RESET(1)) valid_later (
        .clk(clk), .rst(rst), .in(back_active & ends), .out(sums_valid)
    );
    delay_line #(.CYCLES(GROUPS > 1 ? 2 : 0)) last_later (
        .clk(clk), .rst(rst), .in(GROUPS > 1 ? back_last : 1'b1), .out(sums_last)
    );

    // Lanes: one dot product and one accumulator for each output of a group and each pixel.
    localparam SLICE_IN = LANES_IN * X_WIDTH;
    genvar o;
    generate
        for (o = 0; o < LANES_OUT * PIXELS; o = o + 1) begin : lane
            localparam OUTPUT = o / PIXELS;
            localparam PIXEL  = o % PIXELS;
            wire [SUM_WIDTH-1:0] term;
            dot_product #(
                .LANES(LANES_IN), .X_WIDTH(X_WIDTH), .X_SIGNED(X_SIGNED), .W_WIDTH(W_WIDTH), .W_SIGNED(W_SIGNED),
                .PRODUCT_WIDTH(PRODUCT_WIDTH), .DROP(DROP), .ROUNDING(ROUNDING), .SUM_WIDTH(SUM_WIDTH),
                .MULTIPLIER(MULTIPLIER), .ROWS_PER_STAGE(ROWS_PER_STAGE), .LEVELS_PER_STAGE(LEVELS_PER_STAGE),
                .INPUT_REGS(DEEP_ROM), .VARIES({LANES_IN{CYCLES > 1 ? 1'b1 : 1'b0}})
            ) dot (
                .clk(clk), .x(operands[PIXEL*SLICE + OUTPUT*SLICE_IN +: SLICE_IN]),
                .w(weights[OUTPUT*LANES_IN*W_WIDTH +: LANES_IN*W_WIDTH]), .sum(term)
            );
            accumulate #(.WIDTH(SUM_WIDTH)) accumulator (
                .clk(clk), .first(first), .bias(biases[OUTPUT*SUM_WIDTH +: SUM_WIDTH]), .term(term),
                .value(sums[o*SUM_WIDTH +: SUM_WIDTH])
            );
        end
    endgenerate
endmodule
`default_nettype wire
