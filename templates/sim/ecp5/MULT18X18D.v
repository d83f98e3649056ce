// What a simulator needs of ECP5's multiplier: 18 x 18 bits, each operand signed or not, and registers on CLK0 in front
// of it (A and B) and behind it (pipeline, output), each of which may be left out. Cascades, C and resets are not modelled.
`default_nettype none
module MULT18X18D #(
    parameter REG_INPUTA_CLK   = "NONE",
    parameter REG_INPUTB_CLK   = "NONE",
    parameter REG_PIPELINE_CLK = "NONE",
    parameter REG_OUTPUT_CLK   = "NONE",
    parameter GSR              = "ENABLED"
) (
    input wire CLK0, CE0, RST0, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input wire A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
    input wire B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
    input wire C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13, C14, C15, C16, C17,
    output wire P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18, P19, P20, P21,
    P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
);
    wire [17:0] a = {
        A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0
    };
    wire [17:0] b = {
        B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0
    };
    wire signed [18:0] a_in = {SIGNEDA & a[17], a};
    wire signed [18:0] b_in = {SIGNEDB & b[17], b};
    reg  signed [18:0] a_held, b_held;
    wire signed [18:0] a_used = REG_INPUTA_CLK == "NONE" ? a_in : a_held;
    wire signed [18:0] b_used = REG_INPUTB_CLK == "NONE" ? b_in : b_held;
    wire signed [35:0] made = a_used * b_used;
    reg  signed [35:0] piped, held;
    wire signed [35:0] product = REG_PIPELINE_CLK == "NONE" ? made : piped;
    always @(posedge CLK0)
        if (CE0) begin
            a_held <= a_in;
            b_held <= b_in;
            piped  <= made;
            held   <= product;
        end
    assign {
        P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15,
        P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
    } = REG_OUTPUT_CLK == "NONE" ? product : held;
endmodule
`default_nettype wire
