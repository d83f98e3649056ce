// in + 1, in plain gates. Written with `+`, a small counter would get a carry chain, and Yosys (abc9) then recognises
// carry outputs as copies of counter bits and mixes both into the ROMs that the counter addresses, at twice their LUTs.
`default_nettype none
module increment #(
    parameter WIDTH = 1
) (
    input  wire [WIDTH-1:0] in,
    output wire [WIDTH-1:0] out
);
    genvar i;
    assign out[0] = ~in[0];
    generate
        for (i = 1; i < WIDTH; i = i + 1) begin : digit
            assign out[i] = in[i] ^ (&in[i-1:0]);
        end
    endgenerate
endmodule
`default_nettype wire
