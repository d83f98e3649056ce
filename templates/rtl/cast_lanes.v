// The same cast for several values side by side; lane 0 in the least significant bits.
`default_nettype none
module cast_lanes #(
    parameter LANES      = 1,
    parameter IN_WIDTH   = 8,
    parameter IN_SIGNED  = 1,
    parameter DROP       = 0,
    parameter RELU       = 0,
    parameter OUT_WIDTH  = 8,
    parameter OUT_SIGNED = 1,
    parameter ROUNDING   = "TRN",
    parameter OVERFLOW   = "WRAP"
) (
    input  wire [LANES*IN_WIDTH-1:0]  in,
    output wire [LANES*OUT_WIDTH-1:0] out
);
    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : lane
            fixed_cast #(
                .IN_WIDTH(IN_WIDTH), .IN_SIGNED(IN_SIGNED), .DROP(DROP), .RELU(RELU),
                .OUT_WIDTH(OUT_WIDTH), .OUT_SIGNED(OUT_SIGNED), .ROUNDING(ROUNDING), .OVERFLOW(OVERFLOW)
            ) cast (
                .in(in[i*IN_WIDTH +: IN_WIDTH]), .out(out[i*OUT_WIDTH +: OUT_WIDTH])
            );
        end
    endgenerate
endmodule
`default_nettype wire
