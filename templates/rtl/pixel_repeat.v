// Enlarges an image: each pixel FW times in its row, and each row FH times. A pixel is taken when it comes out first;
// its repetitions in the row come from a register, those of the row from a memory of one row.
`default_nettype none
module pixel_repeat #(
    parameter WIDTH = 8,     // bits of a pixel
    parameter W     = 4,     // pixels of a row
    parameter FH    = 2,
    parameter FW    = 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_data,
    output wire             out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_data
);
    wire step = out_valid & out_ready;
    wire last_copy, last_column;
    wire first_copy, first_row;
    wire [WIDTH-1:0] held, kept;     // the pixel before; the pixel above
    wire fresh = first_copy & first_row;
    assign in_ready  = fresh & out_ready;
    assign out_valid = ~fresh | in_valid;
    assign out_data  = fresh ? in_data : first_copy ? kept : held;
    step_counter #(.LENGTH(W)) columns (
        .clk(clk), .rst(rst), .step(step & last_copy), .at(), .next(), .last(last_column)
    );
    generate
        if (FW == 1) begin : one_copy
            assign first_copy = 1'b1;
            assign last_copy  = 1'b1;
            assign held       = {WIDTH{1'b0}};
        end else begin : copies
            reg first;
            reg [WIDTH-1:0] previous;
            step_counter #(.LENGTH(FW)) copy (.clk(clk), .rst(rst), .step(step), .at(), .next(), .last(last_copy));
            always @(posedge clk)
                if (rst)       first <= 1'b1;
                else if (step) first <= last_copy;
            always @(posedge clk) if (step) previous <= out_data;
            assign first_copy = first;
            assign held       = previous;
        end
        if (FH == 1) begin : one_row
            assign first_row = 1'b1;
            assign kept      = {WIDTH{1'b0}};
        end else begin : rows
            reg first;
            wire last_row;
            wire turn = step & last_copy & last_column;
            step_counter #(.LENGTH(FH)) row (.clk(clk), .rst(rst), .step(turn), .at(), .next(), .last(last_row));
            always @(posedge clk)
                if (rst)       first <= 1'b1;
                else if (turn) first <= last_row;
            line_memory #(.WIDTH(WIDTH), .DEPTH(W)) row_above (
                .clk(clk), .rst(rst), .step(step & last_copy), .covered(1'b1), .covered_next(1'b1), .write(out_data),
                .read(kept)
            );
            assign first_row = first;
        end
    endgenerate
endmodule
`default_nettype wire
