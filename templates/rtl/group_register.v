// A pipeline register for a group of values and its flags, between two casts that follow each other.
`default_nettype none
module group_register #(
    parameter WIDTH = 8
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    input  wire             in_last,
    input  wire [WIDTH-1:0] in,
    output reg              out_valid,
    output reg              out_last,
    output reg  [WIDTH-1:0] out
);
    always @(posedge clk) begin
        out_valid <= in_valid & ~rst;
        out_last  <= in_last;
        out       <= in;
    end
endmodule
`default_nettype wire
