// Walks through the folds of one vector: for each of GROUPS output groups, STEPS input steps.
// `start` marks the first cycle of a vector; the other STEPS*GROUPS-1 cycles follow without a gap. A new start may come
// right after the last one. All outputs belong to the current cycle; idle, they stand at zero.
`default_nettype none
module fold_counter #(
    parameter STEPS       = 1,
    parameter GROUPS      = 1,
    parameter STEP_WIDTH  = 1,
    parameter GROUP_WIDTH = 1,
    parameter INDEX_WIDTH = 1
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   start,
    output wire                   active,
    output wire [STEP_WIDTH-1:0]  step,
    output wire [GROUP_WIDTH-1:0] group,
    output reg  [INDEX_WIDTH-1:0] index,  // group * STEPS + step
    output wire                   last_step,
    output wire                   last_group
);
    localparam LAST = STEPS * GROUPS - 1;
    reg ongoing;  // index is not 0: a register, since what depends on it is far from it
    wire [INDEX_WIDTH-1:0] index_next;
    increment #(.WIDTH(INDEX_WIDTH)) next_index (.in(index), .out(index_next));
    assign active = start | ongoing;
    generate
        if (LAST == 0) begin : single
            always @(posedge clk) begin
                index   <= {INDEX_WIDTH{1'b0}};
                ongoing <= 1'b0;
            end
        end else begin : count
            always @(posedge clk)
                if (rst || index == LAST) begin
                    index   <= {INDEX_WIDTH{1'b0}};
                    ongoing <= 1'b0;
                end else if (active) begin
                    index   <= index_next;
                    ongoing <= 1'b1;
                end
        end

        // With one group or one step, the index itself counts the other; only with both does each need its own counter.
        if (GROUPS == 1) begin : steps_only
            assign step       = index;
            assign group      = {GROUP_WIDTH{1'b0}};
            assign last_step  = index == LAST;
            assign last_group = 1'b1;
        end else if (STEPS == 1) begin : groups_only
            assign step       = {STEP_WIDTH{1'b0}};
            assign group      = index;
            assign last_step  = 1'b1;
            assign last_group = index == LAST;
        end else begin : nested
            reg [STEP_WIDTH-1:0]  step_count;
            reg [GROUP_WIDTH-1:0] group_count;
            wire [STEP_WIDTH-1:0]  step_next;
            wire [GROUP_WIDTH-1:0] group_next;
            increment #(.WIDTH(STEP_WIDTH))  next_step  (.in(step_count),  .out(step_next));
            increment #(.WIDTH(GROUP_WIDTH)) next_group (.in(group_count), .out(group_next));
            assign step       = step_count;
            assign group      = group_count;
            assign last_step  = step_count == STEPS - 1;
            assign last_group = group_count == GROUPS - 1;
            always @(posedge clk)
                if (rst) begin
                    step_count  <= {STEP_WIDTH{1'b0}};
                    group_count <= {GROUP_WIDTH{1'b0}};
                end else if (active) begin
                    step_count <= last_step ? {STEP_WIDTH{1'b0}} : step_next;
                    if (last_step) group_count <= last_group ? {GROUP_WIDTH{1'b0}} : group_next;
                end
        end
    endgenerate
endmodule
`default_nettype wire
