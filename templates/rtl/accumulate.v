// Adds the dot products of one output's input steps to its bias: bias + t for the first step, value + t for the others.
`default_nettype none
module accumulate #(
    parameter WIDTH = 20
) (
    input  wire             clk,
    input  wire             first,
    input  wire [WIDTH-1:0] bias,
    input  wire [WIDTH-1:0] term,
    output reg  [WIDTH-1:0] value
);
    wire [WIDTH-1:0] base = first ? bias : value;
    always @(posedge clk) value <= base + term;
endmodule
`default_nettype wire
