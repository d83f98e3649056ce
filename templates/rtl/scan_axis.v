// Walks along one axis of a padded image, one position a step, and tells what a window that ends there does.
module scan_axis #(
    parameter LENGTH = 6,     // padding included
    parameter BEFORE = 1,     // padding before the image
    parameter INSIDE = 4,     // of the image itself
    parameter WINDOW = 3,
    parameter STRIDE = 1
) (
    input  clk,
    input  rst,
    input  step,
    output [(LENGTH > 1 ? $clog2(LENGTH) : 1)-1:0] at,
    output [(LENGTH > 1 ? $clog2(LENGTH) : 1)-1:0] next,     // position after the next step
    output last,
    output covered,            // the position is part of the image
    output produces           // a window ends here
);
    localparam BITS = LENGTH > 1 ? $clog2(LENGTH) : 1;
    reg [BITS-1:0] position;
    wire [BITS-1:0] following;
    increment #(.WIDTH(BITS)) count (.in(position), .out(following));
    assign at     = position;
    assign last   = position == LENGTH - 1;
    assign next   = last ? {BITS{1'b0}} : following;
    wire begun, open;
    assign covered = begun & open;
    always @(posedge clk)
        if (rst)       position <= {BITS{1'b0}};
        else if (step) position <= next;
    generate
        if (BEFORE == 0) begin : at_start         assign begun = 1'b1;                        end
        else             begin : padded_before    assign begun = position >= BEFORE;          end
        if (BEFORE + INSIDE == LENGTH) begin : to_end assign open = 1'b1;                     end
        else             begin : padded_after     assign open = position < BEFORE + INSIDE;   end
        if (WINDOW == 1 && STRIDE == 1) begin : always_one
            assign produces = 1'b1;
        end else if (STRIDE == 1) begin : every
            assign produces = position >= WINDOW - 1;
        end else begin : strided
            // Steps until the next window ends; the first one ends at WINDOW - 1.
            localparam LONGEST = WINDOW > STRIDE ? WINDOW : STRIDE;
            localparam WAIT    = LONGEST > 1 ? $clog2(LONGEST) : 1;
            reg [WAIT-1:0] left;
            assign produces = left == 0;
            always @(posedge clk)
                if (rst)                        left <= WINDOW - 1;
                else if (step && last)          left <= WINDOW - 1;
                else if (step && produces)      left <= STRIDE - 1;
                else if (step)                  left <= left - 1'b1;
        end
    endgenerate
endmodule
