// Walks along one axis of a padded image, one position a step, and tells what a window that ends there does. All flags
// are registers, since ready signals depend on them.
`default_nettype none
module scan_axis #(
    parameter LENGTH = 6,     // padding included
    parameter BEFORE = 1,     // padding before the image
    parameter INSIDE = 4,     // of the image itself
    parameter WINDOW = 3,
    parameter STRIDE = 1
) (
    input  wire clk,
    input  wire rst,
    input  wire step,
    output wire last,
    output wire covered,       // the position is part of the image
    output wire covered_next,  // that after the next step is
    output wire produces       // a window ends here
);
    localparam BITS = LENGTH > 1 ? $clog2(LENGTH) : 1;
    wire [BITS-1:0] next;
    step_counter #(.LENGTH(LENGTH)) position (
        .clk(clk), .rst(rst), .step(step), .at(), .next(next), .last(last)
    );
    generate
        if (INSIDE == LENGTH) begin : no_padding
            assign covered      = 1'b1;
            assign covered_next = 1'b1;
        end else begin : padding
            reg inside_now;
            wire begun, open;
            if (BEFORE == 0) assign begun = 1'b1;
            else             assign begun = next >= BEFORE;
            if (BEFORE + INSIDE == LENGTH) assign open = 1'b1;
            else                           assign open = next < BEFORE + INSIDE;
            assign covered      = inside_now;
            assign covered_next = begun & open;
            always @(posedge clk)
                if (rst)       inside_now <= BEFORE == 0;
                else if (step) inside_now <= covered_next;
        end
        if (WINDOW == 1 && STRIDE == 1) begin : always_one
            assign produces = 1'b1;
        end else if (STRIDE == 1) begin : every
            reg ends;
            assign produces = ends;
            always @(posedge clk)
                if (rst)       ends <= WINDOW == 1;
                else if (step) ends <= next >= WINDOW - 1;
        end else begin : strided
            // Steps until the next window ends; the first one ends at WINDOW - 1.
            localparam LONGEST = WINDOW > STRIDE ? WINDOW : STRIDE;
            localparam WAIT    = LONGEST > 1 ? $clog2(LONGEST) : 1;
            reg  [WAIT-1:0] left;
            reg  ends;
            wire [WAIT-1:0] left_next = last ? WINDOW - 1 : ends ? STRIDE - 1 : left - 1'b1;
            assign produces = ends;
            always @(posedge clk)
                if (rst) begin
                    left <= WINDOW - 1;
                    ends <= WINDOW == 1;
                end else if (step) begin
                    left <= left_next;
                    ends <= left_next == 0;
                end
        end
    endgenerate
endmodule
`default_nettype wire
