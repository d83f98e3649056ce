// What a simulator needs of UltraScale+'s DSP block where Yosys alone has placed it: a product of 27 x 18 signed bits
// without a register. Any other use ends the simulation.
`default_nettype none
module DSP48E2 #(
    parameter integer ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AREG = 1, BCASCREG = 1, BREG = 1, CARRYINREG = 1,
    parameter integer CARRYINSELREG = 1, CREG = 1, DREG = 1, INMODEREG = 1, MREG = 1, OPMODEREG = 1, PREG = 1,
    parameter AMULTSEL = "A", BMULTSEL = "B", A_INPUT = "DIRECT", B_INPUT = "DIRECT",
    parameter USE_MULT = "MULTIPLY", USE_SIMD = "ONE48"
) (
    input  wire signed [29:0] A, ACIN,
    input  wire signed [17:0] B, BCIN,
    input  wire        [47:0] C, PCIN,
    input  wire        [26:0] D,
    input  wire         [3:0] ALUMODE,
    input  wire         [4:0] INMODE,
    input  wire         [8:0] OPMODE,
    input  wire         [2:0] CARRYINSEL,
    input  wire               CARRYIN,
    output wire signed [47:0] P
);
    wire signed [26:0] a = A[26:0];
    assign P = a * B;

    wire plain = ALUMODE == 0 && INMODE == 0 && OPMODE == 9'h005 && CARRYINSEL == 0 && CARRYIN == 0 && C == 0;
    initial
        if (ADREG != 0 || AREG != 0 || BREG != 0 || CREG != 0 || DREG != 0 || MREG != 0 || PREG != 0 || !plain
                || A_INPUT != "DIRECT" || B_INPUT != "DIRECT" || USE_MULT != "MULTIPLY" || USE_SIMD != "ONE48"
                || AMULTSEL != "A" || BMULTSEL != "B")
            $fatal(1, "DSP48E2 is used in a way that its model does not know");
endmodule
`default_nettype wire
