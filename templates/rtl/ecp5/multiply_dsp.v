// One product, registered: LATENCY is 1 + INPUT_REGS. As rtl/multiply_dsp.v, for ECP5: a MULT18X18D with the registers
// that it has inside, which Yosys does not use by itself. Products by constants, those too large for one block, and those
// so small that Yosys would make them of LUTs, are left to it.
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
    output wire signed [PRODUCT_WIDTH-1:0] product
);
    localparam X_BITS = X_WIDTH + (X_SIGNED ? 0 : 1);
    localparam W_BITS = W_WIDTH + (W_SIGNED ? 0 : 1);
    localparam FITS   = X_BITS <= 18 && W_BITS <= 18;
    localparam PAYS   = X_WIDTH > 1 && W_WIDTH > 1 && PRODUCT_WIDTH >= 9;
    generate
        if (VARIES && FITS && PAYS) begin : block
            wire signed [17:0] a = $signed({X_SIGNED ? x[X_WIDTH-1] : 1'b0, x});
            wire signed [17:0] b = $signed({W_SIGNED ? w[W_WIDTH-1] : 1'b0, w});
            wire signed [35:0] p;
            assign product = p;
            MULT18X18D #(
                .REG_INPUTA_CLK(INPUT_REGS ? "CLK0" : "NONE"), .REG_INPUTB_CLK(INPUT_REGS ? "CLK0" : "NONE"),
                .REG_OUTPUT_CLK("CLK0"), .GSR("DISABLED")
            ) multiplier (
                .CLK0(clk), .CE0(1'b1), .RST0(1'b0), .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
                .A0(a[0]), .A1(a[1]), .A2(a[2]), .A3(a[3]), .A4(a[4]), .A5(a[5]),
                .A6(a[6]), .A7(a[7]), .A8(a[8]), .A9(a[9]), .A10(a[10]), .A11(a[11]),
                .A12(a[12]), .A13(a[13]), .A14(a[14]), .A15(a[15]), .A16(a[16]), .A17(a[17]),
                .B0(b[0]), .B1(b[1]), .B2(b[2]), .B3(b[3]), .B4(b[4]), .B5(b[5]),
                .B6(b[6]), .B7(b[7]), .B8(b[8]), .B9(b[9]), .B10(b[10]), .B11(b[11]),
                .B12(b[12]), .B13(b[13]), .B14(b[14]), .B15(b[15]), .B16(b[16]), .B17(b[17]),
                .P0(p[0]), .P1(p[1]), .P2(p[2]), .P3(p[3]), .P4(p[4]), .P5(p[5]),
                .P6(p[6]), .P7(p[7]), .P8(p[8]), .P9(p[9]), .P10(p[10]), .P11(p[11]),
                .P12(p[12]), .P13(p[13]), .P14(p[14]), .P15(p[15]), .P16(p[16]), .P17(p[17]),
                .P18(p[18]), .P19(p[19]), .P20(p[20]), .P21(p[21]), .P22(p[22]), .P23(p[23]),
                .P24(p[24]), .P25(p[25]), .P26(p[26]), .P27(p[27]), .P28(p[28]), .P29(p[29]),
                .P30(p[30]), .P31(p[31]), .P32(p[32]), .P33(p[33]), .P34(p[34]), .P35(p[35])
            );
        end else begin : inferred
            reg signed [PRODUCT_WIDTH-1:0] made;
            wire [X_WIDTH-1:0] x_held;
            wire [W_WIDTH-1:0] w_held;
            delay_line #(.WIDTH(X_WIDTH), .CYCLES(INPUT_REGS)) x_later (.clk(clk), .rst(1'b0), .in(x), .out(x_held));
            delay_line #(.WIDTH(W_WIDTH), .CYCLES(INPUT_REGS)) w_later (.clk(clk), .rst(1'b0), .in(w), .out(w_held));
            wire signed [X_WIDTH:0] x_value = {X_SIGNED ? x_held[X_WIDTH-1] : 1'b0, x_held};
            wire signed [W_WIDTH:0] w_value = {W_SIGNED ? w_held[W_WIDTH-1] : 1'b0, w_held};
            always @(posedge clk) made <= x_value * w_value;
            assign product = made;
        end
    endgenerate
endmodule
`default_nettype wire
