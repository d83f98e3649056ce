// One product, registered: LATENCY is 1 + INPUT_REGS. Written with `*`, so that synthesis maps it to a DSP block.
// Yosys does so on Xilinx and ECP5 for results of 9 bits or more whose narrower operand has at least 2 bits; anything
// smaller becomes LUTs (DSP_*_MINWIDTH in its synth_xilinx and synth_ecp5). Xilinx blocks take the registers in; for ECP5
// see ecp5/multiply_dsp.v, which has the same ports.
`default_nettype none
module multiply_dsp #(
    parameter X_WIDTH       = 8,
    parameter X_SIGNED      = 1,
    parameter W_WIDTH       = 8,
    parameter W_SIGNED      = 1,
    parameter PRODUCT_WIDTH = 16,
    parameter INPUT_REGS    = 0,   // 1: registers in front of the multiplier, too
    parameter VARIES        = 0    // 1: w is no constant, of which synthesis would make adders instead
) (
    input  wire                            clk,
    input  wire        [X_WIDTH-1:0]       x,
    input  wire        [W_WIDTH-1:0]       w,
    output reg  signed [PRODUCT_WIDTH-1:0] product
);
    wire [X_WIDTH-1:0] x_held;
    wire [W_WIDTH-1:0] w_held;
    delay_line #(.WIDTH(X_WIDTH), .CYCLES(INPUT_REGS)) x_later (.clk(clk), .rst(1'b0), .in(x), .out(x_held));
    delay_line #(.WIDTH(W_WIDTH), .CYCLES(INPUT_REGS)) w_later (.clk(clk), .rst(1'b0), .in(w), .out(w_held));
    wire signed [X_WIDTH:0] x_value = {X_SIGNED ? x_held[X_WIDTH-1] : 1'b0, x_held};
    wire signed [W_WIDTH:0] w_value = {W_SIGNED ? w_held[W_WIDTH-1] : 1'b0, w_held};
    always @(posedge clk) product <= x_value * w_value;
endmodule
`default_nettype wire
