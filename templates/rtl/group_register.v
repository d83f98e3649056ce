// A pipeline register for a group of values and its flags, between two casts that follow each other.
module group_register #(
    parameter WIDTH = 8
) (
    input                  clk,
    input                  rst,
    input                  in_valid,
    input                  in_last,
    input      [WIDTH-1:0] in,
    output reg             out_valid,
    output reg             out_last,
    output reg [WIDTH-1:0] out
);
    always @(posedge clk) begin
        out_valid <= in_valid & ~rst;
        out_last  <= in_last;
        out       <= in;
    end
endmodule
