// One product, registered: LATENCY is 1. Written with `*`, so that synthesis maps it to a DSP block.
// Yosys does so on Xilinx and ECP5 for results of 9 bits or more whose narrower operand has at least 2 bits; anything
// smaller becomes LUTs (DSP_*_MINWIDTH in its synth_xilinx and synth_ecp5). The register is absorbed by Xilinx blocks.
`default_nettype none
module multiply_dsp #(
    parameter X_WIDTH       = 8,
    parameter X_SIGNED      = 1,
    parameter W_WIDTH       = 8,
    parameter W_SIGNED      = 1,
    parameter PRODUCT_WIDTH = 16
) (
    input  wire                           clk,
    input  wire       [X_WIDTH-1:0]       x,
    input  wire       [W_WIDTH-1:0]       w,
    output reg signed [PRODUCT_WIDTH-1:0] product
);
    wire signed [X_WIDTH:0] x_value = {X_SIGNED ? x[X_WIDTH-1] : 1'b0, x};
    wire signed [W_WIDTH:0] w_value = {W_SIGNED ? w[W_WIDTH-1] : 1'b0, w};
    always @(posedge clk) product <= x_value * w_value;
endmodule
`default_nettype wire
