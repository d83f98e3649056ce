// Adds the dot products of one output's input steps to its bias: bias + t for the first step, value + t for the others.
module accumulate #(
    parameter WIDTH = 20
) (
    input                  clk,
    input                  first,
    input      [WIDTH-1:0] bias,
    input      [WIDTH-1:0] term,
    output reg [WIDTH-1:0] value
);
    wire [WIDTH-1:0] base = first ? bias : value;
    always @(posedge clk) value <= base + term;
endmodule
