// The first WANTED beats of every LENGTH; the others are taken and dropped. Combinational but for the counter.
`default_nettype none
module row_crop #(
    parameter WIDTH  = 8,     // bits of a beat
    parameter LENGTH = 4,
    parameter WANTED = 3
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
    wire wanted;
    scan_axis #(.LENGTH(LENGTH), .BEFORE(0), .INSIDE(WANTED), .WINDOW(1), .STRIDE(1)) place (
        .clk(clk), .rst(rst), .step(in_valid & in_ready), .last(), .covered(wanted), .covered_next(), .produces()
    );
    assign in_ready  = ~wanted | out_ready;
    assign out_valid = wanted & in_valid;
    assign out_data  = in_data;
endmodule
`default_nettype wire
