// MINUS the sum of two products, -(x0*w0 + x1*w1), in LUTs and carry chains only: no `*`, so no DSP block can appear.
//
// Bit j of both weights together selects one of four rows {0, x0, x1, x0+x1}: distributed arithmetic. One row of
// selection and addition takes W_WIDTH chain steps for two products, half of what two separate multipliers take.
// Each step halves the running value, whose lowest bit is then final, so that the adders stay as short as a row.
// The rows are subtracted because then the multiplexer can move into the LUT in front of a Xilinx carry chain
// (select 2, rows 3, running value 1: one 6-input LUT a bit), which adders' other operand does not allow.
//
// `w0` and `w1` must come one cycle after `x0` and `x1`. The product is there
// LATENCY = 1 + ceil(W_WIDTH / ROWS_PER_STAGE) cycles after x.
module multiply_lut #(
    parameter X_WIDTH        = 8,
    parameter X_SIGNED       = 1,
    parameter W_WIDTH        = 8,
    parameter W_SIGNED       = 1,
    parameter PRODUCT_WIDTH  = 17,
    parameter ROWS_PER_STAGE = 2
) (
    input                             clk,
    input         [X_WIDTH-1:0]       x0,
    input         [X_WIDTH-1:0]       x1,
    input         [W_WIDTH-1:0]       w0,
    input         [W_WIDTH-1:0]       w1,
    output signed [PRODUCT_WIDTH-1:0] product
);
    localparam ROW = X_WIDTH + (X_SIGNED ? 1 : 2);   // a row, signed
    localparam RUN = ROW + 1;                         // the running value
    // Every dot product shares these registers with all others that read the same x: synthesis merges equal ones.
    wire signed [ROW-1:0] x0_value = X_SIGNED ? $signed(x0) : $signed({1'b0, x0});
    wire signed [ROW-1:0] x1_value = X_SIGNED ? $signed(x1) : $signed({1'b0, x1});
    reg  signed [ROW-1:0] only_x0, only_x1, both;
    always @(posedge clk) begin
        only_x0 <= x0_value;
        only_x1 <= x1_value;
        both    <= x0_value + x1_value;
    end

    genvar j;
    generate
        for (j = 0; j < W_WIDTH; j = j + 1) begin : row
            localparam FIRST = j % ROWS_PER_STAGE == 0;                       // first row of its pipeline stage
            localparam LAST  = j % ROWS_PER_STAGE == ROWS_PER_STAGE - 1 || j == W_WIDTH - 1;
            // The operands as this row's stage sees them, and the weight bits that are still to come.
            wire signed [ROW-1:0] a, b, ab;
            wire [W_WIDTH-1:0]    v0, v1;
            wire signed [RUN-1:0] running;
            wire [W_WIDTH-1:0]    running_done;
            if (j == 0) begin : entry
                assign a = only_x0; assign b = only_x1; assign ab = both;
                assign v0 = w0;     assign v1 = w1;
                assign running = {RUN{1'b0}}; assign running_done = {W_WIDTH{1'b0}};
            end else if (FIRST) begin : delayed
                reg signed [ROW-1:0] a_q, b_q, ab_q;
                reg [W_WIDTH-1:0]    v0_q, v1_q;
                always @(posedge clk) begin
                    a_q <= row[j-1].a; b_q <= row[j-1].b; ab_q <= row[j-1].ab;
                    v0_q <= row[j-1].v0; v1_q <= row[j-1].v1;
                end
                assign a = a_q; assign b = b_q; assign ab = ab_q; assign v0 = v0_q; assign v1 = v1_q;
                assign running = row[j-1].after; assign running_done = row[j-1].after_done;
            end else begin : direct
                assign a = row[j-1].a; assign b = row[j-1].b; assign ab = row[j-1].ab;
                assign v0 = row[j-1].v0; assign v1 = row[j-1].v1;
                assign running = row[j-1].after; assign running_done = row[j-1].after_done;
            end

            wire signed [ROW-1:0] selected = v1[j] ? (v0[j] ? ab : b) : (v0[j] ? a : {ROW{1'b0}});
            wire signed [RUN-1:0] halved   = running >>> 1;
            // The sign bit of a weight counts negative; so does every row here, hence this one is added.
            wire signed [RUN-1:0] value    = W_SIGNED && j == W_WIDTH - 1 ? halved + selected : halved - selected;
            wire [W_WIDTH-1:0]    done     = {running[0], running_done} >> 1;
            wire signed [RUN-1:0] after;
            wire [W_WIDTH-1:0]    after_done;
            if (LAST) begin : registered
                reg signed [RUN-1:0] after_q;
                reg [W_WIDTH-1:0]    after_done_q;
                always @(posedge clk) begin after_q <= value; after_done_q <= done; end
                assign after = after_q; assign after_done = after_done_q;
            end else begin : passed
                assign after = value; assign after_done = done;
            end
        end
    endgenerate
    // The first row's shift-in is no result bit: of the W_WIDTH bits collected, the top W_WIDTH-1 are.
    wire signed [RUN+W_WIDTH-1:0] result = {row[W_WIDTH-1].after, row[W_WIDTH-1].after_done};
    assign product = result >>> 1;
endmodule
