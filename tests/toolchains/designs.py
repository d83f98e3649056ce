"""A design small enough to count by hand, for the tests of several tools."""

COUNTER = """
module counter (
    input  wire       clk,
    input  wire       rst,
    output reg  [7:0] q
);
  always @(posedge clk)
    if (rst) q <= 8'd0;
    else q <= q + 8'd1;
endmodule
"""
