// As accumulate, with a carry of weight 2^PLACE: bias + term + carry for the first step, value + term + carry after it.
// The carry enters as in carry_tree. Bits below PLACE are zero in `term`.
`default_nettype none
module accumulate_carry #(
    parameter WIDTH = 20,
    parameter PLACE = 0
) (
    input  wire             clk,
    input  wire             first,
    input  wire [WIDTH-1:0] bias,
    input  wire [WIDTH-1:0] term,
    input  wire             carry,
    output reg  [WIDTH-1:0] value
);
    wire [WIDTH-1:0] base = first ? bias : value;
    generate
        if (PLACE == 0) begin : lowest
            wire [WIDTH:0] sum = {base, 1'b1} + {term, carry};
            always @(posedge clk) value <= sum[WIDTH:1];
        end else if (PLACE < WIDTH) begin : higher
            wire [WIDTH-PLACE:0] sum = {base[WIDTH-1:PLACE], 1'b1} + {term[WIDTH-1:PLACE], carry};
            always @(posedge clk) value <= {sum[WIDTH-PLACE:1], base[PLACE-1:0]};
        end else begin : outside
            always @(posedge clk) value <= base;
        end
    endgenerate
endmodule
`default_nettype wire
